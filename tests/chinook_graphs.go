package tests

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/chinook"
)

func (r artistRow) id() int64   { return r.ID }
func (r albumRow) id() int64    { return r.ID }
func (r namedRow) id() int64    { return r.ID }
func (r trackRow) id() int64    { return r.ID }
func (r employeeRow) id() int64 { return r.ID }
func (r customerRow) id() int64 { return r.ID }

func shopBackwards(keys []string) []string {
	slices.Reverse(keys)
	return keys
}

func testChinookArtists(t *testing.T, s *Suite, sh *chinookShop) {
	artists, err := kin.Query[chinook.Artist]().
		SelectRelated("albums__tracks__genre", "albums__tracks__media_type").All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 275+347+3503+25+5)
	sh.checkGraph(t, artists, shopKeysWhere("Artist", sh.artists, artistRow.id, nil), nil,
		"albums__tracks__genre", "albums__tracks__media_type")

	require.Len(t, artists, 275)
	albums, tracks := 0, 0
	for _, a := range artists {
		albums += a.Albums.Len()
		for album := range a.Albums.Values() {
			assert.Same(t, a, album.Artist.Get())
			tracks += album.Tracks.Len()
		}
	}
	assert.Equal(t, 347, albums)
	assert.Equal(t, 3503, tracks)
}

// testChinookPrefetch loads the graphs of other parts by a statement for each
// level, which reads each row once.
func testChinookPrefetch(t *testing.T, s *Suite, sh *chinookShop) {
	ctx := t.Context()
	keys := shopKeysWhere("Artist", sh.artists, artistRow.id, nil)
	q := kin.Query[chinook.Artist]().Prefetch("albums__tracks__genre").Prefetch("albums__tracks__media_type")
	for _, q := range []kin.QuerySet[chinook.Artist]{q, q.Concurrent(), q.Snapshot()} {
		artists, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, 275+347+3503+25+5, s.Wire.Rows())
		s.Wire.Reset()
		sh.checkGraph(t, artists, keys, nil, "albums__tracks__genre", "albums__tracks__media_type")
	}
	playlists, err := kin.Query[chinook.Playlist]().Prefetch("entries__track__album__artist").All(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, s.Wire.Statements(), 5)
	sh.checkGraph(t, playlists, shopKeysWhere("Playlist", sh.playlists, namedRow.id, nil), nil, "entries__track__album__artist")
	employees, err := kin.Query[chinook.Employee]().Prefetch("reports_to__reports_to").SelectRelated("reports").All(ctx, s.DB)
	require.NoError(t, err)
	sh.checkGraph(t, employees, shopKeysWhere("Employee", sh.employees, employeeRow.id, nil), nil, "reports_to__reports_to", "reports")

	// The three longest tracks of each album, as plain SQL has them.
	s.Wire.Reset()
	longest := kin.Query[chinook.Track]().OrderBy("-milliseconds").Limit(3)
	albums, err := kin.Query[chinook.Album]().Prefetch("tracks", longest).All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 2, 347+s.shopCount(t, "SELECT COUNT(*) FROM Track WHERE (SELECT COUNT(*) FROM Track AS other WHERE other.AlbumId = Track.AlbumId "+
		"AND (other.Milliseconds > Track.Milliseconds OR other.Milliseconds = Track.Milliseconds AND other.TrackId < Track.TrackId)) < 3"))
	for _, a := range albums[:40] {
		for i, track := range a.Tracks.All() {
			assert.Equal(t, i, s.shopCount(t, "SELECT COUNT(*) FROM Track WHERE AlbumId = ? AND (Milliseconds > ? OR Milliseconds = ? AND TrackId < ?)",
				a.ID, track.Milliseconds, track.Milliseconds, track.ID))
		}
	}
}

func testChinookPages(t *testing.T, s *Suite, sh *chinookShop) {
	sorted := slices.Clone(sh.artists)
	slices.SortFunc(sorted, func(a, b artistRow) int { return cmp.Or(cmp.Compare(*a.Name, *b.Name), cmp.Compare(a.ID, b.ID)) })
	keys := shopKeysWhere("Artist", sorted, artistRow.id, nil)
	q := kin.Query[chinook.Artist]().SelectRelated("albums").OrderBy("name").Limit(10)
	var joined []*chinook.Artist
	for from := 0; from < len(keys); from += 10 {
		page, err := q.Offset(from).All(t.Context(), s.DB)
		require.NoError(t, err)
		require.Len(t, page, min(10, len(keys)-from), "artists, not rows")
		rows := 0
		for _, a := range page {
			rows += max(1, len(sh.children[sh.keyOf(a)+" Albums"]))
		}
		s.Wire.Want(t, 1, rows)
		joined = append(joined, page...)
	}
	sh.checkGraph(t, joined[:10], keys[:10], nil, "albums")
	sh.checkGraph(t, joined[140:150], keys[140:150], nil, "albums")
	sh.checkGraph(t, joined, keys, nil, "albums")
}

