package kin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// A ForeignKey that a query has not selected knows its key. Reading it never
// asks the database.
func ExampleForeignKey() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	ben, err := kin.Query[Student]().Filter("name", "Ben").Get(ctx, db)
	check(err)
	fmt.Println(ben.Class, ben.Class.Loaded(), ben.Class.IsNull(), ben.Class.Get())
	fmt.Println(ben.Category, ben.Category.Loaded(), ben.Category.IsNull(), ben.Category.Get())

	ben, err = kin.Query[Student]().SelectRelated("class").Filter("name", "Ben").Get(ctx, db)
	check(err)
	fmt.Println(ben.Class, ben.Class.Loaded(), ben.Class.Get().Name)
	// Output:
	// SchoolClass(1) false false <nil>
	// Category(NULL) false true <nil>
	// SchoolClass(1) true 1A
}

// Ref gives the key as the model has it, with its own type.
func ExampleForeignKey_Ref() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	ben, err := kin.Query[Student]().Filter("name", "Ben").Get(ctx, db)
	check(err)
	id := ben.Class.Ref().ID // an int64, and no query
	fmt.Println(id, ben.Category.Ref())
	// Output:
	// 1 <nil>
}

func ExampleForeignKey_Load() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	ben, err := kin.Query[Student]().Filter("name", "Ben").Get(ctx, db)
	check(err)
	class, err := ben.Class.Load(ctx, db) // a query, unless it is loaded
	fmt.Println(class.Name, err)
	fmt.Println(ben.Class.Get() == class)
	category, err := ben.Category.Load(ctx, db) // NULL is no error
	fmt.Println(category, err)
	// Output:
	// 1A <nil>
	// true
	// <nil> <nil>
}

// Set keeps both sides in step, in memory.
func ExampleForeignKey_Set() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	classes, err := kin.Query[SchoolClass]().SelectRelated("students").All(ctx, db)
	check(err)
	a, c := classes[0], classes[2]
	ada := a.Students.All()[0]

	ada.Class.Set(c)
	fmt.Println(a.Students, c.Students)

	ada.Category.Clear()
	fmt.Println(ada.Category)
	// Output:
	// [Student(2) Student(3)] [Student(1)]
	// Category(NULL)
}

func ExampleForeignKey_SetKey() {
	var ada Student
	fmt.Println(ada.Class.SetKey(7), ada.Class)
	fmt.Println(ada.Class.SetKey("seven"))
	// Output:
	// <nil> SchoolClass(7)
	// kin: a key of SchoolClass: takes int64, not string
}

// To refers to a row, which may be saved later, but before its referrer.
func ExampleTo() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	class := &SchoolClass{Name: "1D"}
	zoe := &Student{Name: "Zoe", Class: kin.To(class)}
	fmt.Println(kin.Insert(ctx, db, zoe))

	check(kin.Insert(ctx, db, class))
	check(kin.Insert(ctx, db, zoe))
	fmt.Println(zoe.Class)
	// Output:
	// kin: insert of Student: Student.Class leads to a SchoolClass that is not saved: it has no primary key yet
	// SchoolClass(4)
}

// Key refers to a row by its key, without having it.
func ExampleKey() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	zoe := &Student{Name: "Zoe", Class: kin.Key[SchoolClass](3)}
	check(kin.Insert(ctx, db, zoe))

	printNames(ctx, db, kin.Query[SchoolClass]().Filter("students", zoe))
	// Output:
	// 1C
}

// A Reverse is not loaded, or loaded and perhaps empty.
func ExampleReverse() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	class, err := kin.Query[SchoolClass]().SelectRelated("students").Filter("name", "1A").Get(ctx, db)
	check(err)
	fmt.Println(class.Students.Loaded(), class.Students.Len(), class.Students)
	fmt.Println(class.Teachers.Loaded(), class.Teachers.Len(), class.Teachers)
	for student := range class.Students.Values() {
		fmt.Println(student.Name, student.Class.Get() == class) // back to the same value
	}
	// Output:
	// true 3 [Student(1) Student(2) Student(3)]
	// false 0 [Teacher(not loaded)]
	// Ada true
	// Ben true
	// Cleo true
}

