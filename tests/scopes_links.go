package tests

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// Many-to-many relations between models that are softly deleted and filtered:
// one with a bare table, and one whose links are so themselves.
type (
	scopeLabel struct {
		ID        int64
		Name      string
		Tenant    int64
		DeletedAt *time.Time               `kin:",softdelete"`
		Docs      kin.ManyToMany[scopeDoc] `kin:"via=Labels"`
	}

	scopeReview struct {
		ID        int64
		Doc       kin.ForeignKey[scopeDoc]    `kin:",related_name=reviews,on_delete=cascade"`
		Reader    kin.ForeignKey[scopeMember] `kin:",related_name=reviews,on_delete=cascade"`
		Level     int
		Text      string
		Withdrawn *time.Time `kin:",softdelete"`
	}

	labelRow struct {
		id, tenant int64
		name       string
		deleted    bool
	}
	reviewRow struct {
		id      int64
		doc     *docRow
		reader  *memberRow
		level   int
		deleted bool
	}
)

func (scopeReview) KinTable() kin.Table {
	return kin.Table{Unique: [][]string{{"doc", "reader"}}}
}

// addLinks inserts labels and reviews.
func (w *scopeWorld) addLinks(t *testing.T, s *Suite, rnd *rand.Rand) {
	t.Helper()
	at := time.Date(2026, 11, 25, 1, 2, 3, 4000, time.UTC)
	var labels []*scopeLabel
	for i := range 1 + len(w.docs)/6 {
		x := &labelRow{int64(i + 1), int64(1 + rnd.IntN(2)), string(rune('a' + rnd.IntN(4))), rnd.IntN(3) == 0}
		m := &scopeLabel{ID: x.id, Name: x.name, Tenant: x.tenant}
		if x.deleted {
			m.DeletedAt = &at
		}
		w.labels, labels = append(w.labels, x), append(labels, m)
	}
	w.labeled = map[*docRow][]*labelRow{}
	var pairs []string
	var reviews []*scopeReview
	for _, d := range w.docs {
		for _, x := range w.labels {
			if rnd.IntN(len(w.labels)) < 2 {
				w.labeled[d] = append(w.labeled[d], x)
				pairs = append(pairs, fmt.Sprintf("(%d, %d)", d.id, x.id))
			}
		}
		readers := rnd.Perm(len(w.members))[:min(rnd.IntN(4), len(w.members))]
		for _, i := range readers {
			x := &reviewRow{int64(len(w.reviews) + 1), d, w.members[i], rnd.IntN(4), rnd.IntN(3) == 0}
			m := &scopeReview{ID: x.id, Doc: kin.Key[scopeDoc](d.id), Reader: kin.Key[scopeMember](x.reader.id), Level: x.level}
			if x.deleted {
				m.Withdrawn = &at
			}
			w.reviews, reviews = append(w.reviews, x), append(reviews, m)
		}
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, labels...))
	require.NoError(t, kin.Insert(t.Context(), s.DB, reviews...))
	if len(pairs) > 0 {
		s.Exec(t, "INSERT INTO scope_docs_labels (scope_doc_id, scope_label_id) VALUES "+strings.Join(pairs, ", "))
	}
}

func (v scopeView) label(x *labelRow) bool {
	return (v.deleted || !x.deleted) && (v.tenant == 0 || v.tenant == x.tenant)
}

func (v scopeView) review(x *reviewRow) bool { return (v.deleted || !x.deleted) && x.level <= v.level }

func anyOf[T any](*T) bool { return true }

func (w *scopeWorld) labelsOf(v scopeView, d *docRow) []*labelRow {
	return which(w.labeled[d], v.label, anyOf)
}

func (w *scopeWorld) docsWith(v scopeView, x *labelRow) []*docRow {
	return which(w.docs, v.doc, func(d *docRow) bool { return slices.Contains(w.labeled[d], x) })
}

func (w *scopeWorld) reviewsOf(v scopeView, d *docRow) []*reviewRow {
	return which(w.reviews, v.review, func(x *reviewRow) bool { return x.doc == d })
}

// readersOf returns the links to the readers, in the order of these.
func (w *scopeWorld) readersOf(v scopeView, d *docRow) []*reviewRow {
	links := which(w.reviewsOf(v, d), func(x *reviewRow) bool { return v.member(x.reader) }, anyOf)
	slices.SortFunc(links, func(a, b *reviewRow) int { return cmpInt(a.reader.id, b.reader.id) })
	return links
}

// readsOf returns the links to what a member reads, in the order of the
// documents.
func (w *scopeWorld) readsOf(v scopeView, m *memberRow) []*reviewRow {
	links := which(w.reviews, v.review, func(x *reviewRow) bool { return x.reader == m && v.doc(x.doc) })
	slices.SortFunc(links, func(a, b *reviewRow) int { return cmpInt(a.doc.id, b.doc.id) })
	return links
}

