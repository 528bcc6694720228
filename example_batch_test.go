package kin_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/kin-orm/kin"
)

// A long insert tells how far it is, and commits each thousand rows.
func ExampleBatch() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	rows := make([]*Category, 2500)
	for i := range rows {
		rows[i] = &Category{Name: fmt.Sprint("category ", i+1)}
	}
	slow := kin.Batch{Size: 500, CommitEach: 1000, Progress: func(done, all int) {
		fmt.Println(done, "of", all)
	}}
	check(kin.Insert(ctx, slow.On(db), rows...))
	// Output:
	// 500 of 2500
	// 1000 of 2500
	// 1500 of 2500
	// 2000 of 2500
	// 2500 of 2500
}

// A BatchError says what stays when parts have been committed.
func ExampleBatchError() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	first := &Category{Name: "chess"}
	second := &Category{ID: 1, Name: "go"} // there is one with this key
	err := kin.Insert(ctx, kin.Batch{CommitEach: 1}.On(db), first, second)
	if part, ok := errors.AsType[*kin.BatchError](err); ok {
		_, taken := errors.AsType[*kin.UniqueError](part)
		fmt.Println(part.Done, "of", part.All, taken)
	}
	// Output: 1 of 2 true
}
