package postgres_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore/storetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A process is an inbox with a tracker over a database, and what its handler had.
type process struct {
	store
	*inbox.Inbox

	mu      sync.Mutex
	handled []graph.MessageID
}

// run starts a process, which ends with the test.
func run(t testing.TB, url string, cfg inbox.Config) *process {
	t.Helper()
	p := &process{store: open(t, url)}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: p.Store, Logger: cfg.Logger})
	require.NoError(t, err)
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		stored, err := p.Message(ctx, m.PhoneNumberID, m.ID)
		if err != nil || stored.Person == "" {
			return fmt.Errorf("the message is not stored before it is handled: %w", err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.handled = append(p.handled, m.ID)
		return nil
	})
	p.Inbox, err = p.DB.Inbox(webhook.MultiHandler(tracker, &mux), cfg)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.WithoutCancel(t.Context()))) })
	return p
}

// says is a text of a person.
func says(person int, id string) webhook.Delivery {
	return webhook.Delivery{ReceivedAt: time.Now(), Body: fmt.Appendf(nil, `{"object":"whatsapp_business_account",`+
		`"entry":[{"id":"102290129340398","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100199","phone_number_id":"%s"},`+
		`"contacts":[{"profile":{"name":"Ada"},"wa_id":"1555010%04d"}],"messages":[{"from":"1555010%04d",`+
		`"id":"%s","timestamp":"%d","type":"text","text":{"body":"Hi"}}]}}]}]}`,
		storetest.Phone, person, person, id, time.Now().Unix())}
}

// The lock of a number is for people who are new. 500 texts of people who are known go through two
// processes while a third one holds it all the time: a statement that waited for it would be given
// up, and its events could not be stored together.
func TestTwoProcessesHandleTheTextsOfANumberWithoutItsLock(t *testing.T) {
	t.Parallel()
	const people, texts = 50, 500
	url := database(t)
	var log lockedBuffer
	cfg := inbox.Config{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	processes := []*process{run(t, url, cfg), run(t, url, cfg)}
	for i := range people {
		require.NoError(t, processes[i%2].Receive(t.Context(), says(i, fmt.Sprint("wamid.first.", i))))
	}
	require.NoError(t, processes[0].WaitIdle(t.Context()))
	other := "other " + rand.Text()
	third, calls := open(t, pgtest.With(url, "application_name", other)), 0
	_, err := third.UpdateContact(t.Context(), storetest.Phone,
		coexistence.Aliases(graph.Identity{WAID: "15550109999"}), func(*coexistence.Contact) {
			if calls++; calls > 1 {
				return
			}
			held := 0
			if err := third.SQL().QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks JOIN pg_stat_activity "+
				"USING (pid) WHERE locktype = 'advisory' AND granted AND application_name = $1",
				other).Scan(&held); err != nil || held == 0 {
				t.Error("the number is not locked: ", err)
			}
			var all sync.WaitGroup
			for i := range texts {
				all.Go(func() {
					p := processes[i%2]
					if err := p.Receive(t.Context(), says(i%people, fmt.Sprint("wamid.", i))); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // for a store that waits
			defer cancel()
			if err := processes[0].WaitIdle(ctx); err != nil {
				t.Error("texts wait for the lock of their number: ", err)
			}
		})
	require.NoError(t, err)
	require.NotZero(t, calls)
	require.Empty(t, log.String())
	handled := slices.Concat(processes[0].handled, processes[1].handled)
	require.Len(t, handled, people+texts)
	slices.Sort(handled)
	require.Len(t, slices.Compact(handled), people+texts, "each once")
}

// A message that the database cannot store, since its id does not fit in an index, comes among
// others. It alone becomes a dead letter; those before and behind it in its conversation, and those
// that were prepared with it, are handled.
func TestAMessageThatCannotBeStoredSpoilsNoOther(t *testing.T) {
	t.Parallel()
	const people, texts = 20, 200
	var log lockedBuffer
	url := database(t)
	var bad strings.Builder
	bad.WriteString("wamid.")
	for range 400 {
		bad.WriteString(rand.Text()) // 10 KB that cannot be compressed to what an index takes
	}
	// All of them wait when the process starts, so that they are prepared together.
	waiting, err := open(t, url).Inbox(new(webhook.Mux), inbox.Config{})
	require.NoError(t, err)
	for i := range texts {
		id := fmt.Sprint("wamid.", i)
		if i == texts/2 {
			id = bad.String()
		}
		require.NoError(t, waiting.Receive(t.Context(), says(i%people, id)))
	}
	p := run(t, url, inbox.Config{MaxAttempts: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, p.WaitIdle(t.Context()))
	require.Len(t, p.handled, texts-1)
	dead := 0
	for letter, err := range p.DeadLetters(t.Context(), inbox.Filter{}) {
		require.NoError(t, err)
		ev, err := letter.Event()
		require.NoError(t, err)
		require.Equal(t, bad.String(), string(ev.(*webhook.IncomingMessage).ID))
		dead++
	}
	require.Equal(t, 1, dead)
	require.Contains(t, log.String(), "events=1 of=", "the others of its batch are stored together")
}

// A lockedBuffer is written to by several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *lockedBuffer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

func (w *lockedBuffer) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Clone(w.b.String())
}
