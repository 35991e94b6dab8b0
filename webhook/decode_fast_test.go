package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// The decoder compares the most frequent changes and messages with their fast shapes and reads
// these without looking for what comes next. White space behind a brace is nothing Meta writes, and
// sends everything down the slow path: both have to make the same of it.

// spaced writes a space behind every brace that opens an object.
func spaced(body []byte) []byte {
	var out []byte
	inString := false
	for i := 0; i < len(body); i++ {
		out = append(out, body[i])
		switch c := body[i]; {
		case c == '\\' && inString && i+1 < len(body):
			i++
			out = append(out, body[i])
		case c == '"':
			inString = !inString
		case c == '{' && !inString:
			out = append(out, ' ')
		}
	}
	return out
}

// facts returns all that the events of a body tell, without the white space in its raw parts.
func facts(t *testing.T, body []byte) []string {
	t.Helper()
	events, err := webhook.Decode(body)
	if err != nil {
		return []string{"not JSON"}
	}
	lines := fingerprint(events)
	for _, ev := range events {
		lines = append(lines, string(ev.Info().Raw))
		switch ev := ev.(type) {
		case *webhook.UndecodableEvent:
			lines = append(lines, ev.Err.Error())
		case *webhook.HistoryChunk:
			for thread, m := range ev.Messages() {
				lines = append(lines, thread.ID, describe(reflect.ValueOf(m)), string(m.Raw), fmt.Sprint(m.Err))
			}
		}
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "{ ", "{")
	}
	return lines
}

// compacted returns a body without white space.
func compacted(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, body))
	return b.Bytes()
}

// near returns bodies that are of a fast shape, and bodies that differ from one in one place.
func near() [][]byte {
	bodies := append(nearItems(), nearPast()...)
	bodies = append(bodies, nearIdentities()...)
	bodies = append(bodies, nearContacts()...)
	return append(bodies, nearEnvelopes()...)
}

// The items of the fast shapes.
const (
	fastMessage = `{"from":"15550100123","id":"wamid.1","timestamp":"1767225600","type":"text","text":{"body":"x"}}`
	fastPast    = `{"from":"15550100123","id":"wamid.1","timestamp":"1767225600","type":"text","text":{"body":"x"},` +
		`"history_context":{"status":"READ"}}`
	fastStatus = `{"id":"wamid.1","status":"sent","timestamp":"1767225600","recipient_id":"15550100123",` +
		`"conversation":{"id":"c","origin":{"type":"service"}},` +
		`"pricing":{"billable":true,"pricing_model":"PMP","category":"service","type":"regular"}}`
	fastContacts = `"contacts":[{"profile":{"name":"Zo\u00eb"},"wa_id":"15550100123","user_id":"US.1"}]`
)

