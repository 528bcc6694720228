package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func trackedCases() []Case {
	return []Case{
		{"tracked/untouched", testTrackedUntouched},
		{"tracked/changes", testTrackedChanges},
		{"tracked/every kind of column", testTrackedKinds},
		{"tracked/copies", testTrackedCopies},
		{"tracked/transactions", testTrackedTx},
		{"tracked/other writes", testTrackedWrites},
		{"tracked/new rows", testTrackedNew},
		{"tracked/a row that is refused is named", testTrackedRefused},
	}
}

// trackedNote has a field of each kind that is remembered in its own way. It
// is tracked through an embedded struct.
type trackedNote struct {
	trackedBase
	Title  string
	Stars  int16
	Score  float64
	Done   bool
	At     time.Time
	Due    *time.Time
	Body   []byte
	Raw    json.RawMessage
	Tags   []string       `kin:",json"`
	Extra  map[string]int `kin:",json"`
	Token  uuid.UUID
	Folder kin.ForeignKey[trackedFolder] `kin:",null,related_name=notes"`
}

type trackedBase struct {
	kin.Tracked
	ID int64
}

type trackedFolder struct {
	kin.Tracked
	Area   string `kin:",pk,size=20"`
	Number int    `kin:",pk"`
	Name   string
	Notes  kin.Reverse[trackedNote]
}

func trackedSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	return s.tablesOf(t, kin.Register[trackedNote], kin.Register[trackedFolder])
}

// newNotes inserts a folder with n notes, and reads them again.
func newNotes(t *testing.T, s *Suite, n int) (*trackedFolder, []*trackedNote) {
	t.Helper()
	ctx := t.Context()
	folder := &trackedFolder{Area: "home", Number: 1, Name: "first"}
	require.NoError(t, kin.Insert(ctx, s.DB, folder))
	var fresh []*trackedNote
	for i := range n {
		fresh = append(fresh, &trackedNote{
			Title: fmt.Sprint("note ", i), At: time.Date(2026, 1, 1, 0, 0, i, 123456789, time.UTC), Body: []byte{1, 2, 3},
			Raw: json.RawMessage(`{"a": 1}`), Tags: []string{"x", "y"}, Extra: map[string]int{"n": i}, Token: uuid.New(), Folder: kin.To(folder),
		})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, fresh...))
	for _, n := range fresh {
		assert.Empty(t, kin.Changed(n), "an inserted row is as in the database")
	}
	notes, err := kin.Query[trackedNote]().OrderBy("id").SelectRelated("folder").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, notes, n)
	s.Wire.Reset()
	return notes[0].Folder.Get(), notes
}

// titles returns title, stars and the folder's number of all notes, by hand.
func (s *Suite) titles(t *testing.T) string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT title, stars, folder_number FROM tracked_notes ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var title string
		var stars int
		var folder *int
		require.NoError(t, rows.Scan(&title, &stars, &folder))
		line := fmt.Sprint(title, " ", stars)
		if folder != nil {
			line += fmt.Sprint(" ", *folder)
		}
		all = append(all, line)
	}
	require.NoError(t, rows.Err())
	s.Wire.Reset()
	return strings.Join(all, ", ")
}

func testTrackedUntouched(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = trackedSuite(t, s)
	folder, notes := newNotes(t, s, 3)
	s.Exec(t, "UPDATE tracked_notes SET title = 'by another'")
	s.Wire.Reset()
	require.NoError(t, kin.Update(ctx, s.DB, notes[0]))
	require.NoError(t, kin.UpdateAll(ctx, s.DB, notes))
	require.NoError(t, kin.Save(ctx, s.DB, notes...))
	saved, err := kin.SaveGraph(ctx, s.DB, notes...)
	require.NoError(t, err)
	s.Wire.Want(t, 0, 0)
	assert.Equal(t, []kin.Saved{{Model: "trackedFolder", Unchanged: 1}, {Model: "trackedNote", Unchanged: 3}}, saved)
	assert.Empty(t, kin.Changed(folder))
	assert.Equal(t, "by another 0 1, by another 0 1, by another 0 1", s.titles(t))

	// What is named is written.
	require.NoError(t, kin.Update(ctx, s.DB, notes[0], "title"))
	assert.Equal(t, "note 0 0 1, by another 0 1, by another 0 1", s.titles(t))

	require.NoError(t, kin.Reload(ctx, s.DB, notes...))
	assert.Equal(t, "by another", notes[1].Title)
	s.Wire.Reset()
	require.NoError(t, kin.Save(ctx, s.DB, notes...))
	s.Wire.Want(t, 0, 0)

	text, err := json.Marshal(notes[0])
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), `{"ID":1,"Title":"note 0"`), string(text))
}

