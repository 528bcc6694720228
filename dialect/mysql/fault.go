package mysql

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/kin-orm/kin/dialect"
)

var _ dialect.Classifier = Dialect{}

//nolint:gochecknoglobals // an immutable table of error numbers
var numbers = map[uint16]dialect.FaultKind{
	1062: dialect.UniqueFault,
	1586: dialect.UniqueFault,
	1216: dialect.KeyFault,
	1217: dialect.KeyFault,
	1451: dialect.KeyFault,
	1452: dialect.KeyFault,
	1048: dialect.NullFault,
	1364: dialect.NullFault, // no value, and no default
	3819: dialect.CheckFault,
	4025: dialect.CheckFault, // MariaDB
	1406: dialect.LengthFault,
	1264: dialect.RangeFault,
	1690: dialect.RangeFault,
	1213: dialect.Deadlock,
	1020: dialect.Conflict, // MariaDB: the record has changed since the last read
	1205: dialect.LockTimeout,
	3572: dialect.LockTimeout, // NOWAIT
	1317: dialect.Interrupted,
	1969: dialect.Interrupted,  // MariaDB: max_statement_time
	3024: dialect.Interrupted,  // MySQL: max_execution_time
	1927: dialect.Disconnected, // MariaDB: the connection was killed
	4031: dialect.Disconnected, // MySQL: it was idle for too long
	1053: dialect.Disconnected, // the server shuts down
	2006: dialect.Disconnected,
	2013: dialect.Disconnected,
}

// Classify implements [dialect.Classifier]. The server's messages are the
// only place where it says which column or constraint it speaks of.
func (Dialect) Classify(err error) dialect.Fault {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		f := dialect.Fault{Kind: numbers[e.Number]}
		f.EndsTx = f.Kind == dialect.Deadlock || f.Kind == dialect.Conflict
		switch f.Kind {
		case dialect.UniqueFault:
			f.Constraint = lastQuoted(e.Message, "for key ")
			if table, name, found := strings.Cut(f.Constraint, "."); found { // MySQL
				f.Table, f.Constraint = table, name
			}
		case dialect.KeyFault:
			f.Constraint = between(e.Message, "CONSTRAINT `", "` FOREIGN KEY")
		case dialect.CheckFault:
			f.Constraint = between(e.Message, "CONSTRAINT `", "` failed")
			if f.Constraint == "" {
				f.Constraint = between(e.Message, "Check constraint '", "' is violated")
			}
		case dialect.NullFault, dialect.LengthFault, dialect.RangeFault:
			if name := between(e.Message, "olumn '", "'"); name != "" {
				f.Columns = []string{name}
			} else if name := between(e.Message, "Field '", "'"); name != "" {
				f.Columns = []string{name}
			}
		default:
		}
		return f
	}
	_, network := errors.AsType[net.Error](err)
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.ErrUnexpectedEOF) || network {
		return dialect.Fault{Kind: dialect.Disconnected}
	}
	return dialect.Fault{}
}

// between returns what stands between two marks, or nothing.
func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, found := strings.Cut(s, after)
	if !found {
		return ""
	}
	return s
}

// lastQuoted returns what stands in quotes after the last mark: the values
// before it may hold anything.
func lastQuoted(s, mark string) string {
	i := strings.LastIndex(s, mark)
	if i < 0 {
		return ""
	}
	return strings.Trim(s[i+len(mark):], "'`")
}
