package tests

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func encryptedCases() []Case {
	return slices.Concat([]Case{
		{"encrypted/every type comes back", testEncryptedTypes},
		{"encrypted/the format, by hand", testEncryptedFormat},
		{"encrypted/NULL", testEncryptedNull},
		{"encrypted/tables and sizes", testEncryptedTables},
		{"encrypted/loaded in several branches", testEncryptedBranches},
		{"encrypted/a renamed column", testEncryptedRenamed},
	}, encryptedFilterCases(), encryptedErrorCases())
}

// secretKey returns the n-th key of the tests.
func secretKey(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

// keyring returns a keyring of the n-th keys, the first of which encrypts.
func keyring(t testing.TB, n ...byte) *kin.Keyring {
	t.Helper()
	var older [][]byte
	for _, i := range n[1:] {
		older = append(older, secretKey(i))
	}
	ring, err := kin.NewKeyring(secretKey(n[0]), older...)
	require.NoError(t, err)
	return ring
}

// keyed returns a Suite whose models have the n-th keys.
func (s *Suite) keyed(t testing.TB, models *kin.Registry, n ...byte) *Suite {
	t.Helper()
	return s.With(kin.WithRegistry(models), kin.WithKeyring(keyring(t, n...)))
}

// subkey derives what a key is used for, as the format has it.
func subkey(t testing.TB, secret []byte, purpose, place string, size int) []byte {
	t.Helper()
	key, err := hkdf.Key(sha256.New, secret, nil, "kin:encrypted:1:"+purpose+":"+place, size)
	require.NoError(t, err)
	return key
}

// decryptByHand takes a ciphertext apart as the format has it, without kin.
func decryptByHand(t testing.TB, secret []byte, place string, sealed []byte) []byte {
	t.Helper()
	require.Greater(t, len(sealed), 5+12+16)
	purpose := map[byte]string{1: "random", 2: "deterministic"}[sealed[0]]
	require.NotEmpty(t, purpose)
	require.Equal(t, subkey(t, secret, "id", "", 4), sealed[1:5])
	block, err := aes.NewCipher(subkey(t, secret, purpose, place, 32))
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	plain, err := gcm.Open(nil, sealed[5:17], sealed[17:], sealed[:5])
	require.NoError(t, err)
	if sealed[0] == 2 {
		mac := hmac.New(sha256.New, subkey(t, secret, "nonce", place, 32))
		mac.Write(plain)
		require.Equal(t, mac.Sum(nil)[:12], sealed[5:17])
	}
	return plain
}

// A Vault has a T that is encrypted in either way.
type Vault[T any] struct {
	ID     int64
	Random kin.Encrypted[T]
	Fixed  kin.Encrypted[T] `kin:",deterministic"`
	Maybe  *kin.Encrypted[T]
	Null   sql.Null[kin.Encrypted[T]]
	Unset  kin.Encrypted[T] `kin:",null"`
}

// KinTable gives each type a table of its own.
func (Vault[T]) KinTable() kin.Table { return kin.Table{Name: tableFor[T]("vaults")} }

// encryptedTrip inserts values and reads them, by kin and by hand.
func encryptedTrip[T any](t *testing.T, s *Suite, equal func(a, b T) bool, values ...T) {
	t.Helper()
	if equal == nil {
		equal = func(a, b T) bool { return assert.ObjectsAreEqual(a, b) }
	}
	var models kin.Registry
	kin.Register[Vault[T]](&models)
	s = s.keyed(t, &models, 1)
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	var rows []*Vault[T]
	for _, v := range values {
		some := kin.Encrypt(v)
		rows = append(rows, &Vault[T]{Random: some, Fixed: some, Maybe: &some, Null: sqlNull(some), Unset: some})
	}
	rows = append(rows, &Vault[T]{}) // all NULL, or zero
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	s.Wire.Reset()
	got, err := kin.Query[Vault[T]]().All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, len(rows))
	require.Len(t, got, len(rows))
	for i, want := range values {
		for name, e := range map[string]kin.Encrypted[T]{
			"random": got[i].Random, "fixed": got[i].Fixed, "pointer": *got[i].Maybe, "null": got[i].Null.V, "unset": got[i].Unset,
		} {
			assert.True(t, equal(want, e.Get()), "%s %d: %s is not %s", name, i, clipped(e.Get()), clipped(want))
			assert.False(t, e.IsNull())
		}
		assert.True(t, got[i].Null.Valid)
		assert.True(t, equal(want, rows[i].Fixed.Get()), "as it was")
	}
	last := got[len(values)]
	assert.Nil(t, last.Maybe)
	assert.False(t, last.Null.Valid)
	assert.True(t, last.Unset.IsNull())
	assert.False(t, last.Random.IsNull(), "zero values are written")
	assert.Empty(t, last.Random.Get())
	assert.Empty(t, last.Unset.Get())

	table := s.quoted(Vault[T]{}.KinTable().Name)
	sealed := map[string]bool{}
	for _, column := range []string{"random", "fixed"} {
		for i, ciphertext := range handColumnBy(t, s, scanBytes, "SELECT "+column+" FROM "+table+" ORDER BY id") {
			plain := decryptByHand(t, secretKey(1), Vault[T]{}.KinTable().Name+"."+column, ciphertext)
			if i < len(values) && len(plain) > 5 {
				assert.NotContains(t, string(ciphertext), string(plain[1:]))
			}
			assert.False(t, column == "random" && sealed[string(ciphertext)], "no two are the same")
			sealed[string(ciphertext)] = true
		}
	}
	for i, v := range values {
		found, err := kin.Query[Vault[T]]().Filter("fixed", v).All(t.Context(), s.DB)
		require.NoError(t, err)
		var ids []int64
		for _, row := range found {
			ids = append(ids, row.ID)
		}
		assert.Contains(t, ids, rows[i].ID)
	}
}

