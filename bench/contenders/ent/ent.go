// Package ent is ent, whose code in package bench/ent is generated. It loads
// relations by a query for each, and rows that several refer to once.
package ent

import (
	"context"

	entdialect "entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
	"github.com/kin-orm/kin/bench/ent"
	"github.com/kin-orm/kin/bench/ent/category"
	"github.com/kin-orm/kin/bench/ent/class"
	"github.com/kin-orm/kin/bench/ent/student"
	"github.com/kin-orm/kin/bench/ent/wide"
)

// Contender returns ent.
func Contender() bench.Contender {
	return bench.Contender{Name: "ent", Title: "ent", Modules: []string{"entgo.io/ent"}, Open: open}
}

type session struct{ client *ent.Client }

func open(_ context.Context, in *db.Instance) (*bench.Session, error) {
	name := map[string]string{"sqlite": entdialect.SQLite, "postgres": entdialect.Postgres, "mysql": entdialect.MySQL}[in.Dialect]
	client := ent.NewClient(ent.Driver(entsql.OpenDB(name, in.Pool())))
	s := session{client}
	ops := s.reads()
	s.addRelations(ops)
	s.addWrites(ops)
	return &bench.Session{Ops: ops, Close: client.Close}, nil
}

func (s session) reads() map[string]bench.Op {
	return map[string]bench.Op{
		"read-one": bench.NewOp(func(ctx context.Context, run int) (*ent.Wide, error) {
			return s.client.Wide.Get(ctx, int64(run%data.Cycle+1))
		}, func(w *ent.Wide) any { return normal(w) }),
		"wide-100": bench.NewOp(func(ctx context.Context, run int) ([]*ent.Wide, error) {
			return s.client.Wide.Query().Where(wide.IDGT(int64(run % data.Cycle * 100))).Order(wide.ByID()).Limit(100).All(ctx)
		}, normals),
		"wide-10000": bench.NewOp(func(ctx context.Context, _ int) ([]*ent.Wide, error) {
			return s.client.Wide.Query().Order(wide.ByID()).All(ctx)
		}, normals),
	}
}

func (s session) addRelations(ops map[string]bench.Op) {
	ops["students-joined"] = bench.NewOp(func(ctx context.Context, _ int) ([]*ent.Student, error) {
		return s.client.Student.Query().WithClass().WithCategory().Order(student.ByID()).All(ctx)
	}, normalStudents)
	ops["classes-prefetched"] = bench.NewOp(func(ctx context.Context, _ int) ([]*ent.Class, error) {
		return s.client.Class.Query().
			WithStudents(func(q *ent.StudentQuery) { q.WithCategory() }).
			Order(class.ByID()).All(ctx)
	}, schools)
	ops["seed-split"] = bench.NewOp(func(ctx context.Context, _ int) ([]*ent.Class, error) {
		return s.client.Class.Query().
			WithStudents(func(q *ent.StudentQuery) { q.WithCategory() }).
			WithTeachers(func(q *ent.TeacherQuery) { q.WithCategory() }).
			Order(class.ByID()).All(ctx)
	}, schools)
	ops["seed-prefetched"] = ops["seed-split"]
	ops["filter-count"] = bench.NewOp(func(ctx context.Context, run int) (int64, error) {
		n, err := s.client.Student.Query().Where(student.HasCategoryWith(category.Name(data.CategoryName(run%data.Cycle + 1)))).Count(ctx)
		return int64(n), err
	}, bench.Same)
	ops["filter-list"] = bench.NewOp(func(ctx context.Context, run int) ([]*ent.Student, error) {
		return s.client.Student.Query().Where(student.HasClassWith(class.Name(data.ClassName(run%data.Cycle + 1)))).
			Order(student.ByID()).All(ctx)
	}, bare)
}
