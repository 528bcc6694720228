package kin_test

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/kin-orm/kin"
)

// The two best students of each class by name, in three statements.
func ExampleQuerySet_Prefetch() {
	ctx := context.Background()
	statements := 0
	db := openSchool(ctx, kin.WithTrace(func(context.Context, kin.Event) { statements++ }))
	defer db.Close()

	statements = 0
	classes, err := kin.Query[SchoolClass]().
		Prefetch("students", kin.Query[Student]().OrderBy("-name").Limit(2)).
		Prefetch("students__category").
		All(ctx, db)
	check(err)

	for _, c := range classes {
		fmt.Println(c.Name, c.Students.Len())
		for _, s := range c.Students.All() {
			fmt.Println("  ", s.Name, s.Category.Get() != nil)
		}
	}
	fmt.Println(statements, "statements")
	// Output:
	// 1A 2
	//    Cleo true
	//    Ben false
	// 1B 2
	//    Eve true
	//    Dan true
	// 1C 0
	// 3 statements
}

// A subquery may join and prefetch in turn, and filters what is loaded, not who
// is found.
func ExampleSubquery() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	maths := kin.Query[Student]().Filter("category__name", "Maths").SelectRelated("category")
	classes, err := kin.Query[SchoolClass]().SelectRelated("teachers").Prefetch("students", maths).All(ctx, db)
	check(err)

	for _, c := range classes {
		fmt.Print(c.Name, ": ", c.Teachers.Len(), " teachers")
		for _, s := range c.Students.All() {
			fmt.Print(", ", s.Name, " learns ", s.Category.Get().Name)
		}
		fmt.Println()
	}
	// Output:
	// 1A: 2 teachers, Cleo learns Maths
	// 1B: 1 teachers, Dan learns Maths
	// 1C: 0 teachers
}

// All three statements see the same, whoever writes between them.
func ExampleQuerySet_Snapshot() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	classes, err := kin.Query[SchoolClass]().Prefetch("students__category").Snapshot().All(ctx, db)
	check(err)
	fmt.Println(classes[0].Students.All()[0].Category.Get().Name)
	// Output: Music
}

// Students and teachers are asked for at the same time.
func ExampleQuerySet_Concurrent() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	classes, err := kin.Query[SchoolClass]().Prefetch("students").Prefetch("teachers").Concurrent().All(ctx, db)
	check(err)
	fmt.Println(classes[0].Students.Len(), classes[0].Teachers.Len())
	// Output: 3 2
}

// A loop that loads row by row runs one statement for all rows.
func ExampleQuerySet_FetchPeers() {
	ctx := context.Background()
	statements := 0
	db := openSchool(ctx, kin.WithTrace(func(context.Context, kin.Event) { statements++ }))
	defer db.Close()

	classes, err := kin.Query[SchoolClass]().FetchPeers().All(ctx, db)
	check(err)
	statements = 0
	for _, c := range classes {
		students, err := c.Students.Load(ctx, db)
		check(err)
		fmt.Println(c.Name, len(students))
	}
	fmt.Println(statements, "statement")
	// Output:
	// 1A 3
	// 1B 2
	// 1C 0
	// 1 statement
}

// What a page needs is said in its query, and nowhere else.
func ExampleQuerySet_Strict() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	class, err := kin.Query[SchoolClass]().Strict().SelectRelated("teachers").First(ctx, db)
	check(err)
	_, err = class.Students.Load(ctx, db)
	fmt.Println(err)
	// Output: kin: SchoolClass.Students is not loaded, and the query that read the row is Strict: add SelectRelated("students") or Prefetch("students") to it
}

// A line that loads a relation row by row is reported once.
func ExampleWithRepeatedLoads() {
	ctx := context.Background()
	db := openSchool(ctx, kin.WithRepeatedLoads(3, func(_ context.Context, l kin.RepeatedLoad) {
		fmt.Println(l.Relation, l.Count, filepath.Base(l.File))
	}))
	defer db.Close()

	students, err := kin.Query[Student]().All(ctx, db)
	check(err)
	for _, s := range students {
		_, err := s.Class.Load(ctx, db)
		check(err)
	}
	// Output: Student.Class 3 example_prefetch_test.go
}

// In a test, the second load by one line is a failure.
func ExampleNoRepeatedLoads() {
	var t printT // in a test, its *testing.T
	ctx := context.Background()
	db := openSchool(ctx, kin.NoRepeatedLoads(t))
	defer db.Close()

	classes, err := kin.Query[SchoolClass]().All(ctx, db)
	check(err)
	for _, c := range classes {
		_, err := c.Teachers.Load(ctx, db)
		check(err)
	}
	// Output: SchoolClass.Teachers was loaded 2 times, with a statement each
}

// A printT prints what a test would say, without the place.
type printT struct{}

func (printT) Helper() {}

func (printT) Errorf(_ string, args ...any) {
	text := args[0].(string)
	fmt.Println(text[:len("SchoolClass.Teachers was loaded 2 times, with a statement each")])
}
