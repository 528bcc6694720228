package tests

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func batchCases() []Case {
	return []Case{
		{"batch/many rows of all kinds", testBatchKinds},
		{"batch/a hundred thousand rows", testBatchLarge},
		{"batch/progress", testBatchProgress},
		{"batch/commit each", testBatchCommitEach},
		{"batch/commit each of other writes", testBatchParts},
		{"batch/refused", testBatchRefused},
		{"batch/a refused row among many", testBatchRow},
		{"batch/tables that COPY is not for", testCopyNot},
	}
}

// batchRow has a column of each kind.
type batchRow struct {
	ID    int64
	Name  string `kin:",size=20,unique"`
	Small int16
	Level *int32
	Count uint32
	Ratio float64
	Part  float32
	Ok    bool
	Raw   []byte `kin:",null"`
	When  time.Time
	Later *time.Time
	Token uuid.UUID
	Notes map[string]int `kin:",json"`
	Point point
	Note  *string
}

func batchRows(n int) []*batchRow {
	rows := make([]*batchRow, n)
	for i := range rows {
		r := &batchRow{
			Name: fmt.Sprintf("row \\ \"%d\",{}", i), Small: int16(i%60000 - 30000), Count: math.MaxUint32 - uint32(i),
			Ratio: float64(i) / 7, Part: float32(i) / 3, Ok: i%2 == 0, When: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC).Add(time.Duration(i) * time.Microsecond),
			Token: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)), Notes: map[string]int{"n": i}, Point: point{i, -i},
		}
		if i%3 == 0 {
			level, text, later := int32(-i), "NULL", r.When.Add(time.Hour)
			r.Level, r.Note, r.Later, r.Raw = &level, &text, &later, []byte{0, byte(i), 0xff, '\\'}
		}
		rows[i] = r
	}
	return rows
}

// batchUser has two unique columns.
type batchUser struct {
	ID    int64
	Email string `kin:",size=30,unique"`
	Code  string `kin:",size=30,unique"`
	Name  string
}

// batchUsers returns the table, read by hand.
func (s *Suite) batchUsers(t *testing.T) []string {
	t.Helper()
	return s.dump(t, "SELECT id, email, code, name FROM batch_users ORDER BY id")
}

// batchCode has a key of two columns.
type batchCode struct {
	Space string `kin:",pk,size=20"`
	Code  string `kin:",pk,size=20"`
	Title string
}

// batchCounts are the statements that insert so many rows with keys that the
// database makes.
func (s *Suite) batchCounts(rows, columns int) int {
	perChunk := min(500, s.Dialect().Traits().MaxParams/columns)
	if s.Name == "postgres" && rows >= 200 {
		return 3 // keys, whether COPY serves, and COPY
	}
	return 1 + (rows+perChunk-1)/perChunk
}

func testBatchKinds(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[batchRow])
	rows := batchRows(1201)
	s.Wire.Reset()
	require.NoError(t, kin.Insert(ctx, s.DB, rows...))
	assert.Len(t, s.Wire.Statements(), s.batchCounts(len(rows), 15))
	// Each key is on the row whose name it is.
	ids := handColumn[int64](t, s, "SELECT id FROM batch_rows ORDER BY count DESC")
	require.Len(t, ids, len(rows))
	for i, row := range rows {
		require.Equal(t, ids[i], row.ID, row.Name)
		require.True(t, i == 0 || row.ID > rows[i-1].ID, "in the order of the rows")
	}
	assert.Equal(t, rows, mustAll[batchRow](t, s), "read as they were written")

	// All again, with new values: the same by one statement for 500.
	fresh := batchRows(2402)[1201:]
	for i, row := range fresh {
		row.ID = rows[i].ID
	}
	s.Wire.Reset()
	require.NoError(t, kin.UpdateAll(ctx, s.DB, fresh))
	assert.Len(t, s.Wire.Statements(), 3)
	assert.Equal(t, fresh, mustAll[batchRow](t, s))

	// And with keys of their own, which the sequence then knows.
	more := batchRows(3000)[2402:]
	for i, row := range more {
		row.ID = ids[len(ids)-1] + int64(2*(len(more)-i))
	}
	require.NoError(t, kin.Insert(ctx, s.DB, more...))
	next := batchRows(3001)[3000]
	require.NoError(t, kin.Insert(ctx, s.DB, next))
	assert.Equal(t, more[0].ID+1, next.ID)
	n, err := kin.Query[batchRow]().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1201+598+1, n)
}

