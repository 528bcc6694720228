package kin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// finderTries is how often a row is looked for and created that others create
// and delete at the same time.
const finderTries = 10

// finderDoubts is how often a row is looked for again after the database has
// said that it is there, but not by which columns.
const finderDoubts = 3

// GetOrCreate returns the row that agrees with row in the columns, which
// lookups name, and whether it was created: if there is none, row is inserted
// and returned. The columns should be unique together; then, if others do the
// same at the same time, one row is created and all get it. Several rows that
// agree are [ErrMultipleFound].
//
// Within a transaction that sees the database as it was at its beginning, the
// row that another has created since is there and cannot be read: that is
// [ErrConflict], and the transaction may be run again.
func GetOrCreate[T any](ctx context.Context, db Executor, row *T, columns ...Path[T]) (found *T, created bool, err error) {
	s := db.session()
	ctx = s.onPrimary(ctx)
	_, m, err := toWrite[T](s)
	if err != nil {
		return nil, false, err
	}
	q, err := same(m, row, row == nil, texts(columns))
	if err != nil {
		return nil, false, err
	}
	var unique *UniqueError
	for try := range finderTries {
		found, err = queryRow[T](q.single(ctx, db, m.Type, oneRow))
		if !errors.Is(err, ErrNotFound) {
			return found, false, err
		}
		if err = Insert(ctx, db, row); err == nil {
			return row, true, nil
		}
		if s.again(ctx, err, try) {
			continue
		}
		if !errors.As(err, &unique) {
			return nil, false, err
		}
		// Another was faster, and its row is the one; or it is another row,
		// with which this one agrees in columns that say nothing of it.
		if found, readErr := queryRow[T](q.single(ctx, db, m.Type, oneRow)); !errors.Is(readErr, ErrNotFound) {
			return found, false, readErr
		}
		if hidden, seeErr := q.hidden(ctx, db, m); hidden || seeErr != nil {
			return nil, false, errors.Join(seeErr, fmt.Errorf("kin: get or create of %s: the row that has its unique values is softly deleted or outside a filter: %w",
				reflect.TypeFor[T]().Name(), err))
		}
		fields := written(m, unique.Fields)
		other, otherErr := q.other(ctx, db, m, row, texts(columns), fields)
		if otherErr != nil {
			return nil, false, otherErr
		}
		if other || len(fields) == 0 && try >= finderDoubts {
			return nil, false, fmt.Errorf("kin: get or create of %s: another row has its unique values, in other columns than %v: %w",
				reflect.TypeFor[T]().Name(), columns, err)
		}
		s.giveWay(ctx, try)
	}
	return nil, false, fmt.Errorf("%w: %w", ErrConflict, err)
}

// hidden reports whether the query would have rows if none were softly deleted
// or outside a filter.
func (q *query) hidden(ctx context.Context, db Executor, m *schema.Model) (bool, error) {
	s := db.session()
	if m.Deleted == nil && s.filters == nil {
		return false, nil
	}
	return q.withDeleted().exists(s.unfiltered(ctx), db, m.Type)
}

// unfiltered returns the context in which no filter holds.
func (s *session) unfiltered(ctx context.Context) context.Context {
	if s.filters == nil {
		return ctx
	}
	return WithoutFilter(ctx, slices.Collect(s.filters.names())...)
}

// other reports whether there is a row, hidden or not, that agrees with row in
// the fields, which are unique together, and not in the columns. That the
// database has named other fields does not say so: a row that is the same in
// both, and has gone since, breaks them all, and one is named.
func (q *query) other(ctx context.Context, db Executor, m *schema.Model, row any, columns, fields []string) (bool, error) {
	if len(fields) == 0 {
		return false, nil
	}
	var shared []string
	for name := range m.Members() {
		if f := m.FieldOf(name); f != nil && slices.Contains(fields, f.Name) {
			shared = append(shared, name)
		}
	}
	q, err := same(m, row, false, shared)
	if err != nil {
		return false, err
	}
	args := make([]any, 0, 2*len(columns))
	for _, name := range columns {
		args = append(args, name, reflect.ValueOf(row).Elem().FieldByIndex(m.FieldOf(name).Index).Interface())
	}
	q = q.filtering(m.Type, true, columns[0], args[1], args[2:]).own().withDeleted()
	return q.exists(db.session().unfiltered(ctx), db, m.Type)
}

