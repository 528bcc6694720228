package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// A Conflict says which rows [Upsert] takes for the same, and what it does
// with them. It is made by [OnConflict].
type Conflict struct {
	by     []string
	update []string
	ignore bool
}

// OnConflict takes rows for the same if they agree in the columns, which
// lookups name and which are unique together.
func OnConflict(columns ...string) Conflict { return Conflict{by: columns} }

// Update has the columns of a row that is there already set to the new row's.
func (c Conflict) Update(columns ...string) Conflict {
	c.update, c.ignore = slices.Clone(columns), false
	return c
}

// DoNothing leaves a row that is there already as it is.
func (c Conflict) DoNothing() Conflict {
	c.update, c.ignore = nil, true
	return c
}

// Upsert inserts rows, and for those that are there already does what the
// Conflict says: without Update and DoNothing, it sets all columns but the
// primary key and those of the conflict. The primary keys of all rows are set
// afterwards, whether they were inserted or not. All rows are written or none,
// in a few statements.
//
// Rows that conflict in another unique column than those named are a
// [*UniqueError].
func Upsert[T any](ctx context.Context, db Executor, rows []*T, conflict Conflict) error {
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil {
		return err
	}
	u := upserter{session: s, model: m, conflict: conflict}
	if err := u.prepare(); err != nil {
		return fmt.Errorf("kin: upsert of %s: %w", m.Name, err)
	}
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("kin: upsert of %s: row %d of %d is nil", m.Name, i+1, len(rows))
		}
		if err := u.add(row); err != nil {
			return fmt.Errorf("kin: upsert of %s: %w", m.Name, err)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := s.transact(ctx, func(s *session) error { return u.run(ctx, s) }); err != nil {
		return fmt.Errorf("kin: upsert of %s: %w", m.Name, s.fault(ctx, m, err))
	}
	for i, row := range rows {
		if m.Auto != nil {
			if err := hydrate.SetGenerated(m, row, u.found[u.identity[i]]); err != nil {
				return fmt.Errorf("kin: upsert of %s: %w", m.Name, err)
			}
		}
		hydrate.Bind(m, row)
	}
	if m.Struct.Track != nil {
		s.forget(m, untyped(rows), true) // rows that were there already keep what was not set
	}
	return nil
}

type upserter struct {
	*session
	model    *schema.Model
	rows     []any
	conflict Conflict
	by       []*schema.Column // of the conflict
	set      []*schema.Column
	columns  []*schema.Column // all but the generated key
	values   [][]driver.Value // by row
	identity []rel.Key        // by row: what it has in by
	found    map[rel.Key]driver.Value
}

// prepare finds the columns.
func (u *upserter) prepare() error {
	var bad string
	var ok bool
	if u.by, bad, ok = u.model.ColumnsOf(u.conflict.by); !ok {
		return fmt.Errorf("%s has no column %q%s", u.model.Name, bad, schema.Suggest(bad, u.model.Members()))
	}
	if !u.model.IsUnique(u.by) {
		return fmt.Errorf("the columns of a conflict are unique together: tag one unique, or name the set in a KinTable method (%v is not)", u.conflict.by)
	}
	if u.set, bad, ok = u.model.ColumnsOf(u.conflict.update); !ok {
		return fmt.Errorf("%s has no column %q%s", u.model.Name, bad, schema.Suggest(bad, u.model.Members()))
	}
	for _, c := range u.model.Columns {
		if !c.Auto || slices.Contains(u.by, c) {
			u.columns = append(u.columns, c)
		}
		if u.conflict.update == nil && !u.conflict.ignore && !c.Key && !slices.Contains(u.by, c) {
			u.set = append(u.set, c)
		}
	}
	for _, c := range u.set {
		if c.Key || slices.Contains(u.by, c) {
			return fmt.Errorf("%s says which row it is, and is not changed", c.GoName())
		}
	}
	u.found = map[rel.Key]driver.Value{}
	return nil
}

func (u *upserter) add(row any) error {
	if auto := u.model.Auto; auto != nil && slices.Contains(u.by, auto) && !hydrate.HasGenerated(u.model, row) {
		return fmt.Errorf("a row %w", ErrUnsaved)
	}
	values, err := hydrate.Values(nil, u.columns, row, u.dialect.Traits())
	if err != nil {
		return err
	}
	id, err := u.identityOf(func(i int) driver.Value { return values[slices.Index(u.columns, u.by[i])] })
	if err != nil {
		return err
	}
	if _, twice := u.found[id]; twice {
		return errors.New("two of the rows are the same by the columns of the conflict")
	}
	u.rows = append(u.rows, row)
	u.values = append(u.values, values)
	u.identity = append(u.identity, id)
	u.found[id] = nil
	return nil
}

// identityOf returns what a row has in the columns of the conflict.
func (u *upserter) identityOf(value func(i int) driver.Value) (rel.Key, error) {
	parts := make([]rel.Key, len(u.by))
	for i, c := range u.by {
		v := value(i)
		if v == nil {
			return rel.Key{}, fmt.Errorf("%s is NULL, which conflicts with nothing", c.GoName())
		}
		var err error
		if parts[i], err = rel.ReadKey(c.Value, v); err != nil {
			return rel.Key{}, fmt.Errorf("%s: %w", c.GoName(), err)
		}
	}
	return rel.Join(parts), nil
}