func mustAll[T any](t *testing.T, s *Suite) []*T {
	t.Helper()
	rows, err := kin.Query[T]().OrderBy("id").All(t.Context(), s.DB)
	require.NoError(t, err)
	return rows
}

func testBatchLarge(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[batchUser])
	for _, n := range []int{10_000, 100_000} {
		users := make([]*batchUser, n)
		for i := range users {
			users[i] = &batchUser{Email: fmt.Sprint(n, "-", i), Code: fmt.Sprint(n, "-", i), Name: strconv.Itoa(i)}
		}
		s.Wire.Reset()
		require.NoError(t, kin.Insert(ctx, s.DB, users...))
		assert.Len(t, s.Wire.Statements(), s.batchCounts(n, 4))
		wrong := 0
		stored := handColumn[string](t, s, fmt.Sprintf("SELECT name FROM batch_users WHERE email LIKE '%d-%%' ORDER BY id", n))
		require.Len(t, stored, n)
		for i, u := range users {
			if stored[i] != u.Name || i > 0 && u.ID <= users[i-1].ID {
				wrong++
			}
		}
		assert.Zero(t, wrong, "keys on other rows")
		assert.Equal(t, users[n-1].ID, handOne[int64](t, s, "SELECT max(id) FROM batch_users"))
	}
}

type progress struct{ done, all []int }

func (p *progress) note(done, all int) { p.done, p.all = append(p.done, done), append(p.all, all) }

func testBatchProgress(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[batchUser])
	users := make([]*batchUser, 23)
	for i := range users {
		users[i] = &batchUser{Email: fmt.Sprint("u", i), Code: fmt.Sprint("u", i)}
	}
	var p progress
	db := kin.Batch{Size: 5, Progress: p.note}.On(s.DB)
	check := func(what string, err error, done ...int) {
		t.Helper()
		require.NoError(t, err, what)
		assert.Equal(t, done, p.done, what)
		for _, all := range p.all {
			assert.Equal(t, done[len(done)-1], all, what)
		}
		p = progress{}
	}
	check("insert", kin.Insert(ctx, db, users...), 5, 10, 15, 20, 23)
	check("insert one", kin.Insert(ctx, db, &batchUser{Email: "one"}), 1)
	for _, u := range users {
		u.Name = "new"
	}
	check("update", kin.UpdateAll(ctx, db, users, "name"), 5, 10, 15, 20, 23)
	check("update one", kin.Update(ctx, db, users[0]), 1)
	check("upsert", kin.Upsert(ctx, db, users, kin.OnConflict("email")), 5, 10, 15, 20, 23)
	fresh := []*batchUser{{Email: "a", Code: "a"}, {Email: "b", Code: "b"}, {Email: "c", Code: "c"}}
	check("save", kin.Save(ctx, db, append(fresh, users[:4]...)...), 4, 7)
	s.Wire.Reset()
	check("delete", kin.DeleteAll(ctx, db, users[:12]), 5, 10, 12)
	assert.Len(t, s.Wire.Statements(), 3)
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		return kin.DeleteAll(ctx, kin.Batch{Size: 100, Progress: p.note}.On(tx), users[12:])
	}))
	check("within a transaction", nil, 11)

	// What a hook writes is none of the batch.
	assert.EqualValues(t, 4, handOne[int64](t, s, "SELECT count(*) FROM batch_users"))

	school := s.With(kin.WithRegistry(kin.Relations()))
	require.NoError(t, kin.CreateTables(ctx, school.DB))
	classes := []*SchoolClass{{Name: "1A"}, {Name: "1B"}}
	for _, c := range classes {
		c.Students = kin.From(&Student{Name: "x"}, &Student{Name: "y"}, &Student{Name: "z"})
	}
	_, err := kin.SaveGraph(ctx, kin.Batch{Size: 4, Progress: p.note}.On(school.DB), classes...)
	check("graph", err, 2, 6, 8)
}

