package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// childEnv holds an order as JSON, and makes this program, or its test, a host that is to be
// tortured.
const childEnv = "COEXISTENCE_TORTURE_CHILD"

// A mode is what a host does with what it receives. Trials have effects to judge by; measurements
// have as little of their own as possible.
type mode string

const (
	modeEffects mode = "effects" // keeps it, and leaves the effects of handling it
	modeBare    mode = "bare"    // reads and verifies it
	modeMemory  mode = "memory"  // keeps it in memory
	modeKeep    mode = "keep"    // keeps it, and handles nothing
	modeHandle  mode = "handle"  // keeps it, and handles it by doing nothing
	modeWalk    mode = "walk"    // keeps it, and decodes every message of the history
	modeWhole   mode = "whole"   // is a whole host, with tracker and outbox, that answers
)

// A fault is a mistake that an inbox or a host could have, and that the torture has to find.
type fault string

const (
	faultEarly fault = "early" // answers 200 before the delivery is stored
	faultApart fault = "apart" // writes effects in a transaction of their own
	faultLanes fault = "lanes" // forgets which conversation an event belongs to

	faultUnnamed   fault = "unnamed"   // gives an answer another name each time it is put in
	faultScattered fault = "scattered" // puts each answer into a conversation of its own
)

// An order is what a child gets.
type order struct {
	Engine, Place string
	Notes         string `json:",omitzero"` // the file for effects, of an engine without a SQL database
	Mode          mode
	Fault         fault         `json:",omitzero"`
	Lease         time.Duration `json:",omitzero"` // of the inbox; its default if 0
	Pause         time.Duration `json:",omitzero"` // how long handling an event takes
	Workers       int           `json:",omitzero"`

	// Of a whole host: where Meta is, with which token it is called, and how many messages a second
	// a number may pass; one message in Answers is answered; how long the outbox waits for a
	// status.
	Meta, Token string        `json:",omitzero"`
	Throughput  int           `json:",omitzero"`
	Answers     int           `json:",omitzero"`
	Unknown     time.Duration `json:",omitzero"`
}

// A report is what a child answers.
type report struct {
	Command                   string        // that it answers; "ready" once the child serves
	Received, Handled, Fenced int64         // deliveries, events, and events whose lease was lost
	Retried, Died, Running    int64         // attempts that failed, dead letters, events in handlers
	Chunks                    int64         // of history that were handled
	Live                      int64         // messages in a flood that were handled
	Lag50, Lag99              time.Duration // of these, from when they were written
	Holding                   string        // the message that a handler has been told to hold on to
	Left                      int           // to be handled
	Unsent, Failed            int           // entries of the outbox
	Goroutines                int
	Error                     string `json:",omitzero"`
}

// A host is what runs in a child.
type host struct {
	order order
	in    *inbox.Inbox   // nil in the mode bare
	db    *sql.DB        // of the store, if it has one
	box   *outbox.Outbox // of a whole host

	chunks atomic.Int64 // of history that were handled
	mu     sync.Mutex
	lags   []time.Duration // from when live messages were written until they were handled

	// holding is there while one handler is to stay within its event. It is closed when that may go
	// on.
	holding chan struct{}
	held    string // the message in its hands
}

// childMain serves on the socket that it inherits, and obeys commands on its standard input. It
// ends when that does.
func childMain() int {
	h := new(host)
	err := json.Unmarshal([]byte(os.Getenv(childEnv)), &h.order)
	if err == nil {
		err = h.start(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	fmt.Println(`{"Command":"ready"}`)
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		answer, err := json.Marshal(h.obey(context.Background(), commands.Text()))
		if err != nil {
			return 1
		}
		fmt.Println(string(answer))
		if commands.Text() == "end" {
			return 0
		}
	}
	return 1 // the parent is gone
}

// start serves the socket, which is file 3 of this process.
func (h *host) start(ctx context.Context) error {
	recv, err := h.receiver(ctx)
	if err != nil {
		return err
	}
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: appSecret, VerifyToken: appSecret}, recv)
	if err != nil {
		return err
	}
	listener, err := net.FileListener(os.NewFile(3, "socket"))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: endpoint, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	return nil
}

// inboxConfig lets failed events come again soon and never gives them up, because the trials make
// many of them fail.
func (h *host) inboxConfig() inbox.Config {
	return inbox.Config{
		LeaseDuration: h.order.Lease, Workers: h.order.Workers,
		Backoff: func(int) time.Duration { return 50 * time.Millisecond }, MaxAttempts: 10000,
		PollInterval: 200 * time.Millisecond, Logger: logger(),
	}
}

// logger writes errors to the standard error of a child, of which the parent keeps the beginning.
func logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

// receiver makes what the endpoint hands deliveries to, with the fault that was ordered.
func (h *host) receiver(ctx context.Context) (webhook.Receiver, error) {
	if h.order.Mode == modeBare {
		return webhook.ReceiverFunc(func(context.Context, webhook.Delivery) error { return nil }), nil
	}
	if h.order.Mode == modeWhole {
		err := h.wire(ctx)
		return h.in, err
	}
	store, handler, err := h.open(ctx)
	if err != nil {
		return nil, err
	}
	if h.in, err = inbox.New(store, handler, h.inboxConfig()); err != nil {
		return nil, err
	}
	if h.order.Mode != modeKeep {
		if err := h.in.Start(ctx); err != nil {
			return nil, err
		}
	}
	if h.order.Fault == faultEarly {
		return webhook.ReceiverFunc(func(ctx context.Context, d webhook.Delivery) error {
			ctx = context.WithoutCancel(ctx)
			go func() { _ = h.in.Receive(ctx, d) }()
			return nil
		}), nil
	}
	return h.in, nil
}

