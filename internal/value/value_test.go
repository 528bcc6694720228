package value_test

import (
	"database/sql/driver"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/value"
)

func TestIntegers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from   driver.Value
		signed any // nil is an error
		plain  any
		why    string
	}{
		{int64(-7), int64(-7), nil, "what most drivers give"},
		{int64(math.MaxInt64), int64(math.MaxInt64), uint64(math.MaxInt64), "the largest"},
		{int64(math.MinInt64), int64(math.MinInt64), nil, "the smallest"},
		{[]byte("42"), int64(42), uint64(42), "a text protocol"},
		{"9223372036854775807", int64(math.MaxInt64), uint64(math.MaxInt64), "a text"},
		{"9223372036854775808", nil, uint64(math.MaxInt64 + 1), "one above"},
		{[]byte("18446744073709551615"), nil, uint64(math.MaxUint64), "an unsigned column as text"},
		{uint64(math.MaxUint64), nil, uint64(math.MaxUint64), "an unsigned column"},
		{"18446744073709551616", nil, nil, "above all"},
		{int32(5), int64(5), uint64(5), "a driver's own width"},
		{true, int64(1), uint64(1), "a boolean"},
		{false, int64(0), uint64(0), "a boolean"},
		{float64(1 << 52), int64(1 << 52), uint64(1 << 52), "a whole float"},
		{float32(3), int64(3), uint64(3), "a whole float"},
		{1.5, nil, nil, "a float with a fraction"},
		{math.Pow(2, 60), nil, nil, "a float that may have lost digits"},
		{math.NaN(), nil, nil, "no number"},
		{math.Inf(1), nil, nil, "no number"},
		{"7.0", nil, nil, "no integer text"},
		{"", nil, nil, "no text"},
		{" 7", nil, nil, "spaces"},
		{time.Time{}, nil, nil, "a time"},
		{nil, nil, nil, "NULL is the caller's affair"},
	} {
		n, err := value.Int(c.from)
		if c.signed == nil {
			assert.Error(t, err, "%s: Int(%#v)", c.why, c.from)
		} else if assert.NoError(t, err, c.why) {
			assert.Equal(t, c.signed, n, c.why)
		}
		u, err := value.Uint(c.from)
		if c.plain == nil {
			assert.Error(t, err, "%s: Uint(%#v)", c.why, c.from)
		} else if assert.NoError(t, err, c.why) {
			assert.Equal(t, c.plain, u, c.why)
		}
	}
}

func TestOthers(t *testing.T) {
	t.Parallel()
	for _, v := range []driver.Value{true, int64(1), []byte("1"), []byte("t"), []byte("true"), []byte{1}} {
		b, err := value.Bool(v)
		require.NoError(t, err, "%#v", v)
		assert.True(t, b, "%#v", v)
	}
	for _, v := range []driver.Value{false, int64(0), []byte("0"), []byte("f"), []byte("false"), []byte{0}} {
		b, err := value.Bool(v)
		require.NoError(t, err, "%#v", v)
		assert.False(t, b, "%#v", v)
	}
	for _, v := range []driver.Value{int64(2), []byte("yes"), nil, 1.0} {
		_, err := value.Bool(v)
		require.Error(t, err, "%#v", v)
	}

	f, err := value.Float([]byte("0.1"), 64)
	require.NoError(t, err)
	assert.Equal(t, 0.1, f) //nolint:testifylint // the very same float
	f, err = value.Float(int64(3), 64)
	require.NoError(t, err)
	assert.Equal(t, 3.0, f) //nolint:testifylint // the very same float
	_, err = value.Float("x", 64)
	require.Error(t, err)

	s, err := value.String([]byte("ä"))
	require.NoError(t, err)
	assert.Equal(t, "ä", s)
	_, err = value.String(int64(5))
	require.EqualError(t, err, "the database gave a value of type int64, which is no text")

	own := []byte{1, 2}
	b, err := value.Bytes(own)
	require.NoError(t, err)
	own[0] = 9
	assert.Equal(t, []byte{1, 2}, b, "a copy: drivers use their buffers again")
	b, err = value.Bytes([]byte{})
	require.NoError(t, err)
	assert.NotNil(t, b, "no bytes are not NULL")
}

func TestErrorsTellNoValues(t *testing.T) {
	t.Parallel()
	for _, v := range []driver.Value{"secret", []byte("secret")} {
		for _, read := range []func(driver.Value) error{
			func(v driver.Value) error { _, err := value.Int(v); return err },
			func(v driver.Value) error { _, err := value.Uint(v); return err },
			func(v driver.Value) error { _, err := value.Float(v, 64); return err },
			func(v driver.Value) error { _, err := value.Time(v); return err },
			func(v driver.Value) error { _, err := value.UUID(v); return err },
		} {
			err := read(v)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
		}
	}
}

func TestCheckText(t *testing.T) {
	t.Parallel()
	require.NoError(t, value.CheckText("per % cent 'quoted' \\ 😀"))
	require.EqualError(t, value.CheckText("a\x00b"), "is a text with the character U+0000, which no text column holds; use []byte")
	require.EqualError(t, value.CheckText("a\xff"), "is a text that is not valid UTF-8; use []byte")
	require.Error(t, value.CheckText("\xed\xa0\x80"), "half of a surrogate pair")
}

func TestGiven(t *testing.T) {
	t.Parallel()
	narrow, wide := &dialect.Traits{}, &dialect.Traits{Unsigned: true, FloatSpecials: true}
	v, err := value.FromUint(math.MaxInt64, narrow)
	require.NoError(t, err)
	assert.Equal(t, int64(math.MaxInt64), v)
	_, err = value.FromUint(math.MaxInt64+1, narrow)
	require.EqualError(t, err, "is 9223372036854775808; this database holds no integer above 9223372036854775807")
	v, err = value.FromUint(math.MaxUint64, wide)
	require.NoError(t, err)
	back, err := value.Uint(v)
	require.NoError(t, err)
	assert.Equal(t, uint64(math.MaxUint64), back)

	_, err = value.FromFloat(math.NaN(), narrow)
	require.EqualError(t, err, "is NaN, which this database does not hold")
	_, err = value.FromFloat(math.Inf(-1), narrow)
	require.EqualError(t, err, "is -Inf, which this database does not hold")
	v, err = value.FromFloat(math.Inf(-1), wide)
	require.NoError(t, err)
	assert.Equal(t, math.Inf(-1), v) //nolint:testifylint // the very same float
}

func FuzzUUID(f *testing.F) {
	for _, s := range []string{"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430cg", ""} {
		f.Add(s, []byte(s))
	}
	f.Fuzz(func(t *testing.T, s string, raw []byte) {
		got, err := value.UUID(s)
		want, wantErr := uuid.Parse(s)
		if len(s) != 36 { // braces, urn: and the form without dashes are no database's
			require.Error(t, err)
		} else {
			require.Equal(t, wantErr == nil, err == nil, "%q: %v, %v", s, wantErr, err)
			if err == nil {
				require.Equal(t, [16]byte(want), got)
			}
		}
		if len(raw) == 16 {
			got, err := value.UUID(raw)
			require.NoError(t, err)
			require.Equal(t, raw, got[:])
			require.Equal(t, uuid.UUID(got).String(), value.FormatUUID(got))
			again, err := value.UUID([]byte(value.FormatUUID(got)))
			require.NoError(t, err)
			require.Equal(t, got, again)
		}
	})
}
