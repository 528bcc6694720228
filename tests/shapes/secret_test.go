package shapes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type (
	team struct {
		ID      int64
		Name    string
		Members kin.Reverse[member]
		Backups kin.Reverse[member] `kin:"via=Backup"`
	}

	member struct {
		ID     int64
		Name   string
		Age    int
		Pin    string                   `kin:",secret"`
		Grade  int                      `kin:",secret"`
		Team   kin.ForeignKey[team]     `kin:",related_name=members"`
		Backup kin.ForeignKey[team]     `kin:",secret,null,related_name=backups"`
		Chief  kin.ForeignKey[member]   `kin:",null,related_name=staff"`
		Deputy kin.ForeignKey[member]   `kin:",secret,null,related_name=deputies"`
		Badges kin.ManyToMany[badge]    `kin:",secret"`
		Hosts  kin.Through[team, visit] `kin:"via=Member+Team"`
	}

	badge struct {
		ID   int64
		Name string
	}

	visit struct {
		ID     int64
		Member kin.ForeignKey[member]
		Team   kin.ForeignKey[team]
		Code   string `kin:",secret"`
	}
)

var (
	memberPin    = kin.Col(func(m *member) *string { return &m.Pin })
	memberGrade  = kin.Col(func(m *member) *int { return &m.Grade })
	teamGrade    = kin.Col(func(t *team) *int { return &t.Members.Any().Grade })
	memberBackup = kin.Rel(func(m *member) *team { return m.Backup.Get() })
	visitCode    = kin.Col(func(m *member) *string { return &m.Hosts.AnyLink().Code })
)

func teams(t *testing.T, s *harness.Suite) *harness.Suite {
	t.Helper()
	ctx := t.Context()
	var r kin.Registry
	kin.Register[team](&r)
	kin.Register[member](&r)
	kin.Register[badge](&r)
	kin.Register[visit](&r)
	ring, err := kin.NewKeyring(make([]byte, 32))
	require.NoError(t, err)
	s = s.With(kin.WithRegistry(&r), kin.WithCursorKeys(ring))
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	a, b := &team{Name: "a"}, &team{Name: "b"}
	require.NoError(t, kin.Insert(ctx, s.DB, a, b))
	ann := &member{Name: "Ann", Age: 30, Pin: "9", Grade: 2, Team: kin.To(a), Backup: kin.To(b)}
	require.NoError(t, kin.Insert(ctx, s.DB, ann))
	require.NoError(t, kin.Insert(ctx, s.DB, &member{Name: "Bob", Age: 20, Pin: "1", Grade: 3, Team: kin.To(a), Chief: kin.To(ann)},
		&member{Name: "Cem", Age: 40, Pin: "5", Grade: 2, Team: kin.To(b), Chief: kin.To(ann)}))
	require.NoError(t, kin.Insert(ctx, s.DB, &visit{Member: kin.To(ann), Team: kin.To(b), Code: "x"}))
	s.Wire.Reset()
	return s
}

func errOf[V any](_ V, err error) error { return err }

