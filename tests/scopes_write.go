package tests

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func hiddenLinkCases() []Case {
	return []Case{
		{"softdelete/hidden far sides", testHiddenTargets},
		{"softdelete/deleted links", testDeletedLinks},
		{"softdelete/links that are given", testGivenLinks},
		{"softdelete/filtered links", testFilteredLinks},
		{"softdelete/listeners to links", testDeletedLinkListeners},
		{"softdelete/graphs", testScopedGraphs},
		{"softdelete/links with keys of their rows", testBonds},
	}
}

func labelID(l *scopeLabel) int64   { return l.ID }
func memberID(m *scopeMember) int64 { return m.ID }

// testHiddenTargets has a document with labels that are there, deleted and
// another's: whatever is done to the collection, links to what cannot be seen
// stay.
func testHiddenTargets(t *testing.T, s *Suite) {
	plain, s := scopeSuite(t, s)
	ctx := as(t.Context(), 1, 3)
	newDocs(t, plain, 3)
	labels := make([]*scopeLabel, 6)
	for i := range labels {
		labels[i] = &scopeLabel{Name: fmt.Sprint("l", i+1), Tenant: 1}
	}
	labels[3].Tenant, labels[4].Tenant = 2, 2
	require.NoError(t, kin.Insert(t.Context(), plain.DB, labels...))
	s.Exec(t, "INSERT INTO scope_docs_labels (scope_doc_id, scope_label_id) VALUES (1, 1), (1, 2), (1, 3), (1, 4), (3, 2)")
	require.NoError(t, kin.Delete(ctx, s.DB, labels[1]))
	doc, err := kin.Query[scopeDoc]().Filter("id", 1).SelectRelated("labels").Get(ctx, s.DB)
	require.NoError(t, err)
	stored := func() []int64 {
		defer s.Wire.Reset()
		return s.ints(t, "SELECT scope_label_id FROM scope_docs_labels WHERE scope_doc_id = 1 ORDER BY scope_label_id")
	}
	check := func(memory []int64, database ...int64) {
		t.Helper()
		assert.ElementsMatch(t, memory, ids(doc.Labels.All(), labelID))
		assert.Equal(t, database, stored())
	}
	check([]int64{1, 3}, 1, 2, 3, 4)
	rows, err := doc.Labels.Load(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 3}, ids(rows, labelID))
	q, everyone := doc.Labels.Query(), kin.WithoutFilter(ctx, "tenant")
	for _, c := range []struct {
		ctx  context.Context //nolint:containedctx // that of the one call
		q    kin.QuerySet[scopeLabel]
		want []int64
	}{
		{ctx, q, []int64{1, 3}},
		{ctx, q.WithDeleted(), []int64{1, 2, 3}},
		{everyone, q, []int64{1, 3, 4}},
		{everyone, q.WithDeleted().OrderBy("-id"), []int64{4, 3, 2, 1}},
	} {
		rows, err := c.q.All(c.ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, c.want, ids(rows, labelID))
		n, err := c.q.Count(c.ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, c.want, int(n))
	}

	for why, call := range map[string]func() error{
		"add deleted":    func() error { return doc.Labels.Add(ctx, s.DB, labels[5], labels[1]) },
		"add another's":  func() error { return doc.Labels.Add(ctx, s.DB, labels[4]) },
		"set another's":  func() error { return doc.Labels.Set(ctx, s.DB, labels[0], labels[3]) },
		"remove deleted": func() error { return doc.Labels.Remove(ctx, s.DB, labels[0], labels[1]) },
		"remove anothers": func() error {
			return doc.Labels.Remove(ctx, s.DB, labels[3])
		},
		"create another's": func() error {
			err := doc.Labels.Create(ctx, s.DB, &scopeLabel{Tenant: 2})
			assert.ErrorIs(t, err, kin.ErrOutside)
			return kin.ErrNotFound
		},
	} {
		require.ErrorIs(t, call(), kin.ErrNotFound, why)
		check([]int64{1, 3}, 1, 2, 3, 4)
	}
	s.Wire.Reset()
	require.NoError(t, doc.Labels.Add(ctx, s.DB, labels[5], labels[0]))
	s.Wire.Want(t, 2, 1) // whether they are there, and the links
	check([]int64{1, 3, 6}, 1, 2, 3, 4, 6)
	require.NoError(t, doc.Labels.Remove(ctx, s.DB, labels[0]))
	s.Wire.Want(t, 1, 0)
	check([]int64{3, 6}, 2, 3, 4, 6)
	require.NoError(t, doc.Labels.Set(ctx, s.DB, labels[0], labels[2]))
	check([]int64{1, 3}, 1, 2, 3, 4)
	n, err := doc.Labels.Clear(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 0)
	assert.EqualValues(t, 2, n)
	check(nil, 2, 4)

	// A label that is restored has its links again; one that is purged, none.
	labels[1].DeletedAt = nil
	require.NoError(t, kin.Update(ctx, s.DB, labels[1], "deleted_at"))
	docs, err := labels[1].Docs.Load(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, docs, 2)
	require.NoError(t, kin.Delete(ctx, s.DB, docs[1]))
	docs, err = labels[1].Docs.Load(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, docs, 1, "from the far side")
	require.NoError(t, labels[1].Docs.Set(ctx, s.DB))
	assert.Equal(t, []int64{3}, s.ints(t, "SELECT scope_doc_id FROM scope_docs_labels WHERE scope_label_id = 2"))
	require.NoError(t, kin.Purge(ctx, s.DB, labels[1]))
	assert.Empty(t, s.ints(t, "SELECT scope_doc_id FROM scope_docs_labels WHERE scope_label_id = 2"))
}

