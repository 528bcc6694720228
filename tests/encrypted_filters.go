package tests

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func encryptedFilterCases() []Case {
	return []Case{
		{"encrypted/filters, under several keys", testEncryptedFilters},
		{"encrypted/what the database cannot answer", testEncryptedRefused},
		{"encrypted/rotation", testEncryptedRotation},
		{"encrypted/unique under several keys", testEncryptedUnique},
		{"encrypted/upsert, get or create", testEncryptedUpsert},
		{"encrypted/sets", testEncryptedSets},
	}
}

// A patient can be found by the number, and not by the notes.
type patient struct {
	ID     int64
	Name   string                  `kin:",size=20"`
	SSN    kin.Encrypted[string]   `kin:",unique,deterministic,size=20,null"`
	Age    kin.Encrypted[int8]     `kin:",deterministic"`
	Notes  kin.Encrypted[string]   `kin:",null"`
	Friend kin.ForeignKey[patient] `kin:",null,related_name=friends"`
}

// patients makes the table, and returns what gives a Suite with the n-th keys.
func patients(t *testing.T, s *Suite) (with func(keys ...byte) *Suite) {
	t.Helper()
	models := new(kin.Registry)
	kin.Register[patient](models)
	require.NoError(t, kin.CreateTables(t.Context(), s.keyed(t, models, 1).DB))
	return func(keys ...byte) *Suite { return s.keyed(t, models, keys...) }
}

// patientTable reads the table by hand, decrypted by hand. All ciphertexts are
// under the keys given, of the rows in order.
func patientTable(t *testing.T, s *Suite, keys ...byte) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT name, ssn, age, notes FROM patients ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	table := []string{}
	for rows.Next() {
		var name string
		var ssn, age, notes []byte
		require.NoError(t, rows.Scan(&name, &ssn, &age, &notes))
		line := name
		key := secretKey(keys[min(len(table), len(keys)-1)])
		if ssn != nil {
			line += " " + string(decryptByHand(t, key, "patients.ssn", ssn)[1:])
		}
		line += fmt.Sprint(" ", int8(decryptByHand(t, key, "patients.age", age)[8]))
		if notes != nil {
			line += " " + string(decryptByHand(t, key, "patients.notes", notes)[1:])
		}
		table = append(table, line)
	}
	require.NoError(t, rows.Err())
	return table
}

func newPatient(name, ssn string, age int8) *patient {
	p := &patient{Name: name, Age: kin.Encrypt(age)}
	if ssn != "" {
		p.SSN.Set(ssn)
	}
	return p
}

func names(rows []*patient) []string {
	list := []string{}
	for _, p := range rows {
		list = append(list, p.Name)
	}
	return list
}

