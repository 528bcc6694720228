package shapes

import (
	"testing"

	"github.com/stretchr/testify/assert"

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
		assert.ErrorContains(t, errOf(kin.Select[row](q).All(ctx, db)), want)
		assert.ErrorContains(t, errOf(kin.Select[struct{ X row }](q).All(ctx, db)), want)
		assert.ErrorContains(t, errOf(kin.Select[many](q).All(ctx, db)), want)
		type left struct {
			kin.Tracked
			ID     int64
			Author kin.ForeignKey[author] `kin:"-"`
		}
		assert.NoError(t, errOf(kin.Select[left](q).All(ctx, db)))
	})
}
