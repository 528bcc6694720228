// Package plan decides how a question is asked: which tables are joined under
// which aliases, what goes into one statement and in which arms, and where in
// its rows each column is. It knows relations and not SQL text.
package plan

import (
	"database/sql/driver"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A Statement is one SELECT, or several arms of one, joined by UNION ALL.
type Statement struct {
	CTEs  []CTE   // selections that it asks
	With  *Select // the keys of the roots, or nil
	Name  string  // of With
	Arms  []*Select
	Order []int          // places of columns, counted from one, that the union is sorted by
	Shape *hydrate.Shape // nil if the rows are no models
	Nest  *hydrate.Nest  // of a selection with slices

	// Set, if not nil, stands for With and Arms.
	Set *SetOp

	// Empty is whether the answer is known to be empty without asking.
	Empty bool
	// Whole is whether the roots are all rows of their table; of a level, whether
	// they are all that belong to its parents.
	Whole bool
}

// A SetOp makes one set of rows of two.
type SetOp struct {
	Op          string     // UNION, INTERSECT or EXCEPT
	Left, Right *Statement // Right may be nil
	Terms       []Term     // numbers of columns
	Limit       *int64
	Offset      int64
}

// A Select is one SELECT.
type Select struct {
	Columns  []Expr
	Distinct bool
	On       []Term // of the rows that agree in all of them, only the first comes
	From     *From
	Where    Cond // nil for all
	Order    []Term
	Limit    *int64
	Offset   int64
	Lock     *Locking // nil if no rows are locked
	// Exists is whether only the existence of rows is asked for.
	Exists bool
	// Folds is whether texts are given in kin's collation, in which equal ones
	// become one.
	Folds bool
	// Group are the places of the columns, from one, whose values make a group
	// of rows, and Having what a group must meet, or nil.
	Group  []int
	Having Cond
}

// A From is a table and what is joined to it.
type From struct {
	Table *Table
	Joins []*Join
}

// A Table is a table, or what stands in its place, under an alias.
type Table struct {
	Model *schema.Model
	Alias string
	// Derived stands in the table's place, if not nil; else CTE does, if not
	// empty.
	Derived *Select
	CTE     string
	// Scope is what the rows must meet wherever the table is joined, or nil.
	Scope Cond
}

// A Join joins a table by a relation.
type Join struct {
	Parent   *Table
	Table    *Table
	Relation *schema.Relation
	Inner    bool
	// Columns of the parent and the table that are equal. They are the
	// relation's, unless the parent is a CTE.
	Left, Right []Expr
}

// An Expr is a column of a result.
type Expr interface{ isExpr() }

// A Ref is a column of a table.
type Ref struct {
	Table  *Table
	Column *schema.Column
}

// A Name is a column of a CTE or a derived table that no model has.
type Name struct {
	Table *Table
	Name  string
}

// An As gives an expression a name.
type As struct {
	Expr Expr
	Name string
}

// A Number is a whole number.
type Number int

// A RowNumber counts the rows in an order, those with other values in the
// columns of Partition each for themselves.
type RowNumber struct {
	Partition []Expr
	Order     []Term
}

// A Count counts the rows.
type Count struct{}

// A Blank is a NULL in the place of a column that another arm has.
type Blank struct{ Like *Slot }

// A Filled is a column in a place that other arms use too.
type Filled struct {
	Ref  Ref
	Slot *Slot
}

// A Slot is a place in the rows of several arms.
type Slot struct {
	Column *schema.Column // one of those that use it
	Shared bool           // whether columns of other tables may use it too
	First  bool           // whether the first arm leaves it blank
}

func (Ref) isExpr()       {}
func (Name) isExpr()      {}
func (As) isExpr()        {}
func (Number) isExpr()    {}
func (RowNumber) isExpr() {}
func (Count) isExpr()     {}
func (Blank) isExpr()     {}
func (Filled) isExpr()    {}

// A Term is a part of an order.
type Term struct {
	Expr   Expr
	Column *schema.Column // whose values are compared
	Desc   bool
	Nulls  bool // whether there may be NULLs
}

// A Cond is a condition. It has no NULL: what SQL holds for unknown is false,
// and so Not is the exact complement.
type Cond interface{ isCond() }

// Const is a condition that is known.
type Const bool

// All is met if all its parts are.
type All []Cond

// Any is met if one of its parts is.
type Any []Cond

// Odds is met if an odd number of its parts is.
type Odds []Cond

// A Test compares expressions. If Y may be NULL, so that NULL is a value like
// others, Distinct is set, and Op is Ne.
type Test struct {
	X, Y     Expr
	Op       lookup.Op
	Text     bool // whether they are texts, which are compared by code point
	Distinct bool
}

// A Not is met if its condition is not.
type Not struct{ Cond Cond }

// A Cmp compares a column with values.
type Cmp struct {
	Ref   Ref
	Op    lookup.Op
	Args  []driver.Value
	Nulls bool // whether the column may be NULL
}

// A Tuples compares columns with several rows of values.
type Tuples struct {
	Refs []Ref
	Rows [][]driver.Value
}

// An Exists is met if a related row is there that meets a condition.
type Exists struct {
	Relation *schema.Relation
	Parent   *Table
	From     *From
	Where    Cond // nil for any
}

// An InSelect is met if columns equal those of a row of a SELECT.
type InSelect struct {
	Refs   []Expr
	Select *Select
	// Most is whether most rows of the table meet it, so that it is better asked
	// of each than looked up.
	Most bool
}

func (*InSelect) isCond() {}
func (Const) isCond()     {}
func (All) isCond()       {}
func (Any) isCond()       {}
func (Odds) isCond()      {}
func (*Test) isCond()     {}
func (Not) isCond()       {}
func (*Cmp) isCond()      {}
func (*Tuples) isCond()   {}
func (*Exists) isCond()   {}