// A secretDoc is kept as JSON.
type secretDoc struct {
	Name string
	Tags []string
	N    map[string]int
}

// A JSONVault has a T that is encrypted as JSON.
type JSONVault[T any] struct {
	ID    int64
	V     kin.Encrypted[T]
	Maybe *kin.Encrypted[T]
}

// KinTable gives each type a table of its own.
func (JSONVault[T]) KinTable() kin.Table { return kin.Table{Name: tableFor[T]("json_vaults")} }

func jsonTrip[T any](t *testing.T, s *Suite, values ...T) {
	t.Helper()
	var models kin.Registry
	kin.Register[JSONVault[T]](&models)
	s = s.keyed(t, &models, 1)
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	for _, v := range values {
		row := &JSONVault[T]{V: kin.Encrypt(v)}
		require.NoError(t, kin.Insert(t.Context(), s.DB, row))
		got, err := kin.Query[JSONVault[T]]().Filter("id", row.ID).Get(t.Context(), s.DB)
		require.NoError(t, err)
		assert.Equal(t, v, got.V.Get())
		assert.Nil(t, got.Maybe)
		sealed := handColumnBy(t, s, scanBytes, "SELECT v FROM "+s.quoted(row.KinTable().Name)+" ORDER BY id DESC")[0]
		plain := decryptByHand(t, secretKey(1), row.KinTable().Name+".v", sealed)
		want, err := json.Marshal(v)
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(plain[1:]))
	}
}

