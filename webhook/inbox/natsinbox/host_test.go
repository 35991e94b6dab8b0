package natsinbox_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

// body is a delivery of one text, of one of a number of customers.
func body(serial, customers int) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398",`+
		`"changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100199","phone_number_id":"106540352242922"},`+
		`"contacts":[{"profile":{"name":"Ada"},`+
		`"wa_id":"1555010%04d"}],"messages":[{"from":"1555010%04d","id":"wamid.%06d","timestamp":"1795168800",`+
		`"text":{"body":"Do you have rye bread today, and until when are you open?"},"type":"text"}]},`+
		`"field":"messages"}]}]}`,
		serial%customers, serial%customers, serial)
}

// handler calls fn with each message.
func handler(fn func(ctx context.Context, m *webhook.IncomingMessage) error) webhook.Handler {
	var mux webhook.Mux
	webhook.On(&mux, fn)
	return &mux
}

// url is what Open takes.
func url(cfg natsinbox.Config) string {
	return strings.Join(cfg.URLs, ",") + "?monitor=" + cfg.Monitors[0] + "&name=" + cfg.Name
}

var lease = inbox.Config{LeaseDuration: time.Second, PollInterval: 50 * time.Millisecond}

// holdForever is a host that says what it handles and never gets done.
func holdForever(url string) error {
	hang := handler(func(_ context.Context, m *webhook.IncomingMessage) error {
		fmt.Println(m.ID)
		select {}
	})
	_, err := natsinbox.Open(context.Background(), url, hang, lease)
	if err != nil {
		return err
	}
	select {}
}

func TestAnotherProcessTakesOverWhenOneDiesWithinAHandler(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "")
	cfg := s.config()
	host := startProcess(t, "host", os.Args[0], url(cfg))

	var mu sync.Mutex
	var handled []string
	done := make(chan struct{})
	open := func() *inbox.Inbox {
		note := handler(func(_ context.Context, m *webhook.IncomingMessage) error {
			mu.Lock()
			defer mu.Unlock()
			if handled = append(handled, string(m.ID)); len(handled) == 3 {
				close(done)
			}
			return nil
		})
		in, err := natsinbox.Open(t.Context(), url(cfg), note, lease)
		require.NoError(t, err)
		return in
	}
	sender, err := inbox.New(
		s.open(cfg), handler(func(context.Context, *webhook.IncomingMessage) error { return nil }), inbox.Config{},
	)
	require.NoError(t, err)
	for i := range 3 { // of one customer
		require.NoError(t, sender.Receive(t.Context(), webhook.Delivery{Body: body(i, 1), ReceivedAt: time.Now()}))
	}
	require.Equal(t, "wamid.000000", host.line(), "the first process is in the middle of its handler")
	second := open()
	mu.Lock()
	require.Empty(t, handled, "the conversation is held as long as the first process lives")
	mu.Unlock()
	host.kill()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("nobody took over")
	}
	require.NoError(t, second.Shutdown(t.Context()))
	require.Equal(t, []string{"wamid.000000", "wamid.000001", "wamid.000002"}, handled)
}

// The server is killed and started again while deliveries come in and are handled.
func TestAServerThatIsKilledLosesNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "")
	cfg := s.config()
	const n, customers = 1500, 50
	var mu sync.Mutex
	seen := map[string]int{}
	last := map[string]string{}
	in, err := natsinbox.Open(t.Context(), url(cfg), handler(func(_ context.Context, m *webhook.IncomingMessage) error {
		mu.Lock()
		defer mu.Unlock()
		key, id := m.From.Key(), string(m.ID)
		if seen[id]++; seen[id] == 1 && id < last[key] {
			t.Errorf("%s came after %s", id, last[key])
		}
		last[key] = max(last[key], id)
		return nil
	}), lease)
	require.NoError(t, err)
	ctx := within(t)
	var all sync.WaitGroup
	kill := make(chan struct{}, n)
	for c := range customers {
		all.Go(func() { // one after the other for each customer, each again until it is accepted, as Meta does
			for i := c; i < n; i += customers {
				receive(ctx, t, in, i, customers)
				kill <- struct{}{}
			}
		})
	}
	for range 3 {
		for range n / 4 {
			select {
			case <-kill:
			case <-ctx.Done():
				t.Fatal("deliveries are accepted no more")
			}
		}
		s.restart(synced)
	}
	all.Wait()
	require.NoError(t, in.WaitIdle(within(t)))
	require.NoError(t, in.Shutdown(t.Context()))
	require.Len(t, seen, n)
	again := 0
	for _, count := range seen {
		again += count - 1
	}
	t.Logf("%d of %d events were handled again because the server was away", again, n)
}

func TestWhatIsLeftOpenTravelsThroughASnapshot(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "max_payload: 9KB")
	cfg := s.config()
	a := s.open(cfg)
	fill(t, a)
	for range 2 { // the log is kept from the one before the last
		require.NoError(t, a.Snapshot(t.Context()))
	}
	want, at, err := a.Dump(t.Context())
	require.NoError(t, err)
	b := s.open(cfg)
	got, gotAt, err := b.Dump(t.Context())
	require.NoError(t, err)
	require.Equal(t, at, gotAt)
	require.Equal(t, want, got, "a process that begins with a snapshot knows the same as one that has seen everything")

	// And goes on in the same way.
	letters, err := b.DeadLetters(t.Context(), inbox.Filter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, letters, 1)
	require.NotEmpty(t, letters[0].Body)
	n, err := b.ReplayDeadLetters(t.Context(), []inbox.ID{letters[0].ID})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	want, at, err = a.Dump(t.Context())
	require.NoError(t, err)
	got, gotAt, err = b.Dump(t.Context())
	require.NoError(t, err)
	require.Equal(t, at, gotAt)
	require.Equal(t, want, got)
}

// fill leaves something of every kind in a store.
func fill(t *testing.T, s *natsinbox.Store) {
	t.Helper()
	var recs []inbox.Record
	for i := range 20 {
		recs = append(recs, inbox.Record{
			DedupKey: fmt.Sprint("delivery", i), Backfill: i%5 == 4, ReceivedAt: time.Now(), Body: body(i, 4),
		})
	}
	_, err := s.Append(t.Context(), recs)
	require.NoError(t, err)
	b, err := s.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 10, LeaseDuration: time.Minute})
	require.NoError(t, err)
	var outs []inbox.Settlement
	for i, rec := range b.Records {
		events := []inbox.Record{
			{DedupKey: fmt.Sprint("event", i), Lane: fmt.Sprint("lane", i%3)},
			{DedupKey: fmt.Sprint("history", i), Lane: "history", Backfill: true, Index: 1},
			{Lane: "other", Index: 2},
		}
		outs = append(outs, inbox.Settlement{ID: rec.ID, Events: events})
	}
	require.NoError(t, s.Settle(t.Context(), b.LeaseToken, outs[:8]))
	b, err = s.Claim(t.Context(), inbox.ClaimRequest{
		Kind: inbox.KindEvent, Lanes: 3, PerLane: 2, LeaseDuration: time.Minute,
	})
	require.NoError(t, err)
	require.Len(t, b.Records, 6)
	require.NoError(t, s.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{
		{ID: b.Records[0].ID}, {ID: b.Records[1].ID, Disposition: inbox.DispositionDead, Reason: "no"},
		{ID: b.Records[2].ID, Disposition: inbox.DispositionRetry, RetryAfter: time.Hour, Reason: "later"},
		{ID: b.Records[4].ID},
	}))
}
