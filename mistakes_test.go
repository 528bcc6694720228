package kin_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

const mistakeOptions = "auto, autocreate, autoupdate, bound_to, comment, default, deterministic, generated, index, json, null, omitzero, on_delete, on_update, pk, related_name, secret, size, softdelete, type, unique, version, via"

const mistakeNoColumn = ", which no column can hold; give it Scan and Value methods, store it as JSON (`kin:\",json\"`) or leave it out (`kin:\"-\"`)"

// The models that are wrong in a way that needs a method or each other.
type (
	mistakePlan struct{ ID int64 }
	mistakeMap  struct{ ID int64 }

	mistakeConstraint struct {
		ID    int64
		Title string
	}
	mistakeRing1 struct {
		Next kin.ForeignKey[mistakeRing2] `kin:",pk"`
	}
	mistakeRing2 struct {
		Next kin.ForeignKey[mistakeRing1] `kin:",pk"`
	}
)

func (mistakePlan) KinTable() kin.Table { return kin.Table{Name: "plans"} }
func (mistakeMap) KinTable() kin.Table  { return kin.Table{Name: "plans"} }

func (mistakeConstraint) KinTable() kin.Table {
	return kin.Table{Unique: [][]string{{"titel"}}, Indexes: [][]string{{"title"}, {"title", "quite_another"}}}
}

// Shorthands for the table below.
func register[T any](r *kin.Registry) { kin.Register[T](r) }

type registration func(*kin.Registry)

// The models of most mistakes, one function each, so that the names of the
// types are short.

func mistakeFields() []registration {
	type Field struct {
		ID      int64
		Slip    string `kin:"slip,uniqe"`
		Comma   string `kin:"unique"`
		Value   string `kin:",pk=yes,unique=1"`
		NoValue string `kin:",size,default"`
		Chan    chan int
		Func    func()
		Map     map[string]int
		Iface   any
		Struct  struct{ X int }
		Complex complex128
		Stored  map[string]int `kin:",json"`
		Skipped chan int       `kin:"-"`
		Twice1  int            `kin:"twice"`
		Twice2  int            `kin:"twice"`
		Two__x  string         //nolint:staticcheck // the mistake that is tested
	}
	return []registration{register[Field]}
}

func mistakeKeys() []registration {
	type NoKey struct{ Name string }
	type NullKey struct{ ID *int64 }
	type NullTag struct {
		Code string `kin:",pk,null"`
	}
	type AutoText struct {
		Code string `kin:",pk,auto"`
	}
	type AutoOther struct {
		ID int64
		N  int `kin:",auto"`
	}
	type AutoTwo struct {
		A int64 `kin:",pk,auto"`
		B int64 `kin:",pk"`
	}
	type Base struct{ ID int64 }
	type Embeds struct {
		*Base
		Name string
	}
	return []registration{
		register[NoKey], register[NullKey], register[NullTag], register[AutoText], register[AutoOther], register[AutoTwo], register[Embeds],
	}
}

func mistakeForeign() []registration {
	type Club struct {
		ID      int64
		Members string
	}
	type Pair struct {
		A int64 `kin:",pk"`
		B int64 `kin:",pk"`
	}
	type Absent struct{ ID int64 }
	type Member struct {
		ID      int64
		Home    kin.ForeignKey[Club]
		Away    kin.ForeignKey[Club]
		Third   kin.ForeignKey[Club]   `kin:",related_name=members"`
		Fourth  kin.ForeignKey[Club]   `kin:",related_name=fans"`
		Fifth   kin.ForeignKey[Club]   `kin:",related_name=fans"`
		Sixth   kin.ForeignKey[Club]   `kin:",related_name=a__b"`
		Gone    kin.ForeignKey[Absent] `kin:",null"`
		Pair    kin.ForeignKey[Pair]   `kin:"pair"`
		Nulled  kin.ForeignKey[Pair]   `kin:",on_delete=set_null,related_name=nulled"`
		Exotic  kin.ForeignKey[Pair]   `kin:",on_delete=explode,related_name=exotic"`
		Sized   kin.ForeignKey[Pair]   `kin:",size=4,related_name=sized"`
		Through kin.ForeignKey[Pair]   `kin:",via=Pair,related_name=through"`
	}
	return []registration{register[Club], register[Member], register[Pair]}
}

