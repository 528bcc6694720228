package tests

import (
	"fmt"
	"testing"

	"github.com/kin-orm/kin"
)

// Posts have tags, tags have notes, posts have remarks.
type (
	linkPost struct {
		ID      int64
		Title   string                  `kin:",size=20"`
		Tags    kin.ManyToMany[linkTag] `kin:",related_name=posts"`
		Remarks kin.Reverse[linkRemark]
	}
	linkTag struct {
		ID    int64
		Name  string                   `kin:",size=20"`
		Posts kin.ManyToMany[linkPost] `kin:"via=Tags"`
		Notes kin.Reverse[linkNote]
	}
	linkNote struct {
		ID   int64
		Text string                  `kin:",size=20"`
		Tag  kin.ForeignKey[linkTag] `kin:",related_name=notes"`
	}
	linkRemark struct {
		ID   int64
		Text string                   `kin:",size=20"`
		Post kin.ForeignKey[linkPost] `kin:",related_name=remarks"`
	}
	linkUser struct {
		ID        int64
		Name      string
		Follows   kin.ManyToMany[linkUser] `kin:"user_follows"`
		Followers kin.ManyToMany[linkUser] `kin:"via=Follows"`
	}
)

// links is what the tables of posts have, in memory.
type links struct {
	*Suite

	posts   []*linkPost
	tags    []*linkTag
	notes   []*linkNote
	remarks []*linkRemark
	linked  map[[2]int64]bool // post and tag
}

func linkSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	return s.tablesOf(t, kin.Register[linkPost], kin.Register[linkTag], kin.Register[linkNote], kin.Register[linkRemark], kin.Register[linkUser])
}

// newLinks fills the tables by plain SQL, with posts without tags and tags
// without posts among them.
func newLinks(t *testing.T, s *Suite) *links {
	t.Helper()
	rnd := seeded(t)
	w := &links{Suite: linkSuite(t, s), linked: map[[2]int64]bool{}}
	s = w.Suite
	for i := range int64(12) {
		p := &linkPost{ID: i + 1, Title: fmt.Sprintf("post %d", rnd.IntN(8))}
		w.posts = append(w.posts, p)
		s.Exec(t, s.bind("INSERT INTO link_posts (id, title) VALUES (?, ?)"), p.ID, p.Title)
	}
	for i := range int64(9) {
		g := &linkTag{ID: i + 1, Name: fmt.Sprintf("tag %d", rnd.IntN(6))}
		w.tags = append(w.tags, g)
		s.Exec(t, s.bind("INSERT INTO link_tags (id, name) VALUES (?, ?)"), g.ID, g.Name)
	}
	for i := range int64(15) {
		n := &linkNote{ID: i + 1, Text: fmt.Sprintf("note %d", i), Tag: kin.To(w.tags[rnd.IntN(7)])}
		if i == 0 {
			n.Tag.Set(w.tags[8]) // which no post has
		}
		w.notes = append(w.notes, n)
		s.Exec(t, s.bind("INSERT INTO link_notes (id, text, tag_id) VALUES (?, ?, ?)"), n.ID, n.Text, n.Tag.Get().ID)
		m := &linkRemark{ID: i + 1, Text: fmt.Sprintf("remark %d", i), Post: kin.To(w.posts[rnd.IntN(9)])}
		w.remarks = append(w.remarks, m)
		s.Exec(t, s.bind("INSERT INTO link_remarks (id, text, post_id) VALUES (?, ?, ?)"), m.ID, m.Text, m.Post.Get().ID)
	}
	for range 30 {
		pair := [2]int64{rnd.Int64N(10) + 1, rnd.Int64N(8) + 1}
		if !w.linked[pair] {
			w.linked[pair] = true
			s.Exec(t, s.bind("INSERT INTO link_posts_tags (link_post_id, link_tag_id) VALUES (?, ?)"), pair[0], pair[1])
		}
	}
	s.Wire.Reset()
	return w
}

func (w *links) tagsOf(post int64) (tags []int64) {
	for _, g := range w.tags {
		if w.linked[[2]int64{post, g.ID}] {
			tags = append(tags, g.ID)
		}
	}
	return tags
}

func (w *links) postsOf(tag int64) (posts []int64) {
	for _, p := range w.posts {
		if w.linked[[2]int64{p.ID, tag}] {
			posts = append(posts, p.ID)
		}
	}
	return posts
}

func ids[T any](rows []*T, id func(*T) int64) (list []int64) {
	for _, row := range rows {
		list = append(list, id(row))
	}
	return list
}

func tagID(g *linkTag) int64       { return g.ID }
func postID(p *linkPost) int64     { return p.ID }
func noteID(n *linkNote) int64     { return n.ID }
func remarkID(n *linkRemark) int64 { return n.ID }
func linkUserID(u *linkUser) int64 { return u.ID }
