package kin

import (
	"fmt"
	"slices"
	"time"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// WithClock replaces the clock by which the fields tagged autocreate and
// autoupdate are set, for tests. now may be called by several goroutines at
// once.
func WithClock(now func() time.Time) Option {
	return func(db *DB) { db.s.clock = now }
}

// now returns the time as databases keep it.
func (s *session) now() time.Time {
	clock := s.clock
	if clock == nil {
		clock = time.Now
	}
	return clock().UTC().Truncate(time.Microsecond)
}

// sets reports whether the write sets values in memory by itself, or has keys
// that somebody must have set.
func (w *write) sets() bool {
	m := w.model
	switch w.op {
	case inserting, upserting:
		return m.Version != nil || len(m.Created) > 0 || len(m.Updated) > 0
	case updating:
		return m.Version != nil || len(w.touch) > 0
	case deleting, saving:
	}
	return false
}

// set sets what a write sets by itself, before hooks see the rows. The version
// of an update is raised when it has succeeded.
func (w *write) set(s *session) {
	m := w.model
	insert := w.op == inserting || w.op == upserting
	if insert && m.Struct.Hooks.Has(schema.Defaults) {
		for _, row := range w.rows {
			row.(defaulter).KinDefaults()
		}
	}
	if !w.sets() {
		return
	}
	now := s.now()
	for _, row := range w.rows {
		for _, c := range w.touch {
			hydrate.SetTime(c, row, now)
		}
		if !insert {
			continue
		}
		for _, c := range m.Created {
			if !hydrate.HasTime(c, row) {
				hydrate.SetTime(c, row, now)
			}
		}
		for _, c := range m.Updated {
			if w.op == upserting || !hydrate.HasTime(c, row) {
				hydrate.SetTime(c, row, now)
			}
		}
		if m.Version != nil && hydrate.IsZero(m.Version.Field, row) {
			hydrate.SetVersion(m.Version, row, 1)
		}
	}
}

// stamped returns the settings of an UPDATE of a query, and those that kin
// adds: rows that it touches have another version, and the time.
func (s *session) stamped(m *schema.Model, settings []plan.Setting) ([]plan.Setting, error) {
	if m.Version == nil && len(m.Updated) == 0 {
		return settings, nil
	}
	var named []*schema.Column
	for _, x := range settings {
		name, _ := x.Lookup.At(m) // what is wrong is found when it is planned
		columns, _, _ := m.ColumnsOf([]string{name})
		named = append(named, columns...)
	}
	if m.Version != nil && slices.Contains(named, m.Version) {
		return nil, versionError(m)
	}
	settings = slices.Clip(settings)
	for _, c := range m.Updated {
		if !slices.Contains(named, c) {
			settings = append(settings, plan.Setting{Lookup: plan.Lazy{Text: c.Lookup}, Value: plan.Literal{Value: s.now()}})
		}
	}
	if v := m.Version; v != nil {
		settings = append(settings, plan.Setting{
			Lookup: plan.Lazy{Text: v.Lookup},
			Value:  plan.Arithmetic{Sign: '+', X: plan.Column{Path: plan.Lazy{Text: v.Lookup}}, Y: plan.Literal{Value: 1}},
		})
	}
	return settings, nil
}

func versionError(m *schema.Model) error {
	return fmt.Errorf("%s is the version, which kin raises by itself", m.Version.GoName())
}