// again reports, after a pause, whether a statement that was outside a
// transaction may succeed if it is run again: it stood in another's way.
func (s *session) again(ctx context.Context, err error, try int) bool {
	return s.tx == nil && (errors.Is(err, ErrDeadlock) || errors.Is(err, ErrConflict)) && pause(ctx, try) == nil
}

// giveWay lets others finish what they are at. Within a transaction, they may
// be waiting for it.
func (s *session) giveWay(ctx context.Context, try int) {
	if s.tx == nil {
		_ = pause(ctx, try) // the next statement says that the context has ended
	}
}

// UpdateOrCreate updates the row that agrees with row in the columns, which
// lookups name, with all other values of row, or inserts row if there is none.
// It reports whether it was created. row has its primary key afterwards. What
// is said of others at [GetOrCreate] holds here too. If the model has a
// version, a row that has been read must not be stale, and one that has not
// takes the version that is there: if another changes that just then, the
// error is [ErrStale].
func UpdateOrCreate[T any](ctx context.Context, db Executor, row *T, columns ...Path[T]) (created bool, err error) {
	s := db.session()
	ctx = s.onPrimary(ctx)
	_, m, err := toWrite[T](s)
	if err != nil {
		return false, err
	}
	for try := range finderTries {
		found, created, err := GetOrCreate(ctx, db, row, columns...)
		if err != nil || created {
			return created, err
		}
		err = restoring([]any{row}, func() error {
			if err := adopt(m, row, found); err != nil {
				return err
			}
			if err := Update(ctx, db, row); err != nil {
				return err
			}
			return Bind(db, row)
		})
		switch {
		case errors.Is(err, ErrNotFound): // by another's delete, there is no row to update any more
			s.giveWay(ctx, try)
		case !s.again(ctx, err, try):
			return false, err
		}
	}
	return false, fmt.Errorf("kin: update or create of %s: %w", reflect.TypeFor[T]().Name(), ErrConflict)
}

// adopt gives row what only the row that is there can know of itself: its key,
// when it was created, and its version, unless row has been read before.
func adopt(m *schema.Model, row, found any) error {
	key, err := hydrate.KeyOf(m.Struct.Key(), found)
	if err == nil {
		err = hydrate.SetKey(m.Struct.Key(), row, key)
	}
	if err != nil {
		return err
	}
	for _, c := range m.Created {
		hydrate.CopyColumn(c, row, found)
	}
	if m.Version != nil && hydrate.IsZero(m.Version.Field, row) {
		hydrate.CopyColumn(m.Version, row, found)
	}
	return nil
}

// same returns the query for rows that agree with row in the columns.
func same(m *schema.Model, row any, none bool, columns []string) (q *query, err error) {
	if none || len(columns) == 0 {
		return q, fmt.Errorf("kin: get or create of %s: takes a row and the columns that say which one it is", m.Name)
	}
	for _, name := range columns {
		mem, ok := m.Member(name)
		switch {
		case ok && mem.Column != nil && mem.Column.Computed:
			return q, fmt.Errorf("kin: get or create of %s: %s is generated by the database, and not known before the row is written; name columns that are",
				m.Name, mem.Column.GoName())
		case ok && mem.Column != nil && slices.Contains(leftBy(m, row, nil), mem.Column):
			return q, fmt.Errorf("kin: get or create of %s: %s is left to the database while it is zero; set it, or name other columns",
				m.Name, mem.Column.GoName())
		case ok && mem.Column != nil:
			q = q.filtering(m.Type, false, name, reflect.ValueOf(row).Elem().FieldByIndex(mem.Column.Field.Index).Interface(), nil)
		case ok && mem.Relation.Kind == schema.ToOne:
			key, null, err := hydrate.ForeignKeyOf(row, mem.Relation.Field)
			if err != nil {
				return q, fmt.Errorf("kin: get or create of %s: %s %w", m.Name, mem.Relation.GoName(), err)
			}
			if null {
				q = q.filtering(m.Type, false, name, nil, nil)
				continue
			}
			q = q.derived()
			q.fixed = append(q.fixed, plan.Fixed{Field: mem.Relation.Field.Name, Key: key})
		default:
			return q, fmt.Errorf("kin: get or create of %s: %s has no column %q%s", m.Name, m.Name, name, schema.Suggest(name, m.Members()))
		}
	}
	return q.own(), nil
}
