package chinook

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Money is an amount in cents. A float64 would hold each NUMERIC(10,2) well
// enough, but not sums of many; whole cents are exact everywhere.
type Money int64

// String returns the amount as the databases write it: 0.99.
func (m Money) String() string {
	sign, n := "", int64(m)
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// Value implements [driver.Valuer].
func (m Money) Value() (driver.Value, error) { return m.String(), nil }

// Scan implements sql.Scanner. PostgreSQL and MariaDB give a text. SQLite
// keeps a NUMERIC as a float, which has every cent below 2^53, or as an
// integer.
func (m *Money) Scan(v any) error {
	switch v := v.(type) {
	case int64:
		*m = Money(v * 100)
		return nil
	case float64:
		*m = Money(math.Round(v * 100))
		return nil
	case []byte:
		return m.parse(string(v))
	case string:
		return m.parse(v)
	}
	return fmt.Errorf("chinook: a %T is no amount", v)
}

// parse reads a text with at most two decimals.
func (m *Money) parse(s string) error {
	whole, cents, _ := strings.Cut(s, ".")
	if whole == "" || len(cents) > 2 {
		return fmt.Errorf("chinook: %q is no amount in cents", s)
	}
	n, err := strconv.ParseInt(whole+cents+"00"[len(cents):], 10, 64)
	if err != nil {
		return fmt.Errorf("chinook: %q is no amount in cents", s)
	}
	*m = Money(n)
	return nil
}