// testEncryptedFilters compares with the same question in memory. The rows are
// under three keys.
func testEncryptedFilters(t *testing.T, s *Suite) {
	ctx := t.Context()
	with := patients(t, s)
	var all []*patient
	for key := byte(1); key <= 3; key++ {
		rows := []*patient{
			newPatient(fmt.Sprint("a", key), fmt.Sprint("ssn ", key), 30), newPatient(fmt.Sprint("b", key), "", int8(key)), newPatient(fmt.Sprint("c", key), fmt.Sprint("SSN ", key), -1),
		}
		require.NoError(t, kin.Insert(ctx, with(key).DB, rows...))
		all = append(all, rows...)
	}
	all[1].Friend.Set(all[0])
	require.NoError(t, kin.Update(ctx, with(1).DB, all[1], "friend"))
	require.Equal(t, []string{"a1 ssn 1 30", "b1 1", "c1 SSN 1 -1", "a2 ssn 2 30", "b2 2", "c2 SSN 2 -1", "a3 ssn 3 30", "b3 3", "c3 SSN 3 -1"},
		patientTable(t, s, 1, 1, 1, 2, 2, 2, 3, 3, 3))

	some := kin.Encrypt("ssn 2")
	ssn := func(p *patient) any {
		if p.SSN.IsNull() {
			return nil
		}
		return p.SSN.Get()
	}
	age := func(p *patient) any { return p.Age.Get() }
	for _, c := range []struct {
		lookup string
		value  any
		met    func(p *patient) bool
		params int // with three keys
	}{
		{"ssn", "ssn 2", func(p *patient) bool { return ssn(p) == "ssn 2" }, 3},
		{"ssn", some, func(p *patient) bool { return ssn(p) == "ssn 2" }, 3},
		{"ssn", &some, func(p *patient) bool { return ssn(p) == "ssn 2" }, 3},
		{"ssn", sqlNull(some), func(p *patient) bool { return ssn(p) == "ssn 2" }, 3},
		{"ssn", colour("ssn 2"), func(p *patient) bool { return ssn(p) == "ssn 2" }, 3},
		{"ssn__exact", "SSN 2", func(p *patient) bool { return ssn(p) == "SSN 2" }, 3},
		{"ssn", "nobody's", func(*patient) bool { return false }, 3},
		{"ssn", nil, func(p *patient) bool { return ssn(p) == nil }, 0},
		{"ssn", kin.Encrypted[string]{}, func(p *patient) bool { return ssn(p) == nil }, 0},
		{"ssn__ne", "ssn 2", func(p *patient) bool { return ssn(p) != "ssn 2" }, 3},
		{"ssn__ne", nil, func(p *patient) bool { return ssn(p) != nil }, 0},
		{"ssn__in", []string{"ssn 1", "SSN 3"}, func(p *patient) bool { return ssn(p) == "ssn 1" || ssn(p) == "SSN 3" }, 6},
		{"ssn__in", []any{"ssn 1", nil, nil}, func(p *patient) bool { return ssn(p) == "ssn 1" || ssn(p) == nil }, 3},
		{"ssn__in", []kin.Encrypted[string]{some}, func(p *patient) bool { return ssn(p) == "ssn 2" }, 3},
		{"ssn__in", []string{}, func(*patient) bool { return false }, 0},
		{"age", 30, func(p *patient) bool { return age(p) == int8(30) }, 3},
		{"age", int64(-1), func(p *patient) bool { return age(p) == int8(-1) }, 3},
		{"age__ne", 30, func(p *patient) bool { return age(p) != int8(30) }, 3},
		{"age", 1000, func(*patient) bool { return false }, 0},
		{"age__ne", 1000, func(*patient) bool { return true }, 0},
		{"age__in", []int{1, 3, 1000}, func(p *patient) bool { return age(p) == int8(1) || age(p) == int8(3) }, 6},
		{"friend__ssn", "ssn 1", func(p *patient) bool { return p.Name == "b1" }, 3},
		{"friend__ssn__ne", "ssn 1", func(p *patient) bool { return p.Name != "b1" }, 3},
		{"friends__age", 1, func(p *patient) bool { return p.Name == "a1" }, 3},
	} {
		for _, keys := range [][]byte{{3, 2, 1}, {1, 2, 3}} {
			db := with(keys...).DB
			var want, rest []string
			for _, p := range all {
				if c.met(p) {
					want = append(want, p.Name)
				} else {
					rest = append(rest, p.Name)
				}
			}
			q := kin.Query[patient]().Filter(c.lookup, c.value)
			_, args, err := q.SQL(db.Dialect())
			require.NoError(t, err)
			if s.Name != "postgres" { // which takes a list as one parameter
				assert.Len(t, args, c.params, "%s %v", c.lookup, c.value)
			}
			got, err := q.All(ctx, db)
			require.NoError(t, err, "%s %v", c.lookup, c.value)
			assert.ElementsMatch(t, want, names(got), "%s %v", c.lookup, c.value)
			got, err = kin.Query[patient]().Exclude(c.lookup, c.value).All(ctx, db)
			require.NoError(t, err)
			assert.ElementsMatch(t, rest, names(got), "exclude %s %v", c.lookup, c.value)
		}
	}
	// With one key, one ciphertext, and an index.
	s.Wire.Reset()
	got, err := kin.Query[patient]().Filter("ssn", "ssn 2").Get(ctx, with(2).DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 1)
	assert.Equal(t, "a2", got.Name)
}

