package docs

import (
	"context"

	"github.com/kin-orm/kin"
)

// typed relations: a relation that the compiler has checked, for conditions and
// for what is loaded.
func relations(ctx context.Context, db *kin.DB) error {
	first, err := kin.Query[SchoolClass]().Where(className.Eq("1A")).Get(ctx, db)
	show(first, err)
	students, err := kin.Query[Student]().SelectRelated(studentOf.Path()).Where(studentOf.Eq(first), categoryName.IsNull()).All(ctx, db)
	show(students, err)
	classes, err := kin.Query[SchoolClass]().Where(classStudents.InQuery(kin.Query[Student]().Where(studentScore.Between(3, 5)))).All(ctx, db)
	return show(classes, err)
}

// column against column: of one row, or of rows that relations lead to.
func compared(ctx context.Context, db *kin.DB) error {
	n, err := kin.Query[Student]().Where(studentName.NeCol(categoryName), studentClass.LtCol(studentName)).Count(ctx, db)
	show(n, err)
	n, err = kin.Query[Teacher]().Where(kin.F("pay").Gt(kin.F("reports_to__pay").Div(2))).Count(ctx, db)
	return show(n, err)
}

// patterns: Like and Regexp mean the same on every database. What HasPrefix,
// Contains and the others are given is text, in which nothing has a meaning.
func patterns(ctx context.Context, db *kin.DB) error {
	n, err := kin.Query[Student]().Where(kin.Like(studentName, "_d%"), kin.Regexp(studentName, `(?i)^[a-m]\w+$`)).Count(ctx, db)
	show(n, err)
	n, err = kin.Query[Student]().Where(kin.Or(kin.EqualFold(studentName, "ADA"), kin.IContains(studentName, "%"))).Count(ctx, db)
	return show(n, err)
}

// prefetched, in depth: the subquery of a Prefetch may load more by itself. With
// Snapshot, all statements see the database as it was at one instant; with
// Concurrent, those that do not need each other run at the same time.
func loadedInto(ctx context.Context, db *kin.DB) error {
	students := kin.Query[Student]().Filter("score__gt", 1).SelectRelated("category").Prefetch("clubs")
	classes, err := kin.Query[SchoolClass]().Prefetch("students", students).Prefetch("teachers").Snapshot().All(ctx, db)
	return show(classes, err)
}

// peers: with FetchPeers, Load on one row loads for all rows of its result. With
// Strict, loading row by row is an error.
func peers(ctx context.Context, db *kin.DB) error {
	students, err := kin.Query[Student]().FetchPeers().All(ctx, db)
	show(students, err)
	for _, s := range students {
		class, err := s.Class.Load(ctx, db)
		show(class, err)
	}
	students, err = kin.Query[Student]().Strict().All(ctx, db)
	show(students, err)
	_, err = students[0].Class.Load(ctx, db)
	return show(err, nil)
}

// rows of one's own: a field that is a struct holds what is related to one, a
// slice what is related to many, each in one statement.
func oneRow(ctx context.Context, db *kin.DB) error {
	type student struct {
		Name  string
		Clubs []string `kin:"clubs__name"`
	}
	type class struct {
		Name     string
		Students []student
	}
	classes, err := kin.Select[class](kin.Query[SchoolClass]().OrderBy("name")).All(ctx, db)
	show(classes, err)
	type named struct{ Name string }
	type pupil struct {
		Name     string
		Class    named
		Category *named
	}
	pupils, err := kin.Select[pupil](kin.Query[Student]()).All(ctx, db)
	return show(pupils, err)
}

// maps and pairs: by a column, or by what a function says of each row.
func related(ctx context.Context, db *kin.DB) error {
	pairs, err := kin.PluckPairs(ctx, db, kin.Query[Student]().Exclude("category", nil), studentName, categoryName)
	show(pairs, err)
	rows, err := kin.RowsBy(ctx, db, kin.Query[Student](), func(s *Student) string { return s.Name })
	return show(rows["Ada"], err)
}

// distinct: Distinct leaves out equal rows of a selection. DistinctOn keeps the
// first row of those that agree.
func distinct(ctx context.Context, db *kin.DB) error {
	type taught struct {
		Category string `kin:"category__name,zero"`
	}
	list, err := kin.Select[taught](kin.Query[Student]()).Distinct().All(ctx, db)
	show(list, err)
	best, err := kin.Query[Student]().OrderBy("-score").DistinctOn("class").All(ctx, db)
	return show(best, err)
}

// selections as tables: Query makes the rows of a selection those of another
// query, as WITH does.
func derived(ctx context.Context, db *kin.DB) error {
	type class struct {
		Name string
		Size int64 `kin:"count(students)"`
	}
	type size struct {
		Size    int64
		Classes int64 `kin:"count(*)"`
	}
	classes := kin.Select[class](kin.Query[SchoolClass]())
	list, err := kin.Select[size](classes.Query().Filter("size__gt", 0)).All(ctx, db)
	return show(list, err)
}

// aggregates of a whole query: several in one statement. Where restricts the rows
// that one is of, and Default says what it is of none.
func aggregates(ctx context.Context, db *kin.DB) error {
	type totals struct {
		N          int64    `kin:"count(*)"`
		Classes    int64    `kin:"count(distinct class)"`
		Mean       *float64 `kin:"avg(score)"`
		Best       int64
		Categories *string
	}
	q := kin.Query[Student]().
		Annotate("best", kin.Max("score").Where(kin.Q("class__name", "1A")).Default(0)).
		Annotate("categories", kin.StringAgg("category__name", ", "))
	row, err := kin.Select[totals](q).Get(ctx, db)
	return show(row, err)
}

// lists: ArrayAgg gathers values in a slice.
func lists(ctx context.Context, db *kin.DB) error {
	type class struct {
		Name   string
		Scores []*int64 `kin:"array(students__score)"`
		Names  []string
	}
	q := kin.Query[SchoolClass]().Annotate("names", kin.ArrayAgg("students__name").OrderBy("-score"))
	list, err := kin.Select[class](q).All(ctx, db)
	return show(list, err)
}

// lag and frame: the row before in a window, and an aggregate of a few rows around
// each.
func lastAndNext(ctx context.Context, db *kin.DB) error {
	type row struct {
		Name   string
		Before *string
		Mean   float64
	}
	byPay := kin.Window{Order: []string{"-pay"}}
	around := kin.Window{Order: []string{"-pay"}, Frame: &kin.Frame{Before: 1, After: 1}}
	list, err := kin.Select[row](kin.Query[Teacher]().
		Annotate("before", kin.Lag(kin.F("name"), 1).Over(byPay)).
		Annotate("mean", kin.Avg("pay").Over(around)).OrderBy("-pay")).All(ctx, db)
	return show(list, err)
}
