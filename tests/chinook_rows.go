package tests

import (
	"database/sql"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The rows of Chinook as plain SQL reads them, without kin. Foreign keys are
// numbers, amounts are cents, times are texts with their zone.
type (
	artistRow struct {
		ID   int64
		Name *string
	}
	albumRow struct {
		ID       int64
		Title    string
		ArtistID int64
	}
	namedRow struct { // of Genre, MediaType and Playlist
		ID   int64
		Name *string
	}
	trackRow struct {
		ID               int64
		Name             string
		AlbumID, GenreID *int64
		MediaTypeID      int64
		Composer         *string
		Milliseconds     int64
		Bytes            *int64
		Cents            int64
	}
	entryRow    struct{ PlaylistID, TrackID int64 }
	contactRow  struct{ Address, City, State, Country, PostalCode, Phone, Fax *string }
	employeeRow struct {
		ID                  int64
		LastName, FirstName string
		Title               *string
		ReportsTo           *int64
		BirthDate, HireDate string
		Contact             contactRow
		Email               *string
	}
	customerRow struct {
		ID                  int64
		FirstName, LastName string
		Company             *string
		Contact             contactRow
		Email               string
		SupportRepID        *int64
	}
	invoiceRow struct {
		ID, CustomerID                          int64
		Date                                    string
		Address, City, State, Country, PostCode *string
		Cents                                   int64
	}
	lineRow struct{ ID, InvoiceID, TrackID, Cents, Quantity int64 }
)

// A chinookShop is all rows of Chinook, each table in the order of its key.
type chinookShop struct {
	artists   []artistRow
	albums    []albumRow
	genres    []namedRow
	media     []namedRow
	playlists []namedRow
	tracks    []trackRow
	entries   []entryRow
	employees []employeeRow
	customers []customerRow
	invoices  []invoiceRow
	lines     []lineRow

	rows     map[string]any      // by model and key, as in "Album 7"
	children map[string][]string // by row and field, as in "Artist 3 Albums"
}

var (
	shopPascal = regexp.MustCompile(`\b([A-Z][a-z]+)+\b`)
	shopWords  = regexp.MustCompile(`[A-Z][a-z]+`)
)

// shopSQL returns hand-written SQL, which has the names of SQLite and MySQL
// and question marks, as the target needs it. It has no texts in it. The rule
// for names is right for those of Chinook, and owes nothing to kin's own.
func (s *Suite) shopSQL(query string) string {
	if s.Name == "postgres" {
		query = shopPascal.ReplaceAllStringFunc(query, func(name string) string {
			return strings.ToLower(strings.Join(shopWords.FindAllString(name, -1), "_"))
		})
	}
	return s.bind(query)
}

// shopRows runs hand-written SQL; fields returns what a row is scanned into.
func shopRows[T any](t *testing.T, s *Suite, fields func(*T) []any, query string, args ...any) []T {
	t.Helper()
	defer s.Wire.Pause()()
	rows, err := s.Pool().QueryContext(t.Context(), s.shopSQL(query), args...)
	require.NoError(t, err, query)
	defer func() { require.NoError(t, rows.Close()) }()
	var all []T
	for rows.Next() {
		var row T
		if err := rows.Scan(fields(&row)...); err != nil {
			require.NoError(t, err, query)
		}
		all = append(all, row)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, all, "an empty answer proves nothing: %s", query)
	return all
}

// shopIDs runs hand-written SQL whose one column is a number.
func (s *Suite) shopIDs(t *testing.T, query string, args ...any) []int64 {
	t.Helper()
	return shopRows(t, s, func(n *int64) []any { return []any{n} }, query, args...)
}

// shopCount runs hand-written SQL that counts.
func (s *Suite) shopCount(t *testing.T, query string, args ...any) int {
	t.Helper()
	return int(s.shopIDs(t, query, args...)[0])
}

// shopCents scans a NUMERIC(10,2).
type shopCents struct{ to *int64 }

func (c shopCents) Scan(v any) error {
	var f sql.NullFloat64
	err := f.Scan(v)
	*c.to = int64(math.Round(f.Float64 * 100))
	return err
}

// shopInstant scans a time. NULL is an empty text.
type shopInstant struct{ to *string }

func (x shopInstant) Scan(v any) error {
	var at sql.NullTime
	err := at.Scan(v)
	if at.Valid {
		*x.to = shopInstantText(&at.Time)
	}
	return err
}

// shopInstantText writes an instant with its zone, which has to be UTC.
func shopInstantText(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(time.RFC3339Nano)
}

// readShop reads all rows of Chinook, each table in the order of its key.
func (s *Suite) readShop(t *testing.T) *chinookShop {
	t.Helper()
	named := func(r *namedRow) []any { return []any{&r.ID, &r.Name} }
	contact := func(c *contactRow) []any {
		return []any{&c.Address, &c.City, &c.State, &c.Country, &c.PostalCode, &c.Phone, &c.Fax}
	}
	sh := &chinookShop{
		artists: shopRows(t, s, func(r *artistRow) []any { return []any{&r.ID, &r.Name} },
			"SELECT ArtistId, Name FROM Artist ORDER BY 1"),
		albums: shopRows(t, s, func(r *albumRow) []any { return []any{&r.ID, &r.Title, &r.ArtistID} },
			"SELECT AlbumId, Title, ArtistId FROM Album ORDER BY 1"),
		genres:    shopRows(t, s, named, "SELECT GenreId, Name FROM Genre ORDER BY 1"),
		media:     shopRows(t, s, named, "SELECT MediaTypeId, Name FROM MediaType ORDER BY 1"),
		playlists: shopRows(t, s, named, "SELECT PlaylistId, Name FROM Playlist ORDER BY 1"),
		tracks: shopRows(t, s, func(r *trackRow) []any {
			return []any{&r.ID, &r.Name, &r.AlbumID, &r.MediaTypeID, &r.GenreID, &r.Composer, &r.Milliseconds, &r.Bytes, shopCents{&r.Cents}}
		}, "SELECT TrackId, Name, AlbumId, MediaTypeId, GenreId, Composer, Milliseconds, Bytes, UnitPrice FROM Track ORDER BY 1"),
		entries: shopRows(t, s, func(r *entryRow) []any { return []any{&r.PlaylistID, &r.TrackID} },
			"SELECT PlaylistId, TrackId FROM PlaylistTrack ORDER BY 1, 2"),
		employees: shopRows(t, s, func(r *employeeRow) []any {
			return append([]any{
				&r.ID, &r.LastName, &r.FirstName, &r.Title, &r.ReportsTo, shopInstant{&r.BirthDate}, shopInstant{&r.HireDate}, &r.Email,
			}, contact(&r.Contact)...)
		}, `SELECT EmployeeId, LastName, FirstName, Title, ReportsTo, BirthDate, HireDate, Email,
			Address, City, State, Country, PostalCode, Phone, Fax FROM Employee ORDER BY 1`),
		customers: shopRows(t, s, func(r *customerRow) []any {
			return append([]any{&r.ID, &r.FirstName, &r.LastName, &r.Company, &r.Email, &r.SupportRepID}, contact(&r.Contact)...)
		}, `SELECT CustomerId, FirstName, LastName, Company, Email, SupportRepId,
			Address, City, State, Country, PostalCode, Phone, Fax FROM Customer ORDER BY 1`),
		invoices: shopRows(t, s, func(r *invoiceRow) []any {
			return []any{
				&r.ID, &r.CustomerID, shopInstant{&r.Date}, &r.Address, &r.City, &r.State, &r.Country, &r.PostCode, shopCents{&r.Cents},
			}
		}, `SELECT InvoiceId, CustomerId, InvoiceDate, BillingAddress, BillingCity, BillingState, BillingCountry,
			BillingPostalCode, Total FROM Invoice ORDER BY 1`),
		lines: shopRows(t, s, func(r *lineRow) []any {
			return []any{&r.ID, &r.InvoiceID, &r.TrackID, shopCents{&r.Cents}, &r.Quantity}
		}, "SELECT InvoiceLineId, InvoiceId, TrackId, UnitPrice, Quantity FROM InvoiceLine ORDER BY 1"),
	}
	sh.index()
	return sh
}
