package tests

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/kin-orm/kin"
)

func faultyRowOps() []faultyOp {
	return []faultyOp{
		{name: "insert one", write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(1)
			return func(ctx context.Context) error { return kin.Insert(ctx, w.db, rows...) }
		}},
		{name: "insert one with its key", write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(1)
			rows[0].ID = faultyID + 100
			return func(ctx context.Context) error { return kin.Insert(ctx, w.db, rows...) }
		}},
		{name: "insert many", write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(5)
			return func(ctx context.Context) error { return kin.Insert(ctx, w.db, rows...) }
		}},
		{name: "insert so many that PostgreSQL copies them", write: func(w *faultyWorld) faultyWrite {
			rows := make([]*rowOwner, 210)
			for i := range rows {
				rows[i] = &rowOwner{Place: "south", Number: int16(i)}
			}
			watch(w, rows)
			return func(ctx context.Context) error { return kin.Insert(ctx, w.db, rows...) }
		}},
		{name: "insert many, some with keys", write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(5)
			rows[1].ID, rows[4].ID = faultyID+101, faultyID+104
			return func(ctx context.Context) error { return kin.Insert(ctx, w.db, rows...) }
		}},
		{name: "insert many with composite keys", write: func(w *faultyWorld) faultyWrite {
			rows := []*rowOwner{{Place: "south", Number: 1}, {Place: "south", Number: 2}}
			watch(w, rows)
			return func(ctx context.Context) error { return kin.Insert(ctx, w.db, rows...) }
		}},
		{name: "insert many, the last of which is refused", err: errUnique, same: true, write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(5)
			rows[4].Name = rows[0].Name
			return func(ctx context.Context) error { return unique(kin.Insert(ctx, w.db, rows...)) }
		}},
		{name: "update one", write: func(w *faultyWorld) faultyWrite {
			w.items[0].Name, w.items[0].Count = "changed", 0
			return func(ctx context.Context) error { return kin.Update(ctx, w.db, w.items[0], "name") }
		}},
		{name: "update many", write: func(w *faultyWorld) faultyWrite {
			change(w.items, w.owners)
			return func(ctx context.Context) error { return kin.UpdateAll(ctx, w.db, w.items) }
		}},
		{name: "save", write: func(w *faultyWorld) faultyWrite {
			change(w.items, w.owners)
			rows := append(w.newItems(2), w.items...)
			return func(ctx context.Context) error { return kin.Save(ctx, w.db, rows...) }
		}},
		{name: "save, of which one is refused", err: kin.ErrNotFound, same: true, write: func(w *faultyWorld) faultyWrite {
			rows := append(w.newItems(2), w.items...)
			w.items[3].ID = faultyID - 1
			return func(ctx context.Context) error { return kin.Save(ctx, w.db, rows...) }
		}},
		{name: "delete one", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error { return kin.Delete(ctx, w.db, w.items[0]) }
		}},
		{name: "delete many", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error { return kin.DeleteAll(ctx, w.db, w.items) }
		}},
		{name: "reload", same: true, write: func(w *faultyWorld) faultyWrite {
			w.items[0].Name = "to be read anew"
			return func(ctx context.Context) error { return kin.Reload(ctx, w.db, w.items...) }
		}},
		{name: "create tables", need: func(s *Suite) bool { return !s.Dialect().Traits().CommitsTables }, write: func(w *faultyWorld) faultyWrite {
			r := &kin.Registry{}
			kin.Register[Cell[string]](r)
			kin.Register[faultUser](r)
			db := kin.New(w.pool, w.Dialect(), kin.WithRegistry(r))
			w.undo = kin.New(w.Pool(), w.Dialect(), kin.WithRegistry(r))
			return func(ctx context.Context) error { return kin.CreateTables(ctx, db) }
		}},
	}
}

var errUnique = errors.New("not unique")

// unique makes of a UniqueError one that can be told by errors.Is.
func unique(err error) error {
	if _, ok := errors.AsType[*kin.UniqueError](err); ok {
		return fmt.Errorf("%w: %w", errUnique, err)
	}
	return err
}

