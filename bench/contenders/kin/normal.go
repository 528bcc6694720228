package kin

import (
	"database/sql/driver"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/bench/data"
)

func people(list []*student) (normal []data.Person) {
	for _, x := range list {
		normal = append(normal, person(x.ID, x.Name, x.Class, x.Category))
	}
	return normal
}

func person(id int64, name string, c kin.ForeignKey[class], k kin.ForeignKey[category]) data.Person {
	p := data.Person{ID: id, Name: name, Class: data.Named{ID: c.Get().ID, Name: c.Get().Name}}
	if k := k.Get(); k != nil {
		p.Category = data.Named{ID: k.ID, Name: k.Name}
	}
	return p
}

// bare is for students of which only the keys of class and category were read.
func bare(list []*student) (normal []data.Person) {
	key := func(v driver.Value, _ error) int64 {
		id, _ := v.(int64) // nil is NULL
		return id
	}
	for _, x := range list {
		normal = append(normal, data.Person{
			ID: x.ID, Name: x.Name,
			Class: data.Named{ID: key(x.Class.Value())}, Category: data.Named{ID: key(x.Category.Value())},
		})
	}
	return normal
}

func schools(list []*class) any {
	var normal []data.School
	for _, c := range list {
		s := data.School{Named: data.Named{ID: c.ID, Name: c.Name}, Students: people(c.Students.All())}
		if c.Teachers.Loaded() {
			for _, x := range c.Teachers.All() {
				s.Teachers = append(s.Teachers, person(x.ID, x.Name, x.Class, x.Category))
			}
		}
		normal = append(normal, s)
	}
	return data.Sorted(normal)
}
