package tests

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func nameCases() []Case {
	return []Case{
		{"names/difficult names of columns and tables", testDifficultNames},
		{"names/difficult names in tags", testNamesInTags},
		{"names/too long for the database", testLongNames},
		{"names/long models and relations", testLongRelations},
		{"names/constraints alike in 63 bytes", testLongConstraints},
		{"names/constraints of tables that end alike", testAmbiguousConstraints},
	}
}

// difficultNames are those of SQLAlchemy's DifficultParametersTest, and some
// that are difficult for kin or its three databases.
func difficultNames() []string {
	return []string{
		"boring", "per cent", "per % cent", "%percent", "par(ens)", "percent%(ens)yah", "col:ons", "_starts_with_underscore",
		"dot.s", "more :: %colons%", "_name", "___name", "[BracketsAndCase]", "42numbers", "percent%signs", "has spaces",
		"/slashes/", "more/slashes", "q?marks", "1param", "1col:on",
		`double"quote`, `"`, "back`tick", "`", "single'quote", `back\slash`, "a,b", "a+b", "semi;colon", "--", "/* c */", "$1", ":name", "@var", "#",
		"select", "order", "group", "table", "null", "true", "rowid", "GROUP", "größe", "Straße", "名前", "ключ", "e\u0301", "{c}", "{p}", "%s", "__", "a__b",
	}
}

// The models of the difficult names: a parent with two branches.
type (
	nameParent struct {
		ID    int64
		Label string
		Kids  kin.Reverse[nameKid]
		Pets  kin.Reverse[namePet]
	}
	nameKid struct {
		ID     int64
		Label  string
		Parent kin.ForeignKey[nameParent] `kin:",related_name=kids,on_delete=cascade"`
	}
	namePet struct {
		ID     int64
		Label  string
		Parent kin.ForeignKey[nameParent] `kin:",related_name=pets,on_delete=cascade"`
	}
)

// KinTable asks for an index and a unique on columns with difficult names.
func (nameKid) KinTable() kin.Table {
	return kin.Table{Unique: [][]string{{"parent", "label"}}, Indexes: [][]string{{"label", "parent"}}}
}

func testDifficultNames(t *testing.T, s *Suite) {
	registry := new(kin.Registry)
	kin.Register[nameParent](registry)
	kin.Register[nameKid](registry)
	kin.Register[namePet](registry)
	for _, name := range difficultNames() {
		naming := kin.Naming{
			Table: func(model string) string {
				return map[string]string{"nameParent": "", "nameKid": "kid ", "namePet": "pet "}[model] + name
			},
			Column: func(_, field string) string { return map[string]string{"Label": "", "ID": "id "}[field] + name },
			Key:    func(string, string, string) string { return "key " + name },
		}
		t.Run(name, func(t *testing.T) {
			s := s.With(kin.WithRegistry(registry), kin.WithNaming(naming))
			useDifficultName(t, s, name)
		})
	}
}

