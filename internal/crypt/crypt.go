// Package crypt encrypts the values of columns, and decrypts them. It knows
// keys and bytes, and nothing of models.
//
// A ciphertext of the first version is
//
//	form (1 byte), id of the key (4), nonce (12), AES-256-GCM ciphertext, tag (16)
//
// and the first five bytes are authenticated as additional data. No key of a
// ring encrypts anything itself: HKDF (RFC 5869) derives subkeys from it for
// each column and form, so that a ciphertext is bound to its column, and the
// bound of some 2³² random nonces under one key (NIST SP 800-38D, 8.3) is one
// for each column.
//
// The deterministic form makes its nonce of the plaintext: the first twelve
// bytes of its HMAC-SHA256 under another subkey. That is the idea of a synthetic
// IV (RFC 5297, RFC 8452): equal plaintexts give equal ciphertexts, which is
// all that they tell, and different ones share a nonce no more often than with
// random ones.
package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
)

// The forms: the first byte of a ciphertext. A later version takes others.
const (
	random        = 1
	deterministic = 2
)

const (
	keySize    = 32
	idSize     = 4
	headerSize = 1 + idSize
	nonceSize  = 12
	tagSize    = 16
	kindSize   = 1 // of the plaintext; see pack

	// Overhead is how much longer a ciphertext is than its value.
	Overhead = headerSize + nonceSize + tagSize + kindSize
)

var (
	// ErrNoKeys says that the database has no keyring.
	ErrNoKeys = errors.New("is encrypted, and the database has no keyring; open it with kin.WithKeyring")

	// ErrAltered says that a ciphertext is not what was written for its place.
	ErrAltered = errors.New("was altered, or comes from another column; " +
		"if the column or its table was renamed, its tag needs bound_to=old_table.old_column")

	errShort = errors.New("is none of kin's, or was cut off")
)

// A Ring holds keys, of which the first encrypts. It is immutable. A nil Ring
// has none.
type Ring struct{ keys []key }

type key struct {
	id     [idSize]byte
	secret *[keySize]byte // a pointer, so that package fmt does not show it
}

// NewRing returns a Ring of keys of 32 bytes.
func NewRing(secrets ...[]byte) (*Ring, error) {
	r := &Ring{}
	for i, secret := range secrets {
		if len(secret) != keySize {
			return nil, fmt.Errorf("key %d of %d has %d bytes; a key is %d random bytes, as crypto/rand makes them, and no password",
				i+1, len(secrets), len(secret), keySize)
		}
		k := key{secret: new([keySize]byte(secret))}
		id, err := derive(secret, "id", "", idSize)
		if err != nil {
			return nil, err
		}
		copy(k.id[:], id)
		for j, other := range r.keys {
			if other.id == k.id {
				return nil, fmt.Errorf("keys %d and %d of %d are the same, or share an identity; leave one out", j+1, i+1, len(secrets))
			}
		}
		r.keys = append(r.keys, k)
	}
	return r, nil
}

// Throwaway returns a Ring with a key that nobody knows.
func Throwaway() *Ring {
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // which does not fail
	r, err := NewRing(secret)
	if err != nil {
		return nil
	}
	return r
}

// derive returns a subkey for one purpose. A purpose has no colon.
func derive(secret []byte, purpose, column string, size int) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, nil, "kin:encrypted:1:"+purpose+":"+column, size)
}

// A Cipher encrypts and decrypts the values of one column. It is immutable.
type Cipher struct {
	keys          []subkeys
	deterministic bool
	err           error // why there are no keys
}

// The subkeys of one key for one column.
type subkeys struct {
	header        [2][headerSize]byte // by form
	random, fixed cipher.AEAD
	nonce         []byte // the key of the HMAC
}

// Cipher returns the cipher of a column.
func (r *Ring) Cipher(column string, fixed bool) *Cipher {
	c := &Cipher{deterministic: fixed}
	if r == nil {
		c.err = ErrNoKeys
		return c
	}
	for _, k := range r.keys {
		s, err := k.subkeys(column, fixed)
		if err != nil {
			c.err = err
			return c
		}
		c.keys = append(c.keys, s)
	}
	return c
}