func faultyUpsertOps() []faultyOp {
	upserted := func(w *faultyWorld) []*rowItem {
		rows := w.newItems(5)
		rows[1].Name, rows[4].Name = w.items[0].Name, w.items[3].Name
		return rows
	}
	return []faultyOp{
		{name: "upsert that updates", write: func(w *faultyWorld) faultyWrite {
			rows := upserted(w)
			return func(ctx context.Context) error {
				return kin.Upsert(ctx, w.db, rows, kin.OnConflict("name").Update("score", "count"))
			}
		}},
		{name: "upsert that does nothing", write: func(w *faultyWorld) faultyWrite {
			rows := upserted(w)
			return func(ctx context.Context) error {
				return kin.Upsert(ctx, w.db, rows, kin.OnConflict("name").DoNothing())
			}
		}},
		{name: "upsert with keys of its own", write: func(w *faultyWorld) faultyWrite {
			rows := append(w.codes, &upsertCode{"c", "3", "t3"})
			watch(w, rows[2:])
			rows[0].Text = "changed"
			return func(ctx context.Context) error {
				return kin.Upsert(ctx, w.db, rows, kin.OnConflict("code").Update("text"))
			}
		}},
		{name: "get or create that gets", same: true, write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(1)
			rows[0].Name = w.items[1].Name
			return func(ctx context.Context) error {
				_, _, err := kin.GetOrCreate(ctx, w.db, rows[0], "name")
				return err
			}
		}},
		{name: "get or create that creates", write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(1)
			return func(ctx context.Context) error {
				_, _, err := kin.GetOrCreate(ctx, w.db, rows[0], "name")
				return err
			}
		}},
		{name: "update or create that updates", write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(1)
			rows[0].Name = w.items[1].Name
			return func(ctx context.Context) error {
				_, err := kin.UpdateOrCreate(ctx, w.db, rows[0], "name")
				return err
			}
		}},
		{name: "update or create that creates", write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(1)
			return func(ctx context.Context) error {
				_, err := kin.UpdateOrCreate(ctx, w.db, rows[0], "name")
				return err
			}
		}},
	}
}

func faultySetOps() []faultyOp {
	set := func(name string, run func(ctx context.Context, db kin.Executor) (int64, error)) faultyOp {
		return faultyOp{name: name, write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error {
				_, err := run(ctx, w.db)
				return err
			}
		}}
	}
	items := kin.Query[rowItem]()
	more := kin.Set("count", kin.F("count").Add(1))
	return []faultyOp{
		set("update all", func(ctx context.Context, db kin.Executor) (int64, error) {
			return items.Everything().Update(ctx, db, more)
		}),
		set("update by a relation", func(ctx context.Context, db kin.Executor) (int64, error) {
			return items.Filter("owner__title", "a").Update(ctx, db, more)
		}),
		set("update of a page", func(ctx context.Context, db kin.Executor) (int64, error) {
			return items.OrderBy("-name").Limit(2).Update(ctx, db, more)
		}),
		set("delete", func(ctx context.Context, db kin.Executor) (int64, error) {
			return items.Filter("count__gt", 1).Delete(ctx, db)
		}),
		set("delete by a relation", func(ctx context.Context, db kin.Executor) (int64, error) {
			return kin.Query[book]().Filter("shelf__labels__text", "x").Delete(ctx, db)
		}),
	}
}

