// Package value converts between Go's values and those that drivers take and
// give: the forms of one kind differ from driver to driver, and only this
// package knows them all.
package value

import (
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kin-orm/kin/dialect"
)

// A mismatch is a value from the database that does not fit a kind.
func mismatch(v driver.Value, kind string) error {
	return fmt.Errorf("the database gave %s, which is no %s", describe(v), kind)
}

func describe(v driver.Value) string {
	switch v := v.(type) {
	case []byte:
		return "a text or bytes"
	case string:
		return "a text"
	default:
		return fmt.Sprintf("a value of type %T", v)
	}
}

// Int reads a signed integer.
func Int(v driver.Value) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case []byte:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n, nil
		}
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, nil
		}
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case int32: // the drivers' own rows are wider than driver.Value
		return int64(v), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), nil
		}
	case float32:
		return Int(float64(v))
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
	}
	return 0, mismatch(v, "integer in the range of int64")
}

// Uint reads an unsigned integer.
func Uint(v driver.Value) (uint64, error) {
	switch v := v.(type) {
	case int64:
		if v >= 0 {
			return uint64(v), nil
		}
	case uint64:
		return v, nil
	case []byte:
		if n, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return n, nil
		}
	case string:
		if n, err := strconv.ParseUint(v, 10, 64); err == nil {
			return n, nil
		}
	default:
		if n, err := Int(v); err == nil && n >= 0 {
			return uint64(n), nil
		}
	}
	return 0, mismatch(v, "unsigned integer")
}

// Float reads a floating point number.
func Float(v driver.Value, bits int) (float64, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case float32:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case []byte:
		if f, err := strconv.ParseFloat(string(v), bits); err == nil {
			return f, nil
		}
	case string:
		if f, err := strconv.ParseFloat(v, bits); err == nil {
			return f, nil
		}
	}
	return 0, mismatch(v, "number")
}

// Bool reads a truth value.
func Bool(v driver.Value) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case int64:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case []byte:
		if b, ok := boolText(string(v)); ok {
			return b, nil
		}
	case string:
		if b, ok := boolText(v); ok {
			return b, nil
		}
	}
	return false, mismatch(v, "boolean")
}

// boolText reads the texts that databases have for truth values. A BIT(1) of
// MariaDB is a byte.
func boolText(s string) (b, ok bool) {
	switch s {
	case "0", "f", "false", "\x00":
		return false, true
	case "1", "t", "true", "\x01":
		return true, true
	}
	return false, false
}

// String reads a text.
func String(v driver.Value) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int64, float64, bool, float32, int32, uint64:
		// A STRICT or typed column never gives these for a text.
		return "", mismatch(v, "text")
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	}
	return "", mismatch(v, "text")
}

// Bytes reads bytes. They are the caller's own.
func Bytes(v driver.Value) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return append([]byte{}, v...), nil
	case string:
		return []byte(v), nil
	}
	return nil, mismatch(v, "bytes")
}

// UUID reads the text of a UUID, or its sixteen bytes.
func UUID(v driver.Value) (u [16]byte, err error) {
	var text string
	switch v := v.(type) {
	case [16]byte:
		return v, nil
	case []byte:
		if len(v) == len(u) {
			copy(u[:], v)
			return u, nil
		}
		text = string(v)
	case string:
		text = v
	default:
		return u, mismatch(v, "UUID")
	}
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return u, errors.New("the database gave a text that is no UUID")
	}
	for i, from := range [...]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		hi, ok1 := nibble(text[from])
		lo, ok2 := nibble(text[from+1])
		if !ok1 || !ok2 {
			return u, errors.New("the database gave a text that is no UUID")
		}
		u[i] = hi<<4 | lo
	}
	return u, nil
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// FormatUUID returns the text of u.
func FormatUUID(u [16]byte) string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// CheckText returns an error for a text that not every database can hold.
func CheckText(s string) error {
	switch {
	case strings.IndexByte(s, 0) >= 0:
		return errors.New("is a text with the character U+0000, which no text column holds; use []byte")
	case !utf8.ValidString(s):
		return errors.New("is a text that is not valid UTF-8; use []byte")
	}
	return nil
}

// CheckJSON returns an error for a JSON text that not every database can
// hold: PostgreSQL refuses escapes that stand for no character of a text.
func CheckJSON(s string) error {
	if err := CheckText(s); err != nil {
		return err
	}
	for rest := s; ; {
		i := strings.IndexByte(rest, '\\')
		if i < 0 || i+1 >= len(rest) {
			return nil
		}
		rest = rest[i:]
		if rest[1] != 'u' {
			rest = rest[2:]
			continue
		}
		r, ok := escaped(rest)
		switch {
		case !ok || r == 0:
			return errors.New("is JSON with the character U+0000, which not every database holds")
		case utf16.IsSurrogate(r):
			low, _ := escaped(rest[6:])
			if utf16.DecodeRune(r, low) == utf8.RuneError {
				return errors.New("is JSON with half of a surrogate pair, which not every database holds")
			}
			rest = rest[6:]
		}
		rest = rest[6:]
	}
}

// escaped reads the escape \uXXXX at the start of a JSON text.
func escaped(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}

// HasEscape reports whether the JSON text s has the escape, such as \ufffd,
// rather than a backslash that is escaped itself and then its letters.
func HasEscape(s, escape string) bool {
	for i := 0; i+len(escape) <= len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		if s[i:i+len(escape)] == escape {
			return true
		}
		i++ // what is escaped begins no escape
	}
	return false
}

// FromTime returns what the driver is given for t: UTC, to the microsecond.
func FromTime(t time.Time, traits *dialect.Traits) (driver.Value, error) {
	t = t.UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return nil, fmt.Errorf("is a time in the year %d; databases hold the years 1 to 9999", y)
	}
	if traits.TextTime {
		return formatTime(t), nil
	}
	return t.Truncate(time.Microsecond), nil
}

func formatTime(t time.Time) string {
	var room [len(TimeLayout)]byte
	return string(AppendTime(room[:0], t))
}

// putDigits fills b with the digits of n.
func putDigits(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- { // by slices.Backward it takes five times as long
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// A RangeError says that the database has no column for a number.
type RangeError struct{ N uint64 }

func (e RangeError) Error() string {
	return fmt.Sprintf("is %d; this database holds no integer above %d", e.N, int64(math.MaxInt64))
}

// FromUint returns what the driver is given for n.
func FromUint(n uint64, traits *dialect.Traits) (driver.Value, error) {
	if n <= math.MaxInt64 {
		return int64(n), nil
	}
	if !traits.Unsigned {
		return nil, RangeError{n}
	}
	// database/sql refuses a uint64 with the high bit set; as text it passes.
	return strconv.FormatUint(n, 10), nil
}

// FromFloat returns what the driver is given for f.
func FromFloat(f float64, traits *dialect.Traits) (driver.Value, error) {
	if !traits.FloatSpecials && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return nil, fmt.Errorf("is %v, which this database does not hold", f)
	}
	return f, nil
}