// open opens the store, and returns it with the handler of the mode. Handlers of an engine with a
// SQL database write their effects in the transaction that settles the event, unless a fault
// forbids it.
func (h *host) open(ctx context.Context) (inbox.Store, webhook.Handler, error) {
	nothing := webhook.HandlerFunc(func(context.Context, webhook.Event) error {
		linger(ctx, h.order.Pause)
		return nil
	})
	if h.order.Mode == modeMemory {
		return new(inbox.MemStore), nothing, nil
	}
	e, known := engines[h.order.Engine]
	if !known {
		return nil, nil, fmt.Errorf("there is no engine %q", h.order.Engine)
	}
	o, err := e.open(ctx, h.order.Place)
	if err != nil {
		return nil, nil, err
	}
	h.db = o.db
	switch h.order.Mode {
	case modeEffects:
	case modeWalk:
		return o.store, webhook.HandlerFunc(h.walk), nil
	default:
		return o.store, nothing, nil
	}
	if o.db == nil {
		handler, err := noting(h.order.Notes, h.dwell)
		return o.store, handler, err
	}
	handler, err := tracked(o.shared, effects(e.dialect, h.dwell))
	if err != nil {
		return nil, nil, err
	}
	switch h.order.Fault {
	case faultApart:
		handler = webhook.HandlerFunc(
			func(ctx context.Context, ev webhook.Event) error { return insertEffect(ctx, o.db, e.dialect, ev) },
		)
	case faultLanes:
		if tx, ok := o.store.(inbox.TxSettler); ok {
			return laneless{tx}, handler, nil
		}
	}
	return o.store, handler, nil
}

// dwell is how long handling a message takes: its pause, or, for one message after the command
// "hold", until the command "go".
func (h *host) dwell(ctx context.Context, message string) {
	linger(ctx, h.order.Pause)
	h.mu.Lock()
	holding := h.holding
	if h.held != "" {
		holding = nil // another one has it
	}
	if holding != nil {
		h.held = message
	}
	h.mu.Unlock()
	if holding != nil {
		<-holding // not until ctx ends: a process that is stopped does not notice that either
	}
}

// walk decodes the messages of a chunk of history, and notes how old a live message is when it is
// handled.
func (h *host) walk(_ context.Context, ev webhook.Event) error {
	if chunk, ok := ev.(*webhook.HistoryChunk); ok {
		for _, m := range chunk.Messages() {
			if m.Err != nil {
				return m.Err
			}
		}
		h.chunks.Add(1)
	}
	if m, ok := ev.(*webhook.IncomingMessage); ok {
		if written, ok := writtenAt(m.Text()); ok {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.lags = append(h.lags, time.Since(written))
		}
	}
	return nil
}

// A laneless store gives every event a lane of its own.
type laneless struct{ inbox.TxSettler }

// Settle implements [inbox.Store].
func (s laneless) Settle(ctx context.Context, token inbox.LeaseToken, outs []inbox.Settlement) error {
	for _, out := range outs {
		for i := range out.Events {
			out.Events[i].Lane = out.Events[i].DedupKey
		}
	}
	return s.TxSettler.Settle(ctx, token, outs)
}

// obey does what the parent wants, and reports: "stats" does nothing, "hold" has the next handler
// stay within its event, "go" lets it go on, "end" shuts down.
func (h *host) obey(ctx context.Context, command string) report {
	r := report{Command: command}
	var err error
	h.mu.Lock()
	switch {
	case command == "hold":
		h.holding = make(chan struct{})
	case command == "go" && h.holding != nil:
		close(h.holding)
		h.holding, h.held = nil, ""
	}
	r.Holding = h.held
	h.mu.Unlock()
	if h.in != nil {
		if command == "end" {
			// The listener is not closed: its file is shared with the processes beside this one,
			// and one of them may have made it blocking.
			err = h.in.Shutdown(ctx) // nothing arrives any more
			if h.box != nil {
				err = errors.Join(err, h.box.Shutdown(ctx))
			}
		}
		m, statsErr := h.in.Metrics(ctx)
		if command != "end" {
			err = errors.Join(err, statsErr)
		}
		r.Received, r.Handled, r.Fenced = m.Received, m.Handled, m.LeasesLost
		r.Retried, r.Died = m.Retried, m.DeadLettered
		r.Running = m.Running
		r.Left = m.Depth()
	}
	if h.box != nil && err == nil {
		r.Unsent, r.Failed, err = countEntries(ctx, h.db)
	}
	r.Goroutines = runtime.NumGoroutine()
	if err != nil {
		r.Error = err.Error()
	}
	r.Chunks = h.chunks.Load()
	h.mu.Lock()
	defer h.mu.Unlock()
	r.Live = int64(len(h.lags))
	r.Lag50, r.Lag99 = quantile(h.lags, 0.5), quantile(h.lags, 0.99)
	return r
}

// quantile returns the value below which so much of the list is, or 0 if it is empty.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return list[min(len(list)-1, int(q*float64(len(list))))]
}
