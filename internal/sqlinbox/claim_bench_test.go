package sqlinbox_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// An engine is one of the two databases, with an inbox of its own. PostgreSQL's has no statistics,
// the worst case for its planner.
type engine struct {
	*sqlinbox.Store

	dialect sqldb.Dialect
}

// onEngines runs a benchmark on both databases, or on SQLite alone if there is no server.
func onEngines(b *testing.B, run func(b *testing.B, e engine)) {
	b.Run("sqlite", func(b *testing.B) {
		store, err := sqlitedb.OpenInbox(b.Context(), filepath.Join(b.TempDir(), "inbox.db"))
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, store.Close()) })
		run(b, engine{store.Store, sqldb.SQLite})
	})
	b.Run("postgresql", func(b *testing.B) {
		if pgtest.Server() == "" {
			b.Skip(pgtest.Missing)
		}
		url, drop, err := pgtest.Schema(b.Context())
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, drop(context.WithoutCancel(b.Context()))) })
		store, err := pgdb.OpenInbox(b.Context(), pgdb.Config{URL: url})
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, store.Close()) })
		e := engine{store.Store, sqldb.PostgreSQL}
		for _, table := range []string{"webhook_lanes", "webhook_events", "webhook_deliveries"} {
			e.run(b, "ALTER TABLE "+table+" SET (autovacuum_enabled = off)")
		}
		run(b, e)
	})
}

// run runs a statement, whose placeholders are question marks.
func (e engine) run(b *testing.B, query string, args ...any) {
	b.Helper()
	_, err := e.DB().ExecContext(b.Context(), e.dialect.Rebind(query), args...)
	require.NoError(b, err)
}

// series is a table s of the numbers i from 1 to n.
func (e engine) series(n int) string {
	if e.dialect == sqldb.PostgreSQL {
		return fmt.Sprintf("generate_series(1, %d) AS s(i)", n)
	}
	return fmt.Sprintf("(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %d) SELECT i FROM s)"+
		" AS s", n)
}

// fill creates ready lanes with an event each, of several numbers in turn.
func (e engine) fill(b *testing.B, lanes, numbers int) {
	b.Helper()
	e.run(b, "INSERT INTO webhook_deliveries (bulk, state, received_at, size, body, left_open) "+
		"VALUES (0, 1, 0, 2, ?, 1000000000)", []byte("{}"))
	e.run(b, "INSERT INTO webhook_events (delivery, place, record_key, lane, bulk, phone_number_id) "+
		"SELECT 1, i, 'key ' || i, 'chat ' || i, 0, '106540' || (i % ?) FROM "+e.series(lanes), numbers)
	e.run(b, "INSERT INTO webhook_lanes (kind, bulk, lane, number, next_at) "+
		"SELECT 1, 0, 'chat ' || i, '106540' || (i % ?), i FROM "+e.series(lanes), numbers)
}

// A claim of 64 lanes costs the same however many lanes and numbers wait. The medians are those of
// claims and of settlements.
func BenchmarkClaim(b *testing.B) {
	for _, bench := range []struct {
		name           string
		lanes, numbers int
		more           func(b *testing.B, e engine)
	}{
		{"10_000_lanes_of_1_number", 10_000, 1, nil},
		{"1_000_000_lanes_of_1_number", 1_000_000, 1, nil},
		{"1_000_000_lanes_of_5_000_numbers", 1_000_000, 5_000, nil},
		{"5_000_lanes_of_5_000_numbers", 5_000, 5_000, nil},
		{"10_000_lanes_and_10_000_that_pause", 10_000, 1, func(b *testing.B, e engine) {
			in := time.Now().Add(time.Hour).UnixMicro()
			e.run(b, "INSERT INTO webhook_lanes (kind, bulk, lane, number, state, next_at) "+
				"SELECT 1, 0, 'p ' || i, '106540' || (i % 5000), 1, CAST(? AS BIGINT) + i FROM "+e.series(10_000), in)
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			onEngines(b, func(b *testing.B, e engine) {
				e.fill(b, bench.lanes, bench.numbers)
				if bench.more != nil {
					bench.more(b, e)
				}
				req := inbox.ClaimRequest{Kind: inbox.KindEvent, Lanes: 64, PerLane: 64, LeaseDuration: time.Minute}
				var times, settles []time.Duration
				for b.Loop() {
					begin := time.Now()
					batch, err := e.Claim(b.Context(), req)
					times = append(times, time.Since(begin))
					require.NoError(b, err)
					require.Len(b, batch.Records, req.Lanes)
					outs := make([]inbox.Settlement, len(batch.Records))
					for i, rec := range batch.Records {
						outs[i] = inbox.Settlement{ID: rec.ID, Disposition: inbox.DispositionRelease}
					}
					begin = time.Now()
					require.NoError(b, e.Settle(b.Context(), batch.LeaseToken, outs))
					settles = append(settles, time.Since(begin))
				}
				reportMedian(b, times, "ms/claim")
				reportMedian(b, settles, "ms/settlement")
			})
		})
	}
}

// A claim of deliveries costs the same however many wait.
func BenchmarkClaimDeliveries(b *testing.B) {
	for _, n := range []int{1_000, 60_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			onEngines(b, func(b *testing.B, e engine) {
				e.run(b, "INSERT INTO webhook_deliveries (record_key, bulk, received_at, size, body) "+
					"SELECT 'key ' || i, 0, i, 600, ? FROM "+e.series(n), make([]byte, 600))
				req := inbox.ClaimRequest{Lanes: 1, PerLane: 128, LeaseDuration: time.Minute}
				var times []time.Duration
				for b.Loop() {
					begin := time.Now()
					batch, err := e.Claim(b.Context(), req)
					times = append(times, time.Since(begin))
					require.NoError(b, err)
					require.Len(b, batch.Records, req.PerLane)
					out := []inbox.Settlement{{ID: batch.Records[0].ID, Disposition: inbox.DispositionRelease}}
					require.NoError(b, e.Settle(b.Context(), batch.LeaseToken, out))
				}
				reportMedian(b, times, "ms/claim")
			})
		})
	}
}

// reportMedian reports the median in milliseconds.
func reportMedian(b *testing.B, times []time.Duration, unit string) {
	b.Helper()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, unit)
}
