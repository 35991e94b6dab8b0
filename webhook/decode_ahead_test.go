package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// The decoder knows what Meta's most frequent objects look like and reads these without asking what
// comes next. White space behind a brace is nothing Meta writes, and sends every object to the
// readers that take all of JSON: both have to make the same of it.

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

// facts is what a body tells, without the white space in its raw parts.
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
				lines = append(lines, thread.ID+" "+string(m.Raw), string(m.ID), m.From.Key(), fmt.Sprint(m.Err))
			}
		}
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "{ ", "{")
	}
	return lines
}

func compacted(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, body))
	return b.Bytes()
}

// oddities are nearly what the decoder expects, and different in one place.
func oddities() [][]byte {
	message := `{"from":"15550100123","id":"wamid.1","timestamp":"1767225600","type":"text","text":{"body":"x"}}`
	past := strings.TrimSuffix(message, "}") + `,"history_context":{"status":"READ"}}`
	status := `{"id":"wamid.1","status":"sent","timestamp":"1767225600","recipient_id":"15550100123","conversation":{"id":"c","origin":{"type":"service"}},` +
		`"pricing":{"billable":true,"pricing_model":"PMP","category":"service","type":"regular"}}`
	swaps := []string{
		`"from":"15550100123"`, `"from":""`, `"from":"15550100123"`, `"from":"US.1"`, `"from":"15550100123"`, `"from":15550100123`,
		`"from":"15550100123"`, `"from":"+1 555 010-0123"`, `"from":"15550100123"`, `"from":null`,
		`"from":"15550100123"`, `"from":"15550100123","from_user_id":"US.1"`, `"from":"15550100123"`, `"from":"15550100123","from_user_id":""`,
		`"from":"15550100123"`, `"from":"15550100123","to":"15550100199"`, `"from":"15550100123"`, `"from":"1","to":"2","to_user_id":"US.2"`,
		`"from":"15550100123"`, `"from":"15550100123","to":"US.3"`, `"from":"15550100123"`, `"from":"15550100123","to_user_id":"US.2"`,
		`"from":"15550100123"`, `"from":"15550100123","from_user_id":"US.1","from_parent_user_id":"US.P"`,
		`"id":"wamid.1"`, `"id":""`, `"id":"wamid.1"`, `"id":"wa\u006did.1"`, `"id":"wamid.1"`, `"id":"wämid"`, `"id":"wamid.1"`, `"id":["x"]`,
		`"id":"wamid.1"`, `"id":"wamid.1","id":"wamid.2"`, `"type":"text"`, `"type":"text","id":"wamid.2"`, `"type":"text"`, `"type":"text","from":"1"`,
		`"1767225600"`, `"0767225600"`, `"1767225600"`, `1767225600`, `"1767225600"`, `"17672256000"`, `"1767225600"`, `"176722560x"`, `"1767225600"`, `""`,
		`"type":"text"`, `"type":"image"`, `"type":"text"`, `"type":""`, `"type":"text"`, `"type":5`, `"type":"text"`, `"type":"media_placeholder"`,
		`"type":"text","text":{"body":"x"}`, `"type":"media_placeholder"`, `"type":"text","text":{"body":"x"}`, `"type":"reaction","reaction":{"message_id":"m","emoji":"\u2764"}`,
		`"type":"text","text":{"body":"x"}`, `"type":"unsupported","errors":[{"code":131051}]`, `"type":"text","text":{"body":"x"}`, `"text":{"body":"x"},"type":"text"`,
		`{"body":"x"}`, `{"body":""}`, `{"body":"x"}`, `{"body":"a\nb\"c\\ \/ \ud83d\ude80 \ud83d"}`, `{"body":"x"}`, `{"body":"é 🚀"}`, `{"body":"x"}`, `{"body":"x","new":1}`,
		`{"body":"x"}`, `{"body":"x","body":"y"}`, `{"body":"x"}`, `{"body":7}`, `{"body":"x"}`, `null`, `{"body":"x"}`, `"x"`, `{"body":"x"}`, `{"body":"` + strings.Repeat("long ", 900) + `"}`,
		`{"body":"x"}`, `{"body":"x"},"context":{"id":"wamid.0"}`, `{"body":"x"}`, `{"body":"x"},"new":{"a":1}`,
		`{"status":"READ"}`, `{"status":"read"}`, `{"status":"READ"}`, `{"status":""}`, `{"status":"READ"}`, `{"status":"READ","new":1}`, `{"status":"READ"}`, `null`,
		`,"history_context":{"status":"READ"}`, ``, `"history_context":{"status":"READ"}`, `"history_context":{"status":"READ"},"new":1`,
		`"status":"sent"`, `"status":"new"`, `"recipient_id":"15550100123"`, `"recipient_id":"15550100123","recipient_user_id":"US.1"`,
		`"recipient_id":"15550100123"`, `"recipient_id":"15550100123","recipient_type":"group"`, `"recipient_id":"15550100123"`, `"recipient_id":"US.1"`,
		`{"type":"service"}`, `{"type":"new"}`, `"origin"`, `"expiration_timestamp":"1767225600","origin"`, `"id":"c",`, `"id":"c","pricing":{},`,
		`"billable":true`, `"billable":false`, `"billable":true`, `"billable":null`, `"billable":true`, `"billable":"true"`, `"PMP"`, `"CBP"`, `"PMP"`, `"new"`,
		`"category":"service","type":"regular"`, `"type":"regular","category":"service"`, `"category":"service","type":"regular"`, `"category":"service"`,
		`"category":"service"`, `"category":"service","category":"utility"`, `"category":"service"`, `"category":"new","new":1`,
	}
	wrap := func(field, members string) []byte {
		return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":{"messaging_product":"whatsapp",` +
			`"metadata":{"display_phone_number":"15550100100","phone_number_id":"2"},` + members + `},"field":"` + field + `"}]}]}`)
	}
	person := `"contacts":[{"profile":{"name":"Zo\u00eb"},"wa_id":"15550100123","user_id":"US.1"}]`
	var bodies [][]byte
	for i := 0; i < len(swaps); i += 2 {
		for _, in := range []struct{ field, list, item string }{
			{"messages", "messages", message}, {"smb_message_echoes", "message_echoes", message}, {"messages", "statuses", status},
		} {
			odd := strings.Replace(in.item, swaps[i], swaps[i+1], 1)
			alone := wrap(in.field, `"`+in.list+`":[`+odd+`]`)
			if in.list == "messages" {
				alone = wrap(in.field, person+`,"messages":[`+odd+`]`)
			}
			bodies = append(bodies, alone, wrap(in.field, `"`+in.list+`":[`+in.item+`,`+odd+`]`))
		}
		bodies = append(bodies, wrap("history", `"history":[{"metadata":{"phase":0},"threads":[{"id":"15550100123","context":{"wa_id":"15550100123","user_id":"US.1"},`+
			`"messages":[`+past+`,`+strings.Replace(past, swaps[i], swaps[i+1], 1)+`,{},`+past+`]}]}]`))
	}
	// What the decoder has seen of one message, it looks for in the next: an id can look like the
	// JSON of several.
	for _, pair := range [][2]string{
		{`"from":"1\",\"to\":\"2"`, `"from":"1","to":"2"`}, {`"from":"1","from_user_id":"U\",\"id\":\"x"`, `"from":"1","from_user_id":"U","id":"x"`},
		{`"from":"1","to":"2\",\"id\":\"3"`, `"from":"1","to":"2","id":"3"`}, {`"from":"1\\"`, `"from":"1\\"`},
	} {
		bodies = append(bodies, wrap("history", `"history":[{"metadata":{"phase":0},"threads":[{"id":"1","context":{"wa_id":"1"},"messages":[`+
			strings.Replace(past, `"from":"15550100123"`, pair[0], 1)+`,`+strings.Replace(past, `"from":"15550100123"`, pair[1], 1)+`]}]}]`))
	}
	contact := person + `,"messages":[` + message + `]`
	state := `"state_sync":[{"type":"contact","contact":{"full_name":"A","first_name":"B","phone_number":"15550100123"},"action":"add","metadata":{"timestamp":"1767225600"}}]`
	for _, change := range [][2]string{
		{`"name":"Zo\u00eb"`, `"name":""`}, {`"name":"Zo\u00eb"`, `"name":"Zo\u00eb","username":"@z"`}, {`"user_id":"US.1"`, `"user_id":"US.1","new":2`},
		{`,"user_id":"US.1"`, ``}, {`"wa_id":"15550100123"`, `"wa_id":"US.9"`}, {`"wa_id":"15550100123"`, `"wa_id":"15550100999"`},
		{`"add"`, `"remove"`}, {`"first_name":"B",`, ``}, {`"full_name":"A"`, `"full_name":null`}, {`"1767225600"`, `1767225600`}, {`"A"`, `"\u00c1"`},
		{`"phone_number":"15550100123"`, `"phone_number":"15550100123","user_id":"US.1"`}, {`"contact",`, `"group",`},
	} {
		bodies = append(bodies, wrap("messages", strings.Replace(contact, change[0], change[1], 1)), wrap("smb_app_state_sync", strings.Replace(state, change[0], change[1], 1)))
	}
	whole := string(wrap("messages", contact))
	for _, change := range [][2]string{
		{`"id":"1",`, `"id":"1","time":1767225600,`}, {`"id":"1",`, `"id":"1","time":"1767225600",`}, {`"id":"1",`, ``}, {`"id":"1",`, `"id":"",`},
		{`"id":"1",`, `"id":"1","time":17672256001,`}, {`"whatsapp_business_account"`, `"page"`}, {`"messaging_product":"whatsapp"`, `"messaging_product":"x"`},
		{`"phone_number_id":"2"`, `"phone_number_id":"2","new":1`}, {`"phone_number_id":"2"`, `"phone_number_id":2`}, {`"display_phone_number":"15550100100",`, ``},
		{`,"field":"messages"`, ``}, {`,"field":"messages"`, `,"field":"new"`}, {`,"field":"messages"`, `,"new":1,"field":"messages"`},
		{`"entry":[`, `"entry":[7,`}, {`"changes":[`, `"changes":[null,"x",`}, {`"entry":[`, `"entry":5,"entry":[`}, {`"messages":[`, `"messages":[7,`},
		{`]}]}`, `]}]} `}, {`]}]}`, `]}],"new":1}`}, {`]}]}`, `],"time":1767225600}]}`}, {`]}]}`, `],"id":"9"}]}`}, {`]}]}`, `]}],"object":"page"}`},
		{`]}]}`, `]}],"entry":[]}`}, {`]}]}`, `],"changes":[]}]}`}, {`]}]}`, `]},{"id":"9","changes":[]}]}`}, {`]}]}`, `,{"field":"messages","value":{}}]}]}`},
		{`]}]}`, `,null]}]}`}, {`]}]}`, `]},null]}`}, {`]}]}`, `]}],"field":"messages","value":{"event":"x"}}`}, {`"x"}`, `"` + strings.Repeat("long ", 500) + `"}`},
	} {
		bodies = append(bodies, []byte(strings.Replace(whole, change[0], change[1], 1)))
	}
	first := whole[strings.Index(whole, `{"value"`):strings.LastIndex(whole, `]}]}`)]
	odd := strings.Replace(first, `"type":"text"`, `"type":"new"`, 1)
	for _, changes := range []string{first + "," + first, first + "," + odd, odd + "," + first, odd + "," + odd + "," + first} {
		bodies = append(bodies, []byte(strings.Replace(whole, first, changes, 1)))
	}
	return bodies
}

