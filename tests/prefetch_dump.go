package tests

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// dumpGraph writes rows and all that can be reached from them, each row once
// and under a number by which others refer to it: two graphs are equal, in
// values, relations and identity, if their texts are.
func dumpGraph(roots []any) string {
	d := &graphDump{numbers: map[any]int{}}
	for _, row := range roots {
		fmt.Fprintf(&d.b, "root %d\n", d.number(reflect.ValueOf(row)))
	}
	for i := 0; i < len(d.rows); { // which grows
		d.row(i)
		i++
	}
	return d.b.String()
}

type graphDump struct {
	b       strings.Builder
	numbers map[any]int
	rows    []reflect.Value
}

func (d *graphDump) number(row reflect.Value) int {
	n, ok := d.numbers[row.Interface()]
	if !ok {
		n = len(d.rows)
		d.numbers[row.Interface()] = n
		d.rows = append(d.rows, row)
	}
	return n
}

func (d *graphDump) row(n int) {
	v := d.rows[n].Elem()
	fmt.Fprintf(&d.b, "%d %s", n, v.Type().Name())
	for i := range v.NumField() {
		f := v.Field(i)
		fmt.Fprintf(&d.b, " %s=", v.Type().Field(i).Name)
		switch rows, many, loaded, isRelation := shopRelation(f); {
		case !isRelation && f.Kind() == reflect.Pointer && !f.IsNil():
			fmt.Fprint(&d.b, "&", f.Elem().Interface())
		case !isRelation:
			fmt.Fprint(&d.b, f.Interface())
		case many && loaded:
			d.many(f, rows)
		case loaded:
			fmt.Fprint(&d.b, "#", d.number(reflect.ValueOf(rows[0])))
		default:
			fmt.Fprint(&d.b, f.MethodByName("String").Call(nil)[0])
		}
	}
	d.b.WriteByte('\n')
}

func (d *graphDump) many(f reflect.Value, rows []any) {
	link := f.MethodByName("Link")
	for _, row := range rows {
		fmt.Fprint(&d.b, "#", d.number(reflect.ValueOf(row)))
		if link.IsValid() {
			fmt.Fprint(&d.b, "/", d.number(link.Call([]reflect.Value{reflect.ValueOf(row)})[0]))
		}
	}
	fmt.Fprint(&d.b, ".")
}

// sameLines compares texts, and shows the first lines that differ.
func sameLines(t *testing.T, want, got, what string) bool {
	t.Helper()
	if want == got {
		return true
	}
	wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(wants), len(gots)) {
		if wants[i] != gots[i] {
			return assert.Equal(t, wants[i], gots[i], "line %d, %s", i, what)
		}
	}
	return assert.Len(t, gots, len(wants), what)
}

// relatedKeys returns the keys of the rows in a relation field of row.
func relatedKeys(row any, relation string) (keys []string) {
	f := reflect.ValueOf(row).Elem().FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, relation) })
	_, many, loaded, _ := shopRelation(f)
	text := f.MethodByName("String").Call(nil)[0].String()
	switch {
	case !loaded:
		return nil
	case !many:
		return []string{text}
	}
	if text = strings.Trim(text, "[]"); text == "" {
		return nil
	}
	for key := range strings.SplitSeq(text, ") ") {
		keys = append(keys, strings.TrimSuffix(key, ")")+")")
	}
	return keys
}
