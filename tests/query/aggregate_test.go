package query

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type (
	class struct {
		ID       int64
		Name     string
		Students kin.Reverse[student]
		Teachers kin.Reverse[teacher]
	}

	category struct {
		ID   int64
		Name string
	}

	student struct {
		ID       int64
		Name     string
		Age      int
		Score    *float64
		Class    kin.ForeignKey[class]    `kin:",related_name=students"`
		Category kin.ForeignKey[category] `kin:",null"`
		Clubs    kin.ManyToMany[club]
	}

	teacher struct {
		ID    int64
		Name  string
		Pay   int64
		Class kin.ForeignKey[class] `kin:",related_name=teachers"`
	}

	club struct {
		ID   int64
		Name string
	}
)

func school() *kin.Registry {
	var r kin.Registry
	kin.Register[class](&r)
	kin.Register[category](&r)
	kin.Register[student](&r)
	kin.Register[teacher](&r)
	kin.Register[club](&r)
	return &r
}

// fill makes three classes: two students and three teachers, three students and
// one teacher, and none of either.
func fill(t *testing.T, s *harness.Suite) *harness.Suite {
	t.Helper()
	ctx := t.Context()
	s = s.With(kin.WithRegistry(school()))
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	a, b, c := &class{Name: "a"}, &class{Name: "b"}, &class{Name: "c"}
	require.NoError(t, kin.Insert(ctx, s.DB, a, b, c))
	music, maths := &category{Name: "Music"}, &category{Name: "maths"}
	require.NoError(t, kin.Insert(ctx, s.DB, music, maths))
	students := []*student{
		{Name: "Ada", Age: 10, Score: new(1.5), Class: kin.To(a), Category: kin.To(music)},
		{Name: "Bob", Age: 12, Class: kin.To(a)},
		{Name: "Cid", Age: 11, Score: new(2.0), Class: kin.To(b), Category: kin.To(music)},
		{Name: "Dan", Age: 11, Score: new(4.5), Class: kin.To(b), Category: kin.To(maths)},
		{Name: "Éva", Age: 15, Score: new(0.0), Class: kin.To(b), Category: kin.To(maths)},
	}
	require.NoError(t, kin.Insert(ctx, s.DB, students...))
	require.NoError(t, kin.Insert(ctx, s.DB,
		&teacher{Name: "T", Pay: 100, Class: kin.To(a)}, &teacher{Name: "U", Pay: 200, Class: kin.To(a)},
		&teacher{Name: "V", Pay: 400, Class: kin.To(a)}, &teacher{Name: "W", Pay: 1000, Class: kin.To(b)}))
	chess, judo := &club{Name: "Chess"}, &club{Name: "Judo"}
	require.NoError(t, kin.Insert(ctx, s.DB, chess, judo))
	require.NoError(t, students[0].Clubs.Add(ctx, s.DB, chess, judo))
	require.NoError(t, students[1].Clubs.Add(ctx, s.DB, chess))
	require.NoError(t, students[3].Clubs.Add(ctx, s.DB, judo))
	s.Wire.Reset()
	return s
}

// TestAggregatesOfRelated selects aggregates over several to-many relations at
// once, which do not multiply each other.
func TestAggregatesOfRelated(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		type row struct {
			Name     string
			Students int64    `kin:"count(students)"`
			Pay      int64    `kin:"sum(teachers__pay),zero"`
			Teachers int64    `kin:"count(teachers)"`
			Youngest *int     `kin:"min(students__age)"`
			Last     *string  `kin:"max(students__name)"`
			Age      *float64 `kin:"avg(students__age)"`
			Learnt   int64    `kin:"count(students__category)"`
			Kinds    int64    `kin:"count(distinct students__category)"`
			Clubs    int64    `kin:"count(students__clubs)"`
			Scores   *float64 `kin:"sum(students__score)"`
		}
		rows, err := kin.Select[row](kin.Query[class]()).All(t.Context(), s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 1, 3)
		age := func(n int) *int { return &n }
		name := func(n string) *string { return &n }
		assert.Equal(t, []row{
			{"a", 2, 700, 3, age(10), name("Bob"), new(11.0), 1, 1, 3, new(1.5)},
			{"b", 3, 1000, 1, age(11), name("Éva"), new(37.0 / 3), 3, 2, 1, new(6.5)},
			{"c", 0, 0, 0, nil, nil, nil, 0, 0, 0, nil},
		}, rows)
	})
}

