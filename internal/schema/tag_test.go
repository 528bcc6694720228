package schema

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const allOptions = "auto, autocreate, autoupdate, bound_to, comment, default, deterministic, generated, index, json, null, omitzero, on_delete, on_update, pk, related_name, secret, size, softdelete, type, unique, version, via"

func TestParseTag(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag      string
		relation bool
		want     Tag
		why      string
	}{
		{``, false, Tag{}, "no tag"},
		{`-`, false, Tag{Skip: true}, "no column"},
		{`-,pk`, false, Tag{Column: "-", Key: true}, "a column called -, as in encoding/json"},
		{`name`, false, Tag{Column: "name"}, "a column"},
		{`'pk'`, false, Tag{Column: "pk"}, "a column that is called as an option is"},
		{`,pk`, false, Tag{Key: true}, "an option"},
		{`,pk,auto`, false, Tag{Key: true, Auto: true}, "two options"},
		{`n,pk,auto,null,unique,index,json`, false, Tag{Column: "n", Key: true, Auto: true, Null: true, Unique: true, Index: true, JSON: true}, "all flags"},
		{`, pk , null`, false, Tag{Key: true, Null: true}, "spaces around options"},
		{`size=40`, false, Tag{Size: 40}, "an option with a value may come first"},
		{`,size=40`, false, Tag{Size: 40}, "a size"},
		{`,size= 40 `, false, Tag{Size: 40}, "spaces around a value"},
		{`,type=numeric(10,2),null`, false, Tag{Type: "numeric(10,2)", Null: true}, "commas in parentheses"},
		{`,type=enum('a','b)'),null`, false, Tag{Type: "enum('a','b)')", Null: true}, "a parenthesis in quotes"},
		{`,default='a,b',null`, false, Tag{Default: "'a,b'", Null: true}, "a comma in quotes"},
		{`,default='it''s',null`, false, Tag{Default: "'it''s'", Null: true}, "a quote in quotes"},
		{`,default=a=b`, false, Tag{Default: "a=b"}, "only the first = parts"},
		{`,default=coalesce(1, (2))`, false, Tag{Default: "coalesce(1, (2))"}, "nested parentheses"},
		{`,generated=price * quantity`, false, Tag{Generated: "price * quantity"}, "an expression"},
		{`,generated='coalesce(a, ''x''), b'`, false, Tag{Generated: "coalesce(a, 'x'), b"}, "an expression in quotes"},
		{`,generated='a' || name || 'b'`, false, Tag{Generated: "'a' || name || 'b'"}, "an expression that begins and ends with a text"},
		{`,omitzero,default=now()`, false, Tag{OmitZero: true, Default: "now()"}, "a default for zero values"},
		{`,comment='in cents, of ''EUR'''`, false, Tag{Comment: "in cents, of 'EUR'"}, "a comment with a comma and quotes"},
		{`,comment=in cents`, true, Tag{Comment: "in cents"}, "a comment without"},
		{`'a,b',pk`, false, Tag{Column: "a,b", Key: true}, "a column with a comma"},
		{`'it''s'`, false, Tag{Column: "it's"}, "a column with a quote"},
		{`'size=4'`, false, Tag{Column: "size=4"}, "a column that looks like an option"},
		{`per % cent`, false, Tag{Column: "per % cent"}, "a column with spaces and a sign"},
		{`dot.s`, false, Tag{Column: "dot.s"}, "a column with a dot"},
		{`PlaylistId+TrackId`, true, Tag{Column: "PlaylistId+TrackId"}, "the columns of a composite key"},
		{`class_id,related_name=students,on_delete=cascade`, true, Tag{Column: "class_id", RelatedName: "students", OnDelete: "CASCADE"}, "a foreign key"},
		{`related_name=students`, true, Tag{RelatedName: "students"}, "without a column"},
		{`,on_delete=SET_NULL,on_update=no_action,null`, true, Tag{OnDelete: "SET NULL", OnUpdate: "NO ACTION", Null: true}, "actions in any case"},
		{`,on_delete=restrict,on_update=set_default`, true, Tag{OnDelete: "RESTRICT", OnUpdate: "SET DEFAULT"}, "the other actions"},
		{`via=Class`, true, Tag{Via: "Class"}, "the foreign key of a Reverse"},
	} {
		got, problems := parseTag(c.tag, c.relation)
		assert.Empty(t, problems, "%s: %q", c.why, c.tag)
		assert.Equal(t, c.want, got, "%s: %q", c.why, c.tag)
	}
}

func TestParseTagMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag      string
		relation bool
		want     []string
		why      string
	}{
		{`,uniqe`, false, []string{`has an unknown tag option "uniqe"; the options are ` + allOptions + `; did you mean "unique"?`}, "a slip, with a guess"},
		{`,primary`, false, []string{`has an unknown tag option "primary"; the options are ` + allOptions}, "nothing like it"},
		{`,PK`, false, []string{`has an unknown tag option "PK"; the options are ` + allOptions + `; did you mean "pk"?`}, "options have small letters"},
		{`relatedname=students`, true, []string{`has an unknown tag option "relatedname"; the options are ` + allOptions + `; did you mean "related_name"?`}, "a slip in the place of the column is not a column"},
		{`pk`, false, []string{"has the tag option \"pk\" in the place of the column's name; write `kin:\",pk\"`, or `kin:\"'pk'\"` for a column of that name"}, "a forgotten comma"},
		{`name,,pk`, false, []string{`has an empty tag option`}, "two commas"},
		{`name,`, false, []string{`has an empty tag option`}, "a comma at the end"},
		{`,size`, false, []string{`has the tag option "size" without a value`}, "a value is missing"},
		{`,related_name`, true, []string{`has the tag option "related_name" without a value`}, "a value is missing"},
		{`,pk=yes`, false, []string{`has the tag option "pk" with a value, which it does not take`}, "a value too many"},
		{`,default=`, false, []string{`has a tag option "default" that needs a value`}, "an empty value"},
		{`,comment=''`, false, []string{`has a tag option "comment" that needs a value`}, "nothing in quotes"},
		{`,omitzero=yes`, false, []string{`has the tag option "omitzero" with a value, which it does not take`}, "a flag"},
		{`,size=0`, false, []string{`has a tag option "size" that needs a positive whole number, not "0"`}, "too small"},
		{`,size=many`, false, []string{`has a tag option "size" that needs a positive whole number, not "many"`}, "no number"},
		{`,on_delete=explode`, true, []string{`has a tag option "on_delete" that has no action "explode"; there are cascade, no_action, restrict, set_default, set_null`}, "an unknown action"},
		{`,on_delete=cascade`, false, []string{`has the tag option "on_delete", which is for relations`}, "no relation"},
		{`,via=Class`, false, []string{`has the tag option "via", which is for relations`}, "no relation"},
		{`,uniqe,pk=1,size`, false, []string{
			`has an unknown tag option "uniqe"; the options are ` + allOptions + `; did you mean "unique"?`,
			`has the tag option "pk" with a value, which it does not take`,
			`has the tag option "size" without a value`,
		}, "all mistakes at once"},
	} {
		_, problems := parseTag(c.tag, c.relation)
		assert.Equal(t, c.want, problems, "%s: %q", c.why, c.tag)
	}
}

func FuzzTag(f *testing.F) {
	for _, s := range []string{"", "-", "a,pk", ",size=4", ",default='a,b'", "'", "''", "(,)", ")),((", ",on_delete=cascade", "a=b", "'=',null"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, relation bool) {
		tag, problems := parseTag(s, relation)
		require.Equal(t, s, strings.Join(splitTag(s), ","), "nothing of the tag is lost")
		require.GreaterOrEqual(t, tag.Size, 0)
		for _, p := range problems {
			require.NotEmpty(t, p)
		}
		if tag.Skip {
			require.Equal(t, Tag{Skip: true}, tag)
		}
		if !relation {
			require.Empty(t, tag.Via+tag.RelatedName+tag.OnDelete+tag.OnUpdate)
		}
		// A column in quotes is read back as it was, whatever it is.
		quoted, more := parseTag("'"+strings.ReplaceAll(s, "'", "''")+"',pk", false)
		require.Empty(t, more)
		require.Equal(t, Tag{Column: s, Key: true}, quoted)
	})
}
