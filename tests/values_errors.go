package tests

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func valueErrorCases() []Case {
	return []Case{
		{"values/texts that no column holds are refused", testBadTexts},
		{"values/NULL where the field has no place for it", testUnexpectedNull},
		{"values/a value of another type in the column", testWrongType},
		{"values/a number out of the field's range", testReadOutOfRange},
	}
}

// A person has texts of several types.
type person struct {
	ID    int64
	Name  string
	Nick  *string
	Mood  colour
	Place point
}

func testBadTexts(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[person])
	for _, bad := range []struct{ text, says, why string }{
		{"a\x00b", "U+0000", "PostgreSQL refuses it, SQLite's functions stop there"},
		{"\x00", "U+0000", "alone"},
		{"a\xffb", "UTF-8", "a byte that UTF-8 has nowhere"},
		{"\xed\xa0\x80", "UTF-8", "half of a surrogate pair"},
		{"caf\xe9", "UTF-8", "Latin-1"},
		{"\xf0\x9f\x98", "UTF-8", "an emoji cut short"},
	} {
		for field, row := range map[string]*person{
			"Name": {Name: bad.text}, "Nick": {Nick: &bad.text}, "Mood": {Mood: colour(bad.text)},
		} {
			err := kin.Insert(t.Context(), s.DB, &person{Name: "fine"}, row, &person{Name: "fine too"})
			require.Error(t, err, bad.why)
			assert.Contains(t, err.Error(), "person."+field, bad.why)
			assert.Contains(t, err.Error(), bad.says, bad.why)
			assert.Zero(t, row.ID)
		}
		for lookup, value := range map[string]any{
			"name": bad.text, "nick": bad.text, "mood": bad.text, "name__contains": bad.text, "name__iexact": bad.text,
			"name__in": []string{"a", bad.text}, "name__range": []string{"a", bad.text},
		} {
			_, err := kin.Query[person]().Filter(lookup, value).All(t.Context(), s.DB)
			require.Error(t, err, "%s: %s", lookup, bad.why)
			assert.Contains(t, err.Error(), "person.", lookup)
			assert.Contains(t, err.Error(), bad.says, lookup)
		}
	}
	s.Wire.Want(t, 0, 0)
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM people"))
}

// A slot has fields that hold no NULL, on a table that does.
type slot struct {
	ID   int64
	I    int64
	U    uint8
	F    float64
	B    bool
	S    string
	Raw  []byte
	Data map[string]int `kin:",json"`
}

func testUnexpectedNull(t *testing.T, s *Suite) {
	s = s.modelsOf(kin.Register[slot])
	s.Exec(t, `CREATE TABLE slots (id bigint PRIMARY KEY, i bigint, u bigint, f double precision, b `+
		map[string]string{"sqlite": "INTEGER", "postgres": "boolean", "mysql": "boolean"}[s.Name]+
		`, s varchar(10), raw `+map[string]string{"sqlite": "BLOB", "postgres": "bytea", "mysql": "blob"}[s.Name]+`, data `+
		map[string]string{"sqlite": "TEXT", "postgres": "jsonb", "mysql": "json"}[s.Name]+`)`)
	s.Exec(t, `INSERT INTO slots VALUES (1, 0, 0, 0, false, '', '', '{}')`)
	got, err := kin.Query[slot]().All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, []*slot{{ID: 1, Raw: []byte{}, Data: map[string]int{}}}, got)
	for field, column := range map[string]string{"I": "i", "U": "u", "F": "f", "B": "b", "S": "s", "Raw": "raw", "Data": "data"} {
		s.Exec(t, `DELETE FROM slots`)
		s.Exec(t, `INSERT INTO slots VALUES (1, 0, 0, 0, false, '', '', '{}')`)
		s.Exec(t, `UPDATE slots SET `+column+` = NULL`)
		want := fmt.Sprintf("slot.%s (column %q of \"slots\") is NULL", field, column)
		_, err := kin.Query[slot]().All(t.Context(), s.DB)
		require.ErrorContains(t, err, want)
		for row, err := range kin.Query[slot]().Iter(t.Context(), s.DB) {
			assert.Nil(t, row)
			require.ErrorContains(t, err, want)
		}
	}
}

func testWrongType(t *testing.T, s *Suite) {
	type gauge struct {
		ID   int64
		I    int64
		F    float64
		B    bool
		S    string
		Raw  []byte
		Time Stamps `kin:"-"`
	}
	s = s.modelsOf(kin.Register[gauge])
	// A table that someone made with text where kin's model has something
	// else. SQLite lets any column be like that.
	types := map[string]string{"sqlite": "bigint, f REAL, b INTEGER", "postgres": "text, f text, b text", "mysql": "text, f text, b text"}[s.Name]
	s.Exec(t, `CREATE TABLE gauges (id bigint PRIMARY KEY, i `+types+`, s varchar(10), raw `+
		map[string]string{"sqlite": "BLOB", "postgres": "bytea", "mysql": "blob"}[s.Name]+`)`)
	for _, bad := range []struct{ field, column, value, why string }{
		{"I", "i", "abc", "text in an integer"},
		{"I", "i", "", "an empty text is not zero"},
		{"I", "i", "12abc", "what begins like a number is none"},
		{"I", "i", "1.5", "a fraction is not cut off"},
		{"I", "i", "9223372036854775808", "too big for an int64"},
		{"F", "f", "abc", "text in a float"},
		{"B", "b", "abc", "text in a boolean"},
		{"B", "b", "2", "neither true nor false"},
	} {
		s.Exec(t, `DELETE FROM gauges`)
		s.Exec(t, `INSERT INTO gauges VALUES (1, '1', '1', '1', 'x', '')`)
		got, err := kin.Query[gauge]().All(t.Context(), s.DB)
		require.NoError(t, err)
		require.Equal(t, []*gauge{{ID: 1, I: 1, F: 1, B: true, S: "x", Raw: []byte{}}}, got)
		s.Exec(t, `UPDATE gauges SET `+bad.column+` = '`+bad.value+`'`)
		_, err = kin.Query[gauge]().All(t.Context(), s.DB)
		require.Error(t, err, bad.why)
		assert.Contains(t, err.Error(), fmt.Sprintf("gauge.%s (column %q of \"gauges\")", bad.field, bad.column), bad.why)
	}
}

func testReadOutOfRange(t *testing.T, s *Suite) {
	s = s.modelsOf(kin.Register[Cell[int8]], kin.Register[Cell[uint16]])
	for _, bad := range []struct {
		table, value string
		read         func(context.Context) error
		says         string
	}{
		{Cell[int8]{}.KinTable().Name, "128", func(ctx context.Context) error {
			_, err := kin.Query[Cell[int8]]().All(ctx, s.DB)
			return err
		}, "the database gave 128, which is out of the range of int8"},
		{Cell[uint16]{}.KinTable().Name, "-1", func(ctx context.Context) error {
			_, err := kin.Query[Cell[uint16]]().All(ctx, s.DB)
			return err
		}, "unsigned integer"},
	} {
		s.Exec(t, "CREATE TABLE "+bad.table+" (id bigint PRIMARY KEY, v bigint)")
		s.Exec(t, "INSERT INTO "+bad.table+" VALUES (1, "+bad.value+")")
		err := bad.read(t.Context())
		require.ErrorContains(t, err, bad.says)
		require.ErrorContains(t, err, `.V (column "v" of `)
	}
}
