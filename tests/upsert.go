package tests

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func upsertCases() []Case {
	return []Case{
		{"upsert/update", testUpsertUpdate},
		{"upsert/do nothing", testUpsertNothing},
		{"upsert/refused", testUpsertRefused},
		{"upsert/a row that the transaction does not see", testUpsertSnapshot},
		{"upsert/get or create", testGetOrCreate},
		{"upsert/get or create in a race", testGetOrCreateRace},
		{"upsert/update or create", testUpdateOrCreate},
	}
}

// upsertUser is unique by its e-mail, and by place and number.
type upsertUser struct {
	ID     int64
	Email  string `kin:",size=50,unique"`
	Place  string `kin:",size=20"`
	Number int
	Name   string
	Visits int
}

func (upsertUser) KinTable() kin.Table {
	return kin.Table{Unique: [][]string{{"place", "number"}}}
}

// upsertCode has no generated key.
type upsertCode struct {
	Code string `kin:",pk,size=10"`
	Text string
	Tag  string `kin:",unique,size=10"`
}

func upsertSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	return s.tablesOf(t, kin.Register[upsertUser], kin.Register[upsertCode])
}

func upsertUsers(from, to int, name string) []*upsertUser {
	var users []*upsertUser
	for i := from; i < to; i++ {
		users = append(users, &upsertUser{Email: fmt.Sprintf("%d@x", i), Place: "p", Number: i, Name: name, Visits: i})
	}
	return users
}

// users returns the table as text, read by hand.
func (s *Suite) users(t *testing.T) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT id, email, place, number, name, visits FROM upsert_users ORDER BY number, id")
	require.NoError(t, err)
	defer rows.Close()
	users := []string{}
	for rows.Next() {
		var x upsertUser
		require.NoError(t, rows.Scan(&x.ID, &x.Email, &x.Place, &x.Number, &x.Name, &x.Visits))
		users = append(users, fmt.Sprint(x))
	}
	require.NoError(t, rows.Err())
	return users
}

func texts(users []*upsertUser) []string {
	list := []string{}
	for _, x := range users {
		list = append(list, fmt.Sprint(*x))
	}
	return list
}

func testUpsertUpdate(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	old := upsertUsers(0, 400, "old")
	require.NoError(t, kin.Insert(ctx, s.DB, old...))
	s.Wire.Reset()
	fresh := upsertUsers(200, 900, "new")
	for i, x := range fresh {
		x.Visits = -i
	}
	require.NoError(t, kin.Upsert(ctx, s.DB, fresh, kin.OnConflict("email").Update("name")))
	s.Wire.Want(t, 4, 700) // an INSERT and a read of the keys for each 500 rows
	want := append(old[:200:200], fresh...)
	for i := range 200 {
		assert.Equal(t, old[200+i].ID, fresh[i].ID, "the key of the row that was there")
		fresh[i].Visits = old[200+i].Visits // not updated
	}
	assert.Equal(t, texts(want), s.users(t))

	// By two columns, and all others.
	again := upsertUsers(890, 910, "again")
	for _, x := range again {
		x.Email += "!"
	}
	require.NoError(t, kin.Upsert(ctx, s.DB, again, kin.OnConflict("place", "number")))
	assert.Equal(t, texts(append(want[:890:890], again...)), s.users(t))

	codes := []*upsertCode{{"a", "1", "t1"}, {"b", "2", "t2"}}
	require.NoError(t, kin.Upsert(ctx, s.DB, codes, kin.OnConflict("code")))
	codes[0].Text = "changed"
	require.NoError(t, kin.Upsert(ctx, s.DB, append(codes, &upsertCode{"c", "3", "t3"}), kin.OnConflict("code").Update("text")))
	got, err := kin.Query[upsertCode]().All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, got, 3)
	assert.Equal(t, "changed", got[0].Text)
}

func testUpsertNothing(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	old := upsertUsers(0, 5, "old")
	require.NoError(t, kin.Insert(ctx, s.DB, old...))
	fresh := upsertUsers(3, 8, "new")
	require.NoError(t, kin.Upsert(ctx, s.DB, fresh, kin.OnConflict("email").DoNothing()))
	assert.Equal(t, old[3].ID, fresh[0].ID)
	assert.Equal(t, old[4].ID, fresh[1].ID)
	assert.Equal(t, texts(append(old, fresh[2:]...)), s.users(t))
}

// testUpsertSnapshot upserts a row that another has committed since the
// transaction has read.
func testUpsertSnapshot(t *testing.T, s *Suite) {
	if s.Name == "sqlite" {
		t.Log("SQLite has one writer at a time: what a transaction does not see, nobody can write")
		return
	}
	ctx := t.Context()
	s = upsertSuite(t, s)
	there := &upsertUser{Email: "there", Place: "p", Number: 1}
	mine := &upsertUser{Email: "there", Place: "q", Number: 2}
	err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
		n, err := kin.Query[upsertUser]().Count(ctx, tx)
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, kin.Insert(ctx, s.DB, there))
		return kin.Upsert(ctx, tx, []*upsertUser{mine}, kin.OnConflict("email").DoNothing())
	})
	require.NoError(t, err)
	assert.Equal(t, there.ID, mine.ID)
	assert.Equal(t, []string{fmt.Sprint(*there)}, s.users(t))
}