func ExampleReverse_Load() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	class, err := kin.Query[SchoolClass]().First(ctx, db)
	check(err)
	teachers, err := class.Teachers.Load(ctx, db) // []*Teacher
	check(err)
	for _, t := range teachers {
		fmt.Println(t.Name)
	}
	fmt.Println(class.Teachers.Loaded())
	// Output:
	// Ms Ito
	// Mr Lane
	// true
}

// Query is the children of one row, to narrow further.
func ExampleReverse_Query() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	class, err := kin.Query[SchoolClass]().First(ctx, db)
	check(err)
	printNames(ctx, db, class.Students.Query().Filter("category__isnull", false).OrderBy("-name"))

	// A row that kin has not seen has no children that it knows of.
	var unseen SchoolClass
	_, err = unseen.Students.Query().All(ctx, db)
	fmt.Println(errors.Is(err, kin.ErrUnbound))
	// Output:
	// Cleo Ada
	// true
}

// A loaded graph becomes nested objects. A way back to a row that is being
// written is its key, a relation that is not loaded is its key, and a Reverse
// that is not loaded is left out by the option omitzero.
func Example_json() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	class, err := kin.Query[SchoolClass]().SelectRelated("students").Filter("name", "1B").Get(ctx, db)
	check(err)
	text, err := json.MarshalIndent(class, "", "  ")
	check(err)
	fmt.Println(string(text))

	// Reading takes a key or an object.
	var zoe Student
	check(json.Unmarshal([]byte(`{"Name":"Zoe","Class":2,"Category":{"ID":1,"Name":"Music"}}`), &zoe))
	fmt.Println(zoe.Class, zoe.Category.Get().Name)
	// Output:
	// {
	//   "ID": 2,
	//   "Name": "1B",
	//   "Students": [
	//     {
	//       "ID": 4,
	//       "Name": "Dan",
	//       "Class": 2,
	//       "Category": 2
	//     },
	//     {
	//       "ID": 5,
	//       "Name": "Eve",
	//       "Class": 2,
	//       "Category": 1
	//     }
	//   ]
	// }
	// SchoolClass(2) Music
}

// A row that was made by hand or from JSON does not know the rows around it
// until it is bound.
func ExampleBind() {
	ctx := context.Background()
	db := openSchool(ctx)
	defer db.Close()

	var class SchoolClass
	check(json.Unmarshal([]byte(`{"ID":2,"Name":"1B"}`), &class))
	check(kin.Bind(db, &class))
	printNames(ctx, db, class.Students.Query())
	// Output:
	// Dan Eve
}

type (
	Room struct {
		Building string `kin:",pk,size=20"`
		Number   int    `kin:",pk"`
		Seats    int
		Lessons  kin.Reverse[Lesson] `json:",omitzero"`
	}

	Lesson struct {
		ID   int64
		Name string
		Room kin.ForeignKey[Room]
	}
)

// A primary key may have several fields. A foreign key to it has a column for
// each, and everything else is as with one.
func Example_compositeKey() {
	ctx := context.Background()
	var models kin.Registry
	kin.Register[Room](&models)
	kin.Register[Lesson](&models)
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&models))
	check(err)
	defer db.Close()
	check(kin.CreateTables(ctx, db))

	check(kin.Insert(ctx, db, &Room{Building: "North", Number: 12, Seats: 30}))
	check(kin.Insert(ctx, db, &Lesson{Name: "Choir", Room: kin.Key[Room]("North", 12)}))

	lesson, err := kin.Query[Lesson]().SelectRelated("room").Filter("room__seats__gte", 20).Get(ctx, db)
	check(err)
	fmt.Println(lesson.Name, lesson.Room, lesson.Room.Get().Seats)

	join, err := models.ResolveRelationJoin("Lesson", "Room")
	fmt.Println(join, err)
	// Output:
	// Choir Room("North", 12) 30
	// LEFT JOIN "rooms" AS "DI6a46" ON "DI6a46"."building" = "lessons"."room_building" AND "DI6a46"."number" = "lessons"."room_number" <nil>
}
