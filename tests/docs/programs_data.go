package docs

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin"
)

// initials is a function of the program's own.
var initials = kin.NewFunc[string](map[string]string{
	"sqlite":   "substr({0}, 1, {1})",
	"postgres": "left({0}, {1}::int)",
	"mysql":    "LEFT({0}, {1})",
})

// functions: they give the same on every database. NewFunc makes others of a text
// for each: here, initials.
func functions(ctx context.Context, db *kin.DB) error {
	type row struct {
		Name  string
		Short string
		Part  *float64
		Upper string
	}
	q := kin.Query[Student]().
		Annotate("short", initials(kin.F("name"), 2)).
		Annotate("part", kin.Round(kin.Cast[float64](kin.F("score")).Div(kin.NullIf(kin.F("id"), 0)), 2)).
		Annotate("upper", kin.Upper(kin.Coalesce(kin.F("category__name"), kin.Substr(kin.F("class__name"), 2, 1)))).
		Where(kin.Greatest(kin.Length(kin.F("name")), 2).Eq(3))
	list, err := kin.Select[row](q).All(ctx, db)
	return show(list, err)
}

// documents: JSON reads what is at the end of keys in a JSON document. Keys are
// data.
func documents(ctx context.Context, db *kin.DB) error {
	meta := kin.F("meta")
	lessons, err := kin.Query[Lesson]().
		Annotate("floor", kin.JSON[int64](meta, "room", "floor")).
		Where(kin.JSONHas(meta, "room"), kin.JSONContains(meta, map[string]any{"needs": []string{"chalk"}})).
		Filter("floor__gte", 1).OrderBy("-floor").All(ctx, db)
	return show(lessons, err)
}

// arrays: PostgreSQL keeps lists in columns. Elsewhere, a list is stored as JSON.
func arrays(ctx context.Context, db *kin.DB) error {
	n, err := kin.Query[Tagged]().Where(kin.ContainsAny(tags, "new", "old"), kin.ListItem(kin.F("tags"), 0).Eq("new")).Count(ctx, db)
	return show(n, err)
}

// full text: Search finds whole words, of a query in which nothing is an operator.
// SearchRank says how well a row fits.
func words(ctx context.Context, db *kin.DB) error {
	asked := "apple"
	lessons, err := kin.Query[Lesson]().Where(kin.Search(asked)).
		Annotate("rank", kin.SearchRank(asked)).OrderBy("-rank").All(ctx, db)
	return show(lessons, err)
}

// some columns: Only reads those that it names, Defer all others. A row knows which
// it has not got, and a write leaves these alone.
func onlySome(ctx context.Context, db *kin.DB) error {
	lesson, err := kin.Query[Lesson]().SelectRelated("class").Only("title", "class__name").First(ctx, db)
	show(kin.Deferred(lesson), err)
	lesson.Title = "Pears"
	show(nil, kin.Update(ctx, db, lesson))
	lesson, err = kin.Query[Lesson]().Defer("text").Last(ctx, db)
	return show(lesson, err)
}

// tags: a comment for those who read the database's logs, in which nothing can end
// it. WithTags adds one to every statement.
func tagged(ctx context.Context, db *kin.DB) error {
	n, err := kin.Query[Club]().Tag("job", "nightly */ run").Count(ctx, db)
	return show(n, err)
}

// plans: Explain asks how the database would run a query, and ScansOver which
// large tables it would read from end to end.
func explained(ctx context.Context, db *kin.DB) error {
	plan, err := kin.Query[Club]().Filter("id", 1).Explain(ctx, db)
	show(plan, err)
	scans, err := plan.ScansOver(ctx, 100)
	return show(scans, err)
}

// budgets: MaxRows makes it an error if more rows are read, and Cap limits what may
// be asked for in texts.
func budgets(ctx context.Context, db *kin.DB) error {
	_, err := kin.Query[Student]().MaxRows(2).All(ctx, db)
	show(fmt.Sprint(err), nil)
	_, err = kin.Query[Student]().Cap(kin.Caps{List: 2}).Filter("name__in", []string{"Ada", "Ben", "Cid"}).All(ctx, db)
	return show(err, nil)
}

// raw parts: a condition or a value in SQL, with ? for each argument, and a Raw
// query whose rows are given what Prefetch loads.
func rawParts(ctx context.Context, db *kin.DB) error {
	students, err := kin.Query[Student]().FilterRaw("students.score % ? = 0", 2).All(ctx, db)
	show(students, err)
	classes, err := kin.Raw[SchoolClass]("SELECT * FROM school_classes WHERE name = ?", "1A").Prefetch("students").All(ctx, db)
	return show(classes, err)
}

// typed writes: columns that the compiler has checked say what is set, looked up
// and in conflict.
func written(ctx context.Context, db *kin.DB) error {
	class, created, err := kin.GetOrCreate(ctx, db, &SchoolClass{Name: "1C"}, className.Path())
	show(created, err)
	class.Name = "1D"
	show(nil, kin.Update(ctx, db, class, className.Path()))
	n, err := kin.Query[Student]().Where(studentScore.IsNull()).
		Update(ctx, db, studentScore.Set(1), studentName.SetExpr(kin.Concat(studentName.F(), "!")))
	return show(n, err)
}
