package value

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// List reads the elements of a list: of an array as PostgreSQL writes it, or of
// a JSON array.
func List(v driver.Value) ([]driver.Value, error) {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case []byte:
		s = string(v)
	default:
		return nil, mismatch(v, "list")
	}
	if strings.HasPrefix(s, "{") {
		return arrayElements(s)
	}
	return jsonElements(s)
}

func jsonElements(text string) ([]driver.Value, error) {
	var elements []any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&elements); errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("the database has cut off a list after %d bytes; raise group_concat_max_len", len(text))
	} else if err != nil {
		return nil, errors.New("the database gave a text, which is no list")
	}
	list := make([]driver.Value, len(elements))
	for i, x := range elements {
		switch x := x.(type) {
		case json.Number:
			list[i] = string(x)
		case nil, bool, string:
			list[i] = x
		default:
			return nil, errors.New("the database gave a list with JSON in it")
		}
	}
	return list, nil
}

var errArray = errors.New("the database gave a text that is no array of one dimension")

// arrayElements reads {1,NULL,"a \"b\""}.
func arrayElements(s string) ([]driver.Value, error) {
	list := []driver.Value{}
	if s == "{}" {
		return list, nil
	}
	if !strings.HasSuffix(s, "}") {
		return nil, errArray
	}
	for rest := s[1 : len(s)-1]; ; {
		if strings.HasPrefix(rest, "{") {
			return nil, errArray
		}
		var b strings.Builder
		i, quoted := 0, strings.HasPrefix(rest, `"`)
		if quoted {
			i = 1
		}
		for ; i < len(rest) && rest[i] != '"' && (quoted || rest[i] != ','); i++ {
			if rest[i] == '\\' {
				if i++; i == len(rest) {
					return nil, errArray
				}
			}
			b.WriteByte(rest[i])
		}
		switch text := b.String(); {
		case !quoted && text == "NULL":
			list = append(list, nil)
		default:
			list = append(list, text)
		}
		if quoted {
			i++
		}
		switch {
		case i >= len(rest):
			return list, nil
		case rest[i] != ',':
			return nil, errArray
		}
		rest = rest[i+1:]
	}
}
