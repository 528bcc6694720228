package tests

import (
	"embed"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

//go:embed testdata/prefetch.*.golden
var prefetchGoldens embed.FS

// testPrefetchTexts compares the statements of levels with the golden files,
// which KIN_UPDATE_PREFETCH=1 writes anew; say so under Changed SQL in
// CHANGELOG.md.
func testPrefetchTexts(t *testing.T, s *Suite) {
	s.NewSchool(t, 3, 2, 1)
	ctx := t.Context()
	classes, students := kin.Query[SchoolClass](), kin.Query[Student]()
	var b strings.Builder
	note := func(why string, run func() error) {
		s.Wire.Reset()
		require.NoError(t, run())
		b.WriteString("<<< " + why + "\n")
		for _, text := range s.Wire.Statements()[1:] {
			b.WriteString(text + "\n")
		}
		b.WriteString(">>>\n\n")
	}
	all := func(q kin.QuerySet[SchoolClass]) func() error {
		return func() error { _, err := q.All(ctx, s.DB); return err }
	}
	note("a statement for each level", all(classes.Prefetch("students__category")))
	note("a subquery with a filter and an order", all(classes.Prefetch("students", students.Filter("category__name", "Music").OrderBy("-name"))))
	note("a limit of each parent", all(classes.Prefetch("students", students.OrderBy("-name").Limit(2).Offset(1))))
	note("joins", all(classes.Prefetch("students", students.SelectRelated("category", "class__teachers").OrderBy("name").Limit(2))))

	linked := linkSuite(t, s)
	s.Exec(t, "INSERT INTO link_posts (id, title) VALUES (1, 'a')")
	posts := kin.Query[linkPost]()
	linkedAll := func(q kin.QuerySet[linkPost]) func() error {
		return func() error { _, err := q.All(ctx, linked.DB); return err }
	}
	note("many-to-many", linkedAll(posts.Prefetch("tags")))
	note("many-to-many, limited", linkedAll(posts.Prefetch("tags", kin.Query[linkTag]().Filter("name__ne", "x").OrderBy("name").Limit(3))))
	note("many-to-many, with branches", linkedAll(posts.Prefetch("tags", kin.Query[linkTag]().OrderBy("name").Limit(3).SelectRelated("notes"))))

	file := "testdata/prefetch." + s.Name + ".golden"
	if os.Getenv("KIN_UPDATE_PREFETCH") != "" {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
		return
	}
	want, err := prefetchGoldens.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String())
}
