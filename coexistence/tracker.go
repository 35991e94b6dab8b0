package coexistence

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// batchSize is how many messages of a chunk are held and stored at once.
const batchSize = 500

// Config configures a Tracker. Store is required.
type Config struct {
	// Store keeps everything. Use [MemStore] to begin with.
	Store Store

	// Client returns the client of a number. If nil, the tracker only follows: what calls Meta is
	// an error.
	//
	// The client tells the tracker two things more. Its AppID is our own app: the preflight looks
	// for it among the subscribed apps, and account updates about other apps of the same partner
	// are ignored. If it is empty or there is no client, any app is taken for ours. Its limiter, if
	// it is a [cloudapi.InboundRecorder], counts the messages that the number receives, because
	// those take from the same 20 a second as the ones that it sends. Both are remembered, so that
	// a token is not read for every message.
	Client ClientFunc

	// Send sends the messages of [Tracker.Send]. If nil, [cloudapi.MessagesService.Send] does; that
	// of package coexistence/templates checks templates before.
	Send SendFunc

	// Syncs are the syncs that [Tracker.Reconcile] and [Tracker.Run] request for each onboarding,
	// and [Tracker.RequestSync] unless it is given others. If empty, contacts and history. A host
	// that never wants history names contacts only.
	Syncs []cloudapi.SyncKind

	// HumanPause is how long [Tracker.MayAnswer] keeps bots silent after a person at the business
	// was active in the app. If zero, an hour.
	HumanPause time.Duration

	// MaxAnswerAge is the highest age of a message for [Tracker.MayAnswer]. A delivery can be seven
	// days late, and an answer that comes so late is worse than none. If zero, an hour.
	MaxAnswerAge time.Duration

	// StopWords and ResumeWords are what people write to stop marketing messages and to get them
	// again, such as "STOP" and "START". The whole message has to be one of them; capital letters
	// and punctuation around it do not count. If empty, words stop nothing: what people set in
	// WhatsApp is followed all the same.
	StopWords, ResumeWords []string

	// TemplateCategory returns the latest category of a template, or an empty one if it is not
	// known, so that [Tracker.MaySend] knows what is marketing. If nil, none is known.
	TemplateCategory func(context.Context, graph.PhoneNumberID, *cloudapi.Template) (graph.TemplateCategory, error)

	// Retention returns how long the messages of a number are kept; 0 is forever. [Tracker.Run] and
	// [Tracker.ReconcileAll] ask for each number once a day, and forget what is older: see
	// ForgetRequest.Before. An error leaves it to the next time. If nil, nothing is forgotten.
	// Store has to be a [Forgetter].
	Retention func(ctx context.Context, phone graph.PhoneNumberID) (time.Duration, error)

	// WrapForget is called around whatever the tracker forgets, for what a host keeps elsewhere:
	// such as the files of package coexistence/media. It has to call forget, and to return its
	// error. An error leaves the request to be made again. If nil, nothing is called.
	WrapForget func(ctx context.Context, r ForgetRequest, forget func(context.Context) error) error

	// OnboardedOnly has the tracker ignore the events of numbers that were never onboarded with
	// [Tracker.Onboard]. By default they are stored, because they can be faster than the end of a
	// signup, and what was acknowledged does not come again. Set it if your app is subscribed to
	// accounts that are not your customers. What is about a number that was forgotten is never
	// stored.
	OnboardedOnly bool

	// Logger gets what no caller can see. If nil, nothing is logged.
	Logger *slog.Logger
}

// A Tracker follows coexistence numbers. It is a [webhook.Handler] that keeps numbers, messages and
// contacts in a [Store], and the guard of the calls that work only once. Everything that matters is
// in the store: make one Tracker per process, over one store. It is safe for concurrent use.
//
// Put it before the host's own handlers, so that they find everything stored. It is idempotent,
// which they rarely are: an inbox in front of both drops what Meta repeats, and so does Dispatch
// until the process ends:
//
//	db.Inbox(webhook.MultiHandler(tracker, &mux), inbox.Config{})
//	webhook.Dispatch(webhook.MultiHandler(tracker, &mux))
type Tracker struct {
	cfg  Config
	apps sync.Map  // phone number id → clientInfo
	busy sync.Map  // phone number id → true while reconcileAll works on it
	kept sync.Map  // phone number id → when its Retention was applied last
	ours sync.Map  // phone number id → true once it is known to be onboarded, with OnboardedOnly
	slow sync.Once // says in the log that the store is no BatchStore
}

