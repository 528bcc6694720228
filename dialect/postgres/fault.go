package postgres

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/kin-orm/kin/dialect"
)

var _ dialect.Classifier = Dialect{}

//nolint:gochecknoglobals // an immutable table of SQLSTATEs
var states = map[string]dialect.FaultKind{
	"23505": dialect.UniqueFault,
	"23503": dialect.KeyFault,
	"23001": dialect.KeyFault,
	"23502": dialect.NullFault,
	"23514": dialect.CheckFault,
	"22001": dialect.LengthFault,
	"22003": dialect.RangeFault,
	"40001": dialect.Conflict,
	"40P01": dialect.Deadlock,
	"55P03": dialect.LockTimeout,
	"57014": dialect.Interrupted,
	"0A000": dialect.StalePlan,    // if the message says so, below
	"57P01": dialect.Disconnected, // the server shuts down, or an administrator ends the session
	"57P02": dialect.Disconnected,
	"57P03": dialect.Disconnected,
	"57P05": dialect.Disconnected, // it was idle for too long
	"25P03": dialect.Disconnected, // the same within a transaction
	"25P04": dialect.Disconnected, // a transaction took too long, which ends the session
}

// Classify implements [dialect.Classifier].
func (Dialect) Classify(err error) dialect.Fault {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		f := dialect.Fault{Kind: states[e.Code], Table: e.TableName, Constraint: e.ConstraintName}
		if strings.HasPrefix(e.Code, "08") { // the class of connection exceptions
			f.Kind = dialect.Disconnected
		}
		if f.Kind == dialect.StalePlan && !strings.Contains(e.Message, "cached plan") {
			f.Kind = dialect.OtherFault
		}
		if e.ColumnName != "" {
			f.Columns = []string{e.ColumnName}
		}
		return f
	}
	// pgx checks integers itself before it sends them, in an error without type.
	text := err.Error()
	if strings.Contains(text, "is greater than maximum value for int") || strings.Contains(text, "is less than minimum value for int") {
		return dialect.Fault{Kind: dialect.RangeFault}
	}
	_, network := errors.AsType[net.Error](err)
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) || network ||
		strings.Contains(text, "conn closed") {
		return dialect.Fault{Kind: dialect.Disconnected}
	}
	return dialect.Fault{}
}
