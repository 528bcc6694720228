package tests

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/chinook"
)

// chinookCases has one case: its parts only read, so that they share one
// database, one after the other. Each asks kin a question about real data, and
// compares the whole answer, field by field, with rows that plain SQL reads.
func chinookCases() []Case {
	return []Case{{"chinook", testChinook}}
}

type chinookPart struct {
	name string
	run  func(t *testing.T, s *Suite, sh *chinookShop)
}

func chinookParts() []chinookPart {
	return []chinookPart{
		{"facts", testChinookFacts},
		{"artists, albums, tracks, genres and media types", testChinookArtists},
		{"pages of artists", testChinookPages},
		{"prefetched", testChinookPrefetch},
		{"customers with support and invoices", testChinookCustomers},
		{"employees with managers and reports", testChinookEmployees},
		{"playlists through a composite key", testChinookPlaylists},
		{"tracks never sold", testChinookUnsold},
		{"the same row and any rows", testChinookReadings},
		{"branches cost their sum", testChinookBranches},
		{"orders inside branches", testChinookOrders},
		{"orders through foreign keys", testChinookForeignOrder},
		{"limits, counts and exists", testChinookLimits},
		{"composite keys in filters", testChinookCompositeFilters},
		{"amounts and dates in filters", testChinookValues},
		{"tables of its models", testChinookTables},
	}
}

func testChinook(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(chinook.Registry()), kin.WithNaming(chinook.Naming(s.Name)))
	chinook.Load(t, s.Pool(), s.Name)
	sh := s.readShop(t)
	for _, part := range chinookParts() {
		t.Run(part.name, func(t *testing.T) {
			s.Wire.Reset()
			part.run(t, s, sh)
		})
	}
}

// testChinookFacts checks the loader against what Chinook is known to be.
func testChinookFacts(t *testing.T, _ *Suite, sh *chinookShop) {
	assert.Len(t, sh.artists, 275)
	assert.Len(t, sh.albums, 347)
	assert.Len(t, sh.tracks, 3503)
	assert.Len(t, sh.genres, 25)
	assert.Len(t, sh.media, 5)
	assert.Len(t, sh.playlists, 18)
	assert.Len(t, sh.entries, 8715)
	assert.Len(t, sh.customers, 59)
	assert.Len(t, sh.employees, 8)
	assert.Len(t, sh.invoices, 412)
	assert.Len(t, sh.lines, 2240)
	assert.Len(t, sh.rows, 15607)
	var revenue int64
	for _, i := range sh.invoices {
		revenue += i.Cents
	}
	assert.EqualValues(t, 2328_60, revenue)
	assert.Equal(t, "Antônio Carlos Jobim", *sh.rows["Artist 6"].(artistRow).Name)
	assert.Equal(t, "1962-02-18T00:00:00Z", sh.rows["Employee 1"].(employeeRow).BirthDate)
}

// testChinookTables makes the models' own tables beside those of the script,
// under the naming that each dialect's flavour does not have.
func testChinookTables(t *testing.T, s *Suite, sh *chinookShop) {
	ctx := t.Context()
	other := s.With(kin.WithRegistry(chinook.Registry()), kin.WithNaming(kin.Snake()))
	require.NoError(t, kin.CreateTables(ctx, other.DB))
	q := kin.Query[chinook.Genre]()
	genres, err := q.All(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, kin.Insert(ctx, other.DB, genres...))
	s.Wire.Reset()
	copied, err := q.OrderBy("-id").All(ctx, other.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, len(sh.genres))
	sh.checkGraph(t, copied, shopBackwards(shopKeysWhere("Genre", sh.genres, namedRow.id, nil)), nil)
	assert.Len(t, s.shopIDs(t, "SELECT id FROM genres"), len(sh.genres))
	require.NoError(t, kin.DropTables(ctx, other.DB))
	assert.Len(t, s.shopIDs(t, "SELECT GenreId FROM Genre"), len(sh.genres), "the script's tables stay")
}
