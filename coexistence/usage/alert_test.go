package usage_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/usage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// budgetOf is the same budget for every number.
func budgetOf(m usage.Money) func(context.Context, graph.PhoneNumberID) (usage.Money, error) {
	return func(context.Context, graph.PhoneNumberID) (usage.Money, error) { return m, nil }
}

func dollars(n int64) usage.Money { return usage.Money{Currency: "USD", Micros: n * 1e6} }

// A host is one who is told of budgets. Its messages cost a dollar.
type host struct {
	mu     sync.Mutex
	alerts []usage.Alert
	err    error // of the next call
}

func (h *host) config(budget usage.Money) usage.Config {
	return usage.Config{Budget: budgetOf(budget), Rates: flat("USD", 1e6), OnBudget: h.tell}
}

func (h *host) tell(_ context.Context, a usage.Alert) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alerts = append(h.alerts, a)
	err := h.err
	h.err = nil
	return err
}

// ads are marketing messages that were delivered, from the first to the one before the last.
func ads(first, last int) (list []webhook.Event) {
	for n := first; n < last; n++ {
		list = append(list, status(n, webhook.StatusDelivered, marketing))
	}
	return list
}

func TestABudgetIsToldOfOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		h, db := new(host), e.open()
		m := newMeter(t, db, h.config(dollars(3)))
		handle(t, m, ads(0, 2)...)
		handle(t, m, ads(0, 2)...)
		require.Empty(t, h.alerts)
		handle(t, m, ads(2, 10)...)
		require.Len(t, h.alerts, 1)
		a := h.alerts[0]
		require.Equal(t, dollars(3), a.Budget)
		require.Equal(t, dollars(3), a.Cost)
		require.Equal(t, phone, a.Month.PhoneNumberID)
		require.Equal(t, time.November, a.Month.Begin.Month())

		require.NoError(t, db.Close())
		db = e.open() // after a restart
		handle(t, newMeter(t, db, h.config(dollars(3))), ads(5, 20)...)
		require.Len(t, h.alerts, 1)

		next := status(100, webhook.StatusDelivered, marketing)
		next.At = november.AddDate(0, 1, 0)
		m = newMeter(t, db, h.config(usage.Money{Currency: "USD", Micros: 1}))
		handle(t, m, next)
		require.Len(t, h.alerts, 2, "another month")

		handle(t, newMeter(t, db, h.config(dollars(21))), ads(20, 25)...)
		require.Len(t, h.alerts, 3, "the budget was raised")
		require.Equal(t, dollars(21), h.alerts[2].Cost)
	})
}

func TestABudgetIsToldOfAgainIfThatFailed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		h := &host{err: errors.New("no mail server")}
		m := newMeter(t, e.open(), h.config(dollars(1)))
		ev := ads(0, 1)[0]
		require.ErrorContains(t, m.Handle(t.Context(), ev), "no mail server")
		handle(t, m, ev, ev) // counted already
		require.Len(t, h.alerts, 2)
	})
}

// A process that ended while it told is replaced when its time is over, and not before.
func TestAnAlertOfADeadProcessIsToldAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		h, db := new(host), e.open()
		m := newMeter(t, db, h.config(dollars(1)))
		handle(t, m, ads(0, 1)...)
		other := newMeter(t, db, h.config(dollars(1)))
		claimedUntil := func(at time.Time) {
			_, err := db.SQL().ExecContext(t.Context(),
				"UPDATE coexistence_usage_alerts SET told = 0, claimed_until = $1", at.UnixMicro())
			require.NoError(t, err)
		}
		claimedUntil(time.Now().Add(time.Minute))
		require.ErrorContains(t, other.Handle(t.Context(), ads(0, 1)[0]), "another process")
		require.Len(t, h.alerts, 1)
		claimedUntil(time.Now().Add(-time.Second))
		handle(t, other, ads(0, 1)...)
		require.Len(t, h.alerts, 2)
	})
}

func TestProcessesTellOnceTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Helper()
		h, db := new(host), e.open()
		meters := []*usage.Meter{newMeter(t, db, h.config(dollars(5))), newMeter(t, db, h.config(dollars(5)))}
		if e.shared {
			meters[1] = newMeter(t, e.open(), h.config(dollars(5)))
		}
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for _, ev := range ads(0, 10) {
					_ = meters[w%2].Handle(t.Context(), ev) // it may be that the other one tells
				}
			})
		}
		wg.Wait()
		for _, m := range meters {
			handle(t, m, ads(9, 10)...)
		}
		require.Len(t, h.alerts, 1)
	})
}

func TestNoBudgetIsNotToldOf(t *testing.T) {
	t.Parallel()
	h, db := new(host), engines["sqlite"](t).open()
	handle(t, newMeter(t, db, h.config(usage.Money{})), ads(0, 3)...)
	partly := h.config(dollars(4))
	partly.Rates = func(l usage.Line) (usage.Money, bool) {
		return dollars(1), l.Category == webhook.PricingMarketing
	}
	m := newMeter(t, db, partly)
	handle(t, m, status(50, webhook.StatusDelivered, webhook.Pricing{Category: "invented", Type: "regular"}))
	require.Empty(t, h.alerts, "a message without a rate counts as nothing")
	handle(t, m, ads(3, 4)...)
	require.Len(t, h.alerts, 1)
}

func TestMistakesOfBudgets(t *testing.T) {
	t.Parallel()
	h, db := new(host), engines["sqlite"](t).open()
	_, err := db.Usage(usage.Config{Budget: budgetOf(dollars(1))})
	require.ErrorContains(t, err, "needs Config.Rates")
	require.ErrorContains(t, err, "needs Config.OnBudget")
	m := newMeter(t, db, h.config(usage.Money{Currency: "EUR", Micros: 1}))
	require.ErrorContains(t, m.Handle(t.Context(), ads(0, 1)[0]), "a budget is in EUR and the rates are in USD")
	lost := h.config(dollars(1))
	lost.Budget = func(context.Context, graph.PhoneNumberID) (usage.Money, error) {
		return usage.Money{}, errors.New("no budget table")
	}
	require.ErrorContains(t, newMeter(t, db, lost).Handle(t.Context(), ads(0, 1)[0]), "no budget table")
	require.Empty(t, h.alerts)
}
