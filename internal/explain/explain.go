// Package explain reads what databases say of how they run a statement, and
// makes trees of it. It knows their formats, and nothing of models.
package explain

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"github.com/kin-orm/kin/internal/value"
)

// Unknown is a number that the database does not tell.
const Unknown = -1

// WholeIndex is what MariaDB and MySQL call the reading of a whole index, which
// may be that of the primary key, and so the table. It may stop early, which
// the expected rows say.
const WholeIndex = "index"

// A Node is a step of a plan, with the steps whose rows it takes.
type Node struct {
	Op     string // what is done, in the database's words
	Table  string // whose rows are read; empty if it reads none itself
	Alias  string // the table's in the statement, if it is another name
	Index  string // by which they are found; empty if there is none
	Detail string // conditions, keys and the like, in the database's words

	// Scan is whether all rows of the table are read, one after the other.
	Scan bool
	// Rows is how many rows the database expects, and Actual how many there
	// were each time, if it has run the statement. Cost is what it expects the
	// step to cost, in units of its own. Each is negative if it does not tell.
	Rows, Actual, Cost float64

	Children []*Node
}

func newNode(op string) *Node { return &Node{Op: op, Rows: Unknown, Actual: Unknown, Cost: Unknown} }

// Walk calls visit for the node and all below it.
func (n *Node) Walk(visit func(*Node)) {
	visit(n)
	for _, c := range n.Children {
		c.Walk(visit)
	}
}

// String returns the tree, a line for each node.
func (n *Node) String() string {
	var b strings.Builder
	n.write(&b, 0)
	return strings.TrimSuffix(b.String(), "\n")
}

func (n *Node) write(b *strings.Builder, depth int) {
	b.WriteString(strings.Repeat("  ", depth))
	b.WriteString(n.Op)
	if n.Table != "" {
		b.WriteString(" on " + n.Table)
		if n.Alias != "" {
			b.WriteString(" as " + n.Alias)
		}
	}
	if n.Index != "" {
		b.WriteString(" by " + n.Index)
	}
	var facts []string
	for _, f := range []struct {
		name string
		n    float64
	}{{"rows", n.Rows}, {"actual", n.Actual}, {"cost", n.Cost}} {
		if f.n >= 0 {
			facts = append(facts, f.name+" "+strconv.FormatFloat(f.n, 'f', -1, 64))
		}
	}
	if facts != nil {
		b.WriteString(" (" + strings.Join(facts, ", ") + ")")
	}
	if n.Detail != "" {
		b.WriteString(": " + n.Detail)
	}
	b.WriteByte('\n')
	for _, c := range n.Children {
		c.write(b, depth+1)
	}
}

// Parse reads the rows that the database of the name has answered.
func Parse(database string, rows [][]driver.Value) (*Node, error) {
	if len(rows) == 0 || len(rows[0]) == 0 {
		return nil, fmt.Errorf("%s says nothing", database)
	}
	switch database {
	case "postgres":
		return parsePostgres(rows[0][0])
	case "mysql":
		return parseMySQL(rows[0][0])
	case "sqlite":
		return parseSQLite(rows)
	}
	return nil, fmt.Errorf("the plans of %s are not known", database)
}

// parseSQLite reads EXPLAIN QUERY PLAN: rows of a number, that of the step
// above, nothing and a text.
func parseSQLite(rows [][]driver.Value) (*Node, error) {
	root := newNode("QUERY PLAN")
	byID := map[int64]*Node{0: root}
	for _, row := range rows {
		if len(row) != 4 {
			return nil, fmt.Errorf("a step of %d columns", len(row))
		}
		id, err := value.Int(row[0])
		if err != nil {
			return nil, err
		}
		above, err := value.Int(row[1])
		if err != nil {
			return nil, err
		}
		text, err := value.String(row[3])
		if err != nil {
			return nil, err
		}
		parent := byID[above]
		if parent == nil {
			parent = root
		}
		n := sqliteStep(text)
		byID[id] = n
		parent.Children = append(parent.Children, n)
	}
	if len(root.Children) == 1 {
		return root.Children[0], nil
	}
	return root, nil
}

// sqliteStep reads a text such as "SEARCH students AS s USING INDEX i (a=?)".
func sqliteStep(text string) *Node {
	for _, op := range []string{"SCAN", "SEARCH"} {
		rest, found := strings.CutPrefix(text, op+" ")
		if !found || strings.HasPrefix(rest, "CONSTANT ROW") {
			continue
		}
		n := newNode(op)
		rest = strings.TrimSuffix(strings.TrimPrefix(rest, "TABLE "), " LEFT-JOIN")
		table, using, indexed := strings.Cut(rest, " USING ")
		n.Table, n.Alias, _ = strings.Cut(table, " AS ")
		n.Scan = op == "SCAN" && !indexed
		if indexed {
			n.Index, n.Detail, _ = strings.Cut(using, " (")
			n.Detail = strings.TrimSuffix(n.Detail, ")")
			n.Index = strings.TrimPrefix(strings.TrimPrefix(n.Index, "COVERING "), "INDEX ")
		}
		return n
	}
	return newNode(text)
}