var _ webhook.Preparer = (*Tracker)(nil)

// NewTracker returns a tracker. It does no I/O.
func NewTracker(cfg Config) (*Tracker, error) {
	if cfg.Store == nil {
		return nil, errors.New("coexistence: Config.Store is nil; begin with new(coexistence.MemStore)")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Syncs) == 0 {
		cfg.Syncs = []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory}
	}
	if err := checkSyncKinds(cfg.Syncs); err != nil {
		return nil, err
	}
	if cfg.Send == nil {
		cfg.Send = SendMessage
	}
	cfg.HumanPause = cmp.Or(cfg.HumanPause, time.Hour)
	cfg.MaxAnswerAge = cmp.Or(cfg.MaxAnswerAge, time.Hour)
	if _, ok := cfg.Store.(Forgetter); !ok && cfg.Retention != nil {
		return nil, errNoForgetter
	}
	return &Tracker{cfg: cfg}, nil
}

// Store returns the store that the tracker keeps everything in.
func (t *Tracker) Store() Store { return t.cfg.Store }

// Onboard tells the tracker that a business finished signup for a number. Call it when signup is
// done, before [Tracker.RequestSync]. Calling it again for the same signup is harmless; see
// [Number.Onboard]. Told minutes late, the number needs to be read: [Number.NeedsRefresh]. If
// o.OnboardedAt is zero, it is now for a number that is not connected, and nothing new for one that
// is.
func (t *Tracker) Onboard(ctx context.Context, o cloudapi.Onboarding) error {
	var errs []error
	if o.PhoneNumberID == "" {
		errs = append(errs, errors.New("coexistence: Onboarding.PhoneNumberID is empty; find the number's id before"))
	}
	if len(o.WABAIDs) == 0 {
		errs = append(errs, errors.New("coexistence: Onboarding.WABAIDs is empty; name every account that holds the "+
			"number"))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := t.cfg.Store.UpdateNumber(ctx, o.PhoneNumberID, func(s Number) (Number, error) {
		o := o
		if o.OnboardedAt.IsZero() {
			if o.OnboardedAt = s.OnboardedAt; !s.Stage.Connected() {
				o.OnboardedAt = time.Now()
			}
		}
		cycle := s.Cycle
		s = s.Onboard(o)
		if s.Cycle > cycle && time.Since(s.OnboardedAt) > sameSignup {
			// What was said about the number until now was not stored. Reading it makes up for
			// that.
			s.LifecycleAt = later(s.LifecycleAt, s.OnboardedAt)
		}
		return s, nil
	})
	return err
}

// Refresh reads the number from Meta and stores what was read; see [Number.ApplyReading]. Call it
// before acting on a disconnection. After a lifecycle update ([Number.NeedsRefresh]), [Tracker.Run]
// does so by itself.
func (t *Tracker) Refresh(ctx context.Context, phone graph.PhoneNumberID) (Number, error) {
	c, err := t.Client(ctx, phone)
	if err != nil {
		return Number{}, err
	}
	return t.refresh(ctx, c, phone)
}

// refresh reads the number with a client and stores what was read. The moment is taken before the
// call: an update that arrives meanwhile is later than the reading.
func (t *Tracker) refresh(ctx context.Context, c *cloudapi.Client, phone graph.PhoneNumberID) (Number, error) {
	at := time.Now().UTC()
	p, err := c.Phones.Get(ctx, phone, cloudapi.PhoneGetOptions{})
	if err != nil {
		return Number{}, err
	}
	return t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) { return s.ApplyReading(p, at), nil })
}

// Handle implements [webhook.Handler]. It is idempotent and takes events in any order; an error
// means that the event should come again. Events that say nothing about coexistence are ignored.
//
// Anyone who was seen is stored first, then what was said, then the state of the number: a
// conversation is found through its contact, and once the state says that a history is complete,
// all of it can be read. An event that is handled in part and comes again changes nothing twice. An
// inbox has live events stored together before: see [Tracker.Prepare].
func (t *Tracker) Handle(ctx context.Context, ev webhook.Event) error {
	t.countInbound(ctx, ev)
	if !t.prepared(ctx, ev) {
		if stranger, err := t.isStranger(ctx, ev.Info().PhoneNumberID); err != nil || stranger {
			return err
		}
		if err := t.handle(ctx, ev); err != nil {
			return err
		}
	}
	return t.followThread(ctx, ev)
}

