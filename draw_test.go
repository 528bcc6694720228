package kin_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

var updateGolden = flag.Bool("update", false, "write the golden files in testdata anew")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update")
	assert.Equal(t, string(want), text, name)
}

// Models with names that the languages of drawings have to escape.
type (
	drawGroß struct {
		ID     int64
		Quoted string `kin:"'say \"hi\", \\ {x}'"`
		Spaced string `kin:"has spaces"`
		Digit  int    `kin:"1param"`
		PK     int    `kin:"'pk'"`
		Dash   string `kin:"fk-x"`
		Umlaut string `kin:"größe,unique"`
		Data   []byte
		Null   *float64
	}
	drawBox[T any] struct { // its name has brackets
		ID    int64
		Owner kin.ForeignKey[drawGroß] `kin:"'owner \"id\"',null,related_name=the \"boxes\" \\ 100% #1"`
		One   kin.ForeignKey[drawGroß] `kin:",unique,related_name=one"`
	}
)

// Mermaid ignores case: this would be its word "class".
type Class struct {
	ID   int64
	Next kin.ForeignKey[Class] `kin:",null"`
}

func (drawGroß) KinTable() kin.Table { return kin.Table{Name: `odd "table" \ {x}`} }

func TestDrawings(t *testing.T) {
	t.Parallel()
	var odd kin.Registry
	kin.Register[drawGroß](&odd)
	kin.Register[drawBox[int]](&odd)
	kin.Register[Class](&odd)
	for _, c := range []struct {
		name     string
		registry *kin.Registry
	}{
		{"school", registrySchool()}, {"keys", fkRegistry()}, {"odd", &odd}, {"links", linkRegistry()},
	} {
		text, err := c.registry.Mermaid()
		require.NoError(t, err)
		golden(t, c.name+".mermaid.golden", text)
		text, err = c.registry.DOT()
		require.NoError(t, err)
		golden(t, c.name+".dot.golden", text)
	}
}

func TestDrawingMistakes(t *testing.T) {
	t.Parallel()
	var r kin.Registry
	kin.Register[registryPupil](&r)
	const want = "kin: registryPupil.Grade refers to registryGrade, which is not registered; add kin.Register[registryGrade]() to an init function"
	_, err := r.Mermaid()
	require.EqualError(t, err, want)
	_, err = r.DOT()
	require.EqualError(t, err, want)
}