// inEnvelope returns a whole body with one change.
func inEnvelope(field, members string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"1",` +
		`"changes":[{"value":{"messaging_product":"whatsapp",` +
		`"metadata":{"display_phone_number":"15550100100","phone_number_id":"2"},` + members + `},"field":"` + field +
		`"}]}]}`)
}

// A swap replaces a part of a fast shape by another, and so makes a body that differs in one place.
type swap struct{ old, new string }

func (s swap) in(text string) string { return strings.Replace(text, s.old, s.new, 1) }

// swapsOf returns swaps of one part.
func swapsOf(old string, news ...string) (swaps []swap) {
	for _, new := range news {
		swaps = append(swaps, swap{old, new})
	}
	return swaps
}

// itemSwaps change an item: a message, a past message or a status.
func itemSwaps() []swap {
	return slices.Concat(
		swapsOf(`"from":"15550100123"`,
			`"from":"15550100123"`, `"from":""`, `"from":"US.1"`, `"from":15550100123`, `"from":"+1 555 010-0123"`,
			`"from":null`,
			`"from":"15550100123","from_user_id":"US.1"`, `"from":"15550100123","from_user_id":""`,
			`"from":"15550100123","from_user_id":"US.2"`, `"from":"15550100124"`,
			`"from":"15550100123","to":"15550100199"`, `"from":"1","to":"2","to_user_id":"US.2"`,
			`"from":"15550100123","to":"US.3"`, `"from":"15550100123","to_user_id":"US.2"`,
			`"from":"15550100123","from_user_id":"US.1","from_parent_user_id":"US.P"`),
		swapsOf(`"id":"wamid.1"`,
			`"id":""`, `"id":"wa\u006did.1"`, `"id":"wämid"`, `"id":["x"]`, `"id":"wamid.1","id":"wamid.2"`),
		swapsOf(`"1767225600"`,
			`"0767225600"`, `1767225600`, `"17672256000"`, `"176722560x"`, `""`),
		swapsOf(`"type":"text"`,
			`"type":"text","id":"wamid.2"`, `"type":"text","from":"1"`, `"type":"image"`, `"type":""`, `"type":5`,
			`"type":"media_placeholder"`),
		swapsOf(`"type":"text","text":{"body":"x"}`,
			`"type":"media_placeholder"`, `"type":"reaction","reaction":{"message_id":"m","emoji":"\u2764"}`,
			`"type":"unsupported","errors":[{"code":131051}]`, `"text":{"body":"x"},"type":"text"`),
		swapsOf(`{"body":"x"}`,
			`{"body":""}`, `{"body":"a\nb\"c\\ \/ \ud83d\ude80 \ud83d"}`, `{"body":"é 🚀"}`, `{"body":"x","new":1}`,
			`{"body":"x","body":"y"}`, `{"body":7}`, `null`, `"x"`, `{"body":"`+strings.Repeat("long ", 900)+`"}`,
			`{"body":"x"},"context":{"id":"wamid.0"}`, `{"body":"x"},"new":{"a":1}`),
		swapsOf(`{"status":"READ"}`,
			`{"status":"read"}`, `{"status":"SENT"}`, `{"status":""}`, `{"status":"READ","new":1}`, `null`),
		swapsOf(`,"history_context":{"status":"READ"}`,
			``, `,"history_context":{"status":"READ"},"new":1`),
		swapsOf(`"status":"sent"`,
			`"status":"new"`, `"status":"failed"`),
		swapsOf(`"recipient_id":"15550100123"`,
			`"recipient_id":"15550100123","recipient_user_id":"US.1"`, `"recipient_id":"15550100123",`+
				`"recipient_type":"group"`,
			`"recipient_id":"US.1"`),
		swapsOf(`{"type":"service"}`, `{"type":"new"}`),
		swapsOf(`"origin"`, `"expiration_timestamp":"1767225600","origin"`),
		swapsOf(`"id":"c",`, `"id":"c","pricing":{},`),
		swapsOf(`"billable":true`, `"billable":false`, `"billable":null`, `"billable":"true"`),
		swapsOf(`"PMP"`, `"CBP"`, `"new"`),
		swapsOf(`"category":"service","type":"regular"`,
			`"type":"regular","category":"service"`, `"category":"service"`, `"type":"free_entry_point"`),
		swapsOf(`"category":"service"`,
			`"category":"service","category":"utility"`, `"category":"new","new":1`),
		swapsOf(`"conversation":{"id":"c","origin":{"type":"service"}},`, ``),
	)
}

// nearItems has one changed item alone in its list, and behind one that is not changed.
func nearItems() (bodies [][]byte) {
	for _, swap := range itemSwaps() {
		bodies = append(bodies,
			inEnvelope("messages", fastContacts+`,"messages":[`+swap.in(fastMessage)+`]`),
			inEnvelope("messages", `"messages":[`+fastMessage+`,`+swap.in(fastMessage)+`]`),
			inEnvelope("smb_message_echoes", `"message_echoes":[`+swap.in(fastMessage)+`]`),
			inEnvelope("smb_message_echoes", `"message_echoes":[`+fastMessage+`,`+swap.in(fastMessage)+`]`),
			inEnvelope("messages", `"statuses":[`+swap.in(fastStatus)+`]`),
			inEnvelope("messages", `"statuses":[`+fastStatus+`,`+swap.in(fastStatus)+`]`))
	}
	return bodies
}

// inHistory returns a body with one thread.
func inHistory(thread, messages string) []byte {
	return inEnvelope("history",
		`"history":[{"metadata":{"phase":0},"threads":[{`+thread+`,"messages":[`+messages+`]}]}]`)
}

// nearPast has one changed past message among others, one of which is empty.
func nearPast() (bodies [][]byte) {
	const thread = `"id":"15550100123","context":{"wa_id":"15550100123","user_id":"US.1"}`
	for _, swap := range itemSwaps() {
		bodies = append(bodies, inHistory(thread, fastPast+`,`+swap.in(fastPast)+`,{},`+fastPast))
	}
	return bodies
}

// nearIdentities has two past messages. The matcher looks for the identity of the first in the
// second: an id can look like the JSON of several members.
func nearIdentities() (bodies [][]byte) {
	for _, pair := range []swap{
		{`"from":"1\",\"to\":\"2"`, `"from":"1","to":"2"`},
		{`"from":"1","from_user_id":"U\",\"id\":\"x"`, `"from":"1","from_user_id":"U","id":"x"`},
		{`"from":"1","to":"2\",\"id\":\"3"`, `"from":"1","to":"2","id":"3"`},
		{`"from":"1\\"`, `"from":"1\\"`},
		{`"from":"1","from_user_id":"U"`, `"from":"1","from_user_id":"V"`},
		{`"from":"1","from_user_id":"U"`, `"from":"1","from_user_id":"UV"`},
		{`"from":"1","from_user_id":"U"`, `"from":"1"`},
		{`"from":"12"`, `"from":"1","from_user_id":"U"`},
	} {
		first := swap{`"from":"15550100123"`, pair.old}.in(fastPast)
		second := swap{`"from":"15550100123"`, pair.new}.in(fastPast)
		bodies = append(bodies, inHistory(`"id":"1","context":{"wa_id":"1"}`, first+`,`+second))
	}
	return bodies
}

// nearContacts has a changed contact: of a message, and of the address book.
func nearContacts() (bodies [][]byte) {
	const state = `"state_sync":[{"type":"contact","contact":{"full_name":"A","first_name":"B",` +
		`"phone_number":"15550100123"},` +
		`"action":"add","metadata":{"timestamp":"1767225600"}}]`
	for _, swap := range []swap{
		{`"name":"Zo\u00eb"`, `"name":""`},
		{`"name":"Zo\u00eb"`, `"name":"Zo\u00eb","username":"@z"`},
		{`"user_id":"US.1"`, `"user_id":"US.1","new":2`},
		{`"user_id":"US.1"`, `"user_id":"US.2"`},
		{`,"user_id":"US.1"`, ``},
		{`"wa_id":"15550100123"`, `"wa_id":"US.9"`},
		{`"wa_id":"15550100123"`, `"wa_id":"15550100999"`},
		{`"add"`, `"remove"`},
		{`"first_name":"B",`, ``},
		{`"full_name":"A"`, `"full_name":null`},
		{`"1767225600"`, `1767225600`},
		{`"A"`, `"\u00c1"`},
		{`"phone_number":"15550100123"`, `"phone_number":"15550100123","user_id":"US.1"`},
		{`"contact",`, `"group",`},
	} {
		withUser := swap.in(fastContacts) + `,"messages":[` +
			strings.Replace(fastMessage, `,"id"`, `,"from_user_id":"US.1","id"`, 1) + `]`
		bodies = append(bodies,
			inEnvelope("messages", swap.in(fastContacts)+`,"messages":[`+fastMessage+`]`),
			inEnvelope("messages", withUser),
			inEnvelope("smb_app_state_sync", swap.in(state)))
	}
	return bodies
}

// nearEnvelopes has one text, and differs around it.
func nearEnvelopes() (bodies [][]byte) {
	whole := string(inEnvelope("messages", fastContacts+`,"messages":[`+fastMessage+`]`))
	swaps := slices.Concat(
		swapsOf(`"id":"1",`,
			`"id":"1","time":1767225600,`, `"id":"1","time":"1767225600",`, ``, `"id":"",`,
			`"id":"1","time":17672256001,`),
		swapsOf(`"whatsapp_business_account"`, `"page"`),
		swapsOf(`"messaging_product":"whatsapp"`, `"messaging_product":"x"`),
		swapsOf(`"phone_number_id":"2"`, `"phone_number_id":"2","new":1`, `"phone_number_id":2`),
		swapsOf(`"display_phone_number":"15550100100",`, ``),
		swapsOf(`,"field":"messages"`, ``, `,"field":"new"`, `,"new":1,"field":"messages"`,
			`,"field":"messages","new":1`),
		swapsOf(`"entry":[`, `"entry":[7,`, `"entry":5,"entry":[`),
		swapsOf(`"changes":[`, `"changes":[null,"x",`),
		swapsOf(`"messages":[`, `"messages":[7,`),
		swapsOf(`]},"field"`, `],"new":1},"field"`),
		swapsOf(`]}]}`,
			`]}]} `, `]}],"new":1}`, `],"time":1767225600}]}`, `],"id":"9"}]}`, `]}],"object":"page"}`,
			`]}],"entry":[]}`,
			`],"changes":[]}]}`, `]},{"id":"9","changes":[]}]}`, `,{"field":"messages","value":{}}]}]}`, `,null]}]}`,
			`]},null]}`,
			`]}],"field":"messages","value":{"event":"x"}}`),
		swapsOf(`"x"}`, `"`+strings.Repeat("long ", 500)+`"}`),
	)
	for _, swap := range swaps {
		bodies = append(bodies, []byte(swap.in(whole)))
	}
	first := whole[strings.Index(whole, `{"value"`):strings.LastIndex(whole, `]}]}`)]
	other := strings.Replace(first, `"type":"text"`, `"type":"new"`, 1)
	for _, changes := range []string{
		first + "," + first, first + "," + other, other + "," + first, other + "," + other + "," + first,
	} {
		bodies = append(bodies, []byte(strings.Replace(whole, first, changes, 1)))
	}
	return bodies
}

func TestFastShapesChangeNothing(t *testing.T) {
	t.Parallel()
	bodies := append(near(), payload.Text(), payload.Status(), payload.Batch(100), payload.History(300, 7))
	for _, name := range webhooktest.Samples() {
		bodies = append(bodies, compacted(t, webhooktest.Sample(name.Field, name.Case)))
	}
	for _, body := range bodies {
		require.True(t, json.Valid(body), "%s", body)
		require.Equal(t, facts(t, spaced(body)), facts(t, body), "%.2000s", body)
	}
}

func TestFastShapesChangeNothingInTheCorpus(t *testing.T) {
	t.Parallel()
	for name, body := range corpusFiles(t) {
		body = compacted(t, body)
		require.Equal(t, facts(t, spaced(body)), facts(t, body), name)
	}
}

// Any byte may be another one, in a text that is JSON then or not.
func TestFastShapesSurviveOtherBytes(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	bodies := append(near(), payload.Text(), payload.Status(), payload.Batch(4), payload.History(6, 2))
	for range 30_000 {
		body := bytes.Clone(bodies[rnd.IntN(len(bodies))])
		at := rnd.IntN(len(body))
		switch rnd.IntN(3) {
		case 0:
			body[at] = `"\{}[]:,0x `[rnd.IntN(11)]
		case 1:
			body[at] = byte(rnd.IntN(256))
		default:
			body = append(body[:at], body[at+1:]...)
		}
		if _, err := webhook.Decode(body); json.Valid(body) != (err == nil) {
			t.Fatalf("valid: %t, Decode: %v\n%q", json.Valid(body), err, body)
		} else if err == nil {
			require.Equal(t, facts(t, spaced(body)), facts(t, body), "%q", body)
		}
	}
}

func FuzzFastShapes(f *testing.F) {
	for _, body := range near() {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var compact bytes.Buffer
		if json.Compact(&compact, body) != nil {
			return
		}
		require.Equal(t, facts(t, spaced(compact.Bytes())), facts(t, compact.Bytes()))
	})
}

// A message has one key, however its JSON is written: a repeat may come in a batch, and was alone
// before.
func TestFastShapesChangeNoKey(t *testing.T) {
	t.Parallel()
	keys := func(body []byte) (keys []string) {
		events, err := webhook.Decode(body)
		require.NoError(t, err)
		for _, ev := range events {
			switch ev.(type) {
			case *webhook.IncomingMessage, *webhook.BusinessAppEcho, *webhook.MessageStatus:
				keys = append(keys, ev.Info().DedupKey)
			}
		}
		return keys
	}
	n := 0
	for _, body := range append(near(), payload.Text(), payload.Status(), payload.Batch(100)) {
		want := keys(spaced(body))
		require.Equal(t, want, keys(body), "%.2000s", body)
		n += len(want)
	}
	require.Greater(t, n, 500)
}