// TestAggregatesOfRows groups the query's own rows.
func TestAggregatesOfRows(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		type all struct {
			N      int64   `kin:"count(*)"`
			Scored int64   `kin:"count(score)"`
			Ages   int64   `kin:"sum(age)"`
			Mean   float64 `kin:"avg(age)"`
			Least  float64 `kin:"min(score)"`
			Kinds  int64   `kin:"count(distinct category)"`
			Clubs  int64   `kin:"count(clubs)"`
		}
		row, err := kin.Select[all](kin.Query[student]()).Get(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, all{5, 4, 59, 11.8, 0, 2, 4}, row)
		row, err = kin.Select[all](kin.Query[student]().Filter("score__gt", 1).OrderBy("-age").Limit(2)).Get(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, all{2, 2, 22, 11, 2, 2, 1}, row, "of the rows of the query")

		type group struct {
			Category *string `kin:"category__name"`
			N        int64   `kin:"count(*)"`
			Score    float64 `kin:"sum(score),zero"`
		}
		name := func(n string) *string { return &n }
		q := kin.Select[group](kin.Query[student]())
		groups, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, []group{{nil, 1, 0}, {name("Music"), 2, 3.5}, {name("maths"), 2, 4.5}}, groups, "in the order of the code points")
		groups, err = q.OrderBy("-n", "-score").Limit(1).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, []group{{name("maths"), 2, 4.5}}, groups)
		groups, err = q.Having(kin.Count("*").Gt(1), kin.Sum("score").Lt(4)).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, []group{{name("Music"), 2, 3.5}}, groups)
		groups, err = kin.Select[group](kin.Query[student]().Filter("id", -1)).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Empty(t, groups)

		total, err := kin.Value[int64](ctx, s.DB, kin.Query[student]().Filter("id", -1), kin.Sum("age").Default(0))
		require.NoError(t, err)
		assert.Zero(t, total)
		none, err := kin.Value[*int64](ctx, s.DB, kin.Query[student]().Filter("id", -1), kin.Sum("age"))
		require.NoError(t, err)
		assert.Nil(t, none)
		some, err := kin.Value[int64](ctx, s.DB, kin.Query[student](), kin.Count("*").Where(kin.Q("name__lt", "C")))
		require.NoError(t, err)
		assert.EqualValues(t, 2, some)
		names, err := kin.Value[string](ctx, s.DB, kin.Query[student](), kin.StringAgg("name", `,'"\`))
		require.NoError(t, err)
		assert.Equal(t, `Ada,'"\Bob,'"\Cid,'"\Dan,'"\Éva`, names)
	})
}

// TestAnnotations filters and sorts by aggregates.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		q := kin.Query[class]().
			Annotate("size", kin.Count("students")).
			Annotate("paid", kin.Sum("teachers__pay").Where(kin.Q("pay__gte", 200))).
			Annotate("clubs", kin.Count("students__clubs").Where(kin.Q("name", "Chess")))
		for _, c := range []struct {
			why  string
			q    kin.QuerySet[class]
			want string
		}{
			{"equal", q.Filter("size", 2), "a"},
			{"greater", q.Filter("size__gt", 1), "ab"},
			{"a list", q.Filter("size__in", []int{0, 3}), "bc"},
			{"a range", q.Filter("size__range", []int{1, 2}), "a"},
			{"NULL", q.Filter("paid__isnull", true), "c"},
			{"NULL as a value", q.Filter("paid", nil), "c"},
			{"excluded", q.Exclude("paid__gt", 600), "ac"},
			{"of two", q.Filter("size__gt", 1, "paid__gt", 600), "b"},
			{"with a condition", q.Filter("clubs", 2), "a"},
			{"an order", q.OrderBy("-size"), "bac"},
			{"an order with NULL first", q.OrderBy("paid"), "cab"},
			{"an order and a limit", q.OrderBy("-paid").Limit(2), "ba"},
			{"a limit with what is loaded", q.SelectRelated("students").OrderBy("-size").Limit(2), "ba"},
			{"an order with branches", q.SelectRelated("students", "teachers").OrderBy("-paid").Limit(2), "ba"},
			{"without a name", kin.Query[class]().Where(kin.Count("students").Gt(kin.Count("teachers"))), "b"},
			{"in Has", kin.Query[class]().Where(kin.Has("students", kin.Count("clubs").Gte(2))), "a"},
			{"in a group", q.Where(kin.Or(kin.Q("size", 0), kin.Q("paid", 1000))), "bc"},
		} {
			rows, err := c.q.All(ctx, s.DB)
			require.NoError(t, err, c.why)
			var got strings.Builder
			for _, row := range rows {
				got.WriteString(row.Name)
			}
			assert.Equal(t, c.want, got.String(), c.why)
			n, err := c.q.Count(ctx, s.DB)
			require.NoError(t, err, c.why)
			assert.EqualValues(t, len(c.want), n, c.why)
		}
		type row struct {
			Name string
			Size int64
			Paid sql.NullInt64
		}
		rows, err := kin.Select[row](q.OrderBy("-size")).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, "[{b 3 {1000 true}} {a 2 {600 true}} {c 0 {0 false}}]", fmt.Sprint(rows))
	})
}