func testChinookCustomers(t *testing.T, s *Suite, sh *chinookShop) {
	paths := []string{"support_rep__reports_to", "invoices__lines__track__album"}
	customers, err := kin.Query[chinook.Customer]().SelectRelated(kin.Paths[chinook.Customer](paths...)...).All(t.Context(), s.DB)
	require.NoError(t, err)
	sold := s.shopCount(t, "SELECT COUNT(DISTINCT TrackId) FROM InvoiceLine") +
		s.shopCount(t, "SELECT COUNT(DISTINCT AlbumId) FROM Track WHERE TrackId IN (SELECT TrackId FROM InvoiceLine)")
	helpers := s.shopCount(t, "SELECT COUNT(DISTINCT SupportRepId) FROM Customer") +
		s.shopCount(t, "SELECT COUNT(DISTINCT ReportsTo) FROM Employee WHERE EmployeeId IN (SELECT SupportRepId FROM Customer)")
	s.Wire.Want(t, 1, 59+412+2240+sold+helpers)
	sh.checkGraph(t, customers, shopKeysWhere("Customer", sh.customers, customerRow.id, nil), nil, paths...)
	for _, c := range customers {
		var sum chinook.Money
		for i := range c.Invoices.Values() {
			sum += i.Total
		}
		assert.EqualValues(t, s.shopCount(t, "SELECT CAST(ROUND(SUM(Total) * 100) AS DECIMAL(10)) FROM Invoice WHERE CustomerId = ?", c.ID), sum)
	}
}

func testChinookEmployees(t *testing.T, s *Suite, sh *chinookShop) {
	// No chain is as long as the path: its last step is NULL for all.
	paths := []string{"reports_to__reports_to__reports_to", "reports"}
	employees, err := kin.Query[chinook.Employee]().SelectRelated(kin.Paths[chinook.Employee](paths...)...).All(t.Context(), s.DB)
	require.NoError(t, err)
	managers := s.shopCount(t, "SELECT COUNT(DISTINCT ReportsTo) FROM Employee")
	above := s.shopCount(t, "SELECT COUNT(DISTINCT ReportsTo) FROM Employee WHERE EmployeeId IN (SELECT ReportsTo FROM Employee)")
	s.Wire.Want(t, 1, 8+7+managers+above) // seven have a manager; the third step leads nowhere
	sh.checkGraph(t, employees, shopKeysWhere("Employee", sh.employees, employeeRow.id, nil), nil, paths...)

	chain := func(e *chinook.Employee) (names []string) {
		for ; e != nil; e = e.ReportsTo.Get() {
			names = append(names, e.LastName)
		}
		return names
	}
	assert.Equal(t, []string{"Peacock", "Edwards", "Adams"}, chain(employees[2]))
	assert.Equal(t, []string{"Callahan", "Mitchell", "Adams"}, chain(employees[7]))
	assert.True(t, employees[0].ReportsTo.IsNull())
	for _, e := range employees[1:] {
		manager := e.ReportsTo.Get()
		assert.Contains(t, employees, manager)
		assert.Same(t, employees[manager.ID-1], manager, "a manager is the employee of that key")
		assert.Contains(t, manager.Reports.All(), e)
	}

	down, err := kin.Query[chinook.Employee]().SelectRelated("reports__reports").Filter("reports_to__isnull", true).All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 5)
	sh.checkGraph(t, down, []string{"Employee 1"}, nil, "reports__reports")
}

func testChinookPlaylists(t *testing.T, s *Suite, sh *chinookShop) {
	playlists, err := kin.Query[chinook.Playlist]().SelectRelated("entries__track__album__artist").All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 18+8715+3503+347+s.shopCount(t, "SELECT COUNT(DISTINCT ArtistId) FROM Album"))
	keys := shopKeysWhere("Playlist", sh.playlists, namedRow.id, nil)
	sh.checkGraph(t, playlists, keys, nil, "entries__track__album__artist")

	// The other way round, and row by row: each root has its own values.
	n := 0
	for track, err := range kin.Query[chinook.Track]().SelectRelated("entries__playlist").Iter(t.Context(), s.DB) {
		require.NoError(t, err)
		if n%100 == 0 {
			sh.checkGraph(t, []*chinook.Track{track}, []string{shopKey("Track", sh.tracks[n].ID)}, nil, "entries__playlist")
		}
		n++
	}
	assert.Equal(t, 3503, n)
	s.Wire.Want(t, 1, s.shopCount(t, "SELECT COUNT(*) FROM Track LEFT JOIN PlaylistTrack ON PlaylistTrack.TrackId = Track.TrackId"))
}
