package tests

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func tableCases() []Case {
	return slices.Concat([]Case{
		{"tables/the catalog has what the models say", testCatalog},
		{"tables/are made in any order, and once", testCreateTwice},
		{"tables/defaults, uniques, checks, NOT NULL and sizes hold", testConstraintsHold},
		{"tables/actions of foreign keys", testActions},
		{"tables/circles", testCircles},
		{"tables/a row that refers to itself", testSelfReference},
		{"tables/composite keys", testCompositeTables},
	}, sessionCases())
}

// The shop has every kind of constraint.
type (
	shopOwner struct {
		Code  string            `kin:",pk,size=8"`
		Email string            `kin:",unique,size=40"`
		Shops kin.Reverse[shop] `kin:"via=Owner"`
	}
	shop struct {
		ID     int64
		Name   string                    `kin:",size=5"`
		City   string                    `kin:",index,size=20,default='Rome'"`
		Stars  *int                      `kin:",null"`
		Logo   []byte                    `kin:",null,size=4"`
		Owner  kin.ForeignKey[shopOwner] `kin:",on_delete=cascade"`
		Deputy kin.ForeignKey[shopOwner] `kin:",null,on_delete=set_null,related_name=deputy_of"`
		Bank   kin.ForeignKey[shopOwner] `kin:",null,unique,on_delete=restrict,related_name=bank_of"`
	}
)

// KinTable has constraints over several columns.
func (shop) KinTable() kin.Table {
	return kin.Table{
		Unique:  [][]string{{"name", "city"}},
		Indexes: [][]string{{"stars", "city"}},
		Checks:  []string{"stars BETWEEN 1 AND 5", "name <> 'bad'"},
	}
}

// constraintNames reads the constraints of a table from the catalog, by kind.
func constraintNames(t testing.TB, s *Suite, table string) map[string][]string {
	t.Helper()
	names := map[string][]string{}
	if s.Name == "sqlite" {
		// SQLite keeps the text of the table, and has lists for some kinds.
		names["FOREIGN KEY"] = handColumn[string](t, s, "SELECT DISTINCT id FROM pragma_foreign_key_list(?)", table)
		names["UNIQUE"] = handColumn[string](t, s, "SELECT name FROM pragma_index_list(?) WHERE origin = 'u'", table)
		text := handOne[string](t, s, "SELECT sql FROM sqlite_master WHERE name = ?", table)
		for range strings.Count(text, ` CHECK (`) - strings.Count(text, " CHECK (length(") {
			names["CHECK"] = append(names["CHECK"], "")
		}
		return names
	}
	schema := map[string]string{"postgres": "current_schema()", "mysql": "DATABASE()"}[s.Name]
	for _, kind := range []string{"PRIMARY KEY", "FOREIGN KEY", "UNIQUE", "CHECK"} {
		query := "SELECT constraint_name FROM information_schema.table_constraints WHERE table_schema = " + schema +
			" AND table_name = " + s.arg(1) + " AND constraint_type = " + s.arg(2)
		if s.Name == "postgres" && kind == "CHECK" {
			query += " AND constraint_name NOT LIKE '%_not_null'" // it lists NOT NULL as a check
		}
		names[kind] = handColumn[string](t, s, query, table, kind)
	}
	return names
}

// indexNames reads the indexes of a table from the catalog that are no
// constraints.
func indexNames(t testing.TB, s *Suite, table string) []string {
	t.Helper()
	switch s.Name {
	case "sqlite":
		return handColumn[string](t, s, "SELECT name FROM pragma_index_list(?) WHERE origin = 'c'", table)
	case "postgres":
		return handColumn[string](t, s, "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid "+
			"WHERE t.relname = $1 AND NOT i.indisunique", table)
	}
	return handColumn[string](t, s, "SELECT DISTINCT index_name FROM information_schema.statistics "+
		"WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 1", table)
}

