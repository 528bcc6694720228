// Package bench compares kin with hand-written database/sql and with its peers.
//
// A [Workload] is a thing to do, a [Contender] a library that does it, on a
// database of package db. What each of them does is an [Op], which the
// conformance test checks before package measure times it.
//
//	go run ./cmd/bench                                              # all of it, in under 25 minutes
//	go run ./cmd/bench -quick -db sqlite -contender kin -workload wide
//	go run ./cmd/report                                             # results.json → ../docs/performance.md
package bench
