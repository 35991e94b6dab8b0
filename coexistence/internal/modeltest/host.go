package modeltest

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A host is a SaaS with one process at a time, over a store that outlives it. What it keeps besides
// (tokens, a signup that it has to finish) it keeps in a database that never fails here.
type host struct {
	world *coexistencetest.World
	open  func() (coexistence.Store, error)

	mu      sync.Mutex
	store   coexistence.Store // the database itself, without crashes
	process *crashingStore
	tracker *coexistence.Tracker
	handler http.Handler
	client  *cloudapi.Client
	crashes int
	failure error      // why a process could not be started
	rand    *rand.Rand // how long the host is down after a crash

	token     graph.Secret
	signups   []cloudapi.Onboarding // to be told to the tracker
	phone     graph.PhoneNumberID
	server    *http.Server
	answering sync.WaitGroup
}

// newHost starts a host, and has the world deliver to it.
func newHost(
	world *coexistencetest.World, network *cloudapitest.Network, open func() (coexistence.Store, error),
	random *rand.Rand,
) (*host, error) {
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		return nil, err
	}
	h := &host{world: world, open: open, rand: random, client: client}
	if err := h.start(); err != nil {
		return nil, err
	}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	l := network.Listen("host.test")
	h.answering.Go(func() { _ = h.server.Serve(l) })
	return h, world.DeliverTo("http://host.test/webhook")
}

// close ends the host and closes its database. The error is of either.
func (h *host) close() error {
	err := h.server.Close()
	h.answering.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return errors.Join(err, closeStore(h.store))
}

// closeStore closes a store that can be closed, as one over a file.
func closeStore(s coexistence.Store) error {
	if c, ok := s.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// start opens the database and starts a process over it: tracker and endpoint. Half of the
// processes store the events of a delivery together, as far as the store can. The caller must hold
// h.mu, or have the only reference to h.
func (h *host) start() error {
	store, err := h.open()
	if err != nil {
		return err
	}
	process := &crashingStore{Store: store}
	process.onCrash = func() { h.restart(process) }
	var seen coexistence.Store = process
	if batches, ok := store.(coexistence.BatchStore); ok && h.rand.IntN(2) == 0 {
		seen = batchStore{process, batches}
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store:  seen,
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return h.calls(), nil },
	})
	if err != nil {
		return err
	}
	endpoint, err := webhook.NewEndpoint(h.world.WebhookConfig(), webhook.DispatchAll(tracker))
	if err != nil {
		return err
	}
	h.store, h.process, h.tracker, h.handler = store, process, tracker, endpoint
	return nil
}

// restart waits up to twenty minutes, as an operator would, and starts another process. It runs in
// a goroutine of the crash.
func (h *host) restart(process *crashingStore) {
	h.mu.Lock()
	h.crashes++
	pause := time.Duration(1+h.rand.IntN(1200)) * time.Second
	h.mu.Unlock()
	// Meanwhile Meta's deliveries fail and are queued, and the phone goes on.
	time.Sleep(pause)
	h.mu.Lock()
	defer h.mu.Unlock()
	// The database is closed and opened again, as by a new process: what was not committed is gone.
	err := closeStore(process.Store)
	if err == nil {
		err = h.start()
	}
	h.failure = errors.Join(h.failure, err)
}

// crashReport returns how often the host has crashed, and why it could not be started again.
func (h *host) crashReport() (crashes int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.crashes, h.failure
}

// ServeHTTP hands requests to the process. While none runs, and if it crashes meanwhile, the
// connection ends without an answer, so Meta delivers again.
func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	handler, process := h.handler, h.process
	h.mu.Unlock()
	if process.hasCrashed() {
		panic(http.ErrAbortHandler)
	}
	handler.ServeHTTP(w, r)
	if process.hasCrashed() {
		panic(http.ErrAbortHandler)
	}
}

// liveProcess returns the process that runs, after the next start if it has crashed.
func (h *host) liveProcess() (*coexistence.Tracker, *crashingStore) {
	for {
		h.mu.Lock()
		tracker, process := h.tracker, h.process
		failed := h.failure != nil
		h.mu.Unlock()
		if failed || !process.hasCrashed() {
			return tracker, process
		}
		time.Sleep(time.Second)
	}
}

// connect does what a host does when a business comes out of the popup, up to the tracker: it
// exchanges the code, subscribes its app to every account of the number, and notes the signup for a
// job to tell the tracker, since the process may crash in between.
func (h *host) connect(ctx context.Context, code graph.Secret, phone *coexistencetest.Phone) error {
	token, err := h.client.OAuth.Exchange(ctx, cloudapi.CodeExchangeParams{Code: code})
	if err != nil {
		return err
	}
	h.phone = phone.ID()
	h.mu.Lock()
	h.token = token.Token
	h.mu.Unlock()
	// Of two accounts that list the number, webhooks may come from either.
	for _, waba := range phone.WABAs() {
		if err := h.calls().WABAs.Subscribe(ctx, waba); err != nil {
			return err
		}
	}
	h.signups = append(h.signups, cloudapi.Onboarding{
		PhoneNumberID: phone.ID(), WABAIDs: phone.WABAs(),
		DisplayPhoneNumber: phone.PhoneNumber(), OnboardedAt: time.Now(),
	})
	return nil
}

// calls returns the client with the business's token.
func (h *host) calls() *cloudapi.Client {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.client.WithToken(h.token)
}

// work is what a host's jobs do now and then: they finish signups and read numbers that are to be
// confirmed. What Meta refuses is left for the next time; its only error is that of a crash.
func (h *host) work(ctx context.Context) error {
	tracker, _ := h.liveProcess()
	for len(h.signups) > 0 {
		if err := tracker.Onboard(ctx, h.signups[0]); err != nil {
			return err
		}
		h.signups = h.signups[1:]
	}
	if h.phone == "" {
		return nil
	}
	st, err := tracker.Store().Number(ctx, h.phone)
	if err != nil || !st.NeedsRefresh() || st.Stage == coexistence.StageRemoved {
		return err
	}
	if _, err := tracker.Refresh(ctx, h.phone); errors.Is(err, errCrashed) {
		return err
	}
	return nil // a number that cannot be read is confirmed later, or was removed
}
