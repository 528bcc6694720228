package tests

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/chinook"
)

func testChinookUnsold(t *testing.T, s *Suite, sh *chinookShop) {
	ctx := t.Context()
	const unsold = "SELECT TrackId FROM Track WHERE NOT EXISTS (SELECT 1 FROM InvoiceLine WHERE InvoiceLine.TrackId = Track.TrackId) ORDER BY 1"
	q := kin.Query[chinook.Track]().SelectRelated("album")
	for _, c := range []struct {
		why string
		q   kin.QuerySet[chinook.Track]
		sql string
	}{
		{"there is no line", q.Filter("invoice_lines__isnull", true), unsold},
		{"the complement of there being one", q.Exclude("invoice_lines__isnull", false), unsold},
		{"the complement of there being one of the least quantity", q.Exclude("invoice_lines__quantity__gte", 1), unsold},
		{"and of there being one with a key", q.Exclude("invoice_lines__id__gt", 0), unsold},
		{
			"tracks that no customer in Brazil bought", q.Exclude("invoice_lines__invoice__customer__country", "Brazil"),
			`SELECT TrackId FROM Track WHERE TrackId NOT IN (SELECT TrackId FROM InvoiceLine JOIN Invoice ON Invoice.InvoiceId = InvoiceLine.InvoiceId
				JOIN Customer ON Customer.CustomerId = Invoice.CustomerId WHERE Country = ?) ORDER BY 1`,
		},
	} {
		var args []any
		if strings.Contains(c.sql, "?") {
			args = append(args, "Brazil")
		}
		want := s.shopIDs(t, c.sql, args...)
		tracks, err := c.q.All(ctx, s.DB)
		require.NoError(t, err, c.why)
		s.Wire.Want(t, 1, len(want))
		sh.checkGraph(t, tracks, shopKeys("Track", want), nil, "album")
		count, err := c.q.Count(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 1, 1)
		assert.EqualValues(t, len(want), count, c.why)
	}

	// Tracks without composer are no tracks by Davis.
	byDavis := func(r trackRow) bool { return r.Composer != nil && strings.Contains(*r.Composer, "Davis") }
	others := shopKeysWhere("Track", sh.tracks, trackRow.id, func(r trackRow) bool { return !byDavis(r) })
	tracks, err := kin.Query[chinook.Track]().Exclude("composer__contains", "Davis").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, len(others))
	sh.checkGraph(t, tracks, others, nil)
	require.Less(t, len(others), 3503)
}

// testChinookReadings asks for artists with a track of a genre and with a
// track whose composer's name has a word in it: one call of Filter means one
// track that is both, two calls two tracks perhaps.
func testChinookReadings(t *testing.T, s *Suite, sh *chinookShop) {
	ctx := t.Context()
	type row struct {
		artist          int64
		genre, composer string
	}
	rows := shopRows(t, s, func(r *row) []any { return []any{&r.artist, &r.genre, &r.composer} },
		`SELECT Album.ArtistId, Genre.Name, COALESCE(Track.Composer, ?) FROM Track JOIN Album ON Album.AlbumId = Track.AlbumId
			JOIN Genre ON Genre.GenreId = Track.GenreId`, "")
	for _, c := range []struct {
		why           string
		genre, word   string
		same, anyRows int // how many artists there are, by each reading
	}{
		{"who plays Jazz and is Davis does both at once", "Jazz", "Davis", 1, 1},
		{"one sings a song by Gilberto that is not Latin, and another that is", "Latin", "Gilberto", 4, 5},
		{"a part of the name is enough", "Jazz", "Dav", 1, 1},
		{"other genres, more artists", "Rock", "Robert", 3, 4},
	} {
		same, ofGenre, byWord := map[int64]bool{}, map[int64]bool{}, map[int64]bool{}
		for _, r := range rows {
			genre, word := r.genre == c.genre, strings.Contains(r.composer, c.word)
			same[r.artist] = same[r.artist] || genre && word
			ofGenre[r.artist] = ofGenre[r.artist] || genre
			byWord[r.artist] = byWord[r.artist] || word
		}
		keys := func(keep func(id int64) bool) []string {
			return shopKeysWhere("Artist", sh.artists, artistRow.id, func(r artistRow) bool { return keep(r.ID) })
		}
		one := keys(func(id int64) bool { return same[id] })
		two := keys(func(id int64) bool { return ofGenre[id] && byWord[id] })
		require.Len(t, one, c.same, c.why)
		require.Len(t, two, c.anyRows, c.why)

		genre, composer := "albums__tracks__genre__name", "albums__tracks__composer__contains"
		q := kin.Query[chinook.Artist]().SelectRelated("albums__tracks__genre")
		got, err := q.Filter(genre, c.genre, composer, c.word).All(ctx, s.DB)
		require.NoError(t, err)
		// What is loaded is not trimmed: all tracks of the artists come.
		s.Wire.Want(t, 1, sh.tracksOf(one))
		sh.checkGraph(t, got, one, nil, "albums__tracks__genre")

		got, err = q.Filter(genre, c.genre).Filter(composer, c.word).All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 1, sh.tracksOf(two))
		sh.checkGraph(t, got, two, nil, "albums__tracks__genre")

		rest := keys(func(id int64) bool { return !same[id] })
		excluded, err := kin.Query[chinook.Artist]().Exclude(genre, c.genre, composer, c.word).All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 1, len(rest))
		sh.checkGraph(t, excluded, rest, nil)
	}
}

