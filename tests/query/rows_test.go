package query

import (
	"database/sql/driver"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type (
	// A page's text cannot be read where it is torn.
	page struct {
		ID   int64
		Text torn
	}

	torn string
)

func (s torn) Value() (driver.Value, error) { return string(s), nil }

func (s *torn) Scan(v any) error {
	text, ok := v.(string)
	if b, isBytes := v.([]byte); isBytes {
		text, ok = string(b), true
	}
	switch {
	case !ok:
		return errors.New("no text")
	case text == "torn":
		return io.EOF // as a reader that has no more
	case text == "burnt":
		panic(text)
	}
	*s = torn(text)
	return nil
}

// TestScanOfTheUser gives rows whose Scan fails with io.EOF, which is not their
// end, and panics, after which the connection and the transaction can be used.
func TestScanOfTheUser(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		var r kin.Registry
		kin.Register[page](&r)
		s = s.With(kin.WithRegistry(&r))
		ctx := t.Context()
		require.NoError(t, kin.CreateTables(ctx, s.DB))
		require.NoError(t, kin.Insert(ctx, s.DB, &page{Text: "a"}, &page{Text: "torn"}, &page{Text: "burnt"}, &page{Text: "b"}))
		type row struct{ Text torn }
		whole := kin.Query[page]().Filter("text__in", []torn{"a", "b"})
		check := func(db kin.Executor) {
			t.Helper()
			for range 3 { // also by a statement that is kept
				_, err := kin.Query[page]().Filter("text__ne", "burnt").All(ctx, db)
				require.ErrorIs(t, err, io.EOF)
				_, err = kin.Select[row](kin.Query[page]().Filter("text__ne", "burnt")).All(ctx, db)
				require.ErrorIs(t, err, io.EOF)
				require.PanicsWithValue(t, "burnt", func() { _, _ = kin.Query[page]().Filter("text__ne", "torn").All(ctx, db) })
				rows, err := whole.All(ctx, db)
				require.NoError(t, err)
				require.Len(t, rows, 2)
			}
		}
		check(s.DB)
		require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
			check(tx)
			return kin.Insert(ctx, tx, &page{Text: "c"})
		}))
		n, err := kin.Query[page]().Count(ctx, s.DB)
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
	})
}
