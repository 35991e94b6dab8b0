package coexistence_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// corpus returns the folder with captured coexistence bodies.
func corpus(t *testing.T) string {
	t.Helper()
	dir := payloads.Folder("coexistence")
	if dir == "" {
		t.Skip("COEXISTENCE_PAYLOADS names no folder with captured bodies")
	}
	return filepath.Join(dir, "coexistence")
}

func read(t *testing.T, dir, name string) []webhook.Event {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name+".json"))
	require.NoError(t, err)
	return decode(t, string(b))
}

// A follower is a tracker that onboards whatever number or account a body is about, so that every
// body finds its state.
type follower struct {
	store   *coexistence.MemStore
	tracker *coexistence.Tracker
}

func follow(t *testing.T, events ...webhook.Event) *follower {
	t.Helper()
	f := &follower{store: new(coexistence.MemStore)}
	var err error
	f.tracker, err = coexistence.NewTracker(coexistence.Config{Store: f.store})
	require.NoError(t, err)
	for _, ev := range events {
		info := ev.Info()
		if info.PhoneNumberID == "" {
			info.PhoneNumberID = phone
		}
		require.NoError(t, f.tracker.Onboard(t.Context(), cloudapi.Onboarding{
			PhoneNumberID: info.PhoneNumberID, WABAIDs: []graph.WABAID{info.WABAID},
			DisplayPhoneNumber: info.DisplayPhoneNumber, OnboardedAt: time.Unix(1, 0),
		}))
		require.NoError(t, f.tracker.Handle(t.Context(), ev))
	}
	return f
}

func (f *follower) state(t *testing.T, ev webhook.Event) coexistence.Number {
	t.Helper()
	id := ev.Info().PhoneNumberID
	if id == "" {
		id = phone
	}
	st, err := f.store.Number(t.Context(), id)
	require.NoError(t, err)
	return st
}

func (f *follower) shown(t *testing.T, phone graph.PhoneNumberID) map[string]int {
	t.Helper()
	n := map[string]int{}
	for c, err := range f.store.Conversations(t.Context(), phone) {
		require.NoError(t, err)
		n[c.Contact.Key] = c.MessageCount
	}
	return n
}

// Each captured body goes through by itself, twice, and leaves something that can be read and
// written.
func TestCorpusGoesThroughTheTracker(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.Greater(t, len(names), 60)
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := read(t, dir, name)
			once, twice := follow(t, events...), follow(t, append(events, events...)...)
			for _, ev := range events {
				info := ev.Info()
				require.Equal(t, once.shown(t, info.PhoneNumberID), twice.shown(t, info.PhoneNumberID))
				st := once.state(t, ev)
				require.Equal(t, st.Stage, twice.state(t, ev).Stage)
				_, err := json.Marshal(st)
				require.NoError(t, err)
				for c, err := range once.store.Conversations(t.Context(), info.PhoneNumberID) {
					require.NoError(t, err)
					require.NotEqual(t, graph.EquivalenceKey(info.DisplayPhoneNumber), c.Contact.Key,
						"the business is nobody's customer")
				}
			}
		})
	}
}

func TestCorpusHistoryInDeliveryOrder(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	var events []webhook.Event
	for _, name := range []string{"history-seq-01-phase0-chunk1", "history-seq-02-phase1-chunk2",
		"history-seq-03-phase1-chunk1", "history-seq-04-phase2-chunk1"} {
		events = append(events, read(t, dir, name)...)
		f := follow(t, events...)
		st := f.state(t, events[0])
		if len(events) < 4 {
			require.Equal(t, coexistence.StageSyncing, st.Stage)
		} else {
			require.Equal(t, coexistence.StageActive, st.Stage)
		}
		require.Equal(t, len(events) == 2, len(st.History.Gaps()) > 0, "chunk 2 of phase 1 arrives before chunk 1")
	}
	f := follow(t, events...)
	st := f.state(t, events[0])
	require.Equal(t, coexistence.SyncComplete, st.History.Status)
	require.Equal(t, 100, st.History.Progress)
	var said []string
	for m, err := range f.store.Messages(t.Context(), st.PhoneNumberID, "16505551234") {
		require.NoError(t, err)
		require.True(t, m.Imported())
		require.False(t, m.Answerable())
		said = append(said, m.Text)
	}
	require.Equal(t, []string{"seq D", "seq B", "seq C", "seq A"}, said)
}

func TestCorpusReconnection(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	off, back := read(t, dir, "account_update-account_offboarded-pair")[0], read(t, dir,
		"account_update-account_reconnected-pair")[0]
	require.True(t, back.Info().At.Before(off.Info().At), "Meta's own times are in the wrong order")
	require.Equal(t, coexistence.StageOffboarded, follow(t, off).state(t, off).Stage)
	for _, events := range [][]webhook.Event{{off, back}, {back, off}, {off, back, off, back}} {
		require.Equal(t, coexistence.StageOnboarded, follow(t, events...).state(t, off).Stage)
	}
}

func TestCorpusUnavailableMessage(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	ghost, whole := read(t, dir, "messages-unsupported-131060")[0], read(t, dir, "messages-131060-redelivered")[0]
	id, number := ghost.(*webhook.UnavailableMessage).ID, ghost.Info().PhoneNumberID
	m, err := follow(t, ghost).store.Message(t.Context(), number, id)
	require.NoError(t, err)
	require.True(t, m.Visible())
	require.False(t, m.Answerable())
	for _, events := range [][]webhook.Event{{ghost, whole}, {whole, ghost}, {ghost, whole, ghost}} {
		m, err := follow(t, events...).store.Message(t.Context(), number, id)
		require.NoError(t, err)
		require.Equal(t, webhook.TypeText, m.Type)
		require.NotEmpty(t, m.Text)
		require.NotNil(t, m.Referral)
		require.True(t, m.Answerable())
	}
}

// Meta gives the media of a placeholder another sender and an earlier time.
func TestCorpusHistoryMedia(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	chunk, media := read(t, dir, "history-chunk")[0], read(t, dir, "history-media")[0]
	id := media.(*webhook.HistoryMedia).ID
	before, err := follow(t, chunk).store.Message(t.Context(), chunk.Info().PhoneNumberID, id)
	require.NoError(t, err)
	require.Equal(t, webhook.TypeMediaPlaceholder, before.Type)
	for _, events := range [][]webhook.Event{{chunk, media}, {media, chunk}} {
		after, err := follow(t, events...).store.Message(t.Context(), chunk.Info().PhoneNumberID, id)
		require.NoError(t, err)
		require.Equal(t, webhook.TypeImage, after.Type)
		require.NotEmpty(t, after.Media.ID)
		require.Equal(t, before.At, after.At)
		require.Equal(t, before.Outbound, after.Outbound)
		require.Equal(t, before.Person, after.Person)
		require.Equal(t, before.Status, after.Status)
	}
}
