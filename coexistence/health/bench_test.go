package health_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	phone graph.PhoneNumberID = "300000000000001" // that of the samples
	waba  graph.WABAID        = "200000000000001"
)

// A bench is a fake Graph API with one coexistence number, a tracker that has it onboarded, and a
// monitor of that.
type bench struct {
	srv      *cloudapitest.Server
	store    *coexistence.MemStore
	tracker  *coexistence.Tracker
	arrivals *health.Arrivals
	monitor  *health.Monitor

	mu      sync.Mutex
	changes []health.Change
}

// newBench makes one on a network in memory, so that it can stand in a bubble.
func newBench(t *testing.T, cfg health.Config) *bench {
	t.Helper()
	b := &bench{
		srv:   cloudapitest.NewServer(cloudapitest.Config{Network: new(cloudapitest.Network)}),
		store: new(coexistence.MemStore), arrivals: new(health.Arrivals),
	}
	t.Cleanup(b.srv.Close)
	b.srv.AddWABA(cloudapitest.WABA{ID: waba})
	b.srv.AddPhone(cloudapitest.Phone{ID: phone, WABAs: []graph.WABAID{waba}})
	settings := b.srv.ClientConfig()
	settings.Retry = cloudapi.RetryPolicy{MaxAttempts: 1}
	client, err := cloudapi.NewClient(settings)
	require.NoError(t, err)
	b.tracker, err = coexistence.NewTracker(coexistence.Config{
		Store:  b.store,
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	require.NoError(t, err)
	b.subscribe(append(coexistence.Fields(), coexistence.OptionalFields()...))
	b.srv.SubscribeWABA(waba)
	b.onboard(t, phone)
	b.change(t, func(n *coexistence.Number) {
		n.Stage, n.PhoneSeenAt = coexistence.StageActive, time.Now().UTC()
		n.Contacts.Status, n.History.Status = coexistence.SyncComplete, coexistence.SyncComplete
		n.Contacts.RequestedAt, n.History.RequestedAt = time.Now(), time.Now()
	})
	b.watch(t, cfg)
	return b
}

// watch makes the monitor anew, as after a restart.
func (b *bench) watch(t *testing.T, cfg health.Config) {
	t.Helper()
	cfg.Tracker, cfg.Arrivals = b.tracker, b.arrivals
	if cfg.OnChange == nil {
		cfg.OnChange = func(_ context.Context, c health.Change) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.changes = append(b.changes, c)
		}
	}
	var err error
	b.monitor, err = health.New(cfg)
	require.NoError(t, err)
}

func (b *bench) subscribe(fields []webhook.Field) {
	var names []string
	for _, f := range fields {
		names = append(names, string(f))
	}
	b.srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://example.com/webhook", Fields: names})
}

func (b *bench) onboard(t *testing.T, id graph.PhoneNumberID) {
	t.Helper()
	require.NoError(t, b.tracker.Onboard(t.Context(), cloudapi.Onboarding{
		PhoneNumberID: id, WABAIDs: []graph.WABAID{waba}, OnboardedAt: time.Now(),
	}))
}

// change changes what is stored of the number.
func (b *bench) change(t *testing.T, fn func(*coexistence.Number)) {
	t.Helper()
	_, err := b.store.UpdateNumber(t.Context(), phone, func(n coexistence.Number) (coexistence.Number, error) {
		fn(&n)
		return n, nil
	})
	require.NoError(t, err)
}

func (b *bench) health(t *testing.T) health.Health {
	t.Helper()
	h, err := b.monitor.Health(t.Context(), phone)
	require.NoError(t, err)
	return h
}

// check looks at all numbers, and returns what has changed.
func (b *bench) check(t *testing.T) []health.Change {
	t.Helper()
	b.changes = nil
	require.NoError(t, b.monitor.CheckAll(t.Context()))
	return b.changes
}

// wants checks what one part says, and that the others say nothing wrong.
func wants(t *testing.T, h health.Health, name health.PartName, status health.Status, code health.Code) {
	t.Helper()
	for _, p := range h.Parts() {
		if p.Name != name {
			require.False(t, p.Wrong(), "%+v", p)
			continue
		}
		require.Equal(t, status, p.Status, "%+v", p)
		require.Equal(t, code, p.Code)
		require.Equal(t, code != "", p.Advice != "")
	}
}