// tracksOf counts the tracks of artists.
func (sh *chinookShop) tracksOf(artists []string) int {
	n := 0
	for _, a := range artists {
		for _, album := range sh.children[a+" Albums"] {
			n += len(sh.children[album+" Tracks"])
		}
	}
	return n
}

func testChinookCompositeFilters(t *testing.T, s *Suite, sh *chinookShop) {
	ctx := t.Context()
	q := kin.Query[chinook.PlaylistTrack]()
	entries := func(keep func(r entryRow) bool) []string {
		var keys []string
		for _, r := range sh.entries {
			if keep(r) {
				keys = append(keys, shopKey("PlaylistTrack", r.PlaylistID, r.TrackID))
			}
		}
		return keys
	}
	classical := &chinook.Playlist{ID: 12}
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[chinook.PlaylistTrack]
		keep func(r entryRow) bool
	}{
		{"by half of the key", q.Filter("playlist", 12), func(r entryRow) bool { return r.PlaylistID == 12 }},
		{"by a row", q.Filter("playlist", classical), func(r entryRow) bool { return r.PlaylistID == 12 }},
		{"by a foreign key", q.Filter("playlist", kin.To(classical)), func(r entryRow) bool { return r.PlaylistID == 12 }},
		{"by the other half", q.Filter("track__id", 3403), func(r entryRow) bool { return r.TrackID == 3403 }},
		{
			"by lists of rows and of keys",
			q.Filter("playlist__in", []*chinook.Playlist{classical, {ID: 17}}, "track__in", []int64{1, 2, 3, 3403, 3404}),
			func(r entryRow) bool {
				return (r.PlaylistID == 12 || r.PlaylistID == 17) && slices.Contains([]int64{1, 2, 3, 3403, 3404}, r.TrackID)
			},
		},
	} {
		want := entries(c.keep)
		got, err := c.q.All(ctx, s.DB)
		require.NoError(t, err, c.why)
		s.Wire.Want(t, 1, len(want))
		sh.checkGraph(t, got, want, nil)
	}

	one, err := q.SelectRelated("playlist", "track").Filter("playlist", 12, "track", 3403).Get(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 1)
	sh.checkGraph(t, []*chinook.PlaylistTrack{one}, []string{"PlaylistTrack 12 3403"}, nil, "playlist", "track")
	_, err = q.Filter("playlist", 12, "track", 1).Get(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrNotFound)
	s.Wire.Want(t, 1, 0)

	// The key as a whole: a relation that leads to rows with two keys.
	key := func(playlist, track int64) *chinook.PlaylistTrack {
		return &chinook.PlaylistTrack{Playlist: kin.Key[chinook.Playlist](playlist), Track: kin.Key[chinook.Track](track)}
	}
	tracks := kin.Query[chinook.Track]()
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[chinook.Track]
		want []string
	}{
		{"a row", tracks.Filter("entries", key(12, 3403)), []string{"Track 3403"}},
		{"its key", tracks.Filter("entries", [2]int64{12, 3403}), []string{"Track 3403"}},
		{"rows, one of which is none", tracks.Filter("entries__in", []*chinook.PlaylistTrack{key(12, 3404), key(12, 1), key(1, 2)}), []string{"Track 2", "Track 3404"}},
		{"keys", tracks.Filter("entries__in", [][]int64{{12, 3404}, {1, 2}, {12, 2}}), []string{"Track 2", "Track 3404"}},
	} {
		got, err := c.q.All(ctx, s.DB)
		require.NoError(t, err, c.why)
		s.Wire.Want(t, 1, len(c.want))
		sh.checkGraph(t, got, c.want, nil)
	}

	loaded, err := one.Track.Get().Entries.Load(ctx, s.DB)
	require.NoError(t, err)
	want := entries(func(r entryRow) bool { return r.TrackID == 3403 })
	s.Wire.Want(t, 1, len(want))
	sh.checkGraph(t, loaded, want, nil, "track__entries")
}

