package tests

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func faultCases() []Case {
	return []Case{{"faults/constraints", testConstraintFaults}}
}

type faultUser struct {
	ID    int64
	Email string                    `kin:",size=20,unique"`
	First string                    `kin:",size=20"`
	Last  string                    `kin:",size=20"`
	Age   int64                     `kin:",type=smallint"`
	Boss  kin.ForeignKey[faultUser] `kin:",null,related_name=team"`
}

func (faultUser) KinTable() kin.Table {
	return kin.Table{Unique: [][]string{{"first", "last"}}, Checks: []string{"age >= 0"}}
}

type faultCode struct {
	Code string `kin:",pk,size=5"`
}

func testConstraintFaults(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[faultUser], kin.Register[faultCode])
	require.NoError(t, kin.Insert(ctx, s.DB, &faultUser{Email: "a@b", First: "A", Last: "B"}))
	require.NoError(t, kin.Insert(ctx, s.DB, &faultCode{Code: "x"}))

	var unique *kin.UniqueError
	err := kin.Insert(ctx, s.DB, &faultUser{Email: "a@b", First: "C", Last: "D"})
	require.ErrorAs(t, err, &unique)
	assert.Equal(t, "faultUser", unique.Model)
	assert.Equal(t, []string{"Email"}, unique.Fields)
	require.ErrorContains(t, err, "kin: insert of faultUser: faultUser.Email is not unique: ")

	require.ErrorAs(t, kin.Insert(ctx, s.DB, &faultUser{Email: "c@d", First: "A", Last: "B"}), &unique)
	assert.Equal(t, []string{"First", "Last"}, unique.Fields)

	require.ErrorAs(t, kin.Insert(ctx, s.DB, &faultCode{Code: "x"}), &unique)
	assert.Equal(t, "faultCode", unique.Model)
	assert.Equal(t, []string{"Code"}, unique.Fields)

	var key *kin.ForeignKeyError
	require.ErrorAs(t, kin.Insert(ctx, s.DB, &faultUser{Email: "e", First: "E", Boss: kin.Key[faultUser](99)}), &key)
	assert.Equal(t, "faultUser", key.Model)
	if s.Name != "sqlite" { // which does not say which foreign key it is
		assert.Equal(t, []string{"Boss"}, key.Fields)
	}

	var check *kin.CheckError
	require.ErrorAs(t, kin.Insert(ctx, s.DB, &faultUser{Email: "f", First: "F", Age: -1}), &check)
	assert.Equal(t, "ck_fault_users_1", check.Constraint)

	var long *kin.TooLongError
	require.ErrorAs(t, kin.Insert(ctx, s.DB, &faultUser{Email: strings.Repeat("é", 21), First: "G"}), &long)
	if s.Name != "postgres" { // which does not say which column it is
		assert.Equal(t, []string{"Email"}, long.Fields)
	}

	if s.Name != "sqlite" { // whose integers have 64 bits, whatever they are called
		var outside *kin.RangeError
		require.ErrorAs(t, kin.Insert(ctx, s.DB, &faultUser{Email: "h", First: "H", Age: 40_000}), &outside)
	}

	n, err := kin.Query[faultUser]().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}
