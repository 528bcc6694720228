package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"

	sqlite3 "modernc.org/sqlite"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/push"
)

// Open opens the database in a file, which is created if it is not there, or
// a private one in memory if the name is ":memory:". Parameters of the driver
// may follow the name after "?", and a name that begins with "file:" is taken
// for the driver's own form.
//
// Every connection has foreign keys on, waits up to five seconds for a lock,
// begins transactions for writing (BEGIN IMMEDIATE), and takes a misspelt
// name in double quotes for a mistake. A file is in WAL mode, in which
// readers and a writer do not wait for each other. All connections to
// ":memory:" see one database, which lives until the DB is closed; a reader
// there must come to its end before a writer can commit.
func Open(ctx context.Context, name string, options ...kin.Option) (*kin.DB, error) {
	connector, err := NewConnector(ctx, name)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector)
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("kin: open SQLite: %w", err)
	}
	return kin.New(pool, Dialect{}, options...), nil
}

// NewConnector returns what [Open] makes its pool of, for callers that put
// something between, such as tracing, and pass the pool to [kin.New].
//
// Its connections keep the statements prepared that kin runs again and again, and
// hand the rows of queries to a function of kin, kin_push, while SQLite runs them,
// which takes half the time of asking for each. Where something stands between the
// pool and them, kin asks; [dialect.KeepStatements] around that keeps statements.
// What only the driver's own connection can do, such as a backup, is reached by
// their method Raw:
//
//	conn.Raw(func(c any) error {
//		own := c.(interface{ Raw() driver.Conn }).Raw()
//		…
//	})
func NewConnector(ctx context.Context, name string) (driver.Connector, error) {
	connector, err := newConnector(ctx, name)
	if err != nil {
		return nil, err
	}
	if strings.Contains(name, "_inttotime") || strings.Contains(name, "_texttotime") { // which are said of rows that are asked for
		return dialect.KeepStatements(connector), nil
	}
	return push.Connector(connector), nil
}

func newConnector(ctx context.Context, name string) (driver.Connector, error) {
	dsn, memory := dataSource(name)
	connector, err := sqlite3.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("kin: open SQLite: %w", err)
	}
	if !memory {
		return connector, nil
	}
	keeper, err := connector.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("kin: open SQLite: %w", err)
	}
	return &kept{connector, keeper}, nil
}

//nolint:gochecknoglobals // so that no two databases in memory share a name
var memories atomic.Int64

// dataSource returns the driver's name for a database, and whether it is in
// memory.
func dataSource(name string) (dsn string, memory bool) {
	name, query, _ := strings.Cut(name, "?")
	settings := url.Values{}
	settings.Add("_pragma", "busy_timeout(5000)")
	settings.Add("_pragma", "foreign_keys(1)")
	settings.Set("_txlock", "immediate")
	settings.Set("_dqs", "0")
	if memory = name == ":memory:"; memory {
		// The VFS memdb shares a database whose name begins with a slash
		// among the connections of a process.
		name = fmt.Sprintf("file:/kin-%d", memories.Add(1))
		settings.Set("vfs", "memdb")
	} else {
		settings.Add("_pragma", "journal_mode(WAL)")
		settings.Add("_pragma", "synchronous(NORMAL)")
		if !strings.HasPrefix(name, "file:") {
			name = "file:" + (&url.URL{Path: name}).EscapedPath()
		}
	}
	dsn = name + "?" + settings.Encode()
	if query != "" {
		dsn += "&" + query
	}
	return dsn, memory
}

// kept is a connector for a database in memory, which would vanish with its
// last connection. It holds one of its own until the pool is closed.
type kept struct {
	driver.Connector
	keeper driver.Conn
}

// Close implements [io.Closer], which [sql.DB.Close] calls.
func (k *kept) Close() error { return k.keeper.Close() }
