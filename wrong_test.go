package kin_test

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWrongPrograms compiles programs that must not compile: those marked with
// an ERROR, and no others, are refused, with the message that it tells.
func TestWrongPrograms(t *testing.T) {
	t.Parallel()
	const file = "testdata/wrong/wrong.go"
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	want := map[int]string{}
	for i, line := range strings.Split(string(source), "\n") {
		if _, text, ok := strings.Cut(line, "// ERROR "); ok {
			want[i+1] = text
		}
	}
	require.GreaterOrEqual(t, len(want), 40)

	out, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-e", "./testdata/wrong").CombinedOutput()
	require.Error(t, err)
	found := map[int]bool{}
	for _, m := range regexp.MustCompile(`(?m)^testdata/wrong/wrong\.go:(\d+):\d+: (.*)$`).FindAllStringSubmatch(string(out), -1) {
		line, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		text, ok := want[line]
		require.True(t, ok, "line %d: %s", line, m[2])
		if strings.Contains(m[2], text) {
			found[line] = true
		}
	}
	for line, text := range want {
		assert.True(t, found[line], "line %d gives no error with %q", line, text)
	}
}