// TestSelectPaths reads paths into structs.
func TestSelectPaths(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		type inner struct {
			ID   int64
			Name string
		}
		type row struct {
			Name     string
			Class    inner
			Category *inner
			ClassID  int64 `kin:"class"`
		}
		rows, err := kin.Select[row](kin.Query[student]().OrderBy("-age").Limit(3)).All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 1, 3)
		assert.Equal(t, []row{
			{"Éva", inner{2, "b"}, &inner{2, "maths"}, 2}, {"Bob", inner{1, "a"}, nil, 1}, {"Cid", inner{2, "b"}, &inner{1, "Music"}, 2},
		}, rows)

		type flat struct {
			Class   string  `kin:"name"`
			Student *string `kin:"students__name"`
		}
		list, err := kin.Select[flat](kin.Query[class]()).OrderBy("class", "-student").All(ctx, s.DB)
		require.NoError(t, err)
		var text []string
		for _, r := range list {
			if r.Student == nil {
				text = append(text, r.Class)
				continue
			}
			text = append(text, r.Class+"-"+*r.Student)
		}
		assert.Equal(t, []string{"a-Bob", "a-Ada", "b-Éva", "b-Dan", "b-Cid", "c"}, text)

		type learnt struct {
			Name *string `kin:"category__name"`
		}
		kinds, err := kin.Select[learnt](kin.Query[student]()).Distinct().All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, kinds, 3)
		assert.Nil(t, kinds[0].Name)
		assert.Equal(t, "Music", *kinds[1].Name)

		studentName := kin.Col(func(x *student) *string { return &x.Name })
		studentAge := kin.Col(func(x *student) *int { return &x.Age })
		learns := kin.Col(func(x *student) *string { return &x.Category.Get().Name })
		names, err := kin.Pluck(ctx, s.DB, kin.Query[student]().OrderBy("-name").Limit(2), studentName)
		require.NoError(t, err)
		assert.Equal(t, []string{"Éva", "Dan"}, names)
		ages, err := kin.PluckMap(ctx, s.DB, kin.Query[student](), studentName, studentAge)
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"Ada": 10, "Bob": 12, "Cid": 11, "Dan": 11, "Éva": 15}, ages)
		pairs, err := kin.PluckPairs(ctx, s.DB, kin.Query[student]().OrderBy("-age", "name").Limit(3), studentName, studentAge)
		require.NoError(t, err)
		assert.Equal(t, []kin.Pair[string, int]{{A: "Éva", B: 15}, {A: "Bob", B: 12}, {A: "Cid", B: 11}}, pairs)
		_, err = kin.PluckMap(ctx, s.DB, kin.Query[student](), studentAge, studentName)
		require.ErrorContains(t, err, `two rows of student have 11 in the column "age"`)
		_, err = kin.Pluck(ctx, s.DB, kin.Query[student](), learns)
		require.ErrorContains(t, err, "is NULL")
		byName, err := kin.RowsBy(ctx, s.DB, kin.Query[student](), func(x *student) string { return x.Name })
		require.NoError(t, err)
		assert.Equal(t, 15, byName["Éva"].Age)
	})
}

