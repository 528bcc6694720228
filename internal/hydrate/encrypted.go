package hydrate

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/crypt"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// A DecryptError says that an encrypted column has what cannot be read: what
// was altered, cut off, moved here from another column or never encrypted, or
// what is encrypted with a key that the keyring does not have.
type DecryptError struct {
	Model  string
	Field  string
	Column string // in the database
	Err    error
}

// Error implements error.
func (e *DecryptError) Error() string {
	return fmt.Sprintf("%s.%s (column %q) cannot be decrypted: its ciphertext %v", e.Model, e.Field, e.Column, e.Err)
}

// Unwrap returns what is wrong with the ciphertext.
func (e *DecryptError) Unwrap() error { return e.Err }

// An Encrypted holds a pointer to a pointer to its value, and nothing else: the
// codec of the field is that of the value, and the column encrypts what it
// gives. A field with the null option that points nowhere is NULL;
// any other is the zero value then.

func encodeEncrypted(f *schema.Field) encoder {
	encode := codecOf(f.Encrypted).encode
	null := f.Tag.Null && f.Wrap == schema.Plain
	zero := pointerOf(reflect.New(f.Encrypted.Type))
	return func(p Pointer, _ *dialect.Traits) (driver.Value, error) {
		switch q := pointee(held(p)); {
		case q != nil:
			return encode(pointee(q), permissive)
		case null:
			return nil, nil
		}
		return encode(zero, permissive)
	}
}

func decodeEncrypted(f *schema.Field) decoder {
	decode := codecOf(f.Encrypted).decode
	null := f.Tag.Null
	fresh := sealMaker(f.Encrypted.Type)
	return func(p Pointer, v driver.Value) error {
		if v == nil {
			if !null {
				return errNull
			}
			point(held(p), nil)
			return nil
		}
		pointer, at := fresh()
		if err := decode(at, v); err != nil {
			return err
		}
		point(held(p), pointer)
		return nil
	}
}

// decoderOf returns the decoder of a column, which decrypts what is encrypted.
func decoderOf(c *schema.Column) decoder {
	decode := codecOf(c.Field).decode
	if c.Cipher == nil {
		return decode
	}
	return func(p Pointer, v driver.Value) error {
		if v == nil {
			return decode(p, nil)
		}
		sealed, ok := v.([]byte)
		if !ok {
			sealed, _ = value.Bytes(v) // what is no bytes is no ciphertext either
		}
		plain, err := c.Cipher.Open(sealed)
		if errors.Is(err, crypt.ErrNoKeys) {
			return err
		}
		if err == nil && decode(p, plain) != nil {
			// Why is left out: it may tell the value.
			err = fmt.Errorf("holds no %s", c.Field.Encrypted.Type)
		}
		if err != nil {
			return &DecryptError{c.Model.Name, c.Field.Name, c.Name, err}
		}
		return nil
	}
}

// seal encrypts a value that the codec of the column c gave.
func seal(c *schema.Column, v driver.Value) (driver.Value, error) {
	if v == nil {
		return nil, nil
	}
	if err := checkSize(c, v, c.Field.Tag.Size); err != nil {
		return nil, err
	}
	sealed, err := c.Cipher.Seal(v)
	if err != nil {
		return nil, err
	}
	return sealed, nil
}

// Ciphertexts returns all that the deterministic column c may have for x, as
// FromAny takes it, or nil for NULL.
func Ciphertexts(c *schema.Column, x any) ([]driver.Value, error) {
	v, err := plain(c, x)
	if err != nil || v == nil {
		return nil, err
	}
	sealed, err := c.Cipher.SealAll(v)
	values := make([]driver.Value, len(sealed))
	for i, s := range sealed {
		values[i] = s
	}
	return values, err
}

// plain returns x as the encrypted column c has it before it is encrypted: a
// value of the type inside, or an Encrypted of it.
func plain(c *schema.Column, x any) (driver.Value, error) {
	f := c.Field
	for v := reflect.ValueOf(x); v.IsValid(); {
		switch {
		case v.Type() == f.Base:
			holder := reflect.New(f.Base)
			holder.Elem().Set(v)
			return baseEncoderOf(f)(pointerOf(holder), permissive)
		case v.Kind() == reflect.Pointer:
			v = v.Elem() // of nil, it is not valid
			continue
		case isWrapped(v.Type()) && v.Field(0).Type() == f.Base && v.Field(1).Bool():
			v = v.Field(0)
			continue
		}
		break
	}
	inside := &schema.Column{Model: c.Model, Field: f.Encrypted, Value: f.Encrypted.Value}
	inside.Source = inside
	v, err := FromAny(inside, x, permissive)
	if err != nil && f.Encrypted.Value.Kind == dialect.UUID {
		err = errors.New("takes a UUID") // what it took for one stays out of messages
	}
	return v, err
}
