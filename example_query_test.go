package kin_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/mysql"
	"github.com/kin-orm/kin/dialect/postgres"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// A query is an immutable value: it may be kept in a variable of the package,
// and others derived from it.
func ExampleQuery() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	students := kin.Query[Student]().OrderBy("-name")
	mathematicians := students.Filter("category__name", "Maths")

	printNames(ctx, db, students)
	printNames(ctx, db, mathematicians)
	// Output:
	// Eve Dan Cleo Ben Ada
	// Dan Cleo
}

// Both branches come with one statement, and each row once: 3 classes, 5
// students, 3 teachers and 2 categories are 13 rows, not the product.
func ExampleQuerySet_SelectRelated() {
	ctx := context.Background()
	var last kin.Event
	db := openSchool(ctx, kin.WithTrace(func(_ context.Context, e kin.Event) { last = e }))
	defer db.Close()

	classes, err := kin.Query[SchoolClass]().
		SelectRelated("students__category", "teachers").
		All(ctx, db)
	check(err)

	for _, c := range classes {
		fmt.Println(c.Name)
		for _, s := range c.Students.All() {
			name := "nothing"
			if category := s.Category.Get(); category != nil {
				name = category.Name
			}
			fmt.Println("  student", s.Name, "learns", name)
		}
		for _, t := range c.Teachers.All() {
			fmt.Println("  teacher", t.Name)
		}
	}
	fmt.Println(last.Rows, "rows")
	// Output:
	// 1A
	//   student Ada learns Music
	//   student Ben learns nothing
	//   student Cleo learns Maths
	//   teacher Ms Ito
	//   teacher Mr Lane
	// 1B
	//   student Dan learns Maths
	//   student Eve learns Music
	//   teacher Mrs Diaz
	// 1C
	// 13 rows
}

// Conditions of one call speak of the same student, those of separate calls
// may be met by different ones.
func ExampleQuerySet_Filter() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()
	classes := kin.Query[SchoolClass]()

	// A student called Dan who learns music.
	printNames(ctx, db, classes.Filter("students__name", "Dan", "students__category__name", "Music"))

	// A student called Dan, and a student who learns music.
	printNames(ctx, db, classes.Filter("students__name", "Dan").Filter("students__category__name", "Music"))

	// What is loaded is not trimmed: all students of the class are there.
	class, err := classes.Filter("students__name", "Dan").SelectRelated("students").Get(ctx, db)
	check(err)
	fmt.Println(class.Students)
	// Output:
	// none
	// 1B
	// [Student(4) Student(5)]
}

// The operators, and values that are not plain: a list, a row, NULL.
func ExampleQuerySet_Filter_operators() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()
	students := kin.Query[Student]()
	class, err := kin.Query[SchoolClass]().Filter("name", "1B").Get(ctx, db)
	check(err)

	printNames(ctx, db, students.Filter("name__in", []string{"Eve", "Ada", "Zoe"}))
	printNames(ctx, db, students.Filter("name__range", [2]string{"B", "D"}))
	printNames(ctx, db, students.Filter("name__iendswith", "A"))
	printNames(ctx, db, students.Filter("class", class))
	printNames(ctx, db, students.Filter("class", 2))
	printNames(ctx, db, students.Filter("category", nil))
	printNames(ctx, db, students.Filter("category__name__ne", "Music")) // NULL differs too
	printNames(ctx, db, kin.Query[SchoolClass]().Filter("students__isnull", true))
	// Output:
	// Ada Eve
	// Ben Cleo
	// Ada
	// Dan Eve
	// Dan Eve
	// Ben
	// Ben Cleo Dan
	// 1C
}

// Exclude is the exact complement of Filter: the class without students, and
// the student without a category, are on one side or the other.
func ExampleQuerySet_Exclude() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	printNames(ctx, db, kin.Query[SchoolClass]().Filter("students__category__name", "Music"))
	printNames(ctx, db, kin.Query[SchoolClass]().Exclude("students__category__name", "Music"))
	printNames(ctx, db, kin.Query[Student]().Filter("category__name", "Music"))
	printNames(ctx, db, kin.Query[Student]().Exclude("category__name", "Music"))
	// Output:
	// 1A 1B
	// 1C
	// Ada Eve
	// Ben Cleo Dan
}

// A path through a to-many relation sorts the loaded rows within their
// parent. The classes keep their own order.
func ExampleQuerySet_OrderBy() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	classes, err := kin.Query[SchoolClass]().
		SelectRelated("students").
		OrderBy("-name", "-students__name").
		All(ctx, db)
	check(err)
	for _, c := range classes {
		fmt.Print(c.Name)
		for s := range c.Students.Values() {
			fmt.Print(" ", s.Name)
		}
		fmt.Println()
	}
	// Rows of the query itself, by a field of the row that a key leads to.
	// NULL comes before all values.
	printNames(ctx, db, kin.Query[Student]().OrderBy("category__name"))
	// Output:
	// 1C
	// 1B Eve Dan
	// 1A Cleo Ben Ada
	// Ben Cleo Dan Ada Eve
}

// Limit and Offset count classes, never joined rows.
func ExampleQuerySet_Limit() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	page, err := kin.Query[SchoolClass]().SelectRelated("students").OrderBy("name").Limit(2).All(ctx, db)
	check(err)
	for _, c := range page {
		fmt.Println(c.Name, c.Students)
	}
	// Output:
	// 1A [Student(1) Student(2) Student(3)]
	// 1B [Student(4) Student(5)]
}

