package pattern

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/dialect"
)

// TestAmbiguous knows the patterns for which a matcher that goes back needs
// exponential time, and lets those pass that look alike.
func TestAmbiguous(t *testing.T) { //nolint:paralleltest // what others allocate would be counted
	for pattern, want := range map[string]bool{
		`(a+)+$`: true, `(a|a)*b`: false, `(a|aa)+$`: true, `(.*a){12}x`: false, `(\w+\s?)*$`: true, `([a-z]+)*!`: true,
		`(a*)*b`: true, `(a|b|ab)*c`: true, `(?i)(k|K)*x`: false, `(a?a?)*b`: true, `(?:ab|[ac]b)*d`: true, `(x+x+)+y`: true,
		`(\d+,)*\d+`: false, `^(([a-z])+\.)+[A-Z]+$`: false, `a*a*a*b`: false, `\pL+ \pN+`: false, `(ab|cd)*e`: false,
		`^[^@]+@([a-z0-9-]+\.)+[a-z]{2,}$`: false, `.*a.*b.*`: false, `(a{1,3}b)*c`: false, `[ab]{2,255}`: false,
	} {
		re, err := parse(pattern)
		require.NoError(t, err)
		assert.Equal(t, want, ambiguous(re), pattern)
		assert.Less(t, testing.AllocsPerRun(1, func() { ambiguous(re) }), 5000.0, pattern) // for the work that it does
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, CheckLike(`a\%b\\`))
	require.ErrorContains(t, CheckLike(`a\`), `the pattern "a\\" ends in a backslash`)
	require.ErrorContains(t, CheckRegexp(`a(b`), `the pattern "a(b" is no regular expression`)
	require.ErrorContains(t, CheckRegexp(`(?<=a)b`), "is no regular expression")
	require.ErrorContains(t, CheckRegexp(`(a)\1`), "invalid escape sequence")
	require.ErrorContains(t, CheckRegexp(`x(a{256})`), "repeats a part 256 times")
	_, err := Regexp(`(a+)+`, dialect.PerlRegexp)
	require.ErrorContains(t, err, "in several ways")
}
