package ent

import (
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/ent"
)

func normal(w *ent.Wide) data.Wide {
	return data.Wide{
		ID: w.ID, Quantity: w.Quantity, Level: w.Level, Name: w.Name, Code: w.Code, Note: w.Note,
		Active: w.Active, Hidden: w.Hidden, Price: w.Price, Ratio: w.Ratio, Created: w.Created, Updated: w.Updated,
	}.UTC()
}

func normals(list []*ent.Wide) any {
	var normals []data.Wide
	for _, w := range list {
		normals = append(normals, normal(w))
	}
	return normals
}

func normalEntries(list []*ent.Entry) any {
	var normals []data.Wide
	for _, e := range list {
		normals = append(normals, data.Wide{
			ID: e.ID, Quantity: e.Quantity, Level: e.Level, Name: e.Name, Code: e.Code, Note: e.Note,
			Active: e.Active, Hidden: e.Hidden, Price: e.Price, Ratio: e.Ratio, Created: e.Created, Updated: e.Updated,
		}.UTC())
	}
	return normals
}

func named(k *ent.Category) (n data.Named) {
	if k != nil {
		n = data.Named{ID: k.ID, Name: k.Name}
	}
	return n
}

func normalStudents(list []*ent.Student) any {
	var normal []data.Person
	for _, x := range list {
		c := x.Edges.Class
		normal = append(normal, data.Person{
			ID: x.ID, Name: x.Name, Class: data.Named{ID: c.ID, Name: c.Name}, Category: named(x.Edges.Category),
		})
	}
	return normal
}

// bare is for students of which only the keys of class and category were read.
func bare(list []*ent.Student) any {
	var normal []data.Person
	for _, x := range list {
		p := data.Person{ID: x.ID, Name: x.Name, Class: data.Named{ID: x.ClassID}}
		if x.CategoryID != nil {
			p.Category.ID = *x.CategoryID
		}
		normal = append(normal, p)
	}
	return normal
}

// schools is for classes whose students do not know their class but its key.
func schools(list []*ent.Class) any {
	names := map[int64]string{}
	for _, c := range list {
		names[c.ID] = c.Name
	}
	person := func(id int64, name string, class int64, k *ent.Category) data.Person {
		return data.Person{ID: id, Name: name, Class: data.Named{ID: class, Name: names[class]}, Category: named(k)}
	}
	var normal []data.School
	for _, c := range list {
		s := data.School{Named: data.Named{ID: c.ID, Name: c.Name}}
		for _, x := range c.Edges.Students {
			s.Students = append(s.Students, person(x.ID, x.Name, x.ClassID, x.Edges.Category))
		}
		for _, x := range c.Edges.Teachers {
			s.Teachers = append(s.Teachers, person(x.ID, x.Name, x.ClassID, x.Edges.Category))
		}
		normal = append(normal, s)
	}
	return data.Sorted(normal)
}
