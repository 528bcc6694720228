package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect"
)

// Models that are softly deleted in each of the three ways, and filtered.
type (
	scopeTeam struct {
		ID        int64
		Name      string
		Tenant    int64
		DeletedAt *time.Time                `kin:",softdelete"`
		Members   kin.Reverse[scopeMember]  `json:",omitzero"`
		Docs      kin.Reverse[scopeDoc]     `json:",omitzero"`
		Parent    kin.ForeignKey[scopeTeam] `kin:",null,related_name=parts"`
	}

	scopeMember struct {
		ID      int64
		Name    string
		Removed sql.Null[time.Time]       `kin:",softdelete"`
		Team    kin.ForeignKey[scopeTeam] `kin:",null,related_name=members"`
		Docs    kin.Reverse[scopeDoc]
		Reads   kin.Through[scopeDoc, scopeReview] `kin:"via=Reader+Doc"`
	}

	scopeDoc struct {
		ID       int64
		Title    string
		Tenant   int64
		Gone     bool                        `kin:",softdelete"`
		Team     kin.ForeignKey[scopeTeam]   `kin:",null,related_name=docs"`
		Author   kin.ForeignKey[scopeMember] `kin:",null,related_name=docs"`
		Parent   kin.ForeignKey[scopeDoc]    `kin:",null,related_name=children"`
		Children kin.Reverse[scopeDoc]
		Notes    kin.Reverse[scopeNote]
		Labels   kin.ManyToMany[scopeLabel]            `kin:",related_name=docs"`
		Readers  kin.Through[scopeMember, scopeReview] `kin:"via=Doc+Reader"`
		Reviews  kin.Reverse[scopeReview]
	}

	scopeNote struct {
		ID    int64
		Text  string
		Level int
		Doc   kin.ForeignKey[scopeDoc] `kin:",related_name=notes"`
	}
)

type (
	tenantKey struct{}
	levelKey  struct{}
)

var errNoTenant = errors.New("no tenant in the context")

// as returns a context of a tenant who sees notes up to a level.
func as(ctx context.Context, tenant int64, level int) context.Context {
	return context.WithValue(context.WithValue(ctx, tenantKey{}, tenant), levelKey{}, level)
}

func tenantOf(ctx context.Context) (int64, error) {
	tenant, ok := ctx.Value(tenantKey{}).(int64)
	if !ok {
		return 0, errNoTenant
	}
	return tenant, nil
}

func ofTenant[T any]() kin.Option {
	return kin.WithFilter("tenant", func(ctx context.Context, q kin.QuerySet[T]) (kin.QuerySet[T], error) {
		tenant, err := tenantOf(ctx)
		return q.Filter("tenant", tenant), err
	})
}

func scopeRegistry() *kin.Registry {
	var r kin.Registry
	kin.Register[scopeTeam](&r)
	kin.Register[scopeMember](&r)
	kin.Register[scopeDoc](&r)
	kin.Register[scopeNote](&r)
	kin.Register[scopeLabel](&r)
	kin.Register[scopeReview](&r)
	return &r
}

// A SoftDeleted is a query on models that are softly deleted, for the golden
// files.
type SoftDeleted struct{ Loads []string }

// SQL writes it.
func (x SoftDeleted) SQL(d dialect.Dialect) (string, []any, error) {
	db := kin.New((*sql.DB)(nil), d, kin.WithRegistry(scopeRegistry()))
	return kin.Query[scopeDoc]().SelectRelated(kin.Paths[scopeDoc](x.Loads...)...).Filter("children__notes__text", "a").OrderBy("team__name").SQL(db.Dialect())
}

// scopeSuite returns a Suite with the tables, and one on the same database
// that filters.
func scopeSuite(t *testing.T, s *Suite) (plain, filtered *Suite) {
	t.Helper()
	r := scopeRegistry()
	plain = s.With(kin.WithRegistry(r))
	require.NoError(t, kin.CreateTables(t.Context(), plain.DB))
	return plain, s.With(kin.WithRegistry(r), ofTenant[scopeTeam](), ofTenant[scopeDoc](),
		ofTenant[scopeLabel](), upToLevel[scopeNote](), upToLevel[scopeReview]())
}

func upToLevel[T any]() kin.Option {
	return kin.WithFilter("level", func(ctx context.Context, q kin.QuerySet[T]) (kin.QuerySet[T], error) {
		level, ok := ctx.Value(levelKey{}).(int)
		if !ok {
			return q, errors.New("no level in the context")
		}
		return q.Exclude("level__gt", level), nil
	})
}

// A scopeWorld is the rows as they were inserted, linked without kin.
type scopeWorld struct {
	teams   []*teamRow
	members []*memberRow
	docs    []*docRow
	notes   []*noteRow
	labels  []*labelRow
	labeled map[*docRow][]*labelRow // in the order of labels
	reviews []*reviewRow
}

type (
	teamRow struct {
		id, tenant int64
		name       string
		deleted    bool
		parent     *teamRow
	}
	memberRow struct {
		id      int64
		name    string
		deleted bool
		team    *teamRow
	}
	docRow struct {
		id, tenant int64
		title      string
		deleted    bool
		team       *teamRow
		author     *memberRow
		parent     *docRow
	}
	noteRow struct {
		id    int64
		text  string
		level int
		doc   *docRow
	}
)

