package coexistence_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// preparations is a batch of events.
func preparations(ctx context.Context, events ...webhook.Event) []webhook.Preparation {
	batch := make([]webhook.Preparation, len(events))
	for i, ev := range events {
		batch[i] = webhook.Preparation{Event: ev, Context: ctx}
	}
	return batch
}

// A batchingStore counts batches and single changes, and refuses all that change one message.
type batchingStore struct {
	coexistence.MemStore
	batches, singles int
	poison           graph.MessageID
	down             bool // batches are refused
}

var errPoison = errors.New("this message cannot be stored")

func (s *batchingStore) UpdateBatch(
	ctx context.Context, contacts []coexistence.ContactChange, messages []coexistence.MessageChange,
) ([]coexistence.Contact, []coexistence.Conversation, error) {
	s.batches++
	for _, m := range messages {
		if m.ID == s.poison || s.down {
			return nil, nil, errPoison
		}
	}
	return s.MemStore.UpdateBatch(ctx, contacts, messages)
}

func (s *batchingStore) UpdateMessages(
	ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*coexistence.Message),
) error {
	s.singles++
	if slices.Contains(ids, s.poison) {
		return errPoison
	}
	return s.MemStore.UpdateMessages(ctx, phone, ids, fn)
}

// events decodes bodies.
func eventsOf(t testing.TB, bodies ...string) []webhook.Event {
	t.Helper()
	var events []webhook.Event
	for _, b := range bodies {
		events = append(events, decode(t, b)...)
	}
	return events
}

func TestPreparedEventsAreStoredInOneStep(t *testing.T) {
	t.Parallel()
	store := new(batchingStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	events := eventsOf(t, inbound("wamid.1", ada, 1, text("a")), echo("wamid.2", ada, 2, text("b")),
		inbound("wamid.3", grace, 3, text("c")), status("wamid.2", ada, 4, "read"))
	batch := preparations(t.Context(), events...)
	tracker.Prepare(t.Context(), batch)
	require.Equal(t, 1, store.batches)
	require.Equal(t, []string{"a", "b"}, texts(t, store, "US.1001"), "stored before it is handled")
	for _, p := range batch {
		require.NoError(t, tracker.Handle(p.Context, p.Event))
	}
	require.Zero(t, store.singles)
	tracker.Prepare(t.Context(), batch)
	require.Equal(t, 1, store.batches, "what is prepared is not prepared again")

	// The context is that of one event: another one that is handled with it is stored.
	other := eventsOf(t, inbound("wamid.4", ada, 5, text("d")))[0]
	require.NoError(t, tracker.Handle(batch[0].Context, other))
	require.Equal(t, []string{"a", "b", "d"}, texts(t, store, "US.1001"))
}

// An event that the store refuses fails by itself: those that come with it are stored together all
// the same, at a cost that grows with the logarithm of their number.
func TestAnEventThatCannotBeStoredSpoilsNoOther(t *testing.T) {
	t.Parallel()
	const events = 100
	for _, place := range []int{0, 49, 50, 99} {
		t.Run(fmt.Sprint(place), func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			store := &batchingStore{poison: graph.MessageID(fmt.Sprint("wamid.", place))}
			tracker, err := coexistence.NewTracker(coexistence.Config{Store: store,
				Logger: slog.New(slog.NewTextHandler(&log, nil))})
			require.NoError(t, err)
			var bodies, want []string
			for i := range events {
				bodies = append(bodies, inbound(fmt.Sprint("wamid.", i), ada, i, text(fmt.Sprint(i))))
				if i != place {
					want = append(want, fmt.Sprint(i))
				}
			}
			batch := preparations(t.Context(), eventsOf(t, bodies...)...)
			tracker.Prepare(t.Context(), batch)
			require.Equal(t, want, texts(t, store, "US.1001"), "stored before they are handled")
			require.LessOrEqual(t, store.batches, 15)
			for i, p := range batch {
				if err := tracker.Handle(p.Context, p.Event); i == place {
					require.ErrorIs(t, err, errPoison)
				} else {
					require.NoError(t, err)
				}
			}
			require.Equal(t, 1, store.singles, "the one that fails")
			require.Equal(t, 1, strings.Count(log.String(), "stored together"))
			require.Contains(t, log.String(), "events=1 of=100")
		})
	}
}

// If the database is what fails, it is not asked for each event, and none is lost.
func TestAStoreThatRefusesEverythingIsAskedFewTimes(t *testing.T) {
	t.Parallel()
	store := &batchingStore{down: true}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	var bodies []string
	for i := range 500 {
		bodies = append(bodies, inbound(fmt.Sprint("wamid.", i), ada, i, text("a")))
	}
	batch := preparations(t.Context(), eventsOf(t, bodies...)...)
	tracker.Prepare(t.Context(), batch)
	require.LessOrEqual(t, store.batches, 20)
	store.down = false
	for _, p := range batch {
		require.NoError(t, tracker.Handle(p.Context, p.Event))
	}
	require.Len(t, texts(t, store, "US.1001"), 500)
}