// actions reads what happens to the rows of a table, by its column.
func actions(t testing.TB, s *Suite, table string) map[string]string {
	t.Helper()
	found := map[string]string{}
	query := map[string]string{
		"sqlite": `SELECT "from" || '=' || on_delete FROM pragma_foreign_key_list(?)`,
		"postgres": "SELECT k.column_name || '=' || r.delete_rule FROM information_schema.referential_constraints r " +
			"JOIN information_schema.key_column_usage k ON k.constraint_name = r.constraint_name WHERE k.table_name = $1",
		"mysql": "SELECT CONCAT(k.column_name, '=', r.delete_rule) FROM information_schema.referential_constraints r " +
			"JOIN information_schema.key_column_usage k ON k.constraint_name = r.constraint_name AND k.constraint_schema = r.constraint_schema " +
			"WHERE r.constraint_schema = DATABASE() AND k.table_name = ?",
	}[s.Name]
	for _, pair := range handColumn[string](t, s, query, table) {
		column, action, _ := strings.Cut(pair, "=")
		found[column] = action
	}
	return found
}

func testCatalog(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[shop], kin.Register[shopOwner])
	names := constraintNames(t, s, "shops")
	assert.Len(t, names["FOREIGN KEY"], 3)
	assert.Len(t, names["UNIQUE"], 2, "(name, city) and the bank")
	assert.Len(t, names["CHECK"], 2)
	assert.Equal(t, map[string]string{"owner_id": "CASCADE", "deputy_id": "SET NULL", "bank_id": "RESTRICT"}, actions(t, s, "shops"))
	// City, (stars, city), and the two foreign keys that are not unique.
	assert.Len(t, indexNames(t, s, "shops"), 4)
	nullable := map[string]bool{}
	query := map[string]string{
		"sqlite":   `SELECT name FROM pragma_table_info('shops') WHERE "notnull" = 0 AND pk = 0`,
		"postgres": "SELECT column_name FROM information_schema.columns WHERE table_name = 'shops' AND is_nullable = 'YES'",
		"mysql":    "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'shops' AND is_nullable = 'YES'",
	}[s.Name]
	for _, c := range handColumn[string](t, s, query) {
		nullable[c] = true
	}
	assert.Equal(t, []string{"bank_id", "deputy_id", "logo", "stars"}, slices.Sorted(maps.Keys(nullable)))
	if s.Name == "mysql" {
		assert.Equal(t, []string{"InnoDB"}, handColumn[string](t, s, "SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = DATABASE()"))
		assert.Equal(t, []string{"utf8mb4"}, handColumn[string](t, s, "SELECT DISTINCT character_set_name FROM information_schema.columns "+
			"WHERE table_schema = DATABASE() AND character_set_name IS NOT NULL"), "though the database is latin1")
	}
}

func testCreateTwice(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[shop], kin.Register[shopOwner])
	require.NoError(t, kin.Insert(t.Context(), s.DB, &shopOwner{Code: "o", Email: "e"}))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	assert.Equal(t, 1, handOne[int](t, s, "SELECT COUNT(*) FROM shop_owners"), "what is there stays")
	s.Exec(t, "DROP TABLE shops")
	require.NoError(t, kin.CreateTables(t.Context(), s.DB), "what is missing is made")
	require.NoError(t, kin.Insert(t.Context(), s.DB, &shop{Owner: kin.Key[shopOwner]("o")}))
	s.Exec(t, "CREATE TABLE others (id int)")
	require.NoError(t, kin.DropTables(t.Context(), s.DB))
	require.NoError(t, kin.DropTables(t.Context(), s.DB))
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM others"), "a table that is no model's is left alone")
	require.NoError(t, kin.CreateTables(t.Context(), s.DB), "and all again")
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM shops"))
}

