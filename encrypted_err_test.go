package kin

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type errPatient struct {
	ID    int64
	SSN   Encrypted[string] `kin:",deterministic"`
	Notes Encrypted[string]
}

// TestEncryptedLayout guards what internal/hydrate takes for granted: an
// Encrypted is a pointer to a pointer to its value, and nothing else.
func TestEncryptedLayout(t *testing.T) {
	t.Parallel()
	e := Encrypt(errPatient{ID: 5})
	assert.Equal(t, reflect.TypeFor[uintptr]().Size(), reflect.TypeOf(e).Size())
	assert.Equal(t, int64(5), (**e.sealed.Value).ID)
}

// TestEncryptedErr looks at queries without a database, and so without its
// keys, as QuerySet.Err and QuerySet.SQL do.
func TestEncryptedErr(t *testing.T) {
	t.Parallel()
	var models Registry
	Register[errPatient](&models)
	look := func(q QuerySet[errPatient]) (*compiled, error) {
		return q.q.compile(t.Context(), &session{dialect: neutral{}, space: models.space()}, reflect.TypeFor[errPatient](), variant{form: allRows})
	}
	found, err := look(Query[errPatient]().Filter("ssn", "078-05-1120"))
	require.NoError(t, err)
	assert.Contains(t, found.sql, `WHERE "err_patients"."ssn" = ?`)
	assert.NotContains(t, fmt.Sprintf("%s", found.args), "078")
	_, err = look(Query[errPatient]().Filter("notes", "x"))
	require.ErrorContains(t, err, "encrypted differently each time")

	ssn := Encrypt("1")
	q := Query[errPatient]().Filter("ssn", &ssn, "ssn__in", []*Encrypted[string]{&ssn})
	ssn.Set("2")
	got, err := look(q)
	require.NoError(t, err)
	want, err := look(Query[errPatient]().Filter("ssn", "1", "ssn__in", []string{"1"}))
	require.NoError(t, err)
	assert.Equal(t, want.args, got.args, "a query has the value that it was given")
}
