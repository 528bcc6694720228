package kin_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// TestEncryptedIsNotShown writes a value in all the ways in which values get
// into logs, from where it may be found: in a field that is not exported too,
// of which package fmt calls no methods.
func TestEncryptedIsNotShown(t *testing.T) {
	t.Parallel()
	type user struct {
		Name   string
		Secret kin.Encrypted[string]
		PIN    *kin.Encrypted[int]
		Words  kin.Encrypted[[]string]
		Doc    kin.Encrypted[struct{ Word string }]
	}
	pin := kin.Encrypt(987654)
	u := user{"ada", kin.Encrypt("hunter2"), &pin, kin.Encrypt([]string{"hunter2"}), kin.Encrypt(struct{ Word string }{"hunter2"})}
	hidden := struct {
		user  user
		words kin.Encrypted[[]string]
	}{u, u.Words}
	for _, x := range []any{u, &u, u.Secret, &u.Secret, pin, &pin, []user{u}, map[string]user{"a": u}, hidden, &hidden, []any{u.Secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%T", "%5v"} {
			text := fmt.Sprintf(verb, x)
			for _, secret := range []string{"hunter2", "68756e74657232", "68756E74657232", "987654", "f1206", "F1206"} {
				assert.NotContains(t, text, secret, "%s of %T", verb, x)
			}
		}
		for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
			"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var b bytes.Buffer
			slog.New(handler(&b)).Info("hello", "x", x)
			assert.NotContains(t, b.String(), "hunter2", "slog %s of %T", name, x)
			assert.NotContains(t, b.String(), "987654", "slog %s of %T", name, x)
		}
		if text, err := xml.Marshal(x); err == nil {
			assert.NotContains(t, string(text), "hunter2", "XML of %T", x)
		}
	}
	assert.Equal(t, "Encrypted[string](…)", fmt.Sprint(u.Secret))
	assert.Equal(t, "Encrypted[int](…)", fmt.Sprintf("%#v", pin))

	ring, err := kin.NewKeyring([]byte("a key that has thirty-two bytes!"))
	require.NoError(t, err)
	db := kin.New(nil, sqlite.Dialect{}, kin.WithKeyring(ring))
	for _, x := range []any{ring, db} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			text := fmt.Sprintf(verb, x)
			assert.NotContains(t, text, "thirty", verb)
			assert.NotContains(t, text, "97 32 107 101 121", verb)
			assert.NotContains(t, text, "61206b6579", verb)
		}
	}
}

func TestEncryptedJSON(t *testing.T) {
	t.Parallel()
	type user struct {
		Name   string
		Secret kin.Encrypted[string]
		Codes  kin.Encrypted[[]int] `json:",omitzero"`
	}
	text, err := json.Marshal(user{Name: "ada", Secret: kin.Encrypt("hunter2")})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Name": "ada", "Secret": "[encrypted]"}`, string(text))
	text, err = json.Marshal(user{Codes: kin.Encrypt([]int{1})})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Name": "", "Secret": null, "Codes": "[encrypted]"}`, string(text))

	var u user
	require.NoError(t, json.Unmarshal([]byte(`{"Name": "ada", "Secret": "hunter2", "Codes": [1, 2]}`), &u))
	assert.Equal(t, "hunter2", u.Secret.Get())
	assert.Equal(t, []int{1, 2}, u.Codes.Get())
	err = json.Unmarshal([]byte(`{"Secret": "[encrypted]"}`), &u)
	require.ErrorContains(t, err, "was left out of this JSON")
	assert.Equal(t, "hunter2", u.Secret.Get())
	require.Error(t, json.Unmarshal([]byte(`{"Secret": 5}`), &u))
	assert.Equal(t, "hunter2", u.Secret.Get())
	require.NoError(t, json.Unmarshal([]byte(`{"Secret": null}`), &u))
	assert.True(t, u.Secret.IsNull())
}

func TestEncryptedCopies(t *testing.T) {
	t.Parallel()
	a := kin.Encrypt("a")
	b := a
	b.Set("b")
	assert.Equal(t, "a", a.Get())
	assert.Equal(t, "b", b.Get())
	assert.Equal(t, kin.Encrypt("a"), a, "equal values are equal for reflect.DeepEqual")
	var zero kin.Encrypted[time.Time]
	assert.True(t, zero.IsNull())
	assert.True(t, zero.Get().IsZero())
}

