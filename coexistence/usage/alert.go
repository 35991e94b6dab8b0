package usage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

const (
	// tellTimeout is how long Config.OnBudget may take.
	tellTimeout = 30 * time.Second

	// claimDuration is how long an alert is left to the process that tells it. It is over after
	// that, and so is the process.
	claimDuration = 2 * tellTimeout
)

// An Alert says that the messages of a number have reached its budget for a month.
type Alert struct {
	Month  *Month // as it is now
	Budget Money
	Cost   Money // not below Budget
}

// An alertKey identifies an alert: each is reported once for a number.
type alertKey struct{ phone, month, budget string }

// errTelling asks for a retry: by then it is known whether the host was notified.
var errTelling = errors.New("usage: another process calls Config.OnBudget for this number; the event is tried again")

// alert tells the host if an arrival has brought its number to the budget, and the host was not
// told before. It is called for repeats too: the process that counted the message may have ended.
func (m *Meter) alert(ctx context.Context, a arrival) error {
	if m.cfg.Budget == nil {
		return nil
	}
	budget, err := m.cfg.Budget(ctx, a.phone)
	if err != nil || budget == (Money{}) {
		return err
	}
	k := alertKey{string(a.phone), monthName(a.begin), budget.String()}
	if m.wasTold(a.phone, k) {
		return nil
	}
	month, err := m.Month(ctx, a.phone, a.begin)
	if err != nil {
		return err
	}
	cost, err := month.Cost(m.cfg.Rates)
	if err != nil && !errors.Is(err, ErrNoRate) {
		return err
	}
	if cost.Micros > 0 && cost.Currency != budget.Currency {
		return fmt.Errorf("usage: a budget is in %s and the rates are in %s; give both in one currency",
			budget.Currency, cost.Currency)
	}
	if cost.Micros < budget.Micros {
		return nil
	}
	m.telling.Lock()
	defer m.telling.Unlock()
	if m.wasTold(a.phone, k) {
		return nil
	}
	if err := m.tell(ctx, k, Alert{month, budget, cost}); err != nil {
		return err
	}
	m.told.Store(a.phone, k)
	return nil
}

// wasTold reports whether this process knows that the host was told.
func (m *Meter) wasTold(phone graph.PhoneNumberID, k alertKey) bool {
	last, ok := m.told.Load(phone)
	return ok && last == k
}

// tell calls Config.OnBudget unless that was done, or another process is about to. The caller must
// hold m.telling.
func (m *Meter) tell(ctx context.Context, k alertKey, a Alert) error {
	claimed, err := m.claim(ctx, k)
	if err != nil || !claimed {
		return sqldb.Explain("usage: Handle", err)
	}
	bound, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	failed := m.cfg.OnBudget(bound, a)
	told := 1
	if failed != nil {
		told = 0
	}
	_, err = m.db.Write(context.WithoutCancel(ctx),
		"UPDATE coexistence_usage_alerts SET told = ?, claimed_until = 0 WHERE phone = ? AND month = ? AND budget = ?",
		told, k.phone, k.month, k.budget)
	return errors.Join(failed, sqldb.Explain("usage: Handle", err))
}

// claim reports whether it is for this process to tell. It is not if that was done. A number that
// was forgotten has no lines, and no alert.
func (m *Meter) claim(ctx context.Context, k alertKey) (claimed bool, err error) {
	now := time.Now()
	n, err := m.db.Write(ctx, `INSERT INTO coexistence_usage_alerts (phone, month, budget, claimed_until, told)
		SELECT phone, month, CAST(? AS TEXT), CAST(? AS BIGINT), 0 FROM coexistence_usage
		WHERE phone = ? AND month = ? LIMIT 1
		ON CONFLICT (phone, month, budget) DO UPDATE SET claimed_until = excluded.claimed_until
		WHERE coexistence_usage_alerts.told = 0 AND coexistence_usage_alerts.claimed_until < ?`,
		k.budget, now.Add(claimDuration).UnixMicro(), k.phone, k.month, now.UnixMicro())
	if err != nil || n > 0 {
		return n > 0, err
	}
	err = m.db.Read(ctx, m.db, func(rows *sql.Rows) error {
		var told int
		if err := rows.Scan(&told); err != nil || told == 1 {
			return err
		}
		return errTelling
	}, "SELECT told FROM coexistence_usage_alerts WHERE phone = ? AND month = ? AND budget = ?",
		k.phone, k.month, k.budget)
	return false, err
}
