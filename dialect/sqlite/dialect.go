// Package sqlite is kin's dialect for SQLite, with the pure Go driver
// modernc.org/sqlite.
package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	bundialect "github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/dialect/feature"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	sqlite3 "modernc.org/sqlite"

	"github.com/kin-orm/kin/dialect"
)

// Dialect is SQLite, version 3.37 or newer. The zero value is ready to use.
type Dialect struct{}

var _ dialect.Dialect = Dialect{}

//nolint:gochecknoglobals // immutable facts
var (
	bun    = sqlitedialect.New()
	traits = dialect.Traits{
		// The default of SQLite since 3.32, and what modernc's build has.
		MaxParams: 32766,

		KeepPrepared: true,
		MaxJoins:     64,

		List:     "SELECT value FROM json_each({p})",
		ListType: func(dialect.Type) string { return "" },

		AnyTypes:    true,
		OrderedJoin: " CROSS JOIN ",
		TupleValues: true,

		Distinct: "{c} IS NOT {p}",
		Match: dialect.Match{
			Contains:   "instr({c}, {p}) > 0",
			HasPrefix:  "{c} GLOB {p}",
			HasSuffix:  "{c} GLOB {p}",
			IExact:     "kin_lower({c}) = kin_lower({p})",
			IContains:  "instr(kin_lower({c}), kin_lower({p})) > 0",
			IHasPrefix: "kin_lower({c}) GLOB kin_lower({p})",
			IHasSuffix: "kin_lower({c}) GLOB kin_lower({p})",
			Like:       "{c} GLOB {p}",
			Regexp:     "kin_regexp({c}, {p})",
			Pattern: dialect.Pattern{
				Special: "*?[", Escape: "[", EscapeEnd: "]", Any: "*", One: "?",
				PlainContains: true,
			},
		},

		//nolint:dupword // END END is SQL
		JSON: dialect.JSONForms{
			Path: "({d} -> {p})",
			Text: "CASE json_type({j}) WHEN 'text' THEN {j} ->> '$' END",
			Integer: "CASE WHEN json_type({j}) IN ('integer', 'real') THEN CASE typeof({j} ->> '$') WHEN 'integer' THEN {j} ->> '$' " +
				"WHEN 'real' THEN CASE WHEN {j} ->> '$' = round({j} ->> '$') AND abs({j} ->> '$') < 9223372036854775808.0 " +
				"THEN CAST({j} ->> '$' AS INTEGER) END END END",
			Float:    "CASE WHEN json_type({j}) IN ('integer', 'real') AND abs(CAST({j} ->> '$' AS REAL)) < 1.7976931348623157e308 THEN CAST({j} ->> '$' AS REAL) END",
			Bool:     "CASE json_type({j}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END",
			Raw:      "{j}",
			Contains: "kin_json_contains({c}, {p})",
		},

		TextTime: true,

		WideIntegers: true,
		RawColumn:    "+",
		NoIndex:      "+",
		ValuesTable:  true,
		LastKeys: []string{
			"SELECT max(ifnull((SELECT max({c}) FROM {t}), 0), ifnull((SELECT seq FROM sqlite_sequence WHERE name = ?), 0))",
			"SELECT ifnull(max({c}), 0) FROM {t} WHERE ?1 = ?1", // without AUTOINCREMENT anywhere
		},
		Returning: bun.Features().Has(feature.InsertReturning),

		Tables:         "SELECT name FROM sqlite_master WHERE type = 'table'",
		EmptyInsert:    "DEFAULT VALUES",
		Generated:      "PRIMARY KEY AUTOINCREMENT",
		GeneratedIsKey: true,
		StrictSuffix:   " STRICT",
		CheckSize:      true,
		BeforeDrop:     "PRAGMA defer_foreign_keys = ON",
		NoLimit:        "-1",
		SerialOnly:     true,
		Explain:        "EXPLAIN QUERY PLAN ",
		Lexis:          dialect.Lexis{Backticks: true, Brackets: true},
		InTx:           "BEGIN",
		NotInTx:        "ROLLBACK",

		PartialIndexes:    true,
		ExpressionIndexes: true,

		ReadsChanges:    true,
		IntegerDivision: " / ",
		Functions:       functions,
	}
)

// Name returns "sqlite".
func (Dialect) Name() string { return "sqlite" }

// AppendIdent implements [dialect.Dialect].
func (Dialect) AppendIdent(b []byte, name string) []byte {
	return bundialect.AppendName(b, name, bun.IdentQuote())
}

// AppendParam appends "?". Numbered parameters are slower by an order of
// magnitude in statements with thousands of them.
func (Dialect) AppendParam(b []byte, _ int) []byte { return append(b, '?') }

// ColumnType implements [dialect.Dialect]. The types are those that STRICT
// tables have, so that no column holds a value of another type.
func (Dialect) ColumnType(t dialect.Type) (string, error) {
	switch t.Kind {
	case dialect.Bool, dialect.Int, dialect.Uint:
		return "INTEGER", nil
	case dialect.Float:
		return "REAL", nil
	case dialect.String, dialect.Time, dialect.UUID, dialect.JSON:
		return "TEXT", nil
	case dialect.Bytes:
		return "BLOB", nil
	case dialect.Custom:
		return "ANY", nil
	case dialect.Array:
		return "", errors.New("sqlite: no column keeps a list; store it as JSON (`kin:\",json\"`)")
	case dialect.Invalid:
	}
	return "", fmt.Errorf("sqlite: no column type for kind %d", t.Kind)
}

// Traits implements [dialect.Dialect].
func (Dialect) Traits() *dialect.Traits { return &traits }

// SQLite's own lower() and upper() know ASCII only. Functions belong to the driver, not
// to a connection, so this must happen before the first one is opened.
//
//nolint:gochecknoinits // registers with the driver, as drivers do themselves
func init() {
	sqlite3.MustRegisterDeterministicScalarFunction("kin_regexp", 2, matches)
	sqlite3.MustRegisterDeterministicScalarFunction("kin_json_contains", 2, holds)
	for name, cased := range map[string]func(string) string{"kin_lower": strings.ToLower, "kin_upper": strings.ToUpper} {
		sqlite3.MustRegisterDeterministicScalarFunction(name, 1,
			func(_ *sqlite3.FunctionContext, args []driver.Value) (driver.Value, error) {
				if s, ok := args[0].(string); ok {
					return cased(s), nil
				}
				return args[0], nil
			})
	}
}
