package push_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/push"
)

// TestStress reads rows of many widths on connections that come and go, with
// statements that fail, are cancelled, or have no rows: nobody gets another's row.
func TestStress(t *testing.T) {
	t.Parallel()
	inner, err := sqlite.NewConnector("file:" + filepath.Join(t.TempDir(), "x.db") + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)")
	require.NoError(t, err)
	pool := sql.OpenDB(push.Always(inner))
	defer pool.Close()
	pool.SetMaxIdleConns(2)
	_, err = pool.Exec("CREATE TABLE numbers (n integer PRIMARY KEY)")
	require.NoError(t, err)
	_, err = pool.Exec("WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 500) INSERT INTO numbers SELECT n FROM r")
	require.NoError(t, err)
	stop := errors.New("stop")
	var all sync.WaitGroup
	for worker := range 12 {
		all.Go(func() {
			s := exec.Session{Runner: pool, Kept: exec.NewKept(pool)}
			for i := range 300 {
				width := 1 + (worker+i)%9
				columns := []string{"n"}
				for c := 1; c < width; c++ {
					columns = append(columns, strconv.Itoa(1000*worker+c))
				}
				limit := []int{0, 1, 3, 100, 500}[i%5]
				query := "SELECT " + strings.Join(columns, ", ") + " FROM numbers WHERE n <= ? ORDER BY n DESC"
				ctx, cancel := context.WithCancel(t.Context())
				fail := i % 3
				n, err := s.Each(ctx, query, []driver.Value{int64(limit)}, width, 0, func(row []driver.Value) error {
					if len(row) != width || row[0].(int64) > int64(limit) || width > 1 && row[width-1] != int64(1000*worker+width-1) {
						return fmt.Errorf("a wrong row: %v", row)
					}
					switch {
					case fail == 1 && row[0] == int64(50):
						return stop
					case fail == 2 && row[0] == int64(70):
						cancel()
					}
					return nil
				})
				cancel()
				ends := limit >= 100
				switch {
				case fail == 1 && ends && errors.Is(err, stop), fail == 2 && ends && errors.Is(err, context.Canceled):
				case fail == 1 && ends, err != nil, n != int64(limit): // a context may end when all has come
					t.Errorf("%d rows of %d, failing by %d: %v", n, limit, fail, err)
					return
				}
			}
		})
	}
	all.Wait()
}