func testConstraintsHold(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[shop], kin.Register[shopOwner])
	owners := []*shopOwner{{Code: "a", Email: "a"}, {Code: "b", Email: "b"}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, owners...))
	first := &shop{Name: "one", City: "Rome", Owner: kin.To(owners[0]), Bank: kin.To(owners[0])}
	require.NoError(t, kin.Insert(t.Context(), s.DB, first))
	for _, bad := range []struct {
		row *shop
		why string
	}{
		{&shop{Name: "one", City: "Rome", Owner: kin.To(owners[0])}, "(name, city) is unique"},
		{&shop{Name: "x", Owner: kin.To(owners[0]), Bank: kin.To(owners[0])}, "the bank is unique"},
		{&shop{Name: "bad", Owner: kin.To(owners[0])}, "the check on the name"},
		{&shop{Name: "x", Stars: new(6), Owner: kin.To(owners[0])}, "the check on the stars"},
		{&shop{Name: "x"}, "the owner is not NULL"},
		{&shop{Name: "x", Owner: kin.Key[shopOwner]("nobody")}, "the owner is there"},
		{&shop{Name: "123456", Owner: kin.To(owners[0])}, "a name of six characters"},
		{&shop{Name: "12345 ", Owner: kin.To(owners[0])}, "a space is a character: it is not cut off"},
		{&shop{Name: "x", Logo: []byte("12345"), Owner: kin.To(owners[0])}, "a logo of five bytes"},
	} {
		require.Error(t, kin.Insert(t.Context(), s.DB, bad.row), bad.why)
		assert.Zero(t, bad.row.ID, bad.why)
	}
	require.Error(t, kin.Insert(t.Context(), s.DB, &shopOwner{Code: "c", Email: "a"}), "the email is unique")
	require.Error(t, kin.Insert(t.Context(), s.DB, &shopOwner{Code: "a", Email: "c"}), "the key is unique")
	assert.Equal(t, 1, handOne[int](t, s, "SELECT COUNT(*) FROM shops"))
	assert.Equal(t, 2, handOne[int](t, s, "SELECT COUNT(*) FROM shop_owners"))
	for _, fine := range []struct {
		row *shop
		why string
	}{
		{&shop{Name: "One", City: "Rome", Owner: kin.To(owners[0])}, "case makes a difference"},
		{&shop{Name: "one ", City: "Rome", Owner: kin.To(owners[0])}, "a space does too"},
		{&shop{Name: "one", City: "rome", Owner: kin.To(owners[0])}, "in the other column as well"},
		{&shop{Name: "\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600", Owner: kin.To(owners[0]), Bank: kin.To(owners[1])}, "five characters of four bytes"},
		{&shop{Name: "x", Logo: []byte("1234"), Owner: kin.To(owners[0])}, "a logo of four bytes, and a second shop without a bank"},
	} {
		require.NoError(t, kin.Insert(t.Context(), s.DB, fine.row), fine.why)
	}
	// Those who write without kin are held to the same.
	for _, bad := range []struct{ values, why string }{
		{"(91, NULL, 'a', 'a')", "NOT NULL"},
		{"(92, '123456', 'a', 'a')", "the size"},
		{"(93, 'x', 'a', 'nobody')", "the foreign key"},
		{"(94, 'bad', 'a', 'a')", "the check"},
	} {
		_, err := s.Pool().ExecContext(t.Context(), "INSERT INTO shops (id, name, city, owner_id) VALUES "+bad.values)
		require.Error(t, err, bad.why)
	}
	s.Exec(t, "INSERT INTO shops (id, name, owner_id) VALUES (95, 'x', 'a')")
	assert.Equal(t, "Rome", handOne[string](t, s, "SELECT city FROM shops WHERE id = 95"), "the default")
}

