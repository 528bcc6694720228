package growth

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// BenchmarkParallel is one query value that 1, 4 and 16 goroutines run, and the
// same by one prepared statement of database/sql: what is measured is a run.
func BenchmarkParallel(b *testing.B) {
	for _, name := range databases {
		db := open(b, name, 1)
		pool := db.SQL()
		pool.SetMaxOpenConns(16)
		pool.SetMaxIdleConns(16)
		one := kin.Query[student]().SelectRelated("class").Filter("id", 7)
		list := kin.Query[student]().Filter("class", 3)
		text := "SELECT s.id, s.name, s.class_id, s.category_id, c.id, c.name FROM g_students s LEFT JOIN g_classes c ON c.id = s.class_id WHERE s.id = 7"
		stmt, err := pool.PrepareContext(b.Context(), text)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, stmt.Close()) })
		for _, work := range []struct {
			name string
			run  func(context.Context) error
		}{
			{"kin", func(ctx context.Context) error {
				_, err := one.Get(ctx, db)
				return err
			}},
			{"sql", func(ctx context.Context) error { return scanned(ctx, stmt) }},
			{"kin-list", all(db, list)},
		} {
			for _, goroutines := range []int{1, 4, 16} {
				b.Run(fmt.Sprintf("%s/%s/%d", name, work.name, goroutines), func(b *testing.B) {
					parallel(b, goroutines, work.run)
				})
			}
		}
	}
}

func scanned(ctx context.Context, stmt *sql.Stmt) error {
	s, c := new(student), new(class)
	var classID, categoryID sql.Null[int64]
	return stmt.QueryRowContext(ctx).Scan(&s.ID, &s.Name, &classID, &categoryID, &c.ID, &c.Name)
}

// parallel has so many goroutines share b.N runs.
func parallel(b *testing.B, goroutines int, run func(context.Context) error) {
	b.Helper()
	require.NoError(b, run(b.Context()))
	b.ResetTimer()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < b.N; i += goroutines {
				if err := run(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
