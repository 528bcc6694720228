// Package wrong does not compile: each line with an ERROR comment is a mistake
// that the compiler finds, with a message that has the text there. It is
// checked by TestWrongPrograms.
package wrong

import (
	"context"
	"database/sql"
	"time"

	"github.com/kin-orm/kin"
)

type School struct {
	ID      int64
	Name    string
	Founded time.Time
	Pupils  kin.Reverse[Pupil]
}

type Pupil struct {
	ID     int64
	Name   string
	Age    int
	Nick   *string
	Grade  sql.Null[float64]
	School kin.ForeignKey[School]
	Clubs  kin.Through[Club, Member]
}

type Club struct {
	ID   int64
	Name string
}

type Member struct {
	ID    int64
	Pupil kin.ForeignKey[Pupil]
	Club  kin.ForeignKey[Club]
	Since int
}

var (
	schoolName = kin.Col(func(s *School) *string { return &s.Name })
	founded    = kin.Col(func(s *School) *time.Time { return &s.Founded })
	pupilName  = kin.Col(func(p *Pupil) *string { return &p.Name })
	age        = kin.Col(func(p *Pupil) *int { return &p.Age })
	nick       = kin.Col(func(p *Pupil) *string { return p.Nick })
	grade      = kin.Col(func(p *Pupil) *float64 { return &p.Grade.V })
	ofPupils   = kin.Col(func(s *School) *string { return &s.Pupils.Any().Name })
	school     = kin.Col(func(p *Pupil) *kin.ForeignKey[School] { return &p.School })
	pupils     = kin.Rel(func(s *School) *Pupil { return s.Pupils.Any() })
	toSchool   = kin.Rel(func(p *Pupil) *School { return p.School.Get() })
	clubs      = kin.Rel(func(p *Pupil) *Club { return p.Clubs.Any() })

	schools = kin.Query[School]()
	ofAll   = kin.Query[Pupil]()
)

// Paths that are not connected, or lead to nothing.
var (
	_ = kin.Col(func(s *School) *string { return &s.Title })                  // ERROR s.Title undefined
	_ = kin.Col(func(s *School) *string { return &s.Pupils.Name })            // ERROR s.Pupils.Name undefined
	_ = kin.Col(func(s *School) *string { return &s.Pupils.Any().School })    // ERROR cannot use &s.Pupils.Any().School
	_ = kin.Col(func(p *Pupil) *string { return &p.School.Name })             // ERROR p.School.Name undefined
	_ = kin.Col(func(p *Pupil) *string { return p.Name })                     // ERROR cannot use p.Name
	_ = kin.Col(func(p *Pupil) *string { return &p.Nick })                    // ERROR cannot use &p.Nick
	_ = kin.Col(func(p *Pupil) *int { return &p.Name })                       // ERROR cannot use &p.Name
	_ = kin.Col(func(p *Pupil) *string { return &p.School.Any().Name })       // ERROR p.School.Any undefined
	_ = kin.Col(func(s *School) *string { return &s.Pupils.Get().Name })      // ERROR s.Pupils.Get undefined
	_ = kin.Col(func(p *Pupil) *int { return &p.Clubs.Any().Since })          // ERROR p.Clubs.Any().Since undefined
	_ = kin.Col(func(p *Pupil) string { return p.Name })                      // ERROR does not match
	_ = kin.Col(&schoolName)                                                  // ERROR cannot infer
	_ = kin.Rel(func(s *School) *Pupil { return s.Pupils })                   // ERROR cannot use s.Pupils
	_ = kin.Rel(func(p *Pupil) *School { return &p.School })                  // ERROR cannot use &p.School
	_ = kin.Rel(func(s *School) *Club { return s.Pupils.Any().School.Get() }) // ERROR cannot use s.Pupils.Any().School.Get()
)

