package kin_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

type Document struct {
	ID        int64
	Title     string
	Tenant    int64
	DeletedAt *time.Time `kin:",softdelete"`
}

type tenant struct{}

// documents returns a database in which each tenant sees its own documents.
func documents(ctx context.Context) *kin.DB {
	var models kin.Registry
	kin.Register[Document](&models)
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&models),
		kin.WithFilter("tenant", func(ctx context.Context, q kin.QuerySet[Document]) (kin.QuerySet[Document], error) {
			id, ok := ctx.Value(tenant{}).(int64)
			if !ok {
				return q, errors.New("no tenant in the context")
			}
			return q.Filter("tenant", id), nil
		}))
	check(err)
	check(kin.CreateTables(ctx, db))
	return db
}

// A filter takes its values from the context, and holds wherever rows of its
// model are read or written.
func ExampleWithFilter() {
	ctx := context.Background()
	db := documents(ctx)
	defer db.Close()

	one, two := context.WithValue(ctx, tenant{}, int64(1)), context.WithValue(ctx, tenant{}, int64(2))
	mine := &Document{Title: "mine", Tenant: 1}
	check(kin.Insert(one, db, mine))
	fmt.Println(kin.Insert(two, db, &Document{Title: "forged", Tenant: 1}))

	n, err := kin.Query[Document]().Count(two, db)
	check(err)
	fmt.Println("of tenant 2:", n)
	fmt.Println(kin.Update(two, db, &Document{ID: mine.ID, Title: "stolen", Tenant: 2}))
	_, err = kin.Query[Document]().Count(ctx, db)
	fmt.Println(err)
	n, err = kin.Query[Document]().Count(kin.WithoutFilter(ctx, "tenant"), db)
	check(err)
	fmt.Println("in all:", n)
	// Output:
	// kin: insert of Document: row 1 of 1 is outside the filter "tenant"
	// of tenant 2: 0
	// kin: update of Document: kin: no row found: Document(1)
	// kin: the filter "tenant" on Document: no tenant in the context
	// in all: 1
}

// A row that is deleted stays in its table, and can come back.
func ExampleQuerySet_WithDeleted() {
	ctx := context.WithValue(context.Background(), tenant{}, int64(1))
	db := documents(ctx)
	defer db.Close()

	draft := &Document{Title: "draft", Tenant: 1}
	check(kin.Insert(ctx, db, draft))
	check(kin.Delete(ctx, db, draft))
	fmt.Println(draft.DeletedAt != nil)

	q := kin.Query[Document]()
	there, err := q.Count(ctx, db)
	check(err)
	all, err := q.WithDeleted().Count(ctx, db)
	check(err)
	fmt.Println(there, all)

	draft.DeletedAt = nil
	check(kin.Update(ctx, db, draft, "deleted_at"))
	there, err = q.Count(ctx, db)
	check(err)
	fmt.Println(there)

	check(kin.Purge(ctx, db, draft))
	all, err = q.WithDeleted().Count(ctx, db)
	check(err)
	fmt.Println(all)
	// Output:
	// true
	// 0 1
	// 1
	// 0
}
