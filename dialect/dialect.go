// Package dialect describes what kin has to know of a database: how names
// and parameters are written, which types columns have, and where the
// databases differ in what they can do or how they compare.
//
// A [Dialect] is a value without state. It holds no query logic: kin writes
// the SQL, and asks the dialect only for the pieces that differ.
package dialect

import (
	"context"
	"database/sql/driver"
	"strings"
)

// A Dialect is one database's way of writing SQL. Implementations are
// immutable and may be used by several goroutines at once.
//
// [github.com/kin-orm/kin/dialect/sqlite], postgres and mysql have one each.
type Dialect interface {
	// Name returns "sqlite", "postgres" or "mysql".
	Name() string

	// AppendIdent appends name as a quoted identifier. Quotes inside it are
	// doubled, so that any name is safe.
	AppendIdent(b []byte, name string) []byte

	// AppendParam appends the placeholder of the n-th parameter of a
	// statement, counted from one.
	AppendParam(b []byte, n int) []byte

	// ColumnType returns the type that a column of kind t is given by
	// CREATE TABLE, or an error where the database has no such type.
	ColumnType(t Type) (string, error)

	// Traits returns how the database behaves.
	Traits() *Traits
}

// A Copier is a dialect whose driver has a way of its own to write many rows.
type Copier interface {
	// CanCopy reports whether a connection, as the driver gives it to
	// [database/sql.Conn.Raw], has that way.
	CanCopy(conn any) bool
	// Copy writes rows to a table. next returns the values of the columns of the
	// next row, which hold until it is called again, and io.EOF after the last.
	Copy(ctx context.Context, conn any, table string, columns []string, next func() ([]driver.Value, error)) (n int64, err error)
}

// A Kind is a class of values that a column stores.
type Kind uint8

// The kinds of column values.
const (
	Invalid Kind = iota
	Bool
	Int    // signed, of Type.Bits bits
	Uint   // unsigned, of Type.Bits bits
	Float  // of Type.Bits bits
	String // UTF-8 text without U+0000
	Bytes
	Time // an instant, to the microsecond, in UTC
	UUID // sixteen bytes
	JSON // a JSON text
	Custom
	Array // a list of Elem
)

// A Type is what ColumnType is asked for.
type Type struct {
	Kind Kind
	Bits int  // of Int, Uint and Float, and of those in an Array
	Elem Kind // of Array
	Size int  // of String and Bytes: the most characters or bytes; 0 is unlimited
	Key  bool // whether the column is part of a key or an index
	Auto bool // whether the database generates the value
}