func testBatchCommitEach(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[batchUser])
	require.NoError(t, kin.Insert(ctx, s.DB, &batchUser{Email: "taken", Code: "taken"}))
	before := s.batchUsers(t)
	users := make([]*batchUser, 10)
	for i := range users {
		users[i] = &batchUser{Email: fmt.Sprint("u", i), Code: fmt.Sprint("u", i)}
	}
	users[8].Email = "taken"
	var p progress
	db := kin.Batch{CommitEach: 4, Progress: p.note}.On(s.DB)
	err := kin.Insert(ctx, db, users...)
	part, ok := errors.AsType[*kin.BatchError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, 8, part.Done)
	assert.Equal(t, 10, part.All)
	refused, ok := errors.AsType[*kin.UniqueError](err)
	require.True(t, ok)
	assert.Equal(t, "batchUser", refused.Model)
	require.ErrorContains(t, err, "(8 of 10 rows are written, and stay)")
	assert.Equal(t, []int{4, 8}, p.done[:2])
	assert.Len(t, s.batchUsers(t), len(before)+8)
	for i, u := range users {
		assert.Equal(t, i < 8, u.ID != 0, "row %d", i)
	}
	// The rest can be written when it is mended.
	users[8].Email = "u8"
	require.NoError(t, kin.Save(ctx, db, users...))
	assert.Len(t, s.batchUsers(t), len(before)+10)

	// A failure of the first part leaves nothing, and is no BatchError.
	again := []*batchUser{{Email: "taken", Code: "x"}, {Email: "v", Code: "v"}}
	err = kin.Insert(ctx, kin.Batch{CommitEach: 1}.On(s.DB), again...)
	require.ErrorIs(t, unique(err), errUnique)
	_, ok = errors.AsType[*kin.BatchError](err)
	assert.False(t, ok)
	assert.Len(t, s.batchUsers(t), len(before)+10)
}

func testBatchParts(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[batchUser])
	users := make([]*batchUser, 9)
	for i := range users {
		users[i] = &batchUser{Email: fmt.Sprint("u", i), Code: fmt.Sprint("u", i)}
	}
	require.NoError(t, kin.Insert(ctx, s.DB, users...))
	db := kin.Batch{CommitEach: 2}.On(s.DB)
	done := func(err error) int {
		t.Helper()
		part, ok := errors.AsType[*kin.BatchError](err)
		require.True(t, ok, "%v", err)
		return part.Done
	}
	for _, u := range users {
		u.Name = "new"
	}
	users[7].ID += 1000
	err := kin.UpdateAll(ctx, db, users)
	require.ErrorIs(t, err, kin.ErrNotFound)
	assert.Equal(t, 6, done(err))
	assert.EqualValues(t, 6, handOne[int64](t, s, "SELECT count(*) FROM batch_users WHERE name = 'new'"))

	err = kin.Upsert(ctx, db, append(users[:4:4], &batchUser{Email: "new", Code: "u8"}), kin.OnConflict("email"))
	require.ErrorIs(t, unique(err), errUnique)
	assert.Equal(t, 4, done(err))

	err = kin.DeleteAll(ctx, db, users)
	require.ErrorIs(t, err, kin.ErrNotFound)
	assert.Equal(t, 6, done(err))
	assert.EqualValues(t, 3, handOne[int64](t, s, "SELECT count(*) FROM batch_users"))
}

func testBatchRefused(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[batchUser])
	s.Wire.Reset()
	users := []*batchUser{{Email: "a"}, {Email: "b"}, nil}
	err := kin.Insert(ctx, kin.Batch{CommitEach: 1}.On(s.DB), users...)
	require.EqualError(t, err, "kin: insert of batchUser: row 3 of 3 is nil")
	err = kin.Insert(ctx, kin.Batch{CommitEach: -1}.On(s.DB), users[:2]...)
	require.EqualError(t, err, "kin: insert of batchUser: the sizes of a Batch are not negative")
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		err := kin.Insert(ctx, kin.Batch{CommitEach: 1}.On(tx), users[:2]...)
		assert.EqualError(t, err, "kin: insert of batchUser: a Batch that commits parts is within a transaction, which is committed as a whole; leave CommitEach away, or write to the DB")
		return nil
	}))
	_, err = kin.SaveGraph(ctx, kin.Batch{CommitEach: 1}.On(s.DB), users[0])
	require.ErrorContains(t, err, "kin: save graph of batchUser: the rows of a graph depend on each other")
	assert.Empty(t, s.Wire.Statements())
	assert.Empty(t, s.batchUsers(t))
	assert.Zero(t, users[0].ID)
}

