package lives

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

// A host is a SaaS with one process at a time. What it keeps besides the store (tokens, a signup
// that it has to finish) it keeps in a database that never fails here.
type host struct {
	world *coexistencetest.World
	open  func() (coexistence.Store, error)

	mu      sync.Mutex
	store   coexistence.Store // the database itself
	process *mortal
	tracker *coexistence.Tracker
	handler http.Handler
	client  *cloudapi.Client
	crashes int
	failure error
	rand    *rand.Rand // how long a dead process stays dead

	token     graph.Secret
	signups   []cloudapi.Onboarding // to be told to the tracker
	phone     graph.PhoneNumberID
	server    *http.Server
	answering sync.WaitGroup
}

func newHost(world *coexistencetest.World, network *cloudapitest.Network, open func() (coexistence.Store, error), r *rand.Rand) (*host, error) {
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		return nil, err
	}
	h := &host{world: world, open: open, rand: r, client: client}
	if err := h.start(); err != nil {
		return nil, err
	}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	l := network.Listen("host.test")
	h.answering.Go(func() { _ = h.server.Serve(l) })
	return h, world.DeliverTo("http://host.test/webhook")
}

// close ends the host and closes its database.
func (h *host) close() error {
	err := h.server.Close()
	h.answering.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return errors.Join(err, closeStore(h.store))
}

func closeStore(s coexistence.Store) error {
	if c, ok := s.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// start starts a process. It wants the lock, or a host that nobody knows yet.
func (h *host) start() error {
	store, err := h.open()
	if err != nil {
		return err
	}
	process := &mortal{store: store}
	process.died = func() { h.crashed(process) }
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: process, Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return h.calls(), nil },
	})
	if err != nil {
		return err
	}
	endpoint, err := webhook.NewEndpoint(
		h.world.WebhookConfig(), webhook.DispatchAll(tracker))
	if err != nil {
		return err
	}
	h.store, h.process, h.tracker, h.handler = store, process, tracker, endpoint
	return nil
}

// crashed waits a while and starts another process.
func (h *host) crashed(process *mortal) {
	h.mu.Lock()
	h.crashes++
	pause := time.Duration(1+h.rand.IntN(1200)) * time.Second
	h.mu.Unlock()
	time.Sleep(pause)
	h.mu.Lock()
	defer h.mu.Unlock()
	err := closeStore(process.store)
	if err == nil {
		err = h.start()
	}
	h.failure = errors.Join(h.failure, err)
}

// fate returns how often the host has died, and why it could not be started again.
func (h *host) fate() (crashes int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.crashes, h.failure
}

// ServeHTTP hands requests to the process, if it lives.
func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	handler, process := h.handler, h.process
	h.mu.Unlock()
	if process.isDead() {
		panic(http.ErrAbortHandler) // nobody answers
	}
	handler.ServeHTTP(w, r)
	if process.isDead() {
		panic(http.ErrAbortHandler)
	}
}

// now returns the living process, after it was started again if it has to be.
func (h *host) now() (*coexistence.Tracker, *mortal) {
	for {
		h.mu.Lock()
		tracker, process := h.tracker, h.process
		failed := h.failure != nil
		h.mu.Unlock()
		if failed || !process.isDead() {
			return tracker, process
		}
		time.Sleep(time.Second)
	}
}

// connect does what a host does when a business comes out of the popup, up to the tracker:
// exchange, subscribe.
func (h *host) connect(ctx context.Context, code graph.Secret, phone *coexistencetest.Phone) error {
	token, err := h.client.OAuth.Exchange(ctx, cloudapi.CodeExchangeParams{Code: code})
	if err != nil {
		return err
	}
	h.phone = phone.ID()
	h.mu.Lock()
	h.token = token.Token
	h.mu.Unlock()
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

func (h *host) calls() *cloudapi.Client {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.client.WithToken(h.token)
}

// work is what a host's jobs do now and then: they finish signups and read numbers that are to be
// confirmed. It fails only by dying.
func (h *host) work(ctx context.Context) error {
	tracker, _ := h.now()
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
	if _, err := tracker.Refresh(ctx, h.phone); errors.Is(err, errDead) {
		return err
	}
	return nil // a number that cannot be read is confirmed later, or was removed
}
