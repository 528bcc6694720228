package kin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// Conditions under which a database refuses a statement or a transaction, to
// be told apart with [errors.Is] on every dialect.
var (
	// ErrConflict says that a transaction cannot be serialized with others
	// that ran at the same time. Run again, it may succeed.
	ErrConflict = errors.New("kin: the transaction conflicts with another")
	// ErrDeadlock says that transactions waited for each other, and that this
	// one was chosen to end. Run again, it may succeed.
	ErrDeadlock = errors.New("kin: deadlock")
	// ErrLockTimeout says that a lock was not to be had in time.
	ErrLockTimeout = errors.New("kin: a lock was not to be had in time")
	// ErrDisconnected says that the connection to the database is gone.
	ErrDisconnected = errors.New("kin: the connection to the database is lost")
)

// A Violation is what the constraint errors have in common.
type Violation struct {
	// Model and Fields say whose constraint it is, by their Go names, as far
	// as the database tells.
	Model  string
	Fields []string
	// Constraint is the constraint's name in the database, if it tells.
	Constraint string
	// Err is the driver's error.
	Err error
}

// Unwrap returns the driver's error.
func (v *Violation) Unwrap() error { return v.Err }

func (v *Violation) text(what string) string {
	where := v.Model
	switch {
	case where == "":
		where = "a row"
	case len(v.Fields) == 1:
		where += "." + v.Fields[0]
	case len(v.Fields) > 1:
		where += " (" + strings.Join(v.Fields, ", ") + ")"
	}
	if v.Constraint != "" && len(v.Fields) == 0 {
		what += fmt.Sprintf(" (constraint %q)", v.Constraint)
	}
	return fmt.Sprintf("%s %s: %v", where, what, v.Err)
}

// A UniqueError says that a row with the same values is there already.
type UniqueError struct{ Violation }

// Error implements error.
func (e *UniqueError) Error() string { return e.text("is not unique") }

// A ForeignKeyError says that a foreign key refers to no row, or that a row
// that is to go is referred to.
type ForeignKeyError struct{ Violation }

// Error implements error.
func (e *ForeignKeyError) Error() string { return e.text("breaks a foreign key") }

// A NotNullError says that a value is missing.
type NotNullError struct{ Violation }

// Error implements error.
func (e *NotNullError) Error() string { return e.text("cannot be NULL") }

// A CheckError says that a row does not meet a check.
type CheckError struct{ Violation }

// Error implements error.
func (e *CheckError) Error() string { return e.text("does not meet a check") }

// A TooLongError says that a value is too long for its column.
type TooLongError struct{ Violation }

// Error implements error.
func (e *TooLongError) Error() string { return e.text("is too long") }

// A RangeError says that a number is out of its column's range.
type RangeError struct{ Violation }

// Error implements error.
func (e *RangeError) Error() string { return e.text("is out of range") }

// fault gives a driver's error the type that says what it means. m is the
// model that the statement was about, or nil.
func (s *session) fault(ctx context.Context, m *schema.Model, err error) error {
	if long, ok := errors.AsType[*hydrate.LengthError](err); ok {
		return &TooLongError{Violation{Model: long.Column.Model.Name, Fields: []string{long.Column.Field.Name}, Err: long}}
	}
	classifier, ok := s.dialect.(dialect.Classifier)
	if err == nil || !ok {
		return err
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		// Drivers say in their own words that a statement was cancelled.
		return errors.Join(cause, err)
	}
	f := classifier.Classify(err)
	v := Violation{Constraint: f.Constraint, Err: err}
	if m != nil {
		v.Model, v.Fields = m.Name, fieldsOf(m, f)
		if other := modelOfConstraint(s, m, f); other != nil {
			v.Model, v.Fields = other.Name, fieldsOf(other, f)
		}
	}
	switch f.Kind {
	case dialect.UniqueFault:
		return &UniqueError{v}
	case dialect.KeyFault:
		return &ForeignKeyError{v}
	case dialect.NullFault:
		return &NotNullError{v}
	case dialect.CheckFault:
		return &CheckError{v}
	case dialect.LengthFault:
		return &TooLongError{v}
	case dialect.RangeFault:
		return &RangeError{v}
	case dialect.Conflict:
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case dialect.Deadlock:
		return fmt.Errorf("%w: %w", ErrDeadlock, err)
	case dialect.LockTimeout:
		return fmt.Errorf("%w: %w", ErrLockTimeout, err)
	case dialect.Disconnected:
		return fmt.Errorf("%w: %w", ErrDisconnected, err)
	case dialect.OtherFault, dialect.Interrupted, dialect.StalePlan:
	}
	return err
}

// modelOfConstraint returns the model whose constraint broke, if it is
// another than m: that of the row that still refers to one of m.
func modelOfConstraint(s *session, m *schema.Model, f dialect.Fault) *schema.Model {
	g, err := s.space.graph()
	if err != nil || f.Table == m.Table {
		return nil
	}
	for _, other := range g.Models {
		if other.Table == f.Table {
			return other
		}
		for _, r := range other.Keys {
			if f.Kind == dialect.KeyFault && f.Constraint != "" && sqlgen.KeyName(s.dialect, r) == f.Constraint {
				return other
			}
		}
	}
	return nil
}

// fieldsOf returns the Go names of the fields that a fault is about.
func fieldsOf(m *schema.Model, f dialect.Fault) []string {
	columns := f.Columns
	if columns == nil {
		columns = sqlgen.ConstraintColumns(m, f.Constraint)
	}
	var fields []string
	for _, c := range m.Columns {
		if slices.Contains(columns, c.Name) && !slices.Contains(fields, c.Field.Name) {
			fields = append(fields, c.Field.Name)
		}
	}
	return fields
}
