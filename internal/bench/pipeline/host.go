//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A host is a server of a business: an endpoint over real HTTP, an inbox, the tracker if it is
// measured with it, and one handler that notes when it had an event.
type host struct {
	db       database
	storage  *storage.DB
	inbox    *inbox.Inbox
	server   *http.Server
	serving  sync.WaitGroup
	addr     string
	handled  map[graph.PhoneNumberID]*arrivals
	statuses atomic.Int64 // handled
}

// arrivals is when the handler had the texts of one number, by their numbers.
type arrivals struct {
	count atomic.Int64
	at    []atomic.Int64 // Unix time in nanoseconds; 0 if the text was not handled yet
}

// newHost opens a host over a fresh database, whose inbox is not started yet. texts is how many
// texts each number may get.
func newHost(ctx context.Context, e engine, withTracker bool, texts int) (*host, error) {
	db, err := e.create(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.name, err)
	}
	h := &host{db: db, handled: map[graph.PhoneNumberID]*arrivals{}}
	for _, phone := range []graph.PhoneNumberID{tenantA, tenantB} {
		h.handled[phone] = &arrivals{at: make([]atomic.Int64, texts)}
	}
	if h.storage, err = db.open(ctx, db.address); err != nil {
		return nil, errors.Join(err, db.drop())
	}
	if err := h.assemble(ctx, withTracker); err != nil {
		return nil, errors.Join(err, h.close(ctx))
	}
	return h, nil
}

// warmUp is how many texts a host gets before anything is counted, four of each person.
const warmUp = 4 * people

// start starts the inbox, and has each person write before anything is counted: what is measured
// is a process that runs, with its connections and statements, and people who are known. There must
// be room for so many texts behind the first n, which are left for the measurement.
func (h *host) start(ctx context.Context, n int) error {
	if err := h.inbox.Start(ctx); err != nil {
		return err
	}
	s := sender{addr: h.addr, make: func(i int) []byte { return text(tenantA, n+i) }}
	if _, err := s.run(ctx, warmUp, conns); err != nil {
		return err
	}
	return h.handled[tenantA].wait(ctx, warmUp, roundTimeout)
}

// assemble puts the parts together as the documentation tells a host to do.
func (h *host) assemble(ctx context.Context, withTracker bool) error {
	var mux webhook.Mux
	webhook.On(&mux, h.note)
	webhook.On(&mux, func(context.Context, *webhook.MessageStatus) error {
		h.statuses.Add(1)
		return nil
	})
	handler := webhook.MultiHandler(&mux)
	if withTracker {
		tracker, err := coexistence.NewTracker(coexistence.Config{Store: h.storage.Store()})
		if err != nil {
			return err
		}
		handler = webhook.MultiHandler(tracker, &mux)
	}
	var err error
	if h.inbox, err = h.storage.Inbox(handler, inbox.Config{}); err != nil {
		return err
	}
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: secret, VerifyToken: "made-up"}, h.inbox)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h.addr = listener.Addr().String()
	h.server = &http.Server{Handler: endpoint, ReadHeaderTimeout: time.Minute}
	h.serving.Go(func() { _ = h.server.Serve(listener) })
	return nil
}

// note is the host's handler of texts. The first time counts, should a text come twice.
func (h *host) note(_ context.Context, m *webhook.IncomingMessage) error {
	n, err := number(m.ID)
	if err != nil {
		return err
	}
	a := h.handled[m.PhoneNumberID]
	if a.at[n].CompareAndSwap(0, time.Now().UnixNano()) {
		a.count.Add(1)
	}
	return nil
}

// wait returns when so many texts of a number were handled, or with an error when that takes too
// long.
func (a *arrivals) wait(ctx context.Context, n int, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for int(a.count.Load()) < n {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d texts were handled within %v", a.count.Load(), n, timeout)
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// last is when the last of the first n texts was handled.
func (a *arrivals) last(n int) time.Time {
	var last int64
	for i := range n {
		last = max(last, a.at[i].Load())
	}
	return time.Unix(0, last)
}

// latencies are those of texts that were handled, from the time at which each was due, in
// milliseconds.
func (a *arrivals) latencies(due []time.Time) []float64 {
	var list []float64
	for i, from := range due {
		if at := a.at[i].Load(); at != 0 {
			list = append(list, float64(at-from.UnixNano())/float64(time.Millisecond))
		}
	}
	return list
}

// used is the processor time of this process and, if it can be read, of the database server.
func (h *host) used(ctx context.Context) (process, server time.Duration) {
	if h.db.server != nil {
		server = h.db.server(ctx, h.storage.SQL())
	}
	return processor(), server
}

// size is how many bytes are stored.
func (h *host) size(ctx context.Context) (bytes float64, err error) {
	err = h.storage.SQL().QueryRowContext(ctx, h.db.size).Scan(&bytes)
	return bytes, err
}

// close shuts everything down in the order in which a host does, and drops the database.
func (h *host) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var errs []error
	if h.server != nil {
		errs = append(errs, h.server.Close())
		h.serving.Wait()
	}
	if h.inbox != nil {
		errs = append(errs, h.inbox.Shutdown(ctx))
	}
	return errors.Join(append(errs, h.storage.Close(), h.db.drop())...)
}
