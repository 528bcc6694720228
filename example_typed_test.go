package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
)

// Columns and relations that the compiler has checked, for a program without a
// single lookup in a text.
var (
	className       = kin.Col(func(c *SchoolClass) *string { return &c.Name })
	classStudents   = kin.Rel(func(c *SchoolClass) *Student { return c.Students.Any() })
	classCategories = kin.Rel(func(c *SchoolClass) *Category { return c.Students.Any().Category.Get() })
	learnt          = kin.Col(func(c *SchoolClass) *string { return &c.Students.Any().Category.Get().Name })
	studentName     = kin.Col(func(s *Student) *string { return &s.Name })
	studentClass    = kin.Rel(func(s *Student) *SchoolClass { return s.Class.Get() })
	categoryName    = kin.Col(func(c *Category) *string { return &c.Name })
)

// Nothing is named by a text: what is misspelt, of another model or of another
// type does not compile.
func ExampleCol() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	classes, err := kin.Query[SchoolClass]().
		SelectRelated(classCategories.Path()).
		Where(kin.Or(kin.IContains(learnt, "MATH"), className.Eq("1C"))).
		OrderBy(className.Desc()).
		All(ctx, db)
	check(err)
	for _, c := range classes {
		fmt.Println(c.Name, c.Students.Len())
	}

	n, err := kin.Query[Student]().
		Where(studentClass.Has(className.Eq("1A")), kin.Not(studentName.In("Ada", "Ben"))).
		Update(ctx, db, studentName.SetExpr(kin.Concat(studentName.F(), "!")))
	check(err)
	fmt.Println(n, "changed")

	art, created, err := kin.GetOrCreate(ctx, db, &Category{Name: "Art"}, categoryName.Path())
	check(err)
	fmt.Println(art.Name, created)
	art.Name = "Fine art"
	check(kin.Update(ctx, db, art, categoryName.Path()))

	busy, err := kin.Query[SchoolClass]().Where(classStudents.Has(kin.HasPrefix(studentName, "A"))).Count(ctx, db)
	check(err)
	fmt.Println(busy)
	// Output:
	// 1C 0
	// 1B 2
	// 1A 3
	// 1 changed
	// Art true
	// 1
}

// Conditions of lookups and typed ones go together, in groups of any depth.
func ExampleOr() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	printNames(ctx, db, kin.Query[Student]().Where(
		kin.Or(
			studentName.Eq("Ada"),
			kin.And(kin.Q("class__name", "1B"), kin.Not(kin.Q("category", nil))),
		),
	))
	// Output:
	// Ada Dan Eve
}
