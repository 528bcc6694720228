package tests

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func ddlCases() []Case {
	return slices.Concat([]Case{
		{"ddl/indexes in any order", testIndexOrder},
		{"ddl/partial unique indexes", testPartialIndex},
		{"ddl/partial indexes that the database lacks", testNoPartialIndex},
		{"ddl/indexes on expressions", testExpressionIndex},
		{"ddl/a generated column in place of a partial index", testGeneratedUnique},
		{"ddl/comments", testComments},
	}, readBackCases())
}

// A ddlScore has an index that sorts backwards.
type ddlScore struct {
	ID     int64
	Player string `kin:",size=20"`
	Points *int
	Rank   kin.ForeignKey[shopOwner] `kin:",null"`
}

func (ddlScore) KinTable() kin.Table {
	return kin.Table{SpecialIndexes: []kin.Index{
		{Name: "best first", Columns: []string{"-points", "player"}},
		{Name: "one a rank", Columns: []string{"-rank", "player"}, Unique: true},
	}}
}

// indexText returns what the catalog says of an index.
func indexText(t *testing.T, s *Suite, name string) []string {
	t.Helper()
	return handColumn[string](t, s, map[string]string{
		"sqlite":   "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?",
		"postgres": "SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = $1",
		"mysql": "SELECT CONCAT(column_name, ' ', collation, ' ', non_unique) FROM information_schema.statistics " +
			"WHERE table_schema = DATABASE() AND index_name = ? ORDER BY seq_in_index",
	}[s.Name], name)
}

func testIndexOrder(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[ddlScore], kin.Register[shopOwner], kin.Register[shop])
	assert.Equal(t, map[string][]string{
		"sqlite":   {`CREATE INDEX "best first" ON "ddl_scores" ("points" DESC, "player")`},
		"postgres": {`CREATE INDEX "best first" ON public.ddl_scores USING btree (points DESC NULLS LAST, player)`},
		"mysql":    {"points D 1", "player A 1"},
	}[s.Name], indexText(t, s, "best first"))
	assert.Equal(t, map[string][]string{
		"sqlite":   {`CREATE UNIQUE INDEX "one a rank" ON "ddl_scores" ("rank_id" DESC, "player")`},
		"postgres": {`CREATE UNIQUE INDEX "one a rank" ON public.ddl_scores USING btree (rank_id DESC NULLS LAST, player)`},
		"mysql":    {"rank_id D 0", "player A 0"},
	}[s.Name], indexText(t, s, "one a rank"))

	require.NoError(t, kin.Insert(t.Context(), s.DB, &shopOwner{Code: "o", Email: "e"}))
	row := func() *ddlScore { return &ddlScore{Player: "p", Rank: kin.Key[shopOwner]("o")} }
	require.NoError(t, kin.Insert(t.Context(), s.DB, row()))
	var unique *kin.UniqueError
	require.ErrorAs(t, kin.Insert(t.Context(), s.DB, row()), &unique)
	assert.Equal(t, []string{"Player", "Rank"}, unique.Fields)
	assert.Equal(t, "one a rank", unique.Constraint)
	require.ErrorContains(t, kin.Upsert(t.Context(), s.DB, []*ddlScore{row()}, kin.OnConflict("rank", "player")), "unique together")
	assert.Equal(t, 1, handOne[int](t, s, "SELECT COUNT(*) FROM ddl_scores"))
	require.NoError(t, kin.DropTables(t.Context(), s.DB))
}

// A ddlLive may have the e-mail of a deleted one.
type ddlLive struct {
	ID      int64
	Email   string     `kin:",size=40"`
	Deleted *time.Time `kin:",softdelete"`
}

func (ddlLive) KinTable() kin.Table {
	return kin.Table{SpecialIndexes: []kin.Index{
		{Name: "live_emails", Columns: []string{"email"}, Where: "deleted IS NULL", Unique: true},
	}}
}