// newScopeWorld inserts random rows, a third of which are deleted.
func newScopeWorld(t *testing.T, s *Suite, rnd *rand.Rand, docs int) *scopeWorld {
	t.Helper()
	ctx := t.Context()
	w := &scopeWorld{}
	deleted := func() bool { return rnd.IntN(3) == 0 }
	name := func() string { return string(rune('a' + rnd.IntN(4))) }
	at := time.Date(2026, 11, 25, 1, 2, 3, 4000, time.UTC)
	var teams []*scopeTeam
	for i := range 1 + docs/4 {
		x := &teamRow{int64(i + 1), int64(1 + rnd.IntN(2)), name(), deleted(), nil}
		m := &scopeTeam{ID: x.id, Name: x.name, Tenant: x.tenant}
		if x.deleted {
			m.DeletedAt = &at
		}
		if i > 0 && rnd.IntN(2) == 0 {
			x.parent = w.teams[rnd.IntN(i)]
			m.Parent = kin.Key[scopeTeam](x.parent.id)
		}
		w.teams, teams = append(w.teams, x), append(teams, m)
	}
	var members []*scopeMember
	for i := range 1 + docs/3 {
		x := &memberRow{int64(i + 1), name(), deleted(), nil}
		m := &scopeMember{ID: x.id, Name: x.name, Removed: sql.Null[time.Time]{V: at, Valid: x.deleted}}
		if rnd.IntN(5) > 0 {
			x.team = w.teams[rnd.IntN(len(w.teams))]
			m.Team = kin.Key[scopeTeam](x.team.id)
		}
		w.members, members = append(w.members, x), append(members, m)
	}
	var all []*scopeDoc
	for i := range docs {
		x := &docRow{id: int64(i + 1), tenant: int64(1 + rnd.IntN(2)), title: name(), deleted: deleted()}
		m := &scopeDoc{ID: x.id, Title: x.title, Tenant: x.tenant, Gone: x.deleted}
		if rnd.IntN(5) > 0 {
			x.team = w.teams[rnd.IntN(len(w.teams))]
			m.Team = kin.Key[scopeTeam](x.team.id)
		}
		if rnd.IntN(5) > 0 {
			x.author = w.members[rnd.IntN(len(w.members))]
			m.Author = kin.Key[scopeMember](x.author.id)
		}
		if i > 0 && rnd.IntN(3) > 0 {
			x.parent = w.docs[rnd.IntN(i)]
			m.Parent = kin.Key[scopeDoc](x.parent.id)
		}
		w.docs, all = append(w.docs, x), append(all, m)
	}
	var notes []*scopeNote
	for i := range docs * 2 {
		x := &noteRow{int64(i + 1), name(), rnd.IntN(4), w.docs[rnd.IntN(docs)]}
		w.notes, notes = append(w.notes, x), append(notes, &scopeNote{ID: x.id, Text: x.text, Level: x.level, Doc: kin.Key[scopeDoc](x.doc.id)})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, teams...))
	require.NoError(t, kin.Insert(ctx, s.DB, members...))
	require.NoError(t, kin.Insert(ctx, s.DB, all...))
	require.NoError(t, kin.Insert(ctx, s.DB, notes...))
	w.addLinks(t, s, rnd)
	s.Wire.Reset()
	return w
}

// A scopeView is who looks: which rows are there for them.
type scopeView struct {
	deleted bool  // rows that are deleted too
	tenant  int64 // 0 is all
	level   int
}

func (v scopeView) String() string {
	return fmt.Sprintf("deleted %t tenant %d level %d", v.deleted, v.tenant, v.level)
}

func (v scopeView) team(x *teamRow) bool {
	return x != nil && (v.deleted || !x.deleted) && (v.tenant == 0 || v.tenant == x.tenant)
}

func (v scopeView) member(x *memberRow) bool { return x != nil && (v.deleted || !x.deleted) }

func (v scopeView) doc(x *docRow) bool {
	return x != nil && (v.deleted || !x.deleted) && (v.tenant == 0 || v.tenant == x.tenant)
}

func (v scopeView) note(x *noteRow) bool { return x.level <= v.level }

// which returns those of rows that are there and of which keep is true.
func which[T any](rows []*T, there, keep func(*T) bool) []*T {
	var found []*T
	for _, x := range rows {
		if there(x) && keep(x) {
			found = append(found, x)
		}
	}
	return found
}

func (w *scopeWorld) children(v scopeView, d *docRow) []*docRow {
	return which(w.docs, v.doc, func(x *docRow) bool { return x.parent == d })
}

func (w *scopeWorld) notesOf(v scopeView, d *docRow) []*noteRow {
	return which(w.notes, v.note, func(x *noteRow) bool { return x.doc == d })
}

func (w *scopeWorld) membersOf(v scopeView, t *teamRow) []*memberRow {
	return which(w.members, v.member, func(x *memberRow) bool { return x.team == t })
}

func (w *scopeWorld) docsOf(v scopeView, t *teamRow) []*docRow {
	return which(w.docs, v.doc, func(x *docRow) bool { return x.team == t })
}

func (w *scopeWorld) docsBy(v scopeView, m *memberRow) []*docRow {
	return which(w.docs, v.doc, func(x *docRow) bool { return x.author == m })
}
