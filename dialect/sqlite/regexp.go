package sqlite

import (
	"database/sql/driver"
	"regexp"
	"sync"

	sqlite3 "modernc.org/sqlite"
)

// mostCompiled is how many regular expressions are kept compiled.
const mostCompiled = 100

//nolint:gochecknoglobals // a cache of what follows from the text
var compiled = struct {
	sync.RWMutex
	patterns map[string]*regexp.Regexp
}{patterns: map[string]*regexp.Regexp{}}

// matches is the function kin_regexp(text, pattern).
func matches(_ *sqlite3.FunctionContext, args []driver.Value) (driver.Value, error) {
	text, isText := args[0].(string)
	pattern, isPattern := args[1].(string)
	if !isText || !isPattern {
		return nil, nil
	}
	compiled.RLock()
	re := compiled.patterns[pattern]
	compiled.RUnlock()
	if re == nil {
		var err error
		if re, err = regexp.Compile(pattern); err != nil {
			return nil, err
		}
		compiled.Lock()
		if len(compiled.patterns) >= mostCompiled {
			clear(compiled.patterns)
		}
		compiled.patterns[pattern] = re
		compiled.Unlock()
	}
	return re.MatchString(text), nil
}
