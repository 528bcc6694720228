package tests

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func hookCases() []Case {
	return []Case{
		{"hooks/order", testHookOrder},
		{"hooks/failing at each point", testHookFailures},
		{"hooks/collections", testHookCollections},
		{"hooks/after load", testAfterLoad},
		{"hooks/validate", testValidate},
		{"hooks/mistakes", testHookMistakes},
		{"hooks/client-side defaults", testDefaults},
	}
}

func testHookOrder(t *testing.T, s *Suite) {
	s = hookSuite(t, s)
	ctx, log := s.hooked(t.Context(), 0)
	a, b := &store{Name: "A"}, &store{Name: "B"}
	require.NoError(t, kin.Insert(ctx, s.DB, a, b))
	assert.Equal(t, []string{"before insert A 0", "before insert B 0", "after insert A", "after insert B"}, log.calls)
	assert.Equal(t, []string{"a", "b"}, s.stores(t), "what a hook sets is written")
	assert.Equal(t, []string{"before A", "before B", "after A", "after B"}, s.trails(t))

	ctx, log = s.hooked(t.Context(), 0)
	a.Name, b.Name = "A2", "B2"
	require.NoError(t, kin.UpdateAll(ctx, s.DB, []*store{a, b}))
	require.NoError(t, kin.Save(ctx, s.DB, a))
	require.NoError(t, kin.Save(ctx, s.DB, b, &store{Name: "C"}))
	assert.Equal(t, []string{
		"before update A2", "before update B2", "after update A2", "after update B2",
		"before update A2", "after update A2",
		"before update B2", "after update B2", "before insert C 0", "after insert C",
	}, log.calls)
	assert.Equal(t, []string{"a2", "b2", "c"}, s.stores(t))

	ctx, log = s.hooked(t.Context(), 0)
	require.NoError(t, kin.Upsert(ctx, s.DB, []*store{{Name: "A2"}, {Name: "D"}}, kin.OnConflict("name")))
	assert.Equal(t, []string{"before insert A2 0", "before insert D 0", "after insert A2", "after insert D"}, log.calls)

	ctx, log = s.hooked(t.Context(), 0)
	_, created, err := kin.GetOrCreate(ctx, s.DB, &store{Name: "E"}, "name")
	require.NoError(t, err)
	require.True(t, created)
	_, err = kin.UpdateOrCreate(ctx, s.DB, &store{Name: "E"}, "name")
	require.NoError(t, err)
	assert.Equal(t, []string{"before insert E 0", "after insert E", "load E", "before update E", "after update E"}, log.calls)

	ctx, log = s.hooked(t.Context(), 0)
	require.NoError(t, kin.DeleteAll(ctx, s.DB, []*store{a, b}))
	require.NoError(t, kin.Delete(ctx, s.DB, &store{ID: 3, Name: "C"}))
	assert.Equal(t, []string{
		"before delete A2", "before delete B2", "after delete A2", "after delete B2",
		"before delete C", "after delete C",
	}, log.calls)
	assert.Equal(t, []string{"d", "e"}, s.stores(t))

	// Sets run no hooks.
	ctx, log = s.hooked(t.Context(), 0)
	_, err = kin.Query[store]().Everything().Update(ctx, s.DB, kin.Set("slug", "set"))
	require.NoError(t, err)
	_, err = kin.Query[store]().Everything().Delete(ctx, s.DB)
	require.NoError(t, err)
	assert.Empty(t, log.calls)

	// Within a transaction, one savepoint is around all.
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
		x := &store{Name: "X"}
		require.NoError(t, kin.Insert(t.Context(), tx, x))
		s.Wire.Reset()
		require.NoError(t, kin.Delete(t.Context(), tx, x))
		hook := 1
		if s.Dialect().Traits().FailureAborts {
			hook = 3 // with a savepoint around the one INSERT of the hook
		}
		assert.Len(t, s.Wire.Statements(), 3+hook, "a savepoint, the DELETE, the hook's INSERT, and the release")
		return nil
	}))
}

