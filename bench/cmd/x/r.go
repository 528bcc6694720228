package main

import "strings"

func replaceFirstNulls(s string) string {
	i := strings.Index(s, "UNION ALL")
	if i < 0 || strings.HasPrefix(s, "WITH") {
		return s
	}
	return strings.Replace(strings.Replace(s[:i], ", NULL", ", CAST(NULL AS bigint)", -1), "NULL FROM", "NULL FROM", 1) + s[i:]
}
func replaceMat(s string) string { return strings.Replace(s, "AS MATERIALIZED", "AS", 1) }
