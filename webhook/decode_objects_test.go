package webhook

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A pair is an object with its two readers: by hand, and made from the struct. It tells whether
// they agree on data.
type pair func(t testing.TB, data []byte)

func newPair[T any](byHand func(*wire.Scanner, *T)) pair {
	fromStruct := wire.For[T]()
	run := func(data []byte, read func(*wire.Scanner, *T)) (v T, raw string, unknown []wire.Member, item, syntax error) {
		var s wire.Scanner
		s.Reset(data)
		it := s.BeginItem()
		read(&s, &v)
		b, unknown, item := s.EndItem(it)
		s.End()
		return v, string(b), unknown, item, s.Err()
	}
	return func(t testing.TB, data []byte) {
		want, wantRaw, wantUnknown, wantItem, wantSyntax := run(data, fromStruct.Decode)
		got, raw, unknown, item, syntax := run(data, byHand)
		require.Equal(t, wantSyntax, syntax, "%s", data)
		if syntax == nil {
			require.Equal(t, want, got, "%s", data)
			require.Equal(t, wantRaw, raw)
			require.Equal(t, wantUnknown, unknown)
			require.Equal(t, wantItem, item)
		}
	}
}

// pairs lists all objects that are read by hand and have a struct with tags.
var pairs = map[string]pair{
	"Image": newPair(readImage), "Video": newPair(readVideo), "Audio": newPair(readAudio), "Document": newPair(readDocument),
	"Sticker": newPair(readSticker), "Location": newPair(readLocation), "Reaction": newPair(readReaction),
	"ButtonReply": newPair(readButtonReply), "ListReply": newPair(readListReply), "MessageContext": newPair(readMessageContext),
	"AppContact": newPair(readAppContact), "Pricing": newPair(readPricing), "BillingConversationOrigin": newPair(readConversationOrigin),
	"Text": newPair(func(s *wire.Scanner, t *Text) { readText(s, t) }),
}

// everyMember has a value for each member that one of the objects has, and some for none.
const everyMember = `"id":"1","mime_type":"image\/jpeg","sha256":"x","url":"https:\/\/example.com","caption":"c\u00e9","voice":true,"filename":"f",
	"animated":1,"latitude":1.5,"longitude":"-2","name":"n","address":"a","message_id":"m","emoji":"\ud83d\ude00","title":"t","description":"d",
	"from":15550100123,"from_user_id":"US.1","forwarded":"true","frequently_forwarded":false,"referred_product":{"catalog_id":"1","x":2},
	"full_name":"A B","first_name":"A","phone_number":"15550100123","user_id":"US.1","parent_user_id":"US.ENT.1","username":"@a",
	"pricing_model":"PMP","type":"regular","category":"service","billable":true,"body":"hello","new":[{}]`

func TestReadersByHandAreThoseOfTheStructs(t *testing.T) {
	t.Parallel()
	bodies := []string{
		`{` + everyMember + `}`, `{}`, `null`, `[]`, `5`, `{"id":null,"billable":null,"body":null,"voice":null,"latitude":null,"referred_product":null}`,
		`{"id":{},"latitude":"x","voice":"x","billable":"x","from":[1],"type":{},"body":[]}`, `{"id":"a","id":"b","type":"x","type":null}`,
		`{"ID":"a","\u0069d":"b","body":"\ud83d"}`, `{"id":"a",}`, `{"id":tru}`, `{`,
	}
	// Each member alone, too, so that none hides another.
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(`{`+everyMember+`}`), &members))
	for name, value := range members {
		bodies = append(bodies, `{"`+name+`":`+string(value)+`}`)
	}
	for name, pair := range pairs {
		for _, body := range bodies {
			t.Run(name, func(t *testing.T) { pair(t, []byte(body)) })
		}
	}
}

// TestReadersByHandAgreeOnTheCorpus gives each of the readers each object of the corpus, whatever
// it is.
func TestReadersByHandAgreeOnTheCorpus(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("COEXISTENCE_PAYLOADS")
	if dir == "" {
		t.Skip("COEXISTENCE_PAYLOADS is not set: it names the folder with the conformance bodies")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	require.NoError(t, err)
	objects := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		eachObject(body, func(object []byte) {
			objects++
			for _, pair := range pairs {
				pair(t, object)
			}
		})
	}
	require.Greater(t, objects, 1000)
}

// eachObject calls f with each object in a text.
func eachObject(data []byte, f func([]byte)) {
	var object map[string]json.RawMessage
	var array []json.RawMessage
	switch {
	case strings.HasPrefix(string(data), `{`) && json.Unmarshal(data, &object) == nil:
		f(data)
		for _, value := range object {
			eachObject(value, f)
		}
	case json.Unmarshal(data, &array) == nil:
		for _, value := range array {
			eachObject(value, f)
		}
	}
}

func FuzzReadersByHand(f *testing.F) {
	f.Add([]byte(`{` + everyMember + `}`))
	f.Add([]byte(`{"id":null,"x":{"y":[1]},"voice":"0","latitude":"1e3","billable":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, pair := range pairs {
			pair(t, data)
		}
	})
}
