package kin_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// Programs have one registry, kin.Relations. A test may have its own, with a
// database that uses it.
func ExampleRegistry() {
	ctx := context.Background()
	var models kin.Registry
	kin.Register[Category](&models)

	db := openSchool(ctx)
	defer db.Close()
	other := kin.New(db.SQL(), sqlite.Dialect{}, kin.WithRegistry(&models))

	n, err := kin.Query[Category]().Count(ctx, other)
	fmt.Println(n, err)
	_, err = kin.Query[Student]().Count(ctx, other)
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// kin: Student is not registered; add kin.Register[Student]() to an init function (registered are: Category)
}

type (
	Author struct {
		Name  string
		Books kin.Reverse[Book]
	}

	Book struct {
		ID     int64
		Title  string `kin:",uniqe"`
		Editor kin.ForeignKey[Editor]
	}

	Editor struct{ ID int64 }
)

// All mistakes in all models come at once, sorted. Each is a *ModelError.
func ExampleRegistry_Check() {
	var models kin.Registry
	kin.Register[Author](&models)
	kin.Register[Book](&models)

	err := models.Check()
	fmt.Println(err)

	var first *kin.ModelError
	fmt.Println(errors.As(err, &first), first.Model, first.Field)
	// Output:
	// kin: 4 mistakes in models:
	//   Author has no primary key; call a field ID or tag one `kin:",pk"`
	//   Author.Books is the reverse of no foreign key: Book has none to Author; add a field `Author kin.ForeignKey[Author]` to Book
	//   Book.Editor refers to Editor, which is not registered; add kin.Register[Editor]() to an init function
	//   Book.Title has an unknown tag option "uniqe"; the options are auto, autocreate, autoupdate, bound_to, comment, default, deterministic, generated, index, json, null, omitzero, on_delete, on_update, pk, related_name, secret, size, softdelete, type, unique, version, via; did you mean "unique"?
	// true Author
}

func ExampleRegistry_Models() {
	fmt.Println(kin.Relations().Models())
	// Output:
	// [Category SchoolClass Student Teacher] <nil>
}

// The names are those of tables or of models, and their order matters: there
// and back are two relations. An alias is the same in every process.
func ExampleRegistry_ResolveRelationJoin() {
	join, err := kin.Relations().ResolveRelationJoin("students", "categories")
	fmt.Println(join.Name, join.Alias, join.ToMany, err)
	fmt.Println(join)

	back, err := kin.Relations().ResolveRelationJoin("Category", "Student")
	fmt.Println(back.Name, back.Alias, back.ToMany, err)

	_, err = kin.Relations().ResolveRelationJoin("students", "teachers")
	fmt.Println(err)
	_, err = kin.Relations().ResolveRelationJoin("students", "category")
	fmt.Println(err)
	// Output:
	// category MZd164 false <nil>
	// LEFT JOIN "categories" AS "MZd164" ON "MZd164"."id" = "students"."category_id"
	// students MP1075 true <nil>
	// kin: no relation leads from students to teachers
	// kin: no model has the table or the name "category"; did you mean "categories"?
}

func ExampleRegistry_Mermaid() {
	fmt.Println(kin.Relations().Mermaid())
	// Output:
	// erDiagram
	//     Category {
	//         int64 id PK
	//         string name
	//     }
	//     SchoolClass {
	//         int64 id PK
	//         string name
	//     }
	//     Student {
	//         int64 id PK
	//         string name
	//         int64 class_id FK
	//         int64 category_id FK
	//     }
	//     Teacher {
	//         int64 id PK
	//         string name
	//         int64 class_id FK
	//         int64 category_id FK
	//     }
	//     Category |o--o{ Student : "category / students"
	//     SchoolClass ||--o{ Student : "class / students"
	//     Category |o--o{ Teacher : "category / teachers"
	//     SchoolClass ||--o{ Teacher : "class / teachers"
	//  <nil>
}

func ExampleRegistry_DOT() {
	var models kin.Registry
	kin.Register[Room](&models)
	kin.Register[Lesson](&models)
	fmt.Println(models.DOT())
	// Output:
	// digraph kin {
	// 	rankdir=LR;
	// 	node [shape=box];
	// 	"Lesson" [label="Lesson\nlessons"];
	// 	"Room" [label="Room\nrooms"];
	// 	"Lesson" -> "Room" [label="room DI6a46\nlessons VX96b9", style=solid];
	// }
	//  <nil>
}

func ExampleRelations() {
	fmt.Println(kin.Relations().Check())
	// Output:
	// <nil>
}

// A model may be registered in any order, and twice.
func ExampleRegister() {
	var models kin.Registry
	kin.Register[Lesson](&models) // refers to Room
	fmt.Println(models.Check())
	kin.Register[Room](&models)
	kin.Register[Room](&models)
	fmt.Println(models.Models())
	// Output:
	// kin: Lesson.Room refers to Room, which is not registered; add kin.Register[Room]() to an init function
	// [Lesson Room] <nil>
}