func useDifficultName(t *testing.T, s *Suite, name string) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	require.NoError(t, kin.CreateTables(ctx, s.DB), "a second time")
	parents := []*nameParent{{Label: "b"}, {Label: "a"}, {Label: "c"}}
	require.NoError(t, kin.Insert(ctx, s.DB, parents...))
	kids := []*nameKid{{Label: "y", Parent: kin.To(parents[0])}, {Label: "x", Parent: kin.To(parents[0])}, {Label: "z", Parent: kin.To(parents[1])}}
	require.NoError(t, kin.Insert(ctx, s.DB, kids...))
	pets := []*namePet{{Label: "p", Parent: kin.To(parents[0])}, {Label: "q", Parent: kin.To(parents[2])}}
	require.NoError(t, kin.Insert(ctx, s.DB, pets...))

	table, column, id := s.quoted(name), s.quoted(name), s.quoted("id "+name)
	assert.Equal(t, []string{"b", "a", "c"}, handColumn[string](t, s, "SELECT "+column+" FROM "+table+" ORDER BY "+id))
	assert.Equal(t, parents[0].ID, handOne[int64](t, s, "SELECT "+id+" FROM "+table+" WHERE "+column+" = 'b'"))

	q := kin.Query[nameParent]()
	got, err := q.OrderBy("-label").Filter("label__in", []string{"a", "b", "x"}).All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"b", "a"}, labels(got))
	got, err = q.Filter("kids__label__contains", "x", "kids__parent__label", "b").All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"b"}, labels(got))
	got, err = q.Exclude("pets__label__gte", "p").All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, labels(got))

	s.Wire.Reset()
	one, err := kin.Query[nameKid]().SelectRelated("parent").OrderBy("parent__label", "-label").Filter("parent__label__lt", "c").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 3)
	var texts []string
	for _, kid := range one {
		texts = append(texts, kid.Parent.Get().Label+kid.Label)
	}
	assert.Equal(t, []string{"az", "by", "bx"}, texts, "a join")

	got, err = q.SelectRelated("kids", "pets").OrderBy("label", "kids__label").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 3+3+2)
	texts = nil
	for _, p := range got {
		parts := []string{p.Label, ":"}
		for kid := range p.Kids.Values() {
			parts = append(parts, kid.Label)
		}
		for pet := range p.Pets.Values() {
			parts = append(parts, pet.Label)
		}
		texts = append(texts, strings.Join(parts, ""))
	}
	assert.Equal(t, []string{"a:z", "b:xyp", "c:q"}, texts, "branches")

	got, err = q.SelectRelated("kids", "pets").OrderBy("label").Limit(1).Offset(1).All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, 2, got[0].Kids.Len(), "branches of a page")
	assert.Equal(t, 1, got[0].Pets.Len(), "branches of a page")

	s.Exec(t, "DELETE FROM "+table+" WHERE "+column+" = 'b'")
	assert.Equal(t, []string{"z"}, handColumn[string](t, s, "SELECT "+column+" FROM "+s.quoted("kid "+name)), "the foreign key cascades")
	require.NoError(t, kin.DropTables(ctx, s.DB))
	require.NoError(t, kin.DropTables(ctx, s.DB), "a second time")
}

func labels(rows []*nameParent) []string {
	var texts []string
	for _, r := range rows {
		texts = append(texts, r.Label)
	}
	return texts
}

// nameTagged has its names in tags, where commas and quotes need quotes.
type nameTagged struct {
	ID       int64
	Comma    string `kin:"'a,b',size=20"`
	Quote    string `kin:"'it''s',unique,size=20"`
	Double   string `kin:"say \"hi\",null"`
	Backtick string "kin:\"back`tick\""
	Parens   string `kin:"par(e,ns),size=20"`
	Half     string `kin:"'half(',size=20"`
	Equals   string `kin:"'a=b',size=20"`
	Option   string `kin:"'unique'"`
	Spaces   string `kin:"has spaces,index,size=20"`
}

func testNamesInTags(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[nameTagged])
	row := &nameTagged{0, "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, row))
	names := []string{"a,b", "it's", `say "hi"`, "back`tick", "par(e,ns)", "half(", "a=b", "unique", "has spaces"}
	for i, name := range names {
		assert.Equal(t, string(rune('1'+i)), handOne[string](t, s, "SELECT "+s.quoted(name)+" FROM name_taggeds"), name)
	}
	got, err := kin.Query[nameTagged]().Filter("comma", "1", "quote", "2", "double", "3").OrderBy("half", "equals").Get(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, row, got)
	require.Error(t, kin.Insert(t.Context(), s.DB, &nameTagged{Quote: "2"}), "it's is unique")
}

// limitOf returns the longest name of the database, and 0 if it has no limit
// within reach. A character here is one byte.
func limitOf(s *Suite) int { return map[string]int{"postgres": 63, "mysql": 64}[s.Name] }

