package tests

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// randomGraph changes a world: it adds rows, and changes some, at random. All
// of it can be reached from the rows that it returns, and the authors.
func randomGraph(r *rand.Rand, w *graphWorld) (shelves []*graphShelf, nodes []*graphNode, docs []*graphDoc) {
	name := func(kind string, n int) string { return fmt.Sprintf("%s %d %d", kind, n, r.IntN(1000)) }
	for range r.IntN(3) + 1 {
		w.shelves = append(w.shelves, &graphShelf{Name: name("shelf", len(w.shelves))})
	}
	for range r.IntN(4) + 1 {
		w.authors = append(w.authors, &graphAuthor{Name: name("author", len(w.authors))})
	}
	books := map[*graphShelf][]*graphBook{}
	for _, b := range w.books {
		books[b.Shelf.Get()] = append(books[b.Shelf.Get()], b)
	}
	for range r.IntN(8) {
		b := &graphBook{Title: name("book", len(w.books))}
		w.books = append(w.books, b)
		shelf := w.shelves[r.IntN(len(w.shelves))]
		books[shelf] = append(books[shelf], b)
	}
	for _, b := range w.books {
		switch r.IntN(4) {
		case 0:
			b.Author = kin.To(w.authors[r.IntN(len(w.authors))])
		case 1:
			b.Title = name("book", len(w.books))
		}
		if r.IntN(3) == 0 {
			p := &graphPage{Number: len(w.pages)}
			w.pages = append(w.pages, p)
			b.Pages = kin.From(append(b.Pages.All(), p)...)
		}
	}
	for _, a := range w.authors {
		if len(w.books) > 0 && r.IntN(2) == 0 {
			a.Best = kin.To(w.books[r.IntN(len(w.books))])
		}
	}
	for _, s := range w.shelves {
		s.Books = kin.From(books[s]...)
	}
	for range r.IntN(10) {
		w.nodes = append(w.nodes, &graphNode{Name: name("node", len(w.nodes))})
	}
	for _, n := range w.nodes {
		if r.IntN(2) == 0 {
			n.Parent = kin.To(w.nodes[r.IntN(len(w.nodes))]) // in circles, too
		}
	}
	for range r.IntN(8) {
		w.docs = append(w.docs, &graphDoc{ID: uuid.New(), Title: name("doc", len(w.docs))})
	}
	for _, d := range w.docs {
		switch r.IntN(4) {
		case 0:
			d.In = kin.To(w.docs[r.IntN(len(w.docs))])
		case 1:
			d.Title = name("changed", r.IntN(1000))
		}
	}
	r.Shuffle(len(w.shelves), func(i, j int) { w.shelves[i], w.shelves[j] = w.shelves[j], w.shelves[i] })
	r.Shuffle(len(w.nodes), func(i, j int) { w.nodes[i], w.nodes[j] = w.nodes[j], w.nodes[i] })
	r.Shuffle(len(w.docs), func(i, j int) { w.docs[i], w.docs[j] = w.docs[j], w.docs[i] })
	return w.shelves, w.nodes, w.docs
}

// testGraphRandom saves graphs that are made, and then changed, at random: the
// database has what memory has.
func testGraphRandom(t *testing.T, s *Suite) {
	s = graphSuite(t, s)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 15 {
		w := &graphWorld{}
		for _, table := range []string{"UPDATE graph_authors SET best_id = NULL", "DELETE FROM graph_pages", "DELETE FROM graph_books", "DELETE FROM graph_authors", "DELETE FROM graph_shelves", "UPDATE graph_nodes SET parent_id = NULL", "DELETE FROM graph_nodes", "UPDATE graph_docs SET in_id = NULL", "DELETE FROM graph_docs"} {
			s.Exec(t, table)
		}
		for round := range 4 {
			shelves, nodes, docs := randomGraph(r, w)
			_, err := kin.SaveGraph(t.Context(), s.DB, shelves...)
			require.NoError(t, err)
			_, err = kin.SaveGraph(t.Context(), s.DB, w.authors...)
			require.NoError(t, err)
			_, err = kin.SaveGraph(t.Context(), s.DB, nodes...)
			require.NoError(t, err)
			_, err = kin.SaveGraph(t.Context(), s.DB, docs...)
			require.NoError(t, err)
			if !assert.Equal(t, w.lines(), s.dumpGraph(t), "round %d", round) {
				return
			}
			// What is tracked has nothing to write any more.
			s.Wire.Reset()
			_, err = kin.SaveGraph(t.Context(), s.DB, docs...)
			require.NoError(t, err)
			s.Wire.Want(t, 0, 0)
		}
	}
}

// testGraphFaulty lets each call to the database go wrong, one after another:
// the tables and the rows in memory are as they were, and saving again works.
func testGraphFaulty(t *testing.T, s *Suite) {
	s = graphSuite(t, s)
	faulty := &Faulty{}
	pool := sql.OpenDB(s.Keeping(faulty.Connector(s.Wire.Base)))
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	db := kin.New(pool, s.Dialect(), kin.WithRegistry(graphRegistry()))

	// make makes a graph in which an old shelf has old and new rows, in circles.
	turn := 0
	fresh := func() (*graphShelf, *graphWorld) {
		turn++
		shelf, w := newGraph(3, 2)
		for _, a := range w.authors {
			a.Name += strconv.Itoa(turn)
		}
		_, err := kin.SaveGraph(t.Context(), s.DB, shelf)
		require.NoError(t, err)
		shelf.Name = fmt.Sprint("turn ", turn)
		w.authors = append(w.authors, &graphAuthor{Name: fmt.Sprint("new ", turn)})
		w.books = append(w.books, &graphBook{Title: "new", Author: kin.To(w.authors[2])}, &graphBook{Title: "newer"})
		w.authors[2].Best = kin.To(w.books[3])
		w.books[0].Author.Set(w.authors[2])
		shelf.Books = kin.From(w.books...)
		return shelf, w
	}
	for _, mode := range faultModes(s.Target) {
		for n := 1; ; n++ {
			require.Less(t, n, 60)
			what := fmt.Sprintf("call %d, %s", n, mode)
			shelf, w := fresh()
			before, memory := s.dumpGraph(t), w.memory()
			ctx, cancel := context.WithCancel(t.Context())
			faulty.arm(mode, n, cancel)
			_, err := kin.SaveGraph(ctx, db, shelf)
			hit := faulty.disarm()
			cancel()
			if err == nil {
				assert.Subset(t, s.dumpGraph(t), w.lines(), what)
			} else {
				assert.Equal(t, memory, w.memory(), what)
				if !hit.maybeDone(mode) { // else nobody knows
					assert.Equal(t, before, s.dumpGraph(t), what)
					_, err = kin.SaveGraph(t.Context(), db, shelf)
					require.NoError(t, err, what)
					assert.Subset(t, s.dumpGraph(t), w.lines(), what)
				}
			}
			assert.Zero(t, pool.Stats().InUse, what)
			if !hit.fired {
				break
			}
		}
	}
}