// testChinookValues compares amounts and times, which each database keeps in
// a way of its own.
func testChinookValues(t *testing.T, s *Suite, sh *chinookShop) {
	ctx := t.Context()
	since, err := time.Parse(time.RFC3339, sh.invoices[200].Date)
	require.NoError(t, err)
	q := kin.Query[chinook.Invoice]()
	invoices := func(keep func(r invoiceRow, at time.Time) bool) []string {
		var keys []string
		for _, r := range sh.invoices {
			at, err := time.Parse(time.RFC3339, r.Date)
			require.NoError(t, err)
			if keep(r, at) {
				keys = append(keys, shopKey("Invoice", r.ID))
			}
		}
		return keys
	}
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[chinook.Invoice]
		keep func(r invoiceRow, at time.Time) bool
	}{
		{"an amount", q.Filter("total", chinook.Money(1386)), func(r invoiceRow, _ time.Time) bool { return r.Cents == 1386 }},
		{"not as text: 10.91 is more than 8.91", q.Filter("total__gt", chinook.Money(891)), func(r invoiceRow, _ time.Time) bool { return r.Cents > 891 }},
		{
			"amounts in a list", q.Filter("total__in", []chinook.Money{198, 2586, 1}),
			func(r invoiceRow, _ time.Time) bool { return r.Cents == 198 || r.Cents == 2586 },
		},
		{
			"between two amounts", q.Filter("total__range", []chinook.Money{396, 891}),
			func(r invoiceRow, _ time.Time) bool { return r.Cents >= 396 && r.Cents <= 891 },
		},
		{"not the amount", q.Filter("total__ne", chinook.Money(198)), func(r invoiceRow, _ time.Time) bool { return r.Cents != 198 }},
		{"an instant", q.Filter("invoice_date", since), func(_ invoiceRow, at time.Time) bool { return at.Equal(since) }},
		{
			"later than an instant in another zone", q.Filter("invoice_date__gt", since.In(time.FixedZone("", 3600))),
			func(_ invoiceRow, at time.Time) bool { return at.After(since) },
		},
		{"not later", q.Filter("invoice_date__lte", since), func(_ invoiceRow, at time.Time) bool { return !at.After(since) }},
	} {
		want := invoices(c.keep)
		got, err := c.q.All(ctx, s.DB)
		require.NoError(t, err, c.why)
		s.Wire.Want(t, 1, len(want))
		if !assert.NotEmpty(t, want, c.why) {
			continue
		}
		sh.checkGraph(t, got, want, nil)
	}
}
