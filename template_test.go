package kin

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSignatureKnowsQueries fails when a query has a field that it had not: then
// signature.sign must add it, or leave such queries out.
func TestSignatureKnowsQueries(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 21, reflect.TypeFor[query]().NumField())
	assert.Equal(t, 5, reflect.TypeFor[reading]().NumField())
}
