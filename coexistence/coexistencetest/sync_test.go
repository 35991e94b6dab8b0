package coexistencetest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const day = 24 * time.Hour

func TestADeclinedHistoryIsAnErrorByWebhook(t *testing.T) {
	t.Parallel()
	world, h := newWorld(t, coexistencetest.Config{})
	phone := world.NewPhone(coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 50}})
	token := onboard(t, world, phone, coexistencetest.HistoryDeclined)
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"), "the call itself is accepted")
	wait(t, world)
	hooks := h.of(t, "history")
	require.Len(t, hooks, 1)
	part := hooks[0].Value.History[0]
	require.Nil(t, part.Metadata)
	require.Equal(t, 2593109, part.Errors[0].Code)
}

func TestAStalledSyncIsAcceptedAndNeverAnswered(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{
		History: coexistencetest.History{Messages: 50}, StallHistory: true, StallContacts: true,
	})
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "smb_app_state_sync"))
	wait(t, world)
	require.Empty(t, h.of(t, "history"))
	require.Empty(t, h.of(t, "smb_app_state_sync"))
	require.Empty(t, world.Suppressed(), "it is not the host's fault")
}

// pastWith returns one conversation with a message of every age at a boundary.
func pastWith(ages ...time.Duration) []coexistencetest.PastConversation {
	conv := coexistencetest.PastConversation{
		With: coexistencetest.CustomerConfig{PhoneNumber: "+1 555-010-0142", Name: "Ada"},
	}
	for i, age := range ages {
		conv.Messages = append(conv.Messages, coexistencetest.PastMessage{
			Age: age, Outbound: i%2 == 1, Content: coexistencetest.Image("picture"), Status: "delivered",
		})
	}
	return []coexistencetest.PastConversation{conv}
}

func TestHistoryBoundaries(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t,
		coexistencetest.Config{History: coexistencetest.HistoryConfig{InOrder: true}},
		coexistencetest.PhoneConfig{Conversations: pastWith(
			time.Hour, day-time.Hour, day+time.Hour, 13*day, 15*day, 89*day, 91*day, 179*day, 181*day)})
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	wait(t, world)

	counts := map[int]int{}
	var progress []int
	details := 0
	for _, one := range h.of(t, "history") {
		details += len(one.Value.Messages) + len(one.Value.Echoes)
		for _, part := range one.Value.History {
			progress = append(progress, part.Metadata.Progress)
			for _, thread := range part.Threads {
				counts[part.Metadata.Phase] += len(thread.Messages)
				for i, m := range thread.Messages {
					require.Equal(t, "media_placeholder", m.Type)
					require.True(t, i == 0 || thread.Messages[i-1].Timestamp <= m.Timestamp, "oldest first")
				}
			}
		}
	}
	require.Equal(t, map[int]int{0: 2, 1: 4, 2: 2}, counts, "older than 180 days is not shared")
	require.Equal(t, 4, details, "media is described for 14 days")
	require.Equal(t, []int{25, 75, 99, 100}, progress)
	require.True(t, slices.IsSorted(progress))
}

func TestAnEmptyHistoryIsOneEmptyChunk(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	wait(t, world)
	hooks := h.of(t, "history")
	require.Len(t, hooks, 1)
	require.Equal(t, 100, hooks[0].Value.History[0].Metadata.Progress)
	require.Contains(t, h.received()[len(h.received())-1], `"threads":[]`)
}

func TestChunksArriveOutOfOrderAndMediaEarly(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t,
		coexistencetest.Config{History: coexistencetest.HistoryConfig{ChunkSize: 50}},
		coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 1000, MediaPercent: 20}})
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	wait(t, world)
	var positions []int
	early, seen := 0, map[graph.MessageID]bool{}
	for _, one := range h.of(t, "history") {
		for _, m := range append(one.Value.Messages, one.Value.Echoes...) {
			if !seen[m.ID] {
				early++
			}
		}
		for _, part := range one.Value.History {
			positions = append(positions, part.Metadata.Phase*1000+part.Metadata.Order)
			for _, thread := range part.Threads {
				for _, m := range thread.Messages {
					seen[m.ID] = true
				}
			}
		}
	}
	require.Greater(t, len(positions), 15)
	require.False(t, slices.IsSorted(positions))
	require.Positive(t, early)
	slices.Sort(positions)
	require.Len(t, slices.Compact(positions), len(positions), "no number is given twice")
}

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	tell := func(seed uint64) []string {
		world, h, phone, token := connected(t, coexistencetest.Config{Seed: seed, Start: start},
			coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 200}})
		require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
		wait(t, world)
		var ids []string
		for _, one := range h.of(t, "history") {
			for _, part := range one.Value.History {
				for _, thread := range part.Threads {
					for _, m := range thread.Messages {
						ids = append(ids, string(m.ID)+m.Type+m.Text.Body)
					}
				}
			}
		}
		return ids
	}
	story := tell(3)
	require.Equal(t, story, tell(3))
	require.NotEqual(t, story, tell(4))
}

func TestWebhooksCanComeFromTheOtherAccount(t *testing.T) {
	t.Parallel()
	world, h := newWorld(t, coexistencetest.Config{})
	phone := world.NewPhone(coexistencetest.PhoneConfig{SecondAccount: true})
	result, err := openPopup(t, world).Complete(phone, coexistencetest.HistoryShared)
	require.NoError(t, err)
	token := exchange(t, world, result.Code)
	require.Len(t, phone.WABAs(), 2)
	subscribe := func(id graph.WABAID) {
		status, _ := call(t, world, token, "POST", "/"+string(id)+"/subscribed_apps", "")
		require.Equal(t, http.StatusOK, status)
	}
	subscribe(phone.WABA())
	customer := phone.Customer("+1 555-010-0142")
	customer.Send("Into the void")
	wait(t, world)
	require.Empty(t, h.of(t, "messages"))
	require.Equal(t, webhook.FieldMessages, world.Suppressed()[0].Field)
	require.Equal(t, phone.WABAs()[1], world.Suppressed()[0].WABAID)
	subscribe(phone.WABAs()[1])
	customer.Send("Heard")
	wait(t, world)
	require.Equal(t, string(phone.WABAs()[1]), h.of(t, "messages")[0].entry)
}

func TestMadeUpHistoryHoldsWhatTheRealOneDoes(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{Seed: 5})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 3000}})
	kinds, hidden, old, total := map[string]int{}, 0, 0, 0
	for _, c := range phone.Customers() {
		id := c.Identity()
		if id.WAID == "" {
			hidden++
			require.NotEmpty(t, id.UserID)
			require.NotEmpty(t, id.Username)
		}
		if id.UserID == "" {
			old++
			require.NotEmpty(t, id.WAID)
		}
		for _, m := range phone.Chat(c) {
			kinds[m.Content.Type]++
			total++
			require.Less(t, world.Now().Sub(m.At), 180*day)
		}
	}
	for _, kind := range []string{"text", "image", "video", "audio", "document", "sticker", "location", "contacts"} {
		require.Positive(t, kinds[kind], kind)
	}
	require.Positive(t, hidden)
	require.Positive(t, old)
	require.Greater(t, total, 2800, "all but the reactions")
}
