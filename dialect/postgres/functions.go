package postgres

import "strings"

// Letters whose upper case is several letters for ICU, and stays one for the
// other databases and for Go.
const several = "ßŉǰΐΰևẖẗẘẙẚﬀﬁﬂﬃﬄﬅﬆﬓﬔﬕﬖﬗ"

// hidden returns as many letters of a private area, which have no case.
func hidden() string {
	var b strings.Builder
	for i := range []rune(several) {
		b.WriteRune(rune(0xF800 + i))
	}
	return b.String()
}

//nolint:gochecknoglobals // an immutable table
var functions = func() map[string]string {
	letters := strings.Replace(lowerColumn, "{c}", "{0}", 1)
	m := map[string]string{
		"now":         "statement_timestamp()",
		"random":      "random()",
		"concat":      "({* || })",
		"coalesce":    "COALESCE({*})",
		"greatest":    "(CASE WHEN num_nulls({*}) = 0 THEN GREATEST({*}) END)",
		"least":       "(CASE WHEN num_nulls({*}) = 0 THEN LEAST({*}) END)",
		"lower":       "(" + letters + ` COLLATE "C")`, // what follows compares by code points
		"letters":     letters,
		"upper":       `(translate(upper(translate(({0})::text, '` + several + `', '` + hidden() + `') COLLATE "und-x-icu"), '` + hidden() + `', '` + several + `') COLLATE "C")`,
		"trim":        "btrim({0})",
		"ltrim":       "ltrim({0})",
		"rtrim":       "rtrim({0})",
		"replace":     "replace({*})",
		"substr":      "substr({0}, CAST({1} AS integer), CAST({2} AS integer))",
		"length":      "CAST(char_length({0}) AS bigint)",
		"abs":         "abs({0})",
		"round":       "(sign(CAST({0} AS double precision)) * floor(abs(CAST({0} AS double precision)) * {1} + 0.5) / {1})",
		"floor":       "floor(CAST({0} AS double precision))",
		"ceil":        "ceil(CAST({0} AS double precision))",
		"list length": "CAST(cardinality({0}) AS bigint)",
		"list item":   "({0})[CAST({1} AS integer) + 1]",
		"mod":         "({0} % NULLIF({1}, 0))",
		"integer":     "CAST(trunc({0}) AS bigint)",
		"float":       "CAST({0} AS double precision)",
		"text":        "CAST({0} AS text)",
		"shift":       "({0} + make_interval(secs => CAST({1} AS double precision)))",
		"weekday":     "CAST(EXTRACT(isodow FROM {0} AT TIME ZONE 'UTC') AS bigint)",
		"second":      "CAST(trunc(EXTRACT(second FROM {0} AT TIME ZONE 'UTC')) AS bigint)",
	}
	for _, part := range []string{"year", "quarter", "month", "week", "day", "hour", "minute"} {
		m[part] = "CAST(EXTRACT(" + part + " FROM {0} AT TIME ZONE 'UTC') AS bigint)"
	}
	for _, part := range []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second"} {
		m["trunc "+part] = "(date_trunc('" + part + "', {0} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
	}
	return m
}()
