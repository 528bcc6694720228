package ent

import (
	"context"
	"errors"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/ent"
	"github.com/kin-orm/kin/bench/ent/entry"
)

// chunk is how many rows an INSERT has.
const chunk = 100

func (s session) addWrites(ops map[string]bench.Op) {
	insert := func(n int) bench.Op {
		rows := data.Inserted(n)
		return bench.NewOp(func(ctx context.Context, _ int) (list []*ent.Entry, err error) {
			wides := rows()
			err = s.inTx(ctx, func(c *ent.EntryClient) error {
				for from := 0; from < n; from += chunk {
					rows, err := c.MapCreateBulk(wides[from:from+chunk], func(e *ent.EntryCreate, i int) { set(e, &wides[from+i]) }).Save(ctx)
					if err != nil {
						return err
					}
					list = append(list, rows...)
				}
				return nil
			})
			return list, err
		}, normalEntries)
	}
	one, first, thousand := data.Inserted(1), data.Edits(7, 1), data.Edits(1, 1000)
	ops["insert-one"] = bench.NewOp(func(ctx context.Context, _ int) ([]*ent.Entry, error) {
		e, err := set(s.client.Entry.Create(), &one()[0]).Save(ctx)
		return []*ent.Entry{e}, err
	}, normalEntries)
	ops["insert-1000"] = insert(1000)
	ops["insert-10000"] = insert(10_000)
	ops["update-one"] = bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
		return none, update(ctx, s.client.Entry, first(run)[0])
	}, bench.Same)
	ops["update-1000"] = bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
		return none, s.inTx(ctx, func(c *ent.EntryClient) error {
			for _, e := range thousand(run) {
				if err := update(ctx, c, e); err != nil {
					return err
				}
			}
			return nil
		})
	}, bench.Same)
}

func set(e *ent.EntryCreate, w *data.Wide) *ent.EntryCreate {
	return e.SetQuantity(w.Quantity).SetLevel(w.Level).SetName(w.Name).SetCode(w.Code).SetNillableNote(w.Note).
		SetActive(w.Active).SetHidden(w.Hidden).SetPrice(w.Price).SetRatio(w.Ratio).SetCreated(w.Created).SetUpdated(w.Updated)
}

// update updates without reading the row back, as UpdateOne does.
func update(ctx context.Context, c *ent.EntryClient, e data.Edit) error {
	n, err := c.Update().Where(entry.ID(e.ID)).SetName(e.Name).SetQuantity(e.Quantity).Save(ctx)
	if err == nil && n != 1 {
		return errors.New("the row is not there")
	}
	return err
}

func (s session) inTx(ctx context.Context, do func(c *ent.EntryClient) error) error {
	tx, err := s.client.Tx(ctx)
	if err != nil {
		return err
	}
	if err := do(tx.Entry); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
