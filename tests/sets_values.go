package tests

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

type setTeam struct {
	ID    int64
	Name  string `kin:",size=20"`
	Bonus int
}

type setMember struct {
	ID      int64
	Name    string `kin:",size=40"`
	Score   int
	Team    kin.ForeignKey[setTeam]   `kin:",null"`
	Boss    kin.ForeignKey[setMember] `kin:",null,related_name=minions"`
	Version int                       `kin:",version"`
}

// testSetOthers calculates new values from related rows, of the same table and
// of others: they are those from before the statement, on every database.
func testSetOthers(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[setTeam], kin.Register[setMember])
	red, blue := &setTeam{Name: "red", Bonus: 5}, &setTeam{Name: "blue", Bonus: 7}
	require.NoError(t, kin.Insert(ctx, s.DB, red, blue))
	all := kin.Query[setMember]()
	names := func(x *setMember) any { return x.Name }
	scores := func(x *setMember) any { return x.Score }
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[setMember]
		set  *kin.Assignment
		read func(*setMember) any
		want []any
	}{
		{"a case by a row that a foreign key leads to", all.Everything(), kin.Set("name", kin.Case().When("r", "team__name", "red").When("b", "team__name", "blue", "score__gt", 10).Else("none")), names, []any{"r", "b", "none", "r"}},
		{"a case by NULL there", all.Everything(), kin.Set("name", kin.Case().When("none", "team__name", nil).Else(kin.F("team__name"))), names, []any{"red", "blue", "none", "red"}},
		{"a case in a sum, and a condition on the same row", all.Filter("team__name__in", []string{"red", "blue"}), kin.Set("score", kin.F("score").Add(kin.Case().When(kin.F("team__bonus"), "team__name", "red").Else(0))), scores, []any{15, 20, 30, 45}},
		{"a case, an order and a limit", all.OrderBy("-team__name", "-id").Limit(2), kin.Set("name", kin.Case().When("x", "team__bonus__gte", 5).Else("y")), names, []any{"x", "n1", "n2", "x"}},
		{"the row above", all.Everything(), kin.Set("score", kin.Coalesce(kin.F("boss__score"), -1)), scores, []any{-1, 10, 20, 30}},
		{"the row above it", all.Exclude("boss__boss", nil), kin.Set("score", kin.F("boss__boss__score").Add(kin.F("score"))), scores, []any{10, 20, 40, 60}},
		{"the rows below", all.Everything(), kin.Set("score", kin.Case().When(1, "minions__score__gte", 30).Else(0)), scores, []any{0, 1, 1, 0}},
		{"the row above, of some", all.Filter("boss__score", 10), kin.Set("name", kin.F("boss__name")), names, []any{"n0", "n0", "n2", "n3"}},
		{"one value to choose from", all.Filter("score", 10), kin.Set("score", kin.Coalesce(3).Mul(2)), scores, []any{6, 20, 30, 40}},
	} {
		_, err := all.Everything().Update(ctx, s.DB, kin.Set("boss", nil))
		require.NoError(t, err)
		_, err = all.Everything().Delete(ctx, s.DB)
		require.NoError(t, err)
		rows := []*setMember{
			{Name: "n0", Score: 10, Team: kin.To(red)},
			{Name: "n1", Score: 20, Team: kin.To(blue)},
			{Name: "n2", Score: 30},
			{Name: "n3", Score: 40, Team: kin.To(red)},
		}
		require.NoError(t, kin.Insert(ctx, s.DB, rows...))
		for i, x := range rows[1:] {
			x.Boss.Set(rows[i])
		}
		require.NoError(t, kin.UpdateAll(ctx, s.DB, rows[1:], "boss"))
		s.Wire.Reset()
		_, err = c.q.Update(ctx, s.DB, c.set)
		require.NoError(t, err, c.why)
		s.Wire.Want(t, 1, 0)
		got, err := all.All(ctx, s.DB)
		require.NoError(t, err)
		have := make([]any, len(got))
		for i, x := range got {
			have[i] = c.read(x)
		}
		assert.Equal(t, c.want, have, c.why)
	}

	s.Wire.Reset()
	_, err := all.Filter("id", 1).Update(ctx, s.DB, kin.Set("name", "x"), kin.Set("name", "y"))
	require.EqualError(t, err, "kin: setMember.Name is set twice")
	_, err = all.Filter("id", 1).Update(ctx, s.DB, kin.Set("name", kin.Coalesce()))
	require.EqualError(t, err, "kin: Coalesce takes at least one value")
	s.Wire.Want(t, 0, 0)
}

// testNewOfDialect makes a DB by the dialect of another: it has its registry,
// and understands what the driver says.
func testNewOfDialect(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[setTeam], kin.Register[setUnique])
	raw, err := s.Pool().BeginTx(ctx, nil)
	require.NoError(t, err)
	db := kin.New(raw, s.DB.Dialect())
	require.NoError(t, kin.Insert(ctx, db, &setUnique{Name: "a"}))
	err = kin.Insert(ctx, db, &setUnique{Name: "a"})
	var unique *kin.UniqueError
	require.ErrorAs(t, err, &unique)
	assert.Equal(t, "setUnique", unique.Model)
	assert.Equal(t, []string{"Name"}, unique.Fields)
	require.NoError(t, raw.Rollback())
}

type setUnique struct {
	ID   int64
	Name string `kin:",unique,size=20"`
}
