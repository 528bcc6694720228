package kin_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// Keys that the database makes are set on the rows. Several rows are written
// all or none.
func ExampleInsert() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	art, latin := &Category{Name: "Art"}, &Category{Name: "Latin"}
	check(kin.Insert(ctx, db, art, latin))
	fmt.Println(*art, *latin)
	// Output:
	// {3 Art} {4 Latin}
}

type Account struct {
	ID    int64
	Email string `kin:",unique,size=100"`
}

// What a database refuses is an error of one type on every dialect, which
// names the model and its fields.
func ExampleUniqueError() {
	ctx := context.Background()
	var models kin.Registry
	kin.Register[Account](&models)
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&models))
	check(err)
	defer db.Close()
	check(kin.CreateTables(ctx, db))

	check(kin.Insert(ctx, db, &Account{Email: "ada@example.com"}))
	err = kin.Insert(ctx, db, &Account{Email: "ada@example.com"})
	var taken *kin.UniqueError
	fmt.Println(errors.As(err, &taken), taken.Model, taken.Fields)
	// Output:
	// true Account [Email]
}

// Tables that exist are left as they are.
func ExampleCreateTables() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, ":memory:", kin.WithTrace(func(_ context.Context, e kin.Event) {
		if strings.HasPrefix(e.SQL, "CREATE TABLE \"students\"") || strings.HasPrefix(e.SQL, "CREATE INDEX \"ix_students") {
			fmt.Println(e.SQL)
		}
	}))
	check(err)
	defer db.Close()
	check(kin.CreateTables(ctx, db))
	check(kin.CreateTables(ctx, db)) // nothing to do
	// Output:
	// CREATE TABLE "students" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "name" TEXT NOT NULL, "class_id" INTEGER NOT NULL, "category_id" INTEGER, CONSTRAINT "fk_students_class_id" FOREIGN KEY ("class_id") REFERENCES "school_classes" ("id") ON DELETE CASCADE, CONSTRAINT "fk_students_category_id" FOREIGN KEY ("category_id") REFERENCES "categories" ("id")) STRICT
	// CREATE INDEX "ix_students_class_id" ON "students" ("class_id")
	// CREATE INDEX "ix_students_category_id" ON "students" ("category_id")
}

func ExampleDropTables() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	fmt.Println(kin.DropTables(ctx, db))
	fmt.Println(kin.DropTables(ctx, db)) // nothing to do
	// Output:
	// <nil>
	// <nil>
}

// An error rolls back, and is returned. Queries take the Tx as they take a DB.
func ExampleDB_Tx() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	enough := errors.New("that is enough")
	err := db.Tx(ctx, func(tx *kin.Tx) error {
		check(kin.Insert(ctx, tx, &SchoolClass{Name: "1D"}))
		n, err := kin.Query[SchoolClass]().Count(ctx, tx)
		fmt.Println(n, "classes in the transaction")
		return errors.Join(err, enough)
	})
	fmt.Println(errors.Is(err, enough))

	n, err := kin.Query[SchoolClass]().Count(ctx, db)
	fmt.Println(n, "classes after it", err)
	// Output:
	// 4 classes in the transaction
	// true
	// 3 classes after it <nil>
}

// New takes a pool that is open already. Its sessions are the caller's
// business: here, foreign keys are not on.
func ExampleNew() {
	ctx := context.Background()
	pool, err := sql.Open("sqlite", "file:new?mode=memory&cache=shared")
	check(err)
	db := kin.New(pool, sqlite.Dialect{})
	defer db.Close()
	check(kin.CreateTables(ctx, db))
	n, err := kin.Query[Student]().Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// 0 <nil>
}

type Membership struct {
	ID     int64
	Person string `kin:",size=50"`
	Club   string `kin:",size=50"`
	Since  int
}

func (Membership) KinTable() kin.Table {
	return kin.Table{
		Name:    "members",
		Unique:  [][]string{{"person", "club"}},
		Indexes: [][]string{{"club", "since"}},
		Checks:  []string{"since > 1900"},
	}
}

// A model with a KinTable method says more of its table than fields can.
func ExampleTabler() {
	ctx := context.Background()
	var models kin.Registry
	kin.Register[Membership](&models)
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&models), kin.WithTrace(func(_ context.Context, e kin.Event) {
		if strings.HasPrefix(e.SQL, "CREATE") {
			fmt.Println(e.SQL)
		}
	}))
	check(err)
	defer db.Close()
	check(kin.CreateTables(ctx, db))
	// Output:
	// CREATE TABLE "members" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "person" TEXT NOT NULL CHECK (length("person") <= 50), "club" TEXT NOT NULL CHECK (length("club") <= 50), "since" INTEGER NOT NULL, CONSTRAINT "uq_members_person_club" UNIQUE ("person", "club"), CONSTRAINT "ck_members_1" CHECK (since > 1900)) STRICT
	// CREATE INDEX "ix_members_club_since" ON "members" ("club", "since")
}

// A naming fits models to a schema that is named by another rule. Lookups are
// the same under each. A name in a tag, here class_id, goes before it.
func ExampleWithNaming() {
	ctx := context.Background()
	pascal := kin.Naming{
		Table:  func(model string) string { return model },
		Column: func(model, field string) string { return field },
		Key:    func(model, field, part string) string { return field + "ID" },
	}
	db, err := sqlite.Open(ctx, ":memory:", kin.WithNaming(pascal))
	check(err)
	defer db.Close()

	text, _, err := kin.Query[Student]().Filter("category__name", "Music").SQL(db.Dialect())
	fmt.Println(text, err)
	// Output:
	// SELECT "Student"."ID", "Student"."Name", "Student"."class_id", "Student"."CategoryID" FROM "Student" LEFT JOIN "Category" AS "LJefbf" ON "LJefbf"."ID" = "Student"."CategoryID" WHERE "LJefbf"."Name" = ? ORDER BY "Student"."ID" <nil>
}

func ExampleSnakeCase() {
	fmt.Println(kin.SnakeCase("SchoolClass"), kin.SnakeCase("HTMLBody"), kin.SnakeCase("UserID"))
	// Output:
	// school_class html_body user_id
}

func ExampleSnake() {
	naming := kin.Snake()
	fmt.Println(naming.Table("SchoolClass"), naming.Column("SchoolClass", "FirstName"), naming.Key("Student", "Class", ""))
	// Output:
	// school_classes first_name class_id
}

// A trace sees every statement, with the rows that were read and without the
// values, which may be secret.
func ExampleWithTrace() {
	ctx := context.Background()
	quiet := true
	db := openSchool(ctx, kin.WithTrace(func(_ context.Context, e kin.Event) {
		if !quiet {
			fmt.Println(e.SQL, e.Params, e.Rows, e.Err)
		}
	}))
	defer db.Close()

	quiet = false
	_, err := kin.Query[Category]().Filter("name", "Music").All(ctx, db)
	check(err)
	// Output:
	// SELECT "categories"."id", "categories"."name" FROM "categories" WHERE "categories"."name" = ? ORDER BY "categories"."id" 1 1 <nil>
}

// A statement that is cancelled can be told from one that went wrong.
func Example_cancelled() {
	db := openSchool(context.Background())
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()

	_, err := kin.Query[SchoolClass]().All(ctx, db)
	fmt.Println(errors.Is(err, kin.ErrCanceled), errors.Is(err, context.DeadlineExceeded))
	// Output: true true
}