func testEncryptedRefused(t *testing.T, s *Suite) {
	ctx := t.Context()
	with := patients(t, s)
	db := with(1, 2).DB
	p := newPatient("a", "ssn", 1)
	require.NoError(t, kin.Insert(ctx, db, p))
	before := patientTable(t, s, 1)
	all := kin.Query[patient]()
	s.Wire.Reset()
	for _, op := range []string{"iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "gt", "gte", "lt", "lte", "range"} {
		var value any = "ssn"
		if op == "range" {
			value = []string{"a", "b"}
		}
		for _, field := range []string{"ssn", "notes"} {
			_, err := all.Filter(field+"__"+op, value).All(ctx, db)
			require.ErrorContains(t, err, "is encrypted, so that the database cannot answer "+op+"; it answers isnull, and with the tag option deterministic exact, ne and in")
			require.ErrorContains(t, err, fmt.Sprintf("kin: %q: patient.", field+"__"+op))
		}
	}
	const random = "patient.Notes is encrypted differently each time, so that the database cannot compare it; the tag option deterministic lets it be asked for by exact, ne and in"
	set := func(column string, v any) error {
		_, err := all.Everything().Update(ctx, db, kin.Set(column, v))
		return err
	}
	const calculated = "is encrypted, and takes values of Go, or a Case of them, but nothing that the database calculates"
	const read = "is encrypted, so that the database cannot calculate with it"
	for why, c := range map[string]struct {
		err  error
		says string
	}{
		"exact without deterministic": {second(all.Filter("notes", "x").All(ctx, db)), random},
		"ne without deterministic":    {second(all.Filter("notes__ne", "x").Count(ctx, db)), random},
		"in without deterministic":    {second(all.Filter("notes__in", []string{"x"}).Exists(ctx, db)), random},
		"across a relation":           {second(all.Filter("friend__notes", "x").All(ctx, db)), random},
		"an order":                    {second(all.OrderBy("ssn").All(ctx, db)), `kin: the order "ssn": patient.SSN is encrypted, so that the database cannot sort by it`},
		"a descending order":          {second(all.OrderBy("-friend__notes").All(ctx, db)), `kin: the order "friend__notes": patient.Notes is encrypted`},
		"another type":                {second(all.Filter("ssn", 5).All(ctx, db)), `kin: "ssn": patient.SSN takes string, not int`},
		"another Encrypted":           {second(all.Filter("ssn", kin.Encrypt(5)).All(ctx, db)), `kin: "ssn": patient.SSN takes string, not kin.Encrypted[int]`},
		"no list":                     {second(all.Filter("ssn__in", "x").All(ctx, db)), "in takes a slice"},
		"isnull of no bool":           {second(all.Filter("notes__isnull", "x").All(ctx, db)), "isnull takes true or false"},
		"set from a column":           {set("notes", kin.F("name")), "patient.Notes " + calculated},
		"set from itself":             {set("ssn", kin.F("ssn")), "patient.SSN " + calculated},
		"set from a concatenation":    {set("notes", kin.Concat("a", "b")), "patient.Notes " + calculated},
		"set from a sum":              {set("age", kin.F("age").Add(1)), "patient.Age " + calculated},
		"set from coalesce":           {set("notes", kin.Coalesce("a", "b")), "patient.Notes " + calculated},
		"set inside a case":           {set("notes", kin.Case().When(kin.F("name"), "name", "a")), "patient.Notes " + calculated},
		"copied elsewhere":            {set("name", kin.F("ssn")), "patient.SSN " + read},
		"copied from afar":            {set("name", kin.F("friend__ssn")), "patient.SSN " + read},
		"copied in a function":        {set("name", kin.Concat(kin.F("notes"), "x")), "patient.Notes " + read},
		"set to another type":         {set("age", "x"), "patient.Age takes int8, not string"},
		"set out of range":            {set("age", 1000), "patient.Age is out of the range of the column"},
		"set to NULL":                 {set("age", nil), "patient.Age cannot be NULL"},
		"get or create by it":         {third(kin.GetOrCreate(ctx, db, &patient{Notes: kin.Encrypt("x")}, "notes")), random},
		"a conflict of it":            {kin.Upsert(ctx, db, []*patient{p}, kin.OnConflict("notes")), "unique together"},
	} {
		require.ErrorContains(t, c.err, c.says, why)
	}
	s.Wire.Want(t, 0, 0)
	assert.Equal(t, before, patientTable(t, s, 1))
}

func third[A, B any](_ A, _ B, err error) error { return err }