func testEncryptedTypes(t *testing.T, s *Suite) {
	encryptedTrip(t, s, nil, "", "x", "caf\u00e9 \U0001F600", strings.Repeat("secret ", 10_000))
	encryptedTrip(t, s, nil, []byte{}, []byte{0}, []byte{0xff, 0, 1}, bytes.Repeat([]byte("secret"), 10_000))
	encryptedTrip(t, s, nil, 0, 1, -1, math.MinInt64, math.MaxInt64)
	encryptedTrip[int8](t, s, nil, 0, math.MinInt8, math.MaxInt8)
	encryptedTrip[int16](t, s, nil, math.MinInt16, math.MaxInt16)
	encryptedTrip[int32](t, s, nil, math.MinInt32, math.MaxInt32)
	encryptedTrip[uint8](t, s, nil, 0, math.MaxUint8)
	encryptedTrip[uint64](t, s, nil, 0, math.MaxInt64, math.MaxInt64+1, math.MaxUint64) // on every database
	encryptedTrip(t, s, nil, 0.1, -0.5, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1))
	encryptedTrip[float32](t, s, nil, 0.1, math.MaxFloat32)
	encryptedTrip(t, s, nil, true, false)
	encryptedTrip(t, s, time.Time.Equal, time.Date(2026, 11, 25, 1, 2, 3, 4000, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC))
	encryptedTrip(t, s, nil, time.Second, -time.Hour)
	encryptedTrip(t, s, nil, uuid.Max, uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
	encryptedTrip(t, s, nil, colour("red"), colour(""))
	encryptedTrip(t, s, nil, point{1, -2}, point{}) // which has Scan and Value
	jsonTrip(t, s, secretDoc{}, secretDoc{Name: "x", Tags: []string{"a"}, N: map[string]int{"b": 1}})
	jsonTrip(t, s, []string(nil), []string{}, []string{"a", "<&>"})
	jsonTrip(t, s, map[string]float64{"a": 0.1})
	jsonTrip(t, s, [2]int{1, 2})
	jsonTrip(t, s, json.RawMessage(`{"a":1}`))
}

// testEncryptedFormat reads a value that was encrypted by hand.
func testEncryptedFormat(t *testing.T, s *Suite) {
	var models kin.Registry
	kin.Register[Vault[string]](&models)
	s = s.keyed(t, &models, 7)
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	row := &Vault[string]{}
	require.NoError(t, kin.Insert(t.Context(), s.DB, row))
	table := row.KinTable().Name
	header := append([]byte{1}, subkey(t, secretKey(7), "id", "", 4)...)
	block, err := aes.NewCipher(subkey(t, secretKey(7), "random", table+".random", 32))
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	nonce := []byte("twelve bytes")
	sealed := gcm.Seal(append(slices.Clone(header), nonce...), nonce, []byte("tby hand"), header)
	s.Exec(t, s.bind("UPDATE "+s.quoted(table)+" SET random = ?"), sealed)
	require.NoError(t, kin.Reload(t.Context(), s.DB, row))
	assert.Equal(t, "by hand", row.Random.Get())
}

func testEncryptedNull(t *testing.T, s *Suite) {
	var models kin.Registry
	kin.Register[Vault[string]](&models)
	s = s.keyed(t, &models, 1)
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	empty, x := kin.Encrypt(""), kin.Encrypt("x")
	rows := []*Vault[string]{{}, {Maybe: &kin.Encrypted[string]{}, Null: sqlNull(kin.Encrypted[string]{})}, {Maybe: &empty, Unset: empty}, {Maybe: &x, Unset: x}}
	require.NoError(t, kin.Insert(ctx, s.DB, rows...))
	table := s.quoted(Vault[string]{}.KinTable().Name)
	assert.Equal(t, []bool{true, false, false, false}, handColumn[bool](t, s, "SELECT maybe IS NULL FROM "+table+" ORDER BY id"))
	assert.Equal(t, []bool{true, true, false, false}, handColumn[bool](t, s, "SELECT unset IS NULL FROM "+table+" ORDER BY id"))
	assert.Equal(t, []bool{true, false, true, true}, handColumn[bool](t, s, "SELECT "+s.quoted("null")+" IS NULL FROM "+table+" ORDER BY id"))
	for lookup, want := range map[string]int64{"maybe__isnull": 1, "unset__isnull": 2, "null__isnull": 3, "random__isnull": 0} {
		n, err := kin.Query[Vault[string]]().Filter(lookup, true).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, want, n, lookup)
		n, err = kin.Query[Vault[string]]().Exclude(lookup, true).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, 4-want, n, lookup)
	}
	for lookup, want := range map[string]int64{"maybe": 1, "unset": 2, "unset__ne": 2} {
		n, err := kin.Query[Vault[string]]().Filter(lookup, nil).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, want, n, lookup)
	}
	rows[3].Maybe, rows[3].Unset = nil, kin.Encrypted[string]{}
	require.NoError(t, kin.Update(ctx, s.DB, rows[3]))
	assert.Equal(t, []bool{true, false, false, true}, handColumn[bool](t, s, "SELECT maybe IS NULL FROM "+table+" ORDER BY id"))
	assert.Equal(t, []bool{true, true, false, true}, handColumn[bool](t, s, "SELECT unset IS NULL FROM "+table+" ORDER BY id"))

	s.Exec(t, "CREATE TABLE other_vaults (id bigint PRIMARY KEY, v "+map[string]string{"sqlite": "BLOB", "postgres": "bytea", "mysql": "BLOB"}[s.Name]+")")
	s.Exec(t, "INSERT INTO other_vaults (id) VALUES (1)")
	other := new(kin.Registry)
	kin.Register[otherVault](other)
	_, err := kin.Query[otherVault]().All(ctx, s.keyed(t, other, 1).DB)
	require.ErrorContains(t, err, `otherVault.V (column "v" of "other_vaults") is NULL, which kin.Encrypted[string] cannot hold; take a *kin.Encrypted[string]`)
}

