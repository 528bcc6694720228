package query

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type tagged struct {
	ID      int64
	Tags    []string
	Numbers []int64 `kin:",null"`
	Small   []int16 `kin:",null"`
	Floats  []float32
	Flags   []bool
	Next    kin.ForeignKey[tagged] `kin:",null,related_name=before"`
	Before  kin.Reverse[tagged]
	kin.Tracked
}

var (
	taggedTags    = kin.Col(func(x *tagged) *[]string { return &x.Tags })
	taggedNumbers = kin.Col(func(x *tagged) *[]int64 { return &x.Numbers })
)

// TestLists keeps lists in columns, on PostgreSQL, and asks for their elements.
// Elsewhere they are errors.
func TestLists(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		ctx := t.Context()
		var r kin.Registry
		kin.Register[tagged](&r)
		s = s.With(kin.WithRegistry(&r))
		err := kin.CreateTables(ctx, s.DB)
		if s.Name != "postgres" {
			require.ErrorContains(t, err, "no column keeps a list; store it as JSON")
			err = kin.Insert(ctx, s.DB, &tagged{Tags: []string{"a"}})
			require.ErrorContains(t, err, "tagged.Tags is a list, which PostgreSQL alone keeps in a column")
			_, err = kin.Query[tagged]().Where(kin.ContainsAll(taggedTags, "a")).Count(ctx, s.DB)
			require.ErrorContains(t, err, "tagged.Tags is a list, which PostgreSQL alone keeps")
			_, err = kin.Query[tagged]().Where(kin.ListLength(kin.F("tags")).Eq(1)).Count(ctx, s.DB)
			require.ErrorContains(t, err, "list length is not supported by "+s.Dialect().Name())
			return
		}
		require.NoError(t, err)
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 10))
		words := []string{"", "a", "b", "A", "NULL", "null", "{", "}", "{}", ",", `"`, `\`, `a"b`, " ", " a ", "é😀", "\n", "'", "a,b", "[1]"}
		rows := make([]*tagged, 250) // enough for a COPY, if there were one
		for i := range rows {
			x := &tagged{Floats: []float32{1.5, float32(i) / 3}, Flags: []bool{true, i%2 == 0}}
			for range random.IntN(4) {
				x.Tags = append(x.Tags, words[random.IntN(len(words))])
			}
			if i%3 > 0 {
				x.Numbers, x.Small = []int64{}, []int16{int16(i), -1}
				for range random.IntN(4) {
					x.Numbers = append(x.Numbers, []int64{0, 1, 2, math.MaxInt64, math.MinInt64}[random.IntN(5)])
				}
			}
			rows[i] = x
		}
		require.NoError(t, kin.Insert(ctx, s.DB, rows...))
		for i, x := range rows[1:] {
			x.Next = kin.To(rows[i])
		}
		require.NoError(t, kin.UpdateAll(ctx, s.DB, rows[1:]))
		got, err := kin.Query[tagged]().SelectRelated("before").All(ctx, s.DB)
		require.NoError(t, err)
		for i, x := range got {
			want := rows[i].Tags
			if want == nil {
				want = []string{}
			}
			require.Equal(t, want, x.Tags)
			require.Equal(t, rows[i].Numbers, x.Numbers)
			require.Equal(t, rows[i].Small, x.Small)
			require.Equal(t, rows[i].Floats, x.Floats)
			require.Equal(t, rows[i].Flags, x.Flags)
			if i+1 < len(rows) {
				require.Len(t, x.Before.All(), 1)
				require.Equal(t, rows[i+1].Numbers, x.Before.All()[0].Numbers)
			}
		}
		count := func(cond kin.Cond[tagged]) int {
			t.Helper()
			n, err := kin.Query[tagged]().Where(cond).Count(ctx, s.DB)
			require.NoError(t, err)
			m, err := kin.Query[tagged]().Where(kin.Not(cond)).Count(ctx, s.DB)
			require.NoError(t, err)
			assert.EqualValues(t, len(rows), n+m)
			return int(n)
		}
		found := 0
		for range 40 {
			asked := []string{}
			for range random.IntN(3) {
				asked = append(asked, words[random.IntN(len(words))])
			}
			all, some, only := 0, 0, 0
			for _, x := range rows {
				if !slices.ContainsFunc(asked, func(w string) bool { return !slices.Contains(x.Tags, w) }) {
					all++
				}
				if slices.ContainsFunc(asked, func(w string) bool { return slices.Contains(x.Tags, w) }) {
					some++
				}
				if !slices.ContainsFunc(x.Tags, func(w string) bool { return !slices.Contains(asked, w) }) {
					only++
				}
			}
			assert.Equal(t, all, count(kin.ContainsAll(taggedTags, asked...)), "%q", asked)
			assert.Equal(t, some, count(kin.ContainsAny(taggedTags, asked...)), "%q", asked)
			assert.Equal(t, only, count(kin.ContainsOnly(taggedTags, asked...)), "%q", asked)
			assert.Equal(t, all, count(kin.Q("tags__contains", asked)))
			assert.Equal(t, some, count(kin.Q("tags__overlap", asked)))
			assert.Equal(t, only, count(kin.Q("tags__contained_by", asked)))
			found += all + some + only
		}
		assert.Greater(t, found, 500)
		equal, long, second, ones := 0, 0, 0, 0
		for _, x := range rows {
			if slices.Equal(x.Tags, rows[7].Tags) {
				equal++
			}
			if len(x.Tags) > 1 {
				long++
			}
			if len(x.Numbers) > 1 && x.Numbers[1] == math.MaxInt64 {
				second++
			}
			if slices.Contains(x.Numbers, 1) {
				ones++
			}
		}
		assert.Equal(t, equal, count(taggedTags.Eq(append([]string{}, rows[7].Tags...))))
		assert.Equal(t, long, count(kin.ListLength(taggedTags.F()).Gt(1)))
		assert.Equal(t, second, count(kin.ListItem(kin.F("numbers"), 1).Eq(int64(math.MaxInt64))))
		assert.Equal(t, ones, count(kin.ContainsAny(taggedNumbers, 1)))
		assert.Equal(t, ones, count(kin.Q("numbers__contains", []int{1})))
		assert.Equal(t, 84, count(taggedNumbers.IsNull()))

		plucked, err := kin.Pluck(ctx, s.DB, kin.Query[tagged]().Limit(9), taggedTags)
		require.NoError(t, err)
		assert.Equal(t, got[8].Tags, plucked[8])
		got[0].Tags = append(got[0].Tags, "more, \"quoted\"")
		assert.Equal(t, []string{"tags"}, kin.Changed(got[0]))
		require.NoError(t, kin.Save(ctx, s.DB, got[0]))
		_, err = kin.Query[tagged]().Filter("pk", got[1].ID).Update(ctx, s.DB, taggedTags.Set([]string{"set"}))
		require.NoError(t, err)
		got, err = kin.Query[tagged]().Where(kin.ContainsAny(taggedTags, "more, \"quoted\"", "set")).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, got, 2)

		for want, cond := range map[string]kin.Cond[tagged]{
			"takes []string, not string":                             kin.Q("tags__contains", "a"),
			"startswith does not go with lists":                      kin.Q("tags__startswith", "a"),
			"gt does not go with lists":                              kin.Q("tags__gt", []string{"a"}),
			"overlap asks for the elements of a list, but tagged.ID": kin.Q("pk__overlap", 1),
			"counted from 0":                                         kin.ListItem(kin.F("tags"), -1).IsNull(),
			"list length does not take tagged.ID":                    kin.ListLength(kin.F("id")).Eq(1),
			"U+0000":                                                 kin.ContainsAny(taggedTags, "a\x00"),
		} {
			_, err := kin.Query[tagged]().Where(cond).Count(ctx, s.DB)
			require.ErrorContains(t, err, want)
		}
	})
}
