package docs

import (
	"context"

	"github.com/kin-orm/kin"
)

// rows: All, First, Get, Count and Exists run a query. Its value is immutable, so
// that one may be kept and derived from. Conditions of one Filter speak of the
// same related row.
func rows(ctx context.Context, db *kin.DB) error {
	music := kin.Query[Student]().Filter("category__name", "Music").OrderBy("-name")
	students, err := music.All(ctx, db)
	show(students, err)
	first, err := music.First(ctx, db)
	show(first, err)
	n, err := music.Exclude("score", nil).Count(ctx, db)
	show(n, err)
	found, err := music.Filter("name__istartswith", "a").Exists(ctx, db)
	return show(found, err)
}

// lookups: a path of relations and a field, and perhaps an operator. NULL is a
// value like others: ne "x" holds for it.
func lookups(ctx context.Context, db *kin.DB) error {
	students, err := kin.Query[Student]().
		Filter("class__name__in", []string{"1A", "1B"}, "score__range", []int64{1, 5}).
		Filter("name__icontains", "A").
		Exclude("category__name", "Maths").
		All(ctx, db)
	return show(students, err)
}

// columns: a program without a lookup in a text. A column is a path that the
// compiler has checked.
func typed(ctx context.Context, db *kin.DB) error {
	students, err := kin.Query[Student]().
		Where(studentClass.Eq("1A"), kin.Or(studentScore.IsNull(), kin.HasPrefix(studentName, "A"))).
		OrderBy(studentName.Desc()).
		All(ctx, db)
	return show(students, err)
}

// groups: And, Or, Xor and Not nest to any depth, of typed conditions and of
// lookups.
func groups(ctx context.Context, db *kin.DB) error {
	n, err := kin.Query[Student]().
		Where(kin.Xor(kin.Q("score__gt", 3), kin.Not(kin.And(kin.Q("class__name", "1A"), kin.Q("category", nil))))).
		Count(ctx, db)
	return show(n, err)
}

// related rows: Has, HasNo and HasOnly ask whether some, none or every related
// row meets conditions.
func has(ctx context.Context, db *kin.DB) error {
	classes, err := kin.Query[SchoolClass]().
		Where(kin.Has("students", kin.Q("score__gt", 3), kin.Q("category__name", "Music")), kin.HasNo("teachers", kin.Q("pay__gt", 900))).
		All(ctx, db)
	show(classes, err)
	classes, err = kin.Query[SchoolClass]().Where(classStudents.HasOnly(studentScore.Gte(1))).All(ctx, db)
	return show(classes, err)
}

// joined: SelectRelated loads related rows in the query's own statement. Several
// branches are arms of one UNION ALL, so that they do not multiply each other.
func joined(ctx context.Context, db *kin.DB) error {
	students, err := kin.Query[Student]().SelectRelated("class", "category").Limit(2).All(ctx, db)
	show(students, err)
	classes, err := kin.Query[SchoolClass]().SelectRelated("students__category", "teachers").All(ctx, db)
	return show(classes, err)
}

// prefetched: Prefetch loads them by statements of their own, of which each may
// have conditions, an order, and a limit for each parent.
func prefetched(ctx context.Context, db *kin.DB) error {
	best := kin.Query[Student]().OrderBy("-score").Limit(1)
	classes, err := kin.Query[SchoolClass]().Prefetch("students", best).All(ctx, db)
	return show(classes, err)
}

// many to many: the table of links is kin's own.
func manyToMany(ctx context.Context, db *kin.DB) error {
	students, err := kin.Query[Student]().SelectRelated("clubs").Filter("clubs__name", "Chess").All(ctx, db)
	return show(students, err)
}

// values: Select reads what the fields of any struct say: paths, aggregates and
// names of annotations. Aggregates over several to-many relations are of each
// row's own related rows.
func values(ctx context.Context, db *kin.DB) error {
	type row struct {
		Name     string
		Students int64  `kin:"count(students)"`
		Best     *int64 `kin:"max(students__score)"`
		Pay      int64  `kin:"sum(teachers__pay),zero"`
	}
	list, err := kin.Select[row](kin.Query[SchoolClass]().OrderBy("name")).All(ctx, db)
	return show(list, err)
}

// groups of rows: an aggregate of the query's own rows makes groups of those that
// agree in the other fields. Having is for groups what Filter is for rows.
func grouped(ctx context.Context, db *kin.DB) error {
	type row struct {
		Class string   `kin:"class__name"`
		N     int64    `kin:"count(*)"`
		Mean  *float64 `kin:"avg(score)"`
	}
	list, err := kin.Select[row](kin.Query[Student]()).Having(kin.Count("id").Gt(1)).OrderBy("-n").All(ctx, db)
	return show(list, err)
}

// annotations: Annotate names an expression, by which the query filters and
// sorts.
func annotations(ctx context.Context, db *kin.DB) error {
	classes, err := kin.Query[SchoolClass]().
		Annotate("size", kin.Count("students").Where(kin.Q("score__gt", 0))).
		Filter("size__gte", 1).OrderBy("-size", "name").All(ctx, db)
	return show(classes, err)
}

// one column: Pluck, PluckMap and Value read columns and single values.
func plucked(ctx context.Context, db *kin.DB) error {
	names, err := kin.Pluck(ctx, db, kin.Query[Student]().OrderBy("name"), studentName)
	show(names, err)
	byID, err := kin.PluckMap(ctx, db, kin.Query[Student](), studentID, studentName)
	show(byID, err)
	total, err := kin.Value[int64](ctx, db, kin.Query[Student](), kin.Sum("score"))
	return show(total, err)
}