// TestSumOverflow sums beyond the range of what the sum is read into.
func TestSumOverflow(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		all := kin.Query[student]()
		small, err := kin.Value[int8](ctx, s.DB, all, kin.Sum("age")) // 10, 12, 11, 11 and 15
		require.NoError(t, err)
		assert.EqualValues(t, 59, small)
		_, err = all.Filter("name__in", []string{"Ada", "Bob"}).Update(ctx, s.DB, kin.Set("age", 100))
		require.NoError(t, err)
		_, err = kin.Value[int8](ctx, s.DB, all, kin.Sum("age"))
		require.ErrorContains(t, err, "range")
		_, err = all.Filter("name__in", []string{"Ada", "Bob"}).Update(ctx, s.DB, kin.Set("age", int64(math.MaxInt64)))
		require.NoError(t, err)
		for _, q := range []kin.QuerySet[student]{all, all.Filter("name__in", []string{"Ada", "Bob"})} {
			_, err = kin.Value[int64](ctx, s.DB, q, kin.Sum("age"))
			want := "range of int64"
			if s.Name == "sqlite" {
				want = "integer overflow"
			}
			require.ErrorContains(t, err, want)
		}
		most, err := kin.Value[int64](ctx, s.DB, all.Filter("name", "Ada"), kin.Sum("age"))
		require.NoError(t, err)
		assert.EqualValues(t, math.MaxInt64, most)
	})
}

func TestSelectMistakes(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		students := kin.Query[student]()
		get := func(_ any, err error) error { return err }
		type (
			unknown struct{ Nme string }
			call    struct {
				N int64 `kin:"median(age)"`
			}
			text struct {
				N int64 `kin:"sum(name)"`
			}
			relation struct {
				N int64 `kin:"sum(class)"`
			}
			option struct {
				Age int `kin:"age,zer"`
			}
			channel struct{ Age chan int }
			null    struct{ Score float64 }
			loop    struct{ Next *loop }
			ok      struct{ Name string }
		)
		for want, err := range map[string]error{
			`student has no field or relation "nme"; did you mean "name"?`: get(kin.Select[unknown](students).All(ctx, s.DB)),
			"there are count, sum, avg, min, max and array":                get(kin.Select[call](students).All(ctx, s.DB)),
			"does not calculate":                             get(kin.Select[text](students).All(ctx, s.DB)),
			"ends in a relation":                             get(kin.Select[relation](students).All(ctx, s.DB)),
			`the option "zer"`:                               get(kin.Select[option](students).All(ctx, s.DB)),
			"no value can be read into":                      get(kin.Select[channel](students).All(ctx, s.DB)),
			"Score is NULL; take a pointer":                  get(kin.Select[null](students).All(ctx, s.DB)),
			"query.loop.Next":                                get(kin.Select[loop](students).All(ctx, s.DB)),
			"no struct of values":                            get(kin.Select[int](students).All(ctx, s.DB)),
			"none of what is selected":                       get(kin.Select[ok](students).OrderBy("age").All(ctx, s.DB)),
			"is negative":                                    get(kin.Select[ok](students).Limit(-1).All(ctx, s.DB)),
			"nothing to load":                                get(kin.Select[ok](students.SelectRelated("class")).All(ctx, s.DB)),
			"nothing to load with Prefetch":                  get(kin.Select[ok](students.Prefetch("class")).All(ctx, s.DB)),
			"nothing to lock with ForUpdate":                 get(kin.Select[ok](students.ForUpdate()).All(ctx, s.DB)),
			"nothing to count with MaxRows":                  get(kin.Select[ok](students.MaxRows(1)).All(ctx, s.DB)),
			"a subquery on student is to count with MaxRows": get(students.Where(kin.Exists(students.MaxRows(1))).All(ctx, s.DB)),
			"a Selection of query.ok is empty":               get(kin.Selection[ok]{}.Union(kin.Select[ok](students)).First(ctx, s.DB)),
			"is empty; make it with kin.Select":              get(kin.Select[ok](students).Union(kin.Selection[ok]{}).All(ctx, s.DB)),
			"goes into a Select or a Having":                 get(students.Where(kin.Sum("age").Gt(1)).All(ctx, s.DB)),
			"Where goes with an aggregate":                   get(students.Where(kin.F("age").Where().Gt(1)).All(ctx, s.DB)),
			"names no field":                                 get(kin.Value[int64](ctx, s.DB, students, kin.Sum("*"))),
		} {
			assert.ErrorContains(t, err, want)
		}
	})
}
