package cloudapi_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// person is the i-th of many made-up people.
func person(i int) cloudapi.Recipient { return cloudapi.ToPhone(fmt.Sprintf("+1555%07d", i)) }

func turnTo(to cloudapi.Recipient) cloudapi.SendRequest {
	return cloudapi.SendRequest{From: phoneID, To: to}
}

// refused is an attempt that ended with a code, as a limiter is told of it.
func refused(code graph.Code, retryAfter time.Duration) cloudapi.Attempt {
	rt, _ := answers(response(400, graphError(fmt.Sprint(int(code)), ""), "Retry-After",
		fmt.Sprint(int(retryAfter/time.Second))))
	var seen cloudapi.Attempt
	c, err := cloudapi.NewClient(cloudapi.Config{
		AccessToken: token, HTTPClient: &http.Client{Transport: rt}, Limiter: cloudapi.Unlimited,
		Retry: cloudapi.RetryPolicy{MaxAttempts: 1}, Observe: func(_ context.Context, c cloudapi.Attempt) { seen = c },
	})
	if err == nil {
		_, err = c.Messages.Send(context.Background(), phoneID, text())
	}
	if err == nil || seen.Err == nil {
		panic("the call was not refused")
	}
	return seen
}

// flood sends n messages to n people at once and returns when each left, from the start.
func flood(t *testing.T, l cloudapi.Limiter, n int) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var left []time.Duration
	var all sync.WaitGroup
	began := time.Now()
	for i := range n {
		all.Go(func() {
			if l.Wait(t.Context(), turnTo(person(i))) == nil {
				mu.Lock()
				defer mu.Unlock()
				left = append(left, time.Since(began))
			}
		})
	}
	all.Wait()
	require.Len(t, left, n)
	return left
}

// mostIn is the largest number of messages in any window.
func mostIn(window time.Duration, left []time.Duration) int {
	most, from := 0, 0
	for i, at := range left {
		for at-left[from] >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

func TestANumberKeepsItsThroughput(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		limiter *cloudapi.MemLimiter
		rate    int
	}{
		"coexistence, the default": {new(cloudapi.MemLimiter), 20},
		"standard": {
			&cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return cloudapi.StandardRate }}, 80,
		},
		"high": {
			&cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return cloudapi.HighRate }}, 1000,
		},
		"unknown": {&cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return 0 }}, 20},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				left := flood(t, tt.limiter, 5*tt.rate)
				require.LessOrEqual(t, mostIn(time.Second, left), tt.rate+tt.rate/20)
				require.InDelta(t, 5, left[len(left)-1].Seconds(), 0.1, "the throughput is not used")
			})
		})
	}
}

func TestNumbersDoNotHoldEachOtherBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := new(cloudapi.MemLimiter)
		began := time.Now()
		for i := range 100 {
			turn := cloudapi.SendRequest{From: graph.PhoneNumberID(fmt.Sprint(i)), To: person(1)}
			require.NoError(t, l.Wait(t.Context(), turn))
		}
		require.Zero(t, time.Since(began))
	})
}

func TestReceivedMessagesTakeFromTheSameBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := new(cloudapi.MemLimiter)
		ctx, stop := context.WithCancel(t.Context())
		var feed sync.WaitGroup
		feed.Go(func() { // ten a second come in
			for ctx.Err() == nil {
				l.RecordInbound(ctx, phoneID, time.Now())
				time.Sleep(100 * time.Millisecond)
			}
		})
		left := flood(t, l, 100)
		stop()
		feed.Wait()
		require.InDelta(t, 10, left[len(left)-1].Seconds(), 0.5, "ten a second are left")
	})
}

func TestLateDeliveriesDoNotStopTheSends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := new(cloudapi.MemLimiter)
		for range 10_000 {
			l.RecordInbound(t.Context(), phoneID, time.Now().Add(-time.Hour)) // after an outage
		}
		began := time.Now()
		require.NoError(t, l.Wait(t.Context(), turnTo(person(1))))
		require.Zero(t, time.Since(began))
		for range 10_000 {
			l.RecordInbound(t.Context(), phoneID, time.Now().Add(-30*time.Second))
		}
		require.NoError(t, l.Wait(t.Context(), turnTo(person(1))))
		require.LessOrEqual(t, time.Since(began), 2*time.Second)
	})
}

