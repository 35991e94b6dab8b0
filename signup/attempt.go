package signup

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An Attempt is one try of one owner to sign up. It takes one code.
type Attempt struct {
	// State is a nonce of 128 bits or more. Give it to the page of this owner and nobody else. It is what keeps a code or
	// an account of one tenant from being submitted for another.
	State string

	// Owner is whom it is for.
	Owner string

	// ExpiresAt is when the State ends.
	ExpiresAt time.Time
}

// maxAttempts limits the open attempts of one owner. Beyond it the oldest is forgotten.
const maxAttempts = 20

// Begin opens an attempt for an owner: the host's name for its tenant or user, never empty, taken from its own login and not
// from the request. Call it when the page is rendered, not on the click: browsers only open popups without a pause.
//
// The attempt lives in this Flow, in memory. In a host of several processes the same process must see Begin and
// [Flow.Finish]; after a restart the business reloads the page.
func (f *Flow) Begin(ctx context.Context, owner string) (*Attempt, error) {
	if owner == "" {
		return nil, errors.New("signup: Begin needs the owner; take it from your own login")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a := &attempt{Attempt: Attempt{State: rand.Text() + rand.Text(), Owner: owner, ExpiresAt: time.Now().Add(f.cfg.AttemptTTL)}}
	f.attempts.Open().add(a)
	return new(a.Attempt), nil
}

// attempts are the open and recently ended attempts by state.
type attempts struct {
	mu sync.Mutex
	m  map[string]*attempt
}

// An attempt moves from open to busy and back, or to done. While it is busy, the one who made it so owns all members but
// phase.
type attempt struct {
	Attempt
	phase    phase
	session  *Session     // may come before the code
	arrived  time.Time    // when the first of the two came
	code     graph.Secret // was exchanged
	business *Business    // can be resumed
}

type phase int

const (
	open phase = iota
	busy
	done
)

func (t *attempts) add(a *attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var own int
	var oldest *attempt
	for state, other := range t.m {
		// What has ended is kept for as long again, to tell the business "expired" and "used" instead of "unknown".
		if time.Since(other.ExpiresAt) > time.Until(a.ExpiresAt) {
			delete(t.m, state)
			continue
		}
		if other.Owner == a.Owner {
			own++
			if oldest == nil || other.ExpiresAt.Before(oldest.ExpiresAt) {
				oldest = other
			}
		}
	}
	if own >= maxAttempts {
		delete(t.m, oldest.State)
	}
	t.m[a.State] = a
}

// claim makes an attempt busy, for one caller at a time.
func (t *attempts) claim(state, owner string) (*attempt, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.m[state]
	refuse := func(o Outcome) (*attempt, error) { return nil, &Error{Outcome: o, Step: StepState} }
	switch {
	case a == nil:
		return refuse(OutcomeStateUnknown)
	case a.Owner != owner:
		return refuse(OutcomeWrongOwner) // and leave it to its owner
	case a.phase != open:
		return refuse(OutcomeStateUsed)
	case !time.Now().Before(a.ExpiresAt):
		a.business, a.session, a.code = nil, nil, ""
		return refuse(OutcomeStateExpired)
	}
	a.phase = busy
	return a, nil
}

// release opens a busy attempt again. If b is not nil, it can be resumed.
func (t *attempts) release(a *attempt, b *Business) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.phase, a.business = open, b
}

// end ends a busy attempt, and forgets what it held.
func (t *attempts) end(a *attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.phase, a.business, a.session, a.code = done, nil, nil, ""
}
