package waitqueue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/waitqueue"
)

// every is a budget of one for each d.
func every(d time.Duration) func() (time.Duration, error) {
	var mu sync.Mutex
	next := time.Now()
	return func() (time.Duration, error) {
		mu.Lock()
		defer mu.Unlock()
		if wait := time.Until(next); wait > 0 {
			return wait, nil
		}
		next = time.Now().Add(d)
		return 0, nil
	}
}

func TestUrgentOnesGoFirstAndTheRestInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var queue waitqueue.Queue
		var mu sync.Mutex
		var order []string
		try := every(time.Second)
		wait := func(name string, urgent bool) {
			go func() {
				err := queue.Wait(t.Context(), urgent, try)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					order = append(order, name)
				}
			}()
			synctest.Wait()
		}
		for i := range 3 {
			wait(fmt.Sprintf("regular %d", i), false)
		}
		wait("urgent 0", true)
		wait("urgent 1", true)
		require.Equal(t, 4, queue.Len())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"regular 0", "urgent 0", "urgent 1", "regular 1", "regular 2"}, order)
		require.Zero(t, queue.Len())
	})
}

func TestACanceledWaiterDelaysNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var queue waitqueue.Queue
		try := every(time.Second)
		require.NoError(t, queue.Wait(t.Context(), false, try))
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { gone <- queue.Wait(ctx, true, try) }()
		synctest.Wait()
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- queue.Wait(t.Context(), false, try) }()
		time.Sleep(100 * time.Millisecond)
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		require.NoError(t, <-done)
		require.Equal(t, time.Second, time.Since(began))
	})
}

func TestAWaitThatTheContextWouldNotOutliveEndsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var queue waitqueue.Queue
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := queue.Wait(ctx, false, func() (time.Duration, error) { return 2 * time.Second, nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, time.Since(began))
	})
}

func TestAnErrorOfTheBudgetEndsTheWait(t *testing.T) {
	t.Parallel()
	var queue waitqueue.Queue
	down := errors.New("down")
	require.ErrorIs(t, queue.Wait(t.Context(), false, func() (time.Duration, error) { return 0, down }), down)
	require.Zero(t, queue.Len())
}

func TestWakeMakesTheFirstAskAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var queue waitqueue.Queue
		queue.Wake() // an empty queue
		var asked int
		go func() {
			_ = queue.Wait(t.Context(), false, func() (time.Duration, error) {
				asked++
				return []time.Duration{time.Hour, 0}[asked-1], nil
			})
		}()
		synctest.Wait()
		queue.Wake()
		synctest.Wait()
		require.Equal(t, 2, asked)
		require.Zero(t, queue.Len())
	})
}
