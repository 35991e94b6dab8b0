package turnstile_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/turnstile"
)

// every lets one through in so much time.
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
		var line turnstile.Line
		var mu sync.Mutex
		var order []string
		try := every(time.Second)
		pass := func(name string, urgent bool) {
			go func() {
				err := line.Pass(t.Context(), urgent, try)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					order = append(order, name)
				}
			}()
			synctest.Wait()
		}
		for i := range 3 {
			pass(fmt.Sprintf("patient %d", i), false)
		}
		pass("urgent 0", true)
		pass("urgent 1", true)
		require.Equal(t, 4, line.Len())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"patient 0", "urgent 0", "urgent 1", "patient 1", "patient 2"}, order)
		require.Zero(t, line.Len())
	})
}

func TestWhoGivesUpHoldsNobodyBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var line turnstile.Line
		try := every(time.Second)
		require.NoError(t, line.Pass(t.Context(), false, try))
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { gone <- line.Pass(ctx, true, try) }()
		synctest.Wait()
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- line.Pass(t.Context(), false, try) }()
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
		var line turnstile.Line
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := line.Pass(ctx, false, func() (time.Duration, error) { return 2 * time.Second, nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, time.Since(began))
	})
}

func TestAnErrorOfTheBudgetEndsTheWait(t *testing.T) {
	t.Parallel()
	var line turnstile.Line
	down := errors.New("down")
	require.ErrorIs(t, line.Pass(t.Context(), false, func() (time.Duration, error) { return 0, down }), down)
	require.Zero(t, line.Len())
}

func TestWakeMakesTheFirstAskAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var line turnstile.Line
		line.Wake() // nobody there
		var asked int
		go func() {
			_ = line.Pass(t.Context(), false, func() (time.Duration, error) {
				asked++
				return []time.Duration{time.Hour, 0}[asked-1], nil
			})
		}()
		synctest.Wait()
		line.Wake()
		synctest.Wait()
		require.Equal(t, 2, asked)
		require.Zero(t, line.Len())
	})
}
