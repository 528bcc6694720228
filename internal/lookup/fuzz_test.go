package lookup_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

type node struct {
	ID   int64
	Name string
	In   string // a field called as an operator is
}

func graph(tb testing.TB) *schema.Model {
	tb.Helper()
	none := func(reflect.Type) (schema.RelField, bool) { return schema.RelField{}, false }
	g, problems := schema.Resolve([]*schema.Struct{schema.Parse(reflect.TypeFor[node](), none)}, schema.Snake())
	require.Empty(tb, problems)
	return g.Models[0]
}

func TestCondition(t *testing.T) {
	t.Parallel()
	m := graph(t)
	for _, c := range []struct {
		why, text, column string
		op                lookup.Op
	}{
		{"a field alone is compared", "name", "name", lookup.Exact},
		{"an operator comes last", "name__icontains", "name", lookup.IContains},
		{"a field may be called as an operator is", "in", "in", lookup.Exact},
		{"and be compared by it", "in__in", "in", lookup.In},
		{"pk is the primary key", "pk__gt", "id", lookup.Gt},
	} {
		p, err := lookup.Condition(m, c.text)
		require.NoError(t, err, c.why)
		require.Equal(t, c.column, p.Column.Name, c.why)
		require.Equal(t, c.op, p.Op, c.why)
	}
}

// FuzzCondition takes any text: it resolves to a column, or is an error that
// is not much longer than it must be.
func FuzzCondition(f *testing.F) {
	m := graph(f)
	for _, seed := range []string{"name", "name__in", "in__in", "id__", "__", "", "name__in__x", "nam", "a__b__c__d", "pk", "NAME", "name__\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := lookup.Condition(m, text)
		if err != nil {
			require.Less(t, len(err.Error()), 2000)
			return
		}
		require.NotNil(t, p.Column)
		name, op, _ := strings.Cut(text, "__")
		if name == "pk" {
			name = "id"
		}
		require.Equal(t, name, p.Column.Lookup)
		if op != "" {
			require.Equal(t, op, p.Op.String())
		}
	})
}
