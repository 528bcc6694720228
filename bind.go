package kin

import (
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
)

// Bind tells the relation fields of rows which rows they are in, as reading
// and inserting do: for rows that were made otherwise, from JSON for example,
// and whose primary key is set. Rows that they hold in turn are not bound. The
// models are those of db.
func Bind[T any](db Executor, rows ...*T) error {
	g, err := db.session().space.graph()
	if err != nil {
		return err
	}
	m, err := modelOf(g, reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	for _, row := range rows {
		hydrate.Bind(m, row)
	}
	return nil
}