// reviews returns the whole table of reviews, by plain SQL: id, document,
// reader, level and whether it is withdrawn.
func (s *Suite) reviews(t *testing.T) (list []string) {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT id, doc_id, reader_id, level, text, withdrawn IS NOT NULL FROM scope_reviews ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id, doc, reader, level int64
		var text string
		var gone bool
		require.NoError(t, rows.Scan(&id, &doc, &reader, &level, &text, &gone))
		line := fmt.Sprintf("%d: %d-%d %d%s", id, doc, reader, level, text)
		if gone {
			line += " gone"
		}
		list = append(list, line)
	}
	require.NoError(t, rows.Err())
	s.Wire.Reset()
	return list
}

// newReviews has a document, whose readers are the first three of five
// members.
func newReviews(t *testing.T, s *Suite) (*scopeDoc, []*scopeMember) {
	t.Helper()
	ctx := t.Context()
	m := newMembers(t, s, 5)
	doc := newDocs(t, s, 1)[0]
	for _, x := range m[:3] {
		require.NoError(t, doc.Readers.AddLinks(ctx, s.DB, &scopeReview{Reader: kin.To(x), Level: 2, Text: "x"}))
	}
	_, err := doc.Readers.Load(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	return doc, m
}

func testDeletedLinks(t *testing.T, s *Suite) {
	s, _ = scopeSuite(t, s)
	ctx := t.Context()
	doc, m := newReviews(t, s)
	check := func(readers []int64, lines ...string) {
		t.Helper()
		assert.ElementsMatch(t, readers, ids(doc.Readers.All(), memberID))
		assert.Equal(t, lines, s.reviews(t))
		rows, err := doc.Readers.Query().All(ctx, s.DB)
		require.NoError(t, err)
		assert.ElementsMatch(t, readers, ids(rows, memberID))
		n, err := doc.Readers.LinkQuery().Count(ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, readers, int(n))
		for row, link := range doc.Readers.Links() {
			assert.Equal(t, row.ID, link.Reader.Ref().ID)
			assert.Nil(t, link.Withdrawn)
		}
		s.Wire.Reset()
	}
	check([]int64{1, 2, 3}, "1: 1-1 2x", "2: 1-2 2x", "3: 1-3 2x")
	require.NoError(t, doc.Readers.Remove(ctx, s.DB, m[0], m[1]))
	s.Wire.Want(t, 1, 0)
	check([]int64{3}, "1: 1-1 2x gone", "2: 1-2 2x gone", "3: 1-3 2x")
	require.ErrorIs(t, doc.Readers.Remove(ctx, s.DB, m[2], m[0]), kin.ErrNotFound)
	check([]int64{3}, "1: 1-1 2x gone", "2: 1-2 2x gone", "3: 1-3 2x")

	// One that was deleted, one that never was there, and one that is.
	require.NoError(t, doc.Readers.Add(ctx, s.DB, m[0], m[3], m[2]))
	assert.Len(t, writes(s.Wire.Statements()), 2)
	check([]int64{1, 3, 4}, "1: 1-1 0", "2: 1-2 2x gone", "3: 1-3 2x", "4: 1-4 0")
	assert.EqualValues(t, 1, doc.Readers.Link(m[0]).ID, "the row is the same")
	require.NoError(t, doc.Readers.Set(ctx, s.DB, m[1], m[2]))
	check([]int64{2, 3}, "1: 1-1 0 gone", "2: 1-2 0", "3: 1-3 2x", "4: 1-4 0 gone")
	reads, err := m[1].Reads.Load(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, reads, 1, "from the far side")

	// The link of a reader who is not there is left alone.
	require.NoError(t, kin.Delete(ctx, s.DB, m[1]))
	_, err = doc.Readers.Load(ctx, s.DB)
	require.NoError(t, err)
	check([]int64{3}, "1: 1-1 0 gone", "2: 1-2 0", "3: 1-3 2x", "4: 1-4 0 gone")
	require.ErrorIs(t, doc.Readers.Remove(ctx, s.DB, m[1]), kin.ErrNotFound)
	require.ErrorIs(t, doc.Readers.Add(ctx, s.DB, m[1]), kin.ErrNotFound)
	require.ErrorIs(t, doc.Readers.AddLinks(ctx, s.DB, &scopeReview{Reader: kin.To(m[1])}), kin.ErrNotFound)
	require.NoError(t, doc.Readers.Set(ctx, s.DB, m[4]))
	check([]int64{5}, "1: 1-1 0 gone", "2: 1-2 0", "3: 1-3 2x gone", "4: 1-4 0 gone", "5: 1-5 0")
	n, err := doc.Readers.Clear(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 0)
	assert.EqualValues(t, 1, n)
	check(nil, "1: 1-1 0 gone", "2: 1-2 0", "3: 1-3 2x gone", "4: 1-4 0 gone", "5: 1-5 0 gone")

	all, err := doc.Readers.Query().WithDeleted().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 5, all, "links and readers are let in")
	require.NoError(t, kin.Purge(ctx, s.DB, doc))
	assert.Empty(t, s.reviews(t))
}