func TestLookingAheadChangesNothing(t *testing.T) {
	t.Parallel()
	bodies := append(oddities(), payload.Text(), payload.Status(), payload.Batch(100), payload.History(300, 7))
	for _, name := range webhooktest.Samples() {
		bodies = append(bodies, compacted(t, webhooktest.Sample(name.Field, name.Case)))
	}
	for _, body := range bodies {
		require.True(t, json.Valid(body), "%s", body)
		require.Equal(t, facts(t, spaced(body)), facts(t, body), "%.2000s", body)
	}
}

func TestLookingAheadChangesNothingInTheCorpus(t *testing.T) {
	t.Parallel()
	for name, body := range corpusFiles(t) {
		body = compacted(t, body)
		require.Equal(t, facts(t, spaced(body)), facts(t, body), name)
	}
}

// Any byte may be another one, in a text that is JSON then or not.
func TestLookingAheadSurvivesOtherBytes(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	bodies := append(oddities(), payload.Text(), payload.Status(), payload.Batch(4), payload.History(6, 2))
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

func FuzzLookingAhead(f *testing.F) {
	for _, body := range oddities() {
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
func TestLookingAheadChangesNoKey(t *testing.T) {
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
	for _, body := range append(oddities(), payload.Text(), payload.Status(), payload.Batch(100)) {
		want := keys(spaced(body))
		require.Equal(t, want, keys(body), "%.2000s", body)
		n += len(want)
	}
	require.Greater(t, n, 500)
}