// linkConds are conditions over links: a link that is not there, or whose far
// side is not, is none.
func (w *scopeWorld) linkConds(v scopeView, a, b string, id int64, yes bool) []scopeCond {
	label := func(met func(x *labelRow) bool) func(*docRow) bool {
		return func(d *docRow) bool { return slices.ContainsFunc(w.labelsOf(v, d), met) }
	}
	reader := func(met func(x *reviewRow) bool) func(*docRow) bool {
		return func(d *docRow) bool { return slices.ContainsFunc(w.readersOf(v, d), met) }
	}
	level := int(id) % 4
	return []scopeCond{
		{[]any{"labels__name", a}, label(func(x *labelRow) bool { return x.name == a })},
		{[]any{"labels__name__ne", a}, label(func(x *labelRow) bool { return x.name != a })},
		{[]any{"labels", id}, label(func(x *labelRow) bool { return x.id == id })},
		{[]any{"labels__id__gt", id}, label(func(x *labelRow) bool { return x.id > id })},
		{[]any{"labels__in", []int64{id, id + 2}}, label(func(x *labelRow) bool { return x.id == id || x.id == id+2 })},
		{[]any{"labels__isnull", yes}, func(d *docRow) bool { return (len(w.labelsOf(v, d)) > 0) != yes }},
		{[]any{"labels__docs__title", a}, label(func(x *labelRow) bool {
			return slices.ContainsFunc(w.docsWith(v, x), func(d *docRow) bool { return d.title == a })
		})},
		{[]any{"labels__docs__isnull", yes}, label(func(x *labelRow) bool { return (len(w.docsWith(v, x)) > 0) != yes })},
		{[]any{"labels__docs__labels", id}, label(func(x *labelRow) bool {
			return slices.ContainsFunc(w.docsWith(v, x), label(func(x *labelRow) bool { return x.id == id }))
		})},
		{[]any{"readers__name", a}, reader(func(x *reviewRow) bool { return x.reader.name == a })},
		{[]any{"readers", id}, reader(func(x *reviewRow) bool { return x.reader.id == id })},
		{[]any{"readers__isnull", yes}, func(d *docRow) bool { return (len(w.readersOf(v, d)) > 0) != yes }},
		{[]any{"readers__link__isnull", yes}, func(d *docRow) bool { return (len(w.readersOf(v, d)) > 0) != yes }},
		{[]any{"readers__link__level", level}, reader(func(x *reviewRow) bool { return x.level == level })},
		{[]any{"readers__name", a, "readers__link__level__ne", level}, reader(func(x *reviewRow) bool {
			return x.reader.name == a && x.level != level
		})},
		{[]any{"readers__team__name__ne", b}, reader(func(x *reviewRow) bool { return !v.team(x.reader.team) || x.reader.team.name != b })},
		{[]any{"readers__reads__title", b}, reader(func(x *reviewRow) bool {
			return slices.ContainsFunc(w.readsOf(v, x.reader), func(y *reviewRow) bool { return y.doc.title == b })
		})},
		{[]any{"reviews__level", level}, func(d *docRow) bool {
			return slices.ContainsFunc(w.reviewsOf(v, d), func(x *reviewRow) bool { return x.level == level })
		}},
		{[]any{"reviews__reader__name__ne", a}, func(d *docRow) bool {
			return slices.ContainsFunc(w.reviewsOf(v, d), func(x *reviewRow) bool { return !v.member(x.reader) || x.reader.name != a })
		}},
		{[]any{"children__labels__name", a}, func(d *docRow) bool {
			return slices.ContainsFunc(w.children(v, d), label(func(x *labelRow) bool { return x.name == a }))
		}},
		{[]any{"author__reads__labels__name", a}, func(d *docRow) bool {
			return v.member(d.author) && slices.ContainsFunc(w.readsOf(v, d.author), func(x *reviewRow) bool {
				return label(func(x *labelRow) bool { return x.name == a })(x.doc)
			})
		}},
	}
}

// checkLinks compares what is loaded over links with a document.
func (w *scopeWorld) checkLinks(t *testing.T, v scopeView, x *scopeDoc, d *docRow, text string, seen map[any]bool) {
	t.Helper()
	if x.Labels.Loaded() {
		labels := w.labelsOf(v, d)
		if assert.Len(t, x.Labels.All(), len(labels), text+" labels") {
			for i, l := range x.Labels.All() {
				assert.Equal(t, labels[i].id, l.ID, text+" labels")
				if l.Docs.Loaded() {
					w.checkDocs(t, v, l.Docs.All(), w.docsWith(v, labels[i]), text+" labeled", seen)
				}
			}
		}
	}
	if x.Reviews.Loaded() {
		reviews := w.reviewsOf(v, d)
		if assert.Len(t, x.Reviews.All(), len(reviews), text+" reviews") {
			for i, r := range x.Reviews.All() {
				assert.Equal(t, reviews[i].id, r.ID, text+" reviews")
				checkKey(t, r.Reader, true, v.member(reviews[i].reader), text+" reader")
			}
		}
	}
	if !x.Readers.Loaded() {
		return
	}
	links := w.readersOf(v, d)
	if !assert.Len(t, x.Readers.All(), len(links), text+" readers") {
		return
	}
	readers := x.Readers.All()
	if x.Reviews.Loaded() { // by which they may be sorted
		readers = slices.SortedFunc(x.Readers.Values(), func(a, b *scopeMember) int { return cmpInt(a.ID, b.ID) })
	}
	for i, m := range readers {
		link := x.Readers.Link(m)
		assert.Equal(t, links[i].reader.id, m.ID, text+" readers")
		assert.Equal(t, links[i].id, link.ID, text+" links")
		if m.Reads.Loaded() && !seen[m] {
			seen[m] = true
			w.checkReads(t, v, m, links[i].reader, text+" reads", seen)
		}
	}
}

func (w *scopeWorld) checkReads(t *testing.T, v scopeView, m *scopeMember, row *memberRow, text string, seen map[any]bool) {
	t.Helper()
	reads := w.readsOf(v, row)
	var docs []*docRow
	for _, x := range reads {
		docs = append(docs, x.doc)
	}
	w.checkDocs(t, v, m.Reads.All(), docs, text, seen)
	i := 0
	for _, link := range m.Reads.Links() {
		if i < len(reads) {
			assert.Equal(t, reads[i].id, link.ID, text)
		}
		i++
	}
}