func testTrackedChanges(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = trackedSuite(t, s)
	folder, notes := newNotes(t, s, 6)
	notes[0].Title = "one"
	notes[1].Title, notes[1].Stars = "two", 2
	notes[2].Title = "three"
	notes[3].Stars = 4
	notes[4].Folder.Clear()
	assert.Equal(t, []string{"title", "stars"}, kin.Changed(notes[1]))
	assert.Equal(t, []string{"folder"}, kin.Changed(notes[4]))
	s.Exec(t, "UPDATE tracked_notes SET stars = 9")
	s.Wire.Reset()
	require.NoError(t, kin.Save(ctx, s.DB, notes...))
	s.Wire.Want(t, 4, 0) // one for each set of columns
	want := "one 9 1, two 2 1, three 9 1, note 3 4 1, note 4 9, note 5 9 1"
	assert.Equal(t, want, s.titles(t))
	for _, n := range notes {
		assert.Empty(t, kin.Changed(n))
	}

	// Another folder, which is new, and back.
	second := &trackedFolder{Area: "home", Number: 2, Name: "second"}
	notes[0].Folder = kin.To(second)
	saved, err := kin.SaveGraph(ctx, s.DB, notes[0], notes[1])
	require.NoError(t, err)
	s.Wire.Want(t, 2, 0)
	assert.Equal(t, []kin.Saved{{Model: "trackedFolder", Inserted: 1, Unchanged: 1}, {Model: "trackedNote", Updated: 1, Unchanged: 1}}, saved)
	assert.Equal(t, strings.Replace(want, "one 9 1", "one 9 2", 1), s.titles(t))
	notes[0].Folder = kin.To(folder)
	require.NoError(t, kin.Save(ctx, s.DB, notes[0]))
	assert.Equal(t, want, s.titles(t))

	// A part that is written by name leaves the rest changed.
	notes[0].Title, notes[0].Stars = "part", 1
	require.NoError(t, kin.Update(ctx, s.DB, notes[0], "stars"))
	assert.Equal(t, []string{"title"}, kin.Changed(notes[0]))

	// A refused update remembers nothing.
	notes[0].ID = 99
	notes[1].Title = "lost"
	require.ErrorIs(t, kin.UpdateAll(ctx, s.DB, notes[:2]), kin.ErrNotFound)
	notes[0].ID = 1
	assert.Equal(t, []string{"title"}, kin.Changed(notes[0]))
	assert.Equal(t, []string{"title"}, kin.Changed(notes[1]))
	assert.Equal(t, strings.Replace(want, "one 9 1", "one 1 1", 1), s.titles(t))
}

func testTrackedKinds(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = trackedSuite(t, s)
	_, notes := newNotes(t, s, 1)
	n := notes[0]
	due := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		change func()
	}{
		{"title", func() { n.Title = "" }},
		{"stars", func() { n.Stars = -1 }},
		{"score", func() { n.Score = 0.1 }},
		{"done", func() { n.Done = true }},
		{"at", func() { n.At = n.At.Add(time.Microsecond) }},
		{"due", func() { n.Due = &due }},
		{"due", func() { *n.Due = due.Add(time.Hour) }}, // behind the pointer
		{"due", func() { n.Due = nil }},
		{"body", func() { n.Body[1]++ }}, // in place
		{"raw", func() { n.Raw = json.RawMessage(`[]`) }},
		{"tags", func() { n.Tags[0] = "z" }},
		{"extra", func() { n.Extra["more"] = 1 }},
		{"token", func() { n.Token[15]++ }},
		{"folder", func() { n.Folder.Clear() }},
	} {
		require.Empty(t, kin.Changed(n), c.name)
		c.change()
		require.Equal(t, []string{c.name}, kin.Changed(n))
		s.Wire.Reset()
		require.NoError(t, kin.Save(ctx, s.DB, n), c.name)
		s.Wire.Want(t, 1, 0)
		got, err := kin.Query[trackedNote]().SelectRelated("folder").Get(ctx, s.DB)
		require.NoError(t, err)
		want, err := json.Marshal(n)
		require.NoError(t, err)
		have, err := json.Marshal(got)
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(have), c.name)
	}
	n.At = n.At.In(time.FixedZone("", 3600)).Add(time.Nanosecond)
	assert.Empty(t, kin.Changed(n), "the same instant, as databases keep it")
}

