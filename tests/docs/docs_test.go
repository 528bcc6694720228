package docs

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

const path = "../../docs/queries.md"

var update = flag.Bool("update", false, "write docs/queries.md")

// programs returns the programs by their names.
func programs() map[string]func(context.Context, *kin.DB) error {
	return map[string]func(context.Context, *kin.DB) error{
		"rows": rows, "lookups": lookups, "typed": typed, "groups": groups, "has": has, "joined": joined, "prefetched": prefetched,
		"manyToMany": manyToMany, "values": values, "grouped": grouped, "annotations": annotations, "plucked": plucked, "sets": sets,
		"expressions": expressions, "times": times, "subqueries": subqueries, "windows": windows, "trees": trees, "pages": pages,
		"streams": streams, "changes": changes, "locks": locks, "raw": raw, "guards": guards,

		"relations": relations, "compared": compared, "patterns": patterns, "loadedInto": loadedInto, "oneRow": oneRow,
		"related": related, "distinct": distinct, "derived": derived, "aggregates": aggregates, "lists": lists,
		"functions": functions, "lastAndNext": lastAndNext, "onlySome": onlySome, "peers": peers,

		"documents": documents, "arrays": arrays, "words": words, "tagged": tagged, "explained": explained, "budgets": budgets,
		"rawParts": rawParts, "written": written,
	}
}

// TestQueries runs each program on every database and compares its text and its
// statements with docs/queries.md, or writes that:
//
//	go test ./tests/docs -update
func TestQueries(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	statements := map[string]map[string][]string{} // by program and database
	t.Run("run", func(t *testing.T) {
		harness.Run(t, func(t *testing.T, s *harness.Suite) {
			for name, run := range programs() {
				s := fill(t, s)
				if err := try(t.Context(), s.DB, run); err != nil {
					require.Contains(t, []string{"locks on sqlite", "arrays on sqlite", "arrays on mysql"}, name+" on "+s.Name, "%v", err)
					s.Wire.Reset()
				}
				mu.Lock()
				if statements[name] == nil {
					statements[name] = map[string][]string{}
				}
				statements[name][s.Name] = s.Wire.Statements()
				mu.Unlock()
				require.NoError(t, kin.DropTables(t.Context(), s.DB))
			}
		})
	})
	if t.Failed() || t.Skipped() || !all(statements) {
		return
	}
	text := write(t, statements)
	if *update {
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(have), string(text), "go test ./tests/docs -update")
}

// try runs a program, whose panic is its error.
func try(ctx context.Context, db *kin.DB, run func(context.Context, *kin.DB) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return run(ctx, db)
}

// all reports whether every program ran on every database.
func all(statements map[string]map[string][]string) bool {
	for _, by := range statements {
		if len(by) != 3 {
			return false
		}
	}
	return len(statements) == len(programs())
}

