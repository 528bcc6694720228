package kin

import (
	"context"
	"fmt"
	"iter"
	"math"
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
)

// A Page is a page of a query's rows, and how many there are in all.
type Page[T any] struct {
	Rows   []*T
	Number int   // of the page, counted from one
	Size   int   // of every page but the last
	Total  int64 // rows on all pages
}

// Pages returns how many pages there are.
func (p *Page[T]) Pages() int64 {
	if p.Size < 1 {
		return 0
	}
	return (p.Total + int64(p.Size) - 1) / int64(p.Size)
}

// HasNext reports whether there is a page after this one.
func (p *Page[T]) HasNext() bool { return int64(p.Number) < p.Pages() }

// HasPrevious reports whether there is a page before this one.
func (p *Page[T]) HasPrevious() bool { return p.Number > 1 && p.Total > 0 }

// Page returns a page of the query's rows, numbered from one, each with all
// that is loaded with it, and counts the rows of all pages. A limit and an
// offset of the query hold: the pages are of the rows between them. A page
// after the last one is empty.
//
// The rows and their number are two statements, and the last page is one:
// its rows say how many there are. Run it in a transaction that sees one
// snapshot if another may write in between and that matters. The database
// reads and drops all rows before the page; [QuerySet.PageFrom] does not.
func (qs QuerySet[T]) Page(ctx context.Context, db Executor, number, size int) (*Page[T], error) {
	p := &Page[T]{Number: number, Size: size}
	limit, offset, err := qs.q.page(reflect.TypeFor[T](), number, size)
	if err != nil {
		return nil, err
	}
	if limit > 0 {
		if p.Rows, err = (QuerySet[T]{qs.q.between(limit, offset)}).All(ctx, db); err != nil {
			return nil, err
		}
	}
	upTo := int64(number-1)*int64(size) + int64(len(p.Rows))
	if n := int64(len(p.Rows)); n > 0 && n < limit || upTo == 0 && limit > 0 {
		p.Total = upTo
		return p, nil
	}
	if p.Total, err = qs.Count(ctx, db); err == nil && len(p.Rows) > 0 {
		p.Total = max(p.Total, upTo) // others may have deleted rows since
	}
	return p, err
}

func (q *query) between(limit, offset int64) *query {
	q = q.derived()
	q.limit, q.offset = &limit, offset
	return q
}

// page returns the limit and the offset of a page of q, on the type t.
func (q *query) page(t reflect.Type, number, size int) (limit, offset int64, err error) {
	switch {
	case number < 1 || size < 1:
		return 0, 0, fmt.Errorf("kin: a page of %s: pages are numbered from 1 and have at least one row; asked for was page %d of %d rows", t.Name(), number, size)
	case int64(number-1) > (math.MaxInt64-int64(size))/int64(size):
		return 0, 0, fmt.Errorf("kin: a page of %s: there is no page %d of %d rows", t.Name(), number, size)
	}
	limit, offset = int64(size), int64(number-1)*int64(size)
	if q == nil {
		return limit, offset, nil
	}
	if q.limit != nil {
		limit = max(0, min(limit, *q.limit-offset))
	}
	if offset > math.MaxInt64-max(0, q.offset) {
		return 0, 0, nil
	}
	return limit, offset + q.offset, q.err
}

// Batches returns an iterator over the rows of the query, in slices of the
// size, of which the last may be shorter. Each batch is a statement of its own,
// which goes on where the one before ended, as [QuerySet.PageFrom] does: no
// connection is in use while the loop works, which may change and delete the
// rows it is given, and write to the transaction in which it runs. Rows that
// others insert meanwhile come if they sort after those that have come, and
// none comes twice unless it is changed to sort later.
//
//	for students, err := range q.Batches(ctx, db, 500) {
//		if err != nil {
//			return err
//		}
//		…
//	}
func (qs QuerySet[T]) Batches(ctx context.Context, db Executor, size int) iter.Seq2[[]*T, error] {
	return func(yield func([]*T, error) bool) {
		err := qs.q.batches(ctx, db, reflect.TypeFor[T](), size, func(rows []hydrate.Pointer) bool {
			return yield(hydrate.Slice[T](rows), nil)
		})
		if err != nil {
			yield(nil, err)
		}
	}
}

// batches calls yield for each batch, as long as it returns true.
func (q *query) batches(ctx context.Context, db Executor, t reflect.Type, size int, yield func([]hydrate.Pointer) bool) error {
	if size < 1 {
		return fmt.Errorf("kin: batches of %s: a batch has at least one row, not %d", t.Name(), size)
	}
	left := int64(math.MaxInt64)
	if q == nil {
		q = &query{} // so that its statements are remembered from batch to batch
	} else if q.limit != nil {
		left = *q.limit
	}
	sk := seeker{query: q, model: t, key: seekKey{offset: true}}
	for left > 0 {
		sk.key.limit = min(int64(size), left)
		found, err := sk.run(ctx, db)
		if err != nil {
			return err
		}
		n := int64(len(found.rows))
		if n > 0 && !yield(found.rows) || n < sk.key.limit {
			return nil
		}
		left -= n
		// The place is that of the row as it was read, whatever the loop did to it.
		if sk, err = sk.from(found.places.Of(found.rows[n-1]), false, false); err != nil {
			return err
		}
	}
	return nil
}
