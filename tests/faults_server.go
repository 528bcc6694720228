package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// serverFaultCases provoke for real what a database refuses for the sake of
// others, or because it is told to.
func serverFaultCases() []Case {
	return []Case{
		{"faults/constraints on every way of writing", testConstraintsEverywhere},
		{"faults/deadlock", testDeadlock},
		{"faults/serialization", testSerialization},
		{"faults/lock timeout", testLockTimeout},
		{"faults/connection lost", testConnectionLost},
		{"faults/cancelled by its context", testCancelledByContext},
		{"faults/cancelled in the database", testCancelledByServer},
		{"faults/cancelled within a transaction", testCancelledInTx},
	}
}

// faultNote may be without text for Go, but not for the database.
type faultNote struct {
	ID   int64
	Text *string
}

// faultTag has a size that kin does not know of.
type faultTag struct {
	ID   int64
	Nick string `kin:",type=char(5)"`
}

// testConstraintsEverywhere breaks each constraint in each way of writing.
func testConstraintsEverywhere(t *testing.T, s *Suite) {
	ctx := t.Context()
	var r kin.Registry
	kin.Register[faultUser](&r)
	kin.Register[faultNote](&r)
	kin.Register[faultTag](&r)
	s = s.With(kin.WithRegistry(&r))
	s.Exec(t, "CREATE TABLE fault_notes (id int PRIMARY KEY, text varchar(20) NOT NULL)")
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	boss := &faultUser{Email: "boss", First: "A", Last: "A"}
	require.NoError(t, kin.Insert(ctx, s.DB, boss))
	user := &faultUser{Email: "user", First: "B", Last: "B", Boss: kin.To(boss)}
	require.NoError(t, kin.Insert(ctx, s.DB, user))
	note := &faultNote{ID: 1, Text: new("x")}
	require.NoError(t, kin.Insert(ctx, s.DB, note))
	tables := func() []string {
		return append(s.dump(t, "SELECT email, first, last, age, boss_id FROM fault_users ORDER BY id"), s.dump(t, "SELECT * FROM fault_notes")...)
	}
	before := tables()
	users := kin.Query[faultUser]().Filter("email", "user")
	upsert := func(x *faultUser) error {
		return kin.Upsert(ctx, s.DB, []*faultUser{x}, kin.OnConflict("email"))
	}
	changed := func(change func(x *faultUser)) *faultUser {
		x := *user
		change(&x)
		return &x
	}
	set := func(name string, v any) error {
		_, err := users.Update(ctx, s.DB, kin.Set(name, v))
		return err
	}
	long := "a text that is too long"
	check := func(why string, err error, kind any, violation func() *kin.Violation, fields ...string) {
		t.Helper()
		require.ErrorAs(t, err, kind, why)
		v := violation()
		if v.Model != "" || s.Name != "sqlite" {
			assert.Contains(t, []string{"faultUser", "faultNote"}, v.Model, why)
		}
		if fields != nil {
			assert.Equal(t, fields, v.Fields, why)
		}
		require.Error(t, v.Err, why)
		require.ErrorIs(t, err, v.Err, why)
		assert.Equal(t, before, tables(), why)
	}
	named := func(fields ...string) []string { // where the database names the column or its constraint
		if s.Name == "sqlite" {
			return nil
		}
		return fields
	}
	var unique *kin.UniqueError
	var key *kin.ForeignKeyError
	var null *kin.NotNullError
	var checked *kin.CheckError
	var tooLong *kin.TooLongError
	var outside *kin.RangeError

	toUnique := func() *kin.Violation { return &unique.Violation }
	check("insert", kin.Insert(ctx, s.DB, &faultUser{Email: "boss"}), &unique, toUnique, "Email")
	check("insert many", kin.Insert(ctx, s.DB, &faultUser{Email: "a"}, &faultUser{Email: "boss", First: "x"}), &unique, toUnique, "Email")
	check("update", kin.Update(ctx, s.DB, changed(func(x *faultUser) { x.Email = "boss" })), &unique, toUnique, "Email")
	check("upsert", upsert(&faultUser{Email: "new", First: "A", Last: "A"}), &unique, toUnique)
	check("set", set("email", "boss"), &unique, toUnique, "Email")

	toKey := func() *kin.Violation { return &key.Violation }
	nobody := kin.Key[faultUser](99)
	check("insert", kin.Insert(ctx, s.DB, &faultUser{Email: "a", Boss: nobody}), &key, toKey, named("Boss")...)
	check("update", kin.Update(ctx, s.DB, changed(func(x *faultUser) { x.Boss = nobody })), &key, toKey, named("Boss")...)
	check("upsert", upsert(&faultUser{Email: "new", Boss: nobody}), &key, toKey, named("Boss")...)
	check("set", set("boss", nobody), &key, toKey, named("Boss")...)
	check("delete", kin.Delete(ctx, s.DB, boss), &key, toKey, named("Boss")...)
	_, err := kin.Query[faultUser]().Filter("email", "boss").Delete(ctx, s.DB)
	check("delete of a query", err, &key, toKey, named("Boss")...)

	toNull := func() *kin.Violation { return &null.Violation }
	check("insert", kin.Insert(ctx, s.DB, &faultNote{ID: 2}), &null, toNull, "Text")
	check("update", kin.Update(ctx, s.DB, &faultNote{ID: 1}), &null, toNull, "Text")
	_, err = kin.Query[faultNote]().Filter("id", 1).Update(ctx, s.DB, kin.Set("text", nil))
	check("set", err, &null, toNull, "Text")

	toCheck := func() *kin.Violation { return &checked.Violation }
	check("insert", kin.Insert(ctx, s.DB, &faultUser{Email: "a", Age: -1}), &checked, toCheck)
	assert.Equal(t, "ck_fault_users_1", checked.Constraint)
	check("update", kin.Update(ctx, s.DB, changed(func(x *faultUser) { x.Age = -1 })), &checked, toCheck)
	check("upsert", upsert(&faultUser{Email: "user", Age: -1}), &checked, toCheck)
	check("set", set("age", kin.F("age").Sub(5)), &checked, toCheck)

	toLong := func() *kin.Violation { return &tooLong.Violation }
	check("insert", kin.Insert(ctx, s.DB, &faultUser{Email: long}), &tooLong, toLong)
	check("update", kin.Update(ctx, s.DB, changed(func(x *faultUser) { x.First = long })), &tooLong, toLong)
	check("upsert", upsert(&faultUser{Email: "user", First: long}), &tooLong, toLong)
	check("set", set("first", long), &tooLong, toLong)

	if s.Name != "sqlite" { // for which char(5) is a text as any
		tags := []*faultTag{{ID: 1, Nick: "a"}, {ID: 2, Nick: "b"}}
		require.NoError(t, kin.Insert(ctx, s.DB, tags...))
		tags[0].Nick, tags[1].Nick = long, "c"
		require.ErrorAs(t, kin.UpdateAll(ctx, s.DB, tags), &tooLong)
		_, err = kin.Query[faultTag]().Filter("id", 1).Update(ctx, s.DB, kin.Set("nick", long))
		require.ErrorAs(t, err, &tooLong)
		assert.Equal(t, []string{`["a"]`, `["b"]`}, s.dump(t, "SELECT TRIM(nick) FROM fault_tags ORDER BY id"), "nothing is cut in silence")
	}

	if s.Name != "sqlite" { // whose integers have 64 bits, whatever they are called
		toRange := func() *kin.Violation { return &outside.Violation }
		check("insert", kin.Insert(ctx, s.DB, &faultUser{Email: "a", Age: 40_000}), &outside, toRange)
		check("update", kin.Update(ctx, s.DB, changed(func(x *faultUser) { x.Age = 40_000 })), &outside, toRange)
		check("set", set("age", kin.F("age").Add(40_000)), &outside, toRange)
	}
	assert.Zero(t, s.Pool().Stats().InUse)
}

