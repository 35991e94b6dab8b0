package natsinbox_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

func TestBodiesOfAnySizeComeBack(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, seed))
	for setting, sizes := range map[string][]int{
		"": {3 << 20, 0, 1, 512 << 10, 512<<10 + 1, random.IntN(1 << 20), 100, 1 << 20},
		// Each message is synced, so as few as show that bodies of many parts come back.
		"max_payload: 9KB": {200 << 10, 0, 1, 8 << 10, 9 << 10, 9<<10 + 1, random.IntN(100 << 10), 100},
	} {
		var recs []inbox.Record
		for i, size := range sizes {
			text := make([]byte, size)
			for j := range text {
				text[j] = byte(random.Uint32())
			}
			recs = append(recs, inbox.Record{DedupKey: fmt.Sprint(i), Body: text})
		}
		t.Run("server with "+setting, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			server := newServer(t, synced, setting)
			cfg := server.config()
			a, b := server.open(cfg), server.open(cfg)
			n, err := a.Append(t.Context(), recs)
			require.NoError(t, err)
			require.Equal(t, len(recs), n)
			requireBodies(t, b, recs) // one reads what the other wrote
			requireBodies(t, a, recs)
		})
	}
}

// requireBodies claims deliveries, compares their bodies, and gives them back.
func requireBodies(t *testing.T, s *natsinbox.Store, want []inbox.Record) {
	t.Helper()
	batch, err := s.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 100, LeaseDuration: time.Minute})
	require.NoError(t, err)
	require.Len(t, batch.Records, len(want))
	for i, rec := range batch.Records {
		require.True(t, bytes.Equal(want[i].Body, rec.Body), "body %d", i)
	}
	require.NoError(t, s.Settle(t.Context(), batch.LeaseToken, []inbox.Settlement{{
		ID: batch.Records[0].ID, Disposition: inbox.DispositionRelease,
	}}))
}

// bodies counts the messages of the stream of bodies.
func (s *natsServer) bodies(cfg natsinbox.Config) uint64 {
	s.t.Helper()
	nc, err := nats.Connect(s.Client)
	require.NoError(s.t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(s.t, err)
	stream, err := js.Stream(s.t.Context(), cfg.Name+"-bodies")
	require.NoError(s.t, err)
	return stream.CachedInfo().State.Msgs
}

// A process that ends right after the last event was handled leaves no body to be found an hour
// later.
func TestBodiesAreDeletedBeforeTheStoreIsClosed(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "")
	cfg := s.config()
	store, err := natsinbox.OpenStore(t.Context(), cfg)
	require.NoError(t, err)
	const n = 100
	for i := range n { // each in a message of its own
		_, err := store.Append(t.Context(), []inbox.Record{{DedupKey: fmt.Sprint(i), Body: []byte("{}")}})
		require.NoError(t, err)
	}
	b, err := store.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: n, LeaseDuration: time.Minute})
	require.NoError(t, err)
	require.Len(t, b.Records, n)
	var outs []inbox.Settlement
	for _, rec := range b.Records {
		outs = append(outs, inbox.Settlement{ID: rec.ID})
	}
	require.NoError(t, store.Settle(t.Context(), b.LeaseToken, outs))
	require.NoError(t, store.Close())
	require.Zero(t, s.bodies(cfg))
}

// What is handled leaves no body behind, nor does a process that dies between the body and the log.
func TestBodiesAreDeletedWhenNothingNeedsThem(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "")
	cfg := s.config()
	store, err := natsinbox.OpenWith(t.Context(), cfg, 1<<20, time.Nanosecond)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	count := func() uint64 { return s.bodies(cfg) }
	for i := range 4 {
		_, err := store.Append(t.Context(), []inbox.Record{{DedupKey: fmt.Sprint(i), Body: []byte("{}")}})
		require.NoError(t, err)
	}
	require.EqualValues(t, 4, count())
	b, err := store.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 3, LeaseDuration: time.Minute})
	require.NoError(t, err)
	require.NoError(t, store.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{
		{ID: b.Records[0].ID}, {ID: b.Records[1].ID}, {ID: b.Records[2].ID},
	}))
	require.Eventually(t, func() bool { return count() == 1 }, time.Minute, time.Millisecond)

	for range 700 { // more than a page
		require.NoError(t, store.StoreBody(t.Context(), []byte("nobody's")))
	}
	_, err = store.Append(t.Context(), []inbox.Record{{DedupKey: "behind", Body: []byte("{}")}})
	require.NoError(t, err)
	for range 2 { // one says how far it goes, the next one goes there
		_, err = store.DeleteExpired(t.Context(), time.Hour)
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, count())
	b, err = s.open(cfg).Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 3, LeaseDuration: time.Minute})
	require.NoError(t, err)
	require.Len(t, b.Records, 2)
	require.Equal(t, "{}", string(b.Records[0].Body))
}

