package sqlite

import (
	"database/sql/driver"
	"errors"
	"strings"

	sqlite3 "modernc.org/sqlite"

	"github.com/kin-orm/kin/dialect"
)

var _ dialect.Classifier = Dialect{}

// The extended result codes that are told apart (sqlite.org/rescode.html).
const (
	codeBusy       = 5
	codeLocked     = 6
	codeNoMemory   = 7
	codeInterrupt  = 9
	codeIO         = 10
	codeFull       = 13
	codeTooBig     = 18
	codeConstraint = 19
	codeCheck      = codeConstraint | 1<<8
	codeForeignKey = codeConstraint | 3<<8
	codeNotNull    = codeConstraint | 5<<8
	codePrimaryKey = codeConstraint | 6<<8
	codeTrigger    = codeConstraint | 7<<8
	codeUnique     = codeConstraint | 8<<8
	codeRowID      = codeConstraint | 10<<8
	codeSnapshot   = codeBusy | 2<<8
)

// Classify implements [dialect.Classifier].
func (Dialect) Classify(err error) dialect.Fault {
	if errors.Is(err, driver.ErrBadConn) {
		return dialect.Fault{Kind: dialect.Disconnected}
	}
	e, ok := errors.AsType[*sqlite3.Error](err)
	if !ok {
		return dialect.Fault{}
	}
	switch code := e.Code(); code {
	case codeUnique, codePrimaryKey, codeRowID:
		return named(dialect.UniqueFault, e.Error())
	case codeNotNull:
		return named(dialect.NullFault, e.Error())
	case codeCheck:
		return checked(e.Error())
	case codeForeignKey, codeTrigger:
		return dialect.Fault{Kind: dialect.KeyFault}
	case codeSnapshot:
		return dialect.Fault{Kind: dialect.Conflict}
	default:
		switch code & 0xff {
		case codeBusy, codeLocked:
			return dialect.Fault{Kind: dialect.LockTimeout}
		case codeInterrupt:
			return dialect.Fault{Kind: dialect.Interrupted, EndsTx: true}
		case codeNoMemory, codeIO, codeFull:
			return dialect.Fault{EndsTx: true}
		case codeTooBig:
			return dialect.Fault{Kind: dialect.LengthFault}
		}
	}
	return dialect.Fault{}
}

// after returns what follows "constraint failed: " in a message, up to the
// code that the driver adds.
func after(message string) string {
	const mark = "constraint failed: "
	i := strings.LastIndex(message, mark)
	if i < 0 {
		return ""
	}
	text := message[i+len(mark):]
	if j := strings.LastIndex(text, " ("); j >= 0 {
		text = text[:j]
	}
	return text
}

// named reads "students.class_id, students.name".
func named(kind dialect.FaultKind, message string) dialect.Fault {
	f := dialect.Fault{Kind: kind}
	if name, found := strings.CutPrefix(after(message), "index '"); found { // of one with expressions
		f.Constraint = strings.ReplaceAll(strings.TrimSuffix(name, "'"), "''", "'")
		return f
	}
	for part := range strings.SplitSeq(after(message), ", ") {
		table, column, found := strings.Cut(part, ".")
		if !found {
			f.Constraint = part
			continue
		}
		f.Table = table
		f.Columns = append(f.Columns, column)
	}
	return f
}

// checked reads the name of a check, or its condition if it has none: kin
// gives none to those that bound a size.
func checked(message string) dialect.Fault {
	text := after(message)
	if column, found := strings.CutPrefix(text, `length("`); found {
		if column, _, found := strings.Cut(column, `") <= `); found {
			return dialect.Fault{Kind: dialect.LengthFault, Columns: []string{strings.ReplaceAll(column, `""`, `"`)}}
		}
	}
	return dialect.Fault{Kind: dialect.CheckFault, Constraint: text}
}
