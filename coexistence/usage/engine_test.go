package usage_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/usage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const phone graph.PhoneNumberID = "106540352242930"

// november is a moment within a month that has a free tier.
var november = time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)

// An engine opens its database, the same one each time.
type engine struct {
	open   func() *storage.DB
	shared bool // several processes may have it open
}

var engines = map[string]func(t *testing.T) engine{
	"sqlite": func(t *testing.T) engine {
		t.Helper()
		path := filepath.Join(t.TempDir(), "usage.db")
		return engine{open: func() *storage.DB {
			db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
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
		return engine{shared: true, open: func() *storage.DB {
			db, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.Small(url)})
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			return db
		}}
	},
}

// each runs a test on every engine that the machine has.
func each(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// newMeter returns a meter over a database, as a process has one.
func newMeter(t *testing.T, db *storage.DB, cfg usage.Config) *usage.Meter {
	t.Helper()
	m, err := db.Usage(cfg)
	require.NoError(t, err)
	return m
}

// service is the pricing of a service message in the free tier.
var service = webhook.Pricing{Category: webhook.PricingService, Type: webhook.PricingFreeService}

// marketing is the pricing of a marketing message.
var marketing = webhook.Pricing{Category: webhook.PricingMarketing, Type: webhook.PricingRegular}

// status is a status of the n-th message, to a person in Brazil.
func status(n int, s webhook.DeliveryStatus, p webhook.Pricing) *webhook.MessageStatus {
	return &webhook.MessageStatus{
		EventInfo: webhook.EventInfo{PhoneNumberID: phone, Field: webhook.FieldMessages, At: november},
		ID:        graph.MessageID(fmt.Sprintf("wamid.canary%d", n)), Status: s,
		Recipient: graph.Identity{WAID: "15550100142", UserID: "BR.4242424242"}, Pricing: &p,
	}
}

// handle has a meter handle events one by one.
func handle(t *testing.T, m *usage.Meter, events ...webhook.Event) {
	t.Helper()
	for _, ev := range events {
		require.NoError(t, m.Handle(t.Context(), ev))
	}
}

// lines are those of the month.
func lines(t *testing.T, m *usage.Meter) []usage.Line {
	t.Helper()
	month, err := m.Month(t.Context(), phone, november)
	require.NoError(t, err)
	return month.Lines
}

// serviceLine is the line of n service messages in the free tier.
func serviceLine(n int64) usage.Line {
	return usage.Line{
		Category: webhook.PricingService, Type: webhook.PricingFreeService, Market: "BR", Messages: n,
	}
}
