package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// A faultyLinked is the part of a faultyWorld that is linked many to many.
type faultyLinked struct {
	posts  []*linkPost   // the first has the first two tags
	tags   []*linkTag    // read on their own
	people []*linkPerson // the first is in the first two clubs
	clubs  []*linkClub
}

func registerLinked(r *kin.Registry) {
	kin.Register[linkPost](r)
	kin.Register[linkTag](r)
	kin.Register[linkNote](r)
	kin.Register[linkRemark](r)
	kin.Register[linkPerson](r)
	kin.Register[linkClub](r)
	kin.Register[linkMembership](r)
	kin.Register[linkMentoring](r)
}

// fillLinked fills the tables anew, by statements of run.
func fillLinked(run func(query string, args ...any)) {
	for _, table := range []string{"link_posts_tags", "link_posts", "link_tags", "link_memberships", "link_people", "link_clubs"} {
		run("DELETE FROM " + table)
	}
	run("INSERT INTO link_posts (id, title) VALUES (?, 'p1'), (?, 'p2')", faultyID, faultyLast)
	run("INSERT INTO link_tags (id, name) VALUES (?, 't1'), (?, 't2'), (?, 't3')", faultyID, faultyID+1, faultyLast)
	run("INSERT INTO link_posts_tags (link_post_id, link_tag_id) VALUES (?, ?), (?, ?)", faultyID, faultyID, faultyID, faultyID+1)
	run("INSERT INTO link_people (id, name) VALUES (?, 'ann'), (?, 'bob')", faultyID, faultyLast)
	run("INSERT INTO link_clubs (id, name) VALUES (?, 'chess'), (?, 'go'), (?, 'bridge')", faultyID, faultyID+1, faultyLast)
	run("INSERT INTO link_memberships (id, person_id, club_id, role, since) VALUES (?, ?, ?, 'owner', 2001), (?, ?, ?, 'guest', 2002)",
		faultyID, faultyID, faultyID, faultyLast, faultyID, faultyID+1)
}

func (w *faultyWorld) loadLinked(t *testing.T) {
	t.Helper()
	var err error
	w.posts, err = kin.Query[linkPost]().SelectRelated("tags").All(t.Context(), w.DB)
	require.NoError(t, err)
	w.tags, err = kin.Query[linkTag]().SelectRelated("posts").All(t.Context(), w.DB)
	require.NoError(t, err)
	w.people, err = kin.Query[linkPerson]().SelectRelated("clubs").All(t.Context(), w.DB)
	require.NoError(t, err)
	w.clubs, err = kin.Query[linkClub]().SelectRelated("members").All(t.Context(), w.DB)
	require.NoError(t, err)
	watch(w, w.posts)
	watch(w, w.posts[0].Tags.All())
	watch(w, w.tags)
	watch(w, w.people)
	watch(w, w.people[0].Clubs.All())
	for _, link := range w.people[0].Clubs.Links() {
		watch(w, []*linkMembership{link})
	}
	watch(w, w.clubs)
}

func (w *faultyWorld) newTags(names ...string) []*linkTag {
	var rows []*linkTag
	for _, name := range names {
		rows = append(rows, &linkTag{Name: name})
	}
	watch(w, rows)
	return rows
}

func (w *faultyWorld) newClubs(names ...string) []*linkClub {
	var rows []*linkClub
	for _, name := range names {
		rows = append(rows, &linkClub{Name: name})
	}
	watch(w, rows)
	return rows
}

func faultyLinkOps() []faultyOp {
	return []faultyOp{
		{name: "add new and old", write: func(w *faultyWorld) faultyWrite {
			rows := append(w.newTags("t4", "t5"), w.tags...)
			return func(ctx context.Context) error { return w.posts[0].Tags.Add(ctx, w.db, rows...) }
		}},
		{name: "create", write: func(w *faultyWorld) faultyWrite {
			rows := w.newTags("t4", "t5")
			return func(ctx context.Context) error { return w.posts[0].Tags.Create(ctx, w.db, rows...) }
		}},
		{name: "remove", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error { return w.posts[0].Tags.Remove(ctx, w.db, w.tags[:2]...) }
		}},
		{name: "remove one that is not linked", err: kin.ErrNotFound, same: true, write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error { return w.posts[0].Tags.Remove(ctx, w.db, w.tags...) }
		}},
		{name: "clear", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error {
				_, err := w.posts[0].Tags.Clear(ctx, w.db)
				return err
			}
		}},
		{name: "set", write: func(w *faultyWorld) faultyWrite {
			rows := append(w.newTags("t4"), w.tags[1:]...)
			return func(ctx context.Context) error { return w.posts[0].Tags.Set(ctx, w.db, rows...) }
		}},
		{name: "add through a model", write: func(w *faultyWorld) faultyWrite {
			rows := append(w.newClubs("bowls", "whist"), w.clubs...)
			return func(ctx context.Context) error { return w.people[0].Clubs.Add(ctx, w.db, rows...) }
		}},
		{name: "add links", write: func(w *faultyWorld) faultyWrite {
			links := []*linkMembership{{Club: kin.To(w.clubs[0]), Role: "a"}, {Club: kin.To(w.clubs[2]), Role: "b"}}
			watch(w, links)
			return func(ctx context.Context) error { return w.people[1].Clubs.AddLinks(ctx, w.db, links...) }
		}},
		{name: "remove through a model", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error { return w.people[0].Clubs.Remove(ctx, w.db, w.clubs[0]) }
		}},
		{name: "set through a model", write: func(w *faultyWorld) faultyWrite {
			rows := append(w.newClubs("bowls"), w.clubs[1:]...)
			return func(ctx context.Context) error { return w.people[0].Clubs.Set(ctx, w.db, rows...) }
		}},
	}
}
