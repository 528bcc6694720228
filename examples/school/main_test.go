package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSchool(t *testing.T) {
	t.Parallel()
	var p page
	require.NoError(t, school(t.Context(), &p))

	out := p.String()
	assert.NotContains(t, out, "\x1b", "colours are for terminals")
	for line := range strings.Lines(out) {
		assert.LessOrEqual(t, utf8.RuneCountInString(line)-1, width, line)
	}
	assert.Contains(t, out, "14 rows read", "2 classes, 3 + 4 students and 2 + 3 teachers")
	assert.Contains(t, out, "would read 18", "3 x 2 + 4 x 3")
	assert.NotContains(t, out, "2A", "nobody in it has music")
	assert.Contains(t, out, "│  └─ Yuki       Music\n")
	assert.Contains(t, out, `did you mean "students"?`)
	assert.Contains(t, out, "SOa616.class_id = school_classes.id\n")
}
