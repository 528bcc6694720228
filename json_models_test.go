package kin_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// Models whose JSON is their own: tags, embedded structs and methods count at
// every level.
type (
	jsonModelStamp struct {
		By   kin.ForeignKey[jsonModelUser] `json:"by" kin:",null,related_name=books"`
		Note string                        `json:"note,omitempty"`
	}
	jsonModelUser struct {
		ID     int64                      `json:"user_id,string"`
		Secret string                     `json:"-"`
		Books  kin.Reverse[jsonModelBook] `json:"books,omitzero" kin:"via=By"`
	}
	jsonModelBook struct {
		jsonModelStamp
		ID     int64                         `json:"id"`
		Author kin.ForeignKey[jsonModelPoet] `json:"author"`
	}
	jsonModelPoet struct { // MarshalJSON writes some of its fields
		ID    int64
		Name  string
		Books kin.Reverse[jsonModelBook]
	}
)

func (p jsonModelPoet) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Poet  string                     `json:"poet"`
		Works kin.Reverse[jsonModelBook] `json:"works,omitzero"`
	}{strings.ToUpper(p.Name), p.Books})
}

func TestJSONModels(t *testing.T) {
	t.Parallel()
	var r kin.Registry
	kin.Register[jsonModelUser](&r)
	kin.Register[jsonModelBook](&r)
	kin.Register[jsonModelPoet](&r)
	ctx, db := t.Context(), open(t, &r)
	user, poet := &jsonModelUser{Secret: "xyzzy"}, &jsonModelPoet{Name: "Ada"}
	require.NoError(t, kin.Insert(ctx, db, user))
	require.NoError(t, kin.Insert(ctx, db, poet))
	require.NoError(t, kin.Insert(ctx, db,
		&jsonModelBook{jsonModelStamp: jsonModelStamp{By: kin.To(user), Note: "<b>"}, Author: kin.To(poet)}, &jsonModelBook{Author: kin.To(poet)}))

	books, err := kin.Query[jsonModelBook]().SelectRelated("by", "author").All(ctx, db)
	require.NoError(t, err)
	requireJSON(t, `[{"by":{"user_id":"1"},"note":"\u003cb\u003e","id":1,"author":{"poet":"ADA"}},{"by":null,"id":2,"author":{"poet":"ADA"}}]`, books,
		"names, omitempty, string, -, an embedded struct and a MarshalJSON below a foreign key")

	poets, err := kin.Query[jsonModelPoet]().SelectRelated("books__by__books").All(ctx, db)
	require.NoError(t, err)
	requireJSON(t, `[{"poet":"ADA","works":[{"by":{"user_id":"1","books":[1]},"note":"\u003cb\u003e","id":1,"author":1},{"by":null,"id":2,"author":1}]}]`, poets,
		"back-references are keys where a MarshalJSON is on the way")

	users, err := kin.Query[jsonModelUser]().SelectRelated("books__author").All(ctx, db)
	require.NoError(t, err)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	require.NoError(t, e.Encode(users[0]))
	//nolint:testifylint // the text counts, with its spaces
	assert.Equal(t, `{
 "user_id": "1",
 "books": [
  {
   "by": 1,
   "note": "\u003cb\u003e",
   "id": 1,
   "author": {
    "poet": "ADA"
   }
  }
 ]
}
`, b.String(), "an embedded foreign key knows where it leads back to; indentation goes through")
}

// TestJSONRoundTrip writes a graph, reads it, and writes it again.
func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), jsonSchool(t)
	classes, err := kin.Query[jsonClass]().SelectRelated("students").All(ctx, db)
	require.NoError(t, err)
	text, err := json.Marshal(classes)
	require.NoError(t, err)
	require.Contains(t, string(text), `"Ann"`)
	var read []*jsonClass
	require.NoError(t, json.Unmarshal(text, &read))
	require.Len(t, read, 2)
	require.Equal(t, 2, read[0].Students.Len())
	assert.Equal(t, int64(1), read[0].Students.All()[0].Class.Ref().ID)
	again, err := json.Marshal(read)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(again))

	// What was read is bound, and then knows its rows.
	require.NoError(t, kin.Bind(db, read...))
	n, err := read[0].Students.Query().Count(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, int64(2), n)
}

// TestJSONTwoPaths has students who come twice in what is written: below
// their class, and below their friends.
func TestJSONTwoPaths(t *testing.T) {
	t.Parallel()
	var r kin.Registry
	kin.Register[registryGrade](&r)
	kin.Register[registryPupil](&r)
	ctx, db := t.Context(), open(t, &r)
	grade := &registryGrade{Name: "1A"}
	require.NoError(t, kin.Insert(ctx, db, grade))
	ann := &registryPupil{Name: "Ann", Grade: kin.To(grade)}
	require.NoError(t, kin.Insert(ctx, db, ann))
	require.NoError(t, kin.Insert(ctx, db, &registryPupil{Name: "Bob", Grade: kin.To(grade), Friend: kin.To(ann)}))
	grades, err := kin.Query[registryGrade]().SelectRelated("pupils__friend__grade").All(ctx, db)
	require.NoError(t, err)
	pupils := grades[0].Pupils.All()
	require.Len(t, pupils, 2)
	require.Same(t, pupils[0], pupils[1].Friend.Get(), "one row is one value")
	text, err := json.Marshal(grades[0])
	require.NoError(t, err)
	assert.JSONEq(t, `{"ID":1,"Name":"1A","Pupils":[
		{"ID":1,"Name":"Ann","Grade":1,"Friend":null},
		{"ID":2,"Name":"Bob","Grade":1,"Friend":{"ID":1,"Name":"Ann","Grade":1,"Friend":null}}]}`, string(text))
}