func TestThePairRule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return 1_000_000 }}
		began := time.Now()
		var at []time.Duration
		for range cloudapi.PairBurst + 3 {
			require.NoError(t, l.Wait(t.Context(), turnTo(person(1))))
			at = append(at, time.Since(began).Round(time.Millisecond))
		}
		require.Zero(t, at[cloudapi.PairBurst-1])
		require.Equal(t, []time.Duration{6 * time.Second, 12 * time.Second, 18 * time.Second}, at[cloudapi.PairBurst:])
		now := time.Now()
		require.NoError(t, l.Wait(t.Context(), turnTo(person(2))))
		require.Zero(t, time.Since(now), "another person is not concerned")
	})
}

func TestRepliesGoBeforeCampaigns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := new(cloudapi.MemLimiter)
		ctx, cancel := context.WithCancel(t.Context())
		var campaign sync.WaitGroup
		for i := range 1000 {
			campaign.Go(func() {
				_ = l.Wait(ctx, cloudapi.SendRequest{From: phoneID, To: person(i), Priority: cloudapi.PriorityCampaign})
			})
		}
		time.Sleep(10 * time.Second)
		for i := range 5 {
			began := time.Now()
			require.NoError(t, l.Wait(t.Context(), turnTo(person(5000+i))))
			require.LessOrEqual(t, time.Since(began), 50*time.Millisecond,
				"a reply waits for the next place, not for the campaign")
		}
		cancel()
		campaign.Wait()
	})
}

func TestTheContextEndsAWait(t *testing.T) {
	t.Parallel()
	t.Run("in the queue", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l := new(cloudapi.MemLimiter)
			flood(t, l, 1)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			require.ErrorIs(t, l.Wait(ctx, turnTo(person(2))), context.Canceled)
		})
	})
	t.Run("for the pair, and the place is given back", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l := &cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return 1_000_000 }}
			for range cloudapi.PairBurst {
				require.NoError(t, l.Wait(t.Context(), turnTo(person(1))))
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			require.ErrorIs(t, l.Wait(ctx, turnTo(person(1))), context.Canceled)
			began := time.Now()
			require.NoError(t, l.Wait(t.Context(), turnTo(person(1))))
			require.Equal(t, 5*time.Second, time.Since(began).Round(time.Millisecond))
		})
	})
	t.Run("before it begins, if it cannot end well", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l := new(cloudapi.MemLimiter)
			l.Observe(t.Context(), turnTo(person(1)), refused(graph.CodeRateLimitHit, time.Minute))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			began := time.Now()
			err := l.Wait(ctx, turnTo(person(2)))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.EqualError(t, err,
				"cloudapi: the limiter holds the message back: the wait of 1m0s would outlast the context: "+
					"context deadline exceeded")
			require.Zero(t, time.Since(began))
		})
	})
}

func TestThrottlesSlowDown(t *testing.T) {
	t.Parallel()
	pause := func(t *testing.T, c cloudapi.Attempt, next cloudapi.Recipient) time.Duration {
		t.Helper()
		l := new(cloudapi.MemLimiter)
		l.Observe(t.Context(), turnTo(person(1)), c)
		began := time.Now()
		require.NoError(t, l.Wait(t.Context(), turnTo(next)))
		return time.Since(began).Round(time.Millisecond)
	}
	tests := map[string]struct {
		code  graph.Code
		after time.Duration
		next  cloudapi.Recipient
		want  time.Duration
	}{
		"throughput":                    {graph.CodeRateLimitHit, 0, person(2), time.Second},
		"throughput, and for how long":  {graph.CodeRateLimitHit, 9 * time.Second, person(2), 9 * time.Second},
		"the pair":                      {graph.CodePairRateLimitHit, 0, person(1), 6 * time.Second},
		"the pair, and for how long":    {graph.CodePairRateLimitHit, time.Minute, person(1), time.Minute},
		"another pair":                  {graph.CodePairRateLimitHit, 0, person(2), 0},
		"the account":                   {graph.CodeRateLimitIssues, 0, person(2), 5 * time.Second},
		"the account, and for how long": {graph.CodeWABARateLimit, time.Hour, person(2), time.Hour},
		"no longer than an hour":        {graph.CodeAppRateLimit, 300 * time.Hour, person(2), time.Hour},
		"the app":                       {graph.CodeAppRateLimit, 0, person(2), 5 * time.Second},
		"maintenance":                   {graph.CodeAccountInMaintenance, 0, person(2), time.Minute},
		"the window":                    {graph.CodeReengagementMessage, 0, person(1), 0},
		"quality":                       {graph.CodeSpamRateLimitHit, 0, person(1), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				require.Equal(t, tt.want, pause(t, refused(tt.code, tt.after), tt.next))
			})
		})
	}
}