func testActions(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[shop], kin.Register[shopOwner])
	owners := []*shopOwner{{Code: "a", Email: "a"}, {Code: "b", Email: "b"}, {Code: "c", Email: "c"}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, owners...))
	require.NoError(t, kin.Insert(t.Context(), s.DB,
		&shop{Name: "1", Owner: kin.To(owners[0])},
		&shop{Name: "2", Owner: kin.To(owners[1]), Deputy: kin.To(owners[0])},
		&shop{Name: "3", Owner: kin.To(owners[1]), Bank: kin.To(owners[2])}))
	_, err := s.Pool().ExecContext(t.Context(), "DELETE FROM shop_owners WHERE code = 'c'")
	require.Error(t, err, "restrict")
	s.Exec(t, "DELETE FROM shop_owners WHERE code = 'a'")
	assert.Equal(t, []string{"2", "3"}, handColumn[string](t, s, "SELECT name FROM shops ORDER BY id"), "cascade")
	assert.Equal(t, []bool{true, true}, handColumn[bool](t, s, "SELECT deputy_id IS NULL FROM shops ORDER BY id"), "set_null")
	s.Exec(t, "DELETE FROM shop_owners WHERE code = 'b'")
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM shops"))
	s.Exec(t, "DELETE FROM shop_owners WHERE code = 'c'")
}

// Tables in a circle, with each kind of action on the way, and one that
// refers to itself.
type (
	circleA struct {
		ID   int64
		Next kin.ForeignKey[circleB] `kin:",null,on_delete=restrict"`
	}
	circleB struct {
		ID   int64
		Next kin.ForeignKey[circleC] `kin:",null"`
	}
	circleC struct {
		ID   int64
		Next kin.ForeignKey[circleA] `kin:",null,on_delete=cascade"`
		Self kin.ForeignKey[circleC] `kin:",null,on_delete=restrict,related_name=selves"`
	}
)

func testCircles(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[circleA], kin.Register[circleB], kin.Register[circleC])
	require.NoError(t, kin.CreateTables(t.Context(), s.DB), "a second time")
	a := &circleA{}
	require.NoError(t, kin.Insert(t.Context(), s.DB, a))
	c := &circleC{Next: kin.To(a)}
	require.NoError(t, kin.Insert(t.Context(), s.DB, c))
	b := &circleB{Next: kin.To(c)}
	require.NoError(t, kin.Insert(t.Context(), s.DB, b))
	s.Exec(t, "UPDATE circle_as SET next_id = 1")
	s.Exec(t, "UPDATE circle_cs SET self_id = 1")
	for _, table := range []string{"circle_as", "circle_bs", "circle_cs"} {
		_, err := s.Pool().ExecContext(t.Context(), "INSERT INTO "+table+" (id, next_id) VALUES (9, 99)")
		require.Error(t, err, "the foreign key of %s is there", table)
	}
	got, err := kin.Query[circleA]().SelectRelated("next__next__next", "next__next__self").Get(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Same(t, got, got.Next.Get().Next.Get().Next.Get(), "round once")
	assert.Same(t, got.Next.Get().Next.Get(), got.Next.Get().Next.Get().Self.Get())

	require.NoError(t, kin.DropTables(t.Context(), s.DB), "with rows that refer to each other")
	for _, table := range []string{"circle_as", "circle_bs", "circle_cs"} {
		_, err := s.Pool().ExecContext(t.Context(), "SELECT * FROM "+table)
		require.Error(t, err, "%s is gone", table)
	}
	require.NoError(t, kin.CreateTables(t.Context(), s.DB), "and again")
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM circle_as"))
}

type selfNode struct {
	ID       int64
	Name     string
	Parent   kin.ForeignKey[selfNode] `kin:",null,related_name=children,on_delete=cascade"`
	Children kin.Reverse[selfNode]
}

func testSelfReference(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[selfNode])
	root := &selfNode{Name: "root"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, root))
	child := &selfNode{Name: "child", Parent: kin.To(root)}
	require.NoError(t, kin.Insert(t.Context(), s.DB, child))
	require.NoError(t, kin.Insert(t.Context(), s.DB, &selfNode{Name: "leaf", Parent: kin.To(child)}, &selfNode{ID: 50, Name: "own", Parent: kin.Key[selfNode](50)}))
	assert.Equal(t, map[string]string{"parent_id": "CASCADE"}, actions(t, s, "self_nodes"))
	s.Exec(t, "DELETE FROM self_nodes WHERE name = 'root'")
	assert.Equal(t, []string{"own"}, handColumn[string](t, s, "SELECT name FROM self_nodes"), "cascade goes down all levels")
	require.NoError(t, kin.DropTables(t.Context(), s.DB))
}

