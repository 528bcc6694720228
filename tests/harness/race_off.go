//go:build !race

package harness

// Race is whether the race detector is on.
const Race = false
