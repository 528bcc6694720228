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
	// ErrCanceled says that a statement was cancelled: by its context, and then
	// the error is [context.Canceled] or [context.DeadlineExceeded] and the
	// context's cause too, or in the database, by a time limit or somebody who
	// may do that.
	ErrCanceled = errors.New("kin: the statement was cancelled")
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

func (v *Violation) violation() *Violation { return v }

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
	if err == nil || told(err) {
		return err
	}
	if long, ok := errors.AsType[*hydrate.LengthError](err); ok {
		return &TooLongError{Violation{Model: long.Column.Model.Name, Fields: []string{long.Column.Field.Name}, Err: long}}
	}
	if outside, ok := errors.AsType[*hydrate.OutsideError](err); ok {
		return &RangeError{Violation{Model: outside.Column.Model.Name, Fields: []string{outside.Column.Field.Name}, Err: outside}}
	}
	var f dialect.Fault
	if classifier, ok := s.dialect.(dialect.Classifier); ok {
		f = classifier.Classify(err)
	}
	s.madeFault(m, &f)
	if s.tx != nil && (f.EndsTx || ctx.Err() != nil) {
		s.checkTx(ctx, f, err)
	}
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
	default:
	}
	if ctx.Err() != nil {
		// Drivers say in their own words that a context has ended, and some
		// that the connection is gone, because they close it then.
		return fmt.Errorf("%w: %w", ErrCanceled, withCause(ctx, err))
	}
	if kind := sentinels[f.Kind]; kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

//nolint:gochecknoglobals // an immutable table
var sentinels = map[dialect.FaultKind]error{
	dialect.Conflict:     ErrConflict,
	dialect.Deadlock:     ErrDeadlock,
	dialect.LockTimeout:  ErrLockTimeout,
	dialect.Interrupted:  ErrCanceled,
	dialect.Disconnected: ErrDisconnected,
}

// checkTx refuses all that would follow in a transaction that the database has
// rolled back: it would be done outside, for good.
func (s *session) checkTx(ctx context.Context, f dialect.Fault, err error) {
	switch t := s.dialect.Traits(); {
	case t.InTx != "":
		ctx = context.WithoutCancel(ctx)
		if _, still := s.Exec(ctx, t.InTx, nil); still != nil && !errors.Is(still, ErrTxBusy) {
			return
		}
		_, _ = s.Exec(ctx, t.NotInTx, nil) // what it began
	case !f.EndsTx:
		return
	}
	s.tx.outermost().broken = err
	s.Guard.End()
}

// told reports whether an error has the type that says what it means.
func told(err error) bool {
	for _, kind := range sentinels {
		if errors.Is(err, kind) {
			return true
		}
	}
	var violation interface{ violation() *Violation }
	return errors.As(err, &violation)
}

// withCause returns why a context has ended, and what it did to a statement.
func withCause(ctx context.Context, err error) error {
	for _, why := range []error{context.Cause(ctx), ctx.Err()} {
		switch {
		case err == nil:
			err = why
		case !errors.Is(err, why):
			err = fmt.Errorf("%w: %w", why, err)
		}
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