// testEncryptedRotation changes keys as the documentation says.
func testEncryptedRotation(t *testing.T, s *Suite) {
	ctx := t.Context()
	with := patients(t, s)
	var rows []*patient
	for i := range 700 {
		p := newPatient(fmt.Sprint("p", i), fmt.Sprint("ssn ", i), int8(i%100))
		p.Notes.Set(fmt.Sprint("notes ", i))
		rows = append(rows, p)
	}
	require.NoError(t, kin.Insert(ctx, with(1).DB, rows...))
	want := patientTable(t, s, 1)
	require.Len(t, want, 700)

	rotating := with(2, 1)
	read, err := kin.Query[patient]().All(ctx, rotating.DB)
	require.NoError(t, err)
	require.NoError(t, kin.UpdateAll(ctx, rotating.DB, read[:350], "ssn", "age", "notes"))
	half := append(slices.Repeat([]byte{2}, 350), slices.Repeat([]byte{1}, 350)...)
	assert.Equal(t, want, patientTable(t, s, half...))
	for _, i := range []int{0, 349, 350, 699} {
		found, err := kin.Query[patient]().Filter("ssn", fmt.Sprint("ssn ", i)).Get(ctx, rotating.DB)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint("p", i), found.Name)
		assert.Equal(t, fmt.Sprint("notes ", i), found.Notes.Get())
	}
	var unreadable *kin.DecryptError
	_, err = kin.Query[patient]().All(ctx, with(2).DB)
	require.ErrorAs(t, err, &unreadable, "not yet")
	require.NoError(t, kin.UpdateAll(ctx, rotating.DB, read[350:], "ssn", "age", "notes"))
	assert.Equal(t, want, patientTable(t, s, 2))
	read, err = kin.Query[patient]().All(ctx, with(2).DB)
	require.NoError(t, err)
	assert.Equal(t, "ssn 699", read[699].SSN.Get())
	_, err = kin.Query[patient]().All(ctx, with(1).DB)
	require.ErrorAs(t, err, &unreadable)
}

// testEncryptedUnique has conflicts that the database cannot see by itself.
func testEncryptedUnique(t *testing.T, s *Suite) {
	ctx := t.Context()
	with := patients(t, s)
	require.NoError(t, kin.Insert(ctx, with(1).DB, newPatient("old", "1", 1), newPatient("other", "2", 2)))
	var unique *kin.UniqueError
	s.Wire.Reset()
	err := kin.Insert(ctx, with(1).DB, newPatient("new", "1", 1))
	require.ErrorAs(t, err, &unique)
	assert.Equal(t, []string{"SSN"}, unique.Fields)
	s.Wire.Want(t, 0, 0) // a statement that fails is not counted

	rotating := with(3, 2, 1).DB
	fresh := newPatient("new", "1", 3)
	require.ErrorAs(t, kin.Insert(ctx, rotating, fresh), &unique)
	s.Wire.Want(t, 1, 0) // the old one is encrypted anew, and then conflicts
	assert.Zero(t, fresh.ID)
	require.ErrorAs(t, kin.Insert(ctx, rotating, newPatient("x", "9", 9), newPatient("y", "2", 9)), &unique)
	ages := handColumnBy(t, s, scanBytes, "SELECT ssn FROM patients ORDER BY id")
	require.Len(t, ages, 2)
	assert.Equal(t, "t1", string(decryptByHand(t, secretKey(3), "patients.ssn", ages[0])))

	fresh.SSN.Set("3")
	require.NoError(t, kin.Insert(ctx, rotating, fresh))
	fresh.SSN.Set("2")
	require.ErrorAs(t, kin.Update(ctx, rotating, fresh), &unique)
	require.ErrorAs(t, kin.UpdateAll(ctx, rotating, []*patient{fresh}, "ssn"), &unique)
	s.Wire.Reset()
	require.NoError(t, kin.Update(ctx, rotating, fresh, "name"))
	s.Wire.Want(t, 1, 0) // nothing that is unique is written
	got, err := kin.Query[patient]().All(ctx, rotating)
	require.NoError(t, err)
	require.Len(t, got, 3)
	assert.Equal(t, []string{"1", "2", "3"}, []string{got[0].SSN.Get(), got[1].SSN.Get(), got[2].SSN.Get()})

	// Several NULLs are no conflict, and a transaction goes on.
	require.NoError(t, with(3, 1).DB.Tx(ctx, func(tx *kin.Tx) error {
		require.ErrorAs(t, kin.Insert(ctx, tx, newPatient("again", "2", 1)), &unique)
		return kin.Insert(ctx, tx, newPatient("n1", "", 1), newPatient("n2", "", 1))
	}))
	assert.Equal(t, 5, handOne[int](t, s, "SELECT COUNT(*) FROM patients"))
}

