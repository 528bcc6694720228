package kin

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
)

// Errors that calls return, to be told apart with [errors.Is]. They come
// wrapped in an error that names the model.
var (
	// ErrNotFound says that there is no such row. It is [sql.ErrNoRows] too.
	ErrNotFound error = notFound{}
	// ErrMultipleFound says that there are several rows where one was asked for.
	ErrMultipleFound = errors.New("kin: more than one row found")
	// ErrUnsaved says that a row has no primary key yet, where one is needed.
	ErrUnsaved = hydrate.ErrUnsaved
	// ErrUnbound says that a relation field does not know which row it is in:
	// the row was not read, inserted or bound ([Bind]) by kin.
	ErrUnbound = errors.New("does not know its row; read, insert or kin.Bind the row first")
)

//nolint:errname // its one value is ErrNotFound
type notFound struct{}

func (notFound) Error() string        { return "kin: no row found" }
func (notFound) Is(target error) bool { return target == sql.ErrNoRows }

// A PathError is a lookup, an order or a relation path that names something
// that is not there. Its fields are:
//
//	Model string   // the model at which the step was looked up
//	Path  string   // the whole path
//	Step  string   // the step that failed
//	Known []string // what there is instead, sorted
type PathError = lookup.Error

// A ModelError is a mistake in a model.
type ModelError struct {
	Model string
	Field string // may be empty
	Text  string
}

// Error implements error.
func (e *ModelError) Error() string {
	if e.Field == "" {
		return "kin: " + e.Model + " " + e.Text
	}
	return "kin: " + e.Model + "." + e.Field + " " + e.Text
}

// modelErrors are all mistakes in the models of a registry.
type modelErrors []error

func (e modelErrors) Unwrap() []error { return e }

func (e modelErrors) Error() string {
	if len(e) == 1 {
		return e[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "kin: %d mistakes in models:", len(e))
	for _, err := range e {
		b.WriteString("\n  " + strings.TrimPrefix(err.Error(), "kin: "))
	}
	return b.String()
}