// rivals inserts two categories and returns a way to change one of them.
func rivals(t *testing.T, s *Suite) (a, b *Category, rename func(db kin.Executor, c *Category, name string) error) {
	t.Helper()
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	a, b = &Category{Name: "a"}, &Category{Name: "b"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, a, b))
	return a, b, func(db kin.Executor, c *Category, name string) error {
		_, err := kin.Query[Category]().Filter("id", c.ID).Update(t.Context(), db, kin.Set("name", name))
		return err
	}
}

func testDeadlock(t *testing.T, s *Suite) {
	if s.Dialect().Traits().SerialOnly {
		return // one writer at a time cannot wait for another
	}
	ctx := t.Context()
	a, b, rename := rivals(t, s)
	txs := make([]*kin.Tx, 2)
	first, second := []*Category{a, b}, []*Category{b, a}
	for i := range txs {
		var err error
		txs[i], err = s.DB.Begin(ctx)
		require.NoError(t, err)
		require.NoError(t, rename(txs[i], first[i], fmt.Sprint("first ", i)))
	}
	errs := make(chan error, 2)
	for i, tx := range txs {
		go func() {
			err := rename(tx, second[i], fmt.Sprint("second ", i))
			if err != nil {
				// What the loser does without heeding the error is not done.
				err = errors.Join(err, tx.Tx(ctx, func(tx *kin.Tx) error { return kin.Insert(ctx, tx, &Category{Name: "too late"}) }))
				if tx.Commit(ctx) == nil {
					t.Error("the loser commits")
				}
				if err := tx.Rollback(); err != nil {
					t.Error(err)
				}
			} else {
				err = tx.Commit(ctx)
			}
			errs <- err
		}()
	}
	lost := 0
	for range txs {
		if err := <-errs; err != nil {
			lost++
			require.ErrorIs(t, err, kin.ErrDeadlock)
			require.NotErrorIs(t, err, kin.ErrConflict)
		}
	}
	assert.Equal(t, 1, lost)
	names := s.names(t)
	assert.Contains(t, [][]string{{"first 0", "second 0"}, {"second 1", "first 1"}}, names)
	assert.Zero(t, s.Pool().Stats().InUse)
}