func testGivenLinks(t *testing.T, s *Suite) {
	s, _ = scopeSuite(t, s)
	ctx := t.Context()
	doc, m := newReviews(t, s)
	require.NoError(t, doc.Readers.Remove(ctx, s.DB, m[0], m[1]))
	before := []string{"1: 1-1 2x gone", "2: 1-2 2x gone", "3: 1-3 2x"}
	require.Equal(t, before, s.reviews(t))

	again := &scopeReview{Reader: kin.To(m[0]), Level: 1, Text: "y"}
	var unique *kin.UniqueError
	require.ErrorAs(t, doc.Readers.AddLinks(ctx, s.DB, again, &scopeReview{Reader: kin.To(m[2])}), &unique)
	assert.Equal(t, before, s.reviews(t), "all or none")
	assert.Zero(t, again.ID)
	assert.True(t, again.Doc.IsNull())
	assert.Equal(t, []int64{3}, ids(doc.Readers.All(), memberID))
	require.ErrorIs(t, doc.Readers.AddLinks(ctx, s.DB, again, &scopeReview{Reader: kin.To(&scopeMember{})}), kin.ErrUnsaved)
	assert.Equal(t, before, s.reviews(t))

	require.NoError(t, doc.Readers.AddLinks(ctx, s.DB, again, &scopeReview{Reader: kin.To(m[3]), Level: 3}))
	assert.Equal(t, []string{"1: 1-1 1y", "2: 1-2 2x gone", "3: 1-3 2x", "5: 1-4 3"}, trimID(s.reviews(t)))
	assert.EqualValues(t, 1, again.ID)
	assert.Same(t, again, doc.Readers.Link(m[0]))
	assert.ElementsMatch(t, []int64{1, 3, 4}, ids(doc.Readers.All(), memberID))

	// A link that was deleted as a row, and is added once more.
	require.NoError(t, kin.Delete(ctx, s.DB, again))
	require.NotNil(t, again.Withdrawn)
	require.NoError(t, doc.Readers.AddLinks(ctx, s.DB, again))
	assert.Nil(t, again.Withdrawn)
	assert.Equal(t, "1: 1-1 1y", s.reviews(t)[0])
	require.NoError(t, doc.Readers.AddLinks(ctx, s.DB, &scopeReview{Reader: kin.Key[scopeMember](2), Level: 3, Text: "z"}))
	assert.False(t, doc.Readers.Loaded())
	assert.Equal(t, "2: 1-2 3z", s.reviews(t)[1])
}

