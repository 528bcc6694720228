package tests

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// Shelves have books, which have authors and pages: to save a shelf with all
// of these takes each way that there is in a graph. An author's best book and
// a book's author lead in a circle.
type graphShelf struct {
	ID    int64
	Name  string
	Books kin.Reverse[graphBook]
}

type graphBook struct {
	ID     int64
	Title  string
	Shelf  kin.ForeignKey[graphShelf]  `kin:",related_name=books"`
	Author kin.ForeignKey[graphAuthor] `kin:",null,related_name=books"`
	Pages  kin.Reverse[graphPage]
}

type graphAuthor struct {
	ID    int64
	Name  string                    `kin:",size=40,unique"`
	Best  kin.ForeignKey[graphBook] `kin:",null,related_name=best_of"`
	Books kin.Reverse[graphBook]
}

type graphPage struct {
	ID     int64
	Number int
	Book   kin.ForeignKey[graphBook] `kin:",related_name=pages"`
}

// A graphNode is a node of a tree.
type graphNode struct {
	ID       int64
	Name     string
	Parent   kin.ForeignKey[graphNode] `kin:",null,related_name=children"`
	Children kin.Reverse[graphNode]
}

// A graphDoc has a key that the program makes.
type graphDoc struct {
	kin.Tracked
	ID    uuid.UUID
	Title string
	In    kin.ForeignKey[graphDoc] `kin:",null,related_name=parts"`
	Parts kin.Reverse[graphDoc]
}

// A graphPlace has a key of two columns, and a graphVisit one that it is in.
type graphPlace struct {
	Region string `kin:",pk,size=20"`
	Number int    `kin:",pk"`
	Name   string
	Host   kin.ForeignKey[graphNode] `kin:",null,related_name=places"`
	Visits kin.Reverse[graphVisit]
}

type graphVisit struct {
	Place kin.ForeignKey[graphPlace] `kin:",pk,related_name=visits"`
	Guest kin.ForeignKey[graphNode]  `kin:",pk,related_name=visits"`
	Note  string
}

// Neither a hen nor an egg can be first.
type graphHen struct {
	ID   int64
	From kin.ForeignKey[graphEgg] `kin:",related_name=hens"`
}

type graphEgg struct {
	ID int64
	By kin.ForeignKey[graphHen] `kin:",related_name=eggs"`
}

func graphRegistry() *kin.Registry {
	r := &kin.Registry{}
	kin.Register[graphShelf](r)
	kin.Register[graphBook](r)
	kin.Register[graphAuthor](r)
	kin.Register[graphPage](r)
	kin.Register[graphNode](r)
	kin.Register[graphDoc](r)
	kin.Register[graphPlace](r)
	kin.Register[graphVisit](r)
	kin.Register[graphHen](r)
	kin.Register[graphEgg](r)
	return r
}

func graphSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	s = s.With(kin.WithRegistry(graphRegistry()))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	s.Wire.Reset()
	return s
}

// dumpGraph returns what is in the tables, read by hand. Keys that the database
// makes are left out: rows are known by their names.
func (s *Suite) dumpGraph(t *testing.T) []string {
	t.Helper()
	lines := []string{}
	for _, query := range []string{
		"SELECT 'shelf', name, '', '' FROM graph_shelves",
		"SELECT 'book', b.title, s.name, a.name FROM graph_books b JOIN graph_shelves s ON s.id = b.shelf_id LEFT JOIN graph_authors a ON a.id = b.author_id",
		"SELECT 'author', a.name, b.title, '' FROM graph_authors a LEFT JOIN graph_books b ON b.id = a.best_id",
		"SELECT 'page', p.number, b.title, '' FROM graph_pages p JOIN graph_books b ON b.id = p.book_id",
		"SELECT 'node', n.name, p.name, '' FROM graph_nodes n LEFT JOIN graph_nodes p ON p.id = n.parent_id",
		"SELECT 'doc', d.title, p.title, '' FROM graph_docs d LEFT JOIN graph_docs p ON p.id = d.in_id",
		"SELECT 'place', p.name, p.region, n.name FROM graph_places p LEFT JOIN graph_nodes n ON n.id = p.host_id",
		"SELECT 'visit', v.note, p.name, n.name FROM graph_visits v JOIN graph_places p ON p.region = v.place_region AND p.number = v.place_number " +
			"JOIN graph_nodes n ON n.id = v.guest_id",
	} {
		lines = append(lines, s.graphLines(t, query)...)
	}
	slices.Sort(lines)
	s.Wire.Reset()
	return lines
}

