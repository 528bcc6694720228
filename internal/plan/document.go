package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// JSONValue is a value within a JSON document.
type JSONValue struct {
	Doc  Value
	Keys []any
	Type reflect.Type
}

// JSONHolds is met if a JSON document contains a value.
type JSONHolds struct {
	Doc     Value
	Content any
}

func (JSONValue) isValue() {}
func (JSONHolds) isAsk()   {}

// The resolved forms.
type (
	// A Dig is a JSONValue. A key is a string or an int.
	Dig struct {
		Doc  Expr
		Keys []any
		Type *schema.Column
	}
	// A Holds is a JSONHolds. Text is the value as JSON, and Content what
	// encoding/json makes of it, with numbers as they are written.
	Holds struct {
		Doc     Expr
		Text    string
		Content any
	}
)

func (Dig) isExpr()    {}
func (*Holds) isCond() {}

const (
	// maxKeys is how deep into a document keys may lead.
	maxKeys = 100
	// maxContent is the most values in one that a document is asked to contain:
	// each is a part of the statement on some databases.
	maxContent = 1000
)

// errRaw is for JSON in the place of a value that compares.
var errRaw = errors.New("kin: JSON does not compare and has no order; ask for what it contains (kin.JSONContains), or take a value out of it, as kin.JSON[string]")

var errList = errors.New("kin: a list of values is read, and neither compared, sorted by nor calculated with; without values it is a nil slice")

// dig resolves a value within a document.
func (b *builder) dig(from *From, v JSONValue, depth int) (Expr, error) {
	doc, err := b.document(from, v.Doc, depth)
	if err != nil {
		return nil, err
	}
	t := schema.Scalar(v.Type)
	if t == nil || t.Value.Kind != dialect.JSON && t.Value.Kind != dialect.Bool && t.Value.Kind != dialect.Float && !t.IsWhole() && !t.IsText() {
		return nil, fmt.Errorf("kin: JSON has strings, integers, floats and bools, or is a json.RawMessage, but no %s", v.Type)
	}
	if len(v.Keys) > maxKeys {
		return nil, fmt.Errorf("kin: %d keys lead into a JSON document; %d is the most", len(v.Keys), maxKeys)
	}
	keys := make([]any, len(v.Keys))
	for i, key := range v.Keys {
		k := reflect.ValueOf(key)
		switch {
		case k.Kind() == reflect.String:
			if err := value.CheckText(k.String()); err != nil {
				return nil, fmt.Errorf("kin: a key of a JSON document %w", err)
			}
			keys[i] = k.String()
		case k.CanInt() && k.Int() >= 0 && k.Int() < 1<<31:
			keys[i] = int(k.Int())
		default:
			return nil, fmt.Errorf("kin: the key %v of a JSON document is a %T; names are texts, and places in an array whole numbers from 0", key, key)
		}
	}
	return Dig{Doc: doc, Keys: keys, Type: t}, nil
}

// document resolves an expression that is JSON.
func (b *builder) document(from *From, v Value, depth int) (Expr, error) {
	doc, err := b.value(from, v, nil, depth+1)
	if err != nil {
		return nil, err
	}
	if t := columnOf(doc); t != nil && t.Value.Kind != dialect.JSON {
		return nil, fmt.Errorf("kin: %s is a %s, and no JSON", t.GoName(), t.Source.Field.Type)
	}
	return doc, nil
}

// holds resolves a condition on what a document contains.
func (b *builder) holds(at place, h JSONHolds) (Cond, error) {
	doc, err := b.document(at.base(), h.Doc, 0)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(h.Content)
	if err == nil {
		err = value.CheckJSON(string(text))
	}
	if err != nil {
		return nil, fmt.Errorf("kin: JSONContains: a %T %w", h.Content, err)
	}
	c := &Holds{Doc: doc, Text: value.PlainJSON(string(text))}
	d := json.NewDecoder(strings.NewReader(c.Text))
	d.UseNumber()
	if err := d.Decode(&c.Content); err != nil {
		return nil, fmt.Errorf("kin: JSONContains: %w", err)
	}
	if n := sizeOf(c.Content); n > maxContent {
		return nil, fmt.Errorf("kin: JSONContains: a document of %d values; %d is the most that can be asked for", n, maxContent)
	}
	return c, nil
}

func sizeOf(content any) int {
	n := 1
	switch content := content.(type) {
	case []any:
		for _, x := range content {
			n += sizeOf(x)
		}
	case map[string]any:
		for _, x := range content {
			n += sizeOf(x)
		}
	}
	return n
}

// incomparable returns an error for an expression that has no order, and equals
// another only by its form.
func incomparable(e Expr) error {
	switch e := e.(type) {
	case Dig:
		if e.Type.Value.Kind == dialect.JSON {
			return errRaw
		}
	case Agg:
		if e.Name == Listed {
			return errList
		}
	case Sub:
		return incomparable(e.Select.Columns[0])
	}
	return nil
}
