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

// testChinookBranches loads several to-many relations of one row, at several
// levels. The rows read are those of all relations together.
func testChinookBranches(t *testing.T, s *Suite, sh *chinookShop) {
	ctx := t.Context()

	paths := []string{"customers__invoices__lines", "reports"}
	employees, err := kin.Query[chinook.Employee]().SelectRelated(kin.Paths[chinook.Employee](paths...)...).All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 8+59+412+2240+s.shopCount(t, "SELECT COUNT(*) FROM Employee WHERE ReportsTo IS NOT NULL"))
	sh.checkGraph(t, employees, shopKeysWhere("Employee", sh.employees, employeeRow.id, nil), nil, paths...)

	paths = []string{"tracks__invoice_lines__invoice", "tracks__entries__playlist", "tracks__genre", "artist"}
	albums, err := kin.Query[chinook.Album]().SelectRelated(kin.Paths[chinook.Album](paths...)...).All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 347+3503+2240+8715+
		s.shopCount(t, "SELECT COUNT(DISTINCT ArtistId) FROM Album")+s.shopCount(t, "SELECT COUNT(DISTINCT GenreId) FROM Track")+
		s.shopCount(t, "SELECT COUNT(DISTINCT InvoiceId) FROM InvoiceLine")+s.shopCount(t, "SELECT COUNT(DISTINCT PlaylistId) FROM PlaylistTrack"))
	sh.checkGraph(t, albums, shopKeysWhere("Album", sh.albums, albumRow.id, nil), nil, paths...)

	// Tracks are in several playlists; what hangs on them is read once.
	paths = []string{"entries__track__invoice_lines", "entries__track__album__tracks"}
	playlists, err := kin.Query[chinook.Playlist]().SelectRelated(kin.Paths[chinook.Playlist](paths...)...).Filter("name__in", []string{"Music", "Brazilian Music"}).All(ctx, s.DB)
	require.NoError(t, err)
	const chosen = "SELECT PlaylistId FROM Playlist WHERE Name IN (?, ?)"
	const within = " WHERE TrackId IN (SELECT TrackId FROM PlaylistTrack WHERE PlaylistId IN (" + chosen + "))"
	names := []any{"Music", "Brazilian Music"}
	want := s.shopIDs(t, chosen+" ORDER BY 1", names...)
	rows := len(want) +
		s.shopCount(t, "SELECT COUNT(*) FROM PlaylistTrack WHERE PlaylistId IN ("+chosen+")", names...) +
		s.shopCount(t, "SELECT COUNT(*) FROM InvoiceLine"+within, names...) +
		s.shopCount(t, "SELECT COUNT(*) FROM Track WHERE AlbumId IN (SELECT AlbumId FROM Track"+within+")", names...)
	s.Wire.Want(t, 1, rows)
	sh.checkGraph(t, playlists, shopKeys("Playlist", want), nil, paths...)

	// Below a foreign key and beside it, with a filter and a limit.
	paths = []string{"invoices", "support_rep__customers", "support_rep__reports_to__reports"}
	want = s.shopIDs(t, "SELECT CustomerId FROM Customer WHERE Country = ? ORDER BY CustomerId LIMIT 5", "USA")
	customers, err := kin.Query[chinook.Customer]().SelectRelated(kin.Paths[chinook.Customer](paths...)...).Filter("country", "USA").Limit(5).All(ctx, s.DB)
	require.NoError(t, err)
	first := "(SELECT CustomerId FROM (SELECT CustomerId FROM Customer WHERE Country = ? ORDER BY CustomerId LIMIT 5) AS chosen)"
	reps := "(SELECT SupportRepId FROM Customer WHERE CustomerId IN " + first + ")"
	rows = len(want) +
		s.shopCount(t, "SELECT COUNT(*) FROM Invoice WHERE CustomerId IN "+first, "USA") +
		s.shopCount(t, "SELECT COUNT(*) FROM Customer WHERE SupportRepId IN "+reps, "USA") +
		s.shopCount(t, "SELECT COUNT(*) FROM Employee WHERE ReportsTo IN (SELECT ReportsTo FROM Employee WHERE EmployeeId IN "+reps+")", "USA")
	s.Wire.Want(t, 1, rows)
	sh.checkGraph(t, customers, shopKeys("Customer", want), nil, paths...)
}

// shopLess compares rows of the shop by what of gives, and then by key.
func shopLess[R any](sh *chinookShop, of func(a, b R) int, id func(R) int64) func(a, b string) int {
	return func(a, b string) int {
		x, y := sh.rows[a].(R), sh.rows[b].(R)
		return cmp.Or(of(x, y), cmp.Compare(id(x), id(y)))
	}
}

// shopByText compares texts by code point, with NULL first.
func shopByText(a, b *string) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(shopPresent(a), shopPresent(b))
	default:
		return cmp.Compare(*a, *b)
	}
}

func shopPresent(s *string) int {
	if s == nil {
		return 0
	}
	return 1
}