func (s *Suite) graphLines(t *testing.T, query string) (lines []string) {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), query)
	require.NoError(t, err, query)
	defer rows.Close()
	for rows.Next() {
		var kind, name string
		var a, b *string
		require.NoError(t, rows.Scan(&kind, &name, &a, &b))
		lines = append(lines, graphLine(kind, name, a, b))
	}
	require.NoError(t, rows.Err())
	return lines
}

func graphLine(kind, name string, refs ...*string) string {
	parts := []string{kind, name}
	for _, r := range refs {
		switch {
		case r == nil:
			parts = append(parts, "-")
		case *r != "":
			parts = append(parts, *r)
		}
	}
	return strings.Join(parts, " ")
}

// A graphWorld is the rows of a test.
type graphWorld struct {
	shelves []*graphShelf
	books   []*graphBook
	authors []*graphAuthor
	pages   []*graphPage
	nodes   []*graphNode
	docs    []*graphDoc
	places  []*graphPlace
	visits  []*graphVisit
}

// lines returns the rows as dump would have them.
func (w *graphWorld) lines() []string {
	lines := []string{}
	add := func(kind, name string, refs ...*string) { lines = append(lines, graphLine(kind, name, refs...)) }
	for _, x := range w.shelves {
		add("shelf", x.Name)
	}
	for _, x := range w.books {
		var author *string
		if a := x.Author.Get(); a != nil {
			author = &a.Name
		}
		add("book", x.Title, &x.Shelf.Get().Name, author)
	}
	for _, x := range w.authors {
		var best *string
		if b := x.Best.Get(); b != nil {
			best = &b.Title
		}
		add("author", x.Name, best)
	}
	for _, x := range w.pages {
		add("page", strconv.Itoa(x.Number), &x.Book.Get().Title)
	}
	for _, x := range w.nodes {
		var parent *string
		if p := x.Parent.Get(); p != nil {
			parent = &p.Name
		}
		add("node", x.Name, parent)
	}
	for _, x := range w.docs {
		var in *string
		if p := x.In.Get(); p != nil {
			in = &p.Title
		}
		add("doc", x.Title, in)
	}
	for _, x := range w.places {
		var host *string
		if h := x.Host.Get(); h != nil {
			host = &h.Name
		}
		add("place", x.Name, &x.Region, host)
	}
	for _, x := range w.visits {
		add("visit", x.Note, &x.Place.Get().Name, &x.Guest.Get().Name)
	}
	slices.Sort(lines)
	return lines
}

// memory returns all that the rows hold, as text: their keys, foreign keys and
// collections, and what they would write.
func (w *graphWorld) memory() []string {
	var lines []string
	for _, x := range w.shelves {
		lines = append(lines, fmt.Sprint("shelf ", x.ID, x.Name, x.Books))
	}
	for _, x := range w.books {
		lines = append(lines, fmt.Sprint("book ", x.ID, x.Title, x.Shelf, x.Shelf.Loaded(), x.Author, x.Pages))
	}
	for _, x := range w.authors {
		lines = append(lines, fmt.Sprint("author ", x.ID, x.Name, x.Best, x.Best.Loaded(), x.Books))
	}
	for _, x := range w.pages {
		lines = append(lines, fmt.Sprint("page ", x.ID, x.Number, x.Book, x.Book.Loaded()))
	}
	for _, x := range w.nodes {
		lines = append(lines, fmt.Sprint("node ", x.ID, x.Name, x.Parent, x.Parent.Loaded(), x.Children))
	}
	for _, x := range w.docs {
		lines = append(lines, fmt.Sprint("doc ", x.Title, x.In, x.Parts, kin.Changed(x)))
	}
	for _, x := range w.places {
		lines = append(lines, fmt.Sprint("place ", x.Region, x.Number, x.Name, x.Host, x.Visits))
	}
	for _, x := range w.visits {
		lines = append(lines, fmt.Sprint("visit ", x.Place, x.Place.Loaded(), x.Guest, x.Note))
	}
	return lines
}
