package modeltest_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
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
				total.Shared += out.Shared
				total.Ordered += out.Ordered
				total.Onboardings += out.Onboardings
				mu.Unlock()
			}
		})
	}
	t.Cleanup(func() {
		t.Logf("%d runs with %d onboardings, %d crashes, %d deliveries (%d attempts), %d messages compared (%d share "+
			"their second, %d pairs of those in order), in %v", *runs, total.Onboardings, total.Crashes,
			total.Deliveries, total.Attempts, total.Messages, total.Shared, total.Ordered,
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

// The order of messages within a second was that of their ids once.
func TestAnotherOrderWithinASecondIsFoundOut(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			store := byID{new(coexistence.MemStore)}
			_, err := modeltest.Run(t.Context(), seed+1, func() (coexistence.Store, error) { return store, nil })
			if err != nil && strings.Contains(err.Error(), "the phone shows it below") {
				found++
			}
		})
	}
	require.Greater(t, found, 3)
}

// A byID store sorts messages by time and id.
type byID struct{ *coexistence.MemStore }

func (s byID) Messages(
	ctx context.Context, phone graph.PhoneNumberID, conversation string,
) iter.Seq2[coexistence.Message, error] {
	var list []coexistence.Message
	for m, err := range s.MemStore.Messages(ctx, phone, conversation) {
		if err != nil {
			return func(yield func(coexistence.Message, error) bool) { yield(m, err) }
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b coexistence.Message) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	return func(yield func(coexistence.Message, error) bool) {
		for _, m := range list {
			if !yield(m, nil) {
				return
			}
		}
	}
}
