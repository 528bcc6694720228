package kin_test

import (
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

type colStamps struct {
	Made time.Time
	Note *string
}

type colPerson struct {
	colStamps

	ID      int64
	Name    string
	Age     *int
	Score   sql.Null[float64]
	Code    sql.NullString
	Secret  *kin.Encrypted[string]
	Raw     []byte
	Address colAddress                `kin:",json"`
	Boss    kin.ForeignKey[colPerson] `kin:",null,related_name=staff"`
	Staff   kin.Reverse[colPerson]    `kin:"via=Boss"`
	Groups  kin.Through[colGroup, colLink]
	Friends kin.ManyToMany[colPerson]
	hidden  int
}

type colAddress struct{ Street string }

type colGroup struct {
	ID   int64
	Name string
}

type colLink struct {
	ID     int64
	Person kin.ForeignKey[colPerson]
	Group  kin.ForeignKey[colGroup]
	Role   string
}

// Declared before anything is registered, which it never is here.
var colBoss = kin.Col(func(p *colPerson) *string { return &p.Boss.Get().Boss.Get().Name })

func TestColPaths(t *testing.T) {
	t.Parallel()
	type P = colPerson
	for want, got := range map[string]kin.Path[P]{
		"name":                       kin.Col(func(p *P) *string { return &p.Name }).Path(),
		"-name":                      kin.Col(func(p *P) *string { return &p.Name }).Desc(),
		"id":                         kin.Col(func(p *P) *int64 { return &p.ID }).Asc(),
		"made":                       kin.Col(func(p *P) *time.Time { return &p.Made }).Path(),
		"note":                       kin.Col(func(p *P) *string { return p.Note }).Path(),
		"age":                        kin.Col(func(p *P) *int { return p.Age }).Path(),
		"score":                      kin.Col(func(p *P) *float64 { return &p.Score.V }).Path(),
		"code":                       kin.Col(func(p *P) *string { return &p.Code.String }).Path(),
		"secret":                     kin.Col(func(p *P) *kin.Encrypted[string] { return p.Secret }).Path(),
		"raw":                        kin.Col(func(p *P) *[]byte { return &p.Raw }).Path(),
		"address":                    kin.Col(func(p *P) *colAddress { return &p.Address }).Path(),
		"boss":                       kin.Col(func(p *P) *kin.ForeignKey[P] { return &p.Boss }).Path(),
		"boss__boss__name":           colBoss.Path(),
		"staff__staff__boss__note":   kin.Col(func(p *P) *string { return p.Staff.Any().Staff.Any().Boss.Get().Note }).Path(),
		"friends__friends__id":       kin.Col(func(p *P) *int64 { return &p.Friends.Any().Friends.Any().ID }).Path(),
		"groups__name":               kin.Col(func(p *P) *string { return &p.Groups.Any().Name }).Path(),
		"groups__link__role":         kin.Col(func(p *P) *string { return &p.Groups.AnyLink().Role }).Path(),
		"groups__link__person__name": kin.Col(func(p *P) *string { return &p.Groups.AnyLink().Person.Get().Name }).Path(),
		"boss__staff":                kin.Rel(func(p *P) *P { return p.Boss.Get().Staff.Any() }).Path(),
		"groups":                     kin.Rel(func(p *P) *colGroup { return p.Groups.Any() }).Path(),
	} {
		assert.Equal(t, want, string(got))
	}
}

func TestColMistakes(t *testing.T) {
	t.Parallel()
	type P = colPerson
	var none *P
	elsewhere := &P{}
	for want, got := range map[string]kin.Path[P]{
		"is nil":                      kin.Col[P, string](nil).Path(),
		"returns nil":                 kin.Col(func(*P) *string { return nil }).Path(),
		"not in the row it was given": kin.Col(func(*P) *string { return &elsewhere.Name }).Path(),
		"panics":                      kin.Col(func(*P) *string { return &none.Name }).Path(),
		"within colPerson.Address":    kin.Col(func(p *P) *string { return &p.Address.Street }).Path(),
		"within colPerson.Score":      kin.Col(func(p *P) *bool { return &p.Score.Valid }).Path(),
		"that is no column":           kin.Col(func(p *P) *int { return &p.hidden }).Path(),
		"follow it by Any":            kin.Col(func(p *P) *kin.Reverse[P] { return &p.Staff }).Path(),
		"must follow a relation":      kin.Rel(func(p *P) *P { return p }).Path(),
		"not in the row":              kin.Rel(func(*P) *P { return elsewhere }).Path(),
		"more than 1000 rows": kin.Rel(func(p *P) *P {
			for range 2000 {
				p = p.Boss.Get()
			}
			return p
		}).Path(),
		"is empty; make it with":               kin.Column[P, string]{}.Path(),
		"a Column or Relation of colPerson is": kin.Relation[P, P]{}.Path(),
	} {
		err := kin.Query[SchoolClass]().OrderBy(kin.Path[SchoolClass](got)).Err()
		require.Error(t, err)
		assert.Contains(t, err.Error(), want)
		assert.True(t, strings.HasPrefix(err.Error(), "kin: "), err)
	}
	assert.Nil(t, elsewhere.Boss.Get())
	assert.Nil(t, elsewhere.Staff.Any(), "Any is for Col")
	assert.Nil(t, elsewhere.Groups.AnyLink())
}

// TestColAtOnce uses a column in many goroutines for the first time.
func TestColAtOnce(t *testing.T) {
	t.Parallel()
	c := kin.Col(func(p *colPerson) *string { return &p.Boss.Get().Name })
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { assert.Equal(t, "boss__name", string(c.Path())) })
	}
	wg.Wait()
}
