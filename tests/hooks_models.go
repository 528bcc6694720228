package tests

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// A hookLog is what hooks do, and where one of them fails: at the n-th call.
type hookLog struct {
	calls  []string
	failAt int
}

var errHook = errors.New("the hook says no")

type hookLogKey struct{}

func logHook(ctx context.Context, format string, args ...any) error {
	log, ok := ctx.Value(hookLogKey{}).(*hookLog)
	if !ok {
		return nil
	}
	log.calls = append(log.calls, fmt.Sprintf(format, args...))
	if len(log.calls) == log.failAt {
		return errHook
	}
	return nil
}

type (
	// store has the hooks that write elsewhere in the same transaction.
	store struct {
		ID    int64
		Name  string `kin:",size=20,unique"`
		Slug  string
		Goods kin.Reverse[good]

		loaded string // what AfterLoad makes of a row; no column
	}
	good struct {
		ID    int64
		Name  string                `kin:",size=20,unique"`
		Store kin.ForeignKey[store] `kin:",null,related_name=goods"`
		label string
	}
	trail struct {
		ID   int64
		Text string
	}
)

func (x *store) BeforeInsert(ctx context.Context, tx *kin.Tx) error {
	x.Slug = strings.ToLower(x.Name)
	if err := kin.Insert(ctx, tx, &trail{Text: "before " + x.Name}); err != nil {
		return err
	}
	return logHook(ctx, "before insert %s %d", x.Name, x.ID)
}

func (x *store) AfterInsert(ctx context.Context, tx *kin.Tx) error {
	if x.ID == 0 {
		return errors.New("no key yet")
	}
	if err := kin.Insert(ctx, tx, &trail{Text: "after " + x.Name}); err != nil {
		return err
	}
	return logHook(ctx, "after insert %s", x.Name)
}

func (x *store) BeforeUpdate(ctx context.Context, tx *kin.Tx) error {
	x.Slug = strings.ToLower(x.Name)
	_ = tx
	return logHook(ctx, "before update %s", x.Name)
}

func (x *store) AfterUpdate(ctx context.Context, tx *kin.Tx) error {
	if err := kin.Insert(ctx, tx, &trail{Text: "updated " + x.Name}); err != nil {
		return err
	}
	return logHook(ctx, "after update %s", x.Name)
}

func (x *store) BeforeDelete(ctx context.Context, _ *kin.Tx) error {
	return logHook(ctx, "before delete %s", x.Name)
}

func (x *store) AfterDelete(ctx context.Context, tx *kin.Tx) error {
	if err := kin.Insert(ctx, tx, &trail{Text: "deleted " + x.Name}); err != nil {
		return err
	}
	return logHook(ctx, "after delete %s", x.Name)
}

func (x *store) AfterLoad(ctx context.Context) error {
	x.loaded = fmt.Sprintf("%s with %d", x.Name, x.Goods.Len())
	return logHook(ctx, "load %s", x.Name)
}

func (x *good) BeforeUpdate(ctx context.Context, _ *kin.Tx) error {
	return logHook(ctx, "before update %s of %v", x.Name, x.Store)
}

func (x *good) AfterUpdate(ctx context.Context, _ *kin.Tx) error {
	return logHook(ctx, "after update %s of %v", x.Name, x.Store)
}

func (x *good) AfterDelete(ctx context.Context, _ *kin.Tx) error {
	return logHook(ctx, "after delete %s", x.Name)
}

func (x *good) AfterLoad(ctx context.Context) error {
	x.label = x.Name
	if p := x.Store.Get(); p != nil {
		x.label += " of " + p.Name
	}
	return logHook(ctx, "load %s", x.Name)
}

func (x *good) Validate() error {
	if x.Name == "bad" {
		return errHook
	}
	return nil
}

func hookSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	return s.tablesOf(t, kin.Register[store], kin.Register[good], kin.Register[trail])
}

func (s *Suite) hooked(ctx context.Context, failAt int) (context.Context, *hookLog) {
	log := &hookLog{failAt: failAt}
	return context.WithValue(ctx, hookLogKey{}, log), log
}

// column returns a column as text, read by hand.
func (s *Suite) column(t *testing.T, query string) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	list := []string{}
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		list = append(list, text)
	}
	require.NoError(t, rows.Err())
	s.Wire.Reset()
	return list
}

func (s *Suite) stores(t *testing.T) []string {
	t.Helper()
	return s.column(t, "SELECT slug FROM stores ORDER BY id")
}

func (s *Suite) trails(t *testing.T) []string {
	t.Helper()
	return s.column(t, "SELECT text FROM trails ORDER BY id")
}