func testUpsertRefused(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	old := upsertUsers(0, 3, "old")
	require.NoError(t, kin.Insert(ctx, s.DB, old...))
	before := s.users(t)

	other := upsertUsers(5, 7, "new")
	other[1].Number = 0 // which row 0 has: another conflict than that by e-mail
	var unique *kin.UniqueError
	require.ErrorAs(t, kin.Upsert(ctx, s.DB, other, kin.OnConflict("email").Update("name")), &unique)
	assert.Equal(t, before, s.users(t))
	assert.Zero(t, other[0].ID)

	s.Wire.Reset()
	for why, err := range map[string]error{
		"columns that are not unique":     kin.Upsert(ctx, s.DB, other, kin.OnConflict("name")),
		"an unknown column":               kin.Upsert(ctx, s.DB, other, kin.OnConflict("emal")),
		"an unknown column to update":     kin.Upsert(ctx, s.DB, other, kin.OnConflict("email").Update("nam")),
		"an update of what identifies":    kin.Upsert(ctx, s.DB, other, kin.OnConflict("email").Update("email")),
		"no columns":                      kin.Upsert(ctx, s.DB, other, kin.OnConflict[string]()),
		"the same twice":                  kin.Upsert(ctx, s.DB, append(other, upsertUsers(5, 6, "x")...), kin.OnConflict("email")),
		"a nil row":                       kin.Upsert(ctx, s.DB, append(other, nil), kin.OnConflict("email")),
		"a generated key that is not set": kin.Upsert(ctx, s.DB, other, kin.OnConflict("id")),
	} {
		require.Error(t, err, why)
	}
	s.Wire.Want(t, 0, 0)
	require.NoError(t, kin.Upsert(ctx, s.DB, []*upsertUser{}, kin.OnConflict("email")))
	assert.Equal(t, before, s.users(t))
}

func testGetOrCreate(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	first := &upsertUser{Email: "a", Place: "p", Number: 1, Name: "first"}
	got, created, err := kin.GetOrCreate(ctx, s.DB, first, "email")
	require.NoError(t, err)
	assert.True(t, created)
	assert.Same(t, first, got)
	require.NotZero(t, first.ID)
	s.Wire.Reset()
	got, created, err = kin.GetOrCreate(ctx, s.DB, &upsertUser{Email: "a", Place: "q", Number: 9, Name: "second"}, "email")
	require.NoError(t, err)
	s.Wire.Want(t, 1, 1)
	assert.False(t, created)
	assert.Equal(t, *first, *got)
	got, created, err = kin.GetOrCreate(ctx, s.DB, &upsertUser{Email: "b", Place: "p", Number: 1}, "place", "number")
	require.NoError(t, err)
	assert.False(t, created)
	assert.Equal(t, first.ID, got.ID)
	_, _, err = kin.GetOrCreate(ctx, s.DB, &upsertUser{Email: "b", Place: "p", Number: 1}, "email")
	var unique *kin.UniqueError
	require.ErrorAs(t, err, &unique, "another unique column conflicts")
	_, _, err = kin.GetOrCreate(ctx, s.DB, &upsertUser{}, "emal")
	require.ErrorContains(t, err, `did you mean "email"?`)
	_, _, err = kin.GetOrCreate(ctx, s.DB, &upsertUser{})
	require.Error(t, err)
	assert.Len(t, s.users(t), 1)
}

// testGetOrCreateRace has 32 goroutines want the same row: one creates it, and
// all get it.
func testGetOrCreateRace(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	const workers = 32
	var wg sync.WaitGroup
	ids, made, errs := make([]int64, workers), make([]bool, workers), make([]error, workers)
	start := make(chan struct{})
	for i := range workers {
		wg.Go(func() {
			<-start
			row, created, err := kin.GetOrCreate(ctx, s.DB, &upsertUser{Email: "same", Place: "p", Number: 1, Visits: i}, "email")
			errs[i], made[i] = err, created
			if err == nil {
				ids[i] = row.ID
			}
		})
	}
	close(start)
	wg.Wait()
	n := 0
	for i := range workers {
		require.NoError(t, errs[i])
		assert.Equal(t, ids[0], ids[i])
		if made[i] {
			n++
		}
	}
	assert.Equal(t, 1, n, "created once")
	assert.Len(t, s.users(t), 1)
}

func testUpdateOrCreate(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	row := &upsertUser{Email: "a", Place: "p", Number: 1, Name: "first"}
	created, err := kin.UpdateOrCreate(ctx, s.DB, row, "email")
	require.NoError(t, err)
	assert.True(t, created)
	other := &upsertUser{Email: "a", Place: "q", Number: 2, Name: "second", Visits: 5}
	created, err = kin.UpdateOrCreate(ctx, s.DB, other, "email")
	require.NoError(t, err)
	assert.False(t, created)
	assert.Equal(t, row.ID, other.ID)
	assert.Equal(t, texts([]*upsertUser{other}), s.users(t))

	taken := &upsertUser{Email: "b", Place: "z", Number: 3}
	require.NoError(t, kin.Insert(ctx, s.DB, taken))
	clash := &upsertUser{Email: "a", Place: "z", Number: 3}
	_, err = kin.UpdateOrCreate(ctx, s.DB, clash, "email")
	var unique *kin.UniqueError
	require.ErrorAs(t, err, &unique)
	assert.Zero(t, clash.ID, "as it was before")
	assert.Equal(t, texts([]*upsertUser{other, taken}), s.users(t))
}
