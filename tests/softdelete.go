package tests

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func softDeleteCases() []Case {
	return append(hiddenLinkCases(), []Case{
		{"softdelete/random", testScopesRandom},
		{"softdelete/rows", testSoftDeleteRows},
		{"softdelete/sets", testSoftDeleteSets},
		{"softdelete/collections", testSoftDeleteCollections},
		{"softdelete/unique", testSoftDeleteUnique},
		{"softdelete/by hand", testSoftDeleteSQL},
		{"softdelete/mistakes", testSoftDeleteMistakes},
	}...)
}

// ints reads a table's column of integers, in their order.
func (s *Suite) ints(t *testing.T, query string, args ...any) []int64 {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), s.bind(query), args...)
	require.NoError(t, err, query)
	defer rows.Close()
	list := []int64{}
	for rows.Next() {
		var n int64
		require.NoError(t, rows.Scan(&n))
		list = append(list, n)
	}
	require.NoError(t, rows.Err())
	return list
}

// gone returns the ids of the rows of a table that are there, and those that
// are marked as deleted.
func (s *Suite) gone(t *testing.T, table, column string) (all, gone []int64) {
	t.Helper()
	deleted := column + " IS NOT NULL"
	if column == "gone" {
		deleted = column + " = TRUE"
	}
	return s.ints(t, "SELECT id FROM "+table+" ORDER BY id"), s.ints(t, "SELECT id FROM "+table+" WHERE "+deleted+" ORDER BY id")
}

func newMembers(t *testing.T, s *Suite, n int) []*scopeMember {
	t.Helper()
	var members []*scopeMember
	for i := range n {
		members = append(members, &scopeMember{Name: fmt.Sprint("m", i)})
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, members...))
	s.Wire.Reset()
	return members
}

