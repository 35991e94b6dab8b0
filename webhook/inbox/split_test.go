package inbox_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// A spy sees what is appended and what deliveries are split into.
type spy struct {
	inbox.MemStore
	appended []inbox.Record
	settled  chan []inbox.Settlement
}

func (s *spy) Append(ctx context.Context, recs []inbox.Record) (int, error) {
	s.appended = append(s.appended, recs...)
	return s.MemStore.Append(ctx, recs)
}

func (s *spy) Settle(ctx context.Context, token inbox.LeaseToken, outs []inbox.Settlement) error {
	s.settled <- outs
	return s.MemStore.Settle(ctx, token, outs)
}

// splitOf returns the record of a delivery, and what it is split into.
func splitOf(t testing.TB, body []byte) (inbox.Record, inbox.Settlement) {
	t.Helper()
	s := &spy{settled: make(chan []inbox.Settlement, 1)}
	hang := webhook.HandlerFunc(func(ctx context.Context, _ webhook.Event) error { <-ctx.Done(); return ctx.Err() })
	in, err := inbox.New(s, hang, inbox.Config{})
	require.NoError(t, err)
	require.NoError(t, in.Receive(t.Context(), webhook.Delivery{Body: body, ReceivedAt: time.Now()}))
	require.NoError(t, in.Start(t.Context()))
	out := (<-s.settled)[0]
	go func() {
		for range s.settled { // what the end of the inbox settles is of no interest
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = in.Shutdown(ctx) // does not wait for handlers
	return s.appended[0], out
}

// Each event of each sample has a place of its own; a conversation has one lane, whichever way its
// events come.
func TestEverySampleIsSplitIntoItsEvents(t *testing.T) {
	t.Parallel()
	for _, name := range webhooktest.Samples() {
		t.Run(name.Field+"/"+name.Case, func(t *testing.T) {
			t.Parallel()
			body := webhooktest.Sample(name.Field, name.Case)
			events, err := webhook.Decode(body)
			require.NoError(t, err)
			_, out := splitOf(t, body)
			require.Len(t, out.Events, len(events))
			for i, ev := range events {
				requireSplit(t, ev, i, out.Events[i])
			}
		})
	}
}

// requireSplit checks the record of a delivery's i-th event.
func requireSplit(t *testing.T, ev webhook.Event, i int, rec inbox.Record) {
	t.Helper()
	info := ev.Info()
	require.Equal(t, i, rec.Index)
	require.Equal(t, inbox.KindEvent, rec.Kind)
	require.NotEmpty(t, rec.Lane)
	require.Equal(t, info.PhoneNumberID, rec.PhoneNumberID)
	if info.DedupKey != "" {
		require.Equal(t, info.DedupKey, rec.DedupKey)
	}
	past := strings.HasPrefix(string(info.Field), "history") || info.Field == webhook.FieldAppStateSync
	require.Equal(t, past, rec.Backfill)
}

func TestAConversationIsOneLane(t *testing.T) {
	t.Parallel()
	lane := func(field, members string) string {
		_, out := splitOf(t, wrap(field, members).Body)
		require.Len(t, out.Events, 1)
		require.NotContains(t, out.Events[0].Lane, "15550100101", "lanes are not personal")
		return out.Events[0].Lane
	}
	in := lane("messages", `"messages":[`+message("15550100101", "wamid.1")+`]`)
	require.Equal(t, in, lane(
		"messages",
		`"statuses":[{"id":"wamid.2","status":"read","timestamp":"1795168800","recipient_id":"15550100101"}]`,
	))
	require.Equal(t, in, lane("smb_message_echoes", `"message_echoes":[{"from":"15550100199","to":"15550100101",`+
		`"id":"wamid.3","timestamp":"1795168800",`+
		`"type":"text","text":{"body":"hello"}}]`))
	require.NotEqual(t, in, lane("messages", `"messages":[`+message("15550100102", "wamid.1")+`]`))
}

func TestKeylessEventsMakeTheirDeliveryCountAgain(t *testing.T) {
	t.Parallel()
	_, out := splitOf(t, wrap("messages", `"errors":[{"code":131000,"title":"Something went wrong"}]`).Body)
	require.True(t, out.DropKey)
	_, out = splitOf(t, says("15550100101", "wamid.1").Body)
	require.False(t, out.DropKey)
}

// History and address books are told by their bytes, wherever the name of the field stands.
func TestBulkIsToldByItsBytes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	tests := map[string]struct {
		body string
		want bool
	}{
		"name behind":       {`{"value":{"text":"` + long + `"},"field":"history"}`, true},
		"name in front":     {`{"field" : "history","value":{"text":"` + long + `"}}`, true},
		"contacts":          {`{"value":{},"field":"smb_app_state_sync"}`, true},
		"second of two":     {`{"field":"messages"},{"field":"history"}`, true},
		"live":              {`{"field":"messages","value":{"text":"history"}}`, false},
		"written by people": {`{"value":{"text":"\"field\":\"history\""},"field":"messages"}`, false},
		"cut off":           {`{"field":`, false},
		"empty":             {``, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := new(spy)
			in, err := inbox.New(s, new(recorder), inbox.Config{})
			require.NoError(t, err)
			require.NoError(t, in.Receive(t.Context(), webhook.Delivery{Body: []byte(tt.body)}))
			require.Equal(t, tt.want, s.appended[0].Backfill)
		})
	}
}

