package crypt

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// The kinds of values: the first byte of a plaintext. A value that is read as
// another kind than it was written as is seen, and not misread. Numbers take
// eight bytes, so that a ciphertext's length does not tell their size.
const (
	kindText  = 't'
	kindBytes = 'b'
	kindInt   = 'i'
	kindFloat = 'f'
	kindBool  = '?'
	kindTime  = '@' // microseconds
)

// pack returns a value as bytes.
func (c *Cipher) pack(v driver.Value) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return append(append(make([]byte, 0, 1+len(v)), kindText), v...), nil
	case []byte:
		return append(append(make([]byte, 0, 1+len(v)), kindBytes), v...), nil
	case int64:
		return number(kindInt, uint64(v)), nil
	case float64:
		if c.deterministic && v == 0 {
			v = 0 // and not -0, which equals it, and so has an equal ciphertext
		}
		return number(kindFloat, math.Float64bits(v)), nil
	case bool:
		if v {
			return []byte{kindBool, 1}, nil
		}
		return []byte{kindBool, 0}, nil
	case time.Time:
		return number(kindTime, uint64(v.UnixMicro())), nil
	}
	return nil, fmt.Errorf("is a %T, which is not encrypted", v)
}

func number(kind byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 9), kind), n)
}

// unpack is the reverse of pack. What it returns is a copy.
func unpack(plain []byte) (driver.Value, error) {
	kind, rest := plain[0], plain[1:]
	switch {
	case kind == kindText:
		return string(rest), nil
	case kind == kindBytes:
		return append([]byte{}, rest...), nil
	case kind == kindBool && len(rest) == 1:
		return rest[0] == 1, nil
	case len(rest) != 8:
	case kind == kindInt:
		return int64(binary.BigEndian.Uint64(rest)), nil
	case kind == kindFloat:
		return math.Float64frombits(binary.BigEndian.Uint64(rest)), nil
	case kind == kindTime:
		return time.UnixMicro(int64(binary.BigEndian.Uint64(rest))).UTC(), nil
	}
	return nil, errors.New("holds a value of a kind that this version of kin does not know")
}
