package tests

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// chunkCases run every batch in chunks of one, two, three and seven rows.
func chunkCases() []Case {
	return []Case{
		{"chunks/any size gives the same", testChunks},
		{"chunks/a collection by a long list of composite keys", testManyCompositeKeys},
		{"chunks/rows that are there twice", testTwice},
	}
}

// chunkPlace has a composite key and refers to itself.
type chunkPlace struct {
	Land   string `kin:",pk,size=5"`
	Number int32  `kin:",pk"`
	Title  string `kin:",size=30,unique"`
	Stays  *string
	Parent kin.ForeignKey[chunkPlace] `kin:",null,related_name=parts"`
	Parts  kin.Reverse[chunkPlace]
}

// chunkThing has a generated key.
type chunkThing struct {
	ID    int64
	Title string `kin:",size=30,unique"`
	Rank  int
	Place kin.ForeignKey[chunkPlace] `kin:",null"`
}

// A chunkOp is a batch over 23 rows.
type chunkOp struct {
	name string
	// A statement for n rows has params*n parameters, and others.
	params, others int
	// statements is how many there are for so many chunks; nil if they depend on
	// more than that.
	statements func(chunks int) int
	run        func(t *testing.T, db *kin.DB, w *chunkWorld)
}

// A chunkWorld has 23 places and 23 things, all of them in the database but for
// those that are fresh.
type chunkWorld struct {
	root, other *chunkPlace
	places      []*chunkPlace
	things      []*chunkThing
	freshPlaces []*chunkPlace
	freshThings []*chunkThing
}

const chunkRows = 23

func once(chunks int) int { return chunks }

func chunkOps() []chunkOp {
	const place, thing = 6, 4 // the columns of each, without the generated key
	return []chunkOp{
		{"insert with generated keys", thing + 1, 0, nil, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			require.NoError(t, kin.Insert(t.Context(), db, w.freshThings...))
		}},
		{"insert with given keys", thing + 1, 0, nil, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			for i, x := range w.freshThings {
				x.ID = int64(5000 - 7*i)
			}
			require.NoError(t, kin.Insert(t.Context(), db, w.freshThings...))
		}},
		{"insert with both", thing + 1, 0, nil, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			for i, x := range w.freshThings {
				if i%3 == 0 {
					x.ID = int64(5000 + 7*i)
				}
			}
			require.NoError(t, kin.Insert(t.Context(), db, w.freshThings...))
		}},
		{"insert with composite keys", place, 0, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			require.NoError(t, kin.Insert(t.Context(), db, w.freshPlaces...))
		}},
		{"update", thing + 1, 0, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			for i, x := range w.things {
				x.Title, x.Rank = fmt.Sprint("changed ", i), -i
				x.Place.Set(w.places[chunkRows-1-i])
			}
			require.NoError(t, kin.UpdateAll(t.Context(), db, w.things))
		}},
		{"update by composite keys", 1 + 2, 0, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			for i, x := range w.places {
				x.Title = fmt.Sprint("changed ", i)
			}
			require.NoError(t, kin.UpdateAll(t.Context(), db, w.places, "title"))
		}},
		{"save", thing + 1, 0, nil, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			var rows []*chunkThing
			for i, x := range w.things {
				x.Rank = 100 + i
				rows = append(rows, w.freshThings[i], x)
			}
			require.NoError(t, kin.Save(t.Context(), db, rows...))
		}},
		{"upsert that updates", thing, 0, func(chunks int) int { return 2 * chunks }, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			for i, x := range w.freshThings {
				if i%2 == 0 {
					x.Title = w.things[i].Title
				}
			}
			require.NoError(t, kin.Upsert(t.Context(), db, w.freshThings, kin.OnConflict("title").Update("rank")))
		}},
		{"upsert that does nothing", thing, 0, func(chunks int) int { return 2 * chunks }, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			for i, x := range w.freshThings {
				if i%2 == 0 {
					x.Title = w.things[i].Title
				}
			}
			require.NoError(t, kin.Upsert(t.Context(), db, w.freshThings, kin.OnConflict("title").DoNothing()))
		}},
		{"upsert by composite keys", place, 0, nil, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			for i, x := range w.freshPlaces {
				if i%2 == 0 {
					x.Land, x.Number = w.places[i].Land, w.places[i].Number
				}
			}
			require.NoError(t, kin.Upsert(t.Context(), db, w.freshPlaces, kin.OnConflict("land", "number").Update("title")))
		}},
		{"delete", 1, 0, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			require.NoError(t, kin.DeleteAll(t.Context(), db, w.things))
		}},
		{"delete by composite keys", 2, 0, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			require.NoError(t, kin.DeleteAll(t.Context(), db, w.places[:chunkRows]))
		}},
		{"reload", 1, 0, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			for _, x := range w.things {
				x.Title = "stale"
			}
			require.NoError(t, kin.Reload(t.Context(), db, w.things...))
		}},
		{"reload by composite keys", 2, 0, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			for _, x := range w.places {
				x.Title = "stale"
			}
			require.NoError(t, kin.Reload(t.Context(), db, w.places...))
		}},
		{"add", 2, 8, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			require.NoError(t, w.other.Parts.Add(t.Context(), db, w.places...))
		}},
		{"add new and old", place, 8, nil, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			require.NoError(t, w.other.Parts.Add(t.Context(), db, w.places...))
			require.NoError(t, w.other.Parts.Create(t.Context(), db, w.freshPlaces...))
		}},
		{"remove", 2, 8, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			require.NoError(t, w.root.Parts.Remove(t.Context(), db, w.places...))
		}},
		{"delete from a collection", 2, 8, once, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			require.NoError(t, w.root.Parts.Delete(t.Context(), db, w.places...))
		}},
		{"set", 2, 8, nil, func(t *testing.T, db *kin.DB, w *chunkWorld) {
			require.NoError(t, w.other.Parts.Set(t.Context(), db, w.places...))
			require.NoError(t, w.other.Parts.Set(t.Context(), db, w.places[20], w.places[3]))
		}},
	}
}

