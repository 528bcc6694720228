//go:build race

package harness

// Race is whether the race detector is on, with which SQLite, which is Go too,
// takes ten times as long.
const Race = true