func mistakeNullForeignKey() []registration {
	type Club struct{ ID int64 }
	type Ground struct {
		Club kin.ForeignKey[Club] `kin:",pk,null"`
	}
	return []registration{register[Club], register[Ground]}
}

// mistakeReverse has a Reverse that is wrong in each way. Its models refer to
// each other, so that they cannot be local.
func mistakeReverse() []registration {
	return []registration{register[mistakeHome], register[mistakeGame], register[mistakeLoner], register[mistakeTwin]}
}

type (
	mistakeHome struct {
		ID     int64
		Loners kin.Reverse[mistakeLoner]
		Games  kin.Reverse[mistakeGame]
		Wrong  kin.Reverse[mistakeGame] `kin:"via=Referee"`
		Right  kin.Reverse[mistakeGame] `kin:"via=Host"`
		Absent kin.Reverse[mistakePlan]
		Twins  kin.Reverse[mistakeTwin]
		Again  kin.Reverse[mistakeTwin]
		Column kin.Reverse[mistakeTwin] `kin:"column,via=Home"`
	}
	mistakeLoner struct{ ID int64 }
	mistakeGame  struct {
		ID    int64
		Host  kin.ForeignKey[mistakeHome] `kin:",related_name=hosted"`
		Guest kin.ForeignKey[mistakeHome] `kin:",related_name=visited"`
	}
	mistakeTwin struct {
		ID   int64
		Home kin.ForeignKey[mistakeHome]
	}
)

func mistakeDefaultNames() []registration {
	type Pupil struct{ ID int64 }
	type Grade struct {
		ID    int64
		Pupil kin.ForeignKey[Pupil]
	}
	type GradeS struct { // the same name in lower case, but for the s
		ID     int64
		Pupil  kin.ForeignKey[Pupil] `kin:",related_name=grades"`
		Grades int
	}
	return []registration{register[Pupil], register[Grade], register[GradeS]}
}

type (
	mistakeCat struct {
		ID     int64
		Absent kin.ManyToMany[mistakePlan]
		Column kin.ManyToMany[mistakeDog] `kin:",null,related_name=columns"`
		Far    kin.ManyToMany[mistakeDog] `kin:"via=Cat"`
		Same   kin.Through[mistakeDog, mistakeLink]
		Dogs   kin.Through[mistakeDog, mistakeLink]
		Named  kin.Through[mistakeDog, mistakeLink2] `kin:"named"`
		Wrong  kin.Through[mistakeDog, mistakeLink]  `kin:"via=Bird"`
		Both   kin.Through[mistakeDog, mistakePair]
		Nulls  kin.Through[mistakeDog, mistakeLoose]
		Twice  kin.Through[mistakeDog, mistakeDouble]
	}
	mistakeDog struct {
		ID    int64
		Cats  kin.ManyToMany[mistakeCat] `kin:",related_name=own_dogs"`
		Own   kin.ManyToMany[mistakeDog] `kin:",related_name=own"`
		Third kin.ManyToMany[mistakeCat] `kin:"table,via=Column"`
	}
	mistakeLink struct {
		Cat kin.ForeignKey[mistakeCat] `kin:",pk,related_name=link1"`
		Dog kin.ForeignKey[mistakeDog] `kin:",pk,related_name=link1"`
	}
	mistakeLink2 struct {
		Cat kin.ForeignKey[mistakeCat] `kin:",pk,related_name=link2"`
		Dog kin.ForeignKey[mistakeDog] `kin:",pk,related_name=link2"`
	}
	mistakePair struct {
		Cat kin.ForeignKey[mistakeCat] `kin:",pk,related_name=link3"`
		One kin.ForeignKey[mistakeDog] `kin:",pk,related_name=link3"`
		Two kin.ForeignKey[mistakeDog] `kin:",related_name=link4"`
	}
	mistakeLoose struct {
		ID  int64
		Cat kin.ForeignKey[mistakeCat] `kin:",null,related_name=link5"`
		Dog kin.ForeignKey[mistakeDog] `kin:",related_name=link5"`
	}
	mistakeDouble struct {
		ID  int64
		Cat kin.ForeignKey[mistakeCat] `kin:",related_name=link6"`
		Dog kin.ForeignKey[mistakeDog] `kin:",related_name=link6"`
	}
)

