package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// Related rows come as slices, in the same statement.
func ExampleSelect_slices() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	type student struct {
		Name     string
		Category *string `kin:"category__name"`
	}
	type class struct {
		Name     string
		Students []student
		Teachers []string `kin:"teachers__name"`
	}
	classes, err := kin.Select[class](kin.Query[SchoolClass]().OrderBy("name")).All(ctx, db)
	check(err)
	for _, c := range classes {
		fmt.Print(c.Name, ":")
		for _, s := range c.Students {
			if s.Category != nil {
				fmt.Printf(" %s (%s)", s.Name, *s.Category)
			}
		}
		fmt.Println("; taught by", len(c.Teachers))
	}
	// Output:
	// 1A: Ada (Music) Cleo (Maths); taught by 2
	// 1B: Dan (Maths) Eve (Music); taught by 1
	// 1C:; taught by 0
}

// Of each class, the student who comes last by name.
func ExampleQuerySet_DistinctOn() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()
	printNames(ctx, db, kin.Query[Student]().OrderBy("-name").DistinctOn("class"))
	// Output:
	// Eve Cleo
}

// How many classes there are of each size: groups of groups.
func ExampleSelection_Query() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	type class struct {
		Name string
		Size int64 `kin:"count(students)"`
	}
	type size struct {
		Size    int64
		Classes int64 `kin:"count(*)"`
	}
	classes := kin.Select[class](kin.Query[SchoolClass]())
	sizes, err := kin.Select[size](classes.Query().Filter("size__gt", 0)).All(ctx, db)
	check(err)
	fmt.Println(sizes)
	// Output:
	// [{2 1} {3 1}]
}

type Report struct {
	kin.Tracked

	ID    int64
	Title string
	Text  string
}

// Rows that were read without some of their columns know which, and a write
// leaves these alone.
func ExampleQuerySet_Only() {
	ctx := context.Background()
	var models kin.Registry
	kin.Register[Report](&models)
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&models))
	check(err)
	defer db.Close()
	check(kin.CreateTables(ctx, db))
	check(kin.Insert(ctx, db, &Report{Title: "Draft", Text: "a long text"}))

	report, err := kin.Query[Report]().Only("title").Get(ctx, db)
	check(err)
	fmt.Printf("%q %q, without %v\n", report.Title, report.Text, kin.Deferred(report))
	report.Title = "Final"
	check(kin.Update(ctx, db, report)) // of the title
	check(kin.Reload(ctx, db, report))
	fmt.Printf("%q %q, without %v\n", report.Title, report.Text, kin.Deferred(report))
	// Output:
	// "Draft" "", without [text]
	// "Final" "a long text", without []
}
