package cloudapi_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// seed is COEXISTENCE_SEED, or another one each time.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := rand.Uint64()
	if s := os.Getenv("COEXISTENCE_SEED"); s != "" {
		var err error
		n, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("COEXISTENCE_SEED=%d", n)
	return n
}

// An ending is how a send ended, for its caller.
type ending struct {
	key     string
	outcome cloudapi.Outcome // "" for a success
	id      graph.MessageID
	err     error
}

// The promise of the package: 10,000 faults of every kind, some of them accepted and some not, and
// no message is sent twice. What each caller is told is true: a success was sent once, a refusal
// not at all, and "unknown" once at most.
func TestNoMessageIsSentTwiceOverTenThousandFaults(t *testing.T) {
	t.Parallel()
	faults := 10_000
	if testing.Short() {
		faults = 1_000
	}
	srv := cloudapitest.NewServer(cloudapitest.Config{RequireProof: true})
	phone := srv.AddPhone(cloudapitest.Phone{})
	n := seed(t)
	srv.Chaos(cloudapitest.Chaos{Rate: 0.75, Seed: n, Late: 300 * time.Millisecond})
	cfg := srv.ClientConfig()
	cfg.HTTPClient = &http.Client{Timeout: 150 * time.Millisecond, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	cfg.Retry = cloudapi.RetryPolicy{MaxAttempts: 4, MinWait: time.Microsecond, MaxWait: time.Millisecond}
	client := newClient(t, cfg)

	const workers = 32
	var mu sync.Mutex
	var endings []ending
	var all sync.WaitGroup
	for round := 0; count(srv, "") < faults; round++ {
		for worker := range workers {
			all.Go(func() {
				random := rand.New(rand.NewPCG(n, uint64(worker+round*workers)))
				for i := range 100 {
					e := ending{key: fmt.Sprintf("%d-%d-%d", round, worker, i)}
					ctx, cancel := context.WithCancel(t.Context())
					if random.IntN(20) == 0 { // a caller who loses patience, at any moment
						ctx, cancel = context.WithTimeout(t.Context(),
							time.Duration(random.IntN(5000))*time.Microsecond)
					}
					m := text()
					m.CallbackData = e.key
					sent, err := client.Messages.Send(ctx, phone.ID, m)
					cancel()
					if e.err = err; err == nil {
						e.id = sent.ID
					} else if failed, ok := errors.AsType[*cloudapi.Error](err); ok {
						e.outcome = failed.Outcome
					}
					mu.Lock()
					endings = append(endings, e)
					mu.Unlock()
				}
			})
		}
		all.Wait()
	}
	srv.Close() // no request is under way any more

	accepted := map[string][]graph.MessageID{}
	for _, m := range srv.Sent() {
		accepted[m.CallbackData] = append(accepted[m.CallbackData], m.ID)
	}
	counts := map[cloudapi.Outcome]int{}
	hidden := 0
	for _, e := range endings {
		counts[e.outcome]++
		got := accepted[e.key]
		require.LessOrEqual(t, len(got), 1, "%s was sent twice; its caller was told: %v", e.key, e.err)
		switch {
		case e.err == nil:
			require.Equal(t, []graph.MessageID{e.id}, got, "%s", e.key)
		case e.outcome == cloudapi.OutcomeRefused, e.outcome == cloudapi.OutcomeNotSent:
			require.Empty(t, got, "%s is %s, says %v", e.key, e.outcome, e.err)
		case e.outcome == cloudapi.OutcomeUnknown:
			hidden += len(got)
		default:
			require.Fail(t, "an error without an outcome", "%v", e.err)
		}
	}
	happened := map[string]int{}
	for _, kind := range cloudapitest.ChaosKinds() {
		happened[kind] = count(srv, kind)
		require.NotZero(t, happened[kind], "%s did not happen", kind)
	}
	t.Logf("%d sends, %d requests: %d succeeded, %d refused, %d not sent, %d unknown, of which %d were accepted",
		len(endings), len(srv.Requests()), counts[""], counts[cloudapi.OutcomeRefused], counts[cloudapi.OutcomeNotSent],
		counts[cloudapi.OutcomeUnknown], hidden)
	t.Logf("faults: %v", happened)
	for _, outcome := range []cloudapi.Outcome{"", cloudapi.OutcomeRefused, cloudapi.OutcomeUnknown} {
		require.NotZero(t, counts[outcome], "no call ended %q", outcome)
	}
	require.NotZero(t, hidden, "no unknown send was accepted; the test proves too little")
}

// count counts the faults of a kind, or all.
func count(srv *cloudapitest.Server, kind string) int {
	n := 0
	for _, r := range srv.Requests() {
		if r.Fault != "" && (kind == "" || r.Fault == kind) {
			n++
		}
	}
	return n
}
