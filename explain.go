package kin

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/explain"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// A PlanNode is a step of a [QueryPlan]. It prints as a tree. Its fields are:
//
//	Op     string // what is done, in the database's words
//	Table  string // whose rows are read; empty if it reads none itself
//	Alias  string // the table's in the statement, if it is another name
//	Index  string // by which they are found; empty if there is none
//	Detail string // conditions, keys and the like, in the database's words
//	Scan   bool   // whether all rows of the table are read, one after the other
//	Rows, Actual, Cost float64 // rows expected, and read; both negative if unknown
//	Children []*PlanNode
type PlanNode = explain.Node

// A QueryPlan is how a database runs a query.
type QueryPlan struct {
	*PlanNode

	s     *session
	graph *schema.Graph
}

// ExplainOptions change what [QuerySet.Explain] asks. They are no texts: there
// is nothing in them that could be SQL.
type ExplainOptions struct {
	// Analyze runs the statement, locks included, and tells how many rows there
	// were. SQLite and MySQL (not MariaDB) have no such plan in a form that can
	// be read.
	Analyze bool
}

// Explain asks the database how it would run the statement of [QuerySet.All].
// The tree that comes back is made of the database's own words, in which there
// may be values of the query: it is for eyes, and for tests such as
// [QueryPlan.ScansOver].
func (qs QuerySet[T]) Explain(ctx context.Context, db Executor, options ...ExplainOptions) (*QueryPlan, error) {
	return qs.q.explain(ctx, db, reflect.TypeFor[T](), options)
}

func (q *query) explain(ctx context.Context, db Executor, t reflect.Type, options []ExplainOptions) (*QueryPlan, error) {
	s := db.session()
	c, err := q.compile(ctx, s, t, variant{form: allRows})
	if err != nil {
		return nil, err
	}
	if c.Empty {
		return &QueryPlan{&PlanNode{Op: "nothing is asked: no row can meet the conditions"}, s, c.graph}, nil
	}
	prefix := s.dialect.Traits().Explain
	if len(options) > 0 && options[0].Analyze {
		prefix = s.dialect.Traits().ExplainAnalyze
	}
	if prefix == "" {
		return nil, fmt.Errorf("kin: a plan of a query on %s: this form of Explain is not supported by %s", t.Name(), s.dialect.Name())
	}
	reader, err := s.reader(ctx, db, c.locks)
	if err != nil {
		return nil, s.queryError(ctx, t, err)
	}
	result, err := reader.Query(ctx, prefix+c.sql, c.args)
	if err != nil {
		return nil, s.queryError(ctx, t, err)
	}
	rows, err := allValues(result)
	if err != nil {
		return nil, s.queryError(ctx, t, err)
	}
	root, err := explain.Parse(s.dialect.Name(), rows)
	if err != nil {
		return nil, fmt.Errorf("kin: a plan of a query on %s: %w", t.Name(), err)
	}
	p := &QueryPlan{root, s, c.graph}
	root.Walk(func(n *PlanNode) {
		if table := p.table(n.Table); table != "" && table != n.Table {
			n.Table, n.Alias = table, n.Table
		}
	})
	return p, nil
}

// allValues reads the values of all rows, and closes them.
func allValues(rows *exec.Rows) (all [][]driver.Value, err error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	err = rows.Each(len(columns), func(row []driver.Value) error {
		kept := make([]driver.Value, len(row))
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				v = bytes.Clone(b)
			}
			kept[i] = v
		}
		all = append(all, kept)
		return nil
	})
	return all, err
}

// table returns the table that a name in a plan stands for: a table's own, or
// the alias of a relation. It is empty for a CTE and the like.
func (p *QueryPlan) table(name string) string {
	if name == "" {
		return ""
	}
	base := name
	if i := strings.LastIndexByte(name, '_'); i > 0 {
		base = name[:i]
	}
	aliased := ""
	for _, m := range p.graph.Models {
		if m.Table == name {
			return name
		}
		for _, r := range m.Relations {
			if r.Alias == name || r.Alias == base && aliased == "" {
				aliased = r.To.Table
			}
		}
	}
	return aliased
}

// ScansOver returns the steps that read whole tables row by row, of tables that
// have more rows than that, which it counts. Of small tables, a database is
// right to do so. SQLite does not tell a scan that a limit ends early from one
// that goes on to the end.
func (p *QueryPlan) ScansOver(ctx context.Context, rows int64) (scans []*PlanNode, err error) {
	counts := map[string]int64{}
	var all []*PlanNode
	p.Walk(func(n *PlanNode) {
		stops := n.Op == explain.WholeIndex && n.Rows <= float64(rows)
		if n.Scan && !stops && p.table(n.Table) != "" {
			all = append(all, n)
		}
	})
	for _, n := range all {
		count, known := counts[n.Table]
		if !known {
			text := p.s.dialect.AppendIdent([]byte("SELECT COUNT(*) FROM "), p.table(n.Table))
			values, err := p.s.column(ctx, string(text))
			if err != nil {
				return nil, fmt.Errorf("kin: counting the rows of %s: %w", n.Table, p.s.fault(ctx, nil, err))
			}
			if count, err = value.Int(values[0]); err != nil {
				return nil, err
			}
			counts[n.Table] = count
		}
		if count > rows {
			scans = append(scans, n)
		}
	}
	return scans, nil
}
