package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/kin-orm/kin/dialect"
)

var _ dialect.Copier = Dialect{}

// copies counts the columns of a table that COPY serves for: into a view it
// does not go, row security forbids it, and of types that pgx does not know it
// cannot send the binary form.
const copies = `SELECT count(*) FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid AND t.typnamespace = 'pg_catalog'::regnamespace
WHERE c.oid = to_regclass($1) AND a.attname = ANY($2) AND c.relkind IN ('r', 'p') AND NOT row_security_active(c.oid)
AND t.typname IN ('bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'varchar', 'bpchar',
'bytea', 'timestamptz', 'timestamp', 'date', 'uuid', 'json', 'jsonb')`

// A copier is a connection that copies: pgx's own, or a driver's that stands
// before it.
type copier interface {
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

func copierOf(conn any) copier {
	switch conn := conn.(type) {
	case copier:
		return conn
	case interface{ Conn() *pgx.Conn }:
		return conn.Conn()
	}
	return nil
}

// CanCopy implements [dialect.Copier].
func (Dialect) CanCopy(conn any) bool { return copierOf(conn) != nil }

// Copy implements [dialect.Copier] by COPY … FROM STDIN, in its binary form.
func (Dialect) Copy(ctx context.Context, conn any, table string, columns []string, next func() ([]driver.Value, error)) (int64, error) {
	rows := source{next: next, row: make([]any, len(columns))}
	n, err := copierOf(conn).CopyFrom(ctx, pgx.Identifier{table}, columns, &rows)
	if rows.err != nil {
		return n, rows.err
	}
	// What the client refuses comes back as an error of the server, which was
	// told to give up.
	if e, is := errors.AsType[*pgconn.PgError](err); is && e.Code == "57014" {
		if text, refused := strings.CutPrefix(e.Message, "COPY from stdin failed: "); refused {
			err = errors.New(text)
		}
	}
	return n, err
}

// A source gives pgx the rows.
type source struct {
	next func() ([]driver.Value, error)
	row  []any
	err  error
}

func (s *source) Next() bool {
	values, err := s.next()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			s.err = err
		}
		return false
	}
	for i, v := range values {
		s.row[i] = v
	}
	return true
}

func (s *source) Values() ([]any, error) { return s.row, nil }

func (s *source) Err() error { return s.err }
