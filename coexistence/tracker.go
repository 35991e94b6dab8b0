package coexistence

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Config configures a Tracker. Store is required.
type Config struct {
	// Store keeps everything. Use [MemStore] to begin with.
	Store Store

	// Client returns the client of a number. If nil, the tracker only follows: what calls Meta is
	// an error.
	//
	// The client tells the tracker two things more. Its AppID is our own app: the preflight looks
	// for it among the subscribed apps, and account updates about other apps of the same partner
	// are passed over. If it is empty or there is no client, any app is taken for ours. Its
	// limiter, if it is a [cloudapi.InboundRecorder], counts the messages that the number receives,
	// because those take from the same 20 a second as the ones that it sends. Both are remembered,
	// so that a token is not read for every message.
	Client ClientFunc

	// Syncs is what [Tracker.Reconcile] and [Tracker.Run] request of each onboarding, and
	// [Tracker.RequestSync] if it is not told. If empty, contacts and history. A host that never
	// wants history names contacts alone.
	Syncs []cloudapi.SyncKind

	// Logger gets what no caller can see. If nil, nothing is logged.
	Logger *slog.Logger
}

// A Tracker follows coexistence numbers. It is a [webhook.Handler] that keeps numbers, messages and
// contacts in a [Store], and the guard of the calls that work only once. Everything that matters is
// in the store: make one Tracker per process, over one store. It is safe for concurrent use.
//
// Put it before the host's own handlers, so that they find everything stored. It is idempotent,
// which they seldom are: an inbox in front of both drops what Meta repeats, and so does Dispatch
// until the process ends:
//
//	db.Inbox(webhook.MultiHandler(tracker, &mux), inbox.Config{})
//	webhook.Dispatch(webhook.MultiHandler(tracker, &mux))
type Tracker struct {
	cfg  Config
	apps sync.Map // phone number id → appOf
	busy sync.Map // phone number id → what is due is being done
}

var _ webhook.Handler = (*Tracker)(nil)

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
		errs = append(errs, errors.New("coexistence: Onboarding.WABAIDs is empty; name every account that holds the number"))
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

func (t *Tracker) refresh(ctx context.Context, c *cloudapi.Client, phone graph.PhoneNumberID) (Number, error) {
	at := time.Now().UTC()
	p, err := c.Phones.Get(ctx, phone, cloudapi.PhoneGetOptions{})
	if err != nil {
		return Number{}, err
	}
	return t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) { return s.ApplyReading(p, at), nil })
}

// Handle implements [webhook.Handler]. It is idempotent and takes events in any order; an error
// means that the event should come again. Events that say nothing about coexistence are passed
// over.
func (t *Tracker) Handle(ctx context.Context, ev webhook.Event) error {
	phone := ev.Info().PhoneNumberID
	t.count(ctx, ev)
	switch ev := ev.(type) {
	case *webhook.AccountUpdate:
		return t.account(ctx, ev)
	case *webhook.HistoryChunk:
		// The messages first: once the state says that everything has arrived, everything can be
		// read.
		lost, err := t.chunk(ctx, ev)
		if err != nil {
			return err
		}
		return t.change(ctx, phone, ev, func(s Number) Number {
			s.chunk(ev, lost)
			return s
		})
	case *webhook.HistoryMedia:
		if err := t.learn(ctx, phone, notOwn(ev.Customer(), ev.DisplayPhoneNumber), time.Time{}, ""); err != nil {
			return err
		}
		return t.store(ctx, phone, historyMediaSaying(ev).patch())
	case *webhook.HistoryFailure:
		return t.apply(ctx, phone, ev)
	case *webhook.AppStateSync:
		if err := t.addressBook(ctx, ev); err != nil {
			return err
		}
		return t.apply(ctx, phone, ev)
	case *webhook.BusinessAppEcho:
		if err := t.learn(ctx, phone, notOwn(ev.To, ev.DisplayPhoneNumber), ev.At, ev.ProfileName); err != nil {
			return err
		}
		if err := t.store(ctx, phone, echoSaying(ev).patch()); err != nil {
			return err
		}
		return t.apply(ctx, phone, ev)
	case *webhook.IncomingMessage:
		return t.incoming(ctx, ev)
	case *webhook.UnavailableMessage:
		if err := t.learn(ctx, phone, notOwn(ev.From, ev.DisplayPhoneNumber), ev.At, ev.ProfileName); err != nil {
			return err
		}
		return t.store(ctx, phone, unavailableSaying(ev).patch())
	case *webhook.MessageStatus:
		return t.status(ctx, ev)
	default:
		return nil
	}
}

// count records in the limiter what customers send now. History is a copy of what was sent long
// ago, and what the owner writes on the phone does not pass through Cloud API's throughput.
func (t *Tracker) count(ctx context.Context, ev webhook.Event) {
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

// RecordSent registers a message that was sent through the API, so that it is in the conversation
// at once and an echo of it is not taken for a person. Call it with what
// [cloudapi.MessagesService.Send] took and returned, if that is not [Tracker.Send]. A status may
// have been faster.
func (t *Tracker) RecordSent(
	ctx context.Context, phone graph.PhoneNumberID, sent *cloudapi.SentMessage, m cloudapi.Message,
) error {
	if sent == nil {
		return errors.New("coexistence: RecordSent needs the message that Send returned")
	}
	to := sent.To.Identity()
	if to.UserID == "" && graph.IsUserID(sent.To.Input) {
		to.UserID = graph.UserID(sent.To.Input)
	}
	p := place{source: sourceAPI, origin: OriginAPI, outbound: true, at: time.Now().UTC(), customer: to, person: alias(to)}
	if sent.GroupID != "" {
		p.group, p.person = sent.GroupID, groupPerson(sent.GroupID)
	} else if err := t.learn(ctx, phone, to, p.at, ""); err != nil {
		return err
	}
	if r, ok := m.Content.(*cloudapi.Reaction); ok {
		s := saying{id: sent.ID, place: p, content: &webhook.Reaction{MessageID: r.MessageID, Emoji: r.Emoji}}
		return t.store(ctx, phone, s.patch())
	}
	body := sentBody(m.Content)
	return t.store(ctx, phone, patch{sent.ID, func(msg *Message) {
		msg.put(p)
		msg.say(sourceAPI, body.clone())
		msg.ReplyTo = max(msg.ReplyTo, m.ReplyTo)
		msg.CallbackData = max(msg.CallbackData, m.CallbackData)
	}})
}
