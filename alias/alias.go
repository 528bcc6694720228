// Package alias makes the table aliases under which relations are joined.
//
// An alias is two upper-case letters and four lower-case hex digits, such as
// KId1c6. It is a pure function of the relation's name, so that one relation
// has one alias in every process and every run: SQL text stays stable,
// statement caches stay warm and logs can be compared. The six characters
// keep their distance from PostgreSQL's limit of 63 bytes and from one
// another on servers that fold the case of aliases.
package alias

import (
	"slices"
	"strconv"
	"strings"
)

// Len is the length in bytes of an alias made by [Of].
const Len = 6

// Of returns the alias of the relation that is called name on table. It is
// a hash: two relations may share an alias, if rarely (one in 44 million for
// two of them); [Assign] gives a set of relations an alias each.
func Of(table, name string) string {
	return of(table, name, 0)
}

// Nth returns the alias for the n-th use of a relation within one statement,
// counted from one: the alias itself, then base_2, base_3 and so on.
func Nth(base string, n int) string {
	if n <= 1 {
		return base
	}
	return base + "_" + strconv.Itoa(n)
}

// A Relation names a relation: the table at which it starts, and its name there.
type Relation struct{ Table, Name string }

// Assign returns an alias for each of the relations. All aliases differ from
// one another and from the reserved names. Where the hashes of two relations
// collide, the one that sorts first keeps its own, and the other is hashed
// anew, so that the answer depends on the set of relations only, not on
// their order.
func Assign(relations []Relation, reserved ...string) map[Relation]string {
	sorted := slices.Clone(relations)
	slices.SortFunc(sorted, compare)
	sorted = slices.Compact(sorted)

	taken := make(map[string]bool, len(sorted)+len(reserved)) // in lower case
	for _, name := range reserved {
		taken[strings.ToLower(name)] = true
	}
	aliases := make(map[Relation]string, len(sorted))
	for _, r := range sorted {
		for round := uint64(0); ; round++ {
			a := of(r.Table, r.Name, round)
			if folded := strings.ToLower(a); !taken[folded] {
				taken[folded] = true
				aliases[r] = a
				break
			}
		}
	}
	return aliases
}

func compare(a, b Relation) int {
	switch {
	case a.Table < b.Table:
		return -1
	case a.Table > b.Table:
		return 1
	case a.Name < b.Name:
		return -1
	case a.Name > b.Name:
		return 1
	}
	return 0
}

// of is FNV-1a over the two names, parted by a byte that no name has in
// UTF-8, and the round; the bits are mixed once more (the finalizer of
// MurmurHash3) because FNV leaves similar names with similar low bits.
func of(table, name string, round uint64) string {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for i := range len(table) {
		h = (h ^ uint64(table[i])) * prime
	}
	h = (h ^ 0xff) * prime
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * prime
	}
	h = (h ^ 0xff ^ round<<8) * prime
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33

	const hex = "0123456789abcdef"
	return string([]byte{
		'A' + byte(h%26),
		'A' + byte(h/26%26),
		hex[h>>60&15], hex[h>>56&15], hex[h>>52&15], hex[h>>48&15],
	})
}
