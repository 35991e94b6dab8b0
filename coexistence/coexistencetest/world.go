package coexistencetest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A World is Meta and any number of WhatsApp Business phones and customers, in one process: the
// Graph API, the popup of Embedded Signup, webhook deliveries. It is safe for concurrent use. Close
// it when done.
type World struct {
	// URL is where the Graph API and the popup's pages are: [Config].PublicURL if that is set.
	URL string

	local      string // the same for this machine
	cfg        Config // with its defaults filled in
	graph      *cloudapitest.Server
	dispatcher *dispatcher
	partner    graph.BusinessID
	relied     reckoning // what makes up Evidence

	// mu guards what follows, and phones, popups, chats and customers with all their fields. The
	// Graph API and the dispatcher may be called with it held. Neither calls back with a lock of
	// its own held.
	mu     sync.Mutex
	source *rand.PCG // what rand draws from
	rand   *rand.Rand
	worldState
}

// A worldState is what changes in a world beside its phones, and what a snapshot holds of it.
type worldState struct {
	phones  []*Phone
	popups  map[string]*dialog // by id, open or closed
	lastID  int64
	seeded  map[string]int // how often each name has got a seeded id
	live    []*message     // those since the beginning, the oldest first, if KeepLast counts
	reviews []pendingReview
}

// NewWorld starts an empty world: the Graph API with the app and the partner's portfolio, and no
// account, number or person. It listens on a port of the loopback interface, unless
// [Config].Network is set. Add a phone with [World.NewPhone], and say with [World.DeliverTo] where
// webhooks go.
func NewWorld(cfg Config) *World {
	cfg = cfg.withDefaults()
	clock := time.Now
	if !cfg.Start.IsZero() {
		begun := time.Now()
		clock = func() time.Time { return cfg.Start.Add(time.Since(begun)) }
	}
	meta := cfg.Graph
	meta.App, meta.Seed, meta.Clock, meta.Network = cfg.App, cfg.Seed, clock, cfg.Network
	source := rand.NewPCG(cfg.Seed, 0xd1b54a32d192ed03)
	w := &World{
		cfg:        cfg,
		graph:      cloudapitest.NewServer(meta),
		source:     source,
		rand:       rand.New(source),
		worldState: worldState{popups: map[string]*dialog{}, seeded: map[string]int{}, lastID: 600000000000000},
	}
	w.graph.KeepLast(cfg.KeepLast)
	w.partner = w.graph.AddBusiness(cloudapitest.Business{
		ID: graph.BusinessID(w.seededID("business", "partner")), Name: "Made-up partner",
	}).ID
	w.dispatcher = newDispatcher(cfg, w.graph, &w.mu, &w.relied)
	w.graph.OnMessage(w.mirror)
	w.graph.OnSyncAppData(w.syncAppData)
	w.graph.OnTemplate(w.templateChanged)
	w.graph.OnThread(w.threadMoved)
	w.servePopup()
	w.local, w.URL = near(w.graph.URL), w.graph.URL
	if cfg.PublicURL != "" {
		w.URL = strings.TrimSuffix(cfg.PublicURL, "/")
		w.graph.URL = w.URL
	}
	return w
}

// Close ends the world, and waits for the POSTs under way. What was not delivered yet is given up.
// Nothing of the world can be used afterwards but what it has returned.
func (w *World) Close() {
	w.mu.Lock()
	for _, p := range w.phones {
		p.stopIdleTimer()
	}
	w.reviews = nil
	w.mu.Unlock()
	w.dispatcher.close()
	w.graph.Close()
}

// String names the seed and the knobs of delivery, for the message of a failed test.
func (w *World) String() string { return w.cfg.String() }

// Graph returns the Graph API, to look at what a host has sent and set up, or to make its calls
// fail.
func (w *World) Graph() *cloudapitest.Server { return w.graph }

// ClientConfig returns what a client needs to call the Graph API: its address, the app and the
// partner's system token. The token of a business comes out of a signup, as in production. The
// address is the one on this machine, also if [Config].PublicURL names another.
func (w *World) ClientConfig() cloudapi.Config {
	cfg := w.graph.ClientConfig()
	cfg.BaseURL = w.local
	return cfg
}

