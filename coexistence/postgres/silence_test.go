package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore/storetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// pools are the ways in which a host can name its database.
var pools = map[string]func(t *testing.T, url string) postgres.Config{
	"URL": func(_ *testing.T, url string) postgres.Config { return postgres.Config{URL: url} },
	"a pool of pgx": func(t *testing.T, url string) postgres.Config {
		pool, err := pgxpool.New(t.Context(), pgtest.With(url, "pool_max_conns", "8"))
		require.NoError(t, err)
		t.Cleanup(func() { go pool.Close() }) // it waits for connections that are silent
		return postgres.Config{Pool: pool}
	},
	// As pgx does by itself with one that was idle for a second.
	"a pool of pgx that asks each connection": func(t *testing.T, url string) postgres.Config {
		cfg, err := pgxpool.ParseConfig(pgtest.With(url, "pool_max_conns", "8"))
		require.NoError(t, err)
		//nolint:staticcheck // SA1019: the lowest version of pgx has no PrepareConn
		cfg.BeforeAcquire = func(ctx context.Context, conn *pgx.Conn) bool { return conn.Ping(ctx) == nil }
		pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
		require.NoError(t, err)
		t.Cleanup(func() { go pool.Close() })
		return postgres.Config{Pool: pool}
	},
	"a pool of database/sql": func(t *testing.T, url string) postgres.Config {
		db, err := sql.Open("pgx", url)
		require.NoError(t, err)
		db.SetMaxOpenConns(8)
		db.SetMaxIdleConns(8)
		t.Cleanup(func() { _ = db.Close() })
		return postgres.Config{DB: db}
	},
}

// limit is how long everything may stand still.
const limit = 15 * time.Second

// works are what a host does with the database. Each can be done again.
type works map[string]func(ctx context.Context, n int) error

func worksOf(t *testing.T, db *postgres.DB) works {
	t.Helper()
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store:  db.Store(),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return nil, context.Canceled },
	})
	require.NoError(t, err)
	box, err := db.Outbox(outbox.Config{Tracker: tracker})
	require.NoError(t, err)
	in, err := db.Inbox(webhook.HandlerFunc(func(context.Context, webhook.Event) error { return nil }), inbox.Config{})
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		require.NoError(t, in.Shutdown(ctx))
	})
	return works{
		"inbox": func(ctx context.Context, n int) error {
			return in.Receive(ctx, webhook.Delivery{Body: fmt.Appendf(nil, `{"n":%d}`, n), ReceivedAt: time.Now()})
		},
		"store": func(ctx context.Context, n int) error {
			return storetest.Talk(ctx, db.Store(), "15550100101", fmt.Sprintf("wamid.%d", n))
		},
		"signups": func(ctx context.Context, n int) error {
			return db.Signups().Put(ctx, signup.Record{
				ID: fmt.Sprint(n), Tenant: "tenant-1", BeganAt: time.Now(), KeepUntil: time.Now(),
				Ciphertext: []byte("sealed"),
			})
		},
		"outbox": func(ctx context.Context, n int) error {
			_, err := box.Enqueue(ctx, outbox.Message{
				ID: fmt.Sprint(n), PhoneNumberID: "100000000000001", ConversationID: "15550100101",
				Payload: cloudapi.Message{
					To: cloudapi.ToPhone("+1 555 010 0101"), Content: &cloudapi.Text{Body: "Hello"},
				},
			})
			return err
		},
	}
}

// A connection that brings nothing and stays open costs fifteen seconds at most, although it is not
// the only one: then everything continues with fresh ones.
func TestASilentConnectionCostsFifteenSecondsAtMost(t *testing.T) {
	t.Parallel()
	for name, pool := range pools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, url, err := pgtest.NewProxy(database(t))
			require.NoError(t, err)
			t.Cleanup(func() { _ = proxy.Close() })
			db, err := postgres.Open(t.Context(), pool(t, url))
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			all := worksOf(t, db)
			all.fillPool(t)

			require.Greater(t, proxy.Silence(false), 3)
			began := time.Now()
			var work sync.WaitGroup
			for what, do := range all {
				for n := range 4 {
					work.Go(func() {
						if took := untilDone(t, what, do, began, n); took > limit {
							t.Errorf("%s stood still for %v", what, took)
						}
					})
				}
			}
			work.Wait()
		})
	}
}

// fillPool does everything several times at once, so that the pool has connections.
func (all works) fillPool(t *testing.T) {
	t.Helper()
	var work sync.WaitGroup
	for _, do := range all {
		for n := range 8 {
			work.Go(func() {
				if err := do(t.Context(), n); err != nil {
					t.Error(err)
				}
			})
		}
	}
	work.Wait()
}

// untilDone does something until it succeeds, and returns when that was. A try takes as long as
// Meta or a caller waits.
func untilDone(
	t *testing.T, what string, do func(context.Context, int) error, began time.Time, n int,
) time.Duration {
	for try := 1; ; try++ {
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		err := do(ctx, 1000*try+n)
		cancel()
		took := time.Since(began)
		if err == nil || took > time.Minute {
			t.Logf("%s went on after %v: %v", what, took.Round(time.Millisecond), err)
			return took
		}
	}
}
