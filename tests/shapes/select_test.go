package shapes

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestSelectRelationFields: a field that no value is read into is an error, and
// not left as it is, which of a foreign key says NULL.
func TestSelectRelationFields(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx, db, q := t.Context(), s.DB, kin.Query[article]()
		type row struct {
			ID     int64
			Author kin.ForeignKey[author]
		}
		type many struct {
			ID       int64
			Comments kin.Reverse[comment]
		}
		const want = "which no value can be read into"
		require.ErrorContains(t, errOf(kin.Select[row](q).All(ctx, db)), want)
		require.ErrorContains(t, errOf(kin.Select[struct{ X row }](q).All(ctx, db)), want)
		require.ErrorContains(t, errOf(kin.Select[many](q).All(ctx, db)), want)
		type left struct {
			kin.Tracked
			ID     int64
			Author kin.ForeignKey[author] `kin:"-"`
		}
		assert.NoError(t, errOf(kin.Select[left](q).All(ctx, db)))
	})
}

// TestSelectKinds: what would be another value on each database is an error on
// all, whether there are rows or not.
func TestSelectKinds(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		type event struct {
			ID    int64
			Name  string
			At    time.Time
			Until *time.Time
			Code  kin.Encrypted[string] `kin:",deterministic"`
			Next  kin.ForeignKey[event] `kin:",null,related_name=before"`
		}
		var models kin.Registry
		kin.Register[event](&models)
		ring, err := kin.NewKeyring(make([]byte, 32))
		require.NoError(t, err)
		s = s.With(kin.WithRegistry(&models), kin.WithKeyring(ring))
		ctx, db, q := t.Context(), s.DB, kin.Query[event]()
		require.NoError(t, kin.CreateTables(ctx, db))
		s.Wire.Reset()
		type text struct{ X *string }
		as := func(path string) kin.Selection[text] { return kin.Select[text](q.Annotate("x", kin.F(path))) }
		type number struct{ X *int }
		numbers := kin.Select[number](q.Annotate("x", kin.F("id")))
		names := kin.Select[number](q.Annotate("x", kin.F("name")))
		for want, errs := range map[string][]error{
			"is a time": {
				errOf(as("at").All(ctx, db)), errOf(as("until").All(ctx, db)), errOf(kin.Value[string](ctx, db, q, kin.Max("at"))),
				errOf(kin.Select[struct {
					X []string `kin:"before__at"`
				}](q).All(ctx, db)),
				errOf(kin.Select[struct{ Before []struct{ At int } }](q).All(ctx, db)),
			},
			"is encrypted": {
				errOf(as("code").All(ctx, db)), errOf(as("next__code").All(ctx, db)), errOf(kin.Select[struct{ Code []byte }](q).All(ctx, db)),
				errOf(kin.Select[struct {
					X []string `kin:"before__code"`
				}](q).All(ctx, db)),
			},
			`whose "x" is not of one type in both`: {
				errOf(numbers.Union(names).All(ctx, db)), errOf(names.Except(numbers).All(ctx, db)), errOf(numbers.Intersect(numbers.Union(names)).All(ctx, db)),
				errOf(numbers.UnionAll(numbers).UnionAll(names).All(ctx, db)),
			},
		} {
			for _, err := range errs {
				require.ErrorContains(t, err, want)
			}
		}
		assert.Empty(t, s.Wire.Statements())
		require.NoError(t, errOf(kin.Select[struct{ At, Until sql.Null[time.Time] }](q).All(ctx, db)))
		require.NoError(t, errOf(numbers.Union(kin.Select[number](q.Annotate("x", kin.F("id").Mul(2)))).All(ctx, db)))
	})
}