// Traits are the differences between databases that kin works around. In
// the templates, {c} stands for a column and {p} for a parameter.
type Traits struct {
	// MaxParams is the largest number of parameters in one statement.
	MaxParams int
	// MaxJoins is the largest number of tables in one join; 0 is no limit.
	MaxJoins int
	// MaxIdent is the longest identifier; 0 is no limit. It counts bytes, or
	// characters if IdentChars.
	MaxIdent   int
	IdentChars bool

	// KeepPrepared is whether statements that are run again are to be kept
	// prepared, as the driver does not do so itself.
	KeepPrepared bool
	// BinaryPrepared is whether values come in binary from prepared statements
	// alone, and else as text, so that rows are best read by those.
	BinaryPrepared bool

	// ArrayParams is whether {c} = ANY({p}) takes a whole list as one parameter.
	ArrayParams bool
	// List is a subquery that unpacks a JSON array, bound as the parameter
	// {p}, into rows of the type {t}, for long lists; {collate} is where the
	// collation of text goes. Empty if there is none.
	List string
	// ListType gives {t}.
	ListType func(Type) string

	// TypedNulls is whether a NULL in one arm of a UNION needs a type, and a
	// column that shares its place with others a cast.
	TypedNulls bool
	// AnyTypes is whether a column of a UNION may hold any types at once.
	AnyTypes bool
	// DistinctKeys is whether the rows that the foreign keys of many lead to are
	// found from the different ones of these, rather than by IN.
	DistinctKeys bool
	// NoIndex is written before a column whose index is not to be used: to read
	// it would be slower than to read the table. Empty where the planner knows.
	NoIndex string
	// OrderedJoin is the inner join that keeps the order of its tables, for
	// joins that begin at a small set of keys; empty where the planner knows.
	OrderedJoin string
	// UnionText is how text {c} is written in an arm of a UNION, so that the
	// collations of the arms agree, and in an order, where Collation alone
	// fails if the column has another character set; empty where neither is so.
	UnionText string
	// ValuesTable is whether VALUES stands for a table, with the columns column1,
	// column2 and so on.
	ValuesTable bool
	// TupleValues is whether a list of rows after IN begins with VALUES.
	TupleValues bool
	// NullsLast is whether NULL sorts after all values in ascending order.
	NullsLast bool
	// Collation is the quoted collation under which text compares by code
	// point, without padding; empty where text does so anyway.
	Collation string
	// CollateEqual is whether Collation is needed for equality too, not only
	// for order.
	CollateEqual bool

	// Distinct is the operator "differs, where NULL is a value like others".
	Distinct string
	// Match holds the operators that search text.
	Match Match

	// TextTime is whether instants are sent as text: UTC, in the form
	// "2006-01-02 15:04:05.999999", which sorts as the instants do because it
	// has no zone and a shorter fraction is a prefix of a longer one.
	TextTime bool
	// WideIntegers is whether all integer columns hold 64 bits, whatever type
	// they are declared with.
	WideIntegers bool
	// Unsigned is whether integers above the largest int64 can be stored.
	Unsigned bool
	// FloatSpecials is whether NaN and the infinities can be stored.
	FloatSpecials bool
	// RawColumn stands before a selected time or boolean column to keep the
	// driver from converting it by its declared type.
	RawColumn string

	// InTx is a statement that fails within a transaction and so shows that
	// there still is one, where a statement that is cancelled may have ended it.
	// NotInTx undoes it where it does not fail.
	InTx, NotInTx string
	// FailureAborts is whether a statement that fails leaves the transaction
	// around it unusable until that, or a savepoint, is rolled back.
	FailureAborts bool

	// Returning is whether INSERT … RETURNING gives generated keys. Where it
	// does not, the driver's LastInsertId does.
	Returning bool
	// Sequence is a query for fresh values of a generated key. Its parameters
	// are the quoted table, the column's name and how many. Empty if there is
	// none.
	Sequence string
	// LastKeys are queries for the highest generated key so far, of which the
	// first that works is taken: a transaction that has read it may use those
	// that follow, because no other can write before it ends. {t} stands for
	// the quoted table, {c} for the quoted column; the parameter is the table.
	LastKeys []string
	// Advance is a query that moves a sequence past a key that was not taken
	// from it. Its parameters are the quoted table, the column and the key.
	// Empty if the database does so itself.
	Advance string
	// Consecutive is a query for the distance between the keys that one
	// INSERT of several rows generates, the first of which is LastInsertId.
	// Empty if they have no such order.
	Consecutive string

	// Copies is a query for how many columns of a table a [Copier] serves for.
	// Its parameters are the quoted table and the columns' names.
	Copies string

	// Tables is a query for the names of all tables.
	Tables string
	// EmptyInsert follows INSERT INTO table for a row without columns.
	EmptyInsert string
	// Generated follows the type of a column whose value the database makes.
	// GeneratedIsKey is whether it declares the primary key as well.
	Generated      string
	GeneratedIsKey bool
	// TableSuffix ends CREATE TABLE. StrictSuffix is added where all columns
	// have types that ColumnType named.
	TableSuffix, StrictSuffix string
	// CheckSize is whether the size of a column must be a CHECK.
	CheckSize bool
	// AlterConstraints is whether a foreign key can be added to a table that
	// exists, and DropConstraint how it is dropped.
	AlterConstraints bool
	DropConstraint   string
	// CommitsTables is whether CREATE TABLE and DROP TABLE end a transaction.
	CommitsTables bool
	// BeforeDrop is run before tables are dropped; empty if nothing must be.
	BeforeDrop string
	// IndexesKeys is whether the database indexes foreign keys by itself.
	IndexesKeys bool
	// NullsFirstIndex is whether an index on a nullable column must say NULLS
	// FIRST to serve kin's order.
	NullsFirstIndex bool
	// PartialIndexes is whether an index may be of the rows only that meet a
	// condition, and ExpressionIndexes whether it may sort by an expression.
	PartialIndexes, ExpressionIndexes bool
	// InlineComments is whether comments on columns and tables are part of
	// CREATE TABLE, where a backslash in a text escapes. CommentOn is whether
	// they are statements of their own. Where neither is so, there are none.
	InlineComments, CommentOn bool
	// CheckGenerated is whether a CHECK must say that a generated column is not
	// NULL.
	CheckGenerated bool
	// CurrentRead ends a SELECT that is to see rows as they are now, where else
	// it would see them as they were when the transaction began, and changes
	// would not.
	CurrentRead string
	// ForUpdate and ForShare end a SELECT that locks its rows; empty where none
	// can be locked. LockOf is whether they may name the tables whose rows are;
	// where they may not, those of all tables are.
	ForUpdate, ForShare string
	LockOf              bool
	// DistinctOn is whether a SELECT may keep the first of the rows that agree.
	DistinctOn bool
	// ClosedDerived is whether a derived table sees nothing of the query around
	// the subquery that it is in.
	ClosedDerived bool
	// Explain stands before a statement whose plan is asked for, and
	// ExplainAnalyze before one that is to be run for it; empty where there is no
	// such form.
	Explain, ExplainAnalyze string
	// Lexis is what is in quotes and what is a comment in SQL.
	Lexis Lexis
	// ChecksRows is whether a foreign key is checked after each row, and not
	// after the statement.
	ChecksRows bool
	// NoSelfSelect is whether a statement that changes a table cannot read it
	// in a subquery.
	NoSelfSelect bool
	// ReadsChanges is whether a subquery in an assignment of an UPDATE sees the
	// rows that the statement has changed already.
	ReadsChanges bool
	// OnDuplicateKey is whether an upsert is ON DUPLICATE KEY UPDATE, rather
	// than ON CONFLICT.
	OnDuplicateKey bool
	// SequentialSet is whether an assignment of an UPDATE sees the values of
	// those before it.
	SequentialSet bool
	// IntegerDivision is the operator that divides integers and drops the
	// rest.
	IntegerDivision string
	// Functions are the texts of functions by name: {0} stands for the first
	// argument, {1} for the second, {* || } for all with || between.
	Functions map[string]string
	// JSON is how values are found in JSON.
	JSON JSONForms
	// FullText is how texts are searched for words.
	FullText FullTextForm
	// UpdateJoin is whether an UPDATE takes values from other rows by a JOIN,
	// rather than by FROM.
	UpdateJoin bool
	// SerialOnly is whether all transactions are serializable.
	SerialOnly bool
	// NoLimit is the LIMIT that lets an OFFSET stand alone; empty where it can.
	NoLimit string
}

