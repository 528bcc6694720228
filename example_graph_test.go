package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// A new class is saved with its new students, and with a category that is new
// too, in three batches.
func ExampleSaveGraph() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	chess := &Category{Name: "chess"}
	class := &SchoolClass{Name: "3C", Students: kin.From(
		&Student{Name: "Eve", Category: kin.To(chess)},
		&Student{Name: "Fay", Category: kin.To(chess)},
	)}
	saved, err := kin.SaveGraph(ctx, db, class)
	check(err)
	for _, s := range saved {
		fmt.Println(s.Model, s.Inserted, s.Updated)
	}
	fmt.Println(class.Students.All()[0].Class.Get() == class)
	// Output:
	// Category 1 0
	// SchoolClass 1 0
	// Student 2 0
	// true
}

// From makes a collection of a new row. SaveGraph makes its rows refer to it.
func ExampleFrom() {
	class := &SchoolClass{Name: "3C", Students: kin.From(&Student{ID: 8}, &Student{ID: 9})}
	fmt.Println(class.Name, class.Students, class.Students.Loaded())
	// Output:
	// 3C [Student(8) Student(9)] true
}

// Linked makes a many-to-many collection of a new row. SaveGraph saves its
// rows, and links them.
func ExampleLinked() {
	type Tag struct {
		ID   int64
		Name string
	}
	type Post struct {
		ID    int64
		Title string
		Tags  kin.ManyToMany[Tag]
	}
	var r kin.Registry
	kin.Register[Post](&r)
	kin.Register[Tag](&r)
	ctx := context.Background()
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&r))
	check(err)
	defer db.Close()
	check(kin.CreateTables(ctx, db))

	golang := &Tag{Name: "go"}
	_, err = kin.SaveGraph(ctx, db,
		&Post{Title: "one", Tags: kin.Linked(golang)},
		&Post{Title: "two", Tags: kin.Linked(golang, &Tag{Name: "sql"})},
	)
	check(err)
	n, err := kin.Query[Post]().Filter("tags__name", "go").Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// 2 <nil>
}

type Recipe struct {
	kin.Tracked
	ID    int64
	Title string
	Steps []string `kin:",json"`
}

// openRecipes opens a database with one recipe, and returns it as it is read.
func openRecipes(ctx context.Context) (*kin.DB, *Recipe) {
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(recipes()))
	check(err)
	check(kin.CreateTables(ctx, db))
	check(kin.Insert(ctx, db, &Recipe{Title: "Tea", Steps: []string{"boil", "wait"}}))
	recipe, err := kin.Query[Recipe]().First(ctx, db)
	check(err)
	return db, recipe
}

// A row of a tracked model that is as it was is not written, and of one that
// is not, only the columns that have changed.
func ExampleTracked() {
	ctx := context.Background()
	trace := func(_ context.Context, e kin.Event) { fmt.Println(e.SQL) }
	db, recipe := openRecipes(ctx)
	defer db.Close()
	db = kin.New(db.SQL(), sqlite.Dialect{}, kin.WithRegistry(recipes()), kin.WithTrace(trace))

	check(kin.Save(ctx, db, recipe)) // nothing to write
	recipe.Title = "Green tea"
	check(kin.Save(ctx, db, recipe))
	// Output:
	// UPDATE "recipes" SET "title" = ? WHERE "id" = ?
}

func recipes() *kin.Registry {
	r := &kin.Registry{}
	kin.Register[Recipe](r)
	return r
}

func ExampleChanged() {
	ctx := context.Background()
	db, recipe := openRecipes(ctx)
	defer db.Close()

	fmt.Println(kin.Changed(recipe))
	recipe.Steps[1] = "wait longer" // in place
	fmt.Println(kin.Changed(recipe))
	check(kin.Save(ctx, db, recipe))
	fmt.Println(kin.Changed(recipe))
	// Output:
	// []
	// [steps]
	// []
}