// testHookFailures has the first, the second, the third call of a hook fail,
// and so on: nothing is written, and rows in memory are as they were.
func testHookFailures(t *testing.T, s *Suite) {
	s = hookSuite(t, s)
	old := []*store{{Name: "A"}, {Name: "B"}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, old...))
	stores, trails := s.stores(t), s.trails(t)
	for what, c := range map[string]struct {
		calls int
		write func(ctx context.Context, db kin.Executor) ([]*store, error)
	}{
		"insert": {4, func(ctx context.Context, db kin.Executor) ([]*store, error) {
			rows := []*store{{Name: "X"}, {Name: "Y"}}
			return rows, kin.Insert(ctx, db, rows...)
		}},
		"insert one": {2, func(ctx context.Context, db kin.Executor) ([]*store, error) {
			rows := []*store{{Name: "X"}}
			return rows, kin.Insert(ctx, db, rows...)
		}},
		"update": {4, func(ctx context.Context, db kin.Executor) ([]*store, error) {
			rows := []*store{{ID: old[0].ID, Name: "X"}, {ID: old[1].ID, Name: "Y"}}
			return rows, kin.UpdateAll(ctx, db, rows)
		}},
		"save": {4, func(ctx context.Context, db kin.Executor) ([]*store, error) {
			rows := []*store{{ID: old[0].ID, Name: "X"}, {Name: "Y"}}
			return rows, kin.Save(ctx, db, rows...)
		}},
		"upsert": {4, func(ctx context.Context, db kin.Executor) ([]*store, error) {
			rows := []*store{{Name: "A", Slug: "s"}, {Name: "Y"}}
			return rows, kin.Upsert(ctx, db, rows, kin.OnConflict("name"))
		}},
		"get or create": {2, func(ctx context.Context, db kin.Executor) ([]*store, error) {
			rows := []*store{{Name: "X"}}
			_, _, err := kin.GetOrCreate(ctx, db, rows[0], "name")
			return rows, err
		}},
		"update or create": {3, func(ctx context.Context, db kin.Executor) ([]*store, error) {
			rows := []*store{{Name: "A", Slug: "s"}}
			_, err := kin.UpdateOrCreate(ctx, db, rows[0], "name")
			return rows, err
		}},
		"delete": {4, func(ctx context.Context, db kin.Executor) ([]*store, error) {
			rows := []*store{{ID: old[0].ID, Name: "A"}, {ID: old[1].ID, Name: "B"}}
			return rows, kin.DeleteAll(ctx, db, rows)
		}},
	} {
		for n := 1; n <= c.calls; n++ {
			what := fmt.Sprint(what, ", call ", n)
			ctx, log := s.hooked(t.Context(), n)
			before, err := c.write(ctx, s.DB)
			require.ErrorIs(t, err, errHook, what)
			require.ErrorContains(t, err, " of store: ", what)
			assert.Len(t, log.calls, n, what)
			assert.Equal(t, stores, s.stores(t), what)
			assert.Equal(t, trails, s.trails(t), what)
			for _, x := range before {
				switch x.Name {
				case "X", "Y":
					assert.Empty(t, x.Slug, what)
				}
				if x.ID != 0 {
					assert.Contains(t, []int64{old[0].ID, old[1].ID}, x.ID, what)
				}
			}

			// And in a transaction, which can go on.
			require.NoError(t, s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
				ctx, _ := s.hooked(t.Context(), n)
				_, err := c.write(ctx, tx)
				require.ErrorIs(t, err, errHook, what)
				n, err := kin.Query[store]().Count(t.Context(), tx)
				assert.EqualValues(t, len(stores), n, what)
				return err
			}))
			assert.Equal(t, stores, s.stores(t), what)
			assert.Equal(t, trails, s.trails(t), what)
		}
		ctx, log := s.hooked(t.Context(), 0)
		rolled := errors.New("rolled back")
		require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
			_, err := c.write(ctx, tx)
			require.NoError(t, err, what)
			return rolled
		}), rolled)
		assert.Len(t, log.calls, c.calls, what)
		assert.Equal(t, trails, s.trails(t), what)
	}
	ctx, _ := s.hooked(t.Context(), 3)
	require.EqualError(t, kin.Insert(ctx, s.DB, &store{Name: "X"}, &store{Name: "Y"}), "kin: insert of store: row 1 of 2: AfterInsert: the hook says no")
	ctx, _ = s.hooked(t.Context(), 1)
	require.EqualError(t, kin.Delete(ctx, s.DB, old[0]), fmt.Sprintf("kin: delete of store: store(%d): BeforeDelete: the hook says no", old[0].ID))
}