func TestThroughputIsHalvedOnceForManyRefusalsAndComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := new(cloudapi.MemLimiter)
		c := refused(graph.CodeRateLimitHit, 0)
		for range 20 { // all that were under way
			l.Observe(t.Context(), turnTo(person(1)), c)
		}
		left := flood(t, l, 10)
		require.InDelta(t, 1+9/11.0, left[9].Seconds(), 0.2, "a second of silence, then half the speed")
		time.Sleep(20 * time.Second)
		left = flood(t, l, 100)
		require.InDelta(t, 5, left[99].Seconds(), 0.1)
	})
}

func TestUsageHeadersSlowDown(t *testing.T) {
	t.Parallel()
	business := func(kind string, calls int, regain time.Duration) cloudapi.Attempt {
		return cloudapi.Attempt{Response: cloudapi.Response{BusinessUsage: []cloudapi.BusinessUsage{
			{Type: kind, Usage: cloudapi.Usage{Calls: calls}, RegainAccess: regain},
		}}}
	}
	app := func(calls int) cloudapi.Attempt {
		return cloudapi.Attempt{Response: cloudapi.Response{AppUsage: &cloudapi.Usage{Calls: calls}}}
	}
	tests := map[string]struct {
		call cloudapi.Attempt
		want cloudapi.Throttle
	}{
		"nothing":         {cloudapi.Attempt{}, cloudapi.Throttle{}},
		"little":          {app(75), cloudapi.Throttle{}},
		"some":            {app(80), cloudapi.Throttle{RateShare: 0.82}},
		"all":             {app(100), cloudapi.Throttle{RateShare: 0.1}},
		"more than all":   {app(250), cloudapi.Throttle{RateShare: 0.1}},
		"of the business": {business("whatsapp", 100, 0), cloudapi.Throttle{RateShare: 0.1}},
		"spent":           {business("whatsapp", 0, 3*time.Minute), cloudapi.Throttle{Pause: 3 * time.Minute}},
		"of management":   {business("whatsapp_business_management", 100, time.Minute), cloudapi.Throttle{}},
		"429 without a body": {
			cloudapi.Attempt{Err: &cloudapi.Error{StatusCode: 429}},
			cloudapi.Throttle{Pause: time.Second, HalveRate: true},
		},
		"500 without a body": {cloudapi.Attempt{Err: &cloudapi.Error{StatusCode: 500}}, cloudapi.Throttle{}},
		"a spent sync":       {refusedWith("4", "2593107"), cloudapi.Throttle{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tt.call.Throttle()
			require.InDelta(t, tt.want.RateShare, got.RateShare, 0.001)
			got.RateShare = tt.want.RateShare
			require.Equal(t, tt.want, got)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		l := new(cloudapi.MemLimiter)
		began := time.Now()
		for i := range 21 {
			require.NoError(t, l.Wait(t.Context(), turnTo(person(i))))
			l.Observe(t.Context(), turnTo(person(i)), app(100))
		}
		require.Greater(t, time.Since(began), 5*time.Second, "two or three a second are left")
	})
}

func refusedWith(code, subcode string) cloudapi.Attempt {
	rt, _ := answers(response(400, graphError(code, subcode)))
	var seen cloudapi.Attempt
	c, _ := cloudapi.NewClient(cloudapi.Config{
		AccessToken: token, HTTPClient: &http.Client{Transport: rt}, Retry: cloudapi.RetryPolicy{MaxAttempts: 1},
		Observe: func(_ context.Context, c cloudapi.Attempt) { seen = c },
	})
	_, _ = cloudapi.Do[struct{}](context.Background(), c, cloudapi.Request{Method: "GET", Path: "/me"})
	return seen
}

// Copies of a client with other tokens send from the same number, and share its budget.
func TestCopiesOfAClientShareTheDefaultLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt, _ := answers(response(200, sentBody))
		client := newClient(t, cloudapi.Config{AccessToken: token, HTTPClient: &http.Client{Transport: rt}})
		began := time.Now()
		for i := range 41 {
			m := text()
			m.To = person(i)
			_, err := client.WithToken(graph.Secret(fmt.Sprintf(
				"EAAtoken-of-%010d", i,
			))).Messages.Send(t.Context(), phoneID, m)
			require.NoError(t, err)
		}
		require.InDelta(t, 2, time.Since(began).Seconds(), 0.01)
	})
}