// fill makes two classes with students and teachers.
func fill(t *testing.T, s *harness.Suite) *harness.Suite {
	t.Helper()
	ctx := t.Context()
	keys, err := kin.NewKeyring([]byte("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	s = s.With(kin.WithRegistry(registry(s.Name)), kin.WithCursorKeys(keys))
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	a, b := &SchoolClass{Name: "1A"}, &SchoolClass{Name: "1B"}
	music, maths := &Category{Name: "Music"}, &Category{Name: "Maths"}
	chess := &Club{Name: "Chess"}
	require.NoError(t, kin.Insert(ctx, s.DB, a, b))
	require.NoError(t, kin.Insert(ctx, s.DB, music, maths))
	require.NoError(t, kin.Insert(ctx, s.DB, chess))
	born := time.Date(2015, 3, 1, 0, 0, 0, 0, time.UTC)
	ada := &Student{Name: "Ada", Score: new(int64(4)), Born: born, Class: kin.To(a), Category: kin.To(music)}
	require.NoError(t, kin.Insert(ctx, s.DB, ada,
		&Student{Name: "Ben", Born: born, Class: kin.To(a)},
		&Student{Name: "Cid", Score: new(int64(2)), Born: born.AddDate(1, 0, 0), Class: kin.To(b), Category: kin.To(maths)},
		&Student{Name: "Dan", Score: new(int64(5)), Born: born.AddDate(1, 1, 0), Class: kin.To(b), Category: kin.To(music)}))
	require.NoError(t, ada.Clubs.Add(ctx, s.DB, chess))
	require.NoError(t, kin.Insert(ctx, s.DB,
		&Lesson{Title: "Apples", Text: "How to count apples.", Meta: map[string]any{"room": map[string]any{"floor": 2}, "needs": []string{"chalk"}}, Class: kin.To(a)},
		&Lesson{Title: "Songs", Text: "A song of an apple tree.", Meta: map[string]any{"needs": []string{"piano"}}, Class: kin.To(b)}))
	if s.Name == "postgres" {
		require.NoError(t, kin.Insert(ctx, s.DB, &Tagged{Tags: []string{"new", "red"}}, &Tagged{Tags: []string{"old"}}))
	}
	tia := &Teacher{Name: "Tia", Pay: 900, Class: kin.To(a)}
	require.NoError(t, kin.Insert(ctx, s.DB, tia))
	require.NoError(t, kin.Insert(ctx, s.DB, &Teacher{Name: "Uwe", Pay: 100, Class: kin.To(a), ReportsTo: kin.To(tia)},
		&Teacher{Name: "Vic", Pay: 1000, Class: kin.To(b), ReportsTo: kin.To(tia)}))
	s.Wire.Reset()
	return s
}

// write makes the document of the source and the statements.
func write(t *testing.T, statements map[string]map[string][]string) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("# Queries, by example\n\n" +
		"Each program here is run on every database by `go test ./tests/docs`, which has written this file with\n" +
		"the statements that went over the wire. The models:\n\n```go\n")
	b.WriteString(declarations(t, "models.go"))
	b.WriteString("```\n")
	list := sources(t)
	require.Len(t, list, len(programs()))
	for _, f := range list {
		title, doc, _ := strings.Cut(f.doc, ": ")
		doc = strings.ReplaceAll(strings.TrimSpace(doc), "\n", " ")
		fmt.Fprintf(&b, "\n## %s\n\n%s%s\n\n```go\n%s```\n", strings.ToUpper(title[:1])+title[1:], strings.ToUpper(doc[:1]), doc[1:], f.body)
		for _, d := range []struct{ name, title string }{{"sqlite", "SQLite"}, {"postgres", "PostgreSQL"}, {"mysql", "MariaDB"}} {
			list := statements[f.name][d.name]
			if len(list) == 0 {
				fmt.Fprintf(&b, "\n%s: an error.\n", d.title)
				continue
			}
			fmt.Fprintf(&b, "\n%s:\n\n```sql\n%s;\n```\n", d.title, strings.Join(list, ";\n"))
		}
	}
	return b.Bytes()
}

type source struct{ name, doc, body string }

// sources returns the programs' texts, in the order in which they are shown.
func sources(t *testing.T) (list []source) {
	t.Helper()
	for _, file := range []string{"programs.go", "programs_typed.go", "programs_data.go"} {
		list = append(list, sourcesIn(t, file)...)
	}
	return list
}

// sourcesIn returns those of a file, in its order.
func sourcesIn(t *testing.T, file string) (list []source) {
	t.Helper()
	text, tree, set := parse(t, file)
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		from, to := set.Position(f.Body.Lbrace).Offset+2, set.Position(f.Body.Rbrace).Offset
		body := strings.ReplaceAll("\n"+string(text[from:to]), "\n\t", "\n")[1:]
		list = append(list, source{f.Name.Name, f.Doc.Text(), body})
	}
	return list
}

// declarations returns the types and variables of a file.
func declarations(t *testing.T, file string) string {
	t.Helper()
	source, tree, set := parse(t, file)
	var parts []string
	for _, d := range tree.Decls {
		g, ok := d.(*ast.GenDecl)
		f, method := d.(*ast.FuncDecl)
		if ok && g.Tok != token.IMPORT || method && f.Recv != nil {
			parts = append(parts, string(source[set.Position(d.Pos()).Offset:set.Position(d.End()).Offset]))
		}
	}
	return strings.Join(parts, "\n\n") + "\n"
}

func parse(t *testing.T, file string) ([]byte, *ast.File, *token.FileSet) {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, source, parser.ParseComments)
	require.NoError(t, err)
	return source, tree, set
}
