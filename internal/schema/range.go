package schema

import (
	"math"
	"strings"

	"github.com/kin-orm/kin/dialect"
)

// integerBits are the sizes of the types that SQL calls integers, but for
// those of 64 bits, which hold whatever kin sends.
//
//nolint:gochecknoglobals // an immutable table
var integerBits = map[string]int{
	"tinyint": 8, "smallint": 16, "int2": 16, "mediumint": 24,
	"int": 32, "integer": 32, "int4": 32, "smallserial": 16, "serial": 32,
}

// ranges finds what the integer columns hold whose type a tag names.
func (r *resolver) ranges() {
	for _, m := range r.graph.Models {
		for _, c := range m.Columns {
			if c.Source != nil && (c.Value.Kind == dialect.Int || c.Value.Kind == dialect.Uint) {
				c.Least, c.Most = integerRange(c.Source.Field.Tag.Type)
			}
		}
	}
}

// integerRange returns the range of a type that SQL names: zeros if that is no
// integer of less than 64 bits. A width in parentheses is about how it is
// printed.
func integerRange(sql string) (least, most int64) {
	name, rest, _ := strings.Cut(strings.ToLower(strings.TrimSpace(sql)), " ")
	name, _, _ = strings.Cut(name, "(")
	bits, ok := integerBits[name]
	if !ok {
		return 0, 0
	}
	if strings.Contains(rest, "unsigned") {
		return 0, math.MaxInt64 >> (63 - bits)
	}
	most = math.MaxInt64 >> (64 - bits)
	return -most - 1, most
}