func testLongNames(t *testing.T, s *Suite) {
	registry := new(kin.Registry)
	kin.Register[nameParent](registry)
	kin.Register[nameKid](registry)
	kin.Register[namePet](registry)
	long := func(table, column int) *Suite {
		return s.With(kin.WithRegistry(registry), kin.WithNaming(kin.Naming{
			Table: func(model string) string {
				return map[string]string{"nameParent": "p", "nameKid": "k", "namePet": "t"}[model] + strings.Repeat("x", table-1)
			},
			Column: func(_, field string) string { return field[:1] + strings.Repeat("x", column-1) },
		}))
	}
	limit := limitOf(s)
	fits := limit
	if limit == 0 {
		fits = 500
	}
	fine := long(fits, fits)
	require.NoError(t, kin.CreateTables(t.Context(), fine.DB))
	row := &nameParent{Label: "x"}
	require.NoError(t, kin.Insert(t.Context(), fine.DB, row))
	require.NoError(t, kin.Insert(t.Context(), fine.DB, &nameKid{Label: "y", Parent: kin.To(row)}))
	got, err := kin.Query[nameParent]().SelectRelated("kids", "pets").Filter("kids__label", "y").Get(t.Context(), fine.DB)
	require.NoError(t, err)
	assert.Equal(t, 1, got.Kids.Len())
	table, column := "p"+strings.Repeat("x", fits-1), "L"+strings.Repeat("x", fits-1)
	assert.Equal(t, "x", handOne[string](t, s, "SELECT "+s.quoted(column)+" FROM "+s.quoted(table)))
	require.NoError(t, kin.DropTables(t.Context(), fine.DB))
	if limit == 0 {
		return
	}
	for _, x := range []struct {
		table, column int
		says          string
	}{
		{limit + 1, limit, "kin: nameKid has the table name "},
		{limit, limit + 1, "kin: nameKid.ID has the column name "},
	} {
		bad := long(x.table, x.column)
		_, query := kin.Query[nameParent]().All(t.Context(), bad.DB)
		for what, err := range map[string]error{
			"create": kin.CreateTables(t.Context(), bad.DB),
			"insert": kin.Insert(t.Context(), bad.DB, &nameParent{}),
			"query":  query,
		} {
			require.ErrorContains(t, err, x.says, what)
			require.ErrorContains(t, err, s.Name+" takes at most", what)
		}
	}
	// Characters, not bytes, count in MariaDB; bytes do in PostgreSQL.
	wide := s.With(kin.WithRegistry(registry), kin.WithNaming(kin.Naming{
		Column: func(_, field string) string { return field[:1] + strings.Repeat("é", 40) },
	}))
	err = kin.CreateTables(t.Context(), wide.DB)
	if s.Name == "postgres" {
		require.ErrorContains(t, err, "of 81 bytes; postgres takes at most 63")
		return
	}
	require.NoError(t, err)
	require.NoError(t, kin.Insert(t.Context(), wide.DB, &nameParent{Label: "x"}))
	assert.Equal(t, "x", handOne[string](t, s, "SELECT "+s.quoted("L"+strings.Repeat("é", 40))+" FROM name_parents"))
}

// Models, relations and fields with names of 199 bytes, which tables cannot
// have; their aliases in SQL are short all the same.
type (
	longA = nameLongxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA
	longB = nameLongxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxB

	nameLongxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA struct {
		ID    int64
		First kin.Reverse[longB] `kin:"via=FieldxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA"`
		Other kin.Reverse[longB] `kin:"via=FieldxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxB"`
	}
	nameLongxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxB struct {
		ID                                                                                                                                                                                                   int64
		FieldxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA kin.ForeignKey[longA] `kin:"a_id,related_name=relatedxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxa"`
		FieldxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxB kin.ForeignKey[longA] `kin:"b_id,related_name=relatedxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxb"`
	}
)

// KinTable gives a table name that the database takes.
func (nameLongxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA) KinTable() kin.Table {
	return kin.Table{Name: "long_a"}
}

// KinTable gives a table name that the database takes.
func (nameLongxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxB) KinTable() kin.Table {
	return kin.Table{Name: "long_b"}
}

