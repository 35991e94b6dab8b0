package coexistence_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A world is deliveries about a few messages of a few people, drawn at random: people under several
// names, the same message live and in history, edits of messages nobody has seen.
func drawWorld(t *rapid.T) []string {
	people := []who{ada, adaNumber, adaUser, grace, {user: "US.1002"}, {number: "15550100102", user: "US.1002"},
		{number: "15550100103"}}
	person := rapid.SampledFrom(people)
	id := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("wamid.%d", rapid.IntRange(1, 5).Draw(t, "id")) })
	second := rapid.IntRange(0, 30)
	content := rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 7).Draw(t, "content") {
		case 0:
			return image(fmt.Sprint(3000+second.Draw(t, "media")), "caption")
		case 1:
			return fmt.Sprintf(editOf, id.Draw(t, "of"), text(fmt.Sprint("edited ", second.Draw(t, "text"))))
		case 2:
			return fmt.Sprintf(revokeOf, id.Draw(t, "of"))
		case 3:
			return fmt.Sprintf(reactionTo, id.Draw(t, "of"), rapid.SampledFrom([]string{"A", "B", ""}).Draw(t, "emoji"))
		case 4:
			return ghost
		case 5:
			return `"type":"location","location":{"latitude":1,"longitude":2,"name":"Shop"}`
		}
		return text(fmt.Sprint("text ", second.Draw(t, "text")))
	})
	delivery := rapid.Custom(func(t *rapid.T) string {
		from, at := person.Draw(t, "person"), second.Draw(t, "at")
		switch rapid.IntRange(0, 8).Draw(t, "delivery") {
		case 0, 1:
			return inbound(id.Draw(t, "id"), from, at, content.Draw(t, "content"))
		case 2:
			return echo(id.Draw(t, "id"), from, at, content.Draw(t, "content"))
		case 3:
			code := rapid.SampledFrom([]string{"sent", "delivered", "read", "failed", "pondered"}).Draw(t, "status")
			return status(id.Draw(t, "id"), from, at, code)
		case 4:
			var messages []string
			for range rapid.IntRange(0, 3).Draw(t, "messages") {
				writer := rapid.SampledFrom([]who{from, business}).Draw(t, "writer")
				said := rapid.SampledFrom([]string{mediaGone, text("past"), content.Draw(t, "content")}).Draw(t, "said")
				messages = append(messages, past(id.Draw(t, "id"), writer, second.Draw(t, "at"), said))
			}
			return history(rapid.IntRange(0, 2).Draw(t, "phase"), rapid.IntRange(1, 4).Draw(t, "order"), at*3, from,
				messages...)
		case 5:
			return historyMedia(id.Draw(t, "id"), rapid.SampledFrom([]who{from, business}).Draw(t, "writer"), at,
				image("3100", ""))
		case 6:
			return historyMediaEcho(id.Draw(t, "id"), from, at, image("3101", ""))
		case 7:
			to := person.Draw(t, "to")
			return system(id.Draw(t, "id"), from, at,
				fmt.Sprintf(`"type":"user_changed_number","wa_id":%q,"user_id":%q`, to.number, to.user))
		}
		return contact(rapid.SampledFrom([]string{"add", "remove"}).Draw(t, "action"), fmt.Sprint("Name ", at%3), from,
			at)
	})
	return rapid.SliceOfN(delivery, 1, 14).Draw(t, "deliveries")
}

// A view is everything that a store knows about the number, except when it was told.
type view struct {
	messages      map[graph.MessageID]coexistence.Message
	conversations []coexistence.Conversation
	order         []graph.MessageID // of the conversations' messages
	contacts      []coexistence.Contact
	phases        []coexistence.PhaseSync
	progress      int
}

func viewAfter(t *rapid.T, store coexistence.Store, events []webhook.Event) view {
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	for _, ev := range events {
		require.NoError(t, tracker.Handle(t.Context(), ev))
	}
	return viewOf(t.Context(), t, store)
}

// viewAfterBatches prepares events in batches of any size, as an inbox does.
func viewAfterBatches(t *rapid.T, store coexistence.Store, events []webhook.Event) view {
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	for len(events) > 0 {
		n := rapid.IntRange(1, len(events)).Draw(t, "batch")
		batch := preparations(t.Context(), events[:n]...)
		tracker.Prepare(t.Context(), batch)
		for _, p := range batch {
			require.NoError(t, tracker.Handle(p.Context, p.Event))
		}
		events = events[n:]
	}
	return viewOf(t.Context(), t, store)
}