func newChunkWorld(t *testing.T, s *Suite) *chunkWorld {
	t.Helper()
	ctx := t.Context()
	w := &chunkWorld{root: &chunkPlace{Land: "", Number: 0, Title: "root"}, other: &chunkPlace{Land: "", Number: 1, Title: "other"}}
	require.NoError(t, kin.Insert(ctx, s.DB, w.root, w.other))
	newPlace := func(title string, i int) *chunkPlace {
		x := &chunkPlace{Land: string(rune('a' + i%3)), Number: int32(i), Title: fmt.Sprint(title, " ", i)}
		if i%2 == 0 {
			x.Stays = new(strings.Repeat("s", i))
		}
		return x
	}
	for i := range chunkRows {
		x := newPlace("place", i)
		x.Parent = kin.To(w.root)
		w.places = append(w.places, x)
		w.freshPlaces = append(w.freshPlaces, newPlace("fresh", 100+i))
		w.freshThings = append(w.freshThings, &chunkThing{Title: fmt.Sprint("fresh ", i), Rank: 1000 - i, Place: kin.To(w.places[i])})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, w.places...))
	for i := range chunkRows {
		w.things = append(w.things, &chunkThing{ID: int64(100 + i), Title: fmt.Sprint("thing ", i), Rank: i})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, w.things...))
	_, err := w.root.Parts.Load(ctx, s.DB)
	require.NoError(t, err)
	_, err = w.other.Parts.Load(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	return w
}

// state is the whole of both tables and of the values in memory. Generated keys
// are compared with those in the table, and not between runs.
func (w *chunkWorld) state(t *testing.T, s *Suite) []string {
	t.Helper()
	lines := s.dump(t, "SELECT title, land, number, stays, parent_land, parent_number FROM chunk_places ORDER BY title")
	lines = append(lines, s.dump(t, s.idents("SELECT title, {rank}, place_land, place_number FROM chunk_things ORDER BY title"))...)
	keys := map[string]int64{}
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT title, id FROM chunk_things")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var title string
		var id int64
		require.NoError(t, rows.Scan(&title, &id))
		keys[title] = id
	}
	require.NoError(t, rows.Err())
	for _, x := range append(w.things, w.freshThings...) {
		key := "no key"
		if x.ID != 0 {
			key = fmt.Sprint("the row's key: ", keys[x.Title] == x.ID || keys[x.Title] == 0)
		}
		lines = append(lines, fmt.Sprint(x.Title, " ", x.Rank, " ", x.Place, " ", key))
	}
	for _, x := range append(append([]*chunkPlace{w.root, w.other}, w.places...), w.freshPlaces...) {
		lines = append(lines, fmt.Sprint(x.Land, " ", x.Number, " ", x.Title, " ", text(x.Stays), " ", x.Parent, " ", x.Parts))
	}
	return lines
}

