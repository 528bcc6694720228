package replay

import (
	"database/sql/driver"
	"fmt"
	"hash/maphash"
	"math"
	"time"
)

// prime is that of 64-bit FNV.
const prime = 1099511628211

// hash returns a hash of parameters. It is part of what is measured, as binding
// them is with a real driver, so it is cheap; values and their places count,
// and so do their types.
func (t *Tape) hash(args []driver.NamedValue) (uint64, error) {
	h := uint64(len(args))
	for i := range args {
		var v uint64
		switch x := args[i].Value.(type) {
		case nil:
			v = 1
		case int64:
			v = 2 + uint64(x)<<3
		case float64:
			v = 3 + math.Float64bits(x)<<3
		case bool:
			v = 4
			if x {
				v = 12
			}
		case string:
			v = 5 ^ maphash.String(t.seed, x)
		case []byte:
			v = 6 ^ maphash.Bytes(t.seed, x)
		case time.Time:
			v = 7 + uint64(x.UnixNano())<<3
		default:
			return 0, fmt.Errorf("replay: parameter %d is a %T", i+1, x)
		}
		h = (h ^ v) * prime
		h ^= h >> 32 // so that what was shifted up counts in the lower half
	}
	return h, nil
}
