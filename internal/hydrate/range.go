package hydrate

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
)

// An OutsideError says that a number is not written because it is out of the
// range of its column.
type OutsideError struct {
	Column *schema.Column
	Err    error
}

func (e *OutsideError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *OutsideError) Unwrap() error { return e.Err }

// Outside returns err, which is about the column c, as an OutsideError if it
// says that a number is out of range.
func Outside(c *schema.Column, err error) error {
	if _, ok := errors.AsType[RangeError](err); ok {
		return &OutsideError{c, err}
	}
	return err
}

// checkRange checks an integer against the type that the column's tag names,
// where the database would not take it: to wait for its answer would be to
// learn less, and later.
func checkRange(c *schema.Column, v driver.Value, traits *dialect.Traits) error {
	if c.Most == 0 || traits.WideIntegers {
		return nil
	}
	if n, ok := v.(int64); ok && (n < c.Least || n > c.Most) {
		return &OutsideError{c, fmt.Errorf("it is %d, and the column holds %d to %d", n, c.Least, c.Most)}
	}
	return nil
}
