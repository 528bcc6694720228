package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect"
)

// Open opens a database of MariaDB or MySQL: dsn is as the driver takes it,
// such as "user:password@tcp(127.0.0.1:3306)/school".
//
// Every connection has a strict sql_mode, in which
// zero dates are refused, the time zone UTC, utf8mb4, and counts rows that match
// rather than those that change. Texts sort by their first 5,000 characters or
// so (max_sort_length). Parameters of dsn do not override these.
func Open(ctx context.Context, dsn string, options ...kin.Option) (*kin.DB, error) {
	connector, err := NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector)
	var version string
	if err := pool.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("kin: open MySQL: %w", err)
	}
	d := Dialect{MySQL: !strings.Contains(version, "MariaDB")}
	return kin.New(pool, d, options...), nil
}

// NewConnector returns what [Open] makes its pool of, for callers that put
// something between, such as tracing, and pass the pool to [kin.New].
//
// Its connections keep the statements prepared that kin runs again and again, up
// to 100 each. The driver's own connection is what their method Raw returns.
func NewConnector(dsn string) (driver.Connector, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		// The driver's errors say what is wrong and do not repeat the text.
		return nil, fmt.Errorf("kin: open MySQL: %w", err)
	}
	config.ParseTime = true
	config.Loc = time.UTC
	config.ClientFoundRows = true
	config.MultiStatements = false
	config.Collation = "utf8mb4_bin" // both servers have it
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	config.Params["time_zone"] = "'+00:00'"
	config.Params["sql_mode"] = "'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE," +
		"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY'"
	// The servers sort texts by their first bytes only, 1,024 by default, and
	// leave those that differ later in any order. More than this, and their
	// own default for the memory of a sort does not do for several columns.
	config.Params["max_sort_length"] = "16384"
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("kin: open MySQL: %w", err)
	}
	return dialect.KeepStatements(connector), nil
}
