package kin

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/plan"
)

// JSON is a value within a JSON document, at the end of the keys: texts, which
// are names in objects, and whole numbers, which count the elements of arrays
// from 0. They are data, and may come from a user.
//
//	city := kin.JSON[string](kin.F("meta"), "address", "city")
//	q.Annotate("city", city).Filter("city__istartswith", "ber").OrderBy("city")
//
// V says what it is: a string, an integer, a float or a bool, or, as
// [json.RawMessage], the JSON itself. It is NULL if the document is, if there
// is nothing at the keys, or something of another type: the text "1" is no
// number, 1.5 no integer, and null neither. An integer is in the range of
// int64. As [json.RawMessage] only what is not there is NULL, and null is the
// JSON null; PostgreSQL gives it in a form of its own. What is JSON does not
// compare, see [JSONContains].
//
// Documents that other programs have written are found on MariaDB only if
// their keys are written without escapes, and an object that has a key twice
// has on each database another one of them.
func JSON[V any](doc Expr, keys ...any) Expr {
	return Expr{plan.JSONValue{Doc: doc.value(), Keys: slices.Clone(keys), Type: reflect.TypeFor[V]()}}
}

// JSONHas is the condition that the JSON document has something at the end of
// the keys, be it null. See [JSON].
func JSONHas(doc Expr, keys ...any) *Condition {
	return Not(JSON[json.RawMessage](doc, keys...).IsNull())
}

// JSONContains is the condition that the JSON document contains the value, as
// [encoding/json] writes it, in the way of PostgreSQL's @>: an object contains
// one that has some of its keys, with values that they contain; an array one of
// whose elements each is contained in some of its own, in any order, and the
// values that are no objects and no arrays among its elements; all else what
// equals it. To look into the document, give it what [JSON] finds there:
//
//	kin.JSONContains(kin.F("meta"), map[string]any{"tags": []string{"new"}})
//	kin.JSONContains(kin.JSON[json.RawMessage](kin.F("meta"), "tags"), "new")
func JSONContains(doc Expr, value any) *Condition {
	return &Condition{plan.JSONHolds{Doc: doc.value(), Content: value}}
}
