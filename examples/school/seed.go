package main

import (
	"context"

	"github.com/kin-orm/kin"
)

// fill inserts the school, in a transaction.
func fill(ctx context.Context, db *kin.DB) error {
	music, maths, sport := &Category{Name: "Music"}, &Category{Name: "Maths"}, &Category{Name: "Sport"}
	first, second, third := &SchoolClass{Name: "1A"}, &SchoolClass{Name: "2A"}, &SchoolClass{Name: "3A"}
	return db.Tx(ctx, func(tx *kin.Tx) error {
		if err := kin.Insert(ctx, tx, music, maths, sport); err != nil {
			return err
		}
		if err := kin.Insert(ctx, tx, first, second, third); err != nil {
			return err
		}
		// The rows have their keys now, so that others can refer to them.
		if err := kin.Insert(ctx, tx,
			&Student{Name: "Nour", Class: kin.To(first), Category: kin.To(music)},
			&Student{Name: "Anna", Class: kin.To(first), Category: kin.To(maths)},
			&Student{Name: "Kofi", Class: kin.To(first)}, // without a category: NULL
			&Student{Name: "Wei", Class: kin.To(second), Category: kin.To(maths)},
			&Student{Name: "Lars", Class: kin.To(second), Category: kin.To(sport)},
			&Student{Name: "Emre", Class: kin.To(third), Category: kin.To(sport)},
			&Student{Name: "Ines", Class: kin.To(third), Category: kin.To(music)},
			&Student{Name: "Yuki", Class: kin.To(third), Category: kin.To(music)},
			&Student{Name: "Bola", Class: kin.To(third), Category: kin.To(maths)},
		); err != nil {
			return err
		}
		return kin.Insert(ctx, tx,
			&Teacher{Name: "Ms Ito", Class: kin.To(first), Category: kin.To(music)},
			&Teacher{Name: "Mr Lane", Class: kin.To(first), Category: kin.To(sport)},
			&Teacher{Name: "Mrs Diaz", Class: kin.To(second), Category: kin.To(maths)},
			&Teacher{Name: "Mr Okafor", Class: kin.To(third), Category: kin.To(maths)},
			&Teacher{Name: "Ms Novak", Class: kin.To(third)},
			&Teacher{Name: "Mr Singh", Class: kin.To(third), Category: kin.To(music)},
		)
	})
}