// A Lexis says where a question mark in SQL is no parameter, beside '…', "…",
// /*…*/ and what follows --.
type Lexis struct {
	Backslash         bool // a backslash in quotes escapes,
	EscapeStrings     bool // or does so in E'…'
	Backticks         bool // `…` is a name
	Brackets          bool // […] is a name
	DollarQuotes      bool // $tag$…$tag$ is a text
	NestedComments    bool // /* /* */ */ is one comment
	Hash              bool // # begins a comment
	DashSpace         bool // -- begins a comment before a space only
	QuestionOperators bool // there are operators with a question mark
}

// Match has the operators that search text; {c} is the column, {p} the
// parameter. Each is exact in case, unless its name begins with I: then
// letters are equal when their lower-case forms are, in all of Unicode.
type Match struct {
	Contains, HasPrefix, HasSuffix            string
	IExact, IContains, IHasPrefix, IHasSuffix string
	Pattern                                   Pattern
	// Like and Regexp search by patterns: Like by one that Pattern describes,
	// Regexp by one of RegexpForm.
	Like, Regexp string
	RegexpForm   RegexpForm
}

// A RegexpForm is a way to write regular expressions.
type RegexpForm uint8

// The forms.
const (
	GoRegexp       RegexpForm = iota // as package regexp reads them
	PostgresRegexp                   // advanced regular expressions
	PerlRegexp                       // of PCRE and ICU
)

// A Pattern says how a searched text becomes the pattern that is bound:
// the characters in Special are put between Escape and EscapeEnd, Any stands
// for what may come before or after, and One for any one character.
type Pattern struct {
	Special           string
	Escape, EscapeEnd string
	Any, One          string
	// PlainContains is whether Contains and IContains take the text as it is.
	PlainContains bool
}

// Quote writes a byte of a text that is searched as it is.
func (p *Pattern) Quote(b *strings.Builder, c byte) {
	if strings.IndexByte(p.Special, c) < 0 {
		b.WriteByte(c)
		return
	}
	b.WriteString(p.Escape)
	b.WriteByte(c)
	b.WriteString(p.EscapeEnd)
}

// JSONForms say how values are found in JSON documents. In the templates, {j} stands
// for what is at some place in one. Each is NULL if that is no value of its kind;
// Raw is JSON.
type JSONForms struct {
	// Path is what a document {d} has at the path {p}, a text such as $."a"[0].
	// Where it is empty, {d} -> key is what it has at one key.
	Path string
	// Wraps is whether the first element of what is no array is that itself, and
	// NoDash whether no name that begins with a - is found.
	Wraps, NoDash                   bool
	Text, Integer, Float, Bool, Raw string
	// Contains is whether a document {c} contains the one that {p} is, by the
	// rules of PostgreSQL's @>; empty where that has to be taken apart.
	Contains string
}

// A FullTextForm is how a database keeps the words of texts.
type FullTextForm uint8

// The forms.
const (
	TextTable  FullTextForm = iota // a table of FTS5
	TextVector                     // an index of tsvectors
	TextColumn                     // a column with a FULLTEXT index
)
