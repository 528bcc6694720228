package dialect

import (
	"database/sql/driver"

	"github.com/kin-orm/kin/internal/stmts"
)

// KeepStatements returns a connector whose connections keep statements prepared
// that kin runs again and again, 100 each at the most, until they are closed. It
// is for those who make the pool for kin.New of a driver's own connector; those of
// the dialects' NewConnector do so already. A statement that fails is prepared
// anew the next time.
//
// Nothing else about the connections changes. They have a method Raw, which
// returns the driver's own, for what only that can do:
//
//	Raw() driver.Conn
//
// Connections that lack an interface that today's drivers have, from
// [driver.QueryerContext] to [driver.SessionResetter], stay as they are.
func KeepStatements(c driver.Connector) driver.Connector { return stmts.Connector(c) }