// A sizedVault has columns with sizes, and in indexes.
type sizedVault struct {
	ID    int64
	Place string                `kin:",size=10"`
	Name  kin.Encrypted[string] `kin:",size=5,unique,deterministic"`
	Blob  kin.Encrypted[[]byte] `kin:",size=5"`
	Code  kin.Encrypted[string] `kin:",deterministic,index"`
	N     kin.Encrypted[int]    `kin:",deterministic"`
}

func (sizedVault) KinTable() kin.Table { return kin.Table{Unique: [][]string{{"place", "n"}}} }

func testEncryptedTables(t *testing.T, s *Suite) {
	var models kin.Registry
	kin.Register[sizedVault](&models)
	s = s.keyed(t, &models, 1)
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	switch s.Name {
	case "mysql":
		types := handColumn[string](t, s, "SELECT column_type FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'sized_vaults' ORDER BY ordinal_position")
		assert.Equal(t, []string{"varbinary(54)", "varbinary(39)", "varbinary(255)", "varbinary(255)"}, types[2:])
	case "postgres":
		types := handColumn[string](t, s, "SELECT data_type FROM information_schema.columns WHERE table_name = 'sized_vaults' ORDER BY ordinal_position")
		assert.Equal(t, []string{"bytea", "bytea", "bytea", "bytea"}, types[2:])
	}
	row := &sizedVault{Name: kin.Encrypt("\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600"), Blob: kin.Encrypt([]byte("12345"))}
	require.NoError(t, kin.Insert(ctx, s.DB, row), "five characters are twenty bytes")
	s.Wire.Reset()
	var long *kin.TooLongError
	for field, bad := range map[string]*sizedVault{
		"Name": {Name: kin.Encrypt("123456")}, "Blob": {Blob: kin.Encrypt([]byte("123456"))},
	} {
		err := kin.Insert(ctx, s.DB, &sizedVault{Place: "x"}, bad)
		require.ErrorAs(t, err, &long, field)
		assert.Equal(t, []string{field}, long.Fields)
		require.ErrorContains(t, err, "and the column takes 5", field)
		assert.NotContains(t, err.Error(), "123456")
	}
	_, err := kin.Query[sizedVault]().Everything().Update(ctx, s.DB, kin.Set("name", "123456"))
	require.ErrorAs(t, err, &long)
	s.Wire.Want(t, 0, 0)
	assert.Equal(t, 1, handOne[int](t, s, "SELECT COUNT(*) FROM sized_vaults"))

	var unique *kin.UniqueError
	require.ErrorAs(t, kin.Insert(ctx, s.DB, &sizedVault{Name: row.Name, Place: "other"}), &unique)
	assert.Equal(t, []string{"Name"}, unique.Fields)
	require.ErrorAs(t, kin.Insert(ctx, s.DB, &sizedVault{}), &unique, "place and n")
	assert.Equal(t, []string{"Place", "N"}, unique.Fields)
	require.NoError(t, kin.Insert(ctx, s.DB, &sizedVault{N: kin.Encrypt(1)}))
}

