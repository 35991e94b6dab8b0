package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore/storetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// People are forgotten at any moment of random lives, under any of their names, by a file and by a
// store in memory. In the end all events come again, in another order. Then both know the same, and
// no message of a person who was forgotten.
func TestPeopleWhoAreForgottenAtAnyMomentStayForgotten(t *testing.T) {
	t.Parallel()
	for range 3 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 2))
		events, err := storetest.Events(seed, 80)
		require.NoError(t, err)
		for _, ev := range events {
			require.True(t, ev.Info().At.Before(time.Now()), "the events are of the past")
		}
		file, memory := open(t, ""), new(coexistence.MemStore)
		tell := func(list []webhook.Event) {
			t.Helper()
			for _, s := range []coexistence.Store{file, memory} {
				require.NoError(t, storetest.Handle(t.Context(), s, list), "seed %d", seed)
			}
		}
		forgotten := map[string]bool{}
		for part := range slices.Chunk(events, 20) {
			tell(part)
			name := []string{"15550100101", "US.1001", "15550100102", "US.1002", "15550100103"}[r.IntN(5)]
			for _, n := range namesOf(t, memory, name) {
				forgotten[n] = true
			}
			for _, s := range []coexistence.Forgetter{file.Store, memory} {
				req := coexistence.ForgetRequest{PhoneNumberID: storetest.Phone, Person: name}
				require.NoError(t, s.Forget(t.Context(), req), "seed %d", seed)
			}
		}
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		tell(events)
		want, err := storetest.ViewOf(t.Context(), memory)
		require.NoError(t, err)
		require.NoError(t, storetest.Differs(t.Context(), file, want), "seed %d", seed)
		for _, ev := range events {
			for _, id := range idsOf(ev) {
				for _, name := range peopleOf(t, file, id) {
					require.False(t, forgotten[name], "message %s of %s is there, seed %d", id, name, seed)
				}
			}
		}
	}
}

// namesOf returns all names of the person who is known by one.
func namesOf(t *testing.T, s coexistence.Store, name string) []string {
	t.Helper()
	for c, err := range s.Contacts(t.Context(), storetest.Phone) {
		require.NoError(t, err)
		if slices.Contains(c.Aliases, name) {
			return c.Aliases
		}
	}
	return []string{name}
}

// peopleOf returns the names of whom a message is about, none if it does not exist.
func peopleOf(t *testing.T, s coexistence.Store, id graph.MessageID) []string {
	t.Helper()
	m, err := s.Message(t.Context(), storetest.Phone, id)
	if errors.Is(err, coexistence.ErrNotFound) {
		return nil
	}
	require.NoError(t, err)
	return coexistence.TombstoneNames(m)
}

// idsOf returns the messages that an event is about, as far as they are looked at here.
func idsOf(ev webhook.Event) []graph.MessageID {
	switch ev := ev.(type) {
	case *webhook.IncomingMessage:
		return []graph.MessageID{ev.ID}
	case *webhook.BusinessAppEcho:
		return []graph.MessageID{ev.ID}
	case *webhook.MessageStatus:
		return []graph.MessageID{ev.ID}
	case *webhook.HistoryChunk:
		var ids []graph.MessageID
		for _, m := range ev.Messages() {
			ids = append(ids, m.ID)
		}
		return ids
	default:
		return nil
	}
}

// What goes is taken out of the pages of the index of words, and nothing else is written again: a
// part of the index that had none of it stays as it is.
func TestTheIndexOfWordsForgets(t *testing.T) {
	t.Parallel()
	store := open(t, "")
	forgetter, ok := store.Store.(coexistence.Forgetter)
	require.True(t, ok)
	const phone = "106540352242922"
	say := func(person, word string, n int) {
		t.Helper()
		for part := range 3 { // each is a lot, and becomes a part of the index
			ids := make([]graph.MessageID, n)
			for i := range ids {
				ids[i] = graph.MessageID(fmt.Sprint("wamid.", person, part, ".", i))
			}
			require.NoError(t, store.UpdateMessages(t.Context(), phone, ids, func(m *coexistence.Message) {
				m.Person, m.At = person, time.Unix(1795953329, 0).UTC()
				m.Content = coexistence.Content{Type: "text", Text: word}
			}))
		}
	}
	say("15550100101", "heliotrope", 1100)
	say("15550100102", "chrysanthemum", 1100)
	indexed := func(word string) bool {
		t.Helper()
		rows, err := store.SQL().QueryContext(t.Context(), "SELECT block FROM coexistence_texts_data")
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var block []byte
			require.NoError(t, rows.Scan(&block))
			if bytes.Contains(block, []byte(word)) {
				return true
			}
		}
		require.NoError(t, rows.Err())
		return false
	}
	search := func(word string) []coexistence.Message {
		t.Helper()
		found, _, err := store.SearchMessages(t.Context(), phone, word, "", 10)
		require.NoError(t, err)
		return found
	}
	require.Len(t, search("heliotrope"), 10) // and now all is in the index
	writes := func() (n int) {
		t.Helper()
		require.NoError(t, store.SQL().QueryRowContext(t.Context(),
			"SELECT MAX(id >> 37) FROM coexistence_texts_data").Scan(&n)) // the newest segment
		return n
	}
	segment := writes()
	require.NoError(t, forgetter.Forget(t.Context(), coexistence.ForgetRequest{
		PhoneNumberID: phone, Person: "15550100109",
	}))
	require.Equal(t, segment, writes())
	require.True(t, indexed("heliotrope"))
	require.True(t, indexed("hrysanthemum")) // behind the beginning that it shares with a shorter one
	require.NoError(t, forgetter.Forget(t.Context(), coexistence.ForgetRequest{
		PhoneNumberID: phone, Person: "15550100101",
	}))
	require.False(t, indexed("heliotrope"))
	require.Equal(t, segment, writes(), "no segment was merged")
	require.Empty(t, search("heliotrope"))
	require.Len(t, search("chrysanthemum"), 10, "the others are found as before")
	_, err := store.SQL().ExecContext(t.Context(), "INSERT INTO coexistence_texts (coexistence_texts, rank) "+
		"VALUES ('integrity-check', 1)")
	require.NoError(t, err, "the index has what the messages say, and nothing else")
}
