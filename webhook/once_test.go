package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func keyed(key string) webhook.Event {
	return &webhook.IncomingMessage{EventInfo: webhook.EventInfo{DedupKey: key}}
}

func TestOncePassesARepeatOnlyAfterAFailure(t *testing.T) {
	t.Parallel()
	errStore := errors.New("host: the store is down")
	tests := map[string]struct {
		first     error
		wantCalls int
	}{
		"handled":           {nil, 1},
		"failed":            {errStore, 2},
		"failed for good":   {webhook.Permanent(errStore), 1},
		"wrapped for good":  {fmt.Errorf("host: %w", webhook.Permanent(errStore)), 1},
		"joined, one fails": {errors.Join(webhook.Permanent(errStore), errStore), 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			h := webhook.Once(webhook.HandlerFunc(func(context.Context, webhook.Event) error {
				calls++
				if calls == 1 {
					return tt.first
				}
				return nil
			}), new(webhook.MemDedupStore))
			require.Equal(t, tt.first == nil, h.Handle(t.Context(), keyed("a")) == nil)
			require.NoError(t, h.Handle(t.Context(), keyed("a")))
			require.Equal(t, tt.wantCalls, calls)
			require.NoError(t, h.Handle(t.Context(), keyed("b")), "another event is not held back")
			require.Equal(t, tt.wantCalls+1, calls)
		})
	}
}

func TestOnceLetsEventsWithoutKeyPass(t *testing.T) {
	t.Parallel()
	calls := 0
	count := func(context.Context, webhook.Event) error { calls++; return nil }
	h := webhook.Once(webhook.HandlerFunc(count), new(webhook.MemDedupStore))
	for range 3 {
		require.NoError(t, h.Handle(t.Context(), keyed("")))
	}
	require.Equal(t, 3, calls)
}

func TestOnceReleasesWhatPanicked(t *testing.T) {
	t.Parallel()
	calls := 0
	h := webhook.Once(webhook.HandlerFunc(func(context.Context, webhook.Event) error {
		calls++
		if calls == 1 {
			panic("host: a bug")
		}
		return nil
	}), new(webhook.MemDedupStore))
	err := h.Handle(t.Context(), keyed("a"))
	_, panicked := errors.AsType[*webhook.PanicError](err)
	require.True(t, panicked, "got %v", err)
	require.NoError(t, h.Handle(t.Context(), keyed("a")))
	require.Equal(t, 2, calls)
}

func TestOnceHandlesConcurrentRepeatsOnce(t *testing.T) {
	t.Parallel()
	var calls, refused atomic.Int32
	entered, leave := make(chan struct{}), make(chan struct{})
	h := webhook.Once(webhook.HandlerFunc(func(context.Context, webhook.Event) error {
		calls.Add(1)
		close(entered)
		<-leave
		return nil
	}), new(webhook.MemDedupStore))
	var first sync.WaitGroup
	first.Go(func() { require.NoError(t, h.Handle(t.Context(), keyed("a"))) })
	<-entered
	var rest sync.WaitGroup
	for range 16 {
		rest.Go(func() {
			if errors.Is(h.Handle(t.Context(), keyed("a")), webhook.ErrInProgress) {
				refused.Add(1)
			}
		})
	}
	rest.Wait()
	close(leave)
	first.Wait()
	require.NoError(t, h.Handle(t.Context(), keyed("a")))
	require.Equal(t, int32(1), calls.Load())
	require.Equal(t, int32(16), refused.Load(), "a repeat during the work must not be acknowledged")
}

func TestMemLedgerForgetsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l webhook.MemDedupStore
		abandoned, err := l.Claim(t.Context(), "abandoned")
		require.NoError(t, err)
		handled, err := l.Claim(t.Context(), "handled")
		require.NoError(t, err)
		require.NoError(t, handled.Done(t.Context()))

		time.Sleep(time.Minute - time.Second)
		_, err = l.Claim(t.Context(), "abandoned")
		require.ErrorIs(t, err, webhook.ErrInProgress)
		time.Sleep(time.Second)
		_, err = l.Claim(t.Context(), "abandoned")
		require.NoError(t, err, "the holder died; the next delivery gets it")
		require.Error(t, abandoned.Done(t.Context()), "a lost claim says so")
		require.NoError(t, abandoned.Release(t.Context()))
		_, err = l.Claim(t.Context(), "abandoned")
		require.ErrorIs(t, err, webhook.ErrInProgress, "a lost claim cannot release somebody else's")

		time.Sleep(7*24*time.Hour + 12*time.Hour)
		_, err = l.Claim(t.Context(), "handled")
		require.ErrorIs(t, err, webhook.ErrDuplicate, "Meta repeats for 7 days")
		time.Sleep(24 * time.Hour)
		_, err = l.Claim(t.Context(), "handled")
		require.NoError(t, err)
	})
}

func TestMemLedgerIsBounded(t *testing.T) {
	t.Parallel()
	l := webhook.MemDedupStore{MaxKeys: 100}
	handle := func(key string) error {
		claim, err := l.Claim(t.Context(), key)
		if err != nil {
			return err
		}
		return claim.Done(t.Context())
	}
	const n = 1000
	for i := range n {
		require.NoError(t, handle(strconv.Itoa(i)))
		for back := range min(i+1, 50) {
			require.ErrorIs(t, handle(strconv.Itoa(i-back)), webhook.ErrDuplicate,
				"half of MaxKeys is sure to be there")
		}
	}
	known := 0
	for i := range n {
		if claim, err := l.Claim(t.Context(), strconv.Itoa(i)); err == nil {
			require.NoError(t, claim.Release(t.Context()))
		} else {
			known++
		}
	}
	require.LessOrEqual(t, known, 100)
}

func TestMemLedgerKeepsAClaimWhileOthersAreForgotten(t *testing.T) {
	t.Parallel()
	l := webhook.MemDedupStore{MaxKeys: 4}
	held, err := l.Claim(t.Context(), "held")
	require.NoError(t, err)
	for i := range 2 { // the claim grows old
		claim, err := l.Claim(t.Context(), strconv.Itoa(i))
		require.NoError(t, err)
		require.NoError(t, claim.Done(t.Context()))
	}
	_, err = l.Claim(t.Context(), "held")
	require.ErrorIs(t, err, webhook.ErrInProgress)
	require.NoError(t, held.Done(t.Context()))
	_, err = l.Claim(t.Context(), "held")
	require.ErrorIs(t, err, webhook.ErrDuplicate)
}

func ExampleOnce() {
	answers := 0
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.IncomingMessage) error {
		answers++
		return nil
	})
	h := webhook.Once(&mux, new(webhook.MemDedupStore))
	for range 3 { // Meta delivers the same message three times
		_ = h.Handle(context.Background(),
			&webhook.IncomingMessage{EventInfo: webhook.EventInfo{DedupKey: "messages/106540352242922/wamid.1"}})
	}
	fmt.Println(answers)
	// Output: 1
}
