package usage_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/usage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func TestAMessageIsCountedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		db := e.open()
		m := newMeter(t, db, usage.Config{})
		sent, delivered := status(1, webhook.StatusSent, service), status(1, webhook.StatusDelivered, service)
		handle(t, m, sent)
		require.Empty(t, lines(t, m), "it may never arrive")
		handle(t, m, delivered, delivered, status(1, webhook.StatusRead, service), sent)
		require.Equal(t, []usage.Line{serviceLine(1)}, lines(t, m))
		require.NoError(t, db.Close())
		m = newMeter(t, e.open(), usage.Config{}) // another process
		handle(t, m, delivered, status(1, webhook.StatusPlayed, service), status(2, webhook.StatusRead, service))
		require.Equal(t, []usage.Line{serviceLine(2)}, lines(t, m))
	})
}

func TestWhatIsCounted(t *testing.T) {
	t.Parallel()
	change := func(fn func(st *webhook.MessageStatus)) webhook.Event {
		st := status(1, webhook.StatusDelivered, service)
		fn(st)
		return st
	}
	tests := map[string]struct {
		event webhook.Event
		want  int
	}{
		"as it is":   {change(func(*webhook.MessageStatus) {}), 1},
		"read":       {change(func(st *webhook.MessageStatus) { st.Status = webhook.StatusRead }), 1},
		"played":     {change(func(st *webhook.MessageStatus) { st.Status = webhook.StatusPlayed }), 1},
		"new type":   {change(func(st *webhook.MessageStatus) { st.Pricing.Type = "invented" }), 1},
		"no time":    {change(func(st *webhook.MessageStatus) { st.At, st.ReceivedAt = time.Time{}, november }), 1},
		"sent":       {change(func(st *webhook.MessageStatus) { st.Status = webhook.StatusSent }), 0},
		"failed":     {change(func(st *webhook.MessageStatus) { st.Status = webhook.StatusFailed }), 0},
		"new status": {change(func(st *webhook.MessageStatus) { st.Status = "invented" }), 0},
		"no pricing": {change(func(st *webhook.MessageStatus) { st.Pricing = nil }), 0},
		"no id":      {change(func(st *webhook.MessageStatus) { st.ID = "" }), 0},
		"no number":  {change(func(st *webhook.MessageStatus) { st.PhoneNumberID = "" }), 0},
		"payment":    {change(func(st *webhook.MessageStatus) { st.Payment = new(webhook.Payment) }), 0},
		"standby": {&webhook.StandbyStatus{
			EventInfo: webhook.EventInfo{PhoneNumberID: phone}, Status: status(1, webhook.StatusDelivered, service),
		}, 0},
		"echo": {&webhook.BusinessAppEcho{EventInfo: webhook.EventInfo{PhoneNumberID: phone}, ID: "wamid.1"}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMeter(t, engines["sqlite"](t).open(), usage.Config{})
			handle(t, m, tt.event)
			require.Len(t, lines(t, m), tt.want)
		})
	}
}

// Meta bills a message to a group for each participant whom it reaches.
func TestAMessageToAGroupIsCountedForEachParticipant(t *testing.T) {
	t.Parallel()
	m := newMeter(t, engines["sqlite"](t).open(), usage.Config{})
	to := func(user graph.UserID) *webhook.MessageStatus {
		st := status(1, webhook.StatusDelivered, webhook.Pricing{
			Category: webhook.PricingGroupService, Type: webhook.PricingFreeGroupService,
		})
		st.RecipientType, st.Recipient, st.Participant = "group", graph.Identity{}, graph.Identity{UserID: user}
		return st
	}
	handle(t, m, to("BR.1"), to("PT.2"), to("BR.3"), to("BR.1"))
	require.Equal(t, []usage.Line{
		{webhook.PricingGroupService, webhook.PricingFreeGroupService, "", "BR", 2},
		{webhook.PricingGroupService, webhook.PricingFreeGroupService, "", "PT", 1},
	}, lines(t, m))
}