func testSoftDeleteRows(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, _ = scopeSuite(t, s)
	m := newMembers(t, s, 5)
	before := time.Now().Add(-time.Second)
	require.NoError(t, kin.Delete(ctx, s.DB, m[0]))
	s.Wire.Want(t, 1, 0)
	all, gone := s.gone(t, "scope_members", "removed")
	assert.Equal(t, []int64{1, 2, 3, 4, 5}, all)
	assert.Equal(t, []int64{1}, gone)
	require.True(t, m[0].Removed.Valid)
	assert.True(t, m[0].Removed.V.After(before) && m[0].Removed.V.Before(time.Now().Add(time.Second)))

	stored, err := kin.Query[scopeMember]().WithDeleted().Filter("removed__isnull", false).Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, m[0].Removed, stored.Removed, "the database and memory agree")

	for _, err := range []error{kin.Delete(ctx, s.DB, m[0]), kin.DeleteAll(ctx, s.DB, []*scopeMember{m[1], m[0], m[2]})} {
		require.ErrorIs(t, err, kin.ErrNotFound)
		_, again := s.gone(t, "scope_members", "removed")
		assert.Equal(t, gone, again, "none is deleted")
		assert.False(t, m[1].Removed.Valid, "and none says so")
	}
	s.Wire.Reset()
	require.NoError(t, kin.DeleteAll(ctx, s.DB, m[1:3]))
	s.Wire.Want(t, 1, 0)
	assert.True(t, m[1].Removed.Valid && m[2].Removed.Valid)

	_, err = kin.Query[scopeMember]().Filter("id", 1).Get(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrNotFound)
	stale := &scopeMember{ID: 1}
	require.NoError(t, kin.Reload(ctx, s.DB, stale), "a row in memory finds its row")
	assert.Equal(t, m[0].Removed, stale.Removed)

	stale.Removed = sql.Null[time.Time]{}
	require.NoError(t, kin.Update(ctx, s.DB, stale, "removed"), "and restores it")
	_, gone = s.gone(t, "scope_members", "removed")
	assert.Equal(t, []int64{2, 3}, gone)
	m[1].Name = "renamed"
	require.NoError(t, kin.Save(ctx, s.DB, m[1]))
	_, gone = s.gone(t, "scope_members", "removed")
	assert.Equal(t, []int64{2, 3}, gone, "a deleted row that is saved stays deleted")

	require.NoError(t, kin.Purge(ctx, s.DB, m[1], m[3]))
	all, gone = s.gone(t, "scope_members", "removed")
	assert.Equal(t, []int64{1, 3, 5}, all)
	assert.Equal(t, []int64{3}, gone)
	require.ErrorIs(t, kin.Purge(ctx, s.DB, m[1]), kin.ErrNotFound)

	// The other two kinds of columns.
	team, doc := &scopeTeam{Name: "t"}, &scopeDoc{Title: "d"}
	require.NoError(t, kin.Insert(ctx, s.DB, team))
	doc.Team.Set(team)
	require.NoError(t, kin.Insert(ctx, s.DB, doc))
	require.NoError(t, kin.Delete(ctx, s.DB, team))
	require.NotNil(t, team.DeletedAt)
	_, gone = s.gone(t, "scope_teams", "deleted_at")
	assert.Equal(t, []int64{1}, gone)
	got, err := kin.Query[scopeDoc]().SelectRelated("team").Get(ctx, s.DB)
	require.NoError(t, err, "what refers to a deleted row stays")
	assert.False(t, got.Team.Loaded())
	assert.EqualValues(t, 1, got.Team.Ref().ID)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"Team":1`, "a key, as if the row was not asked for")
	_, err = got.Team.Load(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrNotFound)
	require.NoError(t, kin.Delete(ctx, s.DB, doc))
	assert.True(t, doc.Gone)
	_, gone = s.gone(t, "scope_docs", "gone")
	assert.Equal(t, []int64{1}, gone)
	require.ErrorIs(t, kin.Delete(ctx, s.DB, doc), kin.ErrNotFound)

	// Within a transaction that is undone.
	err = s.DB.Tx(ctx, func(tx *kin.Tx) error {
		if err := kin.Delete(ctx, tx, m[4]); err != nil {
			return err
		}
		n, err := kin.Query[scopeMember]().Filter("id", m[4].ID).Count(ctx, tx)
		assert.Zero(t, n)
		return cmpErr(err, errNoTenant)
	})
	require.ErrorIs(t, err, errNoTenant)
	n, err := kin.Query[scopeMember]().Filter("id", m[4].ID).Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func testSoftDeleteSets(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, _ = scopeSuite(t, s)
	w := newScopeWorld(t, s, rand.New(rand.NewPCG(7, 7)), 40)
	v := scopeView{level: 3}
	ids := func(rows []*docRow) []int64 {
		list := []int64{}
		for _, d := range rows {
			list = append(list, d.id)
		}
		return list
	}
	named := func(d *docRow) bool { return v.team(d.team) && d.team.name == "b" }
	want := which(w.docs, v.doc, named)
	require.NotEmpty(t, want)
	n, err := kin.Query[scopeDoc]().Filter("team__name", "b").Update(ctx, s.DB, kin.Set("title", "new"))
	require.NoError(t, err)
	s.Wire.Want(t, 1, 0)
	assert.EqualValues(t, len(want), n)
	assert.Equal(t, ids(want), s.ints(t, "SELECT id FROM scope_docs WHERE title = 'new' ORDER BY id"))

	// A value from a row that is not there is NULL.
	n, err = kin.Query[scopeDoc]().Everything().Update(ctx, s.DB, kin.Set("title", kin.Coalesce(kin.F("team__name"), "none")))
	require.NoError(t, err)
	assert.EqualValues(t, len(which(w.docs, v.doc, func(*docRow) bool { return true })), n)
	none := which(w.docs, v.doc, func(d *docRow) bool { return !v.team(d.team) })
	assert.Equal(t, ids(none), s.ints(t, "SELECT id FROM scope_docs WHERE title = 'none' ORDER BY id"))

	// The rows of a page: the deleted ones are not counted in.
	want = which(w.docs, v.doc, func(*docRow) bool { return true })[1:4]
	_, gone := s.gone(t, "scope_docs", "gone")
	s.Wire.Reset()
	n, err = kin.Query[scopeDoc]().Offset(1).Limit(3).Delete(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 0)
	assert.EqualValues(t, 3, n)
	all, now := s.gone(t, "scope_docs", "gone")
	assert.Len(t, all, len(w.docs), "no row goes")
	assert.ElementsMatch(t, append(gone, ids(want)...), now)

	// Deleting everything twice deletes once, whoever is let in.
	n, err = kin.Query[scopeMember]().Everything().Delete(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, len(which(w.members, v.member, func(*memberRow) bool { return true })), n)
	times := s.ints(t, "SELECT COUNT(DISTINCT removed) FROM scope_members")
	n, err = kin.Query[scopeMember]().WithDeleted().Everything().Delete(ctx, s.DB)
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Equal(t, times, s.ints(t, "SELECT COUNT(DISTINCT removed) FROM scope_members"))

	n, err = kin.Query[scopeMember]().WithDeleted().Filter("id__lt", 4).Update(ctx, s.DB, kin.Set("removed", nil))
	require.NoError(t, err)
	assert.EqualValues(t, 3, n, "restored")
	n, err = kin.Query[scopeDoc]().Everything().Update(ctx, s.DB, kin.Set("author", nil))
	require.NoError(t, err)
	require.NotZero(t, n)
	s.Exec(t, "UPDATE scope_docs SET author_id = NULL")
	n, err = kin.Query[scopeMember]().Filter("id__gt", 1).Purge(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n, "only those that the query has")
	n, err = kin.Query[scopeMember]().WithDeleted().Everything().Purge(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, len(w.members)-2, n)
	_, err = kin.Query[scopeMember]().Purge(ctx, s.DB)
	require.ErrorContains(t, err, "kin: purge of scopeMember: the query has no condition")
}

func testSoftDeleteCollections(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, _ = scopeSuite(t, s)
	m := newMembers(t, s, 5)
	team := &scopeTeam{Name: "team"}
	require.NoError(t, kin.Insert(ctx, s.DB, team))
	require.NoError(t, team.Members.Add(ctx, s.DB, m[:4]...))
	_, err := team.Members.Load(ctx, s.DB)
	require.NoError(t, err)
	mine := team.Members.All()
	s.Wire.Reset()
	require.NoError(t, team.Members.Delete(ctx, s.DB, mine[0]))
	assert.True(t, mine[0].Removed.Valid)
	assert.Equal(t, 3, team.Members.Len())
	all, gone := s.gone(t, "scope_members", "removed")
	assert.Len(t, all, 5)
	assert.Equal(t, []int64{1}, gone)
	n, err := team.Members.Query().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	n, err = team.Members.Query().WithDeleted().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 4, n, "it is a child all the same")
	require.ErrorIs(t, team.Members.Delete(ctx, s.DB, mine[1], mine[0]), kin.ErrNotFound)
	assert.False(t, mine[1].Removed.Valid)

	require.NoError(t, team.Members.Set(ctx, s.DB, mine[2], m[4]))
	assert.Equal(t, []int64{1, 3, 5}, s.ints(t, "SELECT id FROM scope_members WHERE team_id = 1 ORDER BY id"), "a deleted child stays where it is")
	require.ErrorIs(t, team.Members.Add(ctx, s.DB, m[0]), kin.ErrNotFound, "a deleted row is none to add")
	n, err = team.Members.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	assert.Equal(t, []int64{1}, s.ints(t, "SELECT id FROM scope_members WHERE team_id = 1"))
}

// scopeTag has a key that deleted rows hold on to.
type scopeTag struct {
	ID        int64
	Word      string `kin:",unique,size=20"`
	Weight    int
	DeletedAt *time.Time `kin:",softdelete"`
}

func testSoftDeleteUnique(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[scopeTag])
	one := &scopeTag{Word: "one", Weight: 1}
	require.NoError(t, kin.Insert(ctx, s.DB, one))
	require.NoError(t, kin.Delete(ctx, s.DB, one))

	var unique *kin.UniqueError
	require.ErrorAs(t, kin.Insert(ctx, s.DB, &scopeTag{Word: "one"}), &unique)
	_, _, err := kin.GetOrCreate(ctx, s.DB, &scopeTag{Word: "one"}, "word")
	require.ErrorAs(t, err, &unique)
	require.ErrorContains(t, err, "softly deleted")
	require.NotErrorIs(t, err, kin.ErrNotFound)

	again := &scopeTag{Word: "one", Weight: 2}
	require.NoError(t, kin.Upsert(ctx, s.DB, []*scopeTag{again}, kin.OnConflict("word").Update("weight")))
	assert.Equal(t, one.ID, again.ID, "the row is found")
	assert.Equal(t, []int64{2}, s.ints(t, "SELECT weight FROM scope_tags WHERE deleted_at IS NOT NULL"), "changed, and still deleted")
	require.NoError(t, kin.Upsert(ctx, s.DB, []*scopeTag{again}, kin.OnConflict("word")))
	assert.Equal(t, []int64{2}, s.ints(t, "SELECT weight FROM scope_tags WHERE deleted_at IS NULL"), "all columns restore it")
}

// testSoftDeleteSQL compares with SQL that says it all by hand.
func testSoftDeleteSQL(t *testing.T, s *Suite) {
	s, filtered := scopeSuite(t, s)
	newScopeWorld(t, s, rand.New(rand.NewPCG(11, 3)), 80)
	q := kin.Query[scopeDoc]()
	for _, c := range []struct {
		q    kin.QuerySet[scopeDoc]
		want string
	}{
		{q, "SELECT id FROM scope_docs WHERE gone = FALSE ORDER BY id"},
		{q.WithDeleted(), "SELECT id FROM scope_docs ORDER BY id"},
		{
			q.Filter("children__notes__text", "a").Exclude("team__name", "b"),
			`SELECT d.id FROM scope_docs d WHERE d.gone = FALSE AND EXISTS (SELECT 1 FROM scope_docs c JOIN scope_notes n ON n.doc_id = c.id
				WHERE c.parent_id = d.id AND c.gone = FALSE AND n.text = 'a')
			AND NOT EXISTS (SELECT 1 FROM scope_teams t WHERE t.id = d.team_id AND t.deleted_at IS NULL AND t.name = 'b') ORDER BY d.id`,
		},
		{
			q.Filter("author__team__members__isnull", false),
			`SELECT d.id FROM scope_docs d JOIN scope_members a ON a.id = d.author_id AND a.removed IS NULL
			JOIN scope_teams t ON t.id = a.team_id AND t.deleted_at IS NULL
			WHERE d.gone = FALSE AND EXISTS (SELECT 1 FROM scope_members m WHERE m.team_id = t.id AND m.removed IS NULL) ORDER BY d.id`,
		},
	} {
		want := s.ints(t, c.want)
		require.NotEmpty(t, want)
		rows, err := c.q.All(t.Context(), s.DB)
		require.NoError(t, err)
		got := []int64{}
		for _, d := range rows {
			got = append(got, d.ID)
		}
		assert.Equal(t, want, got, c.want)
	}
	got, err := q.Filter("team__docs__notes__text", "a").Count(as(t.Context(), 2, 2), filtered.DB)
	require.NoError(t, err)
	want := s.ints(t, `SELECT COUNT(*) FROM scope_docs d JOIN scope_teams t ON t.id = d.team_id AND t.tenant = 2 AND t.deleted_at IS NULL
		WHERE d.tenant = 2 AND d.gone = FALSE AND EXISTS (SELECT 1 FROM scope_docs x JOIN scope_notes n ON n.doc_id = x.id AND n.level <= 2
			WHERE x.team_id = t.id AND x.tenant = 2 AND x.gone = FALSE AND n.text = 'a')`)
	require.NotZero(t, want[0])
	assert.Equal(t, want[0], got)
}

type (
	badSoftText struct {
		ID   int64
		Gone string `kin:",softdelete"`
	}
	badSoftTwice struct {
		ID   int64
		Gone bool       `kin:",softdelete"`
		At   *time.Time `kin:",softdelete"`
	}
	badSoftTime struct {
		ID int64
		At time.Time                    `kin:",softdelete"`
		To kin.ForeignKey[badSoftTwice] `kin:",softdelete"`
	}
)

func testSoftDeleteMistakes(t *testing.T, _ *Suite) {
	var r kin.Registry
	kin.Register[badSoftText](&r)
	kin.Register[badSoftTwice](&r)
	kin.Register[badSoftTime](&r)
	err := r.Check()
	for _, want := range []string{
		`badSoftText.Gone has the tag option "softdelete", which is for a *time.Time, a sql.Null[time.Time] or a bool`,
		`badSoftTwice.At has the tag option "softdelete", and so has badSoftTwice.Gone; keep one`,
		`badSoftTime.At has the tag option "softdelete", which is for`,
		`badSoftTime.To has the tag option "softdelete", which is for`,
	} {
		require.ErrorContains(t, err, want)
	}
}
