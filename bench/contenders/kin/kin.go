// Package kin is kin, as its README says: queries that are run often are kept,
// and those whose values change are built anew.
package kin

import (
	"context"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/dialect/mysql"
	"github.com/kin-orm/kin/dialect/postgres"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// Contender returns kin.
func Contender() bench.Contender {
	return bench.Contender{Name: "kin", Title: "kin", Open: open}
}

func open(_ context.Context, in *db.Instance) (*bench.Session, error) {
	d := map[string]dialect.Dialect{
		"sqlite": sqlite.Dialect{}, "postgres": postgres.Dialect{}, "mysql": mysql.Dialect{},
	}[in.Dialect]
	db := kin.New(in.Pool(), d, kin.WithRegistry(registry()))
	s := session{db}
	ops := s.reads()
	s.addRelations(ops)
	s.addWrites(ops)
	return &bench.Session{Ops: ops, Close: db.Close}, nil
}

type session struct{ db *kin.DB }

func (s session) reads() map[string]bench.Op {
	var (
		wides = kin.Query[wide]().OrderBy("id")
		ticks = kin.Query[tick]().OrderBy("id")
	)
	list := func(list []*wide) any {
		var normal []data.Wide
		for _, w := range list {
			normal = append(normal, data.Wide(*w).UTC())
		}
		return normal
	}
	return map[string]bench.Op{
		"read-one": bench.NewOp(func(ctx context.Context, run int) (*wide, error) {
			return kin.Query[wide]().Filter("id", run%data.Cycle+1).Get(ctx, s.db)
		}, func(w *wide) any { return data.Wide(*w).UTC() }),
		"wide-100": bench.NewOp(func(ctx context.Context, run int) ([]*wide, error) {
			return wides.Filter("id__gt", run%data.Cycle*100).Limit(100).All(ctx, s.db)
		}, list),
		"wide-10000": bench.NewOp(func(ctx context.Context, _ int) ([]*wide, error) {
			return wides.All(ctx, s.db)
		}, list),
		"stream": bench.NewOp(func(ctx context.Context, _ int) (sum data.Sum, err error) {
			for t, err := range ticks.Iter(ctx, s.db) {
				if err != nil {
					return sum, err
				}
				sum.Add(t.ID, t.Name)
			}
			return sum, nil
		}, bench.Same),
	}
}

func (s session) addRelations(ops map[string]bench.Op) {
	all := func(q kin.QuerySet[class]) bench.Op {
		return bench.NewOp(func(ctx context.Context, _ int) ([]*class, error) { return q.All(ctx, s.db) }, schools)
	}
	joined := kin.Query[student]().SelectRelated("class", "category").OrderBy("id")
	ops["students-joined"] = bench.NewOp(func(ctx context.Context, _ int) ([]*student, error) {
		return joined.All(ctx, s.db)
	}, func(list []*student) any { return people(list) })
	ops["classes-joined"] = all(kin.Query[class]().SelectRelated("students__category").OrderBy("id"))
	ops["classes-prefetched"] = all(kin.Query[class]().Prefetch("students__category").OrderBy("id"))
	seed := kin.Query[class]().SelectRelated("students__category", "teachers__category").OrderBy("id")
	ops["seed-cartesian"] = all(seed)
	ops["seed-split"] = all(seed)
	ops["seed-prefetched"] = all(kin.Query[class]().Prefetch("students__category").Prefetch("teachers__category").OrderBy("id"))
	ops["filter-count"] = bench.NewOp(func(ctx context.Context, run int) (int64, error) {
		return kin.Query[student]().Filter("category__name", data.CategoryName(run%data.Cycle+1)).Count(ctx, s.db)
	}, bench.Same)
	ops["filter-list"] = bench.NewOp(func(ctx context.Context, run int) ([]*student, error) {
		return kin.Query[student]().Filter("class__name", data.ClassName(run%data.Cycle+1)).OrderBy("id").All(ctx, s.db)
	}, func(list []*student) any { return bare(list) })
	ops["text-kept"] = bench.NewOp(func(context.Context, int) (string, error) {
		text, _, err := joined.SQL(s.db.Dialect())
		return text, err
	}, bench.Same)
	ops["text-fresh"] = bench.NewOp(func(_ context.Context, run int) (string, error) {
		text, _, err := kin.Query[class]().Filter(
			"name", data.ClassName(run%data.Cycle+1),
			"students__name", "Student 0001",
			"students__category__name", "category 01",
		).SQL(s.db.Dialect())
		return text, err
	}, bench.Same)
}

func (s session) addWrites(ops map[string]bench.Op) {
	insert := func(n int) bench.Op {
		rows := data.Inserted(n)
		return bench.NewOp(func(ctx context.Context, _ int) ([]*entry, error) {
			list := make([]*entry, n)
			for i := range list {
				e := entry(rows()[i])
				list[i] = &e
			}
			return list, kin.Insert(ctx, s.db, list...)
		}, func(list []*entry) any {
			var normal []data.Wide
			for _, e := range list {
				normal = append(normal, data.Wide(*e))
			}
			return normal
		})
	}
	ops["insert-one"] = insert(1)
	ops["insert-1000"] = insert(1000)
	ops["insert-10000"] = insert(10_000)
	update := func(edits func(run int) []data.Edit) bench.Op {
		return bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
			edits := edits(run)
			list := make([]*entry, len(edits))
			for i, e := range edits {
				list[i] = &entry{ID: e.ID, Name: e.Name, Quantity: e.Quantity}
			}
			return none, kin.UpdateAll(ctx, s.db, list, "name", "quantity")
		}, bench.Same)
	}
	ops["update-one"] = update(data.Edits(7, 1))
	ops["update-1000"] = update(data.Edits(1, 1000))
}
