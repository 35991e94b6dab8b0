package outbox_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// An engine opens its database, the same one each time.
type engine struct {
	open    func() *sqlstore.Store
	dialect outbox.Dialect
}

var engines = map[string]func(t *testing.T) engine{
	"sqlite": func(t *testing.T) engine {
		t.Helper()
		path := filepath.Join(t.TempDir(), "outbox.db")
		return engine{func() *sqlstore.Store {
			s, err := sqlite.Open(t.Context(), path)
			require.NoError(t, err)
			return s
		}, outbox.SQLite}
	},
	"postgresql": func(t *testing.T) engine {
		t.Helper()
		server := os.Getenv("COEXISTENCE_POSTGRES")
		if server == "" {
			t.Skip("set COEXISTENCE_POSTGRES to the URL of a PostgreSQL database; each test makes a schema of its own there and drops it")
		}
		db, err := sql.Open("pgx", server)
		require.NoError(t, err)
		schema := "outbox_test_" + strings.ToLower(rand.Text())
		_, err = db.ExecContext(t.Context(), "CREATE SCHEMA "+schema)
		require.NoError(t, err)
		t.Cleanup(func() {
			_, err := db.ExecContext(context.WithoutCancel(t.Context()), "DROP SCHEMA "+schema+" CASCADE")
			require.NoError(t, errors.Join(err, db.Close()))
		})
		u, err := url.Parse(server)
		require.NoError(t, err)
		q := u.Query()
		q.Set("search_path", schema)
		u.RawQuery = q.Encode()
		return engine{func() *sqlstore.Store {
			s, err := postgres.Open(t.Context(), u.String())
			require.NoError(t, err)
			return s
		}, outbox.PostgreSQL}
	},
}

func each(t *testing.T, test func(t *testing.T, e engine)) {
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

func newPlatform(t *testing.T, rate int) *platform {
	t.Helper()
	p := &platform{Server: cloudapitest.NewServer(cloudapitest.Config{})}
	t.Cleanup(p.Close)
	p.phone = p.AddPhone(cloudapitest.Phone{MessagesPerSecond: rate})
	cfg := p.Config()
	cfg.Limiter = &cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return rate }}
	cfg.Retry = cloudapi.Retry{MaxAttempts: 1}
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

	store   *sqlstore.Store
	tracker *coexistence.Tracker
	stop    context.CancelFunc
	ended   chan struct{}
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
	h := &process{store: e.open(), ended: make(chan struct{}), t: t}
	var err error
	h.tracker, err = coexistence.NewTracker(coexistence.Config{Store: h.store})
	require.NoError(t, err)
	cfg.Tracker, cfg.Poll = h.tracker, 20*time.Millisecond
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	if cfg.Client == nil {
		cfg.Client = func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return p.client, nil }
	}
	cfg.Patience = cmp.Or(cfg.Patience, 700*time.Millisecond)
	h.Outbox, err = outbox.Open(t.Context(), h.store.DB(), e.dialect, cfg)
	require.NoError(t, err)
	t.Cleanup(h.end)
	return h
}

func (h *process) run() {
	ctx, stop := context.WithCancel(h.t.Context())
	h.stop = sync.OnceFunc(stop)
	go func() {
		defer close(h.ended)
		h.Run(ctx)
	}()
}

// end lets the process end as it should.
func (h *process) end() {
	if h.stop != nil {
		h.stop()
		<-h.ended
	}
	require.NoError(h.t, h.store.Close())
}

// die takes the database away in the middle of everything, as a death of the process does: what is under way is never written down.
func (h *process) die() {
	_ = h.store.DB().Close()
	h.stop()
	<-h.ended
}

// deliver hands a status to the host as the inbox does.
func (h *process) deliver(ctx context.Context, m cloudapitest.SentMessage, status webhook.StatusCode, errs ...webhook.Error) error {
	st := &webhook.MessageStatus{
		EventInfo: webhook.EventInfo{Field: webhook.FieldMessages, Phone: m.From, At: m.At}, ID: m.ID, Status: status, Recipient: m.To,
		CallbackData: m.CallbackData, Errors: errs,
	}
	return webhook.MultiHandler(h.tracker, h.Outbox).Handle(ctx, st)
}

func (h *process) put(entries ...outbox.Entry) int {
	h.t.Helper()
	n, err := h.Put(h.t.Context(), nil, entries...)
	require.NoError(h.t, err)
	return n
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
		require.True(h.t, time.Now().Before(end), "%s did not become %s but is %s after %d attempts: %s", id, state, e.State, e.Attempts, e.Reason)
	}
}

// text is an entry for the i-th of the people with made-up numbers.
func (p *platform) text(id string, person int) outbox.Entry {
	return outbox.Entry{ID: id, Phone: p.phone.ID, Message: cloudapi.Message{
		To: cloudapi.ToPhone(fmt.Sprintf("+1555010%04d", person)), Content: &cloudapi.Text{Body: "About " + id},
	}}
}