// The clinic has encrypted columns in rows that come in several arms.
type (
	clinic struct {
		ID      int64
		Name    kin.Encrypted[string]
		Doctors kin.Reverse[doctor]
		Wards   kin.Reverse[ward]
	}
	doctor struct {
		ID     int64
		Phone  kin.Encrypted[string] `kin:",null"`
		Clinic kin.ForeignKey[clinic]
	}
	ward struct {
		ID     int64
		Beds   kin.Encrypted[int] `kin:",deterministic"`
		Clinic kin.ForeignKey[clinic]
	}
)

func testEncryptedBranches(t *testing.T, s *Suite) {
	var models kin.Registry
	kin.Register[clinic](&models)
	kin.Register[doctor](&models)
	kin.Register[ward](&models)
	s = s.keyed(t, &models, 1)
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	c := &clinic{Name: kin.Encrypt("north")}
	require.NoError(t, kin.Insert(ctx, s.DB, c))
	require.NoError(t, kin.Insert(ctx, s.DB, &doctor{Phone: kin.Encrypt("555"), Clinic: kin.To(c)}, &doctor{Clinic: kin.To(c)}))
	require.NoError(t, kin.Insert(ctx, s.DB, &ward{Beds: kin.Encrypt(12), Clinic: kin.To(c)}, &ward{Beds: kin.Encrypt(30), Clinic: kin.To(c)}))
	s.Wire.Reset()
	got, err := kin.Query[clinic]().SelectRelated("doctors", "wards").Filter("wards__beds", 30).Get(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 5)
	assert.Equal(t, "north", got.Name.Get())
	assert.Equal(t, "555", got.Doctors.All()[0].Phone.Get())
	assert.True(t, got.Doctors.All()[1].Phone.IsNull())
	assert.Equal(t, []int{12, 30}, []int{got.Wards.All()[0].Beds.Get(), got.Wards.All()[1].Beds.Get()})
	n, err := kin.Query[clinic]().Filter("wards__beds", 31).Count(ctx, s.DB)
	require.NoError(t, err)
	assert.Zero(t, n)
}

// renamedVault is otherVault after its table and column were renamed.
type renamedVault struct {
	ID     int64
	Secret kin.Encrypted[string] `kin:",bound_to=other_vaults.v"`
}

type wrongVault struct {
	ID     int64
	Secret kin.Encrypted[string]
}

func (wrongVault) KinTable() kin.Table { return kin.Table{Name: "renamed_vaults"} }

func testEncryptedRenamed(t *testing.T, s *Suite) {
	var models, renamed, wrong kin.Registry
	kin.Register[otherVault](&models)
	kin.Register[renamedVault](&renamed)
	kin.Register[wrongVault](&wrong)
	ctx := t.Context()
	s = s.keyed(t, &models, 1)
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	require.NoError(t, kin.Insert(ctx, s.DB, &otherVault{V: kin.Encrypt("x")}))
	s.Exec(t, "ALTER TABLE other_vaults RENAME TO renamed_vaults")
	s.Exec(t, "ALTER TABLE renamed_vaults RENAME COLUMN v TO secret")
	_, err := kin.Query[wrongVault]().All(ctx, s.keyed(t, &wrong, 1).DB)
	require.ErrorContains(t, err, "if the column or its table was renamed, its tag needs bound_to=old_table.old_column")
	got, err := kin.Query[renamedVault]().Get(ctx, s.keyed(t, &renamed, 1).DB)
	require.NoError(t, err)
	assert.Equal(t, "x", got.Secret.Get())
}
