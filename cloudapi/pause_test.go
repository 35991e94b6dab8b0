package cloudapi_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

const regainTwoMinutes = `{"200000000000002":[{"type":"whatsapp","call_count":3,"estimated_time_to_regain_access":1},` +
	`{"type":"whatsapp_business_management","call_count":100,"total_cputime":"25","total_time":25.5,` +
	`"estimated_time_to_regain_access":2}]}`

// patient returns a client in memory that may wait for ten minutes.
func patient(t *testing.T, rt http.RoundTripper) *cloudapi.Client {
	return newClient(t, cloudapi.Config{
		AccessToken: token, HTTPClient: &http.Client{Transport: rt}, Limiter: cloudapi.Unlimited, // pauses only
		Retry: cloudapi.RetryPolicy{MaxAttempts: 5, MinWait: time.Second, MaxWait: 10 * time.Minute},
	})
}

func TestPausesFollowMeta(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer *http.Response
		want   []time.Duration
	}{
		"a pair: four to the power of X": {
			response(400, graphError("131056", "")),
			[]time.Duration{time.Second, 4 * time.Second, 16 * time.Second, 64 * time.Second},
		},
		"a WABA: minutes of the usage header": {
			response(400, graphError("80007", ""), "X-Business-Use-Case-Usage", regainTwoMinutes),
			[]time.Duration{2 * time.Minute, 2 * time.Minute, 2 * time.Minute, 2 * time.Minute},
		},
		"Retry-After in seconds": {
			response(429, graphError("130429", ""), "Retry-After", "7"),
			[]time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second, 7 * time.Second},
		},
		"the longer of two": {
			response(400, graphError("131056", ""), "Retry-After", "10"),
			[]time.Duration{10 * time.Second, 10 * time.Second, 16 * time.Second, 64 * time.Second},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rt, _ := answers(tt.answer)
				var at []time.Time
				client := patient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
					at = append(at, time.Now())
					return rt(r)
				}))
				_, err := client.Messages.Send(t.Context(), phoneID, text())
				require.ErrorIs(t, err, graph.ErrThrottled)
				var got []time.Duration
				for i := 1; i < len(at); i++ {
					got = append(got, at[i].Sub(at[i-1]))
				}
				require.Equal(t, tt.want, got)
			})
		})
	}
}

func TestRetryAfterMayBeADate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		date := time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
		rt, n := answers(response(400, graphError("130429", ""), "Retry-After", date), response(200, sentBody))
		start := time.Now()
		_, err := patient(t, rt).Messages.Send(t.Context(), phoneID, text())
		require.NoError(t, err)
		require.Equal(t, 2, *n)
		require.InDelta(t, 90, time.Since(start).Seconds(), 1)
	})
}

func TestOtherPausesDoubleWithJitterUpToTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt, _ := answers(response(500, ""))
		var at []time.Time
		client := newClient(t, cloudapi.Config{
			AccessToken: token, Retry: cloudapi.RetryPolicy{MaxAttempts: 12, MaxWait: 20 * time.Second},
			HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				at = append(at, time.Now())
				return rt(r)
			})},
		})
		_, err := client.Phones.Get(t.Context(), phoneID, cloudapi.PhoneGetOptions{})
		require.Error(t, err)
		require.Len(t, at, 12)
		different := false
		for i := 1; i < len(at); i++ {
			full := min(time.Second<<(i-1), 20*time.Second)
			got := at[i].Sub(at[i-1])
			require.GreaterOrEqual(t, got, full/2)
			require.LessOrEqual(t, got, full)
			different = different || got != full
		}
		require.True(t, different, "there is no jitter")
	})
}

// A shorter pause than Meta asks for would only be refused again.
func TestPauseThatIsTooLongEndsTheCallAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt, n := answers(response(400, graphError("80007", ""), "X-Business-Use-Case-Usage", regainTwoMinutes))
		client := newClient(t, cloudapi.Config{AccessToken: token, HTTPClient: &http.Client{Transport: rt}})
		start := time.Now()
		_, err := client.Messages.Send(t.Context(), phoneID, text())
		e := asError(t, err)
		require.Equal(t, 2*time.Minute, e.RetryAfter)
		require.Equal(t, cloudapi.OutcomeRefused, e.Outcome)
		require.Equal(t, 1, *n)
		require.Zero(t, time.Since(start))
	})
}

func TestPauseNeverOutlastsTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt, n := answers(response(400, graphError("131056", "")))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err := patient(t, rt).Messages.Send(ctx, phoneID, text())
		e := asError(t, err)
		require.Equal(t, 3, *n, "after 1 and 4 seconds there are 5 left, and the next pause is 16")
		require.Equal(t, 5*time.Second, time.Since(start), "it waited for nothing")
		require.Equal(t, 16*time.Second, e.RetryAfter)
		require.Equal(t, cloudapi.OutcomeRefused, e.Outcome)
	})
}

func TestCancellingDuringAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt, n := answers(response(400, graphError("80007", ""), "X-Business-Use-Case-Usage", regainTwoMinutes))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Second, cancel)
		start := time.Now()
		_, err := patient(t, rt).Messages.Send(ctx, phoneID, text())
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, graph.CodeRateLimitIssues, "what Meta said is lost")
		require.Equal(t, cloudapi.OutcomeRefused, asError(t, err).Outcome)
		require.Equal(t, 30*time.Second, time.Since(start))
		require.Equal(t, 1, *n)
	})
}

func TestCancellingDuringASend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		n := 0
		_, err := patient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			n++
			_, _ = r.Body.Read(make([]byte, 4096))
			<-r.Context().Done()
			return nil, r.Context().Err()
		})).Messages.Send(ctx, phoneID, text())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome)
		require.Equal(t, 1, n)
	})
}

// The timeout of the HTTP client ends one attempt. Its request may still sit in a goroutine of the
// transport, which must not send it once another attempt is under way.
func TestAttemptThatTimedOutCannotLeaveLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left, n := 0, 0
		rt := roundTripper(func(r *http.Request) (*http.Response, error) {
			n++
			send := func() {
				if read, _ := r.Body.Read(make([]byte, 4096)); read > 0 {
					left++
				}
			}
			if n == 1 {
				go func() {
					time.Sleep(time.Minute)
					send()
				}()
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			send()
			return response200(), nil
		})
		client := newClient(t, cloudapi.Config{
			AccessToken: token, HTTPClient: &http.Client{Transport: rt, Timeout: 10 * time.Second},
		})
		_, err := client.Messages.Send(t.Context(), phoneID, text())
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		require.Equal(t, 2, n)
		require.Equal(t, 1, left, "the message left twice")
	})
}

func response200() *http.Response {
	resp := response(200, sentBody)
	resp.Body, _ = resp.Request.GetBody()
	return resp
}

func TestCallWithAFinishedContextDoesNothing(t *testing.T) {
	t.Parallel()
	rt, n := answers(response(200, sentBody))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := patient(t, rt).Messages.Send(ctx, phoneID, text())
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, cloudapi.OutcomeNotSent, asError(t, err).Outcome)
	require.Zero(t, *n)
}