// sets: selections can be united, intersected, and taken from each other.
func sets(ctx context.Context, db *kin.DB) error {
	type row struct{ Name string }
	students, teachers := kin.Select[row](kin.Query[Student]()), kin.Select[row](kin.Query[Teacher]())
	list, err := students.Union(teachers).OrderBy("name").Limit(3).All(ctx, db)
	return show(list, err)
}

// expressions: F is a column in an expression. What is computed can be compared,
// sorted by, selected and set.
func expressions(ctx context.Context, db *kin.DB) error {
	students, err := kin.Query[Student]().
		Where(kin.Concat(kin.F("class__name"), "/", kin.Lower(kin.F("name"))).Eq("1A/ada")).
		All(ctx, db)
	show(students, err)
	grade := kin.Case().When("good", "score__gte", 4).When("absent", "score", nil).Else("fair")
	type row struct{ Name, Grade string }
	list, err := kin.Select[row](kin.Query[Student]().Annotate("grade", grade).OrderBy("name")).All(ctx, db)
	return show(list, err)
}

// times: parts of times are those of a clock in any time zone.
func times(ctx context.Context, db *kin.DB) error {
	type row struct {
		Year int64
		N    int64 `kin:"count(*)"`
	}
	list, err := kin.Select[row](kin.Query[Student]().Annotate("year", kin.Extract(kin.Year, kin.F("born")))).All(ctx, db)
	return show(list, err)
}

// subqueries: Exists, InQuery and ValueOf ask another query, which Outer ties to
// the row outside.
func subqueries(ctx context.Context, db *kin.DB) error {
	peers := kin.Query[Teacher]().Where(kin.F("class").Eq(kin.Outer("class")), kin.F("name").Ne(kin.Outer("name")))
	teachers, err := kin.Query[Teacher]().Where(kin.Not(kin.Exists(peers))).All(ctx, db)
	return show(teachers, err)
}

// windows: Over makes a value among the rows of a window.
func windows(ctx context.Context, db *kin.DB) error {
	type row struct {
		Name string
		Rank int64
		Sum  int64
	}
	byClass := kin.Window{Partition: []string{"class"}, Order: []string{"pay"}}
	list, err := kin.Select[row](kin.Query[Teacher]().
		Annotate("rank", kin.Rank().Over(byClass)).
		Annotate("sum", kin.Sum("pay").Over(byClass)).OrderBy("id")).All(ctx, db)
	return show(list, err)
}

// trees: Descendants and Ancestors follow a model's foreign key to itself to any
// depth.
func trees(ctx context.Context, db *kin.DB) error {
	staff, err := kin.Query[Teacher]().Filter("name", "Tia").Descendants("reports_to").All(ctx, db)
	return show(staff, err)
}

// pages: Page counts the rows of all pages. PageFrom goes on from a place, which
// a signed text names: rows that are inserted meanwhile move nothing.
func pages(ctx context.Context, db *kin.DB) error {
	page, err := kin.Query[Student]().OrderBy("-score").Page(ctx, db, 2, 2)
	show(page.Total, err)
	q := kin.Query[Student]().OrderBy("-score", "class__name")
	first, err := q.PageFrom(ctx, db, "", 2)
	show(len(first.Rows), err)
	second, err := q.PageFrom(ctx, db, first.Next, 2)
	return show(len(second.Rows), err)
}

// streams: Iter reads row by row in constant memory, and Batches leaves the
// connection free while the loop works.
func streams(ctx context.Context, db *kin.DB) error {
	for student, err := range kin.Query[Student]().Iter(ctx, db) {
		show(student, err)
	}
	for students, err := range kin.Query[Student]().Batches(ctx, db, 3) {
		show(len(students), err)
	}
	return nil
}

// changes: Update and Delete change all rows of a query, and no others.
func changes(ctx context.Context, db *kin.DB) error {
	n, err := kin.Query[Student]().Filter("class__name", "1A").Update(ctx, db, kin.Set("score", kin.F("score").Add(1)))
	show(n, err)
	n, err = kin.Query[Teacher]().Filter("pay__lt", 150).Delete(ctx, db)
	return show(n, err)
}

// locks: ForUpdate locks rows until the transaction ends. With SkipLocked, several
// workers take jobs from one table. SQLite has no locks of rows: there, a
// transaction that writes is alone.
func locks(ctx context.Context, db *kin.DB) error {
	return db.Tx(ctx, func(tx *kin.Tx) error {
		job, err := kin.Query[Student]().Filter("score", nil).ForUpdate(kin.SkipLocked).First(ctx, tx)
		return show(job, err)
	})
}

// raw: SQL of the program's own, with ? for each argument on every database.
func raw(ctx context.Context, db *kin.DB) error {
	students, err := kin.Raw[Student]("SELECT * FROM students WHERE score > ? ORDER BY id", 2).All(ctx, db)
	return show(students, err)
}

// guards: lookups that come from a user are held to a list.
func guards(ctx context.Context, db *kin.DB) error {
	q := kin.Query[Student]().Allow("name", "category__name")
	students, err := q.Filter("category__name", "Music").All(ctx, db)
	show(students, err)
	_, err = q.Filter("class__name", "1A").All(ctx, db)
	return show(err, nil)
}
