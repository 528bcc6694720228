package kin

import (
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// parentsFirst returns rows of the model m so that each comes after those of
// them that it refers to, as far as they refer in no circle, and else in their
// order. Databases check foreign keys after each statement, and MariaDB after
// each row of it; rows may be in several statements.
func parentsFirst(m *schema.Model, rows []any) []any {
	own := selfKeys(m)
	if len(own) == 0 || len(rows) < 2 {
		return rows
	}
	at := make(map[rel.Key]int, len(rows))
	for i, row := range rows {
		if key, err := hydrate.KeyOf(m.Struct.Key(), row); err == nil {
			at[key] = i
		}
	}
	order := make([]any, 0, len(rows))
	seen := make([]bool, len(rows))
	var stack []int // of rows that wait for those above them
	for i := range rows {
		if seen[i] {
			continue
		}
		seen[i] = true
		stack = append(stack, i)
		for len(stack) > 0 {
			row := rows[stack[len(stack)-1]]
			if parent, ok := unseenParent(row, own, at, seen); ok {
				seen[parent] = true
				stack = append(stack, parent)
				continue
			}
			order = append(order, row)
			stack = stack[:len(stack)-1]
		}
	}
	return order
}

// unseenParent returns the place of a row that row refers to and that is not
// seen yet.
func unseenParent(row any, own []*schema.Field, at map[rel.Key]int, seen []bool) (place int, ok bool) {
	for _, f := range own {
		key, null, err := hydrate.ForeignKeyOf(row, f)
		if err != nil || null {
			continue
		}
		if place, ok = at[key]; ok && !seen[place] {
			return place, true
		}
	}
	return 0, false
}

// childrenFirst is parentsFirst the other way round, for rows that go.
func childrenFirst(m *schema.Model, rows []any) []any {
	if len(selfKeys(m)) == 0 {
		return rows
	}
	rows = slices.Clone(parentsFirst(m, rows))
	slices.Reverse(rows)
	return rows
}

// deletable returns how far the rows from…to can be deleted by one statement:
// where a database checks each row, not together with one that refers to it.
// Those come first.
func (c *change) deletable(from, to int) int {
	own := selfKeys(c.model)
	if len(own) == 0 || !c.dialect.Traits().ChecksRows {
		return to
	}
	needed := map[rel.Key]bool{}
	for i := from; i < to; i++ {
		if needed[c.keys[i]] {
			return i
		}
		for _, f := range own {
			if key, null, err := hydrate.ForeignKeyOf(c.rows[i], f); err == nil && !null && key != c.keys[i] {
				needed[key] = true
			}
		}
	}
	return to
}