func testPartialIndex(t *testing.T, s *Suite) {
	if s.Name == "mysql" {
		return // it has none, as the next case says
	}
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[ddlLive])
	assert.Equal(t, map[string][]string{
		"sqlite":   {`CREATE UNIQUE INDEX "live_emails" ON "ddl_lives" ("email") WHERE deleted IS NULL`},
		"postgres": {`CREATE UNIQUE INDEX live_emails ON public.ddl_lives USING btree (email) WHERE (deleted IS NULL)`},
	}[s.Name], indexText(t, s, "live_emails"))
	first, second := &ddlLive{Email: "a@x"}, &ddlLive{Email: "a@x"}
	require.NoError(t, kin.Insert(ctx, s.DB, first))
	before := s.dump(t, "SELECT * FROM ddl_lives")
	var unique *kin.UniqueError
	require.ErrorAs(t, kin.Insert(ctx, s.DB, second), &unique)
	assert.Equal(t, []string{"Email"}, unique.Fields)
	assert.Equal(t, "live_emails", unique.Constraint)
	assert.Equal(t, &ddlLive{Email: "a@x"}, second)
	assert.Equal(t, before, s.dump(t, "SELECT * FROM ddl_lives"))

	err := kin.Upsert(ctx, s.DB, []*ddlLive{second}, kin.OnConflict("email"))
	require.EqualError(t, err, "kin: upsert of ddlLive: the columns of a conflict are unique together: tag one unique, or name the set in a KinTable method ([email] is not)")
	assert.Equal(t, before, s.dump(t, "SELECT * FROM ddl_lives"))
	found, created, err := kin.GetOrCreate(ctx, s.DB, second, "email")
	require.NoError(t, err)
	assert.False(t, created)
	assert.Equal(t, first.ID, found.ID)

	require.NoError(t, kin.Delete(ctx, s.DB, first))
	_, created, err = kin.GetOrCreate(ctx, s.DB, second, "email")
	require.NoError(t, err)
	assert.True(t, created, "the e-mail of a deleted row is free")
	first.Deleted = nil
	require.ErrorAs(t, kin.Update(ctx, s.DB, first), &unique, "and the row cannot come back while it is taken")
	assert.Equal(t, []int64{1, 0}, s.ints(t, "SELECT CASE WHEN deleted IS NULL THEN 0 ELSE 1 END FROM ddl_lives ORDER BY id"))
}

// A ddlLower is unique by its name in small letters.
type ddlLower struct {
	ID   int64
	Name string `kin:",size=40"`
	Kind string `kin:",size=9"`
}

func (ddlLower) KinTable() kin.Table {
	return kin.Table{SpecialIndexes: []kin.Index{
		{Name: "it's lower, here", Columns: []string{"kind", "(lower(name))"}, Unique: true},
	}}
}

func testNoPartialIndex(t *testing.T, s *Suite) {
	if s.Name != "mysql" {
		return
	}
	before := s.tableNames(t)
	with := s.modelsOf(kin.Register[ddlLive], kin.Register[Category])
	require.EqualError(t, kin.CreateTables(t.Context(), with.DB), `kin: create the table of ddlLive: the index "live_emails" of ddlLive has a condition (Where), `+
		"which mysql does not support; index a field tagged generated that is NULL for the other rows, or take off the condition")
	with = s.modelsOf(kin.Register[ddlLower], kin.Register[Category])
	require.EqualError(t, kin.CreateTables(t.Context(), with.DB), `kin: create the table of ddlLower: the index "it's lower, here" of ddlLower has the expression (lower(name)), `+
		"which mysql does not support; index a field tagged generated=(lower(name)) instead")
	assert.Equal(t, before, s.tableNames(t), "and no table was made, of other models neither")
}

func testExpressionIndex(t *testing.T, s *Suite) {
	if s.Name == "mysql" {
		return
	}
	s = s.tablesOf(t, kin.Register[ddlLower])
	require.NoError(t, kin.Insert(t.Context(), s.DB, &ddlLower{Name: "Ann"}, &ddlLower{Name: "Ann", Kind: "x"}))
	before := s.dump(t, "SELECT * FROM ddl_lowers")
	var unique *kin.UniqueError
	again := &ddlLower{Name: "aNN"}
	require.ErrorAs(t, kin.Insert(t.Context(), s.DB, again), &unique)
	assert.Equal(t, "it's lower, here", unique.Constraint)
	assert.Empty(t, unique.Fields, "an expression is no field")
	assert.Zero(t, again.ID)
	_, _, err := kin.GetOrCreate(t.Context(), s.DB, again, "name")
	require.ErrorAs(t, err, &unique, "another row has the name by the index, and not by the column")
	assert.Equal(t, before, s.dump(t, "SELECT * FROM ddl_lowers"))
}

