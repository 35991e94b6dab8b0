package health

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Arrivals are what webhooks tell about health: when something last arrived for each number, what
// of it this version does not know, and that a limit has changed, so that the number is to be read
// again. The zero Arrivals are ready, and safe for concurrent use. They are a [webhook.Handler]
// that never fails: put them last, and name them in [Config]. They last as long as the process.
type Arrivals struct {
	mu      sync.Mutex
	last    map[graph.PhoneNumberID]time.Time
	changed map[graph.WABAID]time.Time // when an event said that a reading is out of date

	// drifts are by the id of the number, or of the account for events that name no number.
	drifts map[string]*webhook.Drift
}

var _ webhook.Handler = (*Arrivals)(nil)

// Handle implements [webhook.Handler]. It never returns an error.
func (a *Arrivals) Handle(ctx context.Context, ev webhook.Event) error {
	return a.note(ev).Handle(ctx, ev)
}

// note notes when an event came, and returns the drift that counts what is unknown in it. An event
// that is handled again keeps the time of its arrival.
func (a *Arrivals) note(ev webhook.Event) *webhook.Drift {
	info := ev.Info()
	at, key := info.ReceivedAt, string(info.PhoneNumberID)
	if at.IsZero() {
		at = time.Now()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil {
		a.last, a.changed = map[graph.PhoneNumberID]time.Time{}, map[graph.WABAID]time.Time{}
		a.drifts = map[string]*webhook.Drift{}
	}
	if key == "" {
		key = string(info.WABAID)
	} else {
		a.last[info.PhoneNumberID] = latest(a.last[info.PhoneNumberID], at.UTC())
	}
	switch ev.(type) {
	case *webhook.PhoneNumberQualityUpdate, *webhook.BusinessCapabilityUpdate, *webhook.AccountReviewUpdate,
		*webhook.AccountUpdate:
		a.changed[info.WABAID] = latest(a.changed[info.WABAID], at)
	default:
	}
	if a.drifts[key] == nil {
		a.drifts[key] = new(webhook.Drift)
	}
	return a.drifts[key]
}

// lastAt returns when something last arrived for a number, or the zero time. A nil receiver knows
// of nothing.
func (a *Arrivals) lastAt(phone graph.PhoneNumberID) time.Time {
	if a == nil {
		return time.Time{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last[phone]
}

// changedAt returns when an event last said that what was read of an account is out of date.
func (a *Arrivals) changedAt(accounts []graph.WABAID) (at time.Time) {
	if a == nil {
		return at
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, waba := range accounts {
		at = latest(at, a.changed[waba])
	}
	return at
}

// drift returns what is unknown of what arrived for a number and for its accounts.
func (a *Arrivals) drift(n coexistence.Number) []webhook.DriftCount {
	keys := []string{string(n.PhoneNumberID)}
	for _, waba := range n.Accounts() {
		keys = append(keys, string(waba))
	}
	a.mu.Lock()
	var found []*webhook.Drift
	for _, key := range keys {
		if d := a.drifts[key]; d != nil {
			found = append(found, d)
		}
	}
	a.mu.Unlock()
	var counts []webhook.DriftCount
	for _, d := range found {
		counts = slices.Concat(counts, d.Snapshot())
	}
	return counts
}
