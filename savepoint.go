package kin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/kin-orm/kin/internal/exec"
)

// Tx runs f within a savepoint: what it does is undone if f returns an error,
// which Tx returns, or panics, and the transaction goes on.
func (tx *Tx) Tx(ctx context.Context, f func(tx *Tx) error) (err error) {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, inner.Rollback())
		}
	}()
	if err := f(inner); err != nil {
		return err
	}
	done = true
	return inner.Commit(ctx)
}

// Begin makes a savepoint, which the caller ends with Commit or Rollback.
func (tx *Tx) Begin(ctx context.Context) (*Tx, error) {
	inner, all := tx.s, tx.s.tx.outermost()
	// Two that are open at once, one within the other or not, have two names.
	inner.tx = &txState{tx: tx.s.tx.tx, outer: tx.s.tx, depth: all.open + 1}
	if _, err := inner.Exec(ctx, "SAVEPOINT "+inner.tx.savepoint(), nil); err != nil {
		return nil, fmt.Errorf("kin: savepoint: %w", inner.fault(ctx, nil, err))
	}
	all.open++
	return &Tx{inner}, nil
}

func (t *txState) savepoint() string { return "kin_" + strconv.Itoa(t.depth) }

func (tx *Tx) releaseSavepoint(ctx context.Context) error {
	state := tx.s.tx
	if state.depth == 0 {
		return sql.ErrTxDone
	}
	if _, err := tx.s.Exec(ctx, "RELEASE SAVEPOINT "+state.savepoint(), nil); err != nil {
		return errors.Join(fmt.Errorf("kin: release savepoint: %w", tx.s.fault(ctx, nil, err)), tx.Rollback())
	}
	if outer := state.outer; outer.outer != nil || outer.tx != nil {
		outer.onCommit = append(outer.onCommit, state.onCommit...)
		outer.onUndo = append(outer.onUndo, state.onUndo...)
	}
	tx.end()
	return nil
}

func (tx *Tx) undoSavepoint() error {
	state := tx.s.tx
	if state.depth == 0 {
		return nil
	}
	defer tx.end()
	state.undo()
	name := state.savepoint()
	ctx := context.Background() // what ended f may be its context
	for _, text := range []string{"ROLLBACK TO SAVEPOINT " + name, "RELEASE SAVEPOINT " + name} {
		_, err := tx.s.Exec(ctx, text, nil)
		switch {
		case errors.Is(err, sql.ErrTxDone):
			return nil
		case err != nil:
			err = fmt.Errorf("kin: rollback to savepoint: %w", tx.s.fault(ctx, nil, err))
			// What was to be undone may still be there.
			state.outermost().broken = err
			return err
		}
	}
	return nil
}

// end makes the use of an ended savepoint an error, and leaves the
// transaction around it as it is.
func (tx *Tx) end() {
	tx.s.tx.outermost().open = tx.s.tx.depth - 1 // those within it have ended too
	tx.s.tx.depth = 0
	tx.s.Guard = &exec.Guard{}
	tx.s.Guard.End()
}