// handle stores what an event says about people, messages and the number.
func (t *Tracker) handle(ctx context.Context, ev webhook.Event) error {
	switch ev := ev.(type) {
	case *webhook.AccountUpdate:
		return t.updateAccount(ctx, ev)
	case *webhook.HistoryChunk:
		return t.importChunk(ctx, ev)
	default:
	}
	phone, facts := ev.Info().PhoneNumberID, factsOf(ev)
	if _, err := t.upsertContact(ctx, phone, facts.contact); err != nil {
		return err
	}
	if err := t.mergeMessages(ctx, phone, facts.messages); err != nil {
		return err
	}
	switch ev.(type) {
	case *webhook.HistoryFailure, *webhook.AppStateSync, *webhook.BusinessAppEcho:
		return t.updateNumber(ctx, ev, func(s Number) Number { return s.Apply(ev) })
	default:
		return nil
	}
}

// isStranger reports whether a number was never onboarded, if the host wants to know of no others.
// Account updates name no number; they change only those that are stored.
func (t *Tracker) isStranger(ctx context.Context, phone graph.PhoneNumberID) (bool, error) {
	if !t.cfg.OnboardedOnly || phone == "" {
		return false, nil
	}
	if _, known := t.ours.Load(phone); known {
		return false, nil
	}
	n, err := t.cfg.Store.Number(ctx, phone)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	if n.Cycle > 0 {
		t.ours.Store(phone, true)
	}
	return n.Cycle == 0, nil
}

// countInbound records in the limiter what customers send now. History is a copy of what was sent
// long ago, and what the owner writes on the phone does not pass through Cloud API's throughput.
func (t *Tracker) countInbound(ctx context.Context, ev webhook.Event) {
	switch ev.(type) {
	case *webhook.IncomingMessage, *webhook.UnavailableMessage:
	default:
		return
	}
	info := ev.Info()
	if recorder := t.app(ctx, info.PhoneNumberID).inbound; recorder != nil {
		recorder.RecordInbound(ctx, info.PhoneNumberID, info.At)
	}
}

