package kin_test

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// openSchool returns a database of its own with three classes:
//
//	1A  students Ada (Music), Ben (no category), Cleo (Maths); teachers Ms Ito (Music), Mr Lane (Maths)
//	1B  students Dan (Maths), Eve (Music); teacher Mrs Diaz (no category)
//	1C  nobody
func openSchool(ctx context.Context, options ...kin.Option) *kin.DB {
	db, err := sqlite.Open(ctx, ":memory:", options...)
	check(err)
	check(kin.CreateTables(ctx, db))
	music, maths := &Category{Name: "Music"}, &Category{Name: "Maths"}
	check(kin.Insert(ctx, db, music, maths))
	a, b, c := &SchoolClass{Name: "1A"}, &SchoolClass{Name: "1B"}, &SchoolClass{Name: "1C"}
	check(kin.Insert(ctx, db, a, b, c))
	check(kin.Insert(ctx, db,
		&Student{Name: "Ada", Class: kin.To(a), Category: kin.To(music)},
		&Student{Name: "Ben", Class: kin.To(a)},
		&Student{Name: "Cleo", Class: kin.To(a), Category: kin.To(maths)},
		&Student{Name: "Dan", Class: kin.To(b), Category: kin.To(maths)},
		&Student{Name: "Eve", Class: kin.To(b), Category: kin.To(music)}))
	check(kin.Insert(ctx, db,
		&Teacher{Name: "Ms Ito", Class: kin.To(a), Category: kin.To(music)},
		&Teacher{Name: "Mr Lane", Class: kin.To(a), Category: kin.To(maths)},
		&Teacher{Name: "Mrs Diaz", Class: kin.To(b)}))
	return db
}

// printNames runs a query and prints the names of its rows on one line.
func printNames[T any](ctx context.Context, db kin.Executor, q kin.QuerySet[T]) {
	rows, err := q.All(ctx, db)
	check(err)
	if len(rows) == 0 {
		fmt.Print("none")
	}
	for i, row := range rows {
		if i > 0 {
			fmt.Print(" ")
		}
		switch row := any(row).(type) {
		case *SchoolClass:
			fmt.Print(row.Name)
		case *Student:
			fmt.Print(row.Name)
		}
	}
	fmt.Println()
}
