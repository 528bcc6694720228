// Package mysql is kin's dialect for MariaDB and MySQL, with the driver
// github.com/go-sql-driver/mysql.
package mysql

import (
	"errors"
	"fmt"
	"strconv"

	bundialect "github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/dialect/mysqldialect"

	"github.com/kin-orm/kin/dialect"
)

// Dialect is MariaDB, version 10.10 or newer, or MySQL, version 8.0.17 or
// newer. The zero value is MariaDB; [Open] asks the server which one it is.
type Dialect struct {
	// MySQL is whether the server is MySQL rather than MariaDB.
	MySQL bool
}

var _ dialect.Dialect = Dialect{}

// Both collations compare by code point and do not pad: the servers'
// defaults hold 'abc', 'ABC' and 'abc ' for equal.
const (
	mariaCollation = "utf8mb4_nopad_bin"
	mysqlCollation = "utf8mb4_0900_bin"
)

// LOWER knows the letters that the collation of its argument knows: under
// those above, only letters of old versions of Unicode.
const (
	mariaLetters = "utf8mb4_uca1400_as_cs"
	mysqlLetters = "utf8mb4_0900_as_cs"
)

//nolint:gochecknoglobals // immutable facts
var (
	bun         = mysqldialect.New()
	mariaTraits = newTraits(mariaCollation, mariaLetters, false)
	mysqlTraits = newTraits(mysqlCollation, mysqlLetters, true)
)

func newTraits(collation, letters string, isMySQL bool) dialect.Traits {
	const escape = " ESCAPE '!'"
	const numbers = "('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')" // of JSON
	forShare, analyze := " LOCK IN SHARE MODE", "ANALYZE FORMAT=JSON "
	if isMySQL { // which has the older words too, but no OF and no SKIP LOCKED after them
		forShare, analyze = " FOR SHARE", ""
	}
	param := "{p} COLLATE " + collation
	lowerColumn := "LOWER(CONVERT({c} USING utf8mb4) COLLATE " + letters + ") COLLATE " + collation
	lowerParam := "LOWER({p} COLLATE " + letters + ") COLLATE " + collation
	return dialect.Traits{
		MaxParams: 65535,

		KeepPrepared: true, BinaryPrepared: true,
		MaxJoins:   61,
		MaxIdent:   64,
		IdentChars: true,

		List:     "SELECT v{collate} FROM JSON_TABLE({p}, '$[*]' COLUMNS (v {t} PATH '$')) AS kin_list",
		ListType: listType,

		UnionText:    "CONVERT({c} USING utf8mb4) COLLATE " + collation,
		Collation:    collation,
		CollateEqual: true,

		Distinct: "NOT ({c} <=> {p})",
		Match: dialect.Match{
			Contains:   "{c} LIKE " + param + escape,
			HasPrefix:  "{c} LIKE " + param + escape,
			HasSuffix:  "{c} LIKE " + param + escape,
			IExact:     lowerColumn + " = " + lowerParam,
			IContains:  lowerColumn + " LIKE " + lowerParam + escape,
			IHasPrefix: lowerColumn + " LIKE " + lowerParam + escape,
			IHasSuffix: lowerColumn + " LIKE " + lowerParam + escape,
			Pattern:    dialect.Pattern{Special: "!%_", Escape: "!", Any: "%", One: "_"},
			Like:       "{c} LIKE " + param + escape,
			Regexp:     "{c} REGEXP " + param,
			RegexpForm: dialect.PerlRegexp,
		},

		JSON: dialect.JSONForms{
			Path: "JSON_EXTRACT({d}, {p})",
			Text: "CASE JSON_TYPE({j}) WHEN 'STRING' THEN JSON_UNQUOTE({j}) END",
			Integer: "CASE WHEN JSON_TYPE({j}) IN " + numbers + " AND {j} + 0e0 = FLOOR({j} + 0e0) AND " +
				"CAST({j} AS DECIMAL(65,20)) BETWEEN -9223372036854775808 AND 9223372036854775807 " +
				"THEN CAST(CAST({j} AS DECIMAL(65,20)) AS SIGNED) END",
			Float: "CASE WHEN JSON_TYPE({j}) IN " + numbers + " AND ABS({j} + 0e0) < 1.7976931348623157e308 THEN {j} + 0e0 END",
			Bool:  "CASE JSON_TYPE({j}) WHEN 'BOOLEAN' THEN JSON_UNQUOTE({j}) = 'true' END",
			Raw:   "{j}",
			Wraps: true,
			// MariaDB takes it for the start of a negative place, be it in quotes.
			NoDash: !isMySQL,
		},

		FullText: dialect.TextColumn,

		// The driver writes the zero time as 0000-00-00, which is no time.
		TextTime:     true,
		DistinctKeys: true,
		Unsigned:     true,
		Consecutive:  "SELECT @@auto_increment_increment",

		Tables:      "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
		EmptyInsert: "() VALUES ()",
		Generated:   "AUTO_INCREMENT",
		TableSuffix: " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE " + collation,

		UpdateJoin:       true,
		NoSelfSelect:     true,
		ChecksRows:       true,
		CurrentRead:      " LOCK IN SHARE MODE",
		ForUpdate:        " FOR UPDATE",
		ForShare:         forShare,
		LockOf:           isMySQL,
		ClosedDerived:    true,
		Lexis:            dialect.Lexis{Backslash: true, Backticks: true, Hash: true, DashSpace: true},
		Explain:          "EXPLAIN FORMAT=JSON ",
		ExplainAnalyze:   analyze,
		SequentialSet:    true,
		OnDuplicateKey:   true,
		IntegerDivision:  " DIV ",
		Functions:        functions(collation, letters),
		CommitsTables:    true,
		AlterConstraints: true,
		IndexesKeys:      true,
		DropConstraint:   "DROP FOREIGN KEY",
		InlineComments:   true,

		ExpressionIndexes: isMySQL,
		CheckGenerated:    !isMySQL,
		NoLimit:           "18446744073709551615",
	}
}