// TestSecretTexts: no text reaches a field that is secret, or what is behind a
// secret relation, whichever way it comes in.
func TestSecretTexts(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = teams(t, s)
		ctx, db := t.Context(), s.DB
		q, parents := kin.Query[member](), kin.Query[team]()
		selects := func(q kin.QuerySet[member], e kin.Expr) error {
			return errOf(kin.Select[struct{ X *string }](q.Annotate("x", e)).All(ctx, db))
		}
		for what, err := range map[string]error{
			"filter":          errOf(q.Filter("pin__startswith", "1").All(ctx, db)),
			"exclude":         errOf(q.Exclude("chief__pin", "1").Count(ctx, db)),
			"related":         errOf(parents.Filter("members__pin", "1").Exists(ctx, db)),
			"Q":               errOf(q.Where(kin.Or(kin.Q("pin", "1"), kin.Q("age", 3))).All(ctx, db)),
			"within Has":      errOf(parents.Where(kin.Has("members", kin.Q("pin", "1"))).All(ctx, db)),
			"Has":             errOf(parents.Where(kin.Has("backups")).All(ctx, db)),
			"HasOnly":         errOf(q.Where(kin.HasOnly("badges")).All(ctx, db)),
			"F":               errOf(q.Where(kin.F("pin").Eq("1")).All(ctx, db)),
			"F beside":        errOf(q.Where(kin.F("name").Gt(kin.F("chief__pin"))).All(ctx, db)),
			"F of an update":  errOf(q.Everything().Update(ctx, db, kin.Set("name", kin.F("pin")))),
			"F in arithmetic": errOf(q.Where(kin.F("age").Add(kin.F("grade")).Gt(3)).All(ctx, db)),
			"function":        errOf(q.Where(kin.Length(kin.F("pin")).Gt(3)).All(ctx, db)),
			"case":            errOf(q.Everything().Update(ctx, db, kin.Set("name", kin.Case().When("x", "pin", "1").Else("y")))),
			"case value":      errOf(q.Everything().Update(ctx, db, kin.Set("name", kin.Case().When(kin.F("pin"), "age", 1).Else("y")))),
			"annotation":      errOf(q.Annotate("p", kin.F("pin")).Filter("p", "1").All(ctx, db)),
			"ordered by it":   errOf(q.Annotate("p", kin.F("pin")).OrderBy("p").All(ctx, db)),
			"selected":        selects(q, kin.F("pin")),
			"joined":          selects(q, kin.F("chief__pin")),
			"tag":             errOf(kin.Select[struct{ Pin string }](q).All(ctx, db)),
			"tag of a path": errOf(kin.Select[struct {
				X string `kin:"members__pin"`
			}](parents).All(ctx, db)),
			"tag of a sum": errOf(kin.Select[struct {
				X *int `kin:"sum(members__grade)"`
			}](parents).All(ctx, db)),
			"tag of an average": errOf(kin.Select[struct {
				X *float64 `kin:"avg(grade)"`
			}](q).All(ctx, db)),
			"tag of a count": errOf(kin.Select[struct {
				X int `kin:"count(distinct pin)"`
			}](q).All(ctx, db)),
			"tag of a relation": errOf(kin.Select[struct {
				X *int64 `kin:"backup"`
			}](q).All(ctx, db)),
			"tag inside": errOf(kin.Select[struct {
				Chief struct{ Pin *string }
			}](q).All(ctx, db)),
			"tag of a link": errOf(kin.Select[struct {
				X *string `kin:"hosts__link__code"`
			}](q).All(ctx, db)),
			"aggregate":         errOf(kin.Value[*string](ctx, db, q, kin.Max("pin"))),
			"its condition":     errOf(kin.Value[int64](ctx, db, q, kin.Count("*").Where(kin.Q("pin", "1")))),
			"related condition": errOf(parents.Where(kin.Count("members").Where(kin.Q("pin", "1")).Gt(0)).All(ctx, db)),
			"count":             errOf(parents.Where(kin.Count("backups").Gt(0)).All(ctx, db)),
			"distinct":          errOf(kin.Value[int64](ctx, db, q, kin.CountDistinct("grade"))),
			"joined texts":      errOf(kin.Value[*string](ctx, db, q, kin.StringAgg("pin", ","))),
			"having":            errOf(kin.Select[struct{ Age int }](q).Having(kin.Max("pin").Gt("1")).All(ctx, db)),
			"window":            selects(q, kin.RowNumber().Over(kin.Window{Order: []string{"-pin"}})),
			"partition":         selects(q, kin.Count("*").Over(kin.Window{Partition: []string{"grade"}})),
			"lag":               selects(q, kin.Lag(kin.F("pin"), 1).Over(kin.Window{Order: []string{"id"}})),
			"sum over":          selects(q, kin.Sum("grade").Over(kin.Window{Order: []string{"id"}})),
			"value":             errOf(kin.Value[string](ctx, db, q.Limit(1), kin.F("pin"))),
			"value of a query":  selects(q, kin.ValueOf(kin.Query[member](), kin.F("pin"))),
			"outer":             errOf(q.Where(kin.Exists(kin.Query[badge]().Where(kin.F("name").Eq(kin.Outer("pin"))))).All(ctx, db)),
			"in a query":        errOf(q.Where(kin.InQuery("pin", kin.Query[member](), kin.F("name"))).All(ctx, db)),
			"in its values":     errOf(q.Where(kin.InQuery("name", kin.Query[member](), kin.F("pin"))).All(ctx, db)),
			"relation in":       errOf(q.Where(kin.InQuery("backup", kin.Query[team](), kin.F("id"))).All(ctx, db)),
			"descendants":       errOf(q.Descendants("deputy").All(ctx, db)),
			"order":             errOf(q.OrderBy("pin").All(ctx, db)),
			"order of loaded":   errOf(parents.SelectRelated("members").OrderBy("members__pin").All(ctx, db)),
			"order of groups":   errOf(kin.Select[struct{ Pin string }](q).OrderBy("pin").All(ctx, db)),
			"cursor":            errOf(q.OrderBy("-pin").PageFrom(ctx, db, "", 2)),
			"batches":           firstOf(q.OrderBy("grade").Batches(ctx, db, 2)),
			"prefetch":          errOf(q.Prefetch("backup").All(ctx, db)),
			"prefetch by":       errOf(parents.Prefetch("members__deputy").All(ctx, db)),
			"prefetch filter":   errOf(parents.Prefetch("members", q.Filter("pin", "1")).All(ctx, db)),
			"prefetch order":    errOf(parents.Prefetch("members", q.OrderBy("pin")).All(ctx, db)),
			"load":              errOf(q.SelectRelated("badges").All(ctx, db)),
			"union":             errOf(kin.Select[struct{ Name string }](q).Union(kin.Select[struct{ Name string }](q.Filter("pin", "1"))).All(ctx, db)),
		} {
			require.ErrorContains(t, err, "is secret", what)
			require.ErrorContains(t, err, "kin: ", what)
		}
		s.Wire.Want(t, 0, 0)
	})
}