// A flat is in a house by a key of its own; its key is that of the house and
// a number. A tenant's foreign key has three columns.
type (
	houseKey struct {
		Street string `kin:",pk,size=20"`
		Number int16  `kin:",pk"`
		Flats  kin.Reverse[flat]
	}
	flat struct {
		House   kin.ForeignKey[houseKey] `kin:",pk,related_name=flats,on_delete=cascade"`
		Door    int                      `kin:",pk"`
		Tenants kin.Reverse[tenant]
	}
	tenant struct {
		ID   int64
		Name string
		Flat kin.ForeignKey[flat] `kin:",null,related_name=tenants,on_delete=set_null"`
		Old  kin.ForeignKey[flat] `kin:"old street+old number+old door,null,unique,related_name=former"`
	}
)

func testCompositeTables(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[tenant], kin.Register[flat], kin.Register[houseKey])
	houses := []*houseKey{{Street: "High", Number: 1}, {Street: "High", Number: 2}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, houses...))
	flats := []*flat{{House: kin.To(houses[0]), Door: 1}, {House: kin.To(houses[1]), Door: 1}, {House: kin.To(houses[1]), Door: 2}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, flats...))
	require.Error(t, kin.Insert(t.Context(), s.DB, &flat{House: kin.To(houses[1]), Door: 2}), "the key is unique")
	require.Error(t, kin.Insert(t.Context(), s.DB, &flat{House: kin.Key[houseKey]("High", 3), Door: 2}), "the house is there")
	require.NoError(t, kin.Insert(t.Context(), s.DB,
		&tenant{Name: "a", Flat: kin.To(flats[0]), Old: kin.To(flats[1])}, &tenant{Name: "b", Flat: kin.Key[flat]("High", 2, 2)}, &tenant{Name: "c"}))
	require.Error(t, kin.Insert(t.Context(), s.DB, &tenant{Old: kin.To(flats[1])}), "the three columns are unique together")
	require.Error(t, kin.Insert(t.Context(), s.DB, &tenant{Flat: kin.Key[flat]("High", 1, 2)}), "there is no such flat, though there are such houses and doors")
	assert.Equal(t, []string{"High|2|2"}, handColumn[string](t, s, map[bool]string{
		true:  "SELECT CONCAT(flat_house_street, '|', flat_house_number, '|', flat_door) FROM tenants WHERE name = 'b'",
		false: "SELECT flat_house_street || '|' || flat_house_number || '|' || flat_door FROM tenants WHERE name = 'b'",
	}[s.Name == "mysql"]))
	assert.Equal(t, 1, handOne[int](t, s, "SELECT COUNT(*) FROM tenants WHERE "+s.quoted("old number")+" = 2"))

	got, err := kin.Query[houseKey]().SelectRelated("flats__tenants").OrderBy("-number", "-flats__door").All(t.Context(), s.DB)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, 2, got[0].Flats.Len())
	assert.Equal(t, 2, got[0].Flats.All()[0].Door)
	assert.Equal(t, "b", got[0].Flats.All()[0].Tenants.All()[0].Name)
	assert.Zero(t, got[0].Flats.All()[1].Tenants.Len())

	s.Exec(t, "DELETE FROM "+s.quoted("tenants")+" WHERE name = 'a'")
	s.Exec(t, "DELETE FROM house_keys WHERE number = 2")
	assert.Equal(t, 1, handOne[int](t, s, "SELECT COUNT(*) FROM flats"), "cascade")
	assert.Equal(t, []bool{true, true}, handColumn[bool](t, s, "SELECT flat_house_street IS NULL AND flat_house_number IS NULL AND flat_door IS NULL FROM tenants"), "set_null")
	require.NoError(t, kin.DropTables(t.Context(), s.DB))
}