// conn returns a connection with a setting of its own, which is not used again.
func (s *Suite) conn(t *testing.T, settings map[string]string) *sql.Conn {
	t.Helper()
	conn, err := s.Pool().Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = conn.Raw(func(any) error { return errors.New("used up") })
		_ = conn.Close()
	})
	if text := settings[s.Name]; text != "" {
		_, err = conn.ExecContext(t.Context(), text)
		require.NoError(t, err, text)
	}
	return conn
}

func testSerialization(t *testing.T, s *Suite) {
	ctx := t.Context()
	a, _, rename := rivals(t, s)
	conn := s.conn(t, map[string]string{"mysql": "SET SESSION innodb_snapshot_isolation = ON"})
	db := kin.New(conn, s.Dialect())
	if s.Dialect().Traits().SerialOnly {
		// kin's own transactions write one after the other: only one that the
		// caller has begun otherwise can be overtaken.
		_, err := conn.ExecContext(ctx, "BEGIN DEFERRED")
		require.NoError(t, err)
		_, err = kin.Query[Category]().Count(ctx, db)
		require.NoError(t, err)
		require.NoError(t, rename(s.DB, a, "overtaken"))
		require.ErrorIs(t, rename(db, a, "late"), kin.ErrConflict)
		_, err = conn.ExecContext(ctx, "ROLLBACK")
		require.NoError(t, err)
		assert.Equal(t, []string{"overtaken", "b"}, s.names(t))
		return
	}
	for _, level := range []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelSerializable} {
		if level == sql.LevelSerializable && s.Name == "mysql" {
			continue // its serializable transactions lock what they read
		}
		runs := 0
		err := db.Tx(ctx, func(tx *kin.Tx) error {
			runs++
			_, err := kin.Query[Category]().Count(ctx, tx)
			require.NoError(t, err)
			if runs == 1 {
				require.NoError(t, rename(s.DB, a, "overtaken"))
			}
			return rename(tx, a, "late "+level.String())
		}, kin.TxOptions{Isolation: level})
		require.ErrorIs(t, err, kin.ErrConflict, level)
		require.NotErrorIs(t, err, kin.ErrDeadlock, level)
		assert.Equal(t, []string{"overtaken", "b"}, s.names(t))
		runs = 0
		require.NoError(t, db.Tx(ctx, func(tx *kin.Tx) error {
			runs++
			_, err := kin.Query[Category]().Count(ctx, tx)
			require.NoError(t, err)
			if runs < 3 {
				require.NoError(t, rename(s.DB, a, fmt.Sprint("overtaken ", runs)))
			}
			return rename(tx, a, "in the end")
		}, kin.TxOptions{Isolation: level, Retries: 2}))
		assert.Equal(t, 3, runs)
		assert.Equal(t, []string{"in the end", "b"}, s.names(t))
	}
}

func testLockTimeout(t *testing.T, s *Suite) {
	ctx := t.Context()
	a, _, rename := rivals(t, s)
	conn := s.conn(t, map[string]string{
		"sqlite": "PRAGMA busy_timeout = 20", "postgres": "SET lock_timeout = '20ms'", "mysql": "SET SESSION innodb_lock_wait_timeout = 0",
	})
	db := kin.New(conn, s.Dialect())
	holder, err := s.DB.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, rename(holder, a, "held"))
	require.ErrorIs(t, rename(db, a, "late"), kin.ErrLockTimeout)
	runs := 0
	require.ErrorIs(t, db.Tx(ctx, func(tx *kin.Tx) error {
		runs++
		return rename(tx, a, "late")
	}, kin.TxOptions{Retries: 2}), kin.ErrLockTimeout)
	if !s.Dialect().Traits().SerialOnly { // whose BEGIN waits
		assert.Equal(t, 3, runs)
	}
	require.NoError(t, holder.Commit(ctx))
	require.NoError(t, rename(db, a, "now"))
	assert.Equal(t, []string{"now", "b"}, s.names(t))
}