// WebhookConfig returns what the host's endpoint needs: the secret of deliveries and the token of
// the handshake.
func (w *World) WebhookConfig() webhook.Config {
	return webhook.Config{AppSecret: w.graph.App().Secret, VerifyToken: w.cfg.VerifyToken}
}

// AppID returns the id of the host's app.
func (w *World) AppID() graph.AppID { return w.graph.App().ID }

// AppSecret returns the secret that deliveries are signed with.
func (w *World) AppSecret() graph.Secret { return w.graph.App().Secret }

// VerifyToken returns what the host's callback must expect in the handshake.
func (w *World) VerifyToken() graph.Secret { return w.cfg.VerifyToken }

// ConfigurationID returns the configuration that the popup must be opened with.
func (w *World) ConfigurationID() string { return w.cfg.ConfigurationID }

// Partner returns the portfolio of the host, a partner of Meta: the one that PARTNER webhooks carry
// as the id of their entry.
func (w *World) Partner() graph.BusinessID { return w.partner }

// Now returns the world's time.
func (w *World) Now() time.Time { return w.graph.Now() }

// Advance moves the world's clock on: codes and windows expire, deliveries become due again, and a
// phone that is not used is disconnected. The host's own clock stays where it is, so a host that
// compares it with the times in webhooks finds those in the future. Give it [World.Now] where it
// takes a time. In a bubble of testing/synctest, with [Config.Network], all clocks are one: sleep
// instead.
func (w *World) Advance(d time.Duration) {
	w.mu.Lock()
	w.graph.Advance(d)
	for _, p := range w.phones {
		p.checkIdle()
	}
	w.mu.Unlock()
	w.review()
	w.dispatcher.look()
}

// DeliverTo makes callbackURL the app's callback, after the handshake, and subscribes the app to
// [Config.Fields]. That an app is also subscribed to the account is the host's business; without
// both, nothing is delivered, without an error.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
func (w *World) DeliverTo(callbackURL string) error {
	if err := w.graph.VerifyCallback(callbackURL, w.cfg.VerifyToken); err != nil {
		return fmt.Errorf("coexistencetest: %w", err)
	}
	fields := make([]string, len(w.cfg.Fields))
	for i, f := range w.cfg.Fields {
		fields[i] = string(f)
	}
	w.graph.Subscribe(cloudapitest.AppSubscription{CallbackURL: callbackURL, Fields: fields})
	return nil
}

// WaitDelivered blocks until every delivery that is due was acknowledged, also those that begin
// meanwhile. The error says how many are not, because ctx ended or because the world gave them up:
// [World.Undelivered] lists them. What waits for a later time, such as a repeat, is waited for.
func (w *World) WaitDelivered(ctx context.Context) error { return w.dispatcher.wait(ctx) }

// Deliveries returns every POST so far, in the order in which they were first tried, with what the
// host answered to each attempt.
func (w *World) Deliveries() []Delivery { return w.dispatcher.deliveries() }

// Undelivered returns the POSTs that were not acknowledged: those that wait, those under way and
// those given up.
func (w *World) Undelivered() []Delivery { return w.dispatcher.undelivered() }

// Suppressed returns what Meta would have delivered if the app had subscribed to it, in the order
// in which it happened. Meta itself says nothing of the sort: a host that hears nothing has to find
// out.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
func (w *World) Suppressed() []SuppressedDelivery { return w.dispatcher.suppressions() }

// newID returns an id of fifteen digits, greater than the ones before. The caller must hold w.mu.
func (w *World) newID() string {
	w.lastID += 1 + w.rand.Int64N(1_000_000_000)
	return fmt.Sprint(w.lastID)
}

// newMessageID returns a wamid that looks like a real one, with the recipient's digits in it.
// Nothing in it has a meaning, and a host must not read it.
func newMessageID(r *rand.Rand, person string) graph.MessageID {
	raw := append([]byte{0x1c, 0x18, byte(len(person))}, person...)
	raw = append(raw, 0x15, 0x02, 0x00, 0x12, 0x18, 0x20)
	raw = append(raw, strings.ToUpper(hex.EncodeToString(randomBytes(r, 16)))...)
	raw = append(raw, 0)
	return graph.MessageID("wamid." + base64.StdEncoding.EncodeToString(raw))
}

// randomBytes draws n bytes, so that the seed of the world decides them.
func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}
