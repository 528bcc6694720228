package kin

import (
	"context"
	"database/sql/driver"
	"slices"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// graphRows are the rows of a query and of the levels below it, as they are
// read.
type graphRows struct {
	session *session
	query   *compiled
	levels  *hydrate.Levels
	first   *hydrate.LevelReader
	whole   bool // whether the roots are all rows of their table
	roots   []hydrate.Pointer
	readers []*hydrate.LevelReader // of all levels, those above before those below
}

func newGraphRows(s *session, c *compiled, hint int) *graphRows {
	levels := hydrate.NewLevels(c.first.Level)
	return &graphRows{session: s, query: c, levels: levels, first: levels.First(c.first.Level, hint)}
}

// release is for when all is read and handed on.
func (g *graphRows) release() {
	if !g.query.fetch.strict && !g.query.fetch.peers { // which look at readers later
		g.levels.Release(g.query.first.Level, g.readers)
	}
}

// load finishes the first level, whose rows are read, and reads those below.
func (g *graphRows) load(ctx context.Context) (err error) {
	if g.roots, err = g.first.Reader.Finish(); err != nil {
		return err
	}
	g.readers = append(g.readers[:0], g.first)
	if g.query.fetch.concurrent && g.session.severalConns() {
		err = g.concurrently(ctx)
	} else {
		err = g.below(ctx, g.query.first, g.first)
	}
	if err == nil && (g.query.fetch.strict || g.query.fetch.peers) {
		readers := make([]*hydrate.Reader, len(g.readers))
		for i, r := range g.readers {
			readers[i] = r.Reader
		}
		g.query.fetch.marked(readers)
	}
	return err
}

// below reads the levels below one that is read.
func (g *graphRows) below(ctx context.Context, above *level, r *hydrate.LevelReader) error {
	for _, l := range above.below {
		if l.statement.Empty {
			r.Nothing(l.Level)
			continue
		}
		keys := r.Parents(l.Level)
		if len(keys) == 0 {
			continue
		}
		reader := r.Below(l.Level, l.hint(len(keys)))
		for rest := keys; len(rest) > 0; {
			n := g.atOnce(l, len(rest))
			if err := g.level(ctx, l, reader, rest[:n]); err != nil {
				return g.session.levelError(ctx, l, err)
			}
			rest = rest[n:]
		}
		if err := reader.Finish(); err != nil {
			return g.session.levelError(ctx, l, err)
		}
		l.share.Store(int32(min(reader.Rows(), 1<<20) * 16 / len(keys)))
		g.readers = append(g.readers, reader)
		if err := g.below(ctx, l, reader); err != nil {
			return err
		}
	}
	return nil
}

// unasked reports whether the level's statement names no keys.
func (g *graphRows) unasked(l *level) bool { return g.whole && l.unasked }

// atOnce returns how many keys of so many a statement of the level takes.
func (g *graphRows) atOnce(l *level, keys int) int {
	if g.unasked(l) {
		return keys
	}
	return min(keys, l.most)
}

// hint returns how many rows are expected of so many parents.
func (l *level) hint(keys int) int {
	if l.Relation.Kind == schema.ToOne {
		return keys
	}
	return max(keys, min(keys*int(l.share.Load())/16+1, 1<<14))
}

// level reads the rows of a level that have some of the keys.
func (g *graphRows) level(ctx context.Context, l *level, reader *hydrate.LevelReader, keys []rel.Key) error {
	text, args, err := g.bind(l, keys)
	if err != nil {
		return err
	}
	return l.size.each(ctx, &g.session.Session, text, args, l.Shape.Width, rowReader(reader.Reader, g.budget()))
}

// budget is that of one level's statement.
func (g *graphRows) budget() rowWatch {
	if g.query.budgeted {
		return nil
	}
	return counting(g.session.maxRows)
}

// open runs the statement of a level.
func (g *graphRows) open(ctx context.Context, l *level, keys []rel.Key) (*exec.Rows, error) {
	text, args, err := g.bind(l, keys)
	if err != nil {
		return nil, err
	}
	return g.session.Query(ctx, text, args)
}

// bind returns the statement of a level, and its arguments, for keys.
func (g *graphRows) bind(l *level, keys []rel.Key) (sql string, args []driver.Value, err error) {
	d := g.session.dialect
	form := sqlgen.AllKeys()
	if !g.unasked(l) {
		form = sqlgen.FormOf(l.columns, len(keys), l.most, d.Traits())
	}
	text, err := l.text(form, d)
	if err != nil {
		return "", nil, err
	}
	args, err = text.form.BindKeys(text.args, l.columns, keys, d.Traits())
	if err != nil {
		return "", nil, err
	}
	for i, arg := range args {
		if hole, ok := arg.(plan.Hole); ok {
			s, err := g.query.scoping.of(hole.Model)
			if err != nil {
				return "", nil, err
			}
			args[i] = s.Args[hole.Arg]
		}
	}
	return text.sql, args, nil
}

// hooked returns the rows that have an AfterLoad hook, those of levels below
// before those that lead to them.
func (g *graphRows) hooked() (rows []any) {
	for _, reader := range slices.Backward(g.readers) {
		rows = append(rows, reader.Hooked()...)
	}
	return rows
}

// A rowWatch is called after each row, and may end the reading.
type rowWatch func(*hydrate.Reader, []driver.Value) error

// rowReader returns what reads a row, and calls watch, if it is not nil, then.
func rowReader(reader *hydrate.Reader, watch rowWatch) func(row []driver.Value) error {
	if watch == nil {
		return reader.Row
	}
	return func(row []driver.Value) error {
		if err := reader.Row(row); err != nil {
			return err
		}
		return watch(reader, row)
	}
}
