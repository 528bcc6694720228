package kin

import (
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/schema"
)

// A Batch says how the rows of a write are written; the zero value writes them
// all in one transaction, in as few statements as the database takes them.
//
//	slow := kin.Batch{CommitEach: 5000, Progress: func(done, all int) { bar.Set(done, all) }}
//	err := kin.Insert(ctx, slow.On(db), rows...)
//
// It is for [Insert], [Update], [UpdateAll], [Save], [Upsert], [Delete],
// [DeleteAll], [Purge] and [SaveGraph]. Reads, and changes of whole queries, do
// not know it.
type Batch struct {
	// Size is the most rows of a statement. Zero is what the dialect finds
	// best, and it is never more than that.
	Size int
	// CommitEach is the most rows of a transaction; zero writes all in one.
	// Otherwise, what the first transactions have written stays if a later one
	// fails, and the error is a [*BatchError]. It is refused within a
	// transaction, and by SaveGraph, whose rows depend on each other.
	CommitEach int
	// Progress, if not nil, is called each time that rows have been sent, with
	// how many of all those of the call that makes. They may be undone still.
	// It is called by the goroutine that writes, while that waits.
	Progress func(done, all int)
}

// On returns an Executor for which writes to db are made as b says.
func (b Batch) On(db Executor) Executor {
	s := *db.session()
	s.batch, s.counter = &b, nil
	return batched{&s}
}

type batched struct{ s *session }

func (b batched) session() *session { return b.s }

// A BatchError says that a write of several transactions has failed when some
// of them had been committed; see [Batch].
type BatchError struct {
	// Done is how many rows have been written, and All how many were to be. They
	// are the first ones of those given, unless the model refers to itself: then
	// rows are inserted parents first, and deleted children first.
	Done, All int
	// Err is why the others were not.
	Err error
}

// Error implements error.
func (e *BatchError) Error() string {
	return fmt.Sprintf("%v (%d of %d rows are written, and stay)", e.Err, e.Done, e.All)
}

// Unwrap returns Err.
func (e *BatchError) Unwrap() error { return e.Err }

// A counter counts the rows of a call.
type counter struct{ done, all int }

// batchWrite calls write with rows, in the order in which they can be written,
// or with each part of them that is a transaction of its own.
func (s *session) batchWrite(o op, m *schema.Model, rows []any, write func(s *session, rows []any) error) error {
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("kin: %s of %s: row %d of %d is nil", o, m.Name, i+1, len(rows))
		}
	}
	switch o {
	case inserting:
		if i := repeated(rows); i >= 0 {
			return fmt.Errorf("kin: %s of %s: row %d of %d is there twice", o, m.Name, i+1, len(rows))
		}
		rows = parentsFirst(m, rows)
	case upserting:
		rows = parentsFirst(m, rows)
	case deleting:
		rows = childrenFirst(m, rows)
	case updating, saving: // whose new rows are inserted
	}
	b := s.batch
	if b == nil || s.counter != nil {
		return write(s, rows)
	}
	if b.Size < 0 || b.CommitEach < 0 {
		return fmt.Errorf("kin: %s of %s: the sizes of a Batch are not negative", o, m.Name)
	}
	inner := *s
	inner.counter = &counter{all: len(rows)}
	if b.CommitEach == 0 {
		return write(&inner, rows)
	}
	if s.begin == nil {
		return fmt.Errorf("kin: %s of %s: a Batch that commits parts is within a transaction, which is committed as a whole; leave CommitEach away, or write to the DB", o, m.Name)
	}
	for from := 0; from < len(rows); from += b.CommitEach {
		inner.counter.done = from // not what a failed part said
		err := write(&inner, rows[from:min(from+b.CommitEach, len(rows))])
		switch {
		case err != nil && from > 0:
			return &BatchError{Done: from, All: len(rows), Err: err}
		case err != nil:
			return err
		}
	}
	return nil
}

// repeated returns the place of a row that is there before it already, or -1.
func repeated(rows []any) int {
	if len(rows) == 1 {
		return -1
	}
	seen := make(map[uintptr]struct{}, len(rows))
	for i, row := range rows {
		seen[reflect.ValueOf(row).Pointer()] = struct{}{}
		if len(seen) == i {
			return i
		}
	}
	return -1
}

// sent notes that so many rows have been written.
func (s *session) sent(rows int) {
	if rows == 0 || s.counter == nil || s.batch.Progress == nil {
		return
	}
	s.counter.done += rows
	s.batch.Progress(s.counter.done, s.counter.all)
}

// unbatched returns the session for writes of others on the way.
func (s *session) unbatched() session {
	inner := *s
	inner.batch, inner.counter = nil, nil
	return inner
}

// chunk returns how many rows of so many parameters a statement takes.
func (s *session) chunk(params int) int { return s.chunkBeside(params, 0) }

// chunkBeside is chunk for a statement that has other parameters too.
func (s *session) chunkBeside(params, others int) int {
	return max(1, min(s.most(insertChunk), (s.dialect.Traits().MaxParams-others)/max(1, params)))
}

// most returns how many rows a statement takes that could take n.
func (s *session) most(n int) int {
	if s.batch != nil && s.batch.Size > 0 {
		return min(n, s.batch.Size)
	}
	return n
}
