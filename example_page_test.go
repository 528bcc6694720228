package kin_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/kin-orm/kin"
)

func ExampleQuerySet_Page() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	page, err := kin.Query[Student]().OrderBy("name").Page(ctx, db, 2, 2)
	check(err)
	for _, s := range page.Rows {
		fmt.Println(s.Name)
	}
	fmt.Printf("page %d of %d, %d students\n", page.Number, page.Pages(), page.Total)
	// Output:
	// Cleo
	// Dan
	// page 2 of 3, 5 students
}

// A cursor is a place in an order: what others insert or delete meanwhile
// does not move the pages that follow.
func ExampleQuerySet_PageFrom() {
	ctx := context.Background()
	key := make([]byte, 32) // from where the program keeps its secrets
	_, _ = rand.Read(key)
	keys, err := kin.NewKeyring(key)
	check(err)
	db := openSchool(ctx, kin.WithCursorKeys(keys))
	defer db.Close()

	students := kin.Query[Student]().OrderBy("-class__name", "name")
	show := func(cursor string) *kin.CursorPage[Student] {
		page, err := students.PageFrom(ctx, db, cursor, 2)
		check(err)
		var names []string
		for _, s := range page.Rows {
			names = append(names, s.Name)
		}
		fmt.Println(names)
		return page
	}
	first := show("")
	_, err = kin.Query[Student]().Filter("name", "Dan").Delete(ctx, db)
	check(err)
	second := show(first.Next)
	third := show(second.Next)
	fmt.Printf("after it: %q\n", third.Next)
	show(third.Previous)

	_, err = students.Filter("category", nil).PageFrom(ctx, db, first.Next, 2)
	fmt.Println(errors.Is(err, kin.ErrCursor))
	// Output:
	// [Dan Eve]
	// [Ada Ben]
	// [Cleo]
	// after it: ""
	// [Ada Ben]
	// true
}

func ExampleQuerySet_Batches() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	for students, err := range kin.Query[Student]().SelectRelated("class").Batches(ctx, db, 2) {
		check(err)
		fmt.Println("a batch")
		for _, s := range students {
			fmt.Println(" ", s.Name, "in", s.Class.Get().Name)
		}
	}
	// Output:
	// a batch
	//   Ada in 1A
	//   Ben in 1A
	// a batch
	//   Cleo in 1A
	//   Dan in 1B
	// a batch
	//   Eve in 1B
}
