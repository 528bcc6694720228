package kin

import (
	"database/sql/driver"

	"github.com/kin-orm/kin/internal/hydrate"
)

// WithMaxRows makes it an error, [ErrMaxRows], if a statement of a query, of a
// [Selection] or of [Raw] reads more than n rows from the database, those of
// SelectRelated and of each statement of a Prefetch among them. It is a budget for
// queries whose size nobody has thought of: [QuerySet.MaxRows] gives a query one of
// its own. What kin reads for a write, and [Reload], is not counted.
func WithMaxRows(n int) Option { return func(db *DB) { db.s.maxRows = int64(max(n, 0)) } }

// budget returns a function that is called for each row that the query reads, and
// fails when there are too many, or nil if there is no budget.
func (s *session) budget(q *query) rowWatch { return counting(s.budgetOf(q)) }

// budgetOf is how many rows the query may read, or 0.
func (s *session) budgetOf(q *query) int64 {
	switch {
	case q != nil && q.reads.maxRows > 0:
		return q.reads.maxRows
	case q != nil && len(q.keys) > 0: // of rows that are in memory
		return 0
	}
	return s.maxRows
}

// counting returns a function that fails when it is called more often than that.
func counting(most int64) rowWatch { return countingBut(most, 0) }

// countingBut is counting, but for some rows that nobody has asked for.
func countingBut(most, beside int64) rowWatch {
	if most == 0 {
		return nil
	}
	left := most + beside
	return func(r *hydrate.Reader, _ []driver.Value) error {
		if r != nil && !r.Took() {
			return nil // its foreign key leads nowhere: nobody has asked for it
		}
		if left--; left < 0 {
			return tooMany(most)
		}
		return nil
	}
}
