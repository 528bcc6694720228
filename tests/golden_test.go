package tests_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/dialect/mysql"
	"github.com/kin-orm/kin/dialect/postgres"
	"github.com/kin-orm/kin/dialect/sqlite"
	"github.com/kin-orm/kin/tests"
)

var update = flag.Bool("update", false, "write the golden files anew; say so under Changed SQL in CHANGELOG.md")

type writable interface {
	SQL(d dialect.Dialect) (string, []any, error)
}

// goldens are the shapes that statements have. Their texts are a promise: a
// change of one is a line in the changelog.
func goldens() []struct {
	name, why string
	query     writable
} {
	classes, students := kin.Query[tests.SchoolClass](), kin.Query[tests.Student]()
	return []struct {
		name, why string
		query     writable
	}{
		{"all", "columns by name, and a total order", classes},
		{"to one", "foreign keys are LEFT JOINs", students.SelectRelated("class", "category")},
		{"chain", "one chain of to-many relations is joined", classes.SelectRelated("students__category")},
		{"chain limited", "a limit counts roots, so it goes into a derived table", classes.SelectRelated("students").OrderBy("-name").Limit(10).Offset(20)},
		{
			"branch below a foreign key, limited", "the parents of the branch are a set of keys",
			students.SelectRelated("class__students").OrderBy("category__name").Limit(3),
		},
		{"branches", "each branch is an arm of one statement", classes.SelectRelated("students__category", "teachers__category")},
		{
			"branches filtered", "one set of roots for all arms",
			classes.SelectRelated("students", "teachers").Filter("students__category__name", "Music").OrderBy("-name", "-students__name").Limit(2),
		},
		{"branches below a foreign key", "rows that several roots share are read once", students.SelectRelated("class__students", "class__teachers")},
		{"filter", "a key is compared without a join", students.Filter("class", 7, "name__startswith", "A")},
		{"filter to one", "a condition beyond a foreign key joins", students.Filter("class__name", "1A", "category__name__icontains", "mus")},
		{"filter to many", "conditions of one call speak of one row", classes.Filter("students__name", "Ada", "students__category__name", "Music")},
		{"filter to many twice", "those of two calls may not", classes.Filter("students__name", "Ada").Filter("students__name", "Ben")},
		{"exclude", "the complement, NULLs included", classes.Exclude("students__category__name", "Music", "name", "1A")},
		{"null", "NULL is a value for exact, ne and in", students.Filter("category", nil, "category__ne", 3).Exclude("category__in", []any{1, nil})},
		{"list", "a list", students.Filter("id__in", []int64{1, 2, 3}, "name__in", []string{"Ada", "Ben"})},
		{"text", "text is searched with and without case", students.Filter("name__contains", "50%_!", "name__iexact", "ADA", "name__iendswith", "é").Exclude("name__gt", "M")},
		{"range", "both bounds are in it", students.Filter("id__range", []int{3, 9})},
		{"soft delete", "each table leaves out what is deleted where it is joined", tests.SoftDeleted{Loads: []string{"team", "children"}}},
		{"soft delete, in arms", "all arms agree on what is there", tests.SoftDeleted{Loads: []string{"team__members", "notes"}}},
	}
}

func TestGoldenSQL(t *testing.T) {
	t.Parallel()
	for _, d := range []dialect.Dialect{sqlite.Dialect{}, postgres.Dialect{}, mysql.Dialect{}} {
		t.Run(d.Name(), func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			for _, g := range goldens() {
				text, args, err := g.query.SQL(d)
				require.NoError(t, err, g.name)
				fmt.Fprintf(&b, "<<< %s: %s\n%s\n", g.name, g.why, wrap(text))
				if len(args) > 0 {
					fmt.Fprintf(&b, "%#v\n", args)
				}
				b.WriteString(">>>\n\n")
			}
			file := "testdata/sql." + d.Name() + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), b.String())
		})
	}
}

// wrap breaks a statement before its clauses, to be read.
func wrap(text string) string {
	for _, clause := range []string{" FROM ", " LEFT JOIN ", " JOIN ", " WHERE ", " ORDER BY ", " LIMIT ", " UNION ALL "} {
		text = strings.ReplaceAll(text, clause, "\n"+clause[1:])
	}
	return strings.ReplaceAll(text, "LEFT\nJOIN", "LEFT JOIN")
}
