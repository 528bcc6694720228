package kin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/crypt"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// An Encrypted is a field that holds a T in memory and is kept in the database
// as a ciphertext, in a column of bytes: AES-256-GCM under a key of the
// database's [Keyring].
//
//	type Person struct {
//		ID    int64
//		SSN   kin.Encrypted[string] `kin:",unique,deterministic"`
//		Notes kin.Encrypted[string] `kin:",null"`
//	}
//
//	ada := &Person{SSN: kin.Encrypt("078-05-1120")}
//	ada.Notes.Set("allergic to nuts")
//
// T is any type that a column may have, or else one that encoding/json can
// write and read. The zero Encrypted is the zero T, or with the option null, NULL.
// A *Encrypted and a [database/sql.Null] of one hold NULL as other types do.
// The option size counts what is encrypted, not the ciphertext.
//
// Equal values have different ciphertexts, so that the database cannot compare
// them: a query may ask for NULL, and that is all. With the option
// deterministic, equal values of one column have equal ciphertexts; then
// exact, ne and in work, and so do unique and index. The price is that whoever
// sees the table sees which rows agree, and may guess what a value is if there
// are few. There is no order, no search and no calculation in either case. The
// length of a text shows in that of its ciphertext.
//
// A ciphertext is bound to its table and column: one that is copied to another
// cannot be read there. It is not bound to its row. After a renaming, the
// option bound_to=table.column keeps the old names. What cannot be read is a
// [*DecryptError].
//
// Neither package fmt nor encoding/json shows the value; see
// [Encrypted.MarshalJSON].
type Encrypted[T any] struct{ sealed schema.Sealed[T] }

func (Encrypted[T]) encrypted() {}

// isEncrypted reports whether t is an Encrypted.
func isEncrypted(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[interface{ encrypted() }]())
}

// Encrypt returns an Encrypted that holds v.
func Encrypt[T any](v T) Encrypted[T] { return Encrypted[T]{schema.Seal(v)} }

// Get returns the value, or the zero T if it is NULL or was not set.
func (e Encrypted[T]) Get() T {
	if e.sealed.Value == nil {
		return *new(T)
	}
	return **e.sealed.Value
}

// Set makes e hold v. Copies of e keep what they have.
func (e *Encrypted[T]) Set(v T) { e.sealed = schema.Seal(v) }

// IsNull reports whether e holds no value: it was not set, or is NULL in the
// database.
func (e Encrypted[T]) IsNull() bool { return e.sealed.Value == nil }

// String returns the type alone: Encrypted[string](…). The value stays out of
// logs.
func (e Encrypted[T]) String() string {
	return fmt.Sprintf("Encrypted[%s](…)", reflect.TypeFor[T]())
}

// GoString returns what String does.
func (e Encrypted[T]) GoString() string { return e.String() }

// concealed stands for a value in JSON.
const concealed = `"[encrypted]"`

// MarshalJSON implements [json.Marshaler]. It writes "[encrypted]", or null,
// and not the value: structured logs are JSON, and a row that is logged must
// not tell its secrets. An answer that is to have the value takes it from
// [Encrypted.Get], in a type of its own.
func (e Encrypted[T]) MarshalJSON() ([]byte, error) {
	if e.IsNull() {
		return []byte("null"), nil
	}
	return []byte(concealed), nil
}

// UnmarshalJSON implements [json.Unmarshaler]. It takes a T, or null, which
// leaves nothing set. What MarshalJSON writes in the place of a value is an
// error: else a row that went out as JSON and came back would lose it.
func (e *Encrypted[T]) UnmarshalJSON(data []byte) error {
	switch data = bytes.TrimSpace(data); string(data) {
	case "null":
		*e = Encrypted[T]{}
		return nil
	case concealed:
		return errors.New("kin: the value of an Encrypted was left out of this JSON, and cannot be read from it")
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	e.Set(v)
	return nil
}

// A Keyring holds the keys of encrypted columns. It is immutable, and may be
// used by several databases and goroutines at once.
type Keyring struct{ ring *crypt.Ring }

// NewKeyring returns a Keyring. All that is written is encrypted with the
// primary key; the older ones are for reading, and for finding, what was
// written with them. A key is 32 random bytes, from crypto/rand or a key
// management service.
//
// To change keys, make the new one the first and the others the older ones,
// read all rows and write them ([UpdateAll] with the column's name) in
// transactions that let nobody write in between, and then leave the older ones
// out. Programs that run at the same time need the new key among their older
// ones before any of them writes with it.
//
// The database does not see that two ciphertexts under different keys are equal.
// As long as there are older keys, [Insert], [Update], [Save], [Upsert] and their
// relatives therefore first encrypt anew what stands in the way of unique
// values, in a statement more. [QuerySet.Update] does not.
func NewKeyring(primary []byte, older ...[]byte) (*Keyring, error) {
	ring, err := crypt.NewRing(append([][]byte{primary}, older...)...)
	if err != nil {
		return nil, fmt.Errorf("kin: keyring: %w", err)
	}
	return &Keyring{ring}, nil
}

// WithKeyring gives the database the keys of its encrypted columns. Without
// them, such a column is an error to write and to read ([ErrNoKeys]).
func WithKeyring(k *Keyring) Option {
	return func(db *DB) {
		if k != nil {
			db.s.space.keys = k.ring
		}
	}
}

// ErrNoKeys says that a column is encrypted, and that the database has no
// [Keyring].
var ErrNoKeys = crypt.ErrNoKeys

// A DecryptError says that an encrypted column has what cannot be read: what
// was altered, cut off, moved there from another column or never encrypted, or
// what is encrypted with a key that the [Keyring] does not have. Its fields are:
//
//	Model, Field string // whose column it is
//	Column       string // its name in the database
//	Err          error  // what is wrong
type DecryptError = hydrate.DecryptError