func testLongRelations(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[longA], kin.Register[longB])
	rows := []*longA{{}, {}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	field := func(a, b *longA) *longB {
		return &longB{0, kin.To(a), kin.To(b)}
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, field(rows[0], rows[1]), field(rows[1], rows[1]), field(rows[0], rows[1])))
	related := "related" + strings.Repeat("x", 190)
	step := kin.SnakeCase("Field" + strings.Repeat("x", 190))
	got, err := kin.Query[longA]().SelectRelated(kin.Paths[longA](related+"a__"+step+"_b", related+"b__"+step+"_a")...).
		Filter(related+"b__"+step+"_a__id", rows[0].ID).All(t.Context(), s.DB)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, rows[1].ID, got[0].ID)
	assert.Equal(t, 1, got[0].First.Len())
	assert.Equal(t, 3, got[0].Other.Len())
	assert.Same(t, got[0], got[0].Other.All()[0].FieldxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxB.Get())
	assert.Equal(t, rows[0].ID, got[0].Other.All()[0].FieldxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA.Get().ID)
}

// nameAlike has foreign keys and sets whose constraints have names that are
// equal in far more than their first 63 bytes.
type nameAlike struct {
	ID int64
	A  kin.ForeignKey[nameAlike] `kin:"ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccca,null,related_name=as"`
	B  kin.ForeignKey[nameAlike] `kin:"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccb,null,related_name=bs"`
	C  string                    `kin:"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc,size=10"`
	D  string                    `kin:"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccd,size=10"`
}

// KinTable asks for two uniques, two indexes and two checks.
func (nameAlike) KinTable() kin.Table {
	return kin.Table{
		Name:    "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt",
		Unique:  [][]string{{"c", "a"}, {"c", "b"}},
		Indexes: [][]string{{"d", "a"}, {"d", "b"}},
		Checks:  []string{"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc <> 'bad'", "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc <> 'worse'"},
	}
}

func testLongConstraints(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[nameAlike])
	first := &nameAlike{C: "c"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, first))
	require.NoError(t, kin.Insert(t.Context(), s.DB, &nameAlike{C: "c", A: kin.To(first)}))
	require.Error(t, kin.Insert(t.Context(), s.DB, &nameAlike{C: "c", A: kin.To(first)}), "the first unique is there")
	require.NoError(t, kin.Insert(t.Context(), s.DB, &nameAlike{C: "c", B: kin.To(first)}))
	require.Error(t, kin.Insert(t.Context(), s.DB, &nameAlike{C: "c", B: kin.To(first)}), "and the second one")
	require.Error(t, kin.Insert(t.Context(), s.DB, &nameAlike{C: "x", A: kin.Key[nameAlike](77)}), "the first foreign key is there")
	require.Error(t, kin.Insert(t.Context(), s.DB, &nameAlike{C: "x", B: kin.Key[nameAlike](77)}), "and the second one")
	require.Error(t, kin.Insert(t.Context(), s.DB, &nameAlike{C: "bad"}), "the first check is there")
	require.Error(t, kin.Insert(t.Context(), s.DB, &nameAlike{C: "worse"}), "and the second one")
	names := constraintNames(t, s, "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt")
	assert.Len(t, names["FOREIGN KEY"], 2)
	assert.Len(t, names["CHECK"], 2)
	assert.Len(t, names["UNIQUE"], 2)
	require.NoError(t, kin.DropTables(t.Context(), s.DB))
}

// Tables and columns that, put together, read alike: user_group + owner_id
// and user + group_owner_id.
type (
	nameUser struct {
		ID    int64
		Owner kin.ForeignKey[nameUser] `kin:"group_owner_id,null,related_name=owned"`
	}
	nameUserGroup struct {
		ID    int64
		Owner kin.ForeignKey[nameUser] `kin:"owner_id,null,related_name=groups"`
	}
)

// KinTable names the table in the singular.
func (nameUser) KinTable() kin.Table { return kin.Table{Name: "user"} }

// KinTable names the table in the singular.
func (nameUserGroup) KinTable() kin.Table { return kin.Table{Name: "user_group"} }

func testAmbiguousConstraints(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[nameUser], kin.Register[nameUserGroup])
	require.Error(t, kin.Insert(t.Context(), s.DB, &nameUser{Owner: kin.Key[nameUser](77)}))
	require.Error(t, kin.Insert(t.Context(), s.DB, &nameUserGroup{Owner: kin.Key[nameUser](77)}))
	assert.Len(t, slices.Concat(indexNames(t, s, "user"), indexNames(t, s, "user_group")), 2)
	require.NoError(t, kin.DropTables(t.Context(), s.DB))
}
