package natsinbox_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/inboxtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

func TestAClusterKeepsThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	servers := newCluster(t, synced, synced, synced)
	cfg := clusterConfig(servers)
	count := 0
	newStorage := func(context.Context) (inboxtest.Storage, error) {
		count++
		cfg.Name = fmt.Sprint("inbox", count)
		return storage(cfg, 16<<20), nil
	}
	require.NoError(t, inboxtest.TestStore(t.Context(), inboxtest.Engine{New: newStorage}))
}

// A cluster is refused for one server that does not sync, and for one that is not asked.
func TestEveryServerOfAClusterHasToSync(t *testing.T) {
	t.Parallel()
	servers := newCluster(t, synced, synced, "max_file: 1GB")
	cfg := clusterConfig(servers)
	cfg.URLs = []string{servers[0].Client}
	refused(t, cfg, "server N3 does not sync every write")
	cfg.Monitors = cfg.Monitors[:2]
	refused(t, cfg, "server N3 keeps the stream")
}

func TestAClusterLosesAServerAndNothingElse(t *testing.T) {
	t.Parallel()
	servers := newCluster(t, synced, synced, synced)
	cfg := clusterConfig(servers)
	store, err := natsinbox.OpenStore(t.Context(), cfg)
	require.NoError(t, err)
	const n, customers = 600, 20
	var mu sync.Mutex
	seen := map[string]int{}
	settings := lease
	in, err := inbox.New(store, handler(func(_ context.Context, m *webhook.IncomingMessage) error {
		mu.Lock()
		defer mu.Unlock()
		seen[string(m.ID)]++
		return nil
	}), settings)
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	ctx := within(t)
	receiveAll := func(from, to int) {
		var all sync.WaitGroup
		for c := range customers {
			all.Go(func() {
				for i := from + c; i < to; i += customers {
					receive(ctx, t, in, i, customers)
				}
			})
		}
		all.Wait()
	}
	for i, s := range servers {
		receiveAll(i*n/3, (i+1)*n/3-customers)
		s.process.kill()
		receiveAll((i+1)*n/3-customers, (i+1)*n/3)
		s.restart(synced)
	}
	require.NoError(t, in.WaitIdle(within(t)))
	require.NoError(t, in.Shutdown(t.Context()))
	require.Len(t, seen, n)
}
