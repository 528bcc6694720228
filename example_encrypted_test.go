package kin_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// A Patient can be found by the number, but not by the notes.
type Patient struct {
	ID    int64
	Name  string
	SSN   kin.Encrypted[string] `kin:",unique,deterministic"`
	Notes kin.Encrypted[string] `kin:",null"`
}

// newKey makes a key. A program reads its keys from where its secrets are.
func newKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return key
}

// The database sees ciphertexts, and the program what it wrote.
func ExampleEncrypted() {
	ctx := context.Background()
	var models kin.Registry
	kin.Register[Patient](&models)
	keys, err := kin.NewKeyring(newKey())
	check(err)
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&models), kin.WithKeyring(keys))
	check(err)
	defer db.Close()
	check(kin.CreateTables(ctx, db))

	ada := &Patient{Name: "Ada", SSN: kin.Encrypt("078-05-1120")}
	ada.Notes.Set("allergic to nuts")
	check(kin.Insert(ctx, db, ada))

	found, err := kin.Query[Patient]().Filter("ssn", "078-05-1120").Get(ctx, db)
	check(err)
	fmt.Println(found.Notes.Get())
	fmt.Println(*found) // logs do not tell

	var stored []byte
	check(db.SQL().QueryRowContext(ctx, "SELECT ssn FROM patients").Scan(&stored))
	fmt.Println(len(stored), "bytes in the table")

	_, err = kin.Query[Patient]().Filter("notes", "allergic to nuts").Get(ctx, db)
	fmt.Println(err)
	// Output:
	// allergic to nuts
	// {1 Ada Encrypted[string](…) Encrypted[string](…)}
	// 45 bytes in the table
	// kin: "notes": Patient.Notes is encrypted differently each time, so that the database cannot compare it; the tag option deterministic lets it be asked for by exact, ne and in
}

// Keys are changed while the program runs: with both in the ring, all rows are
// read and written, page by page. Each page is a transaction of its own in
// which nobody else changes what was read.
func ExampleNewKeyring_rotation() {
	ctx := context.Background()
	var models kin.Registry
	kin.Register[Patient](&models)
	oldKey, newerKey := newKey(), newKey()
	before, err := kin.NewKeyring(oldKey)
	check(err)
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&models), kin.WithKeyring(before))
	check(err)
	defer db.Close()
	check(kin.CreateTables(ctx, db))
	for i := range 5 {
		check(kin.Insert(ctx, db, &Patient{Name: "patient", SSN: kin.Encrypt(strconv.Itoa(i))}))
	}

	both, err := kin.NewKeyring(newerKey, oldKey)
	check(err)
	rotating := kin.New(db.SQL(), sqlite.Dialect{}, kin.WithRegistry(&models), kin.WithKeyring(both))
	const page = 2
	serializable := kin.TxOptions{Isolation: sql.LevelSerializable, Retries: 5}
	rows := make([]*Patient, page)
	for last := int64(0); len(rows) == page; {
		check(rotating.Tx(ctx, func(tx *kin.Tx) (err error) {
			rows, err = kin.Query[Patient]().Filter("id__gt", last).Limit(page).All(ctx, tx)
			if err != nil {
				return err
			}
			return kin.UpdateAll(ctx, tx, rows, "ssn", "notes")
		}, serializable))
		if len(rows) > 0 {
			last = rows[len(rows)-1].ID
		}
	}

	after, err := kin.NewKeyring(newerKey)
	check(err)
	n, err := kin.Query[Patient]().Filter("ssn__in", []string{"0", "4"}).
		Count(ctx, kin.New(db.SQL(), sqlite.Dialect{}, kin.WithRegistry(&models), kin.WithKeyring(after)))
	fmt.Println(n, err)

	_, err = kin.Query[Patient]().All(ctx, db) // which has the old key only
	var unreadable *kin.DecryptError
	fmt.Println(errors.As(err, &unreadable), unreadable.Model, unreadable.Field)
	// Output:
	// 2 <nil>
	// true Patient SSN
}