func ExampleQuerySet_Offset() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	printNames(ctx, db, kin.Query[Student]().OrderBy("name").Offset(3).Limit(10))
	// Output:
	// Dan Eve
}

func ExampleQuerySet_Get() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()
	students := kin.Query[Student]()

	ada, err := students.Filter("name", "Ada").Get(ctx, db)
	fmt.Println(ada.Name, err)

	_, err = students.Filter("name", "Zoe").Get(ctx, db)
	fmt.Println(err, errors.Is(err, kin.ErrNotFound), errors.Is(err, sql.ErrNoRows))

	_, err = students.Filter("class__name", "1A").Get(ctx, db)
	fmt.Println(err, errors.Is(err, kin.ErrMultipleFound))
	// Output:
	// Ada <nil>
	// kin: no row found: Student true true
	// kin: more than one row found: Student true
}

func ExampleQuerySet_All() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	classes, err := kin.Query[SchoolClass]().Filter("name__gt", "1A").All(ctx, db) // []*SchoolClass
	check(err)
	for _, c := range classes {
		fmt.Println(c.ID, c.Name)
	}
	// Output:
	// 2 1B
	// 3 1C
}

func ExampleQuerySet_First() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	student, err := kin.Query[Student]().OrderBy("-name").First(ctx, db)
	check(err)
	fmt.Println(student.Name)
	// Output:
	// Eve
}

func ExampleQuerySet_Last() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	student, err := kin.Query[Student]().OrderBy("-name").Last(ctx, db)
	check(err)
	fmt.Println(student.Name)
	// Output:
	// Ada
}

// Count counts rows of the model, whatever is joined and however many
// students meet the condition.
func ExampleQuerySet_Count() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	n, err := kin.Query[SchoolClass]().
		SelectRelated("students", "teachers").
		Filter("students__name__contains", "a").
		Count(ctx, db)
	check(err)
	fmt.Println(n)
	// Output:
	// 2
}

func ExampleQuerySet_Exists() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	yes, err := kin.Query[Teacher]().Filter("category", nil).Exists(ctx, db)
	fmt.Println(yes, err)
	// Output:
	// true <nil>
}

// Rows are read one after the other, each with all that is loaded for it. The
// connection is given back when the loop ends, also by a break.
func ExampleQuerySet_Iter() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	for class, err := range kin.Query[SchoolClass]().SelectRelated("students", "teachers").Iter(ctx, db) {
		check(err)
		fmt.Println(class.Name, class.Students.Len(), class.Teachers.Len())
		if class.Name == "1B" {
			break
		}
	}
	// Output:
	// 1A 3 2
	// 1B 2 1
}

// SQL needs no database: a dialect is enough.
func ExampleQuerySet_SQL() {
	q := kin.Query[Student]().Filter("name__startswith", "A", "category__name", "Music").Limit(1)

	text, args, err := q.SQL(sqlite.Dialect{})
	fmt.Printf("%s\n%q %v\n", text, args, err)

	text, args, err = q.SQL(postgres.Dialect{})
	fmt.Printf("%s\n%q %v\n", text, args, err)

	text, args, err = q.SQL(mysql.Dialect{})
	fmt.Printf("%s\n%q %v\n", text, args, err)
	// Output:
	// SELECT "students"."id", "students"."name", "students"."class_id", "students"."category_id" FROM "students" LEFT JOIN "categories" AS "MZd164" ON "MZd164"."id" = "students"."category_id" WHERE "students"."name" GLOB ? AND "MZd164"."name" = ? ORDER BY "students"."id" LIMIT 1
	// ["A*" "Music"] <nil>
	// SELECT "students"."id", "students"."name", "students"."class_id", "students"."category_id" FROM "students" LEFT JOIN "categories" AS "MZd164" ON "MZd164"."id" = "students"."category_id" WHERE "students"."name" LIKE $1 AND "MZd164"."name" = $2 ORDER BY "students"."id" LIMIT 1
	// ["A%" "Music"] <nil>
	// SELECT `students`.`id`, `students`.`name`, `students`.`class_id`, `students`.`category_id` FROM `students` LEFT JOIN `categories` AS `MZd164` ON `MZd164`.`id` = `students`.`category_id` WHERE `students`.`name` LIKE ? COLLATE utf8mb4_nopad_bin ESCAPE '!' AND `MZd164`.`name` = ? COLLATE utf8mb4_nopad_bin ORDER BY `students`.`id` LIMIT 1
	// ["A%" "Music"] <nil>
}

// Err checks a query without a database.
func ExampleQuerySet_Err() {
	fmt.Println(kin.Query[SchoolClass]().SelectRelated("studnts__category").Err())
	fmt.Println(kin.Query[Student]().Filter("catgory__name", "1A").Err())
	fmt.Println(kin.Query[Student]().Filter("name__startwith", "A").Err())
	fmt.Println(kin.Query[Student]().Filter("name", true).Err())
	fmt.Println(kin.Query[Student]().OrderBy("grade").Err())

	var wrong *kin.PathError
	err := kin.Query[Student]().Filter("catgory__name", "1A").Err()
	fmt.Println(errors.As(err, &wrong), wrong.Model, wrong.Step, wrong.Known)
	// Output:
	// kin: SchoolClass has no relation "studnts" (in "studnts__category"); did you mean "students"?
	// kin: Student has no relation "catgory" (in "catgory__name"); did you mean "category"?
	// kin: Student has no operator "startwith" (in "name__startwith"); did you mean "startswith"?
	// kin: "name": Student.Name takes string, not bool
	// kin: Student has no field or relation "grade"; there are category, class, id, name
	// true Student catgory [category class]
}
