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
// primary key, those of the conflict, and times of creation. The primary keys,
// versions and times of creation of all rows are set afterwards, whether they
// were inserted or not. All rows are written or none, in a few statements.
//
// Rows that conflict in another unique column than those named are a
// [*UniqueError].
func Upsert[T any](ctx context.Context, db Executor, rows []*T, conflict Conflict) error {
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil {
		return err
	}
	return s.batchWrite(upserting, m, anyRows(rows), func(s *session, rows []any) error { return s.upsert(ctx, m, rows, conflict) })
}

func (s *session) upsert(ctx context.Context, m *schema.Model, rows []any, conflict Conflict) error {
	u := upserter{session: s, model: m, conflict: conflict}
	err := u.prepare()
	if err == nil {
		u.scope, err = s.scopeOf(ctx, m)
	}
	if err != nil {
		return fmt.Errorf("kin: upsert of %s: %w", m.Name, err)
	}
	if len(rows) == 0 {
		return nil
	}
	w := write{op: upserting, model: m, rows: rows}
	return s.around(ctx, w, func(s *session) error {
		if err := u.all(ctx, s, w.rows); err != nil {
			return fmt.Errorf("kin: upsert of %s: %w", m.Name, s.fault(ctx, m, err))
		}
		if m.Struct.Track != nil {
			s.forget(m, w.rows, true) // rows that were there already keep what was not set
		}
		return nil
	})
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
	back     []*schema.Column // that are read back
	found    map[rel.Key][]driver.Value
	scope    *plan.Scope // of the model's filters, if it has any
}

// all upserts rows, and sets in them what is read back.
func (u *upserter) all(ctx context.Context, s *session, rows []any) error {
	for i, row := range rows {
		switch err := u.add(row); {
		case errors.Is(err, ErrOutside):
			return fmt.Errorf("row %d of %d %w", i+1, len(rows), err)
		case err != nil:
			return err
		}
	}
	if name := u.scope.Entangled(u.set); name != "" && s.dialect.Traits().OnDuplicateKey {
		return fmt.Errorf("%s cannot tell whether a row is within the filter %q while it sets several columns of one of its conditions; name other columns to update, or say the condition in several",
			s.dialect.Name(), name)
	}
	if err := s.transact(ctx, func(s *session) error { return s.fault(ctx, u.model, u.run(ctx, s)) }); err != nil {
		return err
	}
	for i, row := range rows {
		for j, v := range u.found[u.identity[i]] {
			if err := hydrate.SetColumn(u.back[j], row, v); err != nil {
				return err
			}
		}
		hydrate.Bind(u.model, row)
	}
	return nil
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
	}
	if u.conflict.update == nil && !u.conflict.ignore {
		for _, c := range u.model.Writable() {
			if !slices.Contains(u.by, c) {
				u.set = append(u.set, c)
			}
		}
	}
	for _, c := range u.set {
		switch {
		case c.Key || slices.Contains(u.by, c):
			return fmt.Errorf("%s says which row it is, and is not changed", c.GoName())
		case c == u.model.Version:
			return versionError(u.model)
		}
	}
	u.behave()
	u.found = map[rel.Key][]driver.Value{}
	return nil
}

// behave adds what each update changes, and finds what is read back: where a
// row was there already, it has a key, a version and a time of its own.
func (u *upserter) behave() {
	m := u.model
	if !u.conflict.ignore {
		for _, c := range m.Updated {
			if !slices.Contains(u.set, c) && !slices.Contains(u.by, c) {
				u.set = append(u.set, c)
			}
		}
	}
	if m.Auto != nil {
		u.back = append(u.back, m.Auto)
	}
	if u.conflict.ignore {
		u.back = append(u.back, m.Updated...)
	}
	u.back = append(u.back, m.Created...)
	if m.Version != nil {
		u.back = append(u.back, m.Version)
	}
}

func (u *upserter) add(row any) error {
	if auto := u.model.Auto; auto != nil && slices.Contains(u.by, auto) && !hydrate.HasGenerated(u.model, row) {
		return fmt.Errorf("a row %w", ErrUnsaved)
	}
	values, err := hydrate.Values(nil, u.columns, row, u.dialect.Traits())
	if err != nil {
		return err
	}
	if err := outside(u.scope, u.columns, values); err != nil {
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
		text := sqlgen.Upsert(s.dialect, u.model, u.columns, u.values[from:to], u.by, u.set, within(u.scope))
		if text.Err != nil {
			return text.Err
		}
		if _, err := s.Exec(ctx, text.SQL, anys(text.Args)); err != nil {
			return err
		}
		// MariaDB takes a conflict in any unique column for this one: that the
		// rows can be found says that it was this one. A row that is outside a
		// filter is left as it is, and not found either.
		if len(u.back) > 0 || s.dialect.Traits().OnDuplicateKey || u.scope != nil {
			if err := u.keys(ctx, u.identity[from:to]); err != nil {
				return err
			}
		}
		s.sent(to - from)
	}
	return nil
}

