package coexistence_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// An arrival is a delivery with when it arrived, in milliseconds.
type arrival struct {
	body  string
	milli int
}

// arrive hands deliveries to a tracker over store.
func arrive(t *testing.T, store coexistence.Store, deliveries ...arrival) {
	t.Helper()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	for _, a := range deliveries {
		receivedAt := at(100).Add(time.Duration(a.milli) * time.Millisecond)
		events, err := webhook.Delivery{Body: []byte(a.body), ReceivedAt: receivedAt}.Events()
		require.NoError(t, err)
		for _, ev := range events {
			require.NoError(t, tracker.Handle(t.Context(), ev))
		}
	}
}

// Six lines typed within one second are shown in the order in which they were typed, however they
// come: live, as repeats, in a history of either direction, or partly in each. Their ids tell
// nothing.
func TestMessagesOfOneSecondKeepTheOrderOfThePhone(t *testing.T) {
	t.Parallel()
	ids := []string{"wamid.D", "wamid.B", "wamid.F", "wamid.A", "wamid.E", "wamid.C"}
	line := func(i int) string { return fmt.Sprint("line ", i+1) }
	live := func(i, milli int) arrival {
		if i%2 == 1 {
			return arrival{echo(ids[i], ada, 1, text(line(i))), milli}
		}
		return arrival{inbound(ids[i], ada, 1, text(line(i))), milli}
	}
	// Another message makes the direction plain.
	imported := func(newestFirst bool, lines ...int) arrival {
		list := []string{past("wamid.0", ada, 0, text("line 0"))}
		for _, i := range lines {
			list = append(list, past(ids[i], []who{ada, business}[i%2], 1, text(line(i))))
		}
		if newestFirst {
			slices.Reverse(list)
		}
		return arrival{history(0, 1, 100, ada, list...), 5000}
	}
	all := []int{0, 1, 2, 3, 4, 5}
	tests := map[string][]arrival{
		"live":          {live(0, 10), live(1, 20), live(2, 30), live(3, 40), live(4, 50), live(5, 60)},
		"imported":      {imported(false, all...)},
		"newest first":  {imported(true, all...)},
		"live and late": {live(3, 40), live(5, 60), live(0, 10), live(4, 50), live(2, 30), live(1, 20)},
		"repeated": {
			live(0, 10), live(1, 20), live(0, 70), live(2, 30), live(3, 40), live(1, 80), live(4, 50), live(5, 60),
		},
		"both":             {live(3, 40), live(5, 60), imported(true, all...), live(0, 10), live(4, 50)},
		"imported by half": {live(3, 40), imported(false, 0, 1, 2), live(5, 60), live(4, 50)},
	}
	for name, deliveries := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := []string{"line 1", "line 2", "line 3", "line 4", "line 5", "line 6"}
			for range 2 {
				store := new(coexistence.MemStore)
				arrive(t, store, deliveries...)
				got := texts(t, store, "US.1001")
				if got[0] == "line 0" {
					got = got[1:]
				}
				require.Equal(t, want, got)
				slices.Reverse(deliveries)
			}
		})
	}
}

// A status, an edit or a placeholder that is told before the message keeps its place: what speaks
// about a message came after it.
func TestWhatSpeaksAboutAMessagePlacesIt(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	arrive(t, store,
		arrival{inbound("wamid.9", ada, 1, ghost), 10},
		arrival{inbound("wamid.5", ada, 1, text("second")), 20},
		arrival{inbound("wamid.9", ada, 1, text("first")), 30},
		arrival{inbound("wamid.1", ada, 1, text("third")), 40})
	require.Equal(t, []string{"first", "second", "third"}, texts(t, store, "US.1001"))
}

// A history holds the reactions to messages that were deleted, and not those messages. They keep
// the places that they had when they came live.
func TestAReactionInAHistoryMovesNoMessage(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	reaction := `"type":"reaction","reaction":{"message_id":"wamid.1","emoji":"👍"}`
	arrive(t, store,
		arrival{inbound("wamid.2", ada, 1, text("first")), 10},
		arrival{inbound("wamid.1", ada, 1, text("second")), 20},
		arrival{history(0, 1, 100, ada, past("wamid.3", business, 30, reaction)), 5000})
	require.Equal(t, []string{"first", "second"}, texts(t, store, "US.1001"))
}

// Events of one delivery have their places in it; events without an arrival come first, by their
// ids.
func TestPlacesWithinADeliveryCount(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	message := func(id string) string {
		return fmt.Sprintf(`{"from":"15550100101","id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}`, id,
			at(1).Unix(), id)
	}
	arrive(t, store, arrival{body("messages", `"messages":[`+message("wamid.3")+","+message("wamid.1")+","+
		message("wamid.2")+`]`), 0})
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	events, err := webhook.Decode([]byte(body("messages",
		`"messages":[`+message("wamid.9")+","+message("wamid.8")+`]`)))
	require.NoError(t, err)
	for _, ev := range events {
		require.NoError(t, tracker.Handle(t.Context(), ev))
	}
	require.Equal(t, []string{"wamid.8", "wamid.9", "wamid.3", "wamid.1", "wamid.2"}, texts(t, store, "15550100101"))
}

func TestCursorsAndPlacesSurviveText(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	arrive(t, store, arrival{inbound("wamid.with space==", ada, 1, text("x")), 10})
	m := message(t, store, "wamid.with space==")
	place, err := m.Cursor().Place()
	require.NoError(t, err)
	require.Equal(t, m.Place(), place)
	require.NotZero(t, place.Position)
	stored, err := json.Marshal(m)
	require.NoError(t, err)
	var again coexistence.Message
	require.NoError(t, json.Unmarshal(stored, &again))
	require.Zero(t, m.Compare(again), "the place is stored with the message")
	for _, bad := range []coexistence.Cursor{"", "x", "1 2 3", "MSAy", "YSAyIDM", "MSBhIDM"} {
		_, err := bad.Place()
		require.ErrorIs(t, err, coexistence.ErrCursor, "%q", bad)
	}
	require.Error(t, json.Unmarshal([]byte(`"555 x"`), &again.Provenance))
}
