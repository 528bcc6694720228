package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// ErrStale says that a row was changed in the database since it was read. The
// error is a [*StaleError].
var ErrStale = errors.New("kin: the row is stale")

// A StaleError says that a row with a version, see the tag option version, was
// changed in the database since it was read: [Reload] it, and change it anew.
type StaleError struct {
	Model string
	// Key is the row's primary key as text.
	Key string
	// Version is the row's in memory, and Stored that in the database.
	Version, Stored int64
}

// Error implements error.
func (e *StaleError) Error() string {
	return fmt.Sprintf("%s(%s) is stale: it has version %d, and the database %d", e.Model, e.Key, e.Version, e.Stored)
}

// Is reports whether target is [ErrStale].
func (e *StaleError) Is(target error) bool { return target == ErrStale }

// A mismatch says that a statement that was to change the rows from…to has
// changed fewer.
type mismatch struct{ from, to, missing int }

func (e *mismatch) Error() string {
	return fmt.Sprintf("%d of %d rows did not match", e.missing, e.to-e.from)
}

// explain says why a write failed if rows did not match. It is asked when what
// the write did is undone: rows whose version it has raised itself would look
// like those that others have.
func (c *change) explain(ctx context.Context, err error) error {
	miss, ok := errors.AsType[*mismatch](err)
	if !ok {
		return err
	}
	why := c.missing(miss.missing)
	if c.model.Version != nil {
		if stale := c.stale(ctx, miss.from, miss.to); stale != nil {
			why = stale
		}
	}
	if others := besides(err, miss); len(others) > 0 { // undoing failed too
		return errors.Join(append(others, why)...)
	}
	return why
}

// besides returns the errors that are joined to known in err.
func besides(err, known error) []error {
	if !errors.Is(err, known) {
		return []error{err}
	}
	var others []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			others = append(others, besides(e, known)...)
		}
	}
	return others
}

// stale returns the error for the first row from…to that is not in the
// database under its version.
func (c *change) stale(ctx context.Context, from, to int) error {
	stored, err := c.versions(ctx, c.keys[from:to])
	if err != nil {
		return c.errorf("%w", c.fault(ctx, c.model, err))
	}
	for i, key := range c.keys[from:to] {
		now, there := stored[key]
		mine, err := hydrate.VersionOf(c.model.Version, c.rows[from+i])
		switch {
		case err != nil:
			return c.errorf("%w", err)
		case !there:
			return c.errorf("%w: %s", ErrNotFound, keyText(c.model.Type, key, false, nil))
		case now != mine:
			return c.errorf("%w", &StaleError{c.model.Name, key.String(c.model.Struct.Key().Types), mine, now})
		}
	}
	return nil
}

// versions reads the versions that rows have now.
func (c *change) versions(ctx context.Context, keys []rel.Key) (map[rel.Key]int64, error) {
	found := make(map[rel.Key]int64, len(keys))
	version := []*schema.Column{c.model.Version}
	return found, c.readBy(ctx, c.model, version, c.model.Key, keys, c.within, func(key rel.Key, values []driver.Value) (err error) {
		found[key], err = value.Int(values[0])
		return err
	})
}

// nextVersion returns the version after the one that row has.
func nextVersion(c *schema.Column, row any) (int64, error) {
	bits := c.Value.Bits
	if c.Value.Kind == dialect.Int || bits == 64 {
		bits--
	}
	n, err := hydrate.VersionOf(c, row)
	if err == nil && n == 1<<bits-1 {
		err = fmt.Errorf("%s is %d, and cannot be raised", c.GoName(), n)
	}
	return n + 1, err
}

// raise raises the versions of rows in memory, once it is in the database. If
// the transaction around is undone, they go back: else rows that are written
// again, by a function that is retried for example, would be stale.
func (c *change) raise(s *session) error {
	v := c.model.Version
	if v == nil {
		return nil
	}
	now := make([]int64, len(c.rows))
	for i, row := range c.rows {
		var err error
		if now[i], err = nextVersion(v, row); err != nil {
			return c.errorf("%w", err)
		}
	}
	for i, row := range c.rows {
		hydrate.SetVersion(v, row, now[i])
	}
	if s.tx == nil || s.tx.tx == nil { // there is none, or it is not kin's
		return nil
	}
	s.tx.onUndo = append(s.tx.onUndo, func() {
		for i, row := range c.rows {
			if n, err := hydrate.VersionOf(v, row); err == nil && n == now[i] {
				hydrate.SetVersion(v, row, n-1)
			}
		}
	})
	return nil
}