func mistakeLinks() []registration {
	return []registration{
		register[mistakeCat], register[mistakeDog], register[mistakeLink], register[mistakeLink2],
		register[mistakePair], register[mistakeLoose], register[mistakeDouble],
	}
}

func TestModelMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why    string
		models []registration
		want   []string // without the "kin: " of each
	}{
		{"mistakes in fields", mistakeFields(), []string{
			"Field.Chan has the type chan int" + mistakeNoColumn,
			"Field.Comma has the tag option \"unique\" in the place of the column's name; write `kin:\",unique\"`, or `kin:\"'unique'\"` for a column of that name",
			"Field.Complex has the type complex128" + mistakeNoColumn,
			"Field.Func has the type func()" + mistakeNoColumn,
			"Field.Iface has the type interface {}" + mistakeNoColumn,
			"Field.Map has the type map[string]int" + mistakeNoColumn,
			"Field.NoValue has the tag option \"default\" without a value",
			"Field.NoValue has the tag option \"size\" without a value",
			"Field.Slip has an unknown tag option \"uniqe\"; the options are " + mistakeOptions + "; did you mean \"unique\"?",
			"Field.Struct has the type struct { X int }" + mistakeNoColumn,
			"Field.Twice2 has the column \"twice\", and so has Field.Twice1",
			"Field.Two__x has the lookup name \"two__x\"; two underscores part the steps of a path",
			"Field.Value has the tag option \"pk\" with a value, which it does not take",
			"Field.Value has the tag option \"unique\" with a value, which it does not take",
		}},
		{"mistakes in primary keys", mistakeKeys(), []string{
			"AutoOther.N has the tag option \"auto\", which is for a single integer primary key",
			"AutoText.Code has the tag option \"auto\", which is for a single integer primary key",
			"AutoTwo.A has the tag option \"auto\", which is for a single integer primary key",
			"Embeds has no primary key; call a field ID or tag one `kin:\",pk\"`",
			"Embeds.Base embeds a pointer; embed the struct itself, whose fields then are columns",
			"NoKey has no primary key; call a field ID or tag one `kin:\",pk\"`",
			"NullKey.ID is a primary key, which cannot be NULL; take a plain type and no null option",
			"NullTag.Code is a primary key, which cannot be NULL; take a plain type and no null option",
		}},
		{"mistakes in foreign keys", mistakeForeign(), []string{
			"Member.Away and other foreign keys (Home, Away) lead to Club without a related_name; add related_name=… to each",
			"Member.Exotic has a tag option \"on_delete\" that has no action \"explode\"; there are cascade, no_action, restrict, set_default, set_null",
			"Member.Fifth has the related name \"fans\" at Club, and so has the reverse of Member.Fourth; set another related_name",
			"Member.Gone refers to Absent, which is not registered; add kin.Register[Absent]() to an init function",
			"Member.Home and other foreign keys (Home, Away) lead to Club without a related_name; add related_name=… to each",
			"Member.Nulled has on_delete=set_null, but cannot be NULL; add the null option",
			"Member.Pair names 1 columns, but the primary key of Pair has 2; name them a+b in its order",
			"Member.Sixth has the related name \"a__b\"; two underscores part the steps of a path",
			"Member.Sized has a tag option for columns (json, type, size or auto), but is a relation",
			"Member.Third has the related name \"members\" at Club, and so has the field Club.Members; set another related_name",
			"Member.Through is a ForeignKey: via is for a Reverse, a ManyToMany or a Through",
		}},
		{"a key that is a nullable foreign key", mistakeNullForeignKey(), []string{
			"Ground.Club is a primary key, which cannot be NULL; take off the null option",
		}},
		{"mistakes in reverses", mistakeReverse(), []string{
			"mistakeHome.Absent holds mistakePlan, which is not registered; add kin.Register[mistakePlan]() to an init function",
			"mistakeHome.Again and Twins are both the reverse of mistakeTwin.Home; keep one",
			"mistakeHome.Column and Twins are both the reverse of mistakeTwin.Home; keep one",
			"mistakeHome.Column is a Reverse, which has no column: its tag takes via only",
			"mistakeHome.Games may be the reverse of several foreign keys of mistakeGame: Host, Guest; choose one, as in `kin:\"via=Host\"`",
			"mistakeHome.Loners is the reverse of no foreign key: mistakeLoner has none to mistakeHome; add a field `mistakeHome kin.ForeignKey[mistakeHome]` to mistakeLoner",
			"mistakeHome.Wrong is the reverse via \"Referee\", but the foreign keys of mistakeGame to mistakeHome are Host, Guest",
		}},
		{"names by default that collide", mistakeDefaultNames(), []string{
			"GradeS.Pupil has the related name \"grades\" at Pupil, and so has the reverse of Grade.Pupil; set another related_name",
		}},
		{"two models on one table", []registration{register[mistakePlan], register[mistakeMap]}, []string{
			"mistakePlan has the table \"plans\", and so has mistakeMap (kin_test.mistakeMap); give one of them another with a KinTable method",
		}},
		{"a constraint on what is not there", []registration{register[mistakeConstraint]}, []string{
			"mistakeConstraint has no column \"quite_another\", which its KinTable method names",
			"mistakeConstraint has no column \"titel\", which its KinTable method names; did you mean \"title\"?",
		}},
		{"mistakes in many-to-many relations", mistakeLinks(), []string{
			"mistakeCat.Absent holds mistakePlan, which is not registered; add kin.Register[mistakePlan]() to an init function",
			"mistakeCat.Both has the link model mistakePair with several foreign keys to mistakeDog: One, Two; choose one, as in `kin:\"via=Cat+One\"`",
			"mistakeCat.Column has a tag option for columns (pk, null, unique, index, default, comment, on_delete or on_update), but is a relation to many rows",
			"mistakeCat.Dogs and Same take the same way; keep one",
			"mistakeCat.Far is the far side of \"Cat\" of mistakeDog, which has no such many-to-many field of mistakeCat; it has Cats",
			"mistakeCat.Named is a Through, whose table is that of its link model; take off the name",
			"mistakeCat.Nulls has the link model mistakeLoose, whose foreign keys Cat and Dog cannot be null",
			"mistakeCat.Twice has the link model mistakeDouble, in which a pair may be linked twice; declare it unique, as in `func (mistakeDouble) KinTable() kin.Table { return kin.Table{Unique: [][]string{{\"cat\", \"dog\"}}} }`, or take a Reverse[mistakeDouble]",
			"mistakeCat.Wrong names the foreign key \"Bird\" of its link model, but those of mistakeLink to mistakeCat are Cat",
			"mistakeDog.Own has the related name \"own\" at mistakeDog, and so has the many-to-many relation mistakeDog.Own; set another related_name",
			"mistakeDog.Third is the far side of the relation that via names, which has the table and the related_name",
		}},
		{"keys in a circle", []registration{register[mistakeRing1], register[mistakeRing2]}, []string{
			"mistakeRing1 has a primary key that leads back to itself through foreign keys",
		}},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			var r kin.Registry
			for _, add := range c.models {
				add(&r)
			}
			requireMistakes(t, &r, c.want)
		})
	}
}