// Deliveries whose bodies share a message come into the log one after the other, and the first may
// be handled before the second has come.
func TestABodyWaitsForThoseThatShareItsMessage(t *testing.T) {
	t.Parallel()
	for name, restored := range map[string]bool{
		"by those that read the log": false, "by one that starts from a snapshot": true,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shareMessage(t, restored)
		})
	}
}

// shareMessage stores two deliveries whose bodies share a message, and handles the first before the
// second enters the log. If restored is set, a snapshot is made in between.
func shareMessage(t *testing.T, restored bool) {
	t.Helper()
	s := newServer(t, synced, "")
	cfg := s.config()
	store := s.open(cfg)
	handle := func(from *natsinbox.Store, want string) {
		b, err := from.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 1, LeaseDuration: time.Minute})
		require.NoError(t, err)
		require.Len(t, b.Records, 1)
		require.Equal(t, want, string(b.Records[0].Body))
		require.NoError(t, from.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{{ID: b.Records[0].ID}}))
	}
	first := inbox.Record{DedupKey: "1", Body: []byte("first")}
	second := inbox.Record{DedupKey: "2", Body: []byte("second")}
	require.NoError(t, store.AppendLate(t.Context(), first, second, func() {
		handle(store, "first")
		if restored {
			require.NoError(t, store.Snapshot(t.Context()))
		}
	}))
	handle(s.open(cfg), "second") // by another process, which has no copy in memory
	want, _, err := store.Dump(t.Context())
	require.NoError(t, err)
	got, _, err := s.open(cfg).Dump(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestAFullStreamTakesNoMore(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "")
	cfg := s.config()
	cfg.MaxBytes = 10_000
	store := s.open(cfg)
	big := make([]byte, 6000)
	_, err := store.Append(t.Context(), []inbox.Record{{DedupKey: "a", Body: big}})
	require.NoError(t, err)
	_, err = store.Append(t.Context(), []inbox.Record{{DedupKey: "b", Body: big}})
	require.ErrorIs(t, err, inbox.ErrFull)
	n, err := store.Append(t.Context(), []inbox.Record{{DedupKey: "a", Body: big}})
	require.NoError(t, err, "a repeat takes no room")
	require.Zero(t, n)
	b, err := store.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 1, LeaseDuration: time.Minute})
	require.NoError(t, err)
	require.NoError(t, store.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{{ID: b.Records[0].ID}}))
	require.Eventually(t, func() bool {
		n, err := store.Append(t.Context(), []inbox.Record{{DedupKey: "b", Body: big}})
		return err == nil && n == 1
	}, time.Minute, time.Millisecond)
}

// A delivery may consist of more events than fit into a message.
func TestASplitOfAnySizeIsOneTransaction(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "max_payload: 64KB")
	cfg := s.config()
	a, b := s.open(cfg), s.open(cfg)
	_, err := a.Append(t.Context(), []inbox.Record{{DedupKey: "a", Body: []byte("{}")}})
	require.NoError(t, err)
	batch, err := a.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 1, LeaseDuration: time.Minute})
	require.NoError(t, err)
	const n = 5000
	events := make([]inbox.Record, n)
	for i := range events {
		events[i] = inbox.Record{DedupKey: fmt.Sprint("event", i), Lane: fmt.Sprint("lane", i%100), Index: i}
	}
	require.NoError(
		t, a.Settle(t.Context(), batch.LeaseToken, []inbox.Settlement{{ID: batch.Records[0].ID, Events: events}}),
	)
	st, err := b.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, n, st.Live)
	want, _, err := a.Dump(t.Context())
	require.NoError(t, err)
	got, _, err := b.Dump(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)
}
