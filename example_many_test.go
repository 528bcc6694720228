package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

type (
	Article struct {
		ID     int64
		Title  string
		Topics kin.ManyToMany[Topic] `kin:",related_name=articles"`
	}
	Topic struct {
		ID       int64
		Name     string
		Articles kin.ManyToMany[Article] `kin:"via=Topics"`
	}

	Member struct {
		ID    int64
		Name  string
		Clubs kin.Through[Club, Enrolment]
	}
	Club struct {
		ID      int64
		Name    string
		Members kin.Through[Member, Enrolment]
	}
	Enrolment struct {
		Member kin.ForeignKey[Member] `kin:",pk,on_delete=cascade"`
		Club   kin.ForeignKey[Club]   `kin:",pk,on_delete=cascade"`
		Role   string
	}
)

// linkRegistry returns a registry of the models above.
func linkRegistry() *kin.Registry {
	var r kin.Registry
	kin.Register[Article](&r)
	kin.Register[Topic](&r)
	kin.Register[Member](&r)
	kin.Register[Club](&r)
	kin.Register[Enrolment](&r)
	return &r
}

// openLinks opens a database with the models above.
func openLinks(ctx context.Context) *kin.DB {
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(linkRegistry()))
	check(err)
	check(kin.CreateTables(ctx, db))
	return db
}

func ExampleManyToMany() {
	ctx := context.Background()
	db := openLinks(ctx)
	defer db.Close()

	golang, sql, cats := &Topic{Name: "go"}, &Topic{Name: "sql"}, &Topic{Name: "cats"}
	article := &Article{Title: "Typed queries"}
	check(kin.Insert(ctx, db, article))
	check(article.Topics.Add(ctx, db, golang, sql)) // inserts them, and links them

	articles, err := kin.Query[Article]().SelectRelated("topics").Filter("topics__name", "sql").All(ctx, db)
	check(err)
	for topic := range articles[0].Topics.Values() {
		fmt.Println(articles[0].Title, "is about", topic.Name)
	}

	check(article.Topics.Set(ctx, db, sql, cats)) // go is left out, cats is new
	n, err := golang.Articles.Query().Count(ctx, db)
	fmt.Println(n, err)
	n, err = cats.Articles.Query().Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// Typed queries is about go
	// Typed queries is about sql
	// 0 <nil>
	// 1 <nil>
}

// The rows that link members to clubs are of a model too, with a field of
// its own.
func ExampleThrough() {
	ctx := context.Background()
	db := openLinks(ctx)
	defer db.Close()

	chess, bridge := &Club{Name: "chess"}, &Club{Name: "bridge"}
	check(kin.Insert(ctx, db, chess, bridge))
	ann := &Member{Name: "Ann"}
	check(kin.Insert(ctx, db, ann))
	check(ann.Clubs.AddLinks(ctx, db,
		&Enrolment{Club: kin.To(chess), Role: "owner"},
		&Enrolment{Club: kin.To(bridge), Role: "guest"}))

	members, err := kin.Query[Member]().SelectRelated("clubs").
		Filter("clubs__name", "chess", "clubs__link__role", "owner"). // of one club
		OrderBy("name", "clubs__link__role").
		All(ctx, db)
	check(err)
	for club, enrolment := range members[0].Clubs.Links() {
		fmt.Println(club.Name, enrolment.Role)
	}
	// Output:
	// bridge guest
	// chess owner
}
