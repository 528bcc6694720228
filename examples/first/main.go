// Command first is the program of the package comment of kin.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

type Artist struct {
	ID     int64
	Name   string
	Albums kin.Reverse[Album]
}

type Album struct {
	ID     int64
	Title  string
	Artist kin.ForeignKey[Artist] `kin:",on_delete=cascade"`
}

func init() {
	kin.Register[Artist]()
	kin.Register[Album]()
}

func main() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, ":memory:")
	check(err)
	check(kin.CreateTables(ctx, db))

	nina := &Artist{Name: "Nina Simone"}
	check(kin.Insert(ctx, db, nina))
	blues := &Album{Title: "Pastel Blues", Artist: kin.To(nina)}
	check(kin.Insert(ctx, db, blues))

	artists, err := kin.Query[Artist]().
		SelectRelated("albums").
		Filter("albums__title__icontains", "blues").
		All(ctx, db) // []*Artist
	check(err)
	for _, album := range artists[0].Albums.All() { // []*Album
		fmt.Println(album.Title, "by", album.Artist.Get().Name)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