func testChinookOrders(t *testing.T, s *Suite, sh *chinookShop) {
	ctx := t.Context()
	title := shopLess(sh, func(a, b albumRow) int { return cmp.Compare(a.Title, b.Title) }, albumRow.id)
	composer := shopLess(sh, func(a, b trackRow) int {
		return cmp.Or(shopByText(b.Composer, a.Composer), cmp.Compare(a.Milliseconds, b.Milliseconds))
	}, trackRow.id)
	sorted := slices.Clone(sh.artists)
	slices.SortFunc(sorted, func(a, b artistRow) int { return cmp.Or(cmp.Compare(*b.Name, *a.Name), cmp.Compare(a.ID, b.ID)) })
	order := map[string]func(a, b string) int{"Artist.Albums": title, "Album.Tracks": composer}

	// Titles and names have letters beyond ASCII, and composers may be NULL.
	artists, err := kin.Query[chinook.Artist]().SelectRelated("albums__tracks").
		OrderBy("-name", "albums__title", "-albums__tracks__composer", "albums__tracks__milliseconds").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 3503+275-s.shopCount(t, "SELECT COUNT(DISTINCT ArtistId) FROM Album"))
	sh.checkGraph(t, artists, shopKeysWhere("Artist", sorted, artistRow.id, nil), order, "albums__tracks")

	// The same orders in branches.
	dearest := shopLess(sh, func(a, b lineRow) int { return cmp.Compare(b.InvoiceID, a.InvoiceID) }, func(r lineRow) int64 { return r.ID })
	byPlaylist := func(a, b string) int {
		return cmp.Compare(sh.rows[b].(entryRow).PlaylistID, sh.rows[a].(entryRow).PlaylistID)
	}
	order = map[string]func(a, b string) int{
		"Album.Tracks": composer, "Track.InvoiceLines": dearest, "Track.Entries": byPlaylist,
	}
	albums := slices.Clone(sh.albums)
	slices.SortFunc(albums, func(a, b albumRow) int { return cmp.Or(cmp.Compare(b.Title, a.Title), cmp.Compare(a.ID, b.ID)) })
	got, err := kin.Query[chinook.Album]().SelectRelated("tracks__invoice_lines", "tracks__entries").
		OrderBy("-title", "-tracks__composer", "tracks__milliseconds", "-tracks__invoice_lines__invoice", "-tracks__entries__playlist").
		All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 347+3503+2240+8715)
	sh.checkGraph(t, got, shopKeysWhere("Album", albums, albumRow.id, nil), order, "tracks__invoice_lines", "tracks__entries")
}

func testChinookForeignOrder(t *testing.T, s *Suite, sh *chinookShop) {
	sorted := slices.Clone(sh.customers)
	rep := func(r customerRow) employeeRow { return sh.rows[shopKey("Employee", *r.SupportRepID)].(employeeRow) }
	slices.SortFunc(sorted, func(a, b customerRow) int {
		return cmp.Or(cmp.Compare(rep(b).LastName, rep(a).LastName), shopByText(a.Contact.City, b.Contact.City), cmp.Compare(a.ID, b.ID))
	})
	q := kin.Query[chinook.Customer]().OrderBy("-support_rep__last_name", "city")
	keys := shopKeysWhere("Customer", sorted, customerRow.id, nil)
	customers, err := q.SelectRelated("invoices").All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 412)
	sh.checkGraph(t, customers, keys, nil, "invoices")

	page, err := q.SelectRelated("invoices", "support_rep__reports").Limit(7).Offset(20).All(t.Context(), s.DB)
	require.NoError(t, err)
	rows := 7 // and no reports: who supports customers manages nobody
	for _, key := range keys[20:27] {
		rows += len(sh.children[key+" Invoices"])
	}
	s.Wire.Want(t, 1, rows)
	sh.checkGraph(t, page, keys[20:27], nil, "invoices", "support_rep__reports")
	last, err := q.Last(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, sorted[len(sorted)-1].ID, last.ID)
}

func testChinookLimits(t *testing.T, s *Suite, sh *chinookShop) {
	ctx := t.Context()
	want := s.shopIDs(t, `SELECT DISTINCT Album.AlbumId FROM Album JOIN Track ON Track.AlbumId = Album.AlbumId
		JOIN InvoiceLine ON InvoiceLine.TrackId = Track.TrackId WHERE Milliseconds > ? ORDER BY 1 DESC`, 400_000)
	require.Greater(t, len(want), 50)
	q := kin.Query[chinook.Album]().SelectRelated("tracks__invoice_lines", "tracks__entries").OrderBy("-id").
		Filter("tracks__milliseconds__gt", 400_000, "tracks__invoice_lines__isnull", false)
	for from := 0; from <= len(want); from += 25 {
		some := shopKeys("Album", want[from:min(from+25, len(want))])
		rows := len(some)
		for _, album := range some {
			for _, track := range sh.children[album+" Tracks"] {
				rows += 1 + len(sh.children[track+" InvoiceLines"]) + len(sh.children[track+" Entries"])
			}
		}
		page, err := q.Limit(25).Offset(from).All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 1, rows)
		if len(some) > 0 {
			sh.checkGraph(t, page, some, nil, "tracks__invoice_lines", "tracks__entries")
		}
		n, err := q.Limit(25).Offset(from).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, len(some), n)
		s.Wire.Want(t, 1, 1)
	}
	n, err := q.Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, len(want), n, "albums, not their rows")
	yes, err := q.Exists(ctx, s.DB)
	require.NoError(t, err)
	assert.True(t, yes)
	s.Wire.Want(t, 2, 2)
	no, err := q.Filter("artist__name", "Nobody").Exists(ctx, s.DB)
	require.NoError(t, err)
	assert.False(t, no)
	beyond, err := q.Offset(len(want)).Exists(ctx, s.DB)
	require.NoError(t, err)
	assert.False(t, beyond)
	first, err := q.First(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, want[0], first.ID)
	last, err := q.Last(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, want[len(want)-1], last.ID)
}
