// Package chinook has models for Chinook, a sample database of a shop for
// music, and loads its data. Its three flavours name their tables and columns
// differently: one set of models fits them all, by a [Naming] that is chosen
// when the database is opened.
package chinook

import (
	"database/sql"
	"time"

	"github.com/kin-orm/kin"
)

type (
	// Artist has albums. There are some without.
	Artist struct {
		ID     int64
		Name   *string `kin:",size=120"`
		Albums kin.Reverse[Album]
	}

	// Album is by one artist.
	Album struct {
		ID     int64
		Title  string                 `kin:",size=160"`
		Artist kin.ForeignKey[Artist] `kin:",related_name=albums"`
		Tracks kin.Reverse[Track]
	}

	// Genre is of tracks. Their reverse has no field: it serves in filters only.
	Genre struct {
		ID   int64
		Name *string `kin:",size=120"`
	}

	// MediaType is the format of tracks.
	MediaType struct {
		ID   int64
		Name sql.Null[string] `kin:",size=120"`
	}

	// Track is what is sold, and what playlists consist of.
	Track struct {
		ID           int64
		Name         string                `kin:",size=200"`
		Album        kin.ForeignKey[Album] `kin:",null,related_name=tracks"`
		MediaType    kin.ForeignKey[MediaType]
		Genre        kin.ForeignKey[Genre] `kin:",null"`
		Composer     *string               `kin:",size=220"`
		Milliseconds int32
		Bytes        *int32
		UnitPrice    Money `kin:",type=NUMERIC(10,2)"`
		InvoiceLines kin.Reverse[InvoiceLine]
		Entries      kin.Reverse[PlaylistTrack]
	}

	// Playlist has its tracks through PlaylistTrack.
	Playlist struct {
		ID      int64
		Name    *string `kin:",size=120"`
		Entries kin.Reverse[PlaylistTrack]
	}

	// PlaylistTrack is a track in a playlist. Its key is its two foreign keys.
	PlaylistTrack struct {
		Playlist kin.ForeignKey[Playlist] `kin:",pk,related_name=entries"`
		Track    kin.ForeignKey[Track]    `kin:",pk,related_name=entries"`
	}

	// Contact is what customers and employees have in common. Its fields are
	// columns of their tables.
	Contact struct {
		Address    *string `kin:",size=70"`
		City       *string `kin:",size=40"`
		State      *string `kin:",size=40"`
		Country    *string `kin:",size=40"`
		PostalCode *string `kin:",size=10"`
		Phone      *string `kin:",size=24"`
		Fax        *string `kin:",size=24"`
	}

	// Employee reports to another one, but for the one at the top.
	Employee struct {
		ID        int64
		LastName  string                   `kin:",size=20"`
		FirstName string                   `kin:",size=20"`
		Title     *string                  `kin:",size=30"`
		ReportsTo kin.ForeignKey[Employee] `kin:",null,related_name=reports"`
		BirthDate *time.Time
		HireDate  *time.Time
		Contact
		Email     *string `kin:",size=60"`
		Reports   kin.Reverse[Employee]
		Customers kin.Reverse[Customer]
	}

	// Customer is supported by an employee and has invoices.
	Customer struct {
		ID        int64
		FirstName string  `kin:",size=40"`
		LastName  string  `kin:",size=20"`
		Company   *string `kin:",size=80"`
		Contact
		Email      string                   `kin:",size=60"`
		SupportRep kin.ForeignKey[Employee] `kin:",null,related_name=customers"`
		Invoices   kin.Reverse[Invoice]
	}

	// Invoice has lines.
	Invoice struct {
		ID                int64
		Customer          kin.ForeignKey[Customer] `kin:",related_name=invoices"`
		InvoiceDate       time.Time
		BillingAddress    *string `kin:",size=70"`
		BillingCity       *string `kin:",size=40"`
		BillingState      *string `kin:",size=40"`
		BillingCountry    *string `kin:",size=40"`
		BillingPostalCode *string `kin:",size=10"`
		Total             Money   `kin:",type=NUMERIC(10,2)"`
		Lines             kin.Reverse[InvoiceLine]
	}

	// InvoiceLine is a track that was sold.
	InvoiceLine struct {
		ID        int64
		Invoice   kin.ForeignKey[Invoice] `kin:",related_name=lines"`
		Track     kin.ForeignKey[Track]   `kin:",related_name=invoice_lines"`
		UnitPrice Money                   `kin:",type=NUMERIC(10,2)"`
		Quantity  int32
	}
)

// Registry returns the models in a registry of their own, so that they do not
// meet those of other tests.
func Registry() *kin.Registry {
	var r kin.Registry
	kin.Register[Artist](&r)
	kin.Register[Album](&r)
	kin.Register[Genre](&r)
	kin.Register[MediaType](&r)
	kin.Register[Track](&r)
	kin.Register[Playlist](&r)
	kin.Register[PlaylistTrack](&r)
	kin.Register[Employee](&r)
	kin.Register[Customer](&r)
	kin.Register[Invoice](&r)
	kin.Register[InvoiceLine](&r)
	return &r
}
