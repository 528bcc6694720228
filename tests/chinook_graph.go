package tests

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/tests/chinook"
)

// index files the rows by their keys, and by the rows that they refer to.
func (sh *chinookShop) index() {
	sh.rows, sh.children = map[string]any{}, map[string][]string{}
	add := func(key string, row any) { sh.rows[key] = row }
	child := func(parent string, id *int64, field, key string) {
		if id != nil {
			at := fmt.Sprint(parent, " ", *id, " ", field)
			sh.children[at] = append(sh.children[at], key)
		}
	}
	for _, r := range sh.artists {
		add(shopKey("Artist", r.ID), r)
	}
	for _, r := range sh.genres {
		add(shopKey("Genre", r.ID), r)
	}
	for _, r := range sh.media {
		add(shopKey("MediaType", r.ID), r)
	}
	for _, r := range sh.playlists {
		add(shopKey("Playlist", r.ID), r)
	}
	for _, r := range sh.albums {
		key := shopKey("Album", r.ID)
		add(key, r)
		child("Artist", &r.ArtistID, "Albums", key)
	}
	for _, r := range sh.tracks {
		key := shopKey("Track", r.ID)
		add(key, r)
		child("Album", r.AlbumID, "Tracks", key)
	}
	for _, r := range sh.entries {
		key := shopKey("PlaylistTrack", r.PlaylistID, r.TrackID)
		add(key, r)
		child("Playlist", &r.PlaylistID, "Entries", key)
		child("Track", &r.TrackID, "Entries", key)
	}
	for _, r := range sh.employees {
		key := shopKey("Employee", r.ID)
		add(key, r)
		child("Employee", r.ReportsTo, "Reports", key)
	}
	for _, r := range sh.customers {
		key := shopKey("Customer", r.ID)
		add(key, r)
		child("Employee", r.SupportRepID, "Customers", key)
	}
	for _, r := range sh.invoices {
		key := shopKey("Invoice", r.ID)
		add(key, r)
		child("Customer", &r.CustomerID, "Invoices", key)
	}
	for _, r := range sh.lines {
		key := shopKey("InvoiceLine", r.ID)
		add(key, r)
		child("Invoice", &r.InvoiceID, "Lines", key)
		child("Track", &r.TrackID, "InvoiceLines", key)
	}
}

func shopKey(model string, ids ...int64) string {
	key := []byte(model)
	for _, id := range ids {
		key = fmt.Append(key, " ", id)
	}
	return string(key)
}

// keyOf returns the key of a row of kin's, as the shop files it.
func (sh *chinookShop) keyOf(row any) string {
	if x, ok := row.(*chinook.PlaylistTrack); ok {
		return shopKey("PlaylistTrack", x.Playlist.Ref().ID, x.Track.Ref().ID)
	}
	v := reflect.ValueOf(row).Elem()
	return shopKey(v.Type().Name(), v.FieldByName("ID").Int())
}

// A shopGraph compares what a query has loaded with the shop.
type shopGraph struct {
	*chinookShop
	t    *testing.T
	seen map[string]any  // the value of each row
	must map[string]bool // the to-many fields that are loaded
	// order sorts the children in a field such as "Album.Tracks". The others
	// come in the order of their keys.
	order map[string]func(a, b string) int
}

// checkGraph compares the roots with the rows of the keys, field by field, and
// so all rows that can be reached from them. Every path is loaded; no to-many
// relation is that lies on none of them. Each row is one value.
func (sh *chinookShop) checkGraph(t *testing.T, roots any, keys []string, order map[string]func(a, b string) int, paths ...string) {
	t.Helper()
	g := &shopGraph{sh, t, map[string]any{}, map[string]bool{}, order}
	rows := shopElements(reflect.ValueOf(roots))
	var got []string
	for _, row := range rows {
		got = append(got, g.keyOf(row))
	}
	require.NotEmpty(t, keys)
	require.Equal(t, keys, got)
	for _, path := range paths {
		g.follow(rows, strings.Split(path, "__"))
	}
	for _, row := range rows {
		g.row(row)
	}
}

