package kin

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// Query returns a query for the rows of the selection, as if they were those of a
// table: to filter, group and count them, by the names of the fields of R, or to ask
// whether they exist. Its rows have no key and no relations; they are read by
// [Select], counted, and asked for in subqueries ([Exists], [InQuery], [ValueOf]).
//
//	perClass := kin.Select[ClassSize](kin.Query[SchoolClass]()) // with a field Size
//	large := kin.Select[Large](perClass.Query().Filter("size__gt", 20))
//
// The selection is written as WITH … AS, once in a statement, in however many
// subqueries it is used.
func (s Selection[R]) Query() QuerySet[R] { return QuerySet[R]{&query{source: &source{sel: s.get()}}} }

// A source is a selection whose rows a query asks.
type source struct{ sel *selection }

// model returns a model of the rows.
func (s *source) model() *schema.Model {
	var columns []*schema.Column
	for i, f := range s.sel.row.Fields {
		if f.Column == nil || strings.Contains(f.Name, "__") { // it is in a struct inside
			continue
		}
		field := *f.Column.Field
		field.Name = f.Name
		columns = append(columns, &schema.Column{Field: &field, Name: plan.ValueName(i), Lookup: f.Name, Value: f.Column.Value})
	}
	return schema.RowsOf(s.sel.row.Type(), "kin_rows", columns)
}

// planSource returns how the source is planned, or nil if there is none.
func (q *query) planSource(g *schema.Graph) *plan.Source {
	if q.source == nil {
		return nil
	}
	sel := q.source.sel
	return &plan.Source{Key: sel, Plan: func(filter func(*plan.Table) (plan.Cond, error), d dialect.Dialect) (*plan.Statement, error) {
		return selecter{d, g, filter}.part(sel)
	}}
}

// modelOf returns the model of the query's rows, for a form of statement.
func (q *query) modelOf(g *schema.Graph, t reflect.Type, f form) (*schema.Model, error) {
	if q.source == nil {
		return modelOf(g, t)
	}
	if q.source.sel.err != nil {
		return nil, q.source.sel.err
	}
	if f != selected && f != count && f != exists {
		return nil, fmt.Errorf("kin: rows of %s are those of a selection, and no model; read them by kin.Select", t)
	}
	return q.source.model(), nil
}
