package kin_test

import (
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestUnsafe guards that the build tag kin_safe leaves no unsafe in the module,
// and that without it there is one file with it.
func TestUnsafe(t *testing.T) {
	t.Parallel()
	plain, safe := build.Default, build.Default
	plain.BuildTags, safe.BuildTags = nil, []string{"kin_safe"}
	var files []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipOthers(path, d.Name())
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			if spec.Path.Value != `"unsafe"` {
				continue
			}
			dir, name := filepath.Split(path)
			built, err := safe.MatchFile(dir, name)
			require.NoError(t, err)
			assert.False(t, built, "%s imports unsafe, and has no //go:build !kin_safe", path)
			if built, err = plain.MatchFile(dir, name); built && err == nil {
				files = append(files, filepath.ToSlash(path))
			}
		}
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"internal/hydrate/memory.go"}, files)
}

// skipOthers leaves out what is no package of this module.
func skipOthers(path, name string) error {
	if path == "." {
		return nil
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || name[0] == '.' || name == "testdata" {
		return fs.SkipDir
	}
	return nil
}
