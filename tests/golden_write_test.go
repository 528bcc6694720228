package tests_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests"
)

type goldAuthor struct {
	ID      int64
	Email   string `kin:",size=50,unique"`
	Name    string `kin:",comment=as it is printed"`
	Rank    int    `kin:",default=7,omitzero"`
	Version int    `kin:",version"`
	Books   kin.Reverse[goldBook]
}

type goldBook struct {
	ID      int64
	Title   string
	Price   int
	Loud    string                     `kin:",size=200,generated=UPPER(title)"`
	Author  kin.ForeignKey[goldAuthor] `kin:",null,on_delete=set_null"`
	Tags    kin.ManyToMany[goldTag]    `kin:",related_name=books"`
	Deleted *time.Time                 `kin:",softdelete"`
}

func (goldBook) KinTable() kin.Table {
	return kin.Table{
		Unique:  [][]string{{"author", "title"}},
		Indexes: [][]string{{"price", "title"}},
		Checks:  []string{"price >= 0"},
		Comment: "books for sale",
	}
}

type goldTag struct {
	ID   int64
	Name string
}

type goldWrite struct {
	name, why string
	run       func(ctx context.Context, db *kin.DB) error
}

func second[T any](_ T, err error) error { return err }

// goldWrites are the statements of writes, run one after the other.
func goldWrites() []goldWrite {
	ada, bob := &goldAuthor{Email: "ada", Name: "Ada"}, &goldAuthor{Email: "bob", Name: "Bob", Rank: 1}
	books := make([]*goldBook, 4)
	for i := range books {
		books[i] = &goldBook{Title: fmt.Sprint("title ", i), Price: i, Author: kin.Key[goldAuthor](1)}
	}
	tags := []*goldTag{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	all := kin.Query[goldBook]()
	return []goldWrite{
		{"create tables", "in the order of foreign keys", func(ctx context.Context, db *kin.DB) error { return kin.CreateTables(ctx, db) }},
		{"insert one", "what the database makes is returned, or read back", func(ctx context.Context, db *kin.DB) error { return kin.Insert(ctx, db, ada) }},
		{"insert one with all values", "only the key is made", func(ctx context.Context, db *kin.DB) error { return kin.Insert(ctx, db, bob) }},
		{"insert many", "keys are found beforehand, or by the first", func(ctx context.Context, db *kin.DB) error { return kin.Insert(ctx, db, tags...) }},
		{"insert many with generated columns", "which are read back", func(ctx context.Context, db *kin.DB) error { return kin.Insert(ctx, db, books...) }},
		{"insert with keys", "the sequence is told", func(ctx context.Context, db *kin.DB) error {
			return kin.Insert(ctx, db, &goldTag{ID: 50, Name: "x"}, &goldTag{ID: 60, Name: "y"})
		}},
		{"update one", "all columns, where the version is that of the row", func(ctx context.Context, db *kin.DB) error { return kin.Update(ctx, db, bob) }},
		{"update a column", "and the version", func(ctx context.Context, db *kin.DB) error { return kin.Update(ctx, db, bob, "name") }},
		{"update many", "one statement, with values of their own", func(ctx context.Context, db *kin.DB) error { return kin.UpdateAll(ctx, db, tags, "name") }},
		{"upsert", "the row that is there gets the new values", func(ctx context.Context, db *kin.DB) error {
			return kin.Upsert(ctx, db, []*goldAuthor{{Email: "ada", Name: "A"}, {Email: "eve", Name: "E"}}, kin.OnConflict("email").Update("name"))
		}},
		{"upsert that does nothing", "but find the keys", func(ctx context.Context, db *kin.DB) error {
			return kin.Upsert(ctx, db, []*goldAuthor{{Email: "ada"}}, kin.OnConflict("email").DoNothing())
		}},
		{"get or create", "looks first", func(ctx context.Context, db *kin.DB) error {
			_, _, err := kin.GetOrCreate(ctx, db, &goldAuthor{Email: "fay"}, "email")
			return err
		}},
		{"set", "an expression over the row as it was", func(ctx context.Context, db *kin.DB) error {
			return second(all.Filter("price__gt", 1).Update(ctx, db, kin.Set("price", kin.F("price").Add(1)), kin.Set("title", kin.Concat(kin.F("title"), "!"))))
		}},
		{"set by a relation", "a condition beyond a foreign key", func(ctx context.Context, db *kin.DB) error {
			return second(all.Filter("author__name", "A").Update(ctx, db, kin.Set("price", 5)))
		}},
		{"set limited", "through the keys of the rows", func(ctx context.Context, db *kin.DB) error {
			return second(all.OrderBy("-price").Limit(2).Update(ctx, db, kin.Set("price", 6)))
		}},
		{"set from a relation", "the value of a foreign key's row", func(ctx context.Context, db *kin.DB) error {
			return second(all.Everything().Update(ctx, db, kin.Set("price", kin.F("author__rank"))))
		}},
		{"add to a collection", "", func(ctx context.Context, db *kin.DB) error { return bob.Books.Add(ctx, db, books[1], books[2]) }},
		{"remove from a collection", "", func(ctx context.Context, db *kin.DB) error { return bob.Books.Remove(ctx, db, books[1]) }},
		{"link", "", func(ctx context.Context, db *kin.DB) error { return books[0].Tags.Add(ctx, db, tags[0], tags[1]) }},
		{"set links", "the least that makes them equal", func(ctx context.Context, db *kin.DB) error { return books[0].Tags.Set(ctx, db, tags[1], tags[2]) }},
		{"unlink all", "", func(ctx context.Context, db *kin.DB) error { return second(books[0].Tags.Clear(ctx, db)) }},
		{"save a graph", "a batch for each model", func(ctx context.Context, db *kin.DB) error {
			return second(kin.SaveGraph(ctx, db, &goldAuthor{Email: "gil", Rank: 2, Books: kin.From(&goldBook{Title: "g", Tags: kin.Linked(&goldTag{Name: "g"})})}))
		}},
		{"delete softly", "", func(ctx context.Context, db *kin.DB) error { return kin.Delete(ctx, db, books[3]) }},
		{"purge", "", func(ctx context.Context, db *kin.DB) error { return kin.Purge(ctx, db, books[2]) }},
		{"delete many", "", func(ctx context.Context, db *kin.DB) error { return kin.DeleteAll(ctx, db, tags[:2]) }},
		{"delete by a condition", "", func(ctx context.Context, db *kin.DB) error {
			return second(kin.Query[goldTag]().Filter("books__title", "nothing").Delete(ctx, db))
		}},
		{"drop tables", "", func(ctx context.Context, db *kin.DB) error { return kin.DropTables(ctx, db) }},
	}
}

// TestGoldenWrites runs writes and compares the statements that went over the
// wire with those in testdata.
func TestGoldenWrites(t *testing.T) {
	t.Parallel()
	for _, target := range []tests.Target{tests.SQLite(), tests.Postgres(), tests.MySQL()} {
		t.Run(target.Name, func(t *testing.T) {
			t.Parallel()
			target.Need(t)
			registry := new(kin.Registry)
			kin.Register[goldAuthor](registry)
			kin.Register[goldBook](registry)
			kin.Register[goldTag](registry)
			s := tests.New(t, target).With(kin.WithRegistry(registry))
			var b strings.Builder
			for _, w := range goldWrites() {
				s.Wire.Reset()
				require.NoError(t, w.run(t.Context(), s.DB), w.name)
				fmt.Fprintf(&b, "-- %s", w.name)
				if w.why != "" {
					fmt.Fprintf(&b, ": %s", w.why)
				}
				fmt.Fprintf(&b, "\n%s\n\n", strings.Join(s.Wire.Statements(), ";\n"))
			}
			file := "testdata/writes." + target.Name + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), b.String())
		})
	}
}