// kill ends what a connection does, or the connection itself.
func (s *Suite) kill(t *testing.T, conn *sql.Conn, id int64) {
	t.Helper()
	query := map[string]string{"postgres": "SELECT pg_terminate_backend($1)", "mysql": fmt.Sprint("KILL ", id)}[s.Name]
	args := []any{id}
	if s.Name == "mysql" {
		args = nil
	}
	_, err := conn.ExecContext(t.Context(), query, args...)
	require.NoError(t, err)
}

// idOf returns the server's number of a connection.
func (s *Suite) idOf(t *testing.T, conn *sql.Conn) (id int64) {
	t.Helper()
	query := map[string]string{"postgres": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}[s.Name]
	require.NoError(t, conn.QueryRowContext(t.Context(), query).Scan(&id))
	return id
}

func testConnectionLost(t *testing.T, s *Suite) {
	if s.Name == "sqlite" {
		return // what is embedded has no connection to lose
	}
	ctx := t.Context()
	a, _, rename := rivals(t, s)
	killer := s.conn(t, nil)
	lose := func(run func(db *kin.DB, kill func()) error) error {
		conn := s.conn(t, nil)
		id := s.idOf(t, conn)
		return run(kin.New(conn, s.Dialect()), func() {
			s.kill(t, killer, id)
			gone := map[string]string{
				"postgres": "SELECT COUNT(*) FROM pg_stat_activity WHERE pid = $1", "mysql": "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ?",
			}[s.Name]
			require.Eventually(t, func() bool {
				var n int
				return assert.NoError(t, killer.QueryRowContext(ctx, gone, id).Scan(&n)) && n == 0
			}, 20*time.Second, time.Millisecond)
		})
	}
	for name, write := range map[string]func(db kin.Executor) error{
		"a query":   func(db kin.Executor) error { _, err := kin.Query[Category]().All(ctx, db); return err },
		"an insert": func(db kin.Executor) error { return kin.Insert(ctx, db, &Category{Name: "x"}) },
		"many":      func(db kin.Executor) error { return kin.Insert(ctx, db, &Category{Name: "x"}, &Category{Name: "y"}) },
		"an update": func(db kin.Executor) error { return rename(db, a, "lost") },
		"a delete":  func(db kin.Executor) error { return kin.Delete(ctx, db, a) },
		"get or create": func(db kin.Executor) error {
			_, _, err := kin.GetOrCreate(ctx, db, &Category{Name: "x"}, "name")
			return err
		},
		"an upsert": func(db kin.Executor) error {
			return kin.Upsert(ctx, db, []*Category{{ID: a.ID, Name: "x"}}, kin.OnConflict("id"))
		},
		"a nested write": func(db kin.Executor) error {
			return db.(*kin.Tx).Tx(ctx, func(tx *kin.Tx) error { return rename(tx, a, "lost") })
		},
	} {
		err := lose(func(db *kin.DB, kill func()) error {
			return db.Tx(ctx, func(tx *kin.Tx) error {
				require.NoError(t, rename(tx, a, "lost"))
				kill()
				return write(tx)
			})
		})
		require.ErrorIs(t, err, kin.ErrDisconnected, name)
		require.NotErrorIs(t, err, kin.ErrCommitUnknown, name)
		require.NotErrorIs(t, err, kin.ErrCanceled, name)
	}
	// The connection dies before COMMIT is sent, which the client cannot know.
	err := lose(func(db *kin.DB, kill func()) error {
		return db.Tx(ctx, func(tx *kin.Tx) error {
			require.NoError(t, rename(tx, a, "lost"))
			kill()
			return nil
		}, kin.TxOptions{Verify: func(ctx context.Context) (bool, error) {
			return kin.Query[Category]().Filter("name", "lost").Exists(ctx, s.DB)
		}})
	})
	require.ErrorIs(t, err, kin.ErrDisconnected)
	require.NotErrorIs(t, err, kin.ErrCommitUnknown, "Verify knows")
	assert.Equal(t, []string{"a", "b"}, s.names(t))
}
