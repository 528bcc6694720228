package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

type Manual struct {
	ID    int64
	Title string
	Text  string
}

func (Manual) KinTable() kin.Table {
	return kin.Table{SpecialIndexes: []kin.Index{{Name: "manual_words", Columns: []string{"title", "text"}, FullText: true}}}
}

func ExampleSearch() {
	ctx := context.Background()
	var registry kin.Registry
	kin.Register[Manual](&registry)
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&registry))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	if err := kin.CreateTables(ctx, db); err != nil {
		fmt.Println(err)
		return
	}
	err = kin.Insert(ctx, db,
		&Manual{Title: "Apple pie", Text: "Peel the apples, and put an apple aside."},
		&Manual{Title: "Plum cake", Text: "An apple may be in it too, with flour and sugar, and with much else beside."},
		&Manual{Title: "Bread", Text: "Flour and water."})
	if err != nil {
		fmt.Println(err)
		return
	}
	asked := `"apple`
	manuals, err := kin.Query[Manual]().Where(kin.Search(asked)).
		Annotate("rank", kin.SearchRank(asked)).OrderBy("-rank").All(ctx, db)
	for _, r := range manuals {
		fmt.Println(r.Title)
	}
	fmt.Println(err)
	// Output:
	// Apple pie
	// Plum cake
	// <nil>
}
