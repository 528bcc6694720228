package kin

import (
	"context"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
)

// Pluck returns the values of one column of the query's rows, in their order: of
// a path over a to-many relation, one for each related row. NULL is an error,
// unless V is a pointer or a [database/sql.Null]; [Select] reads it.
func Pluck[T, V any](ctx context.Context, db Executor, q QuerySet[T], column Column[T, V]) ([]V, error) {
	return selecting[V](q, hydrate.ValueOf, column.F()).All(ctx, db)
}

// A Pair is two values of one row.
type Pair[A, B any] struct {
	A A
	B B
}

// PluckPairs returns the values of two columns of the query's rows, as [Pluck]
// does those of one.
func PluckPairs[T, A, B any](ctx context.Context, db Executor, q QuerySet[T], a Column[T, A], b Column[T, B]) ([]Pair[A, B], error) {
	return selecting[Pair[A, B]](q, hydrate.RecordOf, a.F(), b.F()).All(ctx, db)
}

// PluckMap returns the values of one column by those of another, which must
// differ from row to row.
func PluckMap[T any, K comparable, V any](ctx context.Context, db Executor, q QuerySet[T], key Column[T, K], value Column[T, V]) (map[K]V, error) {
	pairs, err := PluckPairs(ctx, db, q, key, value)
	if err != nil {
		return nil, err
	}
	m := make(map[K]V, len(pairs))
	for _, p := range pairs {
		if _, twice := m[p.A]; twice {
			return nil, fmt.Errorf("kin: two rows of %s have %v in the column %q, by which they are to be told apart", reflect.TypeFor[T]().Name(), p.A, unmarked([]string{string(key.Path())})[0])
		}
		m[p.A] = p.B
	}
	return m, nil
}

// RowsBy runs the query and returns its rows by the values of a field, which
// must differ from row to row.
func RowsBy[T any, K comparable](ctx context.Context, db Executor, q QuerySet[T], key func(row *T) K) (map[K]*T, error) {
	rows, err := q.All(ctx, db)
	if err != nil {
		return nil, err
	}
	m := make(map[K]*T, len(rows))
	for _, row := range rows {
		k := key(row)
		if _, twice := m[k]; twice {
			return nil, fmt.Errorf("kin: two rows of %s have %v, by which they are to be told apart", reflect.TypeFor[T]().Name(), k)
		}
		m[k] = row
	}
	return m, nil
}

// Value returns what one expression is of the query's rows, an aggregate of all
// of them, or of the only one.
//
//	total, err := kin.Value[float64](ctx, db, q, kin.Sum("price").Default(0))
func Value[V, T any](ctx context.Context, db Executor, q QuerySet[T], e Expr) (V, error) {
	return selecting[V](q, hydrate.ValueOf, e).Get(ctx, db)
}