func (k key) subkeys(column string, fixed bool) (s subkeys, err error) {
	for i, form := range [...]byte{random, deterministic} {
		s.header[i] = [headerSize]byte(append([]byte{form}, k.id[:]...))
	}
	if s.random, err = k.aead(column, "random", cipher.NewGCMWithRandomNonce); err != nil {
		return s, err
	}
	// A column that is deterministic no more still has ciphertexts that are.
	// FIPS 140-only mode has no such nonces: that matters if they are asked for.
	if s.fixed, err = k.aead(column, "deterministic", cipher.NewGCM); err != nil && !fixed {
		return s, nil
	}
	if err == nil {
		s.nonce, err = derive(k.secret[:], "nonce", column, keySize)
	}
	return s, err
}

func (k key) aead(column, purpose string, mode func(cipher.Block) (cipher.AEAD, error)) (cipher.AEAD, error) {
	secret, err := derive(k.secret[:], purpose, column, keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return mode(block)
}

// Deterministic reports whether equal values have equal ciphertexts.
func (c *Cipher) Deterministic() bool { return c.deterministic }

// Older returns how many keys there are beside the one that encrypts.
func (c *Cipher) Older() int { return max(0, len(c.keys)-1) }

// Seal encrypts a value, as pack takes them.
func (c *Cipher) Seal(v driver.Value) ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	plain, err := c.pack(v)
	if err != nil {
		return nil, err
	}
	k := &c.keys[0]
	if c.deterministic {
		return k.seal(plain), nil
	}
	header := k.header[0][:]
	sealed := append(make([]byte, 0, len(plain)+Overhead), header...)
	return k.random.Seal(sealed, nil, plain, header), nil
}

// SealAll encrypts a value under each of the keys, the first one first: all
// ciphertexts that it may have. The cipher must be deterministic.
func (c *Cipher) SealAll(v driver.Value) ([][]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	plain, err := c.pack(v)
	if err != nil {
		return nil, err
	}
	all := make([][]byte, len(c.keys))
	for i := range c.keys {
		all[i] = c.keys[i].seal(plain)
	}
	return all, nil
}

// seal encrypts in the deterministic form.
func (s *subkeys) seal(plain []byte) []byte {
	header := s.header[1][:]
	mac := hmac.New(sha256.New, s.nonce)
	mac.Write(plain)
	sealed := append(make([]byte, 0, len(plain)+Overhead+sha256.Size), header...)
	sealed = mac.Sum(sealed)[:headerSize+nonceSize]
	return s.fixed.Seal(sealed, sealed[headerSize:], plain, header)
}

// Others returns what a ciphertext under the first key would be under each of
// the others. The cipher must be deterministic.
func (c *Cipher) Others(sealed []byte) ([][]byte, error) {
	v, err := c.Open(sealed)
	if err != nil {
		return nil, err
	}
	all, err := c.SealAll(v)
	if err != nil {
		return nil, err
	}
	return all[1:], nil
}

// plaintexts are buffers for values that are copied from them at once.
//
//nolint:gochecknoglobals // a pool of memory
var plaintexts = sync.Pool{New: func() any { return new([]byte) }}

// Open decrypts a ciphertext of either form, under the key that it names.
func (c *Cipher) Open(sealed []byte) (driver.Value, error) {
	if c.err != nil {
		return nil, c.err
	}
	if len(sealed) < Overhead || sealed[0] != random && sealed[0] != deterministic {
		return nil, errShort
	}
	header, rest := sealed[:headerSize], sealed[headerSize:]
	buf := plaintexts.Get().(*[]byte)
	defer plaintexts.Put(buf)
	for i := range c.keys {
		k := &c.keys[i]
		var plain []byte
		var err error
		switch {
		case string(header) == string(k.header[0][:]):
			plain, err = k.random.Open((*buf)[:0], nil, rest, header)
		case string(header) == string(k.header[1][:]) && k.fixed != nil:
			plain, err = k.fixed.Open((*buf)[:0], rest[:nonceSize], rest[nonceSize:], header)
		default:
			continue
		}
		if err != nil {
			return nil, ErrAltered // which says no more than it may
		}
		v, err := unpack(plain)
		clear(plain) // it is a secret, and copied
		*buf = plain
		return v, err
	}
	return nil, fmt.Errorf("is encrypted with the key %x, which the keyring does not have", header[1:])
}
