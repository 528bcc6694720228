package tests

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func rangeCases() []Case {
	return []Case{
		{"range/integers are checked before they are sent", testRanges},
	}
}

// rangeRow has integers that not every database, or column, holds.
type rangeRow struct {
	ID     int64
	Name   string `kin:",size=10,unique"`
	Big    uint64
	Narrow int `kin:",type=smallint"`
	Small  int16
	Next   kin.ForeignKey[rangeKey] `kin:",null"`
}

type rangeKey struct {
	Land   string `kin:",pk,size=5"`
	Number int    `kin:",pk,type=smallint"`
}

func testRanges(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[rangeRow], kin.Register[rangeKey])
	row := &rangeRow{Name: "a", Big: math.MaxInt64, Narrow: math.MinInt16, Small: math.MaxInt16}
	other := &rangeRow{Name: "b", Narrow: math.MaxInt16}
	require.NoError(t, kin.Insert(ctx, s.DB, row, other))
	dump := func() []string {
		return s.dump(t, "SELECT id, name, big, narrow, small, next_land, next_number FROM range_rows ORDER BY id")
	}
	before := dump()
	require.Len(t, before, 2)

	spoils := map[string]func(r *rangeRow){}
	if !s.Dialect().Traits().Unsigned {
		spoils["Big"] = func(r *rangeRow) { r.Big = math.MaxInt64 + 1 }
	}
	if s.Name != "sqlite" { // whose integers have 64 bits, whatever they are called
		spoils["Narrow"] = func(r *rangeRow) { r.Narrow = math.MaxInt16 + 1 }
		spoils["Next"] = func(r *rangeRow) { r.Next = kin.To(&rangeKey{"x", -40_000}) }
	}
	require.NotEmpty(t, spoils)
	for field, spoil := range spoils {
		bad, fresh := *other, rangeRow{Name: "c"}
		spoil(&bad)
		spoil(&fresh)
		for name, write := range map[string]func() error{
			"insert":      func() error { return kin.Insert(ctx, s.DB, &fresh) },
			"insert many": func() error { return kin.Insert(ctx, s.DB, &rangeRow{Name: "d"}, &fresh) },
			"update":      func() error { return kin.Update(ctx, s.DB, &bad) },
			"update many": func() error { return kin.UpdateAll(ctx, s.DB, []*rangeRow{row, &bad}) },
			"upsert":      func() error { return kin.Upsert(ctx, s.DB, []*rangeRow{&fresh}, kin.OnConflict("name")) },
			"save":        func() error { return kin.Save(ctx, s.DB, &bad) },
		} {
			s.Wire.Reset()
			err := write()
			var outside *kin.RangeError
			require.ErrorAs(t, err, &outside, "%s of %s", name, field)
			assert.Equal(t, "rangeRow", outside.Model)
			assert.Equal(t, []string{field}, outside.Fields, name)
			require.ErrorContains(t, err, "rangeRow."+field+" is out of range: it is ")
			assert.Empty(t, s.Wire.Statements(), name)
			assert.Equal(t, before, dump(), name)
			assert.Zero(t, fresh.ID)
		}
	}

	// What does not even fit the field is refused as well.
	var outside *kin.RangeError
	_, err := kin.Query[rangeRow]().Filter("name", "a").Update(ctx, s.DB, kin.Set("small", 40_000))
	require.ErrorAs(t, err, &outside)
	assert.Equal(t, []string{"Small"}, outside.Fields)
	assert.Equal(t, before, dump())
	// A number that no row can have is an answer, and no error.
	n, err := kin.Query[rangeRow]().Filter("small__lt", 40_000).Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
}