func viewOf(ctx context.Context, t require.TestingT, store coexistence.Store) view {
	v := view{messages: map[graph.MessageID]coexistence.Message{}}
	for i := range 6 {
		id := graph.MessageID(fmt.Sprintf("wamid.%d", i))
		if m, err := store.Message(ctx, phone, id); err == nil {
			m.ConversationID = "" // is that of the one that happened to be made first
			v.messages[id] = m
		}
	}
	for c, err := range store.Conversations(ctx, phone) {
		require.NoError(t, err)
		for m, err := range store.Messages(ctx, phone, c.ID) {
			require.NoError(t, err)
			require.Equal(t, c.ID, m.ConversationID)
			v.order = append(v.order, m.ID)
		}
		c.ID, c.FormerIDs, c.Last.ConversationID = "", nil, ""
		v.conversations = append(v.conversations, c)
	}
	for c, err := range store.Contacts(ctx, phone) {
		require.NoError(t, err)
		v.contacts = append(v.contacts, c)
	}
	if st, err := store.Number(ctx, phone); err == nil {
		v.phases, v.progress = st.History.Phases, st.History.Progress
	}
	return v
}

// Deliveries come late, twice and in any order. The same deliveries make the same view.
func TestTheOrderOfDeliveriesDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var events []webhook.Event
		for _, b := range drawWorld(t) {
			events = append(events, decode(t, b)...)
		}
		want := viewAfter(t, new(coexistence.MemStore), events)
		shuffled := rapid.Permutation(slices.Concat(events, events[:len(events)/2])).Draw(t, "order")
		got := viewAfter(t, new(coexistence.MemStore), shuffled)
		require.Equal(t, want.messages, got.messages)
		require.Equal(t, want, got)
		batched := viewAfterBatches(t, new(coexistence.MemStore), shuffled)
		require.Equal(t, want.messages, batched.messages)
		require.Equal(t, want, batched)
	})
}

// A jsonStore keeps contacts and messages as JSON, as databases do.
type jsonStore struct{ coexistence.MemStore }

func (s *jsonStore) UpdateMessages(
	ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*coexistence.Message),
) error {
	var errs []error
	err := s.MemStore.UpdateMessages(ctx, phone, ids, func(m *coexistence.Message) {
		fn(m)
		errs = append(errs, throughJSON(m))
	})
	return errors.Join(append(errs, err)...)
}

func (s *jsonStore) UpdateContact(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string, fn func(*coexistence.Contact),
) (coexistence.Contact, error) {
	var broken error
	c, err := s.MemStore.UpdateContact(ctx, phone, aliases, func(c *coexistence.Contact) {
		fn(c)
		broken = throughJSON(c)
	})
	return c, errors.Join(broken, err)
}

func throughJSON[T any](v *T) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	*v = *new(T)
	return json.Unmarshal(b, v)
}

// Databases keep contacts and messages as JSON between any two events. Events that follow must find
// in it whatever decides about them.
func TestWhatWasReadFromJSONTakesLaterEventsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var events []webhook.Event
		for _, b := range drawWorld(t) {
			events = append(events, decode(t, b)...)
		}
		require.Equal(t, viewAfter(t, new(coexistence.MemStore), events), viewAfter(t, new(jsonStore), events))
	})
}

// An endpoint handles deliveries in many goroutines at once.
func TestConcurrentDeliveriesMakeTheSameView(t *testing.T) {
	t.Parallel()
	var events []webhook.Event
	for _, b := range []string{
		inbound("wamid.1", adaNumber, 1, ghost), inbound("wamid.1", ada, 1, text("hi")),
		inbound("wamid.2", adaUser, 2, text("there")),
		inbound("wamid.9", ada, 3, fmt.Sprintf(editOf, "wamid.2", text("where"))),
		echo("wamid.3", adaNumber, 4, text("here")),
		echo("wamid.9", ada, 5, fmt.Sprintf(revokeOf, "wamid.3")), status("wamid.3", ada, 6, "read"),
		status("wamid.3", ada, 5, "sent"),
		history(0, 1, 8, ada, past("wamid.1", ada, 9, text("past")), past("wamid.4", business, 1, mediaGone)),
		history(1, 2, 100, adaNumber, past("wamid.5", adaNumber, -9, text("older"))),
		historyMediaEcho("wamid.4", ada, 1, image("1", "")),
		contact("add", "Ada", ada, 1), contact("add", "Ada L.", adaNumber, 2),
		system("wamid.0", adaNumber, 7, `"type":"user_changed_number","wa_id":"15550100109"`),
	} {
		events = append(events, decode(t, b)...)
	}
	sequential := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: sequential})
	require.NoError(t, err)
	for _, ev := range events {
		require.NoError(t, tracker.Handle(t.Context(), ev))
	}
	want := viewOf(t.Context(), t, sequential)
	require.Len(t, want.conversations, 1)
	for range 20 {
		store := new(coexistence.MemStore)
		tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for worker := range 6 {
			wg.Go(func() {
				for i := range events {
					if err := tracker.Handle(t.Context(), events[(i*5+worker)%len(events)]); err != nil {
						t.Errorf("got %v", err)
					}
				}
			})
		}
		wg.Wait()
		require.Equal(t, want, viewOf(t.Context(), t, store))
	}
}
