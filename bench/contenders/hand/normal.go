package hand

import "github.com/kin-orm/kin/bench/data"

func people(list []*student) (normal []data.Person) {
	for _, x := range list {
		p := data.Person{ID: x.id, Name: x.name, Class: data.Named{ID: x.class.id, Name: x.class.name}}
		if x.category != nil {
			p.Category = data.Named{ID: x.category.id, Name: x.category.name}
		}
		normal = append(normal, p)
	}
	return normal
}

// bare is for students of which only the keys of class and category were read.
func bare(list []*student) (normal []data.Person) {
	for _, x := range list {
		normal = append(normal, data.Person{
			ID: x.id, Name: x.name,
			Class: data.Named{ID: x.classID}, Category: data.Named{ID: x.categoryID.Int64},
		})
	}
	return normal
}

func schools(list []*class) any {
	var normal []data.School
	for _, c := range list {
		normal = append(normal, data.School{
			Named:    data.Named{ID: c.id, Name: c.name},
			Students: people(c.students), Teachers: people(c.teachers),
		})
	}
	return data.Sorted(normal)
}
