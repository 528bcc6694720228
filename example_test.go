package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

type SchoolClass struct {
	ID       int64
	Name     string
	Students kin.Reverse[Student] `json:",omitzero"`
	Teachers kin.Reverse[Teacher] `json:",omitzero"`
}

type Category struct {
	ID   int64
	Name string
}

type Student struct {
	ID       int64
	Name     string
	Class    kin.ForeignKey[SchoolClass] `kin:"class_id,related_name=students,on_delete=cascade"`
	Category kin.ForeignKey[Category]    `kin:",null"`
}

type Teacher struct {
	ID       int64
	Name     string
	Class    kin.ForeignKey[SchoolClass] `kin:"class_id,related_name=teachers,on_delete=cascade"`
	Category kin.ForeignKey[Category]    `kin:",null"`
}

func init() {
	kin.Register[SchoolClass]()
	kin.Register[Category]()
	kin.Register[Student]()
	kin.Register[Teacher]()
}

func Example() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, ":memory:") // or postgres.Open, mysql.Open, kin.New
	check(err)
	defer db.Close()
	check(kin.CreateTables(ctx, db))

	class, music := &SchoolClass{Name: "1A"}, &Category{Name: "Music"}
	check(kin.Insert(ctx, db, class))
	check(kin.Insert(ctx, db, music))
	check(kin.Insert(ctx, db,
		&Student{Name: "Ada", Class: kin.To(class), Category: kin.To(music)},
		&Student{Name: "Ben", Class: kin.To(class)}))
	check(kin.Insert(ctx, db, &Teacher{Name: "Ms Ito", Class: kin.To(class)}))

	classes, err := kin.Query[SchoolClass]().
		SelectRelated("students__category", "teachers__category").
		Filter("students__category__name__icontains", "music").
		OrderBy("name").
		All(ctx, db) // []*SchoolClass
	check(err)

	for _, s := range classes[0].Students.All() { // []*Student, already loaded
		fmt.Println(s.Name, s.Class.Get().Name, s.Category.Get()) // nil when NULL
	}
	// Output:
	// Ada 1A &{1 Music}
	// Ben 1A <nil>
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