func testHookCollections(t *testing.T, s *Suite) {
	s = hookSuite(t, s)
	one := &store{Name: "One"}
	a, b, c := &good{Name: "a"}, &good{Name: "b"}, &good{Name: "c"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, one))
	require.NoError(t, kin.Insert(t.Context(), s.DB, a, b, c))
	_, err := one.Goods.Load(t.Context(), s.DB)
	require.NoError(t, err)
	key := fmt.Sprintf("store(%d)", one.ID)
	children := func() []string {
		return s.column(t, "SELECT name FROM goods WHERE store_id IS NOT NULL ORDER BY name")
	}

	ctx, _ := s.hooked(t.Context(), 3)
	require.ErrorIs(t, one.Goods.Add(ctx, s.DB, a, &good{Name: "d"}, b), errHook)
	assert.Empty(t, children())
	assert.True(t, a.Store.IsNull())
	assert.Empty(t, one.Goods.All())

	ctx, log := s.hooked(t.Context(), 0)
	require.NoError(t, one.Goods.Add(ctx, s.DB, a, b))
	assert.Equal(t, []string{
		"before update a of " + key, "before update b of " + key, "after update a of " + key, "after update b of " + key,
	}, log.calls, "as they will be")
	assert.Equal(t, []string{"a", "b"}, children())

	ctx, log = s.hooked(t.Context(), 0)
	require.NoError(t, one.Goods.Remove(ctx, s.DB, a))
	assert.Equal(t, []string{"before update a of good(NULL)", "after update a of good(NULL)"}, nulls(log.calls))
	assert.Equal(t, []string{"b"}, children())
	ctx, log = s.hooked(t.Context(), 0)
	require.NoError(t, one.Goods.Set(ctx, s.DB, a, c))
	assert.Equal(t, []string{
		"load b", "before update b of good(NULL)", "after update b of good(NULL)",
		"before update a of " + key, "before update c of " + key, "after update a of " + key, "after update c of " + key,
	}, nulls(log.calls))
	assert.Equal(t, []string{"a", "c"}, children())
	ctx, _ = s.hooked(t.Context(), 1)
	require.ErrorIs(t, one.Goods.Delete(ctx, s.DB, a), errHook)
	assert.Equal(t, []string{"a", "c"}, children())
	assert.Equal(t, []*good{a, c}, one.Goods.All())
	require.NoError(t, one.Goods.Delete(t.Context(), s.DB, a))
	assert.Equal(t, []string{"c"}, children())
	ctx, _ = s.hooked(t.Context(), 3)
	_, err = one.Goods.Clear(ctx, s.DB)
	require.ErrorIs(t, err, errHook)
	assert.Equal(t, []string{"c"}, children())
	assert.Same(t, one, c.Store.Get())
	ctx, log = s.hooked(t.Context(), 0)
	_, err = one.Goods.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, log.calls, 3, "the load, before and after")
	assert.Empty(t, children())
	assert.True(t, c.Store.IsNull())
}

// nulls writes a NULL as one text, however kin shows it.
func nulls(calls []string) []string {
	for i := range calls {
		calls[i] = strings.ReplaceAll(calls[i], "store(NULL)", "good(NULL)")
	}
	return calls
}