// updateAccount hands an update to the numbers that it is about.
func (t *Tracker) updateAccount(ctx context.Context, ev *webhook.AccountUpdate) error {
	numbers, err := t.cfg.Store.NumbersByWABA(ctx, ev.WABAID)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if !concerns(ev, n) || t.isOfOtherApp(ctx, ev, n.PhoneNumberID) {
			continue
		}
		_, err := t.cfg.Store.UpdateNumber(ctx, n.PhoneNumberID, func(s Number) (Number, error) {
			s.applyAccountUpdate(ev)
			return s, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// concerns reports whether an update is about a number. An account can hold several, and the number
// in the update, if there is one, is all that tells them apart.
func concerns(ev *webhook.AccountUpdate, n Number) bool {
	named, own := graph.EquivalenceKey(ev.PhoneNumber), graph.EquivalenceKey(n.DisplayPhoneNumber)
	return named == "" || own == "" || named == own
}

// isOfOtherApp reports whether an update is about another app of the same partner. It is false as
// long as our own app is not known.
func (t *Tracker) isOfOtherApp(ctx context.Context, ev *webhook.AccountUpdate, phone graph.PhoneNumberID) bool {
	if ev.WABAInfo == nil || ev.WABAInfo.PartnerAppID == "" {
		return false
	}
	ours := t.app(ctx, phone).id
	return ours != "" && ours != ev.WABAInfo.PartnerAppID
}

// importChunk stores a chunk of history: its people and messages, then what the state of the number
// says about it.
func (t *Tracker) importChunk(ctx context.Context, ev *webhook.HistoryChunk) error {
	unreadable, err := t.importMessages(ctx, ev)
	if err != nil {
		return err
	}
	return t.updateNumber(ctx, ev, func(s Number) Number {
		s.applyChunk(ev, unreadable)
		return s
	})
}

// importMessages stores the messages of a chunk, a batch at a time, and counts those that cannot be
// stored. A chunk holds thousands of messages of few people, thread by thread, so a contact is
// stored once for a run of messages.
func (t *Tracker) importMessages(ctx context.Context, ev *webhook.HistoryChunk) (unreadable int, err error) {
	b := importBatch{t: t, phone: ev.PhoneNumberID}
	descending, i := newestFirst(ev), -1
	for thread, m := range ev.Messages() {
		i++
		if err := ctx.Err(); err != nil {
			return unreadable, err
		}
		if !readable(m) {
			unreadable++
			t.cfg.Logger.WarnContext(ctx, "a message of history does not fit its type",
				"phone", ev.PhoneNumberID, "id", m.ID, "err", m.Err)
			continue
		}
		f := historyFact(ev.EventInfo, thread, m)
		if f.content != nil { // a reaction places nothing: histories do not hold the deleted message it was put on
			f.position = historyPosition(ev, i, descending)
		}
		b.add(f)
		if len(b.messages) == batchSize {
			if err := b.store(ctx); err != nil {
				return unreadable, err
			}
		}
	}
	return unreadable, b.store(ctx)
}

// An importBatch is what is stored together of a chunk: the people of its threads, and their
// messages.
type importBatch struct {
	t        *Tracker
	phone    graph.PhoneNumberID
	people   []contactFact
	messages []messageFact
	known    []string // the aliases of the person who was stored last
}

// add adds a message, and who the thread is with. The latest message of a person tells whether one
// who was forgotten is known again.
func (b *importBatch) add(f messageFact) {
	b.messages = append(b.messages, f)
	aliases := Aliases(f.customer)
	if n := len(b.people); n > 0 && slices.Equal(aliases, Aliases(b.people[n-1].sightings[0].Identity)) {
		b.people[n-1].at = later(b.people[n-1].at, f.at)
	} else if n > 0 || !slices.Equal(aliases, b.known) {
		b.people = append(b.people, imported(f.customer, f.at))
	}
}

// store stores the batch and empties it. A person who stays forgotten is asked for again with the
// next batch, which may hold a later message.
func (b *importBatch) store(ctx context.Context) error {
	for _, f := range b.people {
		stored, err := b.t.upsertContact(ctx, b.phone, f)
		if err != nil {
			return err
		}
		b.known = nil
		if len(stored.Aliases) > 0 {
			b.known = Aliases(f.sightings[0].Identity)
		}
	}
	if err := b.t.mergeMessages(ctx, b.phone, b.messages); err != nil {
		return err
	}
	clear(b.messages)
	b.people, b.messages = b.people[:0], b.messages[:0]
	return nil
}

// upsertContact stores what was said about a person, who is created or joined as needed, and
// returns what is stored then: nothing if the event names no person, or one who was forgotten.
func (t *Tracker) upsertContact(ctx context.Context, phone graph.PhoneNumberID, f contactFact) (Contact, error) {
	aliases := f.aliases()
	if len(aliases) == 0 {
		return Contact{}, nil
	}
	return t.cfg.Store.UpdateContact(ctx, phone, aliases, func(c *Contact) { c.merge(f) })
}

// identified returns what speaks about a message. What speaks about none is left out: the bodies of
// Meta's test button have no ids.
func (t *Tracker) identified(ctx context.Context, phone graph.PhoneNumberID, facts []messageFact) []messageFact {
	var list []messageFact
	for _, f := range facts {
		if f.id == "" {
			t.cfg.Logger.WarnContext(ctx, "an event about a message names none", "phone", phone)
			continue
		}
		list = append(list, f)
	}
	return list
}

// mergeMessages stores what was said about messages in one step.
func (t *Tracker) mergeMessages(ctx context.Context, phone graph.PhoneNumberID, facts []messageFact) error {
	facts = t.identified(ctx, phone, facts)
	byID := make(map[graph.MessageID][]*messageFact, len(facts))
	ids := make([]graph.MessageID, 0, len(facts))
	for i := range facts {
		f := &facts[i]
		if byID[f.id] == nil {
			ids = append(ids, f.id)
		}
		byID[f.id] = append(byID[f.id], f)
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	return t.cfg.Store.UpdateMessages(ctx, phone, ids, func(m *Message) {
		for _, f := range byID[m.ID] {
			m.merge(*f)
		}
	})
}

// updateNumber stores the state after ev, if that is another one. apply does what [Number.Apply]
// does. Echoes and contacts come by the thousand and rarely change the state, so it is read before
// it is locked.
func (t *Tracker) updateNumber(ctx context.Context, ev webhook.Event, apply func(Number) Number) error {
	phone, now := ev.Info().PhoneNumberID, time.Now().UTC()
	step := func(s Number) Number { return apply(s).applyArrival(ev, now) }
	if have, err := t.cfg.Store.Number(ctx, phone); err == nil && reflect.DeepEqual(step(have.Clone()), have) {
		return nil
	}
	_, err := t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) { return step(s), nil })
	return err
}