// testBatchRow has one row of many that the database, or kin, refuses.
func testBatchRow(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[batchRow])
	require.NoError(t, kin.Insert(ctx, s.DB, &batchRow{Name: "there", When: time.Now()}))
	before := handColumn[string](t, s, "SELECT name FROM batch_rows")
	for name, spoil := range map[string]func(r *batchRow){
		"unique":   func(r *batchRow) { r.Name = "there" },
		"too long": func(r *batchRow) { r.Name = "012345678901234567890" },
		"year":     func(r *batchRow) { r.When = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		for _, at := range []int{0, 250, 699} {
			rows := batchRows(700)
			spoil(rows[at])
			err := kin.Insert(ctx, s.DB, rows...)
			switch name {
			case "unique":
				e, ok := errors.AsType[*kin.UniqueError](err)
				require.True(t, ok, "%v", err)
				assert.Equal(t, []string{"Name"}, e.Fields)
			case "too long":
				e, ok := errors.AsType[*kin.TooLongError](err)
				require.True(t, ok, "%v", err)
				assert.Equal(t, []string{"Name"}, e.Fields)
			default:
				require.ErrorContains(t, err, "batchRow.When is a time in the year 10000")
			}
			assert.Equal(t, before, handColumn[string](t, s, "SELECT name FROM batch_rows"), name)
			for _, row := range rows {
				require.Zero(t, row.ID)
			}
		}
	}
	// Within a transaction, it can go on.
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		rows := batchRows(300)
		rows[299].Name = "there"
		assert.ErrorIs(t, unique(kin.Insert(ctx, tx, rows...)), errUnique)
		return kin.Insert(ctx, tx, rows[:299]...)
	}))
	assert.Len(t, handColumn[string](t, s, "SELECT name FROM batch_rows"), 300)
}

// testCopyNot has tables that PostgreSQL's COPY is refused for, or that pgx
// cannot send in its binary form: they are written by INSERT.
func testCopyNot(t *testing.T, s *Suite) {
	if s.Name != "postgres" {
		t.Log("only PostgreSQL has COPY")
		return
	}
	ctx := t.Context()
	fresh := func() []*batchCode {
		rows := make([]*batchCode, 250)
		for i := range rows {
			rows[i] = &batchCode{fmt.Sprint("s", i), "sad", fmt.Sprint("t", i)}
		}
		return rows
	}
	s = s.modelsOf(kin.Register[batchCode])
	s.Pool().SetMaxIdleConns(0) // a connection knows a statement by the types that its table had
	s.Exec(t, "CREATE TYPE mood AS ENUM ('sad', 'happy')")
	const columns = "(space text, code mood, title text, PRIMARY KEY (space, code))"
	for name, create := range map[string][]string{
		"an enum": {"CREATE TABLE batch_codes " + columns},
		"a view":  {"CREATE TABLE base_codes (space text, code text, title text)", "CREATE VIEW batch_codes AS SELECT * FROM base_codes"},
	} {
		for _, text := range create {
			s.Exec(t, text)
		}
		s.Wire.Reset()
		require.NoError(t, kin.Insert(ctx, s.DB, fresh()...), name)
		assert.Len(t, s.Wire.Statements(), 2, name) // whether COPY serves, and INSERT
		assert.EqualValues(t, 250, handOne[int64](t, s, "SELECT count(*) FROM batch_codes"))
		s.Exec(t, map[bool]string{true: "DROP VIEW batch_codes", false: "DROP TABLE batch_codes"}[name == "a view"])
	}

	// On a transaction of the caller's, kin does not have the connection.
	s.Exec(t, "CREATE TABLE batch_codes (space text, code text, title text)")
	tx, err := s.Pool().BeginTx(ctx, nil)
	require.NoError(t, err)
	db := kin.New(tx, s.DB.Dialect())
	require.NoError(t, kin.Insert(ctx, db, fresh()...))
	require.NoError(t, tx.Commit())
	assert.EqualValues(t, 250, handOne[int64](t, s, "SELECT count(*) FROM batch_codes"))
}
