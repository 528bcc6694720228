package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
)

func ExampleRaw() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	students, err := kin.Raw[Student]("SELECT * FROM students WHERE name < ? ORDER BY name DESC", "Cleo").All(ctx, db)
	check(err)
	for _, s := range students {
		fmt.Println(s.Name)
	}

	type classSize struct {
		Class    string
		Students int
	}
	sizes, err := kin.Raw[classSize](`
		SELECT c.name AS class, COUNT(s.id) AS students
		FROM school_classes c LEFT JOIN students s ON s.class_id = c.id GROUP BY c.id ORDER BY c.id`).All(ctx, db)
	check(err)
	for _, size := range sizes {
		fmt.Println(size.Class, size.Students)
	}

	n, err := kin.Raw[int64]("SELECT COUNT(*) FROM teachers -- why?").Get(ctx, db)
	check(err)
	fmt.Println(*n)
	// Output:
	// Ben
	// Ada
	// 1A 3
	// 1B 2
	// 1C 0
	// 3
}

func ExampleQuerySet_FilterRaw() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	printNames(ctx, db, kin.Query[Student]().FilterRaw("length(students.name) > ?", 3))
	// Output:
	// Cleo
}

// Lookups from a request may name what is allowed, and nothing else.
func ExampleQuerySet_Allow() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	students := kin.Query[Student]().Filter("class__name", "1A").Allow("name", "category__name__icontains")
	printNames(ctx, db, students.Filter("category__name__icontains", "MUSIC").OrderBy("name"))
	fmt.Println(students.Filter("class__name", "1B").Err())
	// Output:
	// Ada
	// kin: "class__name" may not be asked of Student; allowed are name, category__name__icontains
}

func ExampleQuerySet_MaxRows() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	_, err := kin.Query[Student]().MaxRows(4).All(ctx, db)
	fmt.Println(err)
	// Output:
	// kin: query on Student: kin: the query has more rows than MaxRows (4); give it a limit or conditions, or a larger budget
}