func testTrackedCopies(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = trackedSuite(t, s)
	_, notes := newNotes(t, s, 2)
	copied := *notes[0]
	copied.Title = "copied"
	assert.Empty(t, kin.Changed(notes[0]))
	require.NoError(t, kin.Update(ctx, s.DB, &copied))
	assert.Empty(t, kin.Changed(&copied))
	assert.Empty(t, kin.Changed(notes[0]), "it remembers what it was read with")
	notes[0].Stars = 3
	require.NoError(t, kin.Update(ctx, s.DB, notes[0]))
	assert.Equal(t, "copied 3 1, note 1 0 1", s.titles(t))

	// With another key it is another row, of which nothing is known.
	other := *notes[0]
	other.ID = notes[1].ID
	assert.Len(t, kin.Changed(&other), 12)
	require.NoError(t, kin.Update(ctx, s.DB, &other))
	assert.Equal(t, "copied 3 1, note 0 3 1", s.titles(t))
	fresh := *notes[0]
	fresh.ID = 0
	require.NoError(t, kin.Save(ctx, s.DB, &fresh))
	assert.Equal(t, "copied 3 1, note 0 3 1, note 0 3 1", s.titles(t))
	assert.Empty(t, kin.Changed(&fresh))
	assert.Empty(t, kin.Changed(notes[0]))
}

func testTrackedTx(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = trackedSuite(t, s)
	_, notes := newNotes(t, s, 2)
	n := notes[0]
	undo := errors.New("undo")
	require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		n.Title = "undone"
		require.NoError(t, kin.Save(ctx, tx, n))
		assert.Empty(t, kin.Changed(n))
		return undo
	}), undo)
	assert.Equal(t, []string{"title"}, kin.Changed(n), "the database has the old one")
	require.NoError(t, kin.Save(ctx, s.DB, n))
	assert.Equal(t, "undone 0 1, note 1 0 1", s.titles(t))

	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		n.Title = "outer"
		require.NoError(t, kin.Save(ctx, tx, n))
		require.ErrorIs(t, tx.Tx(ctx, func(tx *kin.Tx) error {
			n.Stars, notes[1].Stars = 5, 5
			require.NoError(t, kin.Save(ctx, tx, notes...))
			return undo
		}), undo)
		assert.Equal(t, []string{"stars"}, kin.Changed(n))
		return tx.Tx(ctx, func(tx *kin.Tx) error { return kin.Save(ctx, tx, n) })
	}))
	assert.Empty(t, kin.Changed(n))
	assert.Equal(t, []string{"stars"}, kin.Changed(notes[1]))
	assert.Equal(t, "outer 5 1, note 1 0 1", s.titles(t))

	// Of the caller's own transaction, kin does not learn how it ends.
	own, err := s.Pool().BeginTx(ctx, nil)
	require.NoError(t, err)
	var r kin.Registry
	kin.Register[trackedNote](&r)
	kin.Register[trackedFolder](&r)
	n.Title = "own"
	require.NoError(t, kin.Save(ctx, kin.New(own, s.Dialect(), kin.WithRegistry(&r)), n))
	require.NoError(t, own.Rollback())
	assert.Contains(t, kin.Changed(n), "title")
	require.NoError(t, kin.Save(ctx, s.DB, n))
	assert.Equal(t, "own 5 1, note 1 0 1", s.titles(t))
	assert.Empty(t, kin.Changed(n))
}

