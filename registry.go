package kin

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/kin-orm/kin/internal/crypt"
	"github.com/kin-orm/kin/internal/schema"
)

// A Registry holds models and the relations between them. The zero Registry
// is empty and ready to use. Most programs need only the default one, to
// which [Register] adds; tests may take their own, with [WithRegistry].
//
// Models may refer to each other in any order. The first use resolves what
// has been registered so far into a graph that never changes; a later
// Register makes the next use resolve anew. All methods may be called by
// several goroutines at once.
type Registry struct {
	mu      sync.Mutex
	structs map[reflect.Type]*schema.Struct
	version atomic.Int64 // of structs

	own space // under the default naming
}

//nolint:gochecknoglobals // the process-wide registry that the package documents
var defaultRegistry Registry

// Relations returns the default registry.
func Relations() *Registry { return &defaultRegistry }

func (r *Registry) add(s *schema.Struct) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.structs[s.Type] != nil {
		return
	}
	if r.structs == nil {
		r.structs = map[reflect.Type]*schema.Struct{}
	}
	r.structs[s.Type] = s
	r.version.Add(1)
}

// A space is a registry under a naming, and with the keys of encrypted columns.
// It keeps the graph that follows from them.
type space struct {
	registry *Registry
	naming   Naming
	keys     *crypt.Ring
	mu       sync.Mutex // guards resolving
	current  atomic.Pointer[snapshot]

	templates byText[*template]
	rowTexts  byText[string] // of statements that write rows

	cursorKeys   *crypt.Ring // nil for those derived from keys
	cursorOnce   sync.Once
	cursorCipher *crypt.Cipher
}

// A snapshot is the graph of a version of a registry, or what is wrong.
type snapshot struct {
	version int64
	graph   *schema.Graph
	err     error
}

// graph returns the graph of all models registered so far.
func (s *space) graph() (*schema.Graph, error) {
	if c := s.current.Load(); c != nil && c.version == s.registry.version.Load() {
		return c.graph, c.err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registry.mu.Lock()
	version := s.registry.version.Load()
	structs := slices.Collect(maps.Values(s.registry.structs))
	s.registry.mu.Unlock()
	if c := s.current.Load(); c != nil && c.version == version {
		return c.graph, c.err // another goroutine was first
	}
	c := &snapshot{version: version}
	var problems []schema.Problem
	c.graph, problems = schema.Resolve(structs, s.naming)
	if c.graph != nil {
		c.graph.SetKeys(s.keys)
	}
	if len(problems) > 0 {
		var errs modelErrors
		for _, p := range problems {
			errs = append(errs, &ModelError{p.Model, p.Field, p.Text})
		}
		c.err = errs
	}
	s.current.Store(c)
	return c.graph, c.err
}

// space returns the registry under the default naming.
func (r *Registry) space() *space {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.own.registry == nil { // once: it is read without the lock
		r.own.registry = r
		r.own.keys = crypt.Throwaway() // no database has it: it is for QuerySet.Err
	}
	return &r.own
}

func (r *Registry) graph() (*schema.Graph, error) { return r.space().graph() }

// Check reports all mistakes in all models, sorted by model and field: each
// is a [*ModelError]. A program may call it in main or in a test; each query
// does so too.
func (r *Registry) Check() error {
	_, err := r.graph()
	return err
}

// Models returns the names of the models, sorted.
func (r *Registry) Models() ([]string, error) {
	g, err := r.graph()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(g.Models))
	for _, m := range g.Models {
		if !m.Bare {
			names = append(names, m.Name)
		}
	}
	return names, nil
}

// A RelationJoin says how a relation is joined.
type RelationJoin struct {
	From, To string // the tables
	Name     string // of the relation, as paths call it
	Alias    string // under which To is joined
	ToMany   bool
	// On has the pairs of columns that are equal, From's first.
	On [][2]string
	// Via has the two joins that make up a many-to-many relation, of which On
	// is empty then: that of the link table, and that of To.
	Via []RelationJoin
}

