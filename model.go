package kin

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/kin-orm/kin/internal/schema"
)

// Table holds what a model says of its table as a whole; see [Tabler]. Columns
// are named as in lookups, in snake_case. Its fields are:
//
//	Name    string     // of the table, if it is not that of the naming rule
//	Unique  [][]string // sets of columns that are unique together
//	Indexes [][]string // the columns of indexes
//	Checks  []string   // conditions in SQL that every row meets
//	Comment string     // a note for those who read the database
//
//	SpecialIndexes []Index // those that Indexes cannot say
//
// [CreateTables] writes the comment, and those of columns, on PostgreSQL and
// MariaDB; SQLite keeps none.
type Table = schema.Table

// An Index is an index that a list of columns cannot say: one that is unique
// for some rows only, that sorts by an expression, or backwards, or that has a
// name of its own. It is a special index of a [Table]. Its fields are:
//
//	Name    string   // in the database; errors speak of it
//	Columns []string // as in lookups; "-name" is descending, "(lower(name))" SQL
//	Where   string   // a condition in SQL: only rows that meet it are in the index
//	Unique  bool
//
//	FullText bool // for kin.Search: of the words of its columns, which are texts
//
// A foreign key stands for all its columns. SQL is in parentheses, and names
// columns as the database does.
//
// MariaDB has neither Where nor SQL: [CreateTables] returns an error there. A
// generated column with an index does the same on every database.
//
// A unique index of rows that meet a condition, or of an expression, does not
// make columns unique: [OnConflict] does not take them. A row that it refuses is
// a [*UniqueError], with Fields if the index has no SQL between its columns.
//
// A full-text index is an index of tsvectors in PostgreSQL, an invisible column
// with a FULLTEXT index in MariaDB, and in SQLite a table of FTS5 with the name
// of the index and triggers that keep it, for which the primary key is one
// integer.
type Index = schema.Index

// A Tabler is a model with table options: a table name of its own, and
// constraints and indexes over several columns.
//
//	func (Membership) KinTable() kin.Table {
//		return kin.Table{Name: "members", Unique: [][]string{{"person", "club"}}}
//	}
//
// The method is KinTable() kin.Table. It is called once, on a zero model.
type Tabler = schema.Tabler

// Naming names tables and columns where a tag or [Table] does not; see
// [WithNaming]. Its fields are functions, of which those that are nil are those
// of [Snake]:
//
//	Table  func(model string) string
//	Column func(model, field string) string
//	Key    func(model, field, part string) string // of a foreign key
//
// The part is empty if the foreign key has one column, else it is the part of
// the other model's primary key that the column refers to.
type Naming = schema.Naming

// Snake returns the default naming: snake_case columns, and snake_case tables
// in the plural. The field FirstName is the column first_name, the foreign
// key Class is class_id, and the model SchoolClass the table school_classes.
func Snake() Naming { return schema.Snake() }

// SnakeCase returns a Go name in snake_case, as lookups and [Snake] write it:
// HTMLBody is html_body, UserID is user_id.
func SnakeCase(name string) string { return schema.SnakeCase(name) }

// Register notes that T is a model. It is meant to be called in an init
// function, in any order: a model may refer to others that are registered
// later. T is registered with the default [Registry], [Relations], unless
// others are given. Registering a model twice does nothing.
//
// Mistakes in models are reported by the first use, and by [Registry.Check],
// all at once. Register panics if T is no struct type with a name: there is
// nothing to report it to in an init function.
func Register[T any](registries ...*Registry) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct || t.Name() == "" {
		panic(fmt.Sprintf("kin: Register: %s is no struct type with a name", t))
	}
	s := structOf(t)
	if len(registries) == 0 {
		Relations().add(s)
	}
	for _, r := range registries {
		r.add(s)
	}
}

// A relationField is implemented by the field types that declare a relation.
// The method is not exported, so that there are no others.
type relationField interface{ declare() schema.RelField }

//nolint:gochecknoglobals // a cache of what follows from a type
var structs sync.Map // of reflect.Type to *schema.Struct

// structOf returns what the struct type t says of itself.
func structOf(t reflect.Type) *schema.Struct {
	if s, ok := structs.Load(t); ok {
		return s.(*schema.Struct)
	}
	parsed := schema.Parse(t, recognise)
	addHooks(parsed)
	s, _ := structs.LoadOrStore(t, parsed)
	return s.(*schema.Struct)
}

//nolint:gochecknoglobals // types to compare with
var (
	relationFieldType = reflect.TypeFor[relationField]()
	trackedType       = reflect.TypeFor[Tracked]()
)

func recognise(t reflect.Type) (schema.RelField, bool) {
	if t == trackedType {
		return schema.RelField{Kind: schema.Tracking}, true
	}
	if !t.Implements(relationFieldType) || t.Kind() != reflect.Struct {
		return schema.RelField{}, false
	}
	return reflect.Zero(t).Interface().(relationField).declare(), true
}

// fieldOf returns a pointer to the field f of row, which is a *T.
func fieldOf(row any, f *schema.Field) any {
	return reflect.ValueOf(row).Elem().FieldByIndex(f.Index).Addr().Interface()
}