// An echo changes the state of its number when it is the first of the app's own.
func TestPreparedEchoesReachTheStateOfTheirNumber(t *testing.T) {
	t.Parallel()
	events := eventsOf(t, echo("wamid.1", ada, 1, text("a")), echo("wamid.2", grace, 2, text("b")))
	want, got := new(coexistence.MemStore), new(coexistence.MemStore)
	for i, store := range []*coexistence.MemStore{want, got} {
		tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
		require.NoError(t, err)
		require.NoError(t, tracker.Onboard(t.Context(), cloudapi.Onboarding{
			PhoneNumberID: phone, WABAIDs: []graph.WABAID{"200000000000001"}, OnboardedAt: time.Unix(1795168800, 0),
		}))
		batch := preparations(t.Context(), events...)
		if i == 1 {
			tracker.Prepare(t.Context(), batch)
		}
		for _, p := range batch {
			require.NoError(t, tracker.Handle(p.Context, p.Event))
		}
	}
	a, err := want.Number(t.Context(), phone)
	require.NoError(t, err)
	b, err := got.Number(t.Context(), phone)
	require.NoError(t, err)
	require.Greater(t, a.Version, int64(1), "the echo has changed nothing")
	require.Equal(t, a.Version, b.Version)
	require.Equal(t, a.Stage, b.Stage)
}

// A store of a host that knows no batches goes on as before, and the log says once what it misses.
func TestAStoreWithoutBatchesIsToldOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := struct{ coexistence.Store }{new(coexistence.MemStore)}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store,
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	for _, ev := range eventsOf(t, inbound("wamid.1", ada, 1, text("a")), inbound("wamid.2", ada, 2, text("b"))) {
		batch := preparations(t.Context(), ev)
		tracker.Prepare(t.Context(), batch)
		require.NoError(t, tracker.Handle(batch[0].Context, ev))
	}
	require.Equal(t, []string{"a", "b"}, texts(t, store, "US.1001"))
	require.Equal(t, 1, strings.Count(log.String(), "BatchStore"))
}

// A silentStore refuses to read conversations.
type silentStore struct{ coexistence.MemStore }

func (*silentStore) Conversation(context.Context, graph.PhoneNumberID, string) (coexistence.Conversation, error) {
	return coexistence.Conversation{}, errPoison
}

// Handlers get the conversation with the event: without a query where it was prepared, and with one
// where it was not.
func TestHandlersGetTheConversationWithTheEvent(t *testing.T) {
	t.Parallel()
	store := new(silentStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	var got []coexistence.Conversation
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		c, err := tracker.Conversation(ctx, m)
		require.NoError(t, err)
		got = append(got, c)
		_, err = tracker.Conversation(t.Context(), m)
		require.ErrorIs(t, err, errPoison, "without the context it is read")
		return nil
	})
	receiver := webhook.DispatchAll(webhook.MultiHandler(tracker, &mux))
	for _, b := range []string{
		inbound("wamid.1", adaNumber, 1, text("a")), echo("wamid.2", adaNumber, 2, text("b")),
		inbound("wamid.3", ada, 3, text("c")),
	} {
		require.NoError(t, receiver.Receive(t.Context(), webhook.Delivery{Body: []byte(b), ReceivedAt: time.Now()}))
	}
	require.Len(t, got, 2)
	want, err := store.MemStore.Conversation(t.Context(), phone, "US.1001")
	require.NoError(t, err)
	require.Equal(t, got[0].ID, got[1].ID, "also when the user id becomes known")
	require.Equal(t, 1, got[0].UnreadCount)
	require.Equal(t, "15550100101", got[0].Contact.Key)
	want.Last = nil
	require.Equal(t, want, got[1])

	plain, err := coexistence.NewTracker(coexistence.Config{Store: &store.MemStore})
	require.NoError(t, err)
	for _, b := range []string{
		status("wamid.2", ada, 4, "read"), inbound("wamid.4", adaUser, 4, fmt.Sprintf(reactionTo, "wamid.2", "A")),
	} {
		ev := decode(t, b)[0]
		require.NoError(t, plain.Handle(t.Context(), ev))
		c, err := plain.Conversation(t.Context(), ev)
		require.NoError(t, err)
		require.Equal(t, want.ID, c.ID)
	}
	_, err = plain.Conversation(t.Context(), decode(t, inbound("wamid.5", business, 5, text("x")))[0])
	require.ErrorIs(t, err, coexistence.ErrNotFound)
}
