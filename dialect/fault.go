package dialect

// A FaultKind says what kind of thing went wrong in the database.
type FaultKind uint8

// The kinds of faults.
const (
	OtherFault   FaultKind = iota
	UniqueFault            // a unique or primary key has the value already
	KeyFault               // a foreign key leads nowhere, or is still referred to
	NullFault              // a column cannot be NULL
	CheckFault             // a check is not met
	LengthFault            // a value is too long for its column
	RangeFault             // a number is out of its column's range
	Conflict               // the transaction cannot be serialized with others
	Deadlock               // two transactions wait for each other
	LockTimeout            // a lock was not to be had in time
	Interrupted            // the statement was cancelled
	Disconnected           // the connection is gone
	StalePlan              // a prepared plan does not fit a table that has changed
)

// A Fault is what a driver's error says, as far as it says it.
type Fault struct {
	Kind       FaultKind
	Table      string
	Constraint string
	Columns    []string
	// EndsTx is whether the database has rolled back the whole transaction in
	// which the statement was, so that the next one would be outside it; or, if
	// the dialect has a way to find out (Traits.InTx), whether it may have.
	EndsTx bool
}

// A Classifier is a dialect that understands its driver's errors. The three
// dialects of kin do.
type Classifier interface {
	// Classify returns what err says. The Kind is OtherFault if nothing.
	Classify(err error) Fault
}