// shopKeys returns the keys of the model's rows with the ids.
func shopKeys(model string, ids []int64) []string {
	var keys []string
	for _, id := range ids {
		keys = append(keys, shopKey(model, id))
	}
	return keys
}

// shopKeysWhere returns the keys of the rows for which keep holds.
func shopKeysWhere[R any](model string, rows []R, id func(R) int64, keep func(R) bool) []string {
	var keys []string
	for _, r := range rows {
		if keep == nil || keep(r) {
			keys = append(keys, shopKey(model, id(r)))
		}
	}
	return keys
}

func shopElements(list reflect.Value) []any {
	var rows []any
	for i := range list.Len() {
		rows = append(rows, list.Index(i).Interface())
	}
	return rows
}

// shopRelation returns the rows that a relation field leads to.
func shopRelation(field reflect.Value) (rows []any, many, loaded, isRelation bool) {
	loadedMethod := field.MethodByName("Loaded")
	if !loadedMethod.IsValid() {
		return nil, false, false, false
	}
	loaded = loadedMethod.Call(nil)[0].Bool()
	if all := field.MethodByName("All"); all.IsValid() {
		return shopElements(all.Call(nil)[0]), true, loaded, true
	}
	if loaded {
		rows = []any{field.MethodByName("Get").Call(nil)[0].Interface()}
	}
	return rows, false, loaded, true
}

// follow requires that all that lies on the path is loaded, or NULL.
func (g *shopGraph) follow(rows []any, path []string) {
	g.t.Helper()
	for i, step := range path {
		var next []any
		for _, row := range rows {
			v := reflect.ValueOf(row).Elem()
			field := v.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, strings.ReplaceAll(step, "_", "")) })
			found, many, loaded, _ := shopRelation(field)
			null := !many && field.MethodByName("IsNull").Call(nil)[0].Bool()
			require.True(g.t, loaded || null, "%s: %s is not loaded", g.keyOf(row), path[:i+1])
			if many {
				g.must[g.keyOf(row)+" "+step] = true
			}
			next = append(next, found...)
		}
		require.True(g.t, len(next) > 0 || i == len(path)-1, "%s leads nowhere", path[:i+1])
		rows = next
	}
}

// row compares a row and all that can be reached from it.
func (g *shopGraph) row(row any) {
	g.t.Helper()
	key := g.keyOf(row)
	if before, ok := g.seen[key]; ok {
		if before != row {
			assert.Fail(g.t, "one row is two values", key)
		}
		return
	}
	g.seen[key] = row
	if want, got := g.rows[key], shopPlainRow(row); !assert.ObjectsAreEqual(want, got) {
		assert.Equal(g.t, want, got, key)
	}
	v := reflect.ValueOf(row).Elem()
	for i := range v.NumField() {
		rows, many, loaded, isRelation := shopRelation(v.Field(i))
		if !isRelation {
			continue
		}
		name := v.Type().Field(i).Name
		if many {
			g.checkChildren(key, v.Type().Name()+"."+name, name, rows, loaded)
		}
		for _, r := range rows {
			g.row(r)
		}
	}
}

func (g *shopGraph) checkChildren(key, field, name string, rows []any, loaded bool) {
	g.t.Helper()
	if must := g.must[key+" "+shopSnake(name)]; must != loaded {
		assert.Equal(g.t, must, loaded, "whether %s is loaded for %s", field, key)
	}
	if !loaded {
		assert.Empty(g.t, rows)
		return
	}
	want := g.children[key+" "+name]
	if less := g.order[field]; less != nil {
		want = slices.Clone(want)
		slices.SortStableFunc(want, less)
	}
	var got []string
	for _, r := range rows {
		got = append(got, g.keyOf(r))
	}
	if !slices.Equal(want, got) {
		assert.Equal(g.t, want, got, "%s of %s", field, key)
	}
}

// shopSnake returns the name as a path has it.
func shopSnake(name string) string {
	return strings.ToLower(strings.Join(shopWords.FindAllString(name, -1), "_"))
}