func TestCapturedHistoryIsBulk(t *testing.T) {
	t.Parallel()
	dir := payloads.Folder("coexistence")
	if dir == "" {
		t.Skip("set COEXISTENCE_PAYLOADS to a folder of captured bodies")
	}
	files, err := filepath.Glob(filepath.Join(dir, "coexistence", "history-*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			rec, out := splitOf(t, body)
			require.True(t, rec.Backfill)
			for _, ev := range out.Events {
				require.True(t, ev.Backfill)
			}
		})
	}
}

func TestASinkIsAllThatAnEndpointNeeds(t *testing.T) {
	t.Parallel()
	s := new(spy)
	recv := inbox.SinkReceiver(s)
	d := says("15550100101", "wamid.1")
	require.NoError(t, recv.Receive(t.Context(), d))
	require.NoError(t, recv.Receive(t.Context(), d))
	st, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, st.Deliveries)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, recv.Receive(ctx, d), webhook.ErrUnavailable)
}

func FuzzSplit(f *testing.F) {
	for _, name := range webhooktest.Samples() {
		f.Add(webhooktest.Sample(name.Field, name.Case))
	}
	for _, body := range []string{
		"", "no JSON", "[]", "{}",
		`{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"messages":[7]}}]}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rec, out := splitOf(t, body)
		require.NotEmpty(t, rec.DedupKey)
		require.Equal(t, inbox.DispositionDone, out.Disposition)
		require.NotEmpty(t, out.Events, "nothing is dropped")
		for i, ev := range out.Events {
			require.Equal(t, i, ev.Index)
			require.NotEmpty(t, ev.Lane)
			require.True(t, ev.DedupKey != "" || out.DropKey)
		}
	})
}

func TestInTxNeedsAnInboxOnADatabase(t *testing.T) {
	t.Parallel()
	h := inbox.InTx(new(webhook.Mux))
	require.ErrorContains(t, h.Handle(t.Context(), nil), "outside of an inbox")
	failed := make(chan error, 1)
	in := start(t, new(inbox.MemStore), webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
		err := h.Handle(ctx, ev)
		failed <- err
		return webhook.Permanent(err)
	}), inbox.Config{})
	receive(t, in, says("15550100101", "wamid.1"))
	require.ErrorContains(t, <-failed, "SQL database")
	_, within := inbox.Tx(t.Context())
	require.False(t, within)
	info, within := inbox.FromContext(t.Context())
	require.False(t, within)
	require.Zero(t, info)
	require.NoError(t, in.WaitIdle(t.Context()))
}
