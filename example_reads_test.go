package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/postgres"
)

// Several workers take jobs from one table: each skips those that others are
// at. SQLite has no locks on rows, and says so.
func ExampleQuerySet_ForUpdate() {
	next := kin.Query[Student]().Filter("category", nil).OrderBy("id").Limit(1).ForUpdate(kin.SkipLocked)
	text, _, err := next.SQL(postgres.Dialect{})
	check(err)
	fmt.Println(text)

	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()
	err = db.Tx(ctx, func(tx *kin.Tx) error {
		_, err := next.All(ctx, tx)
		return err
	})
	fmt.Println(err)
	// Output:
	// SELECT "students"."id", "students"."name", "students"."class_id", "students"."category_id" FROM "students" WHERE "students"."category_id" IS NULL ORDER BY "students"."id" LIMIT 1 FOR UPDATE SKIP LOCKED
	// kin: the query on Student locks rows, which is not supported by sqlite: it has no locks on rows; a transaction that writes keeps all others from writing
}

func ExampleQuerySet_Tag() {
	q := kin.Query[Category]().Tag("job", "nightly */ run")
	text, _, err := q.SQL(postgres.Dialect{})
	check(err)
	fmt.Println(text)
	// Output:
	// SELECT "categories"."id", "categories"."name" FROM "categories" ORDER BY "categories"."id" /*job='nightly%20%2A%2F%20run'*/
}

func ExampleWithReplicas() {
	ctx := context.Background()
	replica := openSchool(ctx) // which never follows the primary, in this example
	defer replica.Close()
	db := openSchool(ctx, kin.WithReplicas(replica))
	defer db.Close()

	count := func(ctx context.Context) int64 {
		n, err := kin.Query[Category]().Count(ctx, db)
		check(err)
		return n
	}
	request := kin.ReadYourWrites(ctx)
	fmt.Println(count(request))
	check(kin.Insert(request, db, &Category{Name: "Sport"}))
	fmt.Println("after the write", count(request), "another request", count(kin.ReadYourWrites(ctx)))
	// Output:
	// 2
	// after the write 3 another request 2
}

func ExampleQuerySet_Explain() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	plan, err := kin.Query[Student]().SelectRelated("class").Filter("name", "Ada").Explain(ctx, db)
	check(err)
	fmt.Println(plan)
	scans, err := plan.ScansOver(ctx, 4)
	check(err)
	fmt.Println(len(scans), "scan of more than 4 rows:", scans[0].Table)
	// Output:
	// QUERY PLAN
	//   SCAN on students
	//   SEARCH on school_classes as KY65d6 by INTEGER PRIMARY KEY: rowid=?
	// 1 scan of more than 4 rows: students
}