// trimID gives the last line the key 5, which databases count differently
// where a statement has failed.
func trimID(lines []string) []string {
	last := lines[len(lines)-1]
	lines[len(lines)-1] = "5" + last[1:]
	return lines
}

func testFilteredLinks(t *testing.T, s *Suite) {
	plain, s := scopeSuite(t, s)
	doc, m := newReviews(t, plain) // of level 2
	low, high := as(t.Context(), 1, 1), as(t.Context(), 1, 3)
	before := s.reviews(t)
	n, err := doc.Readers.Query().Count(low, s.DB)
	require.NoError(t, err)
	assert.Zero(t, n)
	n, err = doc.Readers.Query().Count(high, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	err = doc.Readers.AddLinks(low, s.DB, &scopeReview{Reader: kin.To(m[3]), Level: 2})
	require.ErrorIs(t, err, kin.ErrOutside)
	require.ErrorIs(t, doc.Readers.Remove(low, s.DB, m[0]), kin.ErrNotFound)
	var unique *kin.UniqueError
	require.ErrorAs(t, doc.Readers.Add(low, s.DB, m[0]), &unique, "it is there, for others")
	require.ErrorAs(t, doc.Readers.AddLinks(low, s.DB, &scopeReview{Reader: kin.To(m[0]), Level: 1}), &unique)
	require.NoError(t, doc.Readers.Set(low, s.DB))
	assert.Equal(t, before, s.reviews(t))

	// A deleted link that another could see is none to revive.
	require.NoError(t, doc.Readers.Remove(high, s.DB, m[0]))
	require.ErrorAs(t, doc.Readers.Add(low, s.DB, m[0]), &unique)
	require.ErrorAs(t, doc.Readers.AddLinks(low, s.DB, &scopeReview{Reader: kin.To(m[0]), Level: 1}), &unique)
	err = doc.Readers.AddLinks(high, s.DB, &scopeReview{Reader: kin.To(m[0]), Level: 9})
	require.ErrorIs(t, err, kin.ErrOutside)
	assert.Equal(t, "1: 1-1 2x gone", s.reviews(t)[0])
	require.NoError(t, doc.Readers.Add(high, s.DB, m[0]))
	assert.Equal(t, "1: 1-1 0", s.reviews(t)[0])
}

func testDeletedLinkListeners(t *testing.T, s *Suite) {
	s, _ = scopeSuite(t, s)
	ctx := t.Context()
	doc, m := newReviews(t, s)
	var heard []string
	defer kin.ListenRelation(func(_ context.Context, tx *kin.Tx, c kin.RelationChange[scopeDoc, scopeMember]) error {
		if c.Row == doc {
			heard = append(heard, fmt.Sprint(c.Relation, " +", ids(c.Added, memberID), " -", ids(c.Removed, memberID)))
		}
		return nil
	})()
	require.NoError(t, doc.Readers.Remove(ctx, s.DB, m[0]))
	require.NoError(t, doc.Readers.Add(ctx, s.DB, m[0]))
	require.NoError(t, doc.Readers.Remove(ctx, s.DB, m[0], m[1]))
	require.NoError(t, doc.Readers.AddLinks(ctx, s.DB, &scopeReview{Reader: kin.To(m[1])}, &scopeReview{Reader: kin.Key[scopeMember](1)}))
	require.NoError(t, kin.Delete(ctx, s.DB, m[2]))
	_, err := doc.Readers.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"readers +[] -[1]", "readers +[1] -[]", "readers +[] -[1 2]", "readers +[2 1] -[]", "readers +[] -[1 2]"}, heard)
}

