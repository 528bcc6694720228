package harness

import (
	"context"
	"database/sql/driver"
	"io"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"modernc.org/sqlite"

	"github.com/kin-orm/kin/internal/push"
)

// A Wire counts the statements that are run on a database's connections, and
// the rows that are read from them. It stands below database/sql, so that
// nothing that kin reports of itself is believed.
type Wire struct {
	// Base is the connector below, for a pool that is not counted.
	Base driver.Connector

	mu         sync.Mutex
	statements []string
	rows       int
	prepared   int // statements
	open       int // of those, how many are not closed
}

// Prepared returns how many statements have been prepared, and how many of those
// are there still. Reset does not forget them.
func (w *Wire) Prepared() (prepared, open int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.prepared, w.open
}

func (w *Wire) prepare(prepared, open int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.prepared, w.open = w.prepared+prepared, w.open+open
}

// Reset forgets what was counted.
func (w *Wire) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statements, w.rows = nil, 0
}

// Statements returns the texts of the statements since the last Reset.
func (w *Wire) Statements() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.statements...)
}

// Rows returns the number of rows read since the last Reset.
func (w *Wire) Rows() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rows
}

// Pause returns a function that makes w forget what was counted meanwhile:
// what the test asks by itself.
func (w *Wire) Pause() func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	statements, rows := len(w.statements), w.rows
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.statements, w.rows = w.statements[:statements], rows
	}
}

// Want checks how many statements were run and rows were read since the last
// Reset, and resets.
func (w *Wire) Want(t testing.TB, statements, rows int) {
	t.Helper()
	texts := w.Statements()
	assert.Len(t, texts, statements, "statements")
	assert.Equal(t, rows, w.Rows(), "rows read by %q", texts)
	w.Reset()
}

func (w *Wire) statement(query string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statements = append(w.statements, query)
}

func (w *Wire) row() { w.pushed(1) }

func (w *Wire) pushed(rows int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows += rows
}

// Connector returns a connector whose connections are counted.
func (w *Wire) Connector(c driver.Connector) driver.Connector {
	w.Base = c
	return &wireConnector{c, w}
}

type wireConnector struct {
	driver.Connector
	wire *Wire
}

func (c *wireConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &WireConn{conn, c.wire}, nil
}

func (c *wireConnector) Close() error {
	if closer, ok := c.Connector.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// A WireConn passes all on that the three drivers' connections can do.
type WireConn struct {
	driver.Conn
	Wire *Wire
}

// QueryContext implements [driver.QueryerContext].
func (c *WireConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	c.Wire.statement(query)
	return &wireRows{rows, c.Wire}, nil
}

// ExecContext implements [driver.ExecerContext].
func (c *WireConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
	if err == nil {
		c.Wire.statement(query)
	}
	return result, err
}

// PrepareContext implements [driver.ConnPrepareContext].
func (c *WireConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.Wire.prepare(1, 1)
	return &wireStmt{stmt, c, query}, nil
}

// BeginTx implements [driver.ConnBeginTx].
func (c *WireConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

// Ping implements [driver.Pinger].
func (c *WireConn) Ping(ctx context.Context) error { return c.Conn.(driver.Pinger).Ping(ctx) }

// ResetSession implements [driver.SessionResetter].
func (c *WireConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// IsValid implements [driver.Validator].
func (c *WireConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

// ColumnInfo is what SQLite says of the columns of a query.
func (c *WireConn) ColumnInfo(query string) ([]sqlite.ColumnInfo, error) {
	conn := c.Conn
	if inner, ok := conn.(interface{ Raw() driver.Conn }); ok {
		conn = inner.Raw()
	}
	return conn.(interface {
		ColumnInfo(query string) ([]sqlite.ColumnInfo, error)
	}).ColumnInfo(query)
}

// CheckNamedValue implements [driver.NamedValueChecker].
func (c *WireConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type wireStmt struct {
	driver.Stmt
	conn  *WireConn
	query string
}

func (s *wireStmt) Close() error {
	s.conn.Wire.prepare(0, -1)
	return s.Stmt.Close()
}

func (s *wireStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if query, ok := push.Query(s.query); ok {
		if n := int(push.Rows(args[len(args)-1].Value)); err == nil || n > 0 {
			s.conn.Wire.statement(query)
			s.conn.Wire.pushed(n)
		}
		return rows, err
	}
	if err != nil {
		return nil, err
	}
	s.conn.Wire.statement(s.query)
	return &wireRows{rows, s.conn.Wire}, nil
}

func (s *wireStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	result, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	if err == nil {
		s.conn.Wire.statement(s.query)
	}
	return result, err
}

func (s *wireStmt) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := s.Stmt.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return s.conn.CheckNamedValue(v)
}

type wireRows struct {
	driver.Rows
	wire *Wire
}

func (r *wireRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err == nil {
		r.wire.row()
	}
	return err
}

// CopyFrom is COPY on PostgreSQL, which counts as one statement.
func (c *WireConn) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	n, err := c.Conn.(interface{ Conn() *pgx.Conn }).Conn().CopyFrom(ctx, table, columns, rows)
	if err == nil {
		c.Wire.statement("COPY " + table.Sanitize())
	}
	return n, err
}
