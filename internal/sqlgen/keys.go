package sqlgen

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A KeyForm is how the keys of a [plan.KeySet] are bound.
type KeyForm struct {
	kind keyForm
	// Room is how many keys the text has placeholders for, if each has one.
	Room int
}

type keyForm uint8

const (
	eachKey   keyForm = iota // each has a parameter, or several
	arrayKeys                // all are one array
	jsonKeys                 // all are a JSON text
	allKeys                  // they are those of all rows, and not given
)

// AllKeys is the form of keys that are those of all rows: what has one, whichever
// it is, is asked for.
func AllKeys() KeyForm { return KeyForm{kind: allKeys} }

// KeysAtOnce returns how many keys of the columns a statement with so many
// other parameters may be given at once.
func KeysAtOnce(columns []*schema.Column, others int, t *dialect.Traits) int {
	if formOf(columns, plan.MaxList, t) != eachKey {
		return plan.MaxList
	}
	return max(1, (t.MaxParams-others)/len(columns))
}

// FormOf returns the form in which n keys of the columns are bound, of which
// most may come at once. Few texts serve for all n.
func FormOf(columns []*schema.Column, n, most int, t *dialect.Traits) KeyForm {
	if kind := formOf(columns, n, t); kind != eachKey {
		return KeyForm{kind, 0}
	}
	return KeyForm{eachKey, min(most, 1<<bits.Len(uint(n-1)))}
}

func formOf(columns []*schema.Column, n int, t *dialect.Traits) keyForm {
	if len(columns) > 1 {
		return eachKey
	}
	switch columns[0].Value.Kind {
	case dialect.Int, dialect.String, dialect.UUID:
	default:
		return eachKey
	}
	if columns[0].Source.Field.Tag.Type != "" {
		return eachKey // of which kin does not know what it makes of a text
	}
	switch {
	case t.ArrayParams:
		return arrayKeys
	case t.List != "" && n > min(listLimit, t.MaxParams/4): // the text has room for twice as many
		return jsonKeys
	}
	return eachKey
}

// WriteKeys writes a statement with a [plan.KeySet] for keys of the form.
func WriteKeys(s *plan.Statement, d dialect.Dialect, form KeyForm) Text {
	w := writer{d: d, t: d.Traits(), b: make([]byte, 0, 512), keys: form}
	w.statement(s)
	if w.err == nil {
		w.checkParams(len(w.args))
	}
	return Text{string(w.b), w.args, w.err}
}

func (w *writer) keySet(c *plan.KeySet) {
	switch w.keys.kind {
	case allKeys:
		for i, ref := range c.Refs {
			if i > 0 {
				w.text(" AND ")
			}
			w.expr(ref)
			w.text(" IS NOT NULL")
		}
	case arrayKeys:
		w.expr(c.Refs[0])
		w.text(" = ANY(")
		w.param(plan.KeyList{})
		w.text(")")
	case jsonKeys:
		ref := c.Refs[0]
		collate := ""
		if w.t.CollateEqual && ref.Column.IsText() {
			collate = " COLLATE " + w.t.Collation
		}
		w.expr(ref)
		w.text(" IN (")
		s := strings.NewReplacer("{t}", w.t.ListType(ref.Column.Value), "{collate}", collate).Replace(w.t.List)
		w.template(s, ref, func() { w.param(plan.KeyList{}) })
		w.text(")")
	case eachKey:
		rows := make([][]driver.Value, max(1, w.keys.Room))
		for i := range rows {
			for j := range c.Refs {
				rows[i] = append(rows[i], plan.KeyArg{Key: i, Part: j})
			}
		}
		if len(c.Refs) > 1 {
			w.tuples(&plan.Tuples{Refs: c.Refs, Rows: rows})
			return
		}
		w.expr(c.Refs[0])
		for i, row := range rows {
			w.separate(i, " IN (")
			if i == 0 {
				w.typed(c.Refs[0].Column, row[0], true)
			} else {
				w.param(row[0])
			}
		}
		w.text(")")
	}
}

func (w *writer) within(c *plan.Within) {
	if c.Offset > 0 {
		w.expr(plan.Name{Table: c.Table, Name: c.Name})
		w.text(" > ")
		w.number(c.Offset)
	}
	if c.Limit == nil {
		return
	}
	if c.Offset > 0 {
		w.text(" AND ")
	}
	w.expr(plan.Name{Table: c.Table, Name: c.Name})
	w.text(" <= ")
	w.number(*c.Limit + min(c.Offset, 1<<62-*c.Limit)) // at 2^62, all the same
}

// BindKeys returns the arguments of a statement for the keys: args are those
// that [WriteKeys] has returned. If there are fewer than there is room for, the
// last one is there again.
func (f KeyForm) BindKeys(args []driver.Value, columns []*schema.Column, keys []rel.Key, t *dialect.Traits) ([]driver.Value, error) {
	bound := make([]driver.Value, len(args))
	var parts []rel.Key
	at := -1
	for i, arg := range args {
		var err error
		switch arg := arg.(type) {
		case plan.KeyList:
			bound[i], err = f.list(columns[0], keys, t)
		case plan.KeyArg:
			if arg.Key >= len(keys) {
				bound[i] = bound[i-len(columns)]
				continue
			}
			if arg.Key != at {
				at = arg.Key
				if len(columns) > 1 {
					parts = rel.Split(keys[at], len(columns))
				} else {
					parts = keys[at : at+1]
				}
			}
			bound[i], err = hydrate.KeyValue(parts[arg.Part], columns[arg.Part], t)
		default:
			bound[i] = arg
		}
		if err != nil {
			return nil, fmt.Errorf("%s %w", columns[0].GoName(), err)
		}
	}
	return bound, nil
}

// list returns the keys as one parameter.
func (f KeyForm) list(c *schema.Column, keys []rel.Key, t *dialect.Traits) (any, error) {
	isInt := c.Value.Kind == dialect.Int
	switch {
	case f.kind == jsonKeys && isInt:
		b := append(make([]byte, 0, 8*len(keys)), '[')
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(k.N[0]), 10)
		}
		return string(append(b, ']')), nil
	case isInt:
		list := make([]int64, len(keys))
		for i, k := range keys {
			list[i] = int64(k.N[0])
		}
		return list, nil
	}
	list := make([]string, len(keys))
	for i, k := range keys {
		v, err := hydrate.KeyValue(k, c, t)
		if err != nil {
			return nil, err
		}
		list[i], _ = v.(string)
	}
	if f.kind == jsonKeys {
		b, err := json.Marshal(list)
		return string(b), err
	}
	return list, nil
}