// testTrackedWrites changes rows in other ways: nothing is forgotten then.
func testTrackedWrites(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = trackedSuite(t, s)
	folder, notes := newNotes(t, s, 3)
	second := &trackedFolder{Area: "home", Number: 2, Name: "second"}
	require.NoError(t, kin.Save(ctx, s.DB, second))
	move := func(want string, do func() error) {
		t.Helper()
		require.NoError(t, do())
		assert.Empty(t, kin.Changed(notes[0]))
		assert.Equal(t, want+", note 1 0 1, note 2 0 1", s.titles(t))
		was := notes[0].Folder
		notes[0].Folder = kin.To(folder) // as it was first read
		require.NoError(t, kin.Save(ctx, s.DB, notes[0]))
		assert.Equal(t, "note 0 0 1, note 1 0 1, note 2 0 1", s.titles(t))
		notes[0].Folder = was
		require.NoError(t, kin.Save(ctx, s.DB, notes[0]))
	}
	move("note 0 0 2", func() error { return second.Notes.Add(ctx, s.DB, notes[0]) })
	move("note 0 0", func() error { return second.Notes.Remove(ctx, s.DB, notes[0]) })
	move("note 0 0 2", func() error { return second.Notes.Set(ctx, s.DB, notes[0]) })
	move("note 0 0", func() error { return second.Notes.Set(ctx, s.DB) })
	require.NoError(t, second.Notes.Set(ctx, s.DB, notes[0]))
	move("note 0 0", func() error {
		_, err := second.Notes.Clear(ctx, s.DB)
		return err
	})

	// What an upsert left alone is not known.
	clash := *second
	clash.Name = "kept out"
	require.NoError(t, kin.Upsert(ctx, s.DB, []*trackedFolder{&clash}, kin.OnConflict("area", "number").DoNothing()))
	assert.Equal(t, []string{"name"}, kin.Changed(&clash))
	require.NoError(t, kin.Save(ctx, s.DB, &clash))
	got, err := kin.Query[trackedFolder]().Filter("number", 2).Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, "kept out", got.Name)

	// A row that is deleted is not as it was.
	require.NoError(t, kin.Delete(ctx, s.DB, notes[0]))
	require.ErrorIs(t, kin.Save(ctx, s.DB, notes[0]), kin.ErrNotFound)
	require.NoError(t, folder.Notes.Delete(ctx, s.DB, notes[1]))
	require.ErrorIs(t, kin.Save(ctx, s.DB, notes[1]), kin.ErrNotFound)
	require.NoError(t, kin.Delete(ctx, s.DB, second))
	require.NoError(t, kin.Save(ctx, s.DB, second), "it is a new row then, with a key of its own")
}

// testTrackedNew saves rows whose keys the program makes.
func testTrackedNew(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = trackedSuite(t, s)
	folder := &trackedFolder{Area: "work", Number: 7, Name: "new"}
	require.NoError(t, kin.Save(ctx, s.DB, folder))
	folder.Name = "newer"
	s.Wire.Reset()
	require.NoError(t, kin.Save(ctx, s.DB, folder))
	s.Wire.Want(t, 1, 0)
	again := &trackedFolder{Area: "work", Number: 7, Name: "again"}
	var unique *kin.UniqueError
	require.ErrorAs(t, kin.Save(ctx, s.DB, again), &unique, "it was not read")
	require.NoError(t, kin.Update(ctx, s.DB, again), "an update is one in any case")
	got, err := kin.Query[trackedFolder]().Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, "again", got.Name)
	copied := *got
	copied.Number = 8
	require.NoError(t, kin.Save(ctx, s.DB, &copied))
	n, err := kin.Query[trackedFolder]().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)

	// A transaction that is rolled back leaves a new row new.
	third := &trackedFolder{Area: "work", Number: 9}
	undo := errors.New("undo")
	require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		require.NoError(t, kin.Save(ctx, tx, third))
		return undo
	}), undo)
	require.NoError(t, kin.Save(ctx, s.DB, third))
	require.NoError(t, kin.Reload(ctx, s.DB, third))
}

type trackedPage struct {
	kin.Tracked
	ID      int64
	Title   string
	Stars   int
	Version int `kin:",version"`
}

// testTrackedRefused has rows that are written in another order than they are
// given, by what has changed of them.
func testTrackedRefused(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[trackedPage], kin.Register[trackedNote], kin.Register[trackedFolder])
	pages := []*trackedPage{{Title: "a"}, {Title: "b"}, {Title: "c"}}
	require.NoError(t, kin.Insert(ctx, s.DB, pages...))
	s.Exec(t, "UPDATE tracked_pages SET version = 5 WHERE title = 'b'")
	pages[0].Title, pages[1].Stars, pages[2].Title = "A", 2, "C"
	err := kin.UpdateAll(ctx, s.DB, pages)
	var stale *kin.StaleError
	require.ErrorAs(t, err, &stale)
	assert.Equal(t, strconv.FormatInt(pages[1].ID, 10), stale.Key)
	assert.EqualValues(t, 5, stale.Stored)
	assert.Equal(t, []string{"a", "b", "c"}, handColumn[string](t, s, "SELECT title FROM tracked_pages ORDER BY id"))

	_, notes := newNotes(t, s, 3)
	s.Exec(t, "DELETE FROM tracked_notes WHERE title = 'note 1'")
	notes[0].Title, notes[1].Stars, notes[2].Title = "A", 2, "C"
	err = kin.UpdateAll(ctx, s.DB, notes)
	require.ErrorIs(t, err, kin.ErrNotFound)
	require.ErrorContains(t, err, "1 of 3 rows")
	assert.Equal(t, []string{"note 0", "note 2"}, handColumn[string](t, s, "SELECT title FROM tracked_notes ORDER BY id"))
}
