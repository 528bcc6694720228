package value_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/value"
)

func TestTimeTexts(t *testing.T) {
	t.Parallel()
	noon := time.Date(2024, 2, 29, 12, 30, 45, 0, time.UTC)
	for _, c := range []struct {
		text string
		want time.Time // zero is an error
		why  string
	}{
		{"2024-02-29 12:30:45", noon, "the form that is written"},
		{"2024-02-29 12:30:45.5", noon.Add(500 * time.Millisecond), "with a fraction"},
		{"2024-02-29 12:30:45.123456", noon.Add(123456 * time.Microsecond), "with all of it"},
		{"2024-02-29 12:30:45.000000", noon, "MariaDB's DATETIME(6)"},
		{"2024-02-29T12:30:45", noon, "SQLite's other form"},
		{"2024-02-29T12:30:45Z", noon, "RFC 3339"},
		{"2024-02-29 14:30:45+02:00", noon, "with a zone: UTC is given back"},
		{"2024-02-29T14:30:45.5+02:00", noon.Add(500 * time.Millisecond), "with a zone"},
		{"2024-02-29 12:30", noon.Add(-45 * time.Second), "without seconds"},
		{"2024-02-29", noon.Truncate(24 * time.Hour), "a date"},
		{"2024-02-29 12:30:45 +0000 UTC", noon, "Go's own form, which other programs store"},
		{"2023-02-29", time.Time{}, "no leap year"},
		{"2024-04-31 00:00:00", time.Time{}, "April has 30 days"},
		{"2024-13-01", time.Time{}, "no month"},
		{"2024-00-01", time.Time{}, "no month"},
		{"2024-02-29 24:00:00", time.Time{}, "no hour"},
		{"0000-00-00 00:00:00", time.Time{}, "MySQL's zero date"},
		{"2024-02-29 12:30:45.", time.Time{}, "a dot and no fraction"},
		{"12:30:45", time.Time{}, "no date"},
		{"now", time.Time{}, "no time"},
		{"", time.Time{}, "no text"},
	} {
		got, err := value.Time(c.text)
		bytes, bytesErr := value.Time([]byte(c.text))
		if c.want.IsZero() {
			assert.Error(t, err, "%s: %q", c.why, c.text)
			assert.Error(t, bytesErr, c.why)
			continue
		}
		if assert.NoError(t, err, "%s: %q", c.why, c.text) && assert.NoError(t, bytesErr, c.why) {
			assert.Equal(t, c.want, got, c.why)
			assert.Equal(t, c.want, bytes, c.why)
		}
	}
}

func TestTimeYears(t *testing.T) {
	t.Parallel()
	for _, text := range []bool{true, false} {
		traits := &dialect.Traits{TextTime: text}
		for year, ok := range map[int]bool{-1: false, 0: false, 1: true, 1969: true, 9999: true, 10_000: false} {
			_, err := value.FromTime(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC), traits)
			assert.Equal(t, ok, err == nil, year)
		}
	}
	_, err := value.FromTime(time.Date(10_000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)), &dialect.Traits{})
	require.NoError(t, err, "the year 9999 in UTC")
}

// FuzzTimeText compares the reader by hand with time.Parse.
func FuzzTimeText(f *testing.F) {
	for _, s := range []string{"2024-02-29 12:30:45.123456", "2023-02-29", "2024-02-29T12:30:45", "2024-02-29 1:30:45", "2024-02-29 12:30:45,5", "9999-12-31 23:59:59.999999999", "0000-01-01"} {
		f.Add(s)
	}
	layouts := []string{"2006-01-02", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := value.Time(s)
		for _, layout := range layouts {
			// Parse takes a comma, and an hour of one digit, which no database
			// writes: only what reads back the same way counts.
			want, wantErr := time.Parse(layout, s)
			if wantErr == nil && want.Format(layout) == s {
				require.NoError(t, err, s)
				require.True(t, want.Equal(got), "%s: %s, not %s", s, got, want)
				return
			}
		}
		if err == nil {
			require.Equal(t, time.UTC, got.Location())
		}
	})
}

// FuzzTimeRoundTrip writes instants as they are stored, and reads them.
func FuzzTimeRoundTrip(f *testing.F) {
	f.Add(int64(0), int64(1))
	f.Add(int64(253402300799), int64(999_999_999))
	f.Add(int64(-62135596800), int64(0))
	f.Fuzz(func(t *testing.T, seconds, nanos int64) {
		instant := time.Unix(seconds, nanos)
		want := instant.UTC().Truncate(time.Microsecond)
		for _, traits := range []*dialect.Traits{{TextTime: true}, {}} {
			stored, err := value.FromTime(instant, traits)
			if year := want.Year(); year < 1 || year > 9999 {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err)
			got, err := value.Time(stored)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

// FuzzTimeOrder: texts sort as the instants do, as SQLite compares them.
func FuzzTimeOrder(f *testing.F) {
	f.Add(int64(1_700_000_000_000_000), int64(1_700_000_000_500_000))
	f.Add(int64(1_700_000_000_500_000), int64(1_700_000_000_510_000))
	f.Add(int64(1), int64(-1))
	f.Fuzz(func(t *testing.T, a, b int64) {
		text := &dialect.Traits{TextTime: true}
		x, err := value.FromTime(time.UnixMicro(a), text)
		if err != nil {
			t.Skip()
		}
		y, err := value.FromTime(time.UnixMicro(b), text)
		if err != nil {
			t.Skip()
		}
		require.Equal(t, a < b, x.(string) < y.(string), "%s and %s", x, y)
	})
}

// TestFormatTime: times are written as package time writes the layout.
func TestFormatTime(t *testing.T) {
	t.Parallel()
	traits := &dialect.Traits{TextTime: true}
	written := func(at time.Time) {
		got, err := value.FromTime(at, traits)
		require.NoError(t, err)
		assert.Equal(t, at.UTC().Format(value.TimeLayout), got)
	}
	for _, at := range []time.Time{
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 1000, time.UTC), time.Date(2024, 2, 29, 12, 30, 45, 500_000_999, time.FixedZone("", 3600)),
		time.Date(987, 6, 5, 4, 3, 2, 10_000, time.UTC),
	} {
		written(at)
	}
	seed := time.Now().UnixNano()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(uint64(seed), 0)) //nolint:gosec // no secret
	for range 10_000 {
		written(time.Unix(r.Int64N(250_000_000_000)-60_000_000_000, r.Int64N(1_000_000_000)))
	}
}