func (u *upserter) run(ctx context.Context, s *session) error {
	u.session = s
	if err := s.reseal(ctx, u.model, u.rows, u.columns); err != nil {
		return err
	}
	size := s.chunk(len(u.columns))
	for from := 0; from < len(u.values); from += size {
		to := min(from+size, len(u.values))
		text := sqlgen.Upsert(s.dialect, u.model.Table, u.columns, u.values[from:to], u.by, u.set)
		if text.Err != nil {
			return text.Err
		}
		if _, err := s.Exec(ctx, text.SQL, anys(text.Args)); err != nil {
			return err
		}
		// MariaDB takes a conflict in any unique column for this one: that the
		// rows can be found says that it was this one.
		if u.model.Auto == nil && !s.dialect.Traits().OnDuplicateKey {
			continue
		}
		if err := u.keys(ctx, u.identity[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// keys reads the generated keys of rows, by what they have in the columns of
// the conflict: no database tells them in the order of the rows, or at all
// for rows that were there already.
func (u *upserter) keys(ctx context.Context, identity []rel.Key) error {
	stmt, err := plan.KeysBy(u.model, u.by, identity, u.dialect)
	if err != nil {
		return err
	}
	text := sqlgen.Write(stmt, u.dialect)
	if text.Err != nil {
		return text.Err
	}
	rows, err := u.Query(ctx, text.SQL, anys(text.Args))
	if err != nil {
		return err
	}
	row := make([]driver.Value, 1+len(u.by))
	rows.Bind(row)
	n := 0
	for err = rows.Next(); err == nil; err = rows.Next() {
		id, idErr := u.identityOf(func(i int) driver.Value { return row[1+i] })
		if idErr != nil {
			return errors.Join(idErr, rows.Close())
		}
		u.found[id] = row[0]
		n++
	}
	if err := endOf(err, rows); err != nil {
		return err
	}
	if n != len(identity) {
		return &UniqueError{Violation{
			Model: u.model.Name,
			Err:   fmt.Errorf("%d of %d rows conflict in other columns than %v", len(identity)-n, len(identity), u.conflict.by),
		}}
	}
	return nil
}

// GetOrCreate returns the row that agrees with row in the columns, which
// lookups name, and whether it was created: if there is none, row is inserted
// and returned. The columns should be unique together; then, if others do the
// same at the same time, one row is created and all get it. Several rows that
// agree are [ErrMultipleFound].
func GetOrCreate[T any](ctx context.Context, db Executor, row *T, columns ...string) (found *T, created bool, err error) {
	q, err := same(db, row, columns)
	if err != nil {
		return nil, false, err
	}
	found, err = q.Get(ctx, db)
	if !errors.Is(err, ErrNotFound) {
		return found, false, err
	}
	err = db.session().transact(ctx, func(s *session) error { return Insert(ctx, &Tx{*s}, row) })
	if err == nil {
		return row, true, nil
	}
	if _, lost := errors.AsType[*UniqueError](err); !lost {
		return nil, false, err
	}
	// Another was faster: its row is the one.
	found, readErr := q.Get(ctx, db)
	if readErr != nil {
		return nil, false, errors.Join(err, readErr)
	}
	return found, false, nil
}

// UpdateOrCreate updates the row that agrees with row in the columns, which
// lookups name, with all other values of row, or inserts row if there is none.
// It reports whether it was created. row has its primary key afterwards.
func UpdateOrCreate[T any](ctx context.Context, db Executor, row *T, columns ...string) (created bool, err error) {
	found, created, err := GetOrCreate(ctx, db, row, columns...)
	if err != nil || created {
		return created, err
	}
	key, err := hydrate.KeyOf(keyOf[T](), found)
	if err != nil {
		return false, err
	}
	old, err := hydrate.KeyOf(keyOf[T](), row)
	if err := hydrate.SetKey(keyOf[T](), row, key); err != nil {
		return false, err
	}
	if updateErr := Update(ctx, db, row); updateErr != nil {
		if err == nil {
			updateErr = errors.Join(updateErr, hydrate.SetKey(keyOf[T](), row, old))
		} else {
			hydrate.ClearKey(keyOf[T](), row)
		}
		return false, updateErr
	}
	return false, Bind(db, row)
}

// same returns the query for rows that agree with row in the columns.
func same[T any](db Executor, row *T, columns []string) (QuerySet[T], error) {
	_, m, err := toWrite[T](db.session())
	if err != nil {
		return QuerySet[T]{}, err
	}
	if row == nil || len(columns) == 0 {
		return QuerySet[T]{}, fmt.Errorf("kin: get or create of %s: takes a row and the columns that say which one it is", m.Name)
	}
	q := Query[T]()
	for _, name := range columns {
		mem, ok := m.Member(name)
		switch {
		case ok && mem.Column != nil:
			q = q.Filter(name, reflect.ValueOf(row).Elem().FieldByIndex(mem.Column.Field.Index).Interface())
		case ok && mem.Relation.Kind == schema.ToOne:
			key, null, err := hydrate.ForeignKeyOf(row, mem.Relation.Field)
			if err != nil {
				return q, fmt.Errorf("kin: get or create of %s: %s %w", m.Name, mem.Relation.GoName(), err)
			}
			if null {
				q = q.Filter(name, nil)
				continue
			}
			q = q.with(func(q *query) {
				q.fixed = append(q.fixed, plan.Fixed{Field: mem.Relation.Field.Name, Key: key})
			})
		default:
			return q, fmt.Errorf("kin: get or create of %s: %s has no column %q%s", m.Name, m.Name, name, schema.Suggest(name, m.Members()))
		}
	}
	return q, nil
}
