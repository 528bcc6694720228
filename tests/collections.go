package tests

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func collectionCases() []Case {
	return []Case{
		{"collections/add and create", testCollectionAdd},
		{"collections/remove, delete and clear", testCollectionRemove},
		{"collections/set", testCollectionSet},
		{"collections/unbound", testCollectionUnbound},
	}
}

// shelf holds books, which may lie about, and labels, which cannot.
type (
	shelf struct {
		ID     int64
		Books  kin.Reverse[book]
		Labels kin.Reverse[shelfLabel]
	}
	book struct {
		ID    int64
		Title string                `kin:",size=20,unique"`
		Shelf kin.ForeignKey[shelf] `kin:",null,related_name=books"`
	}
	shelfLabel struct {
		ID    int64
		Text  string
		Shelf kin.ForeignKey[shelf] `kin:",related_name=labels"`
	}
)

// newShelves inserts two shelves; the first has the books a, b and c, loaded.
func newShelves(t *testing.T, s *Suite) (*Suite, *shelf, *shelf) {
	t.Helper()
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[shelf], kin.Register[book], kin.Register[shelfLabel])
	one, two := &shelf{}, &shelf{}
	require.NoError(t, kin.Insert(ctx, s.DB, one, two))
	require.NoError(t, kin.Insert(ctx, s.DB, &book{Title: "a", Shelf: kin.To(one)}, &book{Title: "b", Shelf: kin.To(one)}, &book{Title: "c", Shelf: kin.To(one)}))
	shelves, err := kin.Query[shelf]().SelectRelated("books").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	return s, shelves[0], shelves[1]
}

// check compares a shelf's books, in memory and in the database.
func (s *Suite) checkBooks(t *testing.T, x *shelf, titles ...string) {
	t.Helper()
	inMemory, stored := []string{}, []string{}
	for _, b := range x.Books.All() {
		inMemory = append(inMemory, b.Title)
		assert.Same(t, x, b.Shelf.Get(), b.Title)
	}
	rows, err := s.Pool().QueryContext(t.Context(), s.bind("SELECT title FROM books WHERE shelf_id = ? ORDER BY title"), x.ID)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var title string
		require.NoError(t, rows.Scan(&title))
		stored = append(stored, title)
	}
	require.NoError(t, rows.Err())
	assert.ElementsMatch(t, titles, inMemory, "in memory")
	assert.ElementsMatch(t, titles, stored, "in the database")
	s.Wire.Reset()
}

func testCollectionAdd(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, one, two := newShelves(t, s)
	a := one.Books.All()[0]
	d, e := &book{Title: "d"}, &book{Title: "e"}
	require.NoError(t, two.Books.Add(ctx, s.DB, a, d, e))
	require.NotZero(t, d.ID)
	s.checkBooks(t, two, "a", "d", "e")
	s.checkBooks(t, one, "b", "c")
	require.NoError(t, two.Books.Add(ctx, s.DB, one.Books.All()...))
	s.Wire.Want(t, 1, 0)
	s.checkBooks(t, two, "a", "b", "c", "d", "e")
	s.checkBooks(t, one)

	f := &book{Title: "f"}
	require.NoError(t, one.Books.Create(ctx, s.DB, f))
	s.Wire.Want(t, 1, s.generated())
	s.checkBooks(t, one, "f")

	// All or none, in memory too.
	var unique *kin.UniqueError
	g, again := &book{Title: "g"}, &book{Title: "a"}
	require.ErrorAs(t, one.Books.Add(ctx, s.DB, a, g, again), &unique)
	assert.Zero(t, g.ID)
	assert.True(t, g.Shelf.IsNull())
	assert.Same(t, two, a.Shelf.Get())
	require.ErrorIs(t, one.Books.Add(ctx, s.DB, a, &book{ID: 99, Title: "x"}), kin.ErrNotFound)
	s.checkBooks(t, one, "f")
	s.checkBooks(t, two, "a", "b", "c", "d", "e")
}

// generated is how many rows an INSERT that generates a key gives back.
func (s *Suite) generated() int {
	if s.Dialect().Traits().Returning {
		return 1
	}
	return 0
}

func testCollectionRemove(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, one, two := newShelves(t, s)
	a, b := one.Books.All()[0], one.Books.All()[1]
	require.NoError(t, one.Books.Remove(ctx, s.DB, a))
	s.Wire.Want(t, 1, 0)
	assert.True(t, a.Shelf.IsNull())
	s.checkBooks(t, one, "b", "c")
	require.ErrorIs(t, one.Books.Remove(ctx, s.DB, b, a), kin.ErrNotFound)
	s.checkBooks(t, one, "b", "c")
	require.NoError(t, one.Books.Delete(ctx, s.DB, b))
	s.checkBooks(t, one, "c")
	n, err := one.Books.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	s.Wire.Want(t, 1, 0)
	s.checkBooks(t, one)
	n, err = kin.Query[book]().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n, "a and c lie about")

	label := &shelfLabel{Text: "x"}
	require.NoError(t, two.Labels.Create(ctx, s.DB, label))
	require.ErrorContains(t, two.Labels.Remove(ctx, s.DB, label), "shelfLabel.Shelf cannot be NULL; Delete deletes the rows instead")
	_, err = two.Labels.Clear(ctx, s.DB)
	require.ErrorContains(t, err, "cannot be NULL")
	require.NoError(t, two.Labels.Delete(ctx, s.DB, label))
	n, err = two.Labels.Query().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.Zero(t, n)
}

func testCollectionSet(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, one, two := newShelves(t, s)
	a, b, c := one.Books.All()[0], one.Books.All()[1], one.Books.All()[2]
	require.NoError(t, two.Books.Add(ctx, s.DB, &book{Title: "z"}))
	z := two.Books.All()[0]
	s.Wire.Reset()
	d := &book{Title: "d"}
	require.NoError(t, one.Books.Set(ctx, s.DB, d, c, z))
	s.checkBooks(t, one, "d", "c", "z")
	assert.Equal(t, []*book{d, c, z}, one.Books.All(), "in the order given")
	assert.True(t, a.Shelf.IsNull())
	assert.True(t, b.Shelf.IsNull())
	s.checkBooks(t, two)
	require.NoError(t, one.Books.Set(ctx, s.DB, d, c, z))
	s.Wire.Want(t, 1, 3) // nothing to do but to look
	var unique *kin.UniqueError
	require.ErrorAs(t, one.Books.Set(ctx, s.DB, &book{Title: "a"}), &unique)
	s.checkBooks(t, one, "d", "c", "z")
	require.NoError(t, one.Books.Set(ctx, s.DB))
	s.checkBooks(t, one)
	assert.True(t, one.Books.Loaded())
	label := &shelfLabel{Text: "x"}
	require.NoError(t, two.Labels.Set(ctx, s.DB, label))
	require.ErrorContains(t, two.Labels.Set(ctx, s.DB), "cannot be NULL")
}

func testCollectionUnbound(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, one, _ := newShelves(t, s)
	loose := &shelf{ID: one.ID}
	require.ErrorIs(t, loose.Books.Add(ctx, s.DB, &book{}), kin.ErrUnbound)
	_, err := loose.Books.Load(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrUnbound)
	s.Wire.Want(t, 0, 0)
	require.NoError(t, kin.Bind(s.DB, loose))
	rows, err := loose.Books.Load(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, rows, 3)
	unsaved := &shelf{}
	require.NoError(t, kin.Bind(s.DB, unsaved))
	require.ErrorIs(t, unsaved.Books.Create(ctx, s.DB, &book{Title: "x"}), kin.ErrUnsaved)
}