func testAfterLoad(t *testing.T, s *Suite) {
	s = hookSuite(t, s)
	stores := []*store{{Name: "A"}, {Name: "B"}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, stores...))
	for i, name := range []string{"k", "l", "m"} {
		require.NoError(t, kin.Insert(t.Context(), s.DB, &good{Name: name, Store: kin.To(stores[i/2])}))
	}
	ctx, log := s.hooked(t.Context(), 0)
	found, err := kin.Query[store]().SelectRelated("goods").All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"load k", "load l", "load m", "load A", "load B"}, log.calls, "once each, related rows first")
	assert.Equal(t, "A with 2", found[0].loaded, "after relations are linked")
	assert.Equal(t, "l of A", found[0].Goods.All()[1].label)

	ctx, log = s.hooked(t.Context(), 0)
	goods, err := kin.Query[good]().SelectRelated("store__goods").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, goods, 3)
	assert.ElementsMatch(t, []string{"load k", "load l", "load m", "load A", "load B"}, log.calls, "one row is one value")

	ctx, log = s.hooked(t.Context(), 0)
	for x, err := range kin.Query[store]().SelectRelated("goods").Iter(ctx, s.DB) {
		require.NoError(t, err)
		require.NoError(t, logHook(ctx, "got %s", x.loaded))
	}
	assert.Equal(t, []string{"load k", "load l", "load A", "got A with 2", "load m", "load B", "got B with 1"}, log.calls)

	q := kin.Query[store]().OrderBy("name")
	for what, run := range map[string]func(ctx context.Context) error{
		"first":  func(ctx context.Context) error { _, err := q.First(ctx, s.DB); return err },
		"last":   func(ctx context.Context) error { _, err := q.Last(ctx, s.DB); return err },
		"get":    func(ctx context.Context) error { _, err := q.Filter("name", "A").Get(ctx, s.DB); return err },
		"reload": func(ctx context.Context) error { return kin.Reload(ctx, s.DB, stores[0]) },
		"load": func(ctx context.Context) error {
			x := kin.Key[store](stores[0].ID)
			_, err := x.Load(ctx, s.DB)
			return err
		},
	} {
		ctx, log := s.hooked(t.Context(), 0)
		require.NoError(t, run(ctx), what)
		assert.Len(t, log.calls, 1, what)
		ctx, _ = s.hooked(t.Context(), 1)
		err := run(ctx)
		require.ErrorIs(t, err, errHook, what)
		require.ErrorContains(t, err, "kin: AfterLoad of store: ", what)
	}
	ctx, _ = s.hooked(t.Context(), 0)
	_, err = stores[0].Goods.Load(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, "k of A", stores[0].Goods.All()[0].label, "linked to the row that asked")
	s.Exec(t, "UPDATE stores SET name = 'Z' WHERE name = 'A'")
	ctx, _ = s.hooked(t.Context(), 2)
	before := fmt.Sprint(stores[0].Name, stores[0].loaded, stores[1].loaded)
	require.ErrorIs(t, kin.Reload(ctx, s.DB, stores...), errHook)
	assert.Equal(t, before, fmt.Sprint(stores[0].Name, stores[0].loaded, stores[1].loaded), "no row is touched")
	ctx, _ = s.hooked(t.Context(), 2)
	n := 0
	for x, err := range kin.Query[store]().Iter(ctx, s.DB) {
		if n++; n == 2 {
			assert.Nil(t, x)
			require.ErrorIs(t, err, errHook)
		}
	}
	assert.Equal(t, 2, n)
}

func testValidate(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = hookSuite(t, s)
	ok, bad := &good{Name: "ok"}, &good{Name: "bad"}
	s.Wire.Reset()
	err := kin.Insert(ctx, s.DB, ok, bad)
	require.ErrorIs(t, err, errHook)
	require.EqualError(t, err, "kin: insert of good: row 2 of 2: is not valid: the hook says no")
	s.Wire.Want(t, 0, 0)
	assert.Zero(t, ok.ID)
	require.NoError(t, kin.Insert(ctx, s.DB, ok))
	ok.Name = "bad"
	err = kin.Update(ctx, s.DB, ok)
	require.EqualError(t, err, fmt.Sprintf("kin: update of good: good(%d): is not valid: the hook says no", ok.ID))
	require.ErrorIs(t, kin.Upsert(ctx, s.DB, []*good{bad}, kin.OnConflict("name")), errHook)
	require.ErrorIs(t, kin.Save(ctx, s.DB, bad), errHook)
	assert.Equal(t, []string{"ok"}, s.column(t, "SELECT name FROM goods"))
	require.NoError(t, kin.Delete(ctx, s.DB, ok), "what goes need not be valid")
}
