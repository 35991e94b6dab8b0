package signup

import (
	"context"
	"encoding/json"
	"errors"
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
	recordExchanging recordPhase = "exchanging" // the code is on its way: whoever finds this later must not exchange again
	recordGranted    recordPhase = "granted"    // there is a token; everything left can be repeated
	recordDone       recordPhase = "done"       // ended, and without secrets
)

// A document is what is sealed in a [Record].
type document struct {
	Phase     recordPhase
	ExpiresAt time.Time
	BusyUntil time.Time      `json:",omitzero"` // somebody works on it
	Session   *SessionInfo   `json:",omitzero"` // may come before the code
	ArrivedAt time.Time      `json:",omitzero"` // when the first of the two came
	CodeHash  string         `json:",omitzero"` // of the code that was exchanged
	Granted   *granted       `json:",omitzero"`
	Steps     []Step         `json:",omitzero"` // that are done
	Outcome   Outcome        `json:",omitzero"` // of the last try
	Advice    string         `json:",omitzero"`
	Display   string         `json:",omitzero"` // the number, for people
	Numbers   []NumberChoice `json:",omitzero"`
}

// A granted is a [Connection] as it is kept. A Secret does not write itself, and the numbers are
// read again anyway.
type granted struct {
	Token          string
	TokenExpiresAt time.Time           `json:",omitzero"`
	WABA           graph.WABAID        `json:",omitzero"`
	Phone          graph.PhoneNumberID `json:",omitzero"`
	OnboardedAt    time.Time
	Credit         *CreditShare `json:",omitzero"`
	Registrations  []time.Time  `json:",omitzero"`
}

func (d *document) business(tenant string) *Connection {
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

// keep notes what has been reached.
func (d *document) keep(b *Connection) {
	d.Granted = &granted{
		Token: b.Token.Reveal(), TokenExpiresAt: b.TokenExpiresAt, WABA: b.WABAID, OnboardedAt: b.OnboardedAt, Credit: b.Credit,
		Registrations: b.Registrations,
	}
	d.Display, d.Numbers = "", choices(b)
	if b.Phone != nil {
		d.Granted.Phone, d.Display = b.Phone.ID, b.Phone.DisplayPhoneNumber
	}
}

// end forgets everything that is secret.
func (d *document) end() {
	d.Phase, d.Granted, d.Session, d.CodeHash, d.Numbers = recordDone, nil, nil, "", nil
}

// An openRecord is a record in hand. Whoever has made it busy owns it.
type openRecord struct {
	f   *Flow
	rec Record
	doc document
}

func associated(r Record) []byte { return []byte("signup attempt\x00" + r.ID + "\x00" + r.Tenant) }

// load reads a record, or what could not be stored of it.
func (f *Flow) load(ctx context.Context, id string) (*openRecord, error) {
	rec, err := f.cfg.Store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	r := &openRecord{f: f, rec: rec}
	if kept, ok := f.rescued.Reveal().load(id); ok && kept.rec.Version == rec.Version {
		r.doc = kept.doc
		return r, nil
	}
	return r, r.open()
}

func (r *openRecord) open() error {
	b, err := r.f.cfg.Cipher.Decrypt(r.rec.Sealed, associated(r.rec))
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

// save stores the record. What cannot be stored stays in memory: there may be a token in it that
// nobody can get again.
func (r *openRecord) save(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	b, err := json.Marshal(r.doc)
	if err != nil {
		return err
	}
	r.rec.KeepUntil = r.doc.keepUntil(r.f.cfg.AttemptTTL)
	if r.rec.Sealed, err = r.f.cfg.Cipher.Encrypt(b, associated(r.rec)); err != nil {
		return err
	}
	if err := r.f.cfg.Store.Put(ctx, r.rec); err != nil {
		if r.doc.Granted != nil && !errors.Is(err, ErrConflict) {
			r.f.rescued.Reveal().store(openRecord{rec: r.rec, doc: r.doc})
		}
		return err
	}
	r.rec.Version++
	r.f.rescued.Reveal().delete(r.rec.ID)
	return nil
}

// grantedFor is how long a grant is kept that was not made use of yet.
const grantedFor = 7 * 24 * time.Hour

// keepUntil is for as long again as the state lives, to tell the business "expired" and "used"
// instead of "unknown".
func (d *document) keepUntil(ttl time.Duration) time.Time {
	if d.Granted != nil {
		return d.ArrivedAt.Add(grantedFor)
	}
	return d.ExpiresAt.Add(ttl)
}

// rescued are records that the Store did not take, by id. They hold tokens, and live as long as the
// process.
type rescued struct{ m sync.Map }

func (s *rescued) store(r openRecord) { s.m.Store(r.rec.ID, r) }
func (s *rescued) delete(id string)   { s.m.Delete(id) }

func (s *rescued) load(id string) (openRecord, bool) {
	v, _ := s.m.Load(id)
	r, ok := v.(openRecord)
	return r, ok
}