// keys reads the generated keys of rows, and what else their inserts or updates
// have set, by what they have in the columns of the conflict: no database tells
// it in the order of the rows, or at all for rows that were there already.
func (u *upserter) keys(ctx context.Context, identity []rel.Key) error {
	stmt, err := plan.RowsBy(u.model, u.back, u.by, identity, u.dialect, within(u.scope))
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
	first := len(u.back)
	row := make([]driver.Value, first+len(u.by))
	rows.Bind(row)
	n := 0
	for err = rows.Next(); err == nil; err = rows.Next() {
		id, idErr := u.identityOf(func(i int) driver.Value { return row[first+i] })
		if idErr != nil {
			return errors.Join(idErr, rows.Close())
		}
		u.found[id] = slices.Clone(row[:first])
		n++
	}
	if err := endOf(err, rows); err != nil {
		return err
	}
	if n != len(identity) {
		err := fmt.Errorf("%d of %d rows conflict in other columns than %v", len(identity)-n, len(identity), u.conflict.by)
		if u.scope != nil {
			err = fmt.Errorf("%w: %w, or with rows outside a filter", ErrNotFound, err)
		}
		return &UniqueError{Violation{Model: u.model.Name, Err: err}}
	}
	return nil
}

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
func GetOrCreate[T any](ctx context.Context, db Executor, row *T, columns ...string) (found *T, created bool, err error) {
	q, err := same(db, row, columns)
	if err != nil {
		return nil, false, err
	}
	s := db.session()
	var unique *UniqueError
	for try := range finderTries {
		found, err = q.Get(ctx, db)
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
		if found, readErr := q.Get(ctx, db); !errors.Is(readErr, ErrNotFound) {
			return found, false, readErr
		}
		if hidden, seeErr := q.hidden(ctx, db); hidden || seeErr != nil {
			return nil, false, errors.Join(seeErr, fmt.Errorf("kin: get or create of %s: the row that has its unique values is softly deleted or outside a filter: %w",
				reflect.TypeFor[T]().Name(), err))
		}
		other, otherErr := q.other(ctx, db, row, columns, unique.Fields)
		if otherErr != nil {
			return nil, false, otherErr
		}
		if other || len(unique.Fields) == 0 && try >= finderDoubts {
			return nil, false, fmt.Errorf("kin: get or create of %s: another row has its unique values, in other columns than %v: %w",
				reflect.TypeFor[T]().Name(), columns, err)
		}
	}
	return nil, false, fmt.Errorf("%w: %w", ErrConflict, err)
}

// hidden reports whether the query would have rows if none were softly deleted
// or outside a filter.
func (qs QuerySet[T]) hidden(ctx context.Context, db Executor) (bool, error) {
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil {
		return false, err
	}
	if m.Deleted == nil && s.filters == nil {
		return false, nil
	}
	return qs.WithDeleted().Exists(s.unfiltered(ctx), db)
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
func (qs QuerySet[T]) other(ctx context.Context, db Executor, row *T, columns, fields []string) (bool, error) {
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil || len(fields) == 0 {
		return false, err
	}
	var shared []string
	for name := range m.Members() {
		if f := m.FieldOf(name); f != nil && slices.Contains(fields, f.Name) {
			shared = append(shared, name)
		}
	}
	q, err := same(db, row, shared)
	if err != nil {
		return false, err
	}
	args := make([]any, 0, 2*len(columns))
	for _, name := range columns {
		args = append(args, name, reflect.ValueOf(row).Elem().FieldByIndex(m.FieldOf(name).Index).Interface())
	}
	return q.Exclude(columns[0], args[1], args[2:]...).WithDeleted().Exists(s.unfiltered(ctx), db)
}

// again reports, after a pause, whether a statement that was outside a
// transaction may succeed if it is run again: it stood in another's way.
func (s *session) again(ctx context.Context, err error, try int) bool {
	return s.tx == nil && (errors.Is(err, ErrDeadlock) || errors.Is(err, ErrConflict)) && pause(ctx, try) == nil
}

// UpdateOrCreate updates the row that agrees with row in the columns, which
// lookups name, with all other values of row, or inserts row if there is none.
// It reports whether it was created. row has its primary key afterwards. What
// is said of others at [GetOrCreate] holds here too. If the model has a
// version, a row that has been read must not be stale, and one that has not
// takes the version that is there: if another changes that just then, the
// error is [ErrStale].
func UpdateOrCreate[T any](ctx context.Context, db Executor, row *T, columns ...string) (created bool, err error) {
	s := db.session()
	for try := range finderTries {
		found, created, err := GetOrCreate(ctx, db, row, columns...)
		if err != nil || created {
			return created, err
		}
		_, m, err := toWrite[T](s)
		if err != nil {
			return false, err
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
		// By another's delete, there is no row to update any more.
		if !errors.Is(err, ErrNotFound) && !s.again(ctx, err, try) {
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
func same[T any](db Executor, row *T, columns []string) (q QuerySet[T], err error) {
	_, m, err := toWrite[T](db.session())
	if err != nil {
		return q, err
	}
	if row == nil || len(columns) == 0 {
		return q, fmt.Errorf("kin: get or create of %s: takes a row and the columns that say which one it is", m.Name)
	}
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
