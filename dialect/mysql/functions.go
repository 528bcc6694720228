package mysql

import "strings"

// functions returns the texts of functions, for a server with the collations:
// that by which kin compares, and one that knows letters.
func functions(collation, letters string) map[string]string {
	cased := func(name string) string {
		return name + "(CONVERT({0} USING utf8mb4) COLLATE " + letters + ") COLLATE " + collation
	}
	m := map[string]string{
		"now":      "UTC_TIMESTAMP(6)",
		"random":   "RAND()",
		"concat":   "CONCAT({*})",
		"coalesce": "COALESCE({*})",
		"lower":    cased("LOWER"),
		"upper":    cased("UPPER"),
		"trim":     "TRIM({0})",
		"ltrim":    "LTRIM({0})",
		"rtrim":    "RTRIM({0})",
		"replace":  "REPLACE({*})",
		"substr":   "SUBSTRING({*})",
		"length":   "CHAR_LENGTH({0})",
		"abs":      "ABS({0})",
		"round":    "(SIGN({0}) * FLOOR(ABS({0} + 0e0) * {1} + 0.5e0) / {1})",
		"floor":    "FLOOR({0} + 0e0)",
		"ceil":     "CEILING({0} + 0e0)",
		"mod":      "({0} % {1})",
		"integer":  "CAST(TRUNCATE({0}, 0) AS SIGNED)",
		"float":    "({0} + 0e0)",
		"text":     "CAST({0} AS CHAR CHARACTER SET utf8mb4)",
		"shift":    "({0} + INTERVAL {1} SECOND)",
		"greatest": "GREATEST({*})",
		"least":    "LEAST({*})",
		"week":     "WEEK({0}, 3)",
		"weekday":  "(WEEKDAY({0}) + 1)",

		"trunc quarter": "CAST(MAKEDATE(YEAR({0}), 1) + INTERVAL QUARTER({0}) - 1 QUARTER AS DATETIME(6))",
		"trunc week":    "CAST(DATE({0}) - INTERVAL WEEKDAY({0}) DAY AS DATETIME(6))",
	}
	for part, format := range map[string]string{
		"year": "%Y-01-01 00:00:00", "month": "%Y-%m-01 00:00:00", "day": "%Y-%m-%d 00:00:00",
		"hour": "%Y-%m-%d %H:00:00", "minute": "%Y-%m-%d %H:%i:00", "second": "%Y-%m-%d %H:%i:%s",
	} {
		m["trunc "+part] = "CAST(DATE_FORMAT({0}, '" + format + "') AS DATETIME(6))"
	}
	for _, part := range []string{"YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"} {
		m[strings.ToLower(part)] = part + "({0})"
	}
	return m
}