// Name returns "mysql", for both servers.
func (Dialect) Name() string { return "mysql" }

// AppendIdent implements [dialect.Dialect].
func (Dialect) AppendIdent(b []byte, name string) []byte {
	return bundialect.AppendName(b, name, bun.IdentQuote())
}

// AppendParam appends "?".
func (Dialect) AppendParam(b []byte, _ int) []byte { return append(b, '?') }

// ColumnType implements [dialect.Dialect]. A text without size is LONGTEXT,
// but VARCHAR(255) in a key or an index, which cannot hold a LONGTEXT.
func (Dialect) ColumnType(t dialect.Type) (string, error) {
	switch t.Kind {
	case dialect.Bool:
		return "BOOLEAN", nil
	case dialect.Int:
		return integer(t.Bits), nil
	case dialect.Uint:
		return integer(t.Bits) + " UNSIGNED", nil
	case dialect.Float:
		return "DOUBLE", nil // FLOAT equals no literal, and loses digits as text
	case dialect.String, dialect.Custom:
		switch {
		case t.Size > 16000: // a row holds 65,535 bytes, at four a character
			return "LONGTEXT", nil
		case t.Size > 0:
			return "VARCHAR(" + strconv.Itoa(t.Size) + ")", nil
		case t.Key:
			return "VARCHAR(" + strconv.Itoa(bun.DefaultVarcharLen()) + ")", nil
		}
		return "LONGTEXT", nil
	case dialect.Bytes:
		switch {
		case t.Size > 60000:
			return "LONGBLOB", nil
		case t.Size > 0:
			return "VARBINARY(" + strconv.Itoa(t.Size) + ")", nil
		case t.Key:
			return "VARBINARY(255)", nil
		}
		return "LONGBLOB", nil
	case dialect.Time:
		return "DATETIME(6)", nil
	case dialect.UUID:
		return "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin", nil
	case dialect.JSON:
		return "JSON", nil
	case dialect.Array:
		return "", errors.New("mysql: no column keeps a list; store it as JSON (`kin:\",json\"`)")
	case dialect.Invalid:
	}
	return "", fmt.Errorf("mysql: no column type for kind %d", t.Kind)
}

func integer(bits int) string {
	switch {
	case bits <= 8:
		return "TINYINT"
	case bits <= 16:
		return "SMALLINT"
	case bits <= 32:
		return "INT"
	}
	return "BIGINT"
}

func listType(t dialect.Type) string {
	switch t.Kind {
	case dialect.Bool, dialect.Int:
		return "BIGINT"
	case dialect.Uint:
		return "BIGINT UNSIGNED"
	case dialect.Float:
		return "DOUBLE"
	case dialect.Time:
		return "DATETIME(6)"
	default: // what remains is text
		return "LONGTEXT CHARACTER SET utf8mb4" // the default is the database's own
	}
}

// Traits implements [dialect.Dialect].
func (d Dialect) Traits() *dialect.Traits {
	if d.MySQL {
		return &mysqlTraits
	}
	return &mariaTraits
}
