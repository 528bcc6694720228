package kin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kin-orm/kin"
)

type (
	mistakeMade struct {
		ID      int64
		Total   int                    `kin:",generated=1,default=2"`
		Left    int                    `kin:",generated=1,omitzero"`
		Counted int                    `kin:",generated=1,version"`
		Gone    *time.Time             `kin:",generated=now(),softdelete"`
		Secret  kin.Encrypted[string]  `kin:",generated='x'"`
		Omitted kin.Encrypted[string]  `kin:",omitzero"`
		Made    time.Time              `kin:",omitzero,autocreate"`
		Next    kin.ForeignKey[Author] `kin:",omitzero"`
	}
	mistakeMadeKey struct {
		Code string `kin:",pk,generated=lower(name)"`
	}
	mistakeLeftKey struct {
		Code string `kin:",pk,omitzero"`
	}
	mistakeIndexes struct {
		ID    int64
		Title string
	}
	mistakeIndexToo struct{ ID int64 }
)

func (mistakeIndexes) KinTable() kin.Table {
	return kin.Table{SpecialIndexes: []kin.Index{
		{Columns: []string{"title"}},
		{Name: "slip", Columns: []string{"-titel"}},
		{Name: "none"},
		{Name: strings.Repeat("x", 64), Columns: []string{"(lower(title))"}},
		{Name: "twice", Columns: []string{"title"}, Where: "id > 1"},
	}}
}

func (mistakeIndexToo) KinTable() kin.Table {
	return kin.Table{SpecialIndexes: []kin.Index{{Name: "twice", Columns: []string{"pk"}}}}
}

func TestDDLMistakes(t *testing.T) {
	t.Parallel()
	var r kin.Registry
	kin.Register[mistakeMade](&r)
	kin.Register[mistakeMadeKey](&r)
	kin.Register[mistakeLeftKey](&r)
	kin.Register[mistakeIndexes](&r)
	kin.Register[mistakeIndexToo](&r)
	requireMistakes(t, &r, []string{
		"mistakeIndexes has a special index without a Name, by which errors speak of it; give it one",
		"mistakeIndexes has no column \"titel\", which its index \"slip\" names; did you mean \"title\"?",
		"mistakeIndexes has the index \"none\", which has no Columns",
		"mistakeIndexes has the index \"twice\", and so has mistakeIndexToo; the names of indexes are unique in the database",
		"mistakeIndexes has the index \"" + strings.Repeat("x", 64) + "\", whose name has more than 63 bytes; shorten it",
		"mistakeLeftKey.Code has the tag option omitzero, but is a primary key; an integer is left to the database by auto, and others are made by a KinDefaults method",
		"mistakeMade.Counted has the tag option generated, and another by which kin sets its value; take off one",
		"mistakeMade.Gone has the tag option generated, and another by which kin sets its value; take off one",
		"mistakeMade.Left has the tag option generated, and default or omitzero too; a generated column is never written",
		"mistakeMade.Made has the tag option omitzero, and another by which kin sets its value; take off one",
		"mistakeMade.Next has the tag option generated or omitzero, which is for columns, but is a relation",
		"mistakeMade.Next refers to Author, which is not registered; add kin.Register[Author]() to an init function",
		"mistakeMade.Omitted has the tag option omitzero, but is a kin.Encrypted, which the database cannot encrypt",
		"mistakeMade.Secret has the tag option generated, but is a kin.Encrypted, which the database cannot encrypt",
		"mistakeMade.Total has the tag option generated, and default or omitzero too; a generated column is never written",
		"mistakeMadeKey.Code has the tag option generated, but is a primary key, by which kin finds the row that it has written",
	})
}
