package signup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A recordPhase is where an attempt stands.
type recordPhase string

const (
	recordOpen       recordPhase = "open"       // waits for a code
	recordExchanging recordPhase = "exchanging" // the code is on its way, and must not be exchanged again
	recordGranted    recordPhase = "granted"    // there is a token; all that remains can be repeated
	recordDone       recordPhase = "done"       // ended, and without secrets
)

// A document is what is encrypted in a [Record], as JSON. Its names are stored: renaming a field
// here needs a tag that keeps the old one.
type document struct {
	Phase       recordPhase
	ExpiresAt   time.Time
	LeasedUntil time.Time         `json:"BusyUntil,omitzero"` // until then one process works on it
	Session     *SessionInfo      `json:",omitzero"`          // may come before the code
	ArrivedAt   time.Time         `json:",omitzero"`          // when the first of the two came
	CodeHash    string            `json:",omitzero"`          // of the code that was exchanged
	Granted     *storedConnection `json:",omitzero"`          // nil without a token
	Steps       []Step            `json:",omitzero"`          // that are done, of the last try
	Outcome     Outcome           `json:",omitzero"`          // of the last try
	Advice      string            `json:",omitzero"`
	Display     string            `json:",omitzero"` // the number, for people
	Numbers     []NumberChoice    `json:",omitzero"`
}

// A storedConnection is a [Connection] as it is kept. A Secret does not write itself, and the
// numbers are read again anyway.
type storedConnection struct {
	Token          string
	TokenExpiresAt time.Time           `json:",omitzero"`
	WABA           graph.WABAID        `json:",omitzero"`
	Phone          graph.PhoneNumberID `json:",omitzero"`
	OnboardedAt    time.Time
	Credit         *CreditShare `json:",omitzero"`
	Registrations  []time.Time  `json:",omitzero"`
}

// connection returns what there is to continue with, or nil without a token. Tenant is the
// record's.
func (d *document) connection(tenant string) *Connection {
	g := d.Granted
	if g == nil {
		return nil
	}
	b := &Connection{
		Tenant: tenant, Token: graph.Secret(g.Token), TokenExpiresAt: g.TokenExpiresAt, WABAID: g.WABA,
		Onboarding: cloudapi.Onboarding{PhoneNumberID: g.Phone, OnboardedAt: g.OnboardedAt},
		Session:    d.Session, Registrations: slices.Clone(g.Registrations),
	}
	if g.Credit != nil {
		b.Credit = new(*g.Credit)
	}
	if g.Phone != "" {
		b.Phone = &cloudapi.Phone{ID: g.Phone} // resume reads the rest
	}
	return b
}

// record writes down what has been reached, for another process to continue with and for
// [Flow.Status].
func (d *document) record(b *Connection) {
	d.Granted = &storedConnection{
		Token: b.Token.Reveal(), TokenExpiresAt: b.TokenExpiresAt, WABA: b.WABAID, OnboardedAt: b.OnboardedAt,
		Credit: b.Credit, Registrations: b.Registrations,
	}
	d.Display, d.Numbers = "", choices(b)
	if b.Phone != nil {
		d.Granted.Phone, d.Display = b.Phone.ID, b.Phone.DisplayPhoneNumber
	}
}

// end forgets the token and what else is not needed any more. The outcome stays for the page that
// asks again.
func (d *document) end() {
	d.Phase, d.Granted, d.Session, d.CodeHash, d.Numbers = recordDone, nil, nil, "", nil
}

// An openRecord is a [Record] with its decrypted document. Only the process that holds the lease
// may save it, which the version in the Store makes sure of.
type openRecord struct {
	f   *Flow
	rec Record
	doc document
}

// associated is the associated data that binds a ciphertext to a version of its record: copied into
// another row, or back into its own after a change, it does not decrypt. A row that is put back as
// a whole still does; what Meta gave for its code then is used up.
func associated(r Record, version int64) []byte {
	return fmt.Appendf(nil, "signup attempt\x00%s\x00%s\x00%d", r.ID, r.Tenant, version)
}

