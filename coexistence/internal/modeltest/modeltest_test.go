package modeltest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/internal/modeltest"
)

var (
	runs = flag.Int("runs", 200, "how many runs of the model test")
	seed = flag.Uint64("seed", 0, "the seed of the first run; the others follow. If zero, another one each time")
)

// In the end the host knows what the phone shows, whatever happened on the way. All of them:
//
//	go test ./coexistence/internal/modeltest -runs 10000 -timeout 30m
//
// One that failed:
//
//	go test ./coexistence/internal/modeltest -runs 1 -seed 4711 -v
func TestInTheEndTheHostKnowsWhatThePhoneShows(t *testing.T) {
	t.Parallel()
	first := *seed
	if first == 0 {
		first = rand.Uint64N(1 << 40)
	}
	t.Logf("seeds %d to %d", first, first+uint64(*runs)-1)
	began := time.Now()
	var next atomic.Uint64
	var mu sync.Mutex
	var total modeltest.Outcome
	for worker := range 2 {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			for {
				n := next.Add(1) - 1
				if n >= uint64(*runs) || t.Failed() {
					return
				}
				out, err := run(t, first+n)
				if err != nil {
					t.Errorf("seed %d: %v\n%s", first+n, err, strings.Join(out.Log, "\n"))
					return
				}
				if *runs == 1 {
					t.Logf("%s\n%s", strings.Join(out.Log, "\n"), out.Relied)
				}
				mu.Lock()
				total.Crashes += out.Crashes
				total.Deliveries += out.Deliveries
				total.Attempts += out.Attempts
				total.Messages += out.Messages
				total.Onboardings += out.Onboardings
				mu.Unlock()
			}
		})
	}
	t.Cleanup(func() {
		t.Logf("%d runs with %d onboardings, %d crashes, %d deliveries (%d attempts), %d messages compared, in %v",
			*runs, total.Onboardings, total.Crashes, total.Deliveries, total.Attempts, total.Messages,
			time.Since(began).Round(time.Second))
	})
}

// run runs a seed over a store in memory, which outlives the processes of the host.
func run(t *testing.T, seed uint64) (out modeltest.Outcome, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := new(coexistence.MemStore)
		out, err = modeltest.Run(t.Context(), seed, func() (coexistence.Store, error) { return store, nil })
	})
	return out, err
}

// A test that cannot fail proves nothing: a host that forgets is found out.
func TestAHostThatLosesSomethingIsFoundOut(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			_, err := modeltest.Run(t.Context(), seed+1, func() (coexistence.Store, error) {
				return forgetful{new(coexistence.MemStore)}, nil
			})
			if err != nil && !errors.Is(err, context.Canceled) {
				found++
			}
		})
	}
	require.Greater(t, found, 3)
}

// A forgetful store begins empty with every process.
type forgetful struct{ *coexistence.MemStore }