func faultyCollectionOps() []faultyOp {
	return []faultyOp{
		{name: "add new and old", write: func(w *faultyWorld) faultyWrite {
			rows := append(w.newItems(4), w.owners[1].Items.All()...)
			return func(ctx context.Context) error { return w.owners[0].Items.Add(ctx, w.db, rows...) }
		}},
		{name: "add one new", write: func(w *faultyWorld) faultyWrite {
			rows := w.newBooks("d")
			return func(ctx context.Context) error { return w.shelves[1].Books.Add(ctx, w.db, rows...) }
		}},
		{name: "add old ones", write: func(w *faultyWorld) faultyWrite {
			rows := w.shelves[0].Books.All()
			return func(ctx context.Context) error { return w.shelves[1].Books.Add(ctx, w.db, rows...) }
		}},
		{name: "add new ones and one that is gone", err: kin.ErrNotFound, same: true, write: func(w *faultyWorld) faultyWrite {
			rows := append(w.newBooks("d", "e"), &book{ID: faultyID - 1, Title: "gone"})
			watch(w, rows[2:])
			return func(ctx context.Context) error { return w.shelves[1].Books.Add(ctx, w.db, rows...) }
		}},
		{name: "create", write: func(w *faultyWorld) faultyWrite {
			rows := w.newItems(5)
			return func(ctx context.Context) error { return w.owners[0].Items.Create(ctx, w.db, rows...) }
		}},
		{name: "remove", write: func(w *faultyWorld) faultyWrite {
			rows := w.shelves[0].Books.All()[1:]
			return func(ctx context.Context) error { return w.shelves[0].Books.Remove(ctx, w.db, rows...) }
		}},
		{name: "remove one that is no child", err: kin.ErrNotFound, same: true, write: func(w *faultyWorld) faultyWrite {
			rows := append([]*rowItem{}, w.items...)
			return func(ctx context.Context) error { return w.owners[0].Items.Remove(ctx, w.db, rows...) }
		}},
		{name: "delete", write: func(w *faultyWorld) faultyWrite {
			rows := w.shelves[0].Books.All()[:2]
			return func(ctx context.Context) error { return w.shelves[0].Books.Delete(ctx, w.db, rows...) }
		}},
		{name: "clear", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error {
				_, err := w.owners[0].Items.Clear(ctx, w.db)
				return err
			}
		}},
		{name: "set", write: func(w *faultyWorld) faultyWrite {
			rows := append(w.newItems(4), w.owners[0].Items.All()[1], w.owners[1].Items.All()[0])
			return func(ctx context.Context) error { return w.owners[0].Items.Set(ctx, w.db, rows...) }
		}},
		{name: "load", same: true, write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error {
				_, err := w.shelves[0].Labels.Load(ctx, w.db)
				return err
			}
		}},
	}
}

// faultyTxOps make their new rows within the transaction: rows that it
// inserted keep their keys if it is rolled back.
func faultyTxOps() []faultyOp {
	insert := func(ctx context.Context, tx *kin.Tx, title string) error {
		return kin.Insert(ctx, tx, &book{Title: title})
	}
	return []faultyOp{
		{name: "with a transaction within", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error {
				return w.db.Tx(ctx, func(tx *kin.Tx) error {
					if err := insert(ctx, tx, "outer"); err != nil {
						return err
					}
					return tx.Tx(ctx, func(tx *kin.Tx) error {
						if err := kin.Delete(ctx, tx, w.items[0]); err != nil {
							return err
						}
						return kin.Insert(ctx, tx, freshItems(4)...)
					})
				})
			}
		}},
		{name: "with one within that is rolled back", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error {
				return w.db.Tx(ctx, func(tx *kin.Tx) error {
					if err := insert(ctx, tx, "outer"); err != nil {
						return err
					}
					err := tx.Tx(ctx, func(tx *kin.Tx) error {
						if err := insert(ctx, tx, "inner"); err != nil {
							return err
						}
						return errNo
					})
					if errors.Is(err, errNo) { // though there may be more to it
						return nil
					}
					return err
				})
			}
		}},
		{name: "rolled back", err: errNo, same: true, write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error {
				return w.db.Tx(ctx, func(tx *kin.Tx) error {
					if err := insert(ctx, tx, "outer"); err != nil {
						return err
					}
					return errNo
				})
			}
		}},
		{name: "by hand", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error {
				tx, err := w.db.Begin(ctx)
				if err != nil {
					return err
				}
				defer func() { _ = tx.Rollback() }()
				if err := insert(ctx, tx, "outer"); err != nil {
					return err
				}
				return tx.Commit(ctx)
			}
		}},
		{name: "on one connection", write: func(w *faultyWorld) faultyWrite {
			return func(ctx context.Context) error {
				conn, err := w.pool.Conn(ctx)
				if err != nil {
					return faultOf(ctx, err)
				}
				defer conn.Close()
				db := kin.New(conn, w.Dialect(), kin.WithRegistry(w.registry))
				return db.Tx(ctx, func(tx *kin.Tx) error { return insert(ctx, tx, "outer") })
			}
		}},
	}
}

// faultOf says of an error that kin has not seen what kin would.
func faultOf(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", kin.ErrCanceled, err)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", kin.ErrDisconnected, err)
	}
	return err
}
