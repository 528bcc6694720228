package kin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// A Doc has hooks, a version and times.
type Doc struct {
	ID      string `kin:",size=40"`
	Title   string
	Version int64     `kin:",version"`
	Created time.Time `kin:",autocreate"`
	Updated time.Time `kin:",autoupdate"`
}

// A DocLog is what happened to docs.
type DocLog struct {
	ID   int64
	Text string
}

// KinDefaults makes the key.
func (d *Doc) KinDefaults() {
	if d.ID == "" {
		d.ID = "doc-" + strings.ToLower(d.Title)
	}
}

// Validate is called before an insert and an update.
func (d *Doc) Validate() error {
	if d.Title == "" {
		return errors.New("the title is empty")
	}
	return nil
}

// AfterInsert writes in the same transaction.
func (d *Doc) AfterInsert(ctx context.Context, tx *kin.Tx) error {
	return kin.Insert(ctx, tx, &DocLog{Text: d.ID + " inserted"})
}

func openDocs(ctx context.Context, options ...kin.Option) *kin.DB {
	var models kin.Registry
	kin.Register[Doc](&models)
	kin.Register[DocLog](&models)
	db, err := sqlite.Open(ctx, ":memory:", append(options, kin.WithRegistry(&models))...)
	check(err)
	check(kin.CreateTables(ctx, db))
	return db
}

// Hooks are methods of the model.
func Example_hooks() {
	ctx := context.Background()
	db := openDocs(ctx)
	defer db.Close()

	fmt.Println(kin.Insert(ctx, db, &Doc{Title: "Plan"}))
	fmt.Println(kin.Insert(ctx, db, &Doc{}))
	log, err := kin.Query[DocLog]().All(ctx, db)
	check(err)
	for _, x := range log {
		fmt.Println(x.Text)
	}
	// Output:
	// <nil>
	// kin: insert of Doc: row 1 of 1: is not valid: the title is empty
	// doc-plan inserted
}

// A row with a version that somebody else has changed is not written.
func ExampleStaleError() {
	ctx := context.Background()
	db := openDocs(ctx)
	defer db.Close()

	mine := &Doc{Title: "Plan"}
	check(kin.Insert(ctx, db, mine))
	theirs, err := kin.Query[Doc]().Get(ctx, db)
	check(err)
	check(kin.Update(ctx, db, theirs))

	mine.Title = "My plan"
	err = kin.Update(ctx, db, mine)
	fmt.Println(err)
	fmt.Println(errors.Is(err, kin.ErrStale))
	check(kin.Reload(ctx, db, mine))
	mine.Title = "My plan"
	fmt.Println(kin.Update(ctx, db, mine), mine.Version)
	// Output:
	// kin: update of Doc: Doc("doc-plan") is stale: it has version 1, and the database 2
	// true
	// <nil> 3
}

// The clock sets fields tagged autocreate and autoupdate.
func ExampleWithClock() {
	ctx := context.Background()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	db := openDocs(ctx, kin.WithClock(func() time.Time { return now }))
	defer db.Close()

	doc := &Doc{Title: "Plan"}
	check(kin.Insert(ctx, db, doc))
	now = now.Add(time.Hour)
	check(kin.Update(ctx, db, doc, "title"))
	fmt.Println(doc.Created.Format(time.Kitchen), doc.Updated.Format(time.Kitchen))
	// Output:
	// 12:00PM 1:00PM
}

// An index for searching follows a model that knows nothing of it.
func ExampleListen() {
	ctx := context.Background()
	db := openDocs(ctx)
	defer db.Close()

	stop := kin.Listen(kin.Listener[Doc]{
		AfterInsert: func(_ context.Context, tx *kin.Tx, docs []*Doc) error {
			tx.OnCommit(func() { fmt.Println("index", len(docs), "docs") })
			return nil
		},
		BeforeDelete: func(context.Context, *kin.Tx, []*Doc) error {
			return errors.New("docs are kept")
		},
	})
	defer stop()
	plan := &Doc{Title: "Plan"}
	check(kin.Insert(ctx, db, plan, &Doc{Title: "Report"}))
	fmt.Println(kin.Delete(ctx, db, plan))
	// Output:
	// index 2 docs
	// kin: delete of Doc: a listener to BeforeDelete: docs are kept
}

func ExampleListenRelation() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	stop := kin.ListenRelation(func(_ context.Context, _ *kin.Tx, c kin.RelationChange[SchoolClass, Student]) error {
		for _, student := range c.Added {
			fmt.Println(student.Name, "is now one of the", c.Relation, "of", c.Row.Name)
		}
		return nil
	})
	defer stop()
	class, err := kin.Query[SchoolClass]().Filter("name", "1C").Get(ctx, db)
	check(err)
	check(class.Students.Create(ctx, db, &Student{Name: "Fay"}))
	// Output:
	// Fay is now one of the students of 1C
}