func TestKeyringMistakes(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{1}, 32)
	other := bytes.Repeat([]byte{2}, 32)
	for _, c := range []struct {
		why, want string
		keys      [][]byte
	}{
		{"no key", "kin: keyring: key 1 of 1 has 0 bytes; a key is 32 random bytes, as crypto/rand makes them, and no password", [][]byte{nil}},
		{"a password", "kin: keyring: key 2 of 2 has 8 bytes", [][]byte{key, []byte("password")}},
		{"a key too long", "kin: keyring: key 1 of 1 has 33 bytes", [][]byte{append(bytes.Clone(key), 1)}},
		{"a key twice", "kin: keyring: keys 1 and 3 of 3 are the same", [][]byte{key, other, key}},
	} {
		_, err := kin.NewKeyring(c.keys[0], c.keys[1:]...)
		require.ErrorContains(t, err, c.want, c.why)
		assert.NotContains(t, err.Error(), "password\x00")
	}
}

type mistakeEncrypted struct {
	ID        kin.Encrypted[int64]
	Unique    kin.Encrypted[string] `kin:",unique"`
	Index     kin.Encrypted[string] `kin:",index"`
	Set       kin.Encrypted[string]
	Default   kin.Encrypted[string]   `kin:",default='x'"`
	JSON      kin.Encrypted[[]string] `kin:",json"`
	Fixed     kin.Encrypted[[]string] `kin:",deterministic"`
	Pointer   kin.Encrypted[*string]
	Twice     kin.Encrypted[kin.Encrypted[int]]
	Inside    kin.Encrypted[struct{ X mistakeIn }]
	Chan      kin.Encrypted[chan int]
	Any       kin.Encrypted[any]
	Plain     string                  `kin:",deterministic"`
	Bound     string                  `kin:",bound_to=a.b"`
	InJSON    map[string][]*mistakeIn `kin:",json"`
	Many      []kin.Encrypted[string]
	Right     kin.Encrypted[string] `kin:",unique,deterministic,null,size=5,bound_to=a.b"`
	RightToo  *kin.Encrypted[[]string]
	Recursive map[string]mistakeLoop `kin:",json"`
}

type mistakeIn struct{ Secret kin.Encrypted[string] }

type mistakeLoop struct {
	Next *mistakeLoop
	All  []mistakeLoop
}

func (mistakeEncrypted) KinTable() kin.Table {
	return kin.Table{Unique: [][]string{{"set", "plain"}}}
}

func TestEncryptedMistakes(t *testing.T) {
	t.Parallel()
	const compared = "is unique or indexed, but encrypted differently each time; add the tag option deterministic, or take off the others"
	const elsewhere = "has the tag option deterministic or bound_to, which is for a kin.Encrypted"
	var want []string
	for _, line := range []string{
		"Any encrypts a interface {}, which JSON cannot hold",
		"Bound " + elsewhere,
		"Chan encrypts a chan int, which JSON cannot hold",
		"Default has a default, which the database cannot encrypt",
		"Fixed has the tag option deterministic, but encrypts a []string as JSON, of which equal values may have different texts",
		"ID is a primary key, which cannot be encrypted",
		"InJSON is stored as JSON, in which the kin.Encrypted inside would be lost; take a kin.Encrypted of the whole",
		"Index " + compared,
		"Inside encrypts a kin.Encrypted inside another",
		"JSON has the tag option json, which a kin.Encrypted does not need: it encrypts any type that JSON can hold",
		"Many has the type []kin.Encrypted[string]" + mistakeNoColumn,
		"Plain " + elsewhere,
		"Pointer encrypts a *string, which may be NULL or is encrypted itself; encrypt the plain type, in a *kin.Encrypted or with the null option",
		"Set " + compared,
		"Twice encrypts a kin.Encrypted[int], which may be NULL or is encrypted itself; encrypt the plain type, in a *kin.Encrypted or with the null option",
		"Unique " + compared,
	} {
		want = append(want, "mistakeEncrypted."+line)
	}
	var r kin.Registry
	kin.Register[mistakeEncrypted](&r)
	requireMistakes(t, &r, want)
}