func testEncryptedUpsert(t *testing.T, s *Suite) {
	ctx := t.Context()
	with := patients(t, s)
	old := []*patient{newPatient("a", "1", 1), newPatient("b", "2", 2)}
	require.NoError(t, kin.Insert(ctx, with(1).DB, old...))
	rows := []*patient{newPatient("B", "2", 20), newPatient("C", "3", 30)}
	s.Wire.Reset()
	require.NoError(t, kin.Upsert(ctx, with(1).DB, rows, kin.OnConflict("ssn").Update("name", "age")))
	s.Wire.Want(t, 2, 2)
	assert.Equal(t, old[1].ID, rows[0].ID)
	assert.Equal(t, []string{"a 1 1", "B 2 20", "C 3 30"}, patientTable(t, s, 1))

	// Under another key.
	rotating := with(2, 1).DB
	rows = []*patient{newPatient("A", "1", 10), newPatient("D", "4", 40)}
	s.Wire.Reset()
	require.NoError(t, kin.Upsert(ctx, rotating, rows, kin.OnConflict("ssn")))
	s.Wire.Want(t, 3, 2)
	assert.Equal(t, old[0].ID, rows[0].ID)
	assert.Equal(t, []string{"A 1 10", "B 2 20", "C 3 30", "D 4 40"}, patientTable(t, s, 2, 1, 1, 2))

	s.Wire.Reset()
	got, created, err := kin.GetOrCreate(ctx, rotating, newPatient("x", "3", 9), "ssn")
	require.NoError(t, err)
	s.Wire.Want(t, 1, 1)
	assert.False(t, created)
	assert.Equal(t, "C", got.Name)
	fresh := newPatient("e", "5", 50)
	got, created, err = kin.GetOrCreate(ctx, rotating, fresh, "ssn", "age")
	require.NoError(t, err)
	assert.True(t, created)
	assert.Same(t, fresh, got)
	created, err = kin.UpdateOrCreate(ctx, rotating, newPatient("E", "5", 51), "ssn")
	require.NoError(t, err)
	assert.False(t, created)
	created, err = kin.UpdateOrCreate(ctx, rotating, newPatient("c", "3", 31), "ssn")
	require.NoError(t, err)
	assert.False(t, created)
	assert.Equal(t, []string{"A 1 10", "B 2 20", "c 3 31", "D 4 40", "E 5 51"}, patientTable(t, s, 2, 1, 2, 2, 2))
}

func testEncryptedSets(t *testing.T, s *Suite) {
	ctx := t.Context()
	with := patients(t, s)
	db := with(1).DB
	require.NoError(t, kin.Insert(ctx, db, newPatient("a", "1", 1), newPatient("b", "2", 2), newPatient("c", "", 2)))
	s.Wire.Reset()
	n, err := kin.Query[patient]().Filter("age", 2).Update(ctx, db, kin.Set("notes", "two"), kin.Set("age", kin.Encrypt(int8(3))))
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	s.Wire.Want(t, 1, 0)
	assert.Equal(t, []string{"a 1 1", "b 2 3 two", "c 3 two"}, patientTable(t, s, 1))
	n, err = kin.Query[patient]().Filter("ssn", "2").Update(ctx, db, kin.Set("ssn", nil), kin.Set("notes", kin.Encrypted[string]{}))
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	assert.Equal(t, []string{"a 1 1", "b 3", "c 3 two"}, patientTable(t, s, 1))
	n, err = kin.Query[patient]().Everything().Update(ctx, db,
		kin.Set("notes", kin.Case().When("first", "ssn", "1").When("second", "age", 3, "name", "b").Else(nil)))
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	assert.Equal(t, []string{"a 1 1 first", "b 3 second", "c 3"}, patientTable(t, s, 1))
	var unique *kin.UniqueError
	_, err = kin.Query[patient]().Filter("name", "b").Update(ctx, db, kin.Set("ssn", "1"))
	require.ErrorAs(t, err, &unique)
	n, err = kin.Query[patient]().Filter("ssn__in", []string{"1", "2"}).Delete(ctx, db)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	assert.Equal(t, []string{"b 3 second", "c 3"}, patientTable(t, s, 1))

	// The same set twice has other ciphertexts.
	q := kin.Query[patient]().Everything()
	var last []byte
	for range 2 {
		_, err = q.Update(ctx, db, kin.Set("notes", "same"))
		require.NoError(t, err)
		now := handColumnBy(t, s, scanBytes, "SELECT notes FROM patients")[0]
		assert.NotEqual(t, last, now)
		last = now
	}
}