func TestPriorityReachesTheLimiter(t *testing.T) {
	t.Parallel()
	rt, _ := answers(response(200, sentBody))
	var got []cloudapi.SendRequest
	client := newClient(t, cloudapi.Config{
		AccessToken: token, HTTPClient: &http.Client{Transport: rt},
		Limiter: learner{turns: &got},
	})
	m := text()
	m.Priority = cloudapi.PriorityCampaign
	_, err := client.Messages.Send(t.Context(), phoneID, m)
	require.NoError(t, err)
	turn := cloudapi.SendRequest{From: phoneID, To: m.To, Priority: cloudapi.PriorityCampaign}
	require.Equal(t, []cloudapi.SendRequest{turn, turn}, got, "asked and told")
	_, err = cloudapi.Do[struct{}](t.Context(), client, cloudapi.Request{Method: "GET", Path: "/me"})
	require.NoError(t, err)
	require.Len(t, got, 2, "a read takes no turn")
}

type learner struct{ turns *[]cloudapi.SendRequest }

func (l learner) Wait(_ context.Context, t cloudapi.SendRequest) error {
	*l.turns = append(*l.turns, t)
	return nil
}

func (l learner) Observe(_ context.Context, t cloudapi.SendRequest, _ cloudapi.Attempt) {
	*l.turns = append(*l.turns, t)
}

func TestThroughputOfANumber(t *testing.T) {
	t.Parallel()
	high := cloudapi.Throughput{Level: cloudapi.ThroughputHigh}
	require.Equal(t, 20, (&cloudapi.Phone{}).MessagesPerSecond())
	require.Equal(t, 20, (&cloudapi.Phone{IsOnBizApp: true, Throughput: high}).MessagesPerSecond())
	require.Equal(t, 80,
		(&cloudapi.Phone{Throughput: cloudapi.Throughput{Level: cloudapi.ThroughputStandard}}).MessagesPerSecond())
	require.Equal(t, 1000, (&cloudapi.Phone{Throughput: high}).MessagesPerSecond())
}

// A send that gives up waiting for a person holds no other back, in whatever order they give up.
func TestACanceledSendReleasesItsTurnOfThePair(t *testing.T) {
	t.Parallel()
	for name, order := range map[string]func(i int) int{
		"first ones first": func(i int) int { return i },
		"last ones first":  func(i int) int { return 59 - i },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := new(cloudapi.MemLimiter)
				for range cloudapi.PairBurst {
					require.NoError(t, l.Wait(t.Context(), turnTo(person(1))))
				}
				began := time.Now()
				var gone sync.WaitGroup
				cancels := make([]context.CancelFunc, 60)
				for i := range cancels {
					ctx, cancel := context.WithCancel(t.Context())
					cancels[i] = cancel
					gone.Go(func() { _ = l.Wait(ctx, turnTo(person(1))) })
					synctest.Wait()
				}
				for i := range cancels {
					cancels[order(i)]()
					synctest.Wait()
				}
				gone.Wait()
				require.NoError(t, l.Wait(t.Context(), turnTo(person(1))))
				require.LessOrEqual(t, time.Since(began), cloudapi.PairInterval,
					"people who gave up are still waited for")
			})
		})
	}
}
