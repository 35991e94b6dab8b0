package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A preparer is a recorder that prepares, and notes which events were prepared together.
type preparer struct {
	recorder
	during  func(ctx context.Context, names []string) // within Prepare
	batches [][]string
	found   []string // events that were prepared when they were handled, each time
}

type preparedKey struct{}

func (p *preparer) Prepare(ctx context.Context, batch []webhook.Preparation) {
	var names []string
	for i := range batch {
		names = append(names, nameOf(batch[i].Event))
		batch[i].Context = context.WithValue(batch[i].Context, preparedKey{}, nameOf(batch[i].Event))
	}
	p.mu.Lock()
	p.batches = append(p.batches, names)
	p.mu.Unlock()
	if p.during != nil {
		p.during(ctx, names)
	}
}

func (p *preparer) Handle(ctx context.Context, ev webhook.Event) error {
	if name, ok := ctx.Value(preparedKey{}).(string); ok {
		p.mu.Lock()
		p.found = append(p.found, name)
		p.mu.Unlock()
		if name != nameOf(ev) {
			return errors.New("the context of another event")
		}
	}
	return p.recorder.Handle(ctx, ev)
}

// together returns what was prepared, sorted, and the size of the largest batch.
func (p *preparer) together() (names []string, largest int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.batches {
		names = append(names, b...)
		largest = max(largest, len(b))
	}
	slices.Sort(names)
	return names, largest
}

// While one step is under way, the next one gathers. Each event is prepared before it is handled,
// and a conversation stays in order.
func TestEventsArePreparedTogetherBeforeTheyAreHandled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &preparer{during: func(context.Context, []string) { time.Sleep(100 * time.Millisecond) }}
		in := start(t, new(inbox.MemStore), webhook.MultiHandler(p), inbox.Config{Workers: 4})
		var want []string
		for i := range 200 {
			name := fmt.Sprintf("wamid.%03d", i)
			want = append(want, name)
			receive(t, in, says(fmt.Sprintf("1555010%04d", i%20), name))
			time.Sleep(5 * time.Millisecond)
		}
		require.NoError(t, in.WaitIdle(t.Context()))
		names, largest := p.together()
		require.Equal(t, want, names)
		require.GreaterOrEqual(t, largest, 4)
		require.Len(t, p.found, 200, "handled with the context that was prepared")
		last := map[int]string{}
		for _, name := range p.names() {
			var i int
			_, err := fmt.Sscanf(name, "wamid.%d", &i)
			require.NoError(t, err)
			require.Less(t, last[i%20], name, "out of order")
			last[i%20] = name
		}
	})
}

// What is claimed while a step is under way fills the next one, also where all conversations are
// those of one number: steps of a few dozen cost several times as much for each event.
func TestStepsOfOneNumberAreLarge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &preparer{during: func(context.Context, []string) { time.Sleep(100 * time.Millisecond) }}
		in := start(t, new(inbox.MemStore), p, inbox.Config{})
		receive(t, in, says("15550100001", "wamid.first")) // from then on, handlers are known to be fast
		require.NoError(t, in.WaitIdle(t.Context()))
		for person := range 512 {
			receive(t, in, says(fmt.Sprintf("1555010%04d", person), fmt.Sprintf("wamid.%d", person)))
		}
		require.NoError(t, in.WaitIdle(t.Context()))
		_, largest := p.together()
		require.GreaterOrEqual(t, largest, 100)
	})
}

// Numbers take turns at being prepared: a text of one waits for the step that is under way, and not
// for all that was claimed of another number before.
func TestANumberIsPreparedInTheNextStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &preparer{during: func(context.Context, []string) { time.Sleep(100 * time.Millisecond) }}
		in := start(t, new(inbox.MemStore), p, inbox.Config{})
		for person := range 40 {
			var ids []string
			for i := range 40 {
				ids = append(ids, fmt.Sprintf("wamid.flood.%d.%d", person, i))
			}
			receive(t, in, says(fmt.Sprintf("1555010%04d", person), ids...))
		}
		time.Sleep(50 * time.Millisecond)
		other := says("15550100101", "wamid.other")
		other.Body = bytes.ReplaceAll(other.Body, []byte("106540352242922"), []byte("106540352242923"))
		receive(t, in, other)
		require.NoError(t, in.WaitIdle(t.Context()))
		step := slices.IndexFunc(p.batches, func(names []string) bool { return slices.Contains(names, "wamid.other") })
		require.Equal(t, 1, step)
		require.Len(t, p.names(), 40*40+1)
	})
}

