package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/kin-orm/kin"
)

// Open opens a database: dsn is a URL or a list of settings, as pgx takes
// them. Every connection has the time zone UTC.
func Open(ctx context.Context, dsn string, options ...kin.Option) (*kin.DB, error) {
	connector, err := NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector)
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("kin: open PostgreSQL: %w", err)
	}
	return kin.New(pool, Dialect{}, options...), nil
}

// NewConnector returns what [Open] makes its pool of, for callers that put
// something between, such as tracing, and pass the pool to [kin.New].
func NewConnector(dsn string) (driver.Connector, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("kin: open PostgreSQL: %w", err) // pgx leaves the password out
	}
	config.RuntimeParams["timezone"] = "UTC"
	return stdlib.GetConnector(*config), nil
}
