package kin

import (
	"time"

	"github.com/kin-orm/kin"
)

type (
	class struct {
		ID       int64
		Name     string
		Students kin.Reverse[student]
		Teachers kin.Reverse[teacher]
	}
	category struct {
		ID   int64
		Name string
	}
	student struct {
		ID       int64
		Name     string
		Class    kin.ForeignKey[class]    `kin:"class_id,related_name=students"`
		Category kin.ForeignKey[category] `kin:"category_id,null"`
	}
	teacher struct {
		ID       int64
		Name     string
		Class    kin.ForeignKey[class]    `kin:"class_id,related_name=teachers"`
		Category kin.ForeignKey[category] `kin:"category_id,null"`
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

func (class) KinTable() kin.Table    { return kin.Table{Name: "school_classes"} }
func (category) KinTable() kin.Table { return kin.Table{Name: "categories"} }
func (entry) KinTable() kin.Table    { return kin.Table{Name: "entries"} }

func registry() *kin.Registry {
	r := &kin.Registry{}
	kin.Register[class](r)
	kin.Register[category](r)
	kin.Register[student](r)
	kin.Register[teacher](r)
	kin.Register[wide](r)
	kin.Register[entry](r)
	kin.Register[tick](r)
	return r
}
