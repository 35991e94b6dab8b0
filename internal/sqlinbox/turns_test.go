package sqlinbox_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// onStores runs a test on both databases, or on SQLite alone if there is no server.
func onStores(t *testing.T, run func(t *testing.T, store *sqlinbox.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		store, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(t.TempDir(), "inbox.db"))
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		run(t, store.Store)
	})
	t.Run("postgresql", func(t *testing.T) {
		t.Parallel()
		if pgtest.Server() == "" {
			t.Skip(pgtest.Missing)
		}
		url, drop, err := pgtest.Schema(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, drop(context.WithoutCancel(t.Context()))) }()
		store, err := pgdb.OpenInbox(t.Context(), pgdb.Config{URL: url})
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		run(t, store.Store)
	})
}

// A splitting claims deliveries, and settles them as empty.
type splitting struct {
	*testing.T

	store *sqlinbox.Store
}

// arrive appends deliveries of a number, named like "a 0".
func (s splitting) arrive(name string, number graph.PhoneNumberID, n int) {
	s.Helper()
	for i := range n {
		_, err := s.store.Append(s.Context(), []inbox.Record{{
			DedupKey: fmt.Sprint(name, " ", i), PhoneNumberID: number, Body: []byte("{}"), ReceivedAt: time.Now(),
		}})
		require.NoError(s, err)
	}
}

// claim returns the keys of the batch.
func (s splitting) claim(n int, lease time.Duration) (b inbox.Batch, keys []string) {
	s.Helper()
	b, err := s.store.Claim(s.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: n, LeaseDuration: lease})
	require.NoError(s, err)
	for _, rec := range b.Records {
		keys = append(keys, rec.DedupKey)
	}
	return b, keys
}

// split claims and settles a batch.
func (s splitting) split(n int) (keys []string) {
	s.Helper()
	b, keys := s.claim(n, time.Minute)
	if len(keys) > 0 {
		s.settle(b)
	}
	return keys
}

func (s splitting) settle(b inbox.Batch) {
	s.Helper()
	outs := make([]inbox.Settlement, len(b.Records))
	for i, rec := range b.Records {
		outs[i].ID = rec.ID
	}
	require.NoError(s, s.store.Settle(s.Context(), b.LeaseToken, outs))
}

// splitAll splits all waiting deliveries and returns their keys.
func (s splitting) splitAll() (keys []string) {
	for {
		some := s.split(100)
		if len(some) == 0 {
			return keys
		}
		keys = append(keys, some...)
	}
}

// A delivery of one number waits for a short batch of another one; a number alone has large
// batches.
func TestBatchesAreShortWhereNumbersShareTheInbox(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store *sqlinbox.Store) {
		s := splitting{t, store}
		s.arrive("a", "1065", 60)
		require.Len(t, s.split(30), 30)
		s.arrive("b", "1066", 1)
		require.Len(t, s.split(30), 24)
		require.Len(t, s.splitAll(), 7)
	})
}

// Messages of one number are not split after all deliveries of another number.
func TestDeliveriesOfNumbersTakeTurns(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store *sqlinbox.Store) {
		s := splitting{t, store}
		s.arrive("a", "1065", 40)
		s.arrive("b", "1066", 2)
		s.arrive("c", "1067", 1)
		first := s.split(9)
		require.Len(t, first, 9)
		require.Subset(t, first, []string{"a 0", "a 5", "b 0", "b 1", "c 0"})
		for i := range 2 {
			s.arrive(fmt.Sprint("d", i), "1068", 1)
			require.Contains(t, append(s.split(1), s.split(1)...), fmt.Sprint("d", i, " 0"))
		}
		rest := s.splitAll()
		require.Equal(t, "a 8", rest[0], "those of a number are in order")
		require.Equal(t, "a 39", rest[len(rest)-1])
	})
}

// A delivery that may be about several numbers is split after all earlier and before all later
// ones, so that each conversation stays in order.
func TestADeliveryOfSeveralNumbersKeepsItsPlace(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store *sqlinbox.Store) {
		s := splitting{t, store}
		s.arrive("a", "1065", 3)
		s.arrive("mixed", "", 2)
		s.arrive("b", "1066", 1)
		s.arrive("late", "1065", 1)
		s.arrive("end", "", 1)
		require.Equal(t, []string{"a 0", "a 1"}, s.split(2))
		require.Equal(t, []string{"a 2"}, s.split(10))
		require.Equal(t, []string{"mixed 0", "mixed 1"}, s.split(10))
		require.ElementsMatch(t, []string{"b 0", "late 0"}, s.split(10))
		require.Equal(t, []string{"end 0"}, s.split(10))
		require.Empty(t, s.split(10))
	})
}

// A delivery that crashes the process is found among those that were in progress, and not among all
// waiting ones: they come first, one at a time until one of them is settled.
func TestAnAbandonedBatchOfDeliveriesComesBackFirst(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store *sqlinbox.Store) {
		s := splitting{t, store}
		s.arrive("a", "1065", 20)
		s.arrive("b", "1066", 20)
		_, batch := s.claim(6, time.Microsecond)
		require.Len(t, batch, 6)
		for range 3 {
			_, alone := s.claim(6, time.Microsecond)
			require.Equal(t, batch[:1], alone)
		}
		b, _ := s.claim(6, time.Minute)
		require.Equal(t, 4, b.Records[0].Abandoned)
		s.settle(b)
		b, rest := s.claim(6, time.Minute)
		require.Equal(t, batch[1:], rest)
		require.Zero(t, b.Records[0].Abandoned)
		s.settle(b)
		require.Len(t, s.splitAll(), 34)
	})
}
