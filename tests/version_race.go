package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// testVersionRace has goroutines add to one number, each to what it has read:
// whoever is late reads again, and nothing is lost.
func testVersionRace(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, _ = versionSuite(t, s)
	s = s.With(kin.WithRegistry(pageRegistry()))
	newPages(t, s, 1)
	const workers, times = 8, 5
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for i := range workers {
		wg.Go(func() {
			for range times {
				errs[i] = errors.Join(errs[i], s.append(ctx))
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	x, err := kin.Query[page]().Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, x.Body, workers*times)
	assert.EqualValues(t, 1+workers*times, x.Rev)
}

// append adds a letter to the one page, however often it takes.
func (s *Suite) append(ctx context.Context) error {
	for {
		x, err := kin.Query[page]().Get(ctx, s.DB)
		if err != nil {
			return err
		}
		x.Body += "x"
		err = kin.Update(ctx, s.DB, x)
		if !errors.Is(err, kin.ErrStale) && !errors.Is(err, kin.ErrDeadlock) && !errors.Is(err, kin.ErrConflict) {
			return err
		}
	}
}

func pageRegistry() *kin.Registry {
	var r kin.Registry
	kin.Register[page](&r)
	kin.Register[folder](&r)
	return &r
}

// testVersionFaulty lets each call of a write go wrong: rows in memory are as
// they were, and fit the table.
func testVersionFaulty(t *testing.T, s *Suite) {
	s, _ = versionSuite(t, s)
	faulty := &Faulty{}
	pool := sql.OpenDB(s.Keeping(faulty.Connector(s.Wire.Base)))
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	db := kin.New(pool, s.Dialect(), kin.WithRegistry(pageRegistry()))
	for what, write := range map[string]func(ctx context.Context, pages, fresh []*page, f *folder) error{
		"insert": func(ctx context.Context, _, fresh []*page, _ *folder) error { return kin.Insert(ctx, db, fresh...) },
		"update": func(ctx context.Context, pages, _ []*page, _ *folder) error { return kin.UpdateAll(ctx, db, pages) },
		"update one": func(ctx context.Context, pages, _ []*page, _ *folder) error {
			return kin.Update(ctx, db, pages[0])
		},
		"upsert": func(ctx context.Context, pages, fresh []*page, _ *folder) error {
			return kin.Upsert(ctx, db, append(pages[:1:1], fresh...), kin.OnConflict("title").Update("body"))
		},
		"add": func(ctx context.Context, pages, _ []*page, f *folder) error {
			return f.Pages.Add(ctx, db, pages[1:2]...)
		},
		"create": func(ctx context.Context, _, fresh []*page, f *folder) error {
			return f.Pages.Create(ctx, db, fresh...)
		},
		"set": func(ctx context.Context, pages, _ []*page, f *folder) error {
			return f.Pages.Set(ctx, db, pages[:2]...)
		},
		"clear": func(ctx context.Context, _, _ []*page, f *folder) error {
			_, err := f.Pages.Clear(ctx, db)
			return err
		},
		"transaction": func(ctx context.Context, pages, _ []*page, _ *folder) error {
			return db.Tx(ctx, func(tx *kin.Tx) error {
				if err := kin.Update(ctx, tx, pages[0]); err != nil {
					return err
				}
				return kin.UpdateAll(ctx, tx, pages[:2])
			})
		},
	} {
		for n := 1; ; n++ {
			require.Less(t, n, 100)
			what := fmt.Sprint(what, ", call ", n)
			s.Exec(t, "DELETE FROM pages")
			pages := newPages(t, s, 3)
			fresh := []*page{{Wiki: "w", Number: 7, Title: "page 7"}, {Wiki: "w", Number: 8, Title: "page 8"}}
			f := &folder{Name: "f"}
			require.NoError(t, kin.Insert(t.Context(), s.DB, f))
			_, err := f.Pages.Load(t.Context(), s.DB)
			require.NoError(t, err)
			require.NoError(t, f.Pages.Add(t.Context(), s.DB, pages[0], pages[2]))
			before, memory := s.pages(t), versions(pages)
			faulty.arm(faultError, n, func() {})
			err = write(t.Context(), pages, fresh, f)
			hit := faulty.disarm()
			if err != nil {
				require.ErrorIs(t, err, errInjected, what)
				assert.Equal(t, before, s.pages(t), what)
				assert.Equal(t, memory, versions(pages), what)
				assert.Equal(t, []int{0, 0}, versions(fresh), what)
				assert.Equal(t, []*page{pages[0], pages[2]}, f.Pages.All(), what)
			}
			if !hit.fired {
				break
			}
		}
	}
}

func versions(pages []*page) []int {
	list := make([]int, len(pages))
	for i, p := range pages {
		list[i] = int(p.Rev)
	}
	return list
}
