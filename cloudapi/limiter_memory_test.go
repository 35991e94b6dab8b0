package cloudapi

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Inside the package, because what a limiter remembers shows nowhere else.
func TestTheLimiterForgetsWhatItNeedNotKnow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &MemLimiter{Throughput: func(graph.PhoneNumberID) int { return HighRate }}
		most := 0
		for i := range 30_000 {
			to := ToPhone(fmt.Sprintf("+1555%07d", i))
			require.NoError(t, l.Wait(t.Context(), SendRequest{From: "1", To: to}))
			most = max(most, len(l.numbers["1"].pairs))
		}
		// A pair is remembered for six seconds, which is 6,000 of them at that rate.
		require.LessOrEqual(t, most, 20_000)

		time.Sleep(time.Minute)
		most = 0
		for i := range 30_000 {
			from := graph.PhoneNumberID(fmt.Sprint(i))
			require.NoError(t, l.Wait(t.Context(), SendRequest{From: from, To: ToPhone("+15550100123")}))
			time.Sleep(10 * time.Millisecond)
			most = max(most, len(l.numbers))
		}
		require.LessOrEqual(t, most, 2_000)
	})
}

func TestAForgottenNumberBehavesLikeANewOne(t *testing.T) {
	t.Parallel()
	now := time.Now()
	n := new(number)
	require.True(t, n.idle(now))
	n.take(now, CoexistenceRate)
	require.False(t, n.idle(now))
	require.True(t, n.idle(now.Add(time.Second)))
	n.pace.apply(Throttle{Pause: time.Minute}, now)
	require.False(t, n.idle(now.Add(time.Second)))
	require.True(t, n.idle(now.Add(time.Minute)))
	n.pace.apply(Throttle{HalveRate: true}, now.Add(time.Minute))
	require.False(t, n.idle(now.Add(time.Minute+time.Second)))
	require.True(t, n.idle(now.Add(2*time.Minute)))
	n.pair(ToPhone("+15550100123"), now)
	require.False(t, n.idle(now.Add(2*time.Minute)))
	n.sweep(now)
	require.True(t, n.idle(now.Add(2*time.Minute)))
}

func TestWhatALimiterIsToldToForgetIsGone(t *testing.T) {
	t.Parallel()
	l := new(MemLimiter)
	ada, grace := ToPhone("+15550100123"), ToPhone("+15550100124")
	for _, to := range []Recipient{ada, grace} {
		l.Try(SendRequest{From: "1", To: to})
	}
	require.NoError(t, l.Forget(t.Context(), "1", ada))
	require.NotContains(t, l.numbers["1"].pairs, ada)
	require.Contains(t, l.numbers["1"].pairs, grace)
	n := l.acquireNumber("1")
	require.NoError(t, l.Forget(t.Context(), "1"))
	require.Same(t, n, l.numbers["1"], "it is in use, and two of it would pass twice as much")
	l.releaseNumber(n)
	require.NoError(t, l.Forget(t.Context(), "1"))
	require.Empty(t, l.numbers)
	require.NoError(t, l.Forget(t.Context(), "1"))
}