// testScopedGraphs saves graphs with rows that are not there: rows are
// written by their keys, deleted or not.
func testScopedGraphs(t *testing.T, s *Suite) {
	plain, s := scopeSuite(t, s)
	ctx := as(t.Context(), 1, 3)
	doc, m := newReviews(t, plain)
	require.NoError(t, doc.Labels.Create(ctx, s.DB, &scopeLabel{Name: "a", Tenant: 1}, &scopeLabel{Name: "b", Tenant: 1}))
	_, err := kin.Query[scopeLabel]().Filter("name", "b").Delete(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, doc.Readers.Remove(ctx, s.DB, m[0]))
	got, err := kin.Query[scopeDoc]().SelectRelated("labels", "readers").Get(ctx, s.DB)
	require.NoError(t, err)
	got.Labels.All()[0].Name = "new"
	_, err = kin.SaveGraph(ctx, s.DB, got)
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2}, s.ints(t, "SELECT scope_label_id FROM scope_docs_labels ORDER BY scope_label_id"), "what it does not hold stays")
	assert.Equal(t, []string{"1: 1-1 2x gone", "2: 1-2 2x", "3: 1-3 2x"}, s.reviews(t))

	got, err = kin.Query[scopeDoc]().WithDeleted().SelectRelated("labels").Get(ctx, s.DB)
	require.NoError(t, err)
	require.Equal(t, 2, got.Labels.Len())
	got.Labels.All()[1].Name = "gone"
	_, err = kin.SaveGraph(ctx, s.DB, got)
	require.NoError(t, err)
	assert.Equal(t, []int64{2}, s.ints(t, "SELECT id FROM scope_labels WHERE deleted_at IS NOT NULL AND name = 'gone'"), "written, and still deleted")

	got.Labels.All()[1].Tenant = 2
	_, err = kin.SaveGraph(ctx, s.DB, got)
	require.ErrorIs(t, err, kin.ErrOutside)
	theirs := &scopeLabel{Name: "theirs", Tenant: 2}
	require.NoError(t, kin.Insert(t.Context(), plain.DB, theirs))
	theirs.Tenant = 1
	_, err = kin.SaveGraph(ctx, s.DB, &scopeDoc{Tenant: 1, Labels: kin.Linked(theirs)})
	require.ErrorIs(t, err, kin.ErrNotFound)
	assert.Equal(t, []int64{1}, s.ints(t, "SELECT id FROM scope_docs"))

	// A new link in a graph is a row like others.
	var unique *kin.UniqueError
	_, err = kin.SaveGraph(ctx, s.DB, &scopeReview{Doc: kin.To(doc), Reader: kin.To(m[0])})
	require.ErrorAs(t, err, &unique)
}
