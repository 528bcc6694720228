// Package contenders lists all contenders.
package contenders

import (
	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders/bun"
	"github.com/kin-orm/kin/bench/contenders/ent"
	"github.com/kin-orm/kin/bench/contenders/gorm"
	"github.com/kin-orm/kin/bench/contenders/hand"
	"github.com/kin-orm/kin/bench/contenders/kin"
	"github.com/kin-orm/kin/bench/contenders/native"
	"github.com/kin-orm/kin/bench/contenders/sqlx"
)

// All returns the contenders, the reference first.
func All() []bench.Contender {
	return []bench.Contender{
		hand.Contender(),
		kin.Contender(),
		native.Contender(),
		sqlx.Contender(),
		bun.Contender(),
		gorm.Classic(),
		gorm.Generic(),
		ent.Contender(),
	}
}
