/*
Package kin is an ORM whose models are plain structs, whose relations are
fields of a generic type, and whose queries return typed, nested values.
There is no generated code, and there is no any in a result.

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

The databases are in the packages dialect/sqlite, dialect/postgres and
dialect/mysql; [New] takes a pool that is open already.

# Models

A model is a struct type that is given to [Register], in an init function.
Its exported fields are columns, those of embedded structs included. Two
models that refer to each other live in one package, as Go has it.

Columns and tables are named in snake_case, tables in the plural: SchoolClass
is school_classes, its field FirstName is first_name, and the foreign key
Class is class_id. Lookups always use the snake_case name of the field. A tag
renames a column, a KinTable method a table ([Tabler]), and [WithNaming] the
rule. A tag is a column name, which may be empty, and options after it, as in
`kin:",null"`:

	pk                 part of the primary key; without it, the field ID is
	auto               the database makes the key, as it does without a word
	                   for a single integer key that is called ID
	null               the column may be NULL
	unique             no two rows have the value
	index              the column has an index; foreign keys always have one
	size=50            the most characters or bytes
	default=SQL        what rows written by others get; kin writes all fields
	omitzero           but those with it: while one is zero, or NULL, an insert
	                   leaves it to the database, and reads back what it made
	generated=SQL      the database computes the value from other columns and
	                   stores it; kin never writes it, and reads it back
	comment=text       a note for those who read the database
	type=SQL           the column's type, for CreateTables
	json               the value is stored as JSON, whatever its type is
	autocreate         of a time: set to that of the insert, if it is zero
	autoupdate         of a time: set to that of each write
	version            of an integer: counts writes, and keeps one from undoing
	                   what it has not read ([ErrStale])
	deterministic      of an [Encrypted]: equal values have equal ciphertexts,
	                   so that it can be found, and be unique
	bound_to=tab.col   of an [Encrypted]: the table and column that its
	                   ciphertexts are bound to, after a renaming
	softdelete         rows are deleted by setting the field, a *time.Time, a
	                   sql.Null[time.Time] or a bool: [QuerySet.WithDeleted]
	secret             texts cannot name it, nor lead through it, typed columns
	                   can: see [QuerySet.Allow]
	related_name=name  of a ForeignKey or a ManyToMany: the way back, in
	                   lookups; by default the model in lower case and an s
	on_delete=action   of a ForeignKey: cascade, restrict, set_null,
	on_update=action   set_default or no_action
	via=Field          of a Reverse: its foreign key, if there are several; of a
	                   ManyToMany: the field on the other side; of a Through:
	                   the foreign keys of the link model, as Owner+Target

A [ManyToMany] has no column: what comes first in its tag names the link table.
The tag `kin:"-"` leaves a field out. A foreign key to a composite key has
a column for each part, which a tag names as a+b. Quotes and parentheses keep
commas together: `kin:",default='a,b'"`. Those around a whole comment or a whole
generated are taken off: `kin:",comment='in cents, net'"`.

A field may be a bool, an integer, a float, a string, a []byte, a [time.Time]
(in UTC, to the microsecond), a time.Duration (in nanoseconds), a
[encoding/json.RawMessage], a [16]byte type called UUID, a named type of a plain
kind (an enum), any type with Scan and Value, or an [Encrypted]; and, on
PostgreSQL alone, a slice of bools, integers, floats or strings, which is an
array there. What may be NULL is a pointer, a [database/sql.Null], a slice with
the option null, or a foreign key with it.
A NULL that a field cannot hold is an error that names the column, never a zero.

# Relations

A [ForeignKey] is NULL, a key, a loaded row, or was not read; a [Reverse], a
[ManyToMany] or a [Through] is loaded, perhaps with no rows, or is not. Reading
them never asks the database. [QuerySet.SelectRelated] loads them with a query,
[QuerySet.Prefetch] in statements of their own, and their Load methods later: each
for its own row, for all rows of its result ([QuerySet.FetchPeers]), or not at all
([QuerySet.Strict]). [WithRepeatedLoads] finds loops that load row by row. The fields with many rows also change which rows they
have, in the database and in memory: Add, Create, Remove, Clear and Set.

A model that embeds [Tracked] writes only what has changed since its rows were
read. [SaveGraph] saves rows with all that they lead to.

Many rows are written chunk by chunk, in one transaction. A [Batch] says how: it
reports progress, bounds a statement, or commits parts.

# Values that kin sets

A field tagged autocreate is set to the time of the insert, and one tagged
autoupdate to that of each write, in UTC and to the microsecond, by the clock of
the program ([WithClock]). An insert leaves times that are not zero as they are.
An update writes the time of autoupdate even if columns are named and it is not
among them; if it is, what it holds is written. It writes that of autocreate only
if it is named. [QuerySet.Update] sets the time too, unless the caller does.

A field tagged version begins at 1, and each write of the row raises it, those
by [QuerySet.Update], [Upsert] and the methods of a [Reverse] too. Where a row in
memory is updated or deleted, its version must be that in the database, else
someone has changed the row since it was read: a [*StaleError], and nothing is
written. If a transaction is rolled back, versions in memory go back as well.

A method KinDefaults() of a model sets what a new row has not set itself. It is
called by each insert, first of all:

	func (o *Order) KinDefaults() {
		if o.ID == uuid.Nil {
			o.ID = uuid.New()
		}
	}

A primary key that it makes is none yet while it is zero: [Save] inserts the row.

If a write fails, all that was set is as it was before.

# Hooks

A model may have methods that are called around its writes and reads. Those of
embedded structs count, if there is one only.

	BeforeInsert, AfterInsert(ctx context.Context, tx *kin.Tx) error
	BeforeUpdate, AfterUpdate(ctx context.Context, tx *kin.Tx) error
	BeforeDelete, AfterDelete(ctx context.Context, tx *kin.Tx) error
	Validate() error
	AfterLoad(ctx context.Context) error

A write with hooks is in a transaction of its own, or behind a savepoint, which
they are given: what they write is committed with the row or not at all, and
[Tx.OnCommit] is there for what must wait. An error of a hook undoes the write,
and leaves the rows in memory as they were. A write of many rows calls each hook
once for each row: all those before, then the write, then all those after.
Validate is called last before an insert or an update, with the values that
will be written. If an update names columns, those are written, whatever else a
hook has set. An [Upsert], which cannot know what it will do, calls the hooks of
an insert.

Hooks are for rows in memory: [Insert], [Update], [Save], [Upsert], [GetOrCreate],
[Delete] and the like, and the methods of a [Reverse], which see foreign keys as
they will be. [QuerySet.Update], [QuerySet.Delete] and a Clear of what nobody
watches change rows that nobody has, and call none; nor does a cascade.

AfterLoad is called once for each row of a result, related rows included and
first, when all relations are linked.

Code that does not own a model listens to it: [Listen], [ListenRelation].

# What holds

  - A query returns each of its rows once, in order, whatever it joins. Limit,
    Offset and Count speak of those. In one result, one row of the database
    is one Go value.
  - Related rows come in the same statement, and the rows read are their sum,
    not their product.
  - A condition over a to-many relation keeps or drops rows of the query, and
    never trims what is loaded. Exclude is the exact complement of Filter,
    with NULL.
  - Rows that are softly deleted, or outside a filter ([WithFilter]), are as if
    they were not there, wherever a query meets them.
  - Every value is a bound parameter, and every name is one of a registered
    model.
  - The same program gives the same answer on every database: case, the order
    of text, NULL, time and integers out of range.
  - Mistakes are errors, with what might have been meant. Only Register
    panics, for a type that is no struct.

# Concurrency

A [QuerySet] is immutable. It, a [DB] and a [Registry] may be used by several
goroutines at once, a [Tx] by one at a time. Rows belong to the caller: they
may be read by several goroutines, but not while one changes them.
*/
package kin