func TestLinesTellWhatIsBilledAlike(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		m := newMeter(t, e.open(), usage.Config{Market: func(st *webhook.MessageStatus) string {
			return "market\x00of " + string(st.Status)
		}})
		exempt := webhook.Pricing{
			Category: webhook.PricingService, Type: webhook.PricingRegular, Subtype: webhook.PricingPaidExempt,
		}
		handle(t, m, status(1, webhook.StatusRead, exempt), status(2, webhook.StatusRead, marketing),
			status(3, webhook.StatusDelivered, marketing), status(4, webhook.StatusDelivered, marketing))
		require.Equal(t, []usage.Line{
			{webhook.PricingMarketing, webhook.PricingRegular, "", "market\uFFFDof delivered", 2},
			{webhook.PricingMarketing, webhook.PricingRegular, "", "market\uFFFDof read", 1},
			{webhook.PricingService, webhook.PricingRegular, webhook.PricingPaidExempt, "market\uFFFDof read", 1},
		}, lines(t, m))
	})
}

// What Meta sends is counted as it is documented.
func TestSamplesOfMetaAreCounted(t *testing.T) {
	t.Parallel()
	const exempt = webhook.PricingPaidExempt
	for name, want := range map[string][]usage.Line{
		"status-sent":            nil,
		"status-delivered":       {{webhook.PricingUtility, webhook.PricingRegular, "", "US", 1}},
		"status-paid-exempt":     {{webhook.PricingService, webhook.PricingRegular, exempt, "", 1}},
		"status-regular-service": {{webhook.PricingService, webhook.PricingRegular, "", "US", 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMeter(t, engines["sqlite"](t).open(), usage.Config{})
			events, err := webhook.Decode(webhooktest.Sample("messages", name))
			require.NoError(t, err)
			require.NotEmpty(t, events)
			handle(t, m, events...)
			info := events[0].Info()
			month, err := m.Month(t.Context(), info.PhoneNumberID, info.At)
			require.NoError(t, err)
			require.Equal(t, want, month.Lines)
		})
	}
}

func TestMonthsBeginInTheirLocation(t *testing.T) {
	t.Parallel()
	db := engines["sqlite"](t).open()
	zone := time.FixedZone("UTC-3", -3*60*60)
	m := newMeter(t, db, usage.Config{Location: zone})
	at := func(n int, at time.Time) webhook.Event {
		st := status(n, webhook.StatusDelivered, service)
		st.At = at
		return st
	}
	turn := time.Date(2026, 12, 1, 0, 0, 0, 0, zone)
	handle(t, m, at(1, turn.Add(-time.Second)), at(2, turn.UTC()), at(3, turn.Add(time.Hour).UTC()))
	before, err := m.Month(t.Context(), phone, turn.Add(-time.Second).UTC())
	require.NoError(t, err)
	require.Equal(t, []usage.Line{serviceLine(1)}, before.Lines)
	require.True(t, before.Begin.Equal(time.Date(2026, 11, 1, 0, 0, 0, 0, zone)) && before.End.Equal(turn))
	after, err := m.Month(t.Context(), phone, turn.UTC())
	require.NoError(t, err)
	require.Equal(t, []usage.Line{serviceLine(2)}, after.Lines)
	back, err := m.Month(t.Context(), phone, after.Begin.AddDate(0, -1, 0))
	require.NoError(t, err)
	require.Equal(t, before, back)
	other, err := m.Month(t.Context(), "another number", turn)
	require.NoError(t, err)
	require.Empty(t, other.Lines)
}

// However many processes handle an event at once, it is counted once.
func TestProcessesCountTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		const messages, workers = 60, 6
		db := e.open()
		meters := []*usage.Meter{newMeter(t, db, usage.Config{}), newMeter(t, db, usage.Config{})}
		if e.shared {
			meters[1] = newMeter(t, e.open(), usage.Config{})
		}
		ev := func(n int, s webhook.DeliveryStatus) webhook.Event {
			return status(n, s, []webhook.Pricing{service, marketing}[n%2])
		}
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := range messages {
					n := (i + w*messages/workers) % messages // each begins at another one
					if w == 0 {
						meters[0].Prepare(t.Context(), []webhook.Preparation{
							{Event: ev(messages-1-n, webhook.StatusRead), Context: t.Context()},
							{Event: ev(n, webhook.StatusDelivered), Context: t.Context()},
						})
					}
					if err := meters[w%2].Handle(t.Context(), ev(n, webhook.StatusDelivered)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.Equal(t, []usage.Line{
			{webhook.PricingMarketing, webhook.PricingRegular, "", "BR", messages / 2}, serviceLine(messages / 2),
		}, lines(t, meters[0]))
	})
}

