package webhook

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

const (
	// memLease is how long a claim lasts whose holder never says how it ended.
	memLease = time.Minute

	// memKeep is how long a handled event is remembered: the 7 days for which Meta repeats, and one more.
	memKeep = 8 * 24 * time.Hour
)

// A MemLedger is a [Ledger] in memory, for a single process. The zero MemLedger is ready. It forgets everything when the
// process ends and takes about 100 bytes for each event of the last 8 days. It is safe for concurrent use.
type MemLedger struct {
	mu      sync.Mutex
	entries map[[16]byte]*memClaim
	sweepAt time.Time
}

// A memClaim is an entry of a MemLedger, and the claim on it.
type memClaim struct {
	ledger *MemLedger
	key    [16]byte
	done   bool
	until  time.Time // the end of the claim, or of remembering
}

// Claim implements [Ledger]. Keys are kept hashed.
func (l *MemLedger) Claim(_ context.Context, key string) (Claim, error) {
	sum := sha256.Sum256([]byte(key))
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	c := &memClaim{ledger: l, key: [16]byte(sum[:16]), until: now.Add(memLease)}
	if held := l.entries[c.key]; held != nil && now.Before(held.until) {
		if held.done {
			return nil, ErrHandled
		}
		return nil, ErrInProgress
	}
	if l.entries == nil {
		l.entries = make(map[[16]byte]*memClaim)
	}
	l.entries[c.key] = c
	return c, nil
}

// sweep forgets what is over, once an hour, so that one claim in many pays for it.
func (l *MemLedger) sweep(now time.Time) {
	if now.Before(l.sweepAt) {
		return
	}
	l.sweepAt = now.Add(time.Hour)
	for key, c := range l.entries {
		if !now.Before(c.until) {
			delete(l.entries, key)
		}
	}
}

var errClaimLost = errors.New("webhook: handling took longer than a claim lasts; the event may have been handled twice")

// Done implements [Claim].
func (c *memClaim) Done(context.Context) error {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	if c.ledger.entries[c.key] != c {
		return errClaimLost
	}
	c.done, c.until = true, time.Now().Add(memKeep)
	return nil
}

// Release implements [Claim].
func (c *memClaim) Release(context.Context) error {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	if c.ledger.entries[c.key] == c && !c.done {
		delete(c.ledger.entries, c.key)
	}
	return nil
}
