package gorm

import (
	"time"

	"github.com/kin-orm/kin/bench/data"
)

type (
	class struct {
		ID       int64
		Name     string
		Students []student `gorm:"foreignKey:ClassID"`
		Teachers []teacher `gorm:"foreignKey:ClassID"`
	}
	category struct {
		ID   int64
		Name string
	}
	student struct {
		ID         int64
		Name       string
		ClassID    int64
		CategoryID *int64
		Class      *class
		Category   *category
	}
	teacher struct {
		ID         int64
		Name       string
		ClassID    int64
		CategoryID *int64
		Class      *class
		Category   *category
	}
	columns struct {
		ID       int64
		Quantity int64
		Level    int32
		Name     string
		Code     string
		Note     *string
		Active   bool
		Hidden   bool
		Price    float64
		Ratio    float64
		Created  time.Time
		Updated  time.Time
	}
	wide  columns
	entry columns
	tick  struct {
		ID   int64
		Name string
	}
)

func (class) TableName() string    { return "school_classes" }
func (category) TableName() string { return "categories" }
func (entry) TableName() string    { return "entries" }

func normalWide(w wide) any { return data.Wide(w).UTC() }

func normalWides(list []wide) any {
	var normal []data.Wide
	for _, w := range list {
		normal = append(normal, data.Wide(w).UTC())
	}
	return normal
}

func normalEntries(list []entry) any {
	var normal []data.Wide
	for _, e := range list {
		normal = append(normal, data.Wide(e).UTC())
	}
	return normal
}

func named(k *category) (n data.Named) {
	if k != nil {
		n = data.Named{ID: k.ID, Name: k.Name}
	}
	return n
}

func normalStudents(list []student) any {
	var normal []data.Person
	for _, x := range list {
		normal = append(normal, data.Person{
			ID: x.ID, Name: x.Name, Class: data.Named{ID: x.Class.ID, Name: x.Class.Name}, Category: named(x.Category),
		})
	}
	return normal
}

// bare is for students of which only the keys of class and category were read.
func bare(list []student) any {
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
func schools(list []class) any {
	names := map[int64]string{}
	for _, c := range list {
		names[c.ID] = c.Name
	}
	person := func(id int64, name string, class int64, k *category) data.Person {
		return data.Person{ID: id, Name: name, Class: data.Named{ID: class, Name: names[class]}, Category: named(k)}
	}
	var normal []data.School
	for _, c := range list {
		s := data.School{Named: data.Named{ID: c.ID, Name: c.Name}}
		for _, x := range c.Students {
			s.Students = append(s.Students, person(x.ID, x.Name, x.ClassID, x.Category))
		}
		for _, x := range c.Teachers {
			s.Teachers = append(s.Teachers, person(x.ID, x.Name, x.ClassID, x.Category))
		}
		normal = append(normal, s)
	}
	return data.Sorted(normal)
}
