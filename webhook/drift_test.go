package webhook_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func TestDriftCountsWhatIsUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var drift webhook.Drift
		note := func(body string) {
			for _, ev := range decode(t, body) {
				require.NoError(t, drift.Handle(t.Context(), ev))
			}
		}
		note(inValue("messages", `"messages":[{"id":"1","text":{"body":"x","format":"bold"},"errors":[{"code":1,`+
			`"hint":1},{"code":2,"hint":1}]}]`))
		first := time.Now()
		time.Sleep(time.Hour)
		note(inValue("messages", `"messages":[{"id":"2","text":{"body":"x","format":5},"15550100123":true}]`))
		note(inValue("messages", `"messages":[{"id":"3","type":"hologram","hologram":{}},
			{"id":"4","interactive":{"type":"wave","wave":[]}},
			{"id":"5","edit":{"message":{"type":"pin","pin":{}}}}]`))
		note(inValue("brand_new", `"x":1`))
		note(inValue("messages", `"messages":[{"id":{}}]`))
		note(inValue("history", `"history":[{"metadata":{"phase":0},"threads":[
			{"id":"15550100123","mood":"good","messages":[
			{"id":"6","type":"text","text":{"body":"x"},"stars":3},{"id":[]},{"id":"7","type":"rune","rune":1}]}]}]`))
		var got []string
		for _, c := range drift.Snapshot() {
			got = append(got, fmt.Sprintf("%s %s %q %s %d", c.Field, c.Event, c.Path, c.Kind, c.Count))
			if c.Path == "text.format" {
				require.Equal(t, first.UTC(), c.First.UTC())
			}
		}
		require.Equal(t, []string{
			`brand_new UnknownEvent "" an object 1`,
			`history HistoryChunk "threads[].messages[]" an object 1`,
			`history HistoryChunk "threads[].messages[].rune" a number 1`,
			`history HistoryChunk "threads[].messages[].stars" a number 1`,
			`history HistoryChunk "threads[].mood" a string 1`,
			`messages IncomingMessage "*" a bool 1`,
			`messages IncomingMessage "edit.message.pin" an object 1`,
			`messages IncomingMessage "errors[].hint" a number 2`,
			`messages IncomingMessage "hologram" an object 1`,
			`messages IncomingMessage "interactive.wave" an array 1`,
			`messages IncomingMessage "text.format" a string 2`,
			`messages UndecodableEvent "" an object 1`,
		}, got)
	})
}

func TestDriftStaysSmall(t *testing.T) {
	t.Parallel()
	var drift webhook.Drift
	var members strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&members, `,"%c%c%c":1`, 'a'+i/100%26, 'a'+i/10%10, 'a'+i%10)
	}
	events := decode(t, inValue("messages", `"messages":[{"id":"1"`+members.String()+`}]`))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, ev := range events {
				require.NoError(t, drift.Handle(t.Context(), ev))
			}
		})
	}
	wg.Wait()
	counts := drift.Snapshot()
	require.Len(t, counts, 1001)
	total := 0
	for _, c := range counts {
		total += c.Count
	}
	require.Equal(t, 4*1501, total) // the members, and a content without a type
	require.Equal(t, "…", counts[0].Path)

	var short webhook.Drift
	long := strings.Repeat("é", 5_000)
	for _, body := range []string{
		inValue(long, `"x":1`), inValue("messages",
			`"messages":[{"id":"1","type":"`+long+`"},{"id":"2","interactive":{"type":"`+long+`"}}],"`+long+`":[1]`),
	} {
		for _, ev := range decode(t, body) {
			require.NoError(t, short.Handle(t.Context(), ev))
		}
	}
	require.Len(t, short.Snapshot(), 5)
	for _, c := range short.Snapshot() {
		require.Less(t, len(c.Field)+len(c.Path), 120, "names come from outside")
	}
}

func TestSamplesHaveNoDrift(t *testing.T) {
	t.Parallel()
	for _, name := range webhooktest.Samples() {
		if _, raw := rawOnPurpose[name.Field+"/"+name.Case]; raw {
			continue
		}
		var drift webhook.Drift
		for _, ev := range decode(t, string(webhooktest.Sample(name.Field, name.Case))) {
			require.NoError(t, drift.Handle(t.Context(), ev))
		}
		require.Empty(t, drift.Snapshot(), name)
	}
}

func ExampleDrift() {
	var drift webhook.Drift
	var mux webhook.Mux
	recv := webhook.Dispatch(webhook.MultiHandler(&drift, &mux))
	body := strings.Replace(string(webhooktest.Sample("messages", "text")), `"body":`, `"tone": "warm", "body":`, 1)
	if err := recv.Receive(context.Background(), webhook.Delivery{Body: []byte(body)}); err != nil {
		fmt.Println(err)
	}
	for _, c := range drift.Snapshot() {
		fmt.Println(c.Field, c.Event, c.Path, c.Kind, c.Count)
	}
	// Output: messages IncomingMessage text.tone a string 1
}
