package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

type Product struct {
	ID   int64
	Name string
	Meta map[string]any `kin:",json"`
}

func ExampleJSON() {
	ctx := context.Background()
	var registry kin.Registry
	kin.Register[Product](&registry)
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
		&Product{Name: "desk", Meta: map[string]any{"size": map[string]any{"width": 140}, "colours": []string{"oak", "black"}}},
		&Product{Name: "lamp", Meta: map[string]any{"size": map[string]any{"width": 20.5}, "colours": []string{"black"}}},
		&Product{Name: "rug", Meta: map[string]any{"colours": []string{"red"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	meta := kin.F("meta")
	products, err := kin.Query[Product]().
		Annotate("width", kin.JSON[float64](meta, "size", "width")).
		Where(kin.JSONContains(meta, map[string]any{"colours": []string{"black"}})).
		OrderBy("width").All(ctx, db)
	for _, p := range products {
		fmt.Println(p.Name)
	}
	fmt.Println(err)
	// Output:
	// lamp
	// desk
	// <nil>
}
