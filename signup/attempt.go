package signup

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An Attempt is one try of one tenant to sign up. It takes one code: a second popup, after a
// refusal or a closed tab, needs a new Attempt.
type Attempt struct {
	// ID names the attempt in the [Store], in [Flow.Attempts] and for [Flow.Resume]. It is derived
	// from the State and is no secret.
	ID string

	// State is a nonce of 128 bits or more. Give it to the page of this tenant only. It keeps a
	// code or an account of one tenant from being submitted for another. It is stored nowhere: the
	// Store has the ID, from which it cannot be computed. A page gets what Reveal returns.
	State graph.Secret

	// Tenant is the host's name for the customer or user that signs up.
	Tenant string

	// ExpiresAt is when the State stops being accepted: [Config].AttemptTTL after it was made. An
	// attempt that has a token by then continues with [Flow.Resume].
	ExpiresAt time.Time
}

// maxAttempts limits the open attempts of one tenant: every load of a page makes one. Beyond it the
// oldest is forgotten.
const maxAttempts = 20

// attemptLease is how long an attempt belongs to the process that works on it. A process that died
// over it loses it then. It is longer than a finish may take, so that a slow one keeps it.
const attemptLease = finishTimeout + time.Minute

// StartAttempt opens an attempt for a tenant: the host's name for its customer or user, never
// empty, taken from its own login and not from the request. Call it when the page is rendered, not
// on the click: browsers only open popups without a pause.
//
// The attempt is kept in [Config].Store.
func (f *Flow) StartAttempt(ctx context.Context, tenant string) (*Attempt, error) {
	if tenant == "" {
		return nil, errors.New("signup: StartAttempt needs the tenant; take it from your own login")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := f.makeRoom(ctx, tenant); err != nil {
		return nil, err
	}
	state := graph.Secret(rand.Text() + rand.Text())
	now := time.Now()
	a := &Attempt{ID: attemptID(state), State: state, Tenant: tenant, ExpiresAt: now.Add(f.cfg.AttemptTTL)}
	r := &openRecord{
		f:   f,
		rec: Record{ID: a.ID, Tenant: tenant, BeganAt: now},
		doc: document{Phase: recordOpen, ExpiresAt: a.ExpiresAt},
	}
	return a, r.save(ctx)
}

// attemptID derives the id of an attempt from its state, one way: a copy of the Store gives no
// state away. The prefix keeps the hash from being one that something else computes.
func attemptID(state graph.Secret) string {
	sum := sha256.Sum256([]byte("whatsapp-coexistence signup attempt " + state.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// makeRoom forgets attempts that are over, and the oldest attempts of a tenant who has too many.
// One with a token stays, and one that is about to get one; so does one that cannot be read at the
// moment, which may have one.
func (f *Flow) makeRoom(ctx context.Context, tenant string) error {
	if _, err := f.cfg.Store.DeleteExpired(ctx, time.Now()); err != nil {
		return err
	}
	records, err := f.cfg.Store.List(ctx, tenant)
	if err != nil {
		return err
	}
	for len(records) >= maxAttempts {
		r := &openRecord{f: f, rec: records[0]}
		if r.open() == nil && r.disposable() {
			if err := f.cfg.Store.Delete(ctx, records[0].ID); err != nil {
				return err
			}
		}
		records = records[1:]
	}
	return nil
}

// disposable reports whether nothing is lost with the record: it has no token, and no process is
// about to get one.
func (r *openRecord) disposable() bool {
	return r.doc.Granted == nil && r.doc.Phase != recordExchanging && !time.Now().Before(r.doc.LeasedUntil)
}

// claim leases an attempt to one caller at a time. By its state an attempt can be claimed until
// that expires; by its id, without a page, as long as there is a token to continue with.
//
// The lease is won by storing it: of two processes that read the same version, the Store lets one
// succeed, and the other answers [OutcomeStateUsed]. The error is an [*Error].
func (f *Flow) claim(ctx context.Context, id, tenant string, byState bool) (*openRecord, error) {
	refuse := func(o Outcome, err error) (*openRecord, error) {
		return nil, &Error{Outcome: o, Step: StepState, Err: err}
	}
	r, err := f.load(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return refuse(OutcomeStateUnknown, nil)
	case err != nil:
		return refuse(OutcomeUnavailable, err)
	}
	now := time.Now()
	switch {
	case byState && r.rec.Tenant != tenant:
		return refuse(OutcomeWrongTenant, nil) // and leave it to its tenant
	case r.doc.Phase == recordDone, now.Before(r.doc.LeasedUntil):
		return refuse(OutcomeStateUsed, nil)
	case r.doc.Phase == recordExchanging:
		// The process that exchanged the code ended before it could store the token.
		r.doc.Outcome, r.doc.Advice = OutcomeCodeLost, OutcomeCodeLost.Advice()
		r.doc.end()
		if err := r.save(ctx); err != nil {
			return refuse(OutcomeUnavailable, err)
		}
		return nil, &Error{Outcome: OutcomeCodeLost, Step: StepExchange}
	case byState && !now.Before(r.doc.ExpiresAt):
		return refuse(OutcomeStateExpired, nil)
	case !byState && r.doc.Granted == nil:
		return refuse(OutcomeNoCode, errNothingGranted)
	}
	r.doc.LeasedUntil = now.Add(attemptLease)
	switch err := r.save(ctx); {
	case errors.Is(err, ErrConflict):
		return refuse(OutcomeStateUsed, nil) // another request was faster
	case err != nil:
		return refuse(OutcomeUnavailable, err)
	}
	return r, nil
}

// settle ends the lease of an attempt. An attempt that can go on stays open, with its token; one
// that cannot is ended, and forgets its secrets. B is nil if no token was granted, err nil if the
// business is connected.
func (r *openRecord) settle(ctx context.Context, b *Connection, err error) error {
	r.doc.LeasedUntil = time.Time{}
	if b != nil {
		r.doc.record(b)
		r.doc.Outcome, r.doc.Advice = b.Outcome, b.Outcome.Advice()
	}
	e, failed := errors.AsType[*Error](err)
	if failed {
		r.doc.Outcome, r.doc.Advice = e.Outcome, e.Advice()
	}
	if !failed || !e.Outcome.Resumable() {
		r.doc.end()
	}
	return r.save(ctx)
}
