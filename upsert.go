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

// A Conflict says which rows [Upsert] takes for the same, and what it does with
// them. It is made by [OnConflict].
type Conflict[P ~string] struct{ c conflict }

type conflict struct {
	by     []string
	update []string
	ignore bool
}

// OnConflict takes rows for the same if they agree in the columns, which
// lookups name and which are unique together.
func OnConflict[P ~string](columns ...P) Conflict[P] {
	return Conflict[P]{conflict{by: texts(columns)}}
}

// Update has the columns of a row that is there already set to the new row's.
func (c Conflict[P]) Update(columns ...P) Conflict[P] {
	c.c.update, c.c.ignore = texts(columns), false
	return c
}

// DoNothing leaves a row that is there already as it is.
func (c Conflict[P]) DoNothing() Conflict[P] {
	c.c.update, c.c.ignore = nil, true
	return c
}

// Upsert inserts rows, and for those that are there already does what the
// Conflict says: without Update and DoNothing, it sets all columns but the
// primary key, those of the conflict, and times of creation. The primary keys,
// versions and times of creation of all rows are set afterwards, and so is what
// the database generates, whether they were inserted or not. A row that is there
// gets, of the columns that are set, what a new row would: of a field that is
// left to the database (omitzero), its default. All rows are written or none, in a few statements.
//
// Rows that conflict in another unique column than those named are a
// [*UniqueError].
func Upsert[T any, P string | Path[T]](ctx context.Context, db Executor, rows []*T, onConflict Conflict[P]) error {
	return db.session().upsertAll(ctx, reflect.TypeFor[T](), anyRows(rows), onConflict.c)
}

// upsertAll is [Upsert] for rows of the type t, each a *T.
func (s *session) upsertAll(ctx context.Context, t reflect.Type, rows []any, c conflict) error {
	_, m, err := s.toWrite(t)
	if err != nil {
		return err
	}
	return s.batchWrite(upserting, m, rows, func(s *session, rows []any) error { return s.upsert(ctx, m, rows, c) })
}

func (s *session) upsert(ctx context.Context, m *schema.Model, rows []any, conflict conflict) error {
	u := upserter{session: s, model: m, conflict: conflict}
	err := u.prepare()
	if err == nil {
		err = wholly(m, rows)
	}
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
	conflict conflict
	by       []*schema.Column // of the conflict
	set      []*schema.Column
	columns  []*schema.Column // all but what the database makes
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
	back := u.model.ReadsBack()
	err := restoringIf(back, rows, func() error {
		return s.transact(ctx, func(s *session) error {
			err := u.run(ctx, s)
			if err == nil && back {
				err = u.settle(rows)
			}
			return s.fault(ctx, u.model, err)
		})
	})
	if err != nil || back {
		return err
	}
	return u.settle(rows)
}

// settle sets in rows what was read back: of what may be left to the database,
// that which was.
func (u *upserter) settle(rows []any) error {
	for i, row := range rows {
		left := leftBy(u.model, row, u.by)
		for j, v := range u.found[u.identity[i]] {
			c := u.back[j]
			if slices.Contains(u.model.Omits, c) && !slices.Contains(left, c) {
				continue
			}
			if err := hydrate.SetColumn(c, row, v); err != nil {
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
		if !c.Computed && (!c.Auto || slices.Contains(u.by, c)) {
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
		case c.Computed:
			return computedError(c)
		}
	}
	for _, c := range u.by {
		if c.Computed {
			return fmt.Errorf("%s is generated by the database, and not known before the row is written; name columns that are", c.GoName())
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
	u.back = append(append(u.back, m.Computed...), m.Omits...)
}

func (u *upserter) add(row any) error {
	if auto := u.model.Auto; auto != nil && slices.Contains(u.by, auto) && !hydrate.HasGenerated(u.model, row) {
		return fmt.Errorf("a row %w", ErrUnsaved)
	}
	columns := without(u.columns, leftBy(u.model, row, u.by))
	values, err := hydrate.Values(nil, columns, row, u.dialect.Traits())
	if err != nil {
		return err
	}
	if err := outside(u.scope, columns, values); err != nil {
		return err
	}
	id, err := u.identityOf(columns, values)
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
func (u *upserter) identityOf(columns []*schema.Column, values []driver.Value) (rel.Key, error) {
	own := make([]driver.Value, len(u.by))
	for i, c := range u.by {
		if own[i] = values[slices.Index(columns, c)]; own[i] == nil {
			return rel.Key{}, fmt.Errorf("%s is NULL, which conflicts with nothing", c.GoName())
		}
	}
	return keyIn(u.by, own)
}

func (u *upserter) run(ctx context.Context, s *session) error {
	u.session = s
	if err := s.reseal(ctx, u.model, u.rows, u.columns); err != nil {
		return err
	}
	for _, p := range leaving(u.model, u.rows, u.by) {
		if err := u.part(ctx, s, without(u.columns, p.left), pick(u.values, p.at), pick(u.identity, p.at)); err != nil {
			return err
		}
	}
	return nil
}

// part upserts rows that have values of the same columns.
func (u *upserter) part(ctx context.Context, s *session, columns []*schema.Column, values [][]driver.Value, identity []rel.Key) error {
	size := s.chunk(len(columns))
	for from := 0; from < len(values); from += size {
		to := min(from+size, len(values))
		text := sqlgen.Upsert(s.dialect, u.model, columns, values[from:to], u.by, u.set, within(u.scope))
		if text.Err != nil {
			return text.Err
		}
		if _, err := s.Exec(ctx, text.SQL, text.Args); err != nil {
			return err
		}
		// MariaDB takes a conflict in any unique column for this one: that the
		// rows can be found says that it was this one. A row that is outside a
		// filter is left as it is, and not found either.
		if len(u.back) > 0 || s.dialect.Traits().OnDuplicateKey || u.scope != nil {
			if err := u.keys(ctx, identity[from:to]); err != nil {
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
	n := 0
	err := u.readBy(ctx, u.model, u.back, u.by, identity, within(u.scope), func(id rel.Key, values []driver.Value) error {
		u.found[id] = kept(values)
		n++
		return nil
	})
	if err != nil {
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
