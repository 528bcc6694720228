package kin_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// The program in the README is the one that runs as Example.
func TestReadmeProgram(t *testing.T) {
	t.Parallel()
	_, rest, found := strings.Cut(read(t, "README.md"), "```go\n")
	require.True(t, found)
	program, _, found := strings.Cut(rest, "```\n")
	require.True(t, found)
	program = strings.Replace(program, "package main\n", "package kin_test\n", 1)
	program = strings.Replace(program, "func main() {\n", "func Example() {\n", 1)
	assert.Equal(t, read(t, "example_test.go"), program)
}

// The program in the package comment is examples/first, which CI runs.
func TestPackageCommentProgram(t *testing.T) {
	t.Parallel()
	_, text, found := strings.Cut(read(t, "examples/first/main.go"), "\npackage main\n")
	require.True(t, found)
	var program strings.Builder
	for line := range strings.Lines("package main\n" + text) {
		if line != "\n" {
			program.WriteByte('\t')
		}
		program.WriteString(line)
	}
	assert.Contains(t, read(t, "doc.go"), "\n"+program.String()+"\n")
}