func firstOf[V any](seq func(func(V, error) bool)) (found error) {
	for _, err := range seq {
		return err
	}
	return nil
}

// TestSecretColumns: what the program says in types may be secret.
func TestSecretColumns(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = teams(t, s)
		ctx, db := t.Context(), s.DB
		q := kin.Query[member]()
		names := func(q kin.QuerySet[member]) (list []string) {
			rows, err := q.All(ctx, db)
			require.NoError(t, err)
			for _, m := range rows {
				list = append(list, m.Name)
			}
			return list
		}
		assert.Equal(t, []string{"Bob", "Cem", "Ann"}, names(q.OrderBy(memberPin.Asc())))
		assert.Equal(t, []string{"Ann", "Cem", "Bob"}, names(q.OrderBy(memberPin.Desc())))
		assert.Equal(t, []string{"Bob", "Cem", "Ann"}, names(q.OrderBy(memberGrade.Desc(), memberPin.Path())))
		assert.Equal(t, []string{"Ann", "Cem"}, names(q.Where(memberPin.Gt("1")).OrderBy("name")))
		assert.Equal(t, []string{"Ann"}, names(q.Where(memberBackup.NotNull())))
		assert.Equal(t, []string{"Bob"}, names(q.Where(memberPin.F().Lt("3"), memberGrade.F().Add(1).Eq(4))))
		assert.Equal(t, []string{"Ann"}, names(q.Where(visitCode.Eq("x"))))
		assert.Equal(t, []string{"Ann"}, names(q.Filter(string(memberPin.Path()), "9")), "a path that a column gives")
		pins, err := kin.Pluck(ctx, db, q.OrderBy("name"), memberPin)
		require.NoError(t, err)
		assert.Equal(t, []string{"9", "1", "5"}, pins)
		most, err := kin.Value[int](ctx, db, kin.Query[team](), kin.Sum(teamGrade.Path()))
		require.ErrorIs(t, err, kin.ErrMultipleFound)
		assert.Zero(t, most)
		most, err = kin.Value[int](ctx, db, q, kin.Max(memberGrade.Path()))
		require.NoError(t, err)
		assert.Equal(t, 3, most)
		assert.Equal(t, []string{"Cem", "Ann", "Bob"}, names(q.Annotate("g", memberGrade.F()).OrderBy("g", "-name")))
		rows, err := q.SelectRelated(memberBackup.Path()).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, "b", rows[0].Backup.Get().Name)
		rows, err = q.Prefetch(memberBackup.Path()).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, "b", rows[0].Backup.Get().Name)
		rows[0].Pin = "8"
		require.NoError(t, kin.Update(ctx, db, rows[0], memberPin.Path()), "columns to write are no question")
		require.NoError(t, kin.Update(ctx, db, rows[0], "pin"))
		other, created, err := kin.GetOrCreate(ctx, db, &member{Pin: "8"}, memberPin.Path())
		require.NoError(t, err)
		assert.False(t, created)
		assert.Equal(t, "Ann", other.Name)
		var paged []string
		var cursor string
		for {
			page, err := q.OrderBy(memberPin.Desc()).PageFrom(ctx, db, cursor, 2)
			require.NoError(t, err)
			for _, m := range page.Rows {
				paged = append(paged, m.Name)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		assert.Equal(t, []string{"Ann", "Cem", "Bob"}, paged)
	})
}

