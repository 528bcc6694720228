// Command school shows what kin does: it makes a school on the embedded
// SQLite, asks it one question over four tables, and prints the answer, the
// SQL, and the graph of relations.
//
//	go run ./examples/school
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// The models are plain structs. A relation is a field of a generic type.
type (
	SchoolClass struct {
		ID       int64
		Name     string
		Students kin.Reverse[Student] `json:",omitzero"`
		Teachers kin.Reverse[Teacher] `json:",omitzero"`
	}

	Category struct {
		ID   int64
		Name string
	}

	Student struct {
		ID       int64
		Name     string
		Class    kin.ForeignKey[SchoolClass] `kin:"class_id,related_name=students,on_delete=cascade"`
		Category kin.ForeignKey[Category]    `kin:",null"`
	}

	Teacher struct {
		ID       int64
		Name     string
		Class    kin.ForeignKey[SchoolClass] `kin:"class_id,related_name=teachers,on_delete=cascade"`
		Category kin.ForeignKey[Category]    `kin:",null"`
	}
)

func init() {
	kin.Register[SchoolClass]()
	kin.Register[Category]()
	kin.Register[Student]()
	kin.Register[Teacher]()
}

func main() {
	p := newPage(os.Stdout)
	err := school(context.Background(), p)
	if err == nil {
		_, err = p.WriteTo(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func school(ctx context.Context, p *page) (err error) {
	var last kin.Event // the statement that ran last
	db, err := sqlite.Open(ctx, ":memory:", kin.WithTrace(func(_ context.Context, e kin.Event) { last = e }))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := kin.CreateTables(ctx, db); err != nil {
		return err
	}
	if err := fill(ctx, db); err != nil {
		return err
	}

	// A query is an immutable value: it may be kept, shared and derived from.
	musical := kin.Query[SchoolClass]().
		SelectRelated("students__category", "teachers__category").
		Filter("students__category__name__icontains", "music").
		OrderBy("-name", "students__name")
	classes, err := musical.All(ctx, db) // []*SchoolClass
	if err != nil {
		return err
	}

	p.title("The classes with a music student, from Z to A, and all who are in them")
	p.code(`kin.Query[SchoolClass]().
	SelectRelated("students__category", "teachers__category").
	Filter("students__category__name__icontains", "music").
	OrderBy("-name", "students__name")`)
	p.printf("\n")
	p.tree(classes)

	p.title("All of it by one statement: an arm for each list")
	p.sql(last.SQL)
	product := 0
	for _, c := range classes {
		product += c.Students.Len() * c.Teachers.Len()
	}
	p.printf("\n%d rows read: every class, student and teacher once. Joining both lists to the classes\n", last.Rows)
	p.printf("would read %d, every student once for each teacher: the product, not the sum.\n", product)

	p.title("A class as JSON: what is loaded is an object, the way back is a key")
	text, err := json.Marshal(classes[len(classes)-1])
	if err != nil {
		return err
	}
	p.json(text)

	p.title("A mistake")
	p.code(`kin.Query[SchoolClass]().SelectRelated("studnts__category").All(ctx, db)`)
	_, err = kin.Query[SchoolClass]().SelectRelated("studnts__category").All(ctx, db)
	p.failure(err)

	p.title("The relations, and the alias under which each is joined, in every run the same")
	if err := p.relations(kin.Relations()); err != nil {
		return err
	}

	p.title("The models, for https://mermaid.live or a Markdown page")
	graph, err := kin.Relations().Mermaid()
	if err != nil {
		return err
	}
	p.code(graph)
	return nil
}
