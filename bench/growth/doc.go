// Package growth measures how kin's cost grows with rows, and with goroutines
// that run one query. Its test asserts what needs no clock; its benchmarks show
// the times:
//
//	go test -run '^$' -bench . -benchtime 1s ./growth
package growth
