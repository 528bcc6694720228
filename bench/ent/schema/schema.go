// Package schema is what ent generates its code from: go generate ./ent
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
)

// Class has students and teachers.
type Class struct{ ent.Schema }

// Annotations name the table.
func (Class) Annotations() []schema.Annotation { return table("school_classes") }

// Fields are the columns.
func (Class) Fields() []ent.Field { return []ent.Field{field.Int64("id"), field.String("name")} }

// Edges are the relations.
func (Class) Edges() []ent.Edge {
	return []ent.Edge{edge.To("students", Student.Type), edge.To("teachers", Teacher.Type)}
}

// Category is what students and teachers have one of, or none.
type Category struct{ ent.Schema }

// Annotations name the table.
func (Category) Annotations() []schema.Annotation { return table("categories") }

// Fields are the columns.
func (Category) Fields() []ent.Field { return []ent.Field{field.Int64("id"), field.String("name")} }

// Student belongs to a class.
type Student struct{ ent.Schema }

// Annotations name the table.
func (Student) Annotations() []schema.Annotation { return table("students") }

// Fields are the columns.
func (Student) Fields() []ent.Field { return memberFields() }

// Edges are the relations.
func (Student) Edges() []ent.Edge { return memberEdges("students") }

// Teacher belongs to a class.
type Teacher struct{ ent.Schema }

// Annotations name the table.
func (Teacher) Annotations() []schema.Annotation { return table("teachers") }

// Fields are the columns.
func (Teacher) Fields() []ent.Field { return memberFields() }

// Edges are the relations.
func (Teacher) Edges() []ent.Edge { return memberEdges("teachers") }

func table(name string) []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: name}}
}

func memberFields() []ent.Field {
	return []ent.Field{
		field.Int64("id"), field.String("name"),
		field.Int64("class_id"), field.Int64("category_id").Optional().Nillable(),
	}
}

func memberEdges(back string) []ent.Edge {
	return []ent.Edge{
		edge.From("class", Class.Type).Ref(back).Unique().Required().Field("class_id"),
		edge.To("category", Category.Type).Unique().Field("category_id"),
	}
}

// columns are those of a row with twelve of them.
type columns struct{ mixin.Schema }

// Fields are the columns.
func (columns) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"), field.Int64("quantity"), field.Int32("level"),
		field.String("name"), field.String("code"), field.String("note").Optional().Nillable(),
		field.Bool("active"), field.Bool("hidden"), field.Float("price"), field.Float("ratio"),
		field.Time("created"), field.Time("updated"),
	}
}

// Wide is a row that is read.
type Wide struct{ ent.Schema }

// Annotations name the table.
func (Wide) Annotations() []schema.Annotation { return table("wides") }

// Mixin has the columns.
func (Wide) Mixin() []ent.Mixin { return []ent.Mixin{columns{}} }

// Entry is a row that is written.
type Entry struct{ ent.Schema }

// Annotations name the table.
func (Entry) Annotations() []schema.Annotation { return table("entries") }

// Mixin has the columns.
func (Entry) Mixin() []ent.Mixin { return []ent.Mixin{columns{}} }
