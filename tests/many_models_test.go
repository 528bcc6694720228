package tests_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
	"github.com/kin-orm/kin/tests"
)

// manyModels and manyRelations are the least that there are in ManyRegistry.
const manyModels, manyRelations = 150, 300

// BenchmarkManyModels is a query in a registry of four models, and in one of all
// that there are.
func BenchmarkManyModels(b *testing.B) {
	for name, registry := range registries() {
		b.Run(name, func(b *testing.B) {
			for name, run := range fewQueries(b, registry) {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						run()
					}
				})
			}
		})
	}
}

// TestManyModels holds that models which a query does not touch cost it nothing.
func TestManyModels(t *testing.T) { //nolint:paralleltest // others would be counted
	many := tests.ManyRegistry()
	models, err := many.Models()
	require.NoError(t, err)
	joins, err := many.Joins()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(models), manyModels)
	require.GreaterOrEqual(t, len(joins), manyRelations)

	counts := map[string]map[string]float64{}
	for name, registry := range registries() {
		counts[name] = map[string]float64{}
		for query, run := range fewQueries(t, registry) {
			run()
			run()
			counts[name][query] = testing.AllocsPerRun(50, run)
		}
	}
	require.Len(t, counts["few"], 3)
	for query, few := range counts["few"] {
		// With -race, a sync.Pool loses some of what it is given.
		assert.InDelta(t, few, counts["many"][query], 2, query)
	}
}

func registries() map[string]*kin.Registry {
	few := &kin.Registry{}
	kin.Register[tests.SchoolClass](few)
	kin.Register[tests.Category](few)
	kin.Register[tests.Student](few)
	kin.Register[tests.Teacher](few)
	return map[string]*kin.Registry{"few": few, "many": tests.ManyRegistry()}
}

// fewQueries returns ways to ask for classes.
func fewQueries(t testing.TB, r *kin.Registry) map[string]func() {
	t.Helper()
	ctx := context.Background()
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(r))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for _, text := range []string{
		"CREATE TABLE school_classes (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
		"CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
		"CREATE TABLE students (id INTEGER PRIMARY KEY, name TEXT NOT NULL, class_id INTEGER NOT NULL, category_id INTEGER)",
		"CREATE TABLE teachers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, class_id INTEGER NOT NULL, category_id INTEGER)",
	} {
		_, err := db.SQL().ExecContext(ctx, text)
		require.NoError(t, err)
	}
	class := &tests.SchoolClass{Name: "1A"}
	require.NoError(t, kin.Insert(ctx, db, class))
	require.NoError(t, kin.Insert(ctx, db, &tests.Student{Name: "Ada", Class: kin.To(class)}))
	kept := kin.Query[tests.SchoolClass]().SelectRelated("students__category", "teachers")
	return map[string]func(){
		"kept": func() {
			list, err := kept.All(ctx, db)
			require.NoError(t, err)
			require.Len(t, list, 1)
		},
		"fresh": func() {
			n, err := kin.Query[tests.SchoolClass]().Filter("students__name", "Ada", "students__category", nil).Count(ctx, db)
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
		},
		"text": func() {
			_, _, err := kin.Query[tests.SchoolClass]().Filter("students__category__name", "x").SQL(db.Dialect())
			require.NoError(t, err)
		},
	}
}