// requireMistakes checks that r reports exactly the mistakes.
func requireMistakes(t *testing.T, r *kin.Registry, want []string) {
	t.Helper()
	err := r.Check()
	require.Error(t, err)
	var got []string
	several, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	for _, one := range several.Unwrap() {
		var mistake *kin.ModelError
		require.ErrorAs(t, one, &mistake)
		assert.NotEmpty(t, mistake.Model)
		got = append(got, strings.TrimPrefix(one.Error(), "kin: "))
	}
	require.Equal(t, want, got)
	var first *kin.ModelError
	require.ErrorAs(t, err, &first)
	require.True(t, strings.HasSuffix(want[0], first.Text))
	if len(want) == 1 {
		require.EqualError(t, err, "kin: "+want[0])
		return
	}
	lines := strings.Split(err.Error(), "\n  ")
	require.Equal(t, fmt.Sprintf("kin: %d mistakes in models:", len(want)), lines[0])
	require.Equal(t, want, lines[1:])
}

// TestMistakesAllAtOnce has one literal for the whole report, and makes it of
// models that are registered in any order.
func TestMistakesAllAtOnce(t *testing.T) {
	t.Parallel()
	const want = `kin: 6 mistakes in models:
  NoKey has no primary key; call a field ID or tag one ` + "`kin:\",pk\"`" + `
  NullKey.ID is a primary key, which cannot be NULL; take a plain type and no null option
  mistakePlan has the table "plans", and so has mistakeMap (kin_test.mistakeMap); give one of them another with a KinTable method
  mistakeRing1 has a primary key that leads back to itself through foreign keys
  mistakeTwin.Home refers to mistakeHome, which is not registered; add kin.Register[mistakeHome]() to an init function
  mistakeWrong.Name has an unknown tag option "nul"; the options are ` + mistakeOptions + `; did you mean "null"?`
	type NoKey struct{ Name string }
	type NullKey struct{ ID *int64 }
	type mistakeWrong struct {
		ID   int64
		Name string `kin:",nul"`
	}
	type Right struct {
		ID   int64
		Self kin.ForeignKey[NoKey] `kin:",null"`
	}
	models := []registration{
		register[NoKey], register[NullKey], register[mistakeWrong], register[Right], register[mistakePlan], register[mistakeMap],
		register[mistakeRing1], register[mistakeRing2], register[mistakeTwin],
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 50 {
		random.Shuffle(len(models), func(i, j int) { models[i], models[j] = models[j], models[i] })
		var r kin.Registry
		for _, add := range models {
			add(&r)
		}
		require.EqualError(t, r.Check(), want)
		_, err := r.Models()
		require.EqualError(t, err, want)
	}
}

func TestRegisterPanics(t *testing.T) {
	t.Parallel()
	var r kin.Registry
	type Named int
	require.PanicsWithValue(t, "kin: Register: int is no struct type with a name", func() { kin.Register[int](&r) })
	require.PanicsWithValue(t, "kin: Register: kin_test.Named is no struct type with a name", func() { kin.Register[Named](&r) })
	require.PanicsWithValue(t, "kin: Register: *kin_test.mistakePlan is no struct type with a name", func() { kin.Register[*mistakePlan](&r) })
	require.PanicsWithValue(t, "kin: Register: struct { ID int64 } is no struct type with a name", func() { kin.Register[struct{ ID int64 }](&r) })
	names, err := r.Models()
	require.NoError(t, err)
	assert.Empty(t, names)
}

// TestCircleOfKeys: a primary key that leads in a circle is a mistake that is
// reported, never a recursion without end.
func TestCircleOfKeys(t *testing.T) {
	t.Parallel()
	for _, fk := range []kin.ForeignKey[mistakeRing1]{kin.Key[mistakeRing1](), kin.Key[mistakeRing1](1), kin.To(&mistakeRing1{})} {
		_, err := fk.Value()
		require.Error(t, err)
		assert.NotEmpty(t, fk.String())
	}
	var fk kin.ForeignKey[mistakeRing1]
	require.Error(t, fk.UnmarshalJSON([]byte("[]")))
	require.Error(t, fk.UnmarshalJSON([]byte("1")))
}