func testChunks(t *testing.T, s *Suite) {
	var r kin.Registry
	kin.Register[chunkPlace](&r)
	kin.Register[chunkThing](&r)
	s = s.With(kin.WithRegistry(&r))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	for _, op := range chunkOps() {
		// The same at once first, with no limit but the database's own.
		var want []string
		for _, size := range []int{0, 1, 2, 3, 7} {
			what := fmt.Sprint(op.name, " in chunks of ", size)
			s.Exec(t, "DELETE FROM chunk_things")
			s.Exec(t, "UPDATE chunk_places SET parent_land = NULL, parent_number = NULL")
			s.Exec(t, "DELETE FROM chunk_places")
			w := newChunkWorld(t, s)
			untouched := w.state(t, s)
			db, chunks := s.DB, 1
			if size > 0 {
				db = s.Tiny(op.params*size+op.others, kin.WithRegistry(&r)).DB
				chunks = (chunkRows + size - 1) / size
			}
			s.Wire.Reset()
			op.run(t, db, w)
			if op.statements != nil {
				assert.Len(t, s.Wire.Statements(), op.statements(chunks), what)
			}
			got := w.state(t, s)
			if size == 0 {
				want = got
				if !strings.HasPrefix(op.name, "reload") {
					require.NotEqual(t, want, untouched, what)
				} else {
					require.Equal(t, want, untouched, what)
				}
			}
			require.Equal(t, want, got, what)
			for _, line := range got {
				require.NotContains(t, line, "the row's key: false", what)
			}
		}
	}
	assert.Zero(t, s.Pool().Stats().InUse)
}

// testManyCompositeKeys moves many rows by composite keys: in chunks, however
// many the database could name in one statement.
func testManyCompositeKeys(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[chunkPlace], kin.Register[chunkThing])
	w := newChunkWorld(t, s)
	const n = 3_000
	rows := make([]*chunkPlace, n)
	for i := range rows {
		rows[i] = &chunkPlace{Land: "z", Number: int32(i), Title: fmt.Sprint("many ", i)}
	}
	// By hand: chunks of kin's own would prove less.
	for from := 0; from < n; from += 1000 {
		var b strings.Builder
		b.WriteString("INSERT INTO chunk_places (land, number, title) VALUES ")
		for i := from; i < from+1000; i++ {
			if i > from {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "('z', %d, 'many %d')", i, i)
		}
		s.Exec(t, b.String())
	}
	count := func(where string) string { return s.dump(t, "SELECT COUNT(*) FROM chunk_places WHERE "+where)[0] }
	want := fmt.Sprintf("%q", []any{int64(n)})
	s.Wire.Reset()
	require.NoError(t, w.other.Parts.Add(ctx, s.DB, rows...))
	s.Wire.Want(t, n/500, 0)
	assert.Equal(t, want, count("parent_number = 1"))
	assert.Equal(t, n, w.other.Parts.Len())
	s.Wire.Reset()
	require.NoError(t, w.other.Parts.Remove(ctx, s.DB, rows...))
	s.Wire.Want(t, n/500, 0)
	assert.Equal(t, want, count("land = 'z' AND parent_number IS NULL"))
	assert.Zero(t, w.other.Parts.Len())
	assert.True(t, rows[n-1].Parent.IsNull())
}

// testTwice gives one row two times: that is a mistake, in one chunk or in two.
func testTwice(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[chunkPlace], kin.Register[chunkThing])
	w := newChunkWorld(t, s)
	before := w.state(t, s)
	a, b := w.places[0], w.places[1]
	twice := []*chunkPlace{a, b, {Land: a.Land, Number: a.Number}}
	s.Wire.Reset()
	for why, err := range map[string]error{
		"update": kin.UpdateAll(ctx, s.DB, twice),
		"delete": kin.DeleteAll(ctx, s.DB, twice),
		"add":    w.other.Parts.Add(ctx, s.DB, twice...),
		"remove": w.root.Parts.Remove(ctx, s.DB, twice...),
		"from":   w.root.Parts.Delete(ctx, s.DB, twice...),
		"set":    w.other.Parts.Set(ctx, s.DB, twice...),
	} {
		require.ErrorContains(t, err, `chunkPlace("a", 0) is there twice`, why)
	}
	assert.Equal(t, before, w.state(t, s))
}