// String returns the join as SQL, with names in double quotes.
func (j RelationJoin) String() string {
	if j.Via != nil {
		link, target := j.Via[0], j.Via[1]
		target.From = link.Alias
		return link.String() + " " + target.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "LEFT JOIN %s AS %s ON ", quoted(j.To), quoted(j.Alias))
	for i, on := range j.On {
		if i > 0 {
			b.WriteString(" AND ")
		}
		fmt.Fprintf(&b, "%s.%s = %s.%s", quoted(j.Alias), quoted(on[1]), quoted(j.From), quoted(on[0]))
	}
	return b.String()
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// ResolveRelationJoin returns how rows of one table are joined to those of
// another. Both may be given as tables or as models, and their order matters:
// there and back are two relations, under two aliases. An unknown name is an
// error, and so is a pair with no relation or with several: a path names one
// of those.
func (r *Registry) ResolveRelationJoin(from, to string) (RelationJoin, error) {
	g, err := r.graph()
	if err != nil {
		return RelationJoin{}, err
	}
	a, err := modelCalled(g, from)
	if err != nil {
		return RelationJoin{}, err
	}
	b, err := modelCalled(g, to)
	if err != nil {
		return RelationJoin{}, err
	}
	var found []*schema.Relation
	var names []string
	for _, rel := range a.Relations {
		if rel.To == b {
			found = append(found, rel)
			names = append(names, rel.Name)
		}
	}
	switch len(found) {
	case 0:
		return RelationJoin{}, fmt.Errorf("kin: no relation leads from %s to %s", a.Table, b.Table)
	case 1:
	default:
		return RelationJoin{}, fmt.Errorf("kin: several relations lead from %s to %s: %s", a.Table, b.Table, strings.Join(names, ", "))
	}
	return joinOf(found[0]), nil
}

func joinOf(rel *schema.Relation) RelationJoin {
	j := RelationJoin{From: rel.From.Table, To: rel.To.Table, Name: rel.Name, Alias: rel.Alias, ToMany: rel.Kind == schema.ToMany}
	for i, c := range rel.FromColumns {
		j.On = append(j.On, [2]string{c.Name, rel.ToColumns[i].Name})
	}
	if rel.Via != nil {
		j.Via = []RelationJoin{joinOf(rel.Via.Link), joinOf(rel.Via.Target)}
	}
	return j
}

// Joins returns how all relations are joined, there and back, in the order of
// their models and then of their names.
func (r *Registry) Joins() ([]RelationJoin, error) {
	g, err := r.graph()
	if err != nil {
		return nil, err
	}
	var joins []RelationJoin
	for rel := range g.Relations() {
		if !rel.From.Bare && !rel.To.Bare {
			joins = append(joins, joinOf(rel))
		}
	}
	return joins, nil
}

func modelCalled(g *schema.Graph, name string) (*schema.Model, error) {
	for _, m := range g.Models {
		if m.Table == name {
			return m, nil
		}
	}
	tables := make([]string, 0, len(g.Models))
	for _, m := range g.Models {
		if m.Name == name {
			return m, nil
		}
		tables = append(tables, m.Table)
	}
	hint := schema.Suggest(name, slices.Values(tables))
	if hint == "" {
		hint = "; there are " + strings.Join(slices.Sorted(slices.Values(tables)), ", ")
	}
	return nil, fmt.Errorf("kin: no model has the table or the name %q%s", name, hint)
}

// modelOf returns the model of T in the graph.
func modelOf(g *schema.Graph, t reflect.Type) (*schema.Model, error) {
	if m := g.Model(t); m != nil {
		return m, nil
	}
	names := make([]string, 0, len(g.Models))
	for _, m := range g.Models {
		if !m.Bare {
			names = append(names, m.Name)
		}
	}
	slices.SortFunc(names, cmp.Compare)
	return nil, fmt.Errorf("kin: %[1]s is not registered; add kin.Register[%[1]s]() to an init function (registered are: %[2]s)",
		t.Name(), strings.Join(names, ", "))
}
