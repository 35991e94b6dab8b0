package webhook

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"
)

const (
	// memLease is how long a claim lasts whose holder never says how it ended.
	memLease = time.Minute

	// memKeep is how long a handled event is remembered: the 7 days for which Meta repeats, and one
	// more.
	memKeep = 8 * 24 * time.Hour

	// memMaxKeys is the default of MemDedupStore.MaxKeys.
	memMaxKeys = 1_000_000
)

// A MemDedupStore is a [DedupStore] in memory, for a single process; [Dispatch] has one. The zero
// MemDedupStore is ready. It remembers an event for 8 days, and forgets everything when the process
// ends. It is safe for concurrent use.
type MemDedupStore struct {
	// MaxKeys bounds the memory, at about 60 bytes for each key: with more events than that in 8
	// days, only the last MaxKeys/2 of them are sure to be remembered. If zero, 1,000,000. Set it
	// before the first use.
	MaxKeys int

	mu      sync.Mutex
	claims  map[memKey]*memClaim
	sweepAt time.Duration

	// Keys of handled events are added to young, with the second of their claim. When it is full or
	// 8 days old it becomes old, and what was old is forgotten: no key has to be looked for to be
	// deleted, and no event waits for that. Neither map holds pointers, which spares the garbage
	// collector the work.
	young, old map[memKey]uint32
	youngUntil time.Duration

	began time.Time // what times count from
	seeds [2]maphash.Seed
}

// A memKey is a hashed key.
type memKey [2]uint64

// A memClaim is a claim on a key of a MemDedupStore.
type memClaim struct {
	ledger *MemDedupStore
	key    memKey
	at     time.Duration
}

// Claim implements [DedupStore].
func (l *MemDedupStore) Claim(_ context.Context, key string) (Claim, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.claims == nil {
		l.claims, l.began = make(map[memKey]*memClaim), time.Now()
		l.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	}
	now := time.Since(l.began)
	l.sweep(now)
	c := &memClaim{ledger: l, key: memKey{maphash.String(l.seeds[0], key), maphash.String(l.seeds[1], key)}, at: now}
	if l.handled(c.key, now) {
		return nil, ErrDuplicate
	}
	if held := l.claims[c.key]; held != nil && now < held.at+memLease {
		return nil, ErrInProgress
	}
	l.claims[c.key] = c
	return c, nil
}

// sweep drops claims that ended by themselves. There are as many claims as events in progress. The
// caller must hold l.mu.
func (l *MemDedupStore) sweep(now time.Duration) {
	if now < l.sweepAt {
		return
	}
	l.sweepAt = now + memLease
	for key, c := range l.claims {
		if now >= c.at+memLease {
			delete(l.claims, key)
		}
	}
}

// handled reports whether the event of that key was handled in the last 8 days. The caller must
// hold l.mu.
func (l *MemDedupStore) handled(key memKey, now time.Duration) bool {
	for _, keys := range [...]map[memKey]uint32{l.young, l.old} {
		if second, ok := keys[key]; ok && now < time.Duration(second)*time.Second+memKeep {
			return true
		}
	}
	return false
}

// remember adds the key of an event that was handled. The caller must hold l.mu.
func (l *MemDedupStore) remember(c *memClaim) {
	limit := l.MaxKeys
	if limit <= 0 {
		limit = memMaxKeys
	}
	if l.young == nil || len(l.young) >= max(limit/2, 1) || c.at >= l.youngUntil {
		l.young, l.old = make(map[memKey]uint32), l.young
		l.youngUntil = c.at + memKeep
	}
	l.young[c.key] = uint32(c.at / time.Second) // 136 years
}

var errClaimLost = errors.New("webhook: handling took longer than a claim lasts; the event may have been handled twice")

// Done implements [Claim].
func (c *memClaim) Done(context.Context) error {
	l := c.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.claims[c.key] != c {
		return errClaimLost
	}
	delete(l.claims, c.key)
	l.remember(c)
	return nil
}

// Release implements [Claim].
func (c *memClaim) Release(context.Context) error {
	l := c.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.claims[c.key] == c {
		delete(l.claims, c.key)
	}
	return nil
}