// A ddlFree is unique among the rows that are not deleted on every database:
// what is NULL conflicts with nothing.
type ddlFree struct {
	ID      int64
	Email   string     `kin:",size=40"`
	Deleted *time.Time `kin:",softdelete"`
	Live    *string    `kin:",size=40,unique,generated=CASE WHEN deleted IS NULL THEN email END"`
}

func testGeneratedUnique(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[ddlFree])
	first, second := &ddlFree{Email: "a@x"}, &ddlFree{Email: "a@x"}
	require.NoError(t, kin.Insert(ctx, s.DB, first))
	assert.Equal(t, "a@x", *first.Live)
	var unique *kin.UniqueError
	require.ErrorAs(t, kin.Insert(ctx, s.DB, second), &unique)
	assert.Equal(t, []string{"Live"}, unique.Fields)
	_, _, err := kin.GetOrCreate(ctx, s.DB, second, "live")
	require.EqualError(t, err, "kin: get or create of ddlFree: ddlFree.Live is generated by the database, and not known before the row is written; name columns that are")
	err = kin.Upsert(ctx, s.DB, []*ddlFree{second}, kin.OnConflict("live"))
	require.EqualError(t, err, "kin: upsert of ddlFree: ddlFree.Live is generated by the database, and not known before the row is written; name columns that are")
	assert.Equal(t, &ddlFree{Email: "a@x"}, second)
	require.NoError(t, kin.Delete(ctx, s.DB, first))
	assert.Nil(t, first.Live, "a soft deletion is an update")
	require.NoError(t, kin.Insert(ctx, s.DB, second))
	assert.Equal(t, []int64{1, 0}, s.ints(t, "SELECT CASE WHEN live IS NULL THEN 1 ELSE 0 END FROM ddl_frees ORDER BY id"))
	live := *second.Live
	first.Deleted = nil
	require.ErrorAs(t, kin.UpdateAll(ctx, s.DB, []*ddlFree{second, first}), &unique)
	assert.Equal(t, live, *second.Live)
	assert.Nil(t, first.Live, "memory is as it was")
}

// A ddlNote has comments, which may hold anything.
type ddlNote struct {
	ID    int64
	Price int                       "kin:\",comment='in cents, it''s \\\\ \\\" $1 ? `x`'\""
	Text  string                    `kin:",comment=x\\"`
	Owner kin.ForeignKey[shopOwner] `kin:",comment='who''',null"`
}

func (ddlNote) KinTable() kin.Table {
	return kin.Table{Comment: `it's \' OR 1=1; -- ` + "\n" + `ü\`}
}

func testComments(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[ddlNote], kin.Register[shopOwner], kin.Register[shop])
	if s.Name == "sqlite" {
		assert.NotContains(t, handOne[string](t, s, "SELECT sql FROM sqlite_master WHERE name = 'ddl_notes'"), "cents", "it has none")
		return
	}
	columns := handColumn[string](t, s, map[string]string{
		"postgres": "SELECT coalesce(col_description(attrelid, attnum), '') FROM pg_attribute WHERE attrelid = 'ddl_notes'::regclass AND attnum > 0 ORDER BY attnum",
		"mysql":    "SELECT column_comment FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'ddl_notes' ORDER BY ordinal_position",
	}[s.Name])
	assert.Equal(t, []string{"", `in cents, it's \ " $1 ? ` + "`x`", `x\`, "who'"}, columns)
	assert.Equal(t, `it's \' OR 1=1; -- `+"\n"+`ü\`, handOne[string](t, s, map[string]string{
		"postgres": "SELECT obj_description('ddl_notes'::regclass)",
		"mysql":    "SELECT table_comment FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'ddl_notes'",
	}[s.Name]))
}
