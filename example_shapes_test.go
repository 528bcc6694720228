package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

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
