package explain

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/value"
)

// A member is a member of a JSON object, whose order counts.
type member struct {
	name  string
	value json.RawMessage
}

// members returns the members of an object in order, or nil if it is none.
func members(raw json.RawMessage) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, err
	}
	var list []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{}
		m.name, _ = name.(string)
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// pgNode is a plan as PostgreSQL writes it.
type pgNode struct {
	Type     string   `json:"Node Type"`
	Join     string   `json:"Join Type"`
	Relation string   `json:"Relation Name"`
	CTE      string   `json:"CTE Name"`
	Subplan  string   `json:"Subplan Name"`
	Alias    string   `json:"Alias"`
	Index    string   `json:"Index Name"`
	Rows     *float64 `json:"Plan Rows"`
	Actual   *float64 `json:"Actual Rows"`
	Cost     *float64 `json:"Total Cost"`

	IndexCond string   `json:"Index Cond"`
	Recheck   string   `json:"Recheck Cond"`
	Hash      string   `json:"Hash Cond"`
	Merge     string   `json:"Merge Cond"`
	JoinOn    string   `json:"Join Filter"`
	Filter    string   `json:"Filter"`
	SortKey   []string `json:"Sort Key"`

	Plans []*pgNode `json:"Plans"`
}

func parsePostgres(v driver.Value) (*Node, error) {
	text, err := value.Bytes(v)
	if err != nil {
		return nil, err
	}
	var plans []struct{ Plan *pgNode }
	if err := json.Unmarshal(text, &plans); err != nil {
		return nil, err
	}
	if len(plans) == 0 || plans[0].Plan == nil {
		return nil, errors.New("there is no plan in it")
	}
	return plans[0].Plan.node(), nil
}

func (p *pgNode) node() *Node {
	n := newNode(p.Type)
	if p.Join != "" && p.Join != "Inner" {
		n.Op += " (" + strings.ToLower(p.Join) + ")"
	}
	if p.Subplan != "" {
		n.Op = p.Subplan + ": " + n.Op
	}
	n.Table, n.Index, n.Scan = p.Relation, p.Index, p.Type == "Seq Scan"
	if p.CTE != "" {
		n.Table = p.CTE
	}
	if n.Table != "" && p.Alias != n.Table {
		n.Alias = p.Alias
	}
	for _, f := range []struct {
		to   *float64
		from *float64
	}{{&n.Rows, p.Rows}, {&n.Actual, p.Actual}, {&n.Cost, p.Cost}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	conditions := []string{p.IndexCond, p.Recheck, p.Hash, p.Merge, p.JoinOn, p.Filter, strings.Join(p.SortKey, ", ")}
	n.Detail = strings.Join(slices.DeleteFunc(conditions, func(s string) bool { return s == "" }), "; ")
	for _, c := range p.Plans {
		n.Children = append(n.Children, c.node())
	}
	return n
}

func parseMySQL(v driver.Value) (*Node, error) {
	text, err := value.Bytes(v)
	if err != nil {
		return nil, err
	}
	list, err := members(mended(text))
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.name == "query_block" {
			return mysqlNode(m.name, m.value, 0)
		}
	}
	return nil, errors.New("there is no query_block in it")
}

// mended returns a text of MariaDB as JSON: that has the conditions as SQL, in
// which it escapes quotes as in SQL and not as in JSON.
func mended(text []byte) []byte {
	fixed := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text) && !bytes.ContainsRune([]byte(`"\/bfnrtu`), rune(text[i+1])):
			fixed = append(fixed, '\\', '\\')
		case c == '\\' && i+1 < len(text):
			fixed = append(fixed, c, text[i+1])
			i++
		case c < ' ':
			fixed = append(fixed, ' ')
		default:
			fixed = append(fixed, c)
		}
	}
	return fixed
}

// maxDepth is how deep a plan may be nested.
const maxDepth = 500

// mysqlNode reads an object: those within it are steps, and the rest is what
// is known of it.
func mysqlNode(name string, raw json.RawMessage, depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the plan is nested more than %d levels deep", maxDepth)
	}
	n := newNode(strings.ReplaceAll(name, "_", " "))
	list, err := members(raw)
	if err != nil {
		return nil, err
	}
	var details []string
	for _, m := range list {
		switch m.value[0] {
		case '{':
			if m.name == "cost_info" || m.name == "r_engine_stats" { // figures, and no steps
				continue
			}
			c, err := mysqlNode(m.name, m.value, depth+1)
			if err != nil {
				return nil, err
			}
			n.Children = append(n.Children, c)
		case '[':
			if err := n.mysqlList(m, depth); err != nil {
				return nil, err
			}
		default:
			if d := n.mysqlFact(m); d != "" {
				details = append(details, d)
			}
		}
	}
	n.Detail = strings.Join(details, "; ")
	return n, nil
}

// mysqlList reads an array of objects, in which each is a step or the name of
// one and the step.
func (n *Node) mysqlList(m member, depth int) error {
	var items []json.RawMessage
	if err := json.Unmarshal(m.value, &items); err != nil {
		return err
	}
	at := n
	if m.name != "nested_loop" && len(items) > 0 && items[0][0] == '{' {
		at = newNode(strings.ReplaceAll(m.name, "_", " "))
		n.Children = append(n.Children, at)
	}
	for _, item := range items {
		list, err := members(item)
		if err != nil {
			return err
		}
		for _, inner := range list {
			if inner.value[0] != '{' {
				continue
			}
			c, err := mysqlNode(inner.name, inner.value, depth+1)
			if err != nil {
				return err
			}
			at.Children = append(at.Children, c)
		}
	}
	return nil
}

// mysqlFact takes what is known of a step, and returns it if it is a detail.
func (n *Node) mysqlFact(m member) string {
	var text string
	var number float64
	isText := json.Unmarshal(m.value, &text) == nil
	isNumber := json.Unmarshal(m.value, &number) == nil
	switch {
	case m.name == "table_name" && isText:
		n.Table = text
	case m.name == "key" && isText:
		n.Index = text
	case m.name == "access_type" && isText:
		n.Scan = text == "ALL" || text == WholeIndex
		n.Op = text
	case (m.name == "rows" || m.name == "rows_examined_per_scan") && isNumber:
		n.Rows = number
	case m.name == "r_rows" && isNumber:
		n.Actual = number
	case m.name == "cost" && isNumber:
		n.Cost = number
	case isText && (strings.HasSuffix(m.name, "condition") || m.name == "sort_key" || m.name == "message"):
		return text
	}
	return ""
}