// What failed is not prepared again, nor is what stands behind it in its conversation as long as it
// comes with it: whatever spoils a step spoils one step.
func TestWhatFailedIsHandledWithoutBeingPrepared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := new(preparer)
		fails := 2
		p.then = func(_ context.Context, name string) error {
			if name == "wamid.bad" && fails > 0 {
				fails--
				return errors.New("not yet")
			}
			return nil
		}
		in := start(t, new(inbox.MemStore), p, inbox.Config{})
		receive(t, in, says("15550100101", "wamid.bad", "wamid.behind"), says("15550100102", "wamid.other"))
		require.NoError(t, in.WaitIdle(t.Context()))
		prepared := 0
		for _, name := range p.found {
			if name == "wamid.bad" {
				prepared++
			}
		}
		require.Equal(t, 1, prepared)
		require.Equal(t, 3, strings.Count(fmt.Sprint(p.names()), "wamid.bad"))
		require.Equal(t, "wamid.behind", p.names()[len(p.names())-1])
	})
}

// A step that panics, and one that hangs, keep no event from being handled.
func TestEventsAreHandledAfterAFailedPreparation(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]func(release <-chan struct{}){
		"panic": func(<-chan struct{}) { panic("a bug") },
		"hang":  func(release <-chan struct{}) { <-release },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				var log bytes.Buffer
				var mu sync.Mutex // of the log, which the buffer has none for
				logger := slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil))
				p := &preparer{during: func(context.Context, []string) { during(release) }}
				in := start(t, new(inbox.MemStore), p, inbox.Config{Logger: logger})
				receive(t, in, says("15550100101", "wamid.1", "wamid.2"))
				require.NoError(t, in.WaitIdle(t.Context()))
				receive(t, in, says("15550100101", "wamid.3"), says("15550100102", "wamid.4"))
				require.NoError(t, in.WaitIdle(t.Context()))
				require.ElementsMatch(t, []string{"wamid.1", "wamid.2", "wamid.3", "wamid.4"}, p.names())
				mu.Lock()
				require.Contains(t, log.String(), "level=ERROR")
				mu.Unlock()
				close(release)
				if name == "hang" {
					names, _ := p.together()
					require.Equal(t, []string{"wamid.1", "wamid.2"}, names, "nothing is prepared while a step hangs")
					synctest.Wait()
					receive(t, in, says("15550100103", "wamid.5"))
					require.NoError(t, in.WaitIdle(t.Context()))
					names, _ = p.together()
					require.Equal(t, []string{"wamid.1", "wamid.2", "wamid.5"}, names)
				}
			})
		})
	}
}

// A lockedWriter is written to by several goroutines.
type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

// A process that is shut down gives back what it has prepared and not handled, and the next one
// handles it: once, and in order.
func TestWhatWasPreparedAndNotHandledComesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(inbox.MemStore)
		entered := make(chan struct{})
		p := &preparer{during: func(ctx context.Context, _ []string) {
			close(entered)
			<-ctx.Done()
		}}
		in := start(t, store, p, inbox.Config{})
		receive(t, in, says("15550100101", "wamid.1", "wamid.2", "wamid.3"))
		<-entered
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, in.Shutdown(ctx))
		require.Empty(t, p.names())
		next := new(preparer)
		again := start(t, store, next, inbox.Config{})
		require.NoError(t, again.WaitIdle(t.Context()))
		require.Equal(t, []string{"wamid.1", "wamid.2", "wamid.3"}, next.names())
	})
}

// History is not prepared: its deliveries are large, and stored together as they are.
func TestHistoryIsHandledWithoutBeingPrepared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := new(preparer)
		in := start(t, new(inbox.MemStore), p, inbox.Config{})
		receive(t, in, history(1), says("15550100101", "wamid.1"))
		require.NoError(t, in.WaitIdle(t.Context()))
		names, _ := p.together()
		require.Equal(t, []string{"wamid.1"}, names)
		require.ElementsMatch(t, []string{"history 1", "wamid.1"}, p.names())
	})
}

func TestInTxPassesOnWhatItsHandlerPrepares(t *testing.T) {
	t.Parallel()
	p := new(preparer)
	within, ok := inbox.InTx(p).(webhook.Preparer)
	require.True(t, ok)
	batch := []webhook.Preparation{{Event: &webhook.IncomingMessage{ID: "wamid.1"}, Context: t.Context()}}
	within.Prepare(t.Context(), batch)
	require.Equal(t, "wamid.1", batch[0].Context.Value(preparedKey{}))
	_, ok = inbox.InTx(new(webhook.Mux)).(webhook.Preparer)
	require.False(t, ok)
	_, err := inbox.New(new(inbox.MemStore), inbox.InTx(p), inbox.Config{})
	require.ErrorContains(t, err, "SQL database")
}