// Behind a handler that fails, and around a transaction that is rolled back, an event comes again
// and again, and is counted once.
func TestRetriesAreNotCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		db := e.open()
		m := newMeter(t, db, usage.Config{})
		var mu sync.Mutex
		tries := 0
		failing := webhook.HandlerFunc(func(context.Context, webhook.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if tries++; tries < 4 {
				return errors.New("later")
			}
			return nil
		})
		in, err := db.Inbox(webhook.MultiHandler(m, inbox.InTx(failing)), inbox.Config{
			Backoff: func(int) time.Duration { return time.Millisecond },
		})
		require.NoError(t, err)
		require.NoError(t, in.Start(t.Context()))
		for n := range 3 {
			require.NoError(t, in.Receive(t.Context(), webhook.Delivery{ReceivedAt: time.Now(), Body: delivered(n)}))
		}
		require.NoError(t, in.WaitIdle(t.Context()))
		require.NoError(t, in.Shutdown(t.Context()))
		require.GreaterOrEqual(t, tries, 6)
		require.Equal(t, []usage.Line{serviceLine(3)}, lines(t, m))
	})
}

// delivered is a delivery with a status of the n-th message, as Meta writes it.
func delivered(n int) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{
		"field":"messages","value":{"messaging_product":"whatsapp",
		"metadata":{"display_phone_number":"15550100200","phone_number_id":%q},
		"statuses":[{"id":"wamid.canary%d","status":"delivered","timestamp":"%d","recipient_id":"15550100142",
			"recipient_user_id":"BR.4242424242","pricing":{"billable":false,"pricing_model":"PMP",
			"category":"service","type":"free_customer_service"}}]}}]}]}`, phone, n, november.Unix())
}

// A dyingContext ends when it was asked for its end so often. database/sql asks before and in each
// statement, so each count is another place within the work.
type dyingContext struct {
	context.Context

	cancel context.CancelFunc
	left   atomic.Int64
}

func (c *dyingContext) Done() <-chan struct{} {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
	return c.Context.Done()
}

// Wherever the work stops, the message is counted once when the event comes again.
func TestACrashCountsNothingTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		m := newMeter(t, e.open(), usage.Config{})
		stopped := 0
		for n := 1; ; n++ {
			ctx, cancel := context.WithCancel(t.Context())
			dying := &dyingContext{Context: ctx, cancel: cancel}
			dying.left.Store(int64(n))
			ev := status(n, webhook.StatusDelivered, service)
			err := m.Handle(dying, ev)
			cancel()
			handle(t, m, ev)
			require.Equal(t, []usage.Line{serviceLine(int64(n))}, lines(t, m), "place %d", n)
			if err == nil && dying.left.Load() > 0 {
				break
			}
			stopped++
		}
		require.Greater(t, stopped, 3)
	})
}

// What was prepared is not counted again, and takes no statement: Handle works with a context that
// has ended.
func TestWhatIsPreparedNeedsNoStatement(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		db := e.open()
		m := newMeter(t, db, usage.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		var batch []webhook.Preparation
		for n := range 20 {
			steps := []webhook.DeliveryStatus{webhook.StatusSent, webhook.StatusDelivered, webhook.StatusRead}
			for _, s := range steps {
				batch = append(batch, webhook.Preparation{Event: status(n, s, service), Context: ctx})
			}
		}
		m.Prepare(t.Context(), batch)
		m.Prepare(t.Context(), batch)
		require.Equal(t, []usage.Line{serviceLine(20)}, lines(t, m))
		cancel()
		for _, p := range batch {
			require.NoError(t, m.Handle(p.Context, p.Event))
		}
		// Another event with the context of a prepared one is not taken for that.
		another := status(77, webhook.StatusDelivered, service)
		require.ErrorIs(t, m.Handle(batch[1].Context, another), context.Canceled)
		require.Equal(t, []usage.Line{serviceLine(20)}, lines(t, m))
	})
}

// dump returns what is stored about usage, as text.
func dump(t *testing.T, db *sql.DB) string {
	t.Helper()
	var all strings.Builder
	for _, table := range []string{"coexistence_usage", "coexistence_usage_messages", "coexistence_usage_alerts"} {
		rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			row := make([]any, len(columns))
			for i := range row {
				row[i] = new(any)
			}
			require.NoError(t, rows.Scan(row...))
			for i := range row {
				fmt.Fprintf(&all, "%s.%s: %v\n", table, columns[i], *row[i].(*any))
			}
		}
		require.NoError(t, errors.Join(rows.Err(), rows.Close()))
	}
	return all.String()
}

func TestForgettingHolds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		db := e.open()
		tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store()})
		require.NoError(t, err)
		m := newMeter(t, db, usage.Config{
			Budget: budgetOf(usage.Money{Currency: "USD", Micros: 1}), Rates: flat("USD", 1000),
			OnBudget: func(context.Context, usage.Alert) error { return nil },
		})
		onboard := func() {
			require.NoError(t, tracker.Onboard(t.Context(), cloudapi.Onboarding{
				PhoneNumberID: phone, WABAIDs: []graph.WABAID{"102290129340398"},
			}))
		}
		onboard()
		handle(t, m, status(1, webhook.StatusDelivered, service), status(2, webhook.StatusDelivered, marketing))
		stored := dump(t, db.SQL())
		for _, table := range []string{"usage.phone", "usage_messages.phone", "usage_alerts.phone"} {
			require.Contains(t, stored, table)
		}
		for _, canary := range []string{"15550100142", "4242424242", "canary"} {
			require.NotContains(t, stored, canary)
		}
		// Of a person, what was counted stays.
		r := coexistence.ForgetRequest{PhoneNumberID: phone, Person: "BR.4242424242"}
		require.NoError(t, tracker.Forget(t.Context(), r))
		require.Equal(t, stored, dump(t, db.SQL()))

		require.NoError(t, tracker.Forget(t.Context(), coexistence.ForgetRequest{PhoneNumberID: phone}))
		require.Empty(t, dump(t, db.SQL()))
		handle(t, m, status(1, webhook.StatusDelivered, service), status(3, webhook.StatusDelivered, marketing))
		require.Empty(t, dump(t, db.SQL()), "a late status does not bring it back")
		onboard()
		handle(t, m, status(4, webhook.StatusDelivered, service))
		require.Equal(t, []usage.Line{serviceLine(1)}, lines(t, m))
	})
}

func TestOldHashesAreDeleted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		db := e.open()
		m := newMeter(t, db, usage.Config{})
		batch := func(from, n int) {
			list := make([]webhook.Preparation, n)
			for i := range list {
				ev := status(from+i, webhook.StatusDelivered, service)
				list[i] = webhook.Preparation{Event: ev, Context: t.Context()}
			}
			m.Prepare(t.Context(), list)
		}
		stored := func() (n int) {
			require.NoError(t, db.SQL().QueryRowContext(t.Context(),
				"SELECT COUNT(*) FROM coexistence_usage_messages").Scan(&n))
			return n
		}
		batch(0, 400)
		require.Equal(t, 400, stored())
		_, err := db.SQL().ExecContext(t.Context(), "UPDATE coexistence_usage_messages SET counted_at = $1",
			time.Now().AddDate(0, 0, -91).UnixMicro())
		require.NoError(t, err)
		batch(400, 200)
		require.Equal(t, 200, stored())
		require.Equal(t, []usage.Line{serviceLine(600)}, lines(t, m), "the count stays")
	})
}
