package tests

import (
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/tests/chinook"
)

// shopPlainRow returns a row of kin's as the row that plain SQL reads.
func shopPlainRow(row any) any {
	switch x := row.(type) {
	case *chinook.Artist:
		return artistRow{x.ID, x.Name}
	case *chinook.Album:
		return albumRow{x.ID, x.Title, x.Artist.Ref().ID}
	case *chinook.Genre:
		return namedRow{x.ID, x.Name}
	case *chinook.MediaType:
		if !x.Name.Valid {
			return namedRow{x.ID, nil}
		}
		return namedRow{x.ID, &x.Name.V}
	case *chinook.Playlist:
		return namedRow{x.ID, x.Name}
	case *chinook.Track:
		return trackRow{
			ID: x.ID, Name: x.Name, AlbumID: shopRefID(x.Album.Ref()), GenreID: shopRefID(x.Genre.Ref()), MediaTypeID: x.MediaType.Ref().ID,
			Composer: x.Composer, Milliseconds: int64(x.Milliseconds), Bytes: shopWide(x.Bytes), Cents: int64(x.UnitPrice),
		}
	case *chinook.PlaylistTrack:
		return entryRow{x.Playlist.Ref().ID, x.Track.Ref().ID}
	case *chinook.Employee:
		return employeeRow{
			ID: x.ID, LastName: x.LastName, FirstName: x.FirstName, Title: x.Title, ReportsTo: shopRefID(x.ReportsTo.Ref()),
			BirthDate: shopInstantText(x.BirthDate), HireDate: shopInstantText(x.HireDate), Contact: contactRow(x.Contact), Email: x.Email,
		}
	case *chinook.Customer:
		return customerRow{
			ID: x.ID, FirstName: x.FirstName, LastName: x.LastName, Company: x.Company, Contact: contactRow(x.Contact),
			Email: x.Email, SupportRepID: shopRefID(x.SupportRep.Ref()),
		}
	case *chinook.Invoice:
		return invoiceRow{
			ID: x.ID, CustomerID: x.Customer.Ref().ID, Date: shopInstantText(&x.InvoiceDate), Address: x.BillingAddress,
			City: x.BillingCity, State: x.BillingState, Country: x.BillingCountry, PostCode: x.BillingPostalCode, Cents: int64(x.Total),
		}
	case *chinook.InvoiceLine:
		return lineRow{x.ID, x.Invoice.Ref().ID, x.Track.Ref().ID, int64(x.UnitPrice), int64(x.Quantity)}
	}
	panic(fmt.Sprintf("tests: no plain row for %T", row))
}

// shopRefID returns the ID of a row, or nil if there is no row.
func shopRefID[T any](row *T) *int64 {
	if row == nil {
		return nil
	}
	id := reflect.ValueOf(row).Elem().FieldByName("ID").Int()
	return &id
}

func shopWide(n *int32) *int64 {
	if n == nil {
		return nil
	}
	w := int64(*n)
	return &w
}
