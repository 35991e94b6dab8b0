package outbox_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A database is what package sqlite or package postgres has opened.
type database interface {
	Store() storage.Store
	Outbox(cfg outbox.Config) (*outbox.Outbox, error)
	SQL() *sql.DB
	Close() error
}

// An engine opens its database, the same one each time.
type engine struct {
	open   func() database
	shared bool // several processes may have it open
}

var engines = map[string]func(t *testing.T) engine{
	"sqlite": func(t *testing.T) engine {
		t.Helper()
		path := filepath.Join(t.TempDir(), "outbox.db")
		return engine{open: func() database {
			db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
			require.NoError(t, err)
			return db
		}}
	},
	"postgresql": func(t *testing.T) engine {
		t.Helper()
		if pgtest.Server() == "" {
			t.Skip(pgtest.Missing)
		}
		url, drop, err := pgtest.Schema(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, drop(context.WithoutCancel(t.Context()))) })
		return engine{shared: true, open: func() database {
			db, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.Small(url)})
			require.NoError(t, err)
			return db
		}}
	},
}

// each runs a test on every engine that the machine has.
func each(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	on(t, engines, test)
}

// eachShared runs a test on the engines that several processes can use at once. One process uses a
// file of SQLite; TestEveryEntryIsSentOnceThroughFaultsAndDeaths has it die.
func eachShared(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	shared := maps.Clone(engines)
	delete(shared, "sqlite")
	on(t, shared, test)
}

func on(t *testing.T, engines map[string]func(*testing.T) engine, test func(t *testing.T, e engine)) {
	t.Helper()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// A platform is Meta with one number.
type platform struct {
	*cloudapitest.Server

	phone  cloudapitest.Phone
	client *cloudapi.Client
}

func (p *platform) clientOf(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
	return p.client, nil
}

func newPlatform(t *testing.T, rate int) *platform {
	t.Helper()
	p := &platform{Server: cloudapitest.NewServer(cloudapitest.Config{})}
	t.Cleanup(p.Close)
	p.phone = p.AddPhone(cloudapitest.Phone{MessagesPerSecond: rate})
	cfg := p.ClientConfig()
	cfg.Limiter = &cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return rate }}
	cfg.Retry = cloudapi.RetryPolicy{MaxAttempts: 1}
	var err error
	p.client, err = cloudapi.NewClient(cfg)
	require.NoError(t, err)
	return p
}

// accepted counts the messages that Meta took, by their reference.
func (p *platform) accepted() map[string]int {
	n := map[string]int{}
	for _, m := range p.Sent() {
		n[m.CallbackData]++
	}
	return n
}

// A process is a host.
type process struct {
	*outbox.Outbox

	db      database
	tracker *coexistence.Tracker
	t       *testing.T
}

func start(t *testing.T, e engine, p *platform, cfg outbox.Config) *process {
	t.Helper()
	h := open(t, e, p, cfg)
	h.run()
	return h
}

func open(t *testing.T, e engine, p *platform, cfg outbox.Config) *process {
	t.Helper()
	h := &process{db: e.open(), t: t}
	var err error
	h.tracker, err = coexistence.NewTracker(coexistence.Config{Store: h.db.Store(), Client: p.clientOf})
	require.NoError(t, err)
	cfg.Tracker, cfg.PollInterval = h.tracker, 20*time.Millisecond
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	cfg.UnknownTimeout = cmp.Or(cfg.UnknownTimeout, 700*time.Millisecond)
	h.Outbox, err = h.db.Outbox(cfg)
	require.NoError(t, err)
	t.Cleanup(h.end)
	return h
}

func (h *process) run() { require.NoError(h.t, h.Start(h.t.Context())) }

// end lets the process end as it should.
func (h *process) end() {
	h.gone()
	require.NoError(h.t, h.db.Close())
}

// die takes the database away in the middle of everything, as a death of the process does: what is
// under way is never written down.
func (h *process) die() {
	_ = h.db.Close()
	h.gone()
}

// gone waits for the end of what Start has begun.
func (h *process) gone() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.t.Context()), time.Minute)
	defer cancel()
	require.NoError(h.t, h.Shutdown(ctx), "a minute after it was told to end")
}

// deliver hands a status to the host as the inbox does.
func (h *process) deliver(
	ctx context.Context, m cloudapitest.SentMessage, status webhook.DeliveryStatus, errs ...webhook.Error,
) error {
	st := &webhook.MessageStatus{
		EventInfo: webhook.EventInfo{Field: webhook.FieldMessages, PhoneNumberID: m.From, At: m.At},
		ID:        m.ID, Status: status, Recipient: m.To, CallbackData: m.CallbackData, Errors: errs,
	}
	return webhook.MultiHandler(h.tracker, h.Outbox).Handle(ctx, st)
}

func (h *process) put(messages ...outbox.Message) int {
	h.t.Helper()
	n, err := h.Enqueue(h.t.Context(), messages...)
	require.NoError(h.t, err)
	return n
}

// allDone reports whether no entry is queued, sending or unknown.
func (h *process) allDone() bool {
	states := []outbox.State{outbox.StateQueued, outbox.StateSending, outbox.StateUnknown}
	for range h.List(h.t.Context(), outbox.Filter{States: states, Limit: 1}) {
		return false
	}
	return true
}

// becomes waits until an entry is in a state.
func (h *process) becomes(id string, state outbox.State) outbox.Entry {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
		e, err := h.Get(h.t.Context(), id)
		require.NoError(h.t, err)
		if e.State == state {
			return e
		}
		require.True(h.t, time.Now().Before(end), "%s did not become %s but is %s after %d attempts: %s",
			id, state, e.State, e.Attempts, e.Reason)
	}
}

// text is an entry for the i-th of the people with made-up numbers.
func (p *platform) text(id string, person int) outbox.Message {
	return outbox.Message{ID: id, PhoneNumberID: p.phone.ID, Payload: cloudapi.Message{
		To: cloudapi.ToPhone(fmt.Sprintf("+1555010%04d", person)), Content: &cloudapi.Text{Body: "About " + id},
	}}
}