// load reads a record, or what could not be stored of it. With an error it returns the record
// without its document where there is one: [Flow.Attempts] lists those that cannot be read.
func (f *Flow) load(ctx context.Context, id string) (*openRecord, error) {
	rec, err := f.cfg.Store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	r := &openRecord{f: f, rec: rec}
	if kept, ok := f.unsaved.Reveal().load(id); ok && kept.rec.Version == rec.Version {
		r.doc = kept.doc
		return r, nil
	}
	return r, r.open()
}

// open decrypts the document.
func (r *openRecord) open() error {
	b, err := r.f.cfg.Cipher.Decrypt(r.rec.Ciphertext, associated(r.rec, r.rec.Version))
	if err != nil {
		return err
	}
	if json.Unmarshal(b, &r.doc) != nil {
		return errUnreadable
	}
	return nil
}

// saveTimeout ends the storing of a record, which goes on when the request has gone away.
const saveTimeout = 10 * time.Second

// save stores the record. What cannot be stored stays in memory, for this process to continue with:
// the token in it can be got only once. After [ErrConflict] it does not: another process has stored
// more.
func (r *openRecord) save(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	b, err := json.Marshal(r.doc)
	if err != nil {
		return err
	}
	r.rec.KeepUntil = r.doc.keepUntil(r.f.cfg.AttemptTTL)
	r.rec.PhoneNumberID = cmp.Or(r.doc.phone(), r.rec.PhoneNumberID)
	if r.rec.Ciphertext, err = r.f.cfg.Cipher.Encrypt(b, associated(r.rec, r.rec.Version+1)); err != nil {
		return err
	}
	if err := r.f.cfg.Store.Put(ctx, r.rec); err != nil {
		if r.doc.Granted != nil && !errors.Is(err, ErrConflict) {
			r.f.unsaved.Reveal().store(openRecord{rec: r.rec, doc: r.doc})
		}
		return err
	}
	r.rec.Version++
	r.f.unsaved.Reveal().delete(r.rec.ID)
	return nil
}

// grantedFor is how long a token is kept whose signup is not complete.
const grantedFor = 7 * 24 * time.Hour

// keepUntil is when the record may be deleted. Without a token that is as long after the state's
// end as the state lived, to tell the business "expired" and "used" instead of "unknown".
func (d *document) keepUntil(ttl time.Duration) time.Time {
	if d.Granted != nil {
		return d.ArrivedAt.Add(grantedFor)
	}
	return d.ExpiresAt.Add(ttl)
}

// phone is the number that is signed up, as far as it is known.
func (d *document) phone() graph.PhoneNumberID {
	switch {
	case d.Granted != nil && d.Granted.Phone != "":
		return d.Granted.Phone
	case d.Session != nil:
		return d.Session.PhoneNumberID
	}
	return ""
}

// Forget forgets the attempts of a number, with the tokens in them: see [Forgetter], which
// Config.Store has to be; else the error matches [errors.ErrUnsupported]. An attempt that is under
// way fails, and the business begins again. Nothing is revoked at Meta: see [Flow.Revoke].
//
// Hosts whose Store is that of an open database need not call it: coexistence.Tracker.Forget does
// what there is to do.
func (f *Flow) Forget(ctx context.Context, phone graph.PhoneNumberID) error {
	if err := checkForgotten(phone); err != nil {
		return err
	}
	f.unsaved.Reveal().forget(phone)
	store, ok := f.cfg.Store.(Forgetter)
	if !ok {
		return fmt.Errorf("signup: Config.Store has no method Forget: %w", errors.ErrUnsupported)
	}
	return store.Forget(ctx, phone)
}

// unsaved are records with a token that the Store did not take, by id. They live as long as the
// process, or until the Store takes a later version.
type unsaved struct{ m sync.Map }

func (s *unsaved) store(r openRecord) { s.m.Store(r.rec.ID, r) }
func (s *unsaved) delete(id string)   { s.m.Delete(id) }

func (s *unsaved) forget(phone graph.PhoneNumberID) {
	s.m.Range(func(id, v any) bool {
		if r, ok := v.(openRecord); ok && r.rec.PhoneNumberID == phone {
			s.m.Delete(id)
		}
		return true
	})
}

func (s *unsaved) load(id string) (openRecord, bool) {
	v, _ := s.m.Load(id)
	r, ok := v.(openRecord)
	return r, ok
}