// TestAllowEverywhere: what a guard allows, it allows in all texts that come
// after it, and from the query's own model on.
func TestAllowEverywhere(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = teams(t, s)
		ctx, db := t.Context(), s.DB
		q := kin.Query[member]().Annotate("before", kin.F("age")).Allow("name", "chief__name", "staff", "staff__age__gt")
		refused := map[string]error{
			"F":                  errOf(q.Where(kin.F("age").Gt(1)).All(ctx, db)),
			"Q":                  errOf(q.Where(kin.Q("age", 1)).All(ctx, db)),
			"within Has":         errOf(q.Where(kin.Has("staff", kin.Q("name", "Bob"))).All(ctx, db)),
			"Has":                errOf(q.Where(kin.Has("chief__staff")).All(ctx, db)),
			"operator":           errOf(q.Where(kin.Has("staff", kin.Q("age__lt", 1))).All(ctx, db)),
			"aggregate":          errOf(q.Where(kin.Max("staff__age").Gt(1)).All(ctx, db)),
			"its condition":      errOf(q.Where(kin.Count("staff").Where(kin.Q("name", "Bob")).Gt(0)).All(ctx, db)),
			"annotation, asked":  errOf(q.Annotate("name", kin.F("age")).Filter("name", 1).All(ctx, db)),
			"earlier annotation": errOf(q.Filter("before", 1).All(ctx, db)),
			"tag":                errOf(kin.Select[struct{ Age int }](q).All(ctx, db)),
			"tag of a call": errOf(kin.Select[struct {
				X int `kin:"max(staff__age),zero"`
			}](q).All(ctx, db)),
			"tag of annotation": errOf(kin.Select[struct{ Before int }](q).All(ctx, db)),
			"value":             errOf(kin.Value[int](ctx, db, q, kin.Sum("age"))),
			"having":            errOf(kin.Select[struct{ Name string }](q).Having(kin.Sum("age").Gt(1)).All(ctx, db)),
			"window":            errOf(kin.Value[int](ctx, db, q, kin.RowNumber().Over(kin.Window{Order: []string{"age"}}))),
			"partition":         errOf(kin.Value[int](ctx, db, q, kin.Count("*").Over(kin.Window{Partition: []string{"team"}}))),
			"in a query":        errOf(q.Where(kin.InQuery("age", kin.Query[member](), kin.F("age"))).All(ctx, db)),
			"outer":             errOf(q.Where(kin.Exists(kin.Query[badge]().Where(kin.F("name").Eq(kin.Outer("team__name"))))).All(ctx, db)),
			"update":            errOf(q.Everything().Update(ctx, db, kin.Set("name", kin.F("team__name")))),
			"order":             errOf(q.OrderBy("age").All(ctx, db)),
			"load":              errOf(q.SelectRelated("team").All(ctx, db)),
			"prefetch":          errOf(q.Prefetch("team").All(ctx, db)),
		}
		for what, err := range refused {
			require.ErrorContains(t, err, "allowed are", what)
		}
		s.Wire.Want(t, 0, 0)
		rows, err := q.Where(kin.Has("staff", kin.Q("age__gt", 30)), kin.F("name").Eq("Ann"), kin.Count("staff").Eq(2)).OrderBy("chief__name").All(ctx, db)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		type named struct {
			Name  string
			Chief *string `kin:"chief__name"`
			N     int     `kin:"count(staff)"`
		}
		selected, err := kin.Select[named](q.OrderBy("name").Filter("name__startswith", "A")).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, []named{{Name: "Ann", N: 2}}, selected)
		n, err := q.Where(kin.Col(func(m *member) *int { return &m.Age }).F().Gt(25)).Count(ctx, db)
		require.NoError(t, err, "what the program says in types is its own")
		assert.EqualValues(t, 2, n)
		s.Wire.Want(t, 3, 3)
	})
}

func (visit) KinTable() kin.Table { return kin.Table{Unique: [][]string{{"member", "team"}}} }