// Wrong values.
var (
	_ = schoolName.Eq(1)                // ERROR cannot use 1
	_ = age.Eq("1")                     // ERROR cannot use "1"
	_ = age.Eq(1.5)                     // ERROR constant
	_ = age.Eq(int64(1))                // ERROR cannot use int64(1)
	_ = nick.Eq(nil)                    // ERROR cannot use nil
	_ = nick.Eq(new(string))            // ERROR cannot use new(string)
	_ = grade.Between(1, "2")           // ERROR cannot use "2"
	_ = grade.In("a", "b")              // ERROR cannot use "a"
	_ = founded.Lt("2000-01-01")        // ERROR cannot use "2000-01-01"
	_ = schoolName.NotIn([]string{"a"}) // ERROR cannot use []string{…}
	_ = school.Eq(kin.To(&Club{}))      // ERROR cannot use kin.To(&Club{})
	_ = toSchool.Eq(&Club{})            // ERROR cannot use &Club{}
	_ = toSchool.In(1, 2)               // ERROR cannot use 1
	_ = age.EqCol(nick)                 // ERROR cannot use nick
	_ = pupilName.EqCol(schoolName)     // ERROR cannot use schoolName
	_ = age.Set("1")                    // ERROR cannot use "1"
	_ = school.Set(&School{})           // ERROR cannot use &School{}
	_ = kin.Contains(age, "1")          // ERROR does not satisfy ~string
	_ = kin.HasPrefix(founded, "2")     // ERROR does not satisfy ~string
	_ = kin.IContains(schoolName, 1)    // ERROR cannot use 1
)

// Wrong models.
var (
	_       = schools.Where(age.Eq(1))                                     // ERROR cannot use age.Eq(1)
	_       = ofAll.Where(schoolName.Eq("x"))                              // ERROR cannot use schoolName.Eq("x")
	_       = ofAll.Where(ofPupils.Eq("x"))                                // ERROR cannot use ofPupils.Eq("x")
	_       = schools.Where(kin.Not(age.Eq(1)))                            // ERROR cannot use kin.Not(age.Eq(1))
	_       = kin.Or(schoolName.Eq("x"), age.Eq(1))                        // ERROR does not match
	_       = kin.And(kin.Q("name", "x"), age.Eq(1), schoolName.Eq("x"))   // ERROR does not match
	_       = pupils.Has(schoolName.Eq("x"))                               // ERROR cannot use schoolName.Eq("x")
	_       = clubs.HasNo(age.Eq(1))                                       // ERROR cannot use age.Eq(1)
	_       = schools.Where(toSchool.HasOnly(schoolName.Eq("x")))          // ERROR cannot use toSchool.HasOnly
	_       = schools.OrderBy(age.Desc())                                  // ERROR cannot use age.Desc()
	_       = schools.SelectRelated(clubs.Path())                          // ERROR cannot use clubs.Path()
	_       = schools.OrderBy(pupils)                                      // ERROR cannot use pupils
	_       = schools.SelectRelated(schoolName)                            // ERROR cannot use schoolName
	_       = schools.Where("name")                                        // ERROR cannot use "name"
	_       = schools.Where(schoolName)                                    // ERROR cannot use schoolName
	_       = schools.OrderBy(variable)                                    // ERROR cannot use variable
	_, _    = schools.Update(ctx, db, age.Set(1))                          // ERROR cannot use age.Set(1)
	_, _    = schools.Update(ctx, db, schoolName.Eq("x"))                  // ERROR cannot use schoolName.Eq("x")
	_       = kin.Update(ctx, db, &School{}, age.Path())                   // ERROR does not match
	_       = kin.Upsert(ctx, db, []*School{}, kin.OnConflict(age.Path())) // ERROR does not satisfy
	_, _, _ = kin.GetOrCreate(ctx, db, &School{}, age.Path())              // ERROR does not match
	_       = kin.OnConflict(schoolName.Path()).Update(age.Path())         // ERROR cannot use age.Path()
)

var (
	ctx      context.Context
	db       *kin.DB
	variable string
)
