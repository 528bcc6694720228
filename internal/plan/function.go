package plan

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// Function is a call.
type Function struct {
	Name string
	Args []Value
	// Texts are what a function of the user's own is in each dialect, by its
	// name, and Result the type of its values. Both are nil for kin's.
	Texts  map[string]string
	Result reflect.Type
}

// A signature says what a function takes and gives. The kinds of arguments are
// t for texts, n for numbers, i for integers, d for times, l for lists and a for any; the
// last is that of all that follow. No result is the type of the first argument.
type signature struct {
	takes  string
	result reflect.Type
}

//nolint:gochecknoglobals // an immutable table
var signatures = func() map[string]signature {
	text, whole, number := reflect.TypeFor[string](), reflect.TypeFor[int64](), reflect.TypeFor[float64]()
	m := map[string]signature{
		"now": {"", reflect.TypeFor[time.Time]()}, "random": {"", number},
		"concat": {"t", text}, "coalesce": {"a", nil}, "greatest": {"a", nil}, "least": {"a", nil},
		"lower": {"t", text}, "upper": {"t", text}, "trim": {"t", text}, "ltrim": {"t", text}, "rtrim": {"t", text},
		"replace": {"ttt", text}, "substr": {"ti", text}, "length": {"t", whole},
		"abs": {"n", nil}, "round": {"nn", number}, "floor": {"n", number}, "ceil": {"n", number}, "mod": {"i", whole},
		"integer": {"n", whole}, "float": {"n", number}, "text": {"i", text},
		"list length": {"l", whole}, "list item": {"li", nil},
		"shift": {"di", reflect.TypeFor[time.Time]()},
	}
	for _, part := range []string{"year", "quarter", "month", "week", "day", "weekday", "hour", "minute", "second"} {
		m[part] = signature{"d", whole}
		m["trunc "+part] = signature{"d", reflect.TypeFor[time.Time]()}
	}
	delete(m, "trunc weekday")
	return m
}()

// IsFunction reports whether there is a function of kin's with a name.
func IsFunction(name string) bool { _, ok := signatures[name]; return ok }

// A Called is a call of a function.
type Called struct {
	Name  string
	Args  []Expr
	Texts map[string]string
	Type  *schema.Column // of its values
}

// function resolves a call.
func (b *builder) function(from *From, f Function, want *schema.Column, depth int) (Expr, error) {
	sig := signatures[f.Name]
	if f.Texts != nil {
		sig = signature{"a", f.Result}
	}
	c := Called{Name: f.Name, Texts: f.Texts}
	var first *schema.Column // the type of what is known so far
	for i, arg := range f.Args {
		kind := sig.takes[min(i, len(sig.takes)-1)]
		as := argument(kind)
		if kind == 'a' && f.Texts == nil {
			if as = first; as == nil {
				as = want
			}
			if lit, ok := arg.(Literal); ok && lit.Value == nil && as == nil {
				c.Args = append(c.Args, nil) // of the type of those after it
				continue
			}
		}
		if lit, ok := arg.(Literal); ok && (kind == 'n' || kind == 'a' && as == nil && lit.Value != nil) {
			as = schema.Scalar(reflect.TypeOf(lit.Value))
		}
		e, err := b.value(from, arg, as, depth+1)
		if err != nil {
			return nil, err
		}
		if err := incomparable(e); errors.Is(err, errList) {
			return nil, err
		}
		t := columnOf(e)
		if t != nil && !takes(kind, t) {
			return nil, fmt.Errorf("kin: %s does not take %s, a %s", f.Name, t.GoName(), t.Source.Field.Type)
		}
		if first == nil {
			first = t
		}
		if kind == 'a' && f.Texts == nil && t != nil && first != nil && !alike(first.Value.Kind, t.Value.Kind) {
			return nil, fmt.Errorf("kin: %s takes values of one type, not %s, a %s, and %s, a %s", f.Name,
				first.GoName(), first.Source.Field.Type, t.GoName(), t.Source.Field.Type)
		}
		c.Args = append(c.Args, e)
	}
	for i, e := range c.Args {
		if e != nil {
			continue
		}
		var err error
		if c.Args[i], err = b.literal(nil, first); err != nil {
			return nil, err
		}
	}
	c.Type = first
	if f.Texts == nil && sig.takes == "a" {
		floats(c.Args)
		c.Type = typeOfAll(c.Args)
	}
	if f.Name == "list item" && first != nil {
		c.Type = schema.Scalar(first.Source.Field.Base.Elem())
	}
	if sig.result != nil {
		c.Type = schema.Scalar(sig.result)
	}
	if f.Name == "replace" && b.mayBeNull(c.Args[2]) {
		// SQLite and MariaDB look at what they put in only once they need it.
		return Cased{Whens: []CasedWhen{{Cond: Not{&Test{X: c.Args[2], Op: lookup.IsNull}}, Then: c}}}, nil
	}
	return c, nil
}

// argument returns the type of a literal where a kind is taken.
func argument(kind byte) *schema.Column {
	switch kind {
	case 't':
		return schema.ScalarOf[string]()
	case 'i':
		return schema.ScalarOf[int64]()
	case 'd':
		return schema.ScalarOf[time.Time]()
	}
	return nil
}

func takes(kind byte, t *schema.Column) bool {
	k := t.Value.Kind
	switch kind {
	case 't':
		return k == dialect.String || k == dialect.Custom
	case 'n':
		return t.IsNumber()
	case 'i':
		return t.IsWhole()
	case 'd':
		return k == dialect.Time
	case 'l':
		return k == dialect.Array
	}
	return true
}
