package kin

import (
	"context"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// The hooks: methods of a model that kin calls. The package comment has what
// they promise.
type (
	beforeInserter interface {
		BeforeInsert(ctx context.Context, tx *Tx) error
	}
	afterInserter interface {
		AfterInsert(ctx context.Context, tx *Tx) error
	}
	beforeUpdater interface {
		BeforeUpdate(ctx context.Context, tx *Tx) error
	}
	afterUpdater interface {
		AfterUpdate(ctx context.Context, tx *Tx) error
	}
	beforeDeleter interface {
		BeforeDelete(ctx context.Context, tx *Tx) error
	}
	afterDeleter interface {
		AfterDelete(ctx context.Context, tx *Tx) error
	}
	afterLoader interface {
		AfterLoad(ctx context.Context) error
	}
	validator interface{ Validate() error }
	defaulter interface{ KinDefaults() }
)

//nolint:gochecknoglobals // an immutable table
var hookMethods = []struct {
	hook schema.Hooks
	name string
	typ  reflect.Type
	form string
}{
	{schema.BeforeInsert, "BeforeInsert", reflect.TypeFor[beforeInserter](), "(ctx context.Context, tx *kin.Tx) error"},
	{schema.AfterInsert, "AfterInsert", reflect.TypeFor[afterInserter](), "(ctx context.Context, tx *kin.Tx) error"},
	{schema.BeforeUpdate, "BeforeUpdate", reflect.TypeFor[beforeUpdater](), "(ctx context.Context, tx *kin.Tx) error"},
	{schema.AfterUpdate, "AfterUpdate", reflect.TypeFor[afterUpdater](), "(ctx context.Context, tx *kin.Tx) error"},
	{schema.BeforeDelete, "BeforeDelete", reflect.TypeFor[beforeDeleter](), "(ctx context.Context, tx *kin.Tx) error"},
	{schema.AfterDelete, "AfterDelete", reflect.TypeFor[afterDeleter](), "(ctx context.Context, tx *kin.Tx) error"},
	{schema.AfterLoad, "AfterLoad", reflect.TypeFor[afterLoader](), "(ctx context.Context) error"},
	{schema.Validate, "Validate", reflect.TypeFor[validator](), "() error"},
	{schema.Defaults, "KinDefaults", reflect.TypeFor[defaulter](), "()"},
}

// addHooks notes which hooks the type of s has. A method that is called like a
// hook and is none would never be called, without a word.
func addHooks(s *schema.Struct) {
	p := reflect.PointerTo(s.Type)
	for _, h := range hookMethods {
		if p.Implements(h.typ) {
			s.Hooks |= h.hook
			continue
		}
		method, ok := p.MethodByName(h.name)
		switch {
		case ok && h.hook == schema.Validate && !returnsError(method.Type):
			// A name that others use too.
		case ok:
			s.Problems = append(s.Problems, schema.Problem{Model: s.Type.Name(), Text: fmt.Sprintf(
				"has a method %[1]s that is no hook; make it %[1]s%[2]s, or give it another name", h.name, h.form)})
		case hidden(s.Type, h.typ):
			s.Problems = append(s.Problems, schema.Problem{Model: s.Type.Name(), Text: fmt.Sprintf(
				"embeds several structs with a method %[1]s, of which Go takes none; give it a method %[1]s of its own that calls them", h.name)})
		}
	}
}

func returnsError(method reflect.Type) bool {
	return method.NumOut() == 1 && method.Out(0) == reflect.TypeFor[error]()
}

// hidden reports whether a struct embedded in t has a hook.
func hidden(t, hook reflect.Type) bool {
	for f := range t.Fields() {
		if f.Anonymous && reflect.PointerTo(f.Type).Implements(hook) {
			return true
		}
	}
	return false
}

// An op is what a write does to its rows.
type op uint8

const (
	inserting op = iota
	upserting
	updating
	deleting
	saving // which is to insert or to update
)

func (o op) String() string { return [...]string{"insert", "upsert", "update", "delete", "save"}[o] }

// events returns the hooks before and after a write. Whether an upsert inserts
// a row or updates one is not known before, and on some databases not after.
func (o op) events() (before, after schema.Hooks) {
	switch o {
	case inserting, upserting:
		return schema.BeforeInsert, schema.AfterInsert
	case updating:
		return schema.BeforeUpdate, schema.AfterUpdate
	case deleting:
		return schema.BeforeDelete, schema.AfterDelete
	case saving:
	}
	panic("BUG: kin: an unknown write")
}

// A write is a call that writes rows of a model.
type write struct {
	op    op
	model *schema.Model
	rows  []any // each a *T
	// touch are the columns of an update that are set to its time.
	touch []*schema.Column
}

// around runs a write with all that the model and those who listen do around
// it: if one of them fails, nothing is written, and rows are as they were.
func (s *session) around(ctx context.Context, w write, run func(*session) error) error {
	hooks, heard := w.model.Struct.Hooks, heard(w.model.Type, nil)
	if w.op == deleting {
		hooks &^= schema.Validate | schema.Defaults
	}
	before, after := w.op.events()
	tx := hooks.Has(before|after) || heard.has(before|after)
	if !tx && !hooks.Has(schema.Validate|schema.Defaults) && !w.sets() {
		if err := w.check(0); err != nil {
			return err
		}
		return run(s)
	}
	return restoring(w.rows, func() error {
		w.set(s)
		if !tx {
			if err := w.check(hooks); err != nil {
				return err
			}
			return run(s)
		}
		return s.transact(ctx, func(s *session) error {
			if err := w.event(ctx, s, before, heard); err != nil {
				return err
			}
			if err := w.check(hooks); err != nil {
				return err
			}
			inner := *s
			inner.undone = true
			if err := run(&inner); err != nil {
				return err
			}
			return w.event(ctx, s, after, heard)
		})
	})
}

// event calls a hook of all rows, and then who listens for it.
func (w *write) event(ctx context.Context, s *session, hook schema.Hooks, heard listeners) error {
	tx := &Tx{s.unbatched()}
	tx.s.undone = false // it may go on after a failure of its own
	if w.model.Struct.Hooks.Has(hook) {
		for i, row := range w.rows {
			if err := callHook(ctx, tx, hook, row); err != nil {
				return w.errorf(i, "%s: %w", hookName(hook), err)
			}
		}
	}
	for _, l := range heard {
		if !l.hooks.Has(hook) {
			continue
		}
		if err := l.written(ctx, tx, hook, w.rows); err != nil {
			return fmt.Errorf("kin: %s of %s: a listener to %s: %w", w.op, w.model.Name, hookName(hook), err)
		}
	}
	return nil
}

// check validates the rows, whose values are those that will be written.
func (w *write) check(hooks schema.Hooks) error {
	if hooks.Has(schema.Validate) {
		for i, row := range w.rows {
			if err := row.(validator).Validate(); err != nil {
				return w.errorf(i, "is not valid: %w", err)
			}
		}
	}
	if w.model.Auto != nil || w.op != inserting && w.op != upserting {
		return nil
	}
	for _, k := range w.model.Struct.Key().Fields {
		if !k.Zero {
			continue
		}
		for i, row := range w.rows {
			if hydrate.IsZero(k.Field, row) {
				return w.errorf(i, "%s.%s is the primary key, and KinDefaults has not set it", w.model.Name, k.Field.Name)
			}
		}
	}
	return nil
}

// errorf says which row an error is about.
func (w *write) errorf(i int, format string, args ...any) error {
	which := fmt.Sprintf("row %d of %d", i+1, len(w.rows))
	if key, err := hydrate.KeyOf(w.model.Struct.Key(), w.rows[i]); err == nil && w.op != inserting && w.op != upserting {
		which = keyText(w.model.Type, key, false, nil)
	}
	return fmt.Errorf("kin: %s of %s: %s: %w", w.op, w.model.Name, which, fmt.Errorf(format, args...))
}

func hookName(hook schema.Hooks) string {
	for _, h := range hookMethods {
		if h.hook == hook {
			return h.name
		}
	}
	panic("BUG: kin: an unknown hook")
}

func callHook(ctx context.Context, tx *Tx, hook schema.Hooks, row any) error {
	switch hook {
	case schema.BeforeInsert:
		return row.(beforeInserter).BeforeInsert(ctx, tx)
	case schema.AfterInsert:
		return row.(afterInserter).AfterInsert(ctx, tx)
	case schema.BeforeUpdate:
		return row.(beforeUpdater).BeforeUpdate(ctx, tx)
	case schema.AfterUpdate:
		return row.(afterUpdater).AfterUpdate(ctx, tx)
	case schema.BeforeDelete:
		return row.(beforeDeleter).BeforeDelete(ctx, tx)
	case schema.AfterDelete:
		return row.(afterDeleter).AfterDelete(ctx, tx)
	default:
		panic("BUG: kin: an unknown hook")
	}
}

// afterLoad calls the AfterLoad hooks of rows that were read.
func afterLoad(ctx context.Context, rows []any) error {
	for _, row := range rows {
		if err := row.(afterLoader).AfterLoad(ctx); err != nil {
			return fmt.Errorf("kin: AfterLoad of %s: %w", reflect.TypeOf(row).Elem().Name(), err)
		}
	}
	return nil
}

// restoring runs f, and gives rows back the values that they had if it fails.
func restoring(rows []any, f func() error) error {
	if len(rows) == 0 {
		return f()
	}
	was := reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(rows[0]).Elem()), len(rows), len(rows))
	for i, row := range rows {
		was.Index(i).Set(reflect.ValueOf(row).Elem())
	}
	done := false
	defer func() {
		if !done { // f failed or panicked
			for i, row := range rows {
				reflect.ValueOf(row).Elem().Set(was.Index(i))
			}
		}
	}()
	err := f()
	done = err == nil
	return err
}

// anyRows returns rows for the functions that do not depend on their type. A
// nil among them is nil.
func anyRows[T any](rows []*T) []any {
	list := make([]any, len(rows))
	for i, row := range rows {
		if row != nil {
			list[i] = row
		}
	}
	return list
}
