package kin_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// TestConcurrentRegistry registers and uses models from 16 goroutines. The
// race detector is what judges it.
func TestConcurrentRegistry(t *testing.T) {
	t.Parallel()
	adds := []registration{
		register[registryPupil], register[registryGrade], register[registryLesson], register[registryMatch],
		register[registrySeat], register[registryTicket],
	}
	for range 20 {
		var r kin.Registry
		start := make(chan struct{})
		var wait sync.WaitGroup
		for i := range 16 {
			wait.Go(func() {
				<-start
				adds[i%len(adds)](&r)
				// Whether the models are complete yet is a matter of luck.
				_ = r.Check()
				_, _ = r.Models()
				_, _ = r.ResolveRelationJoin("registryPupil", "registryGrade")
				_, _, _ = kin.Query[registryGrade]().SelectRelated("pupils").SQL(sqlite.Dialect{})
			})
		}
		close(start)
		wait.Wait()
		require.NoError(t, r.Check())
		names, err := r.Models()
		require.NoError(t, err)
		require.Len(t, names, len(adds))
	}
}

// TestConcurrentQuery runs one query from 16 goroutines, while models that
// have nothing to do with it are being registered.
func TestConcurrentQuery(t *testing.T) {
	t.Parallel()
	var r kin.Registry
	kin.Register[registryGrade](&r)
	kin.Register[registryPupil](&r)
	db := open(t, &r)
	grade := &registryGrade{Name: "1A"}
	require.NoError(t, kin.Insert(t.Context(), db, grade))
	require.NoError(t, kin.Insert(t.Context(), db, &registryPupil{Name: "Ann", Grade: kin.To(grade)}))
	query := kin.Query[registryGrade]().SelectRelated("pupils__grade").Filter("pupils__name", "Ann")
	adds := []registration{register[registryLesson], register[registrySeat]}
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			if i%8 == 3 {
				adds[i/8](&r)
			}
			found, err := query.All(t.Context(), db)
			if assert.NoError(t, err) && assert.Len(t, found, 1) {
				assert.Equal(t, "Ann", found[0].Pupils.All()[0].Name)
			}
		})
	}
	wait.Wait()
}
