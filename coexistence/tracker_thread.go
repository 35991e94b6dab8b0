package coexistence

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A threadFact is what one event says about who answers a conversation.
type threadFact struct {
	customer graph.Identity
	record   ThreadRecord // to be merged
	other    bool         // the number has another responder
	known    bool         // it says something only about a conversation that has a record
}

// threadFactOf returns what an event says about who answers, and whether it says anything. What a
// customer writes under messages says so too, and is in the conversation: see [Thread].own.
//
// An event without a time is dated now: handovers in their older form have none. One that is older
// than a day moves nothing, because no owner lasts longer than that without the customer.
func threadFactOf(ev webhook.Event, now time.Time) (f threadFact, ok bool) {
	at := ev.Info().At.UTC()
	if at.IsZero() {
		at = now
	}
	signal := func(e ThreadEvent, role graph.HandoverRole) ThreadRecord {
		return ThreadRecord{Last: ThreadSignal{Event: e, At: at, Role: role}}
	}
	switch ev := ev.(type) {
	case *webhook.StandbyMessage:
		f = threadFact{customer: ev.Customer(), record: signal(ThreadStandby, ""), other: true}
		f.record.StandbyAt = at
		ok = ev.Message.GroupID == ""
	case *webhook.StandbyEcho:
		f, ok = threadFact{customer: ev.To, record: signal(ThreadStandby, ""), other: true}, ev.GroupID == ""
	case *webhook.StandbyStatus:
		f = threadFact{customer: ev.Status.Recipient, record: signal(ThreadStandby, ""), other: true, known: true}
		ok = ev.Status.GroupID == "" && ev.Status.RecipientType != "group"
	case *webhook.MessagingHandover:
		f, ok = handoverFact(ev, signal)
	case *webhook.MessageStatus:
		f = threadFact{customer: ev.Recipient, record: ThreadRecord{RefusedAt: at}, other: true}
		ok = ev.GroupID == "" && len(ev.Errors) > 0 && errors.Is(ev.Errors[0].Code, graph.ErrNotOwner)
	default:
	}
	return f, ok && now.Sub(at) < serviceWindow
}

// handoverFact returns what a handover says. One of a kind that is not known moves nothing.
func handoverFact(
	ev *webhook.MessagingHandover, signal func(ThreadEvent, graph.HandoverRole) ThreadRecord,
) (f threadFact, ok bool) {
	f = threadFact{customer: ev.Sender, other: true}
	switch ev.Type {
	case webhook.HandoverControlPassed:
		var role graph.HandoverRole
		if ev.Passed != nil {
			role = ev.Passed.NewOwnerRole
		}
		f.record = signal(ThreadPassed, role)
	case webhook.HandoverControlTaken:
		f.record = signal(ThreadTaken, graph.RoleEscalation)
	default:
		return threadFact{}, false
	}
	return f, true
}

// followThread stores what an event says about who answers, and about marketing messages.
func (t *Tracker) followThread(ctx context.Context, ev webhook.Event) error {
	now := time.Now().UTC()
	if err := t.followStop(ctx, ev, now); err != nil {
		return err
	}
	f, ok := threadFactOf(ev, now)
	if !ok {
		return nil
	}
	info := ev.Info()
	if f.other {
		if err := t.noteResponder(ctx, info.PhoneNumberID, now); err != nil {
			return err
		}
	}
	return t.mergeThread(ctx, info.PhoneNumberID, withoutOwn(f.customer, info.DisplayPhoneNumber), f)
}

// noteResponder stores that a number has another responder, once.
func (t *Tracker) noteResponder(ctx context.Context, phone graph.PhoneNumberID, now time.Time) error {
	n, err := t.cfg.Store.Number(ctx, phone)
	if err != nil && !errors.Is(err, ErrNotFound) || !n.OtherResponderAt.IsZero() {
		return err
	}
	_, err = t.cfg.Store.UpdateNumber(ctx, phone, func(n Number) (Number, error) {
		if n.OtherResponderAt.IsZero() {
			n.OtherResponderAt = now
		}
		return n, nil
	})
	return err
}

// mergeThread stores what was said about who answers a person. Nothing can be filed for one without
// a name. This and threadRecord are all that knows how records are found: by the person's aliases.
func (t *Tracker) mergeThread(
	ctx context.Context, phone graph.PhoneNumberID, customer graph.Identity, f threadFact,
) error {
	person := bestAlias(customer)
	if person == "" {
		return nil
	}
	if f.known {
		r, err := t.threadRecord(ctx, phone, person)
		if err != nil || r.Last.Event == "" {
			return err
		}
	}
	return t.cfg.Store.UpdateThread(ctx, phone, person, func(r *ThreadRecord) { r.merge(f.record) })
}

// threadRecord returns everything that is recorded under the aliases of a person; what it returns
// is zero if nothing is.
func (t *Tracker) threadRecord(ctx context.Context, phone graph.PhoneNumberID, key string) (ThreadRecord, error) {
	aliases := []string{Alias(key)}
	c, err := t.cfg.Store.Contact(ctx, phone, IdentityOf(key))
	switch {
	case err == nil:
		aliases = append(aliases, c.Aliases...)
	case !errors.Is(err, ErrNotFound):
		return ThreadRecord{}, err
	}
	return t.recordUnder(ctx, phone, aliases)
}

// recordUnder returns everything that is recorded under some aliases.
func (t *Tracker) recordUnder(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string,
) (r ThreadRecord, err error) {
	list, err := t.cfg.Store.Threads(ctx, phone, aliases)
	for _, o := range list {
		r.merge(o)
	}
	return r, err
}

// Thread returns the state of a conversation, which is named as in [MessageStore].Conversation. The
// owner of an unknown conversation is OwnerUnknown.
func (t *Tracker) Thread(ctx context.Context, phone graph.PhoneNumberID, conversation string) (Thread, error) {
	thread, _, _, err := t.thread(ctx, phone, conversation)
	return thread, err
}

// thread is Thread, and returns beside it the number, and whether the conversation has messages.
func (t *Tracker) thread(
	ctx context.Context, phone graph.PhoneNumberID, conversation string,
) (thread Thread, n Number, found bool, err error) {
	n, err = t.cfg.Store.Number(ctx, phone)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Thread{}, n, false, err
	}
	c, err := t.cfg.Store.Conversation(ctx, phone, conversation)
	if found = err == nil; !found && !errors.Is(err, ErrNotFound) {
		return Thread{}, n, false, err
	}
	if !found { // a person who has not been written to may have stopped marketing
		c.Contact, err = t.cfg.Store.Contact(ctx, phone, IdentityOf(conversation))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Thread{}, n, false, err
		}
	}
	r, err := t.recordUnder(ctx, phone, append(slices.Clip(c.Contact.Aliases), Alias(conversation)))
	if err != nil {
		return Thread{}, n, false, err
	}
	began := later(n.LifecycleAt, n.OnboardedAt).Truncate(time.Second) // as Meta's times are
	return r.thread(c, !n.OtherResponderAt.IsZero(), began, time.Now()), n, found, nil
}

// Pause keeps bots silent in a conversation: because a colleague has answered in the host's inbox,
// or wants to. It begins now; p.At is not read. A later pause replaces it, and a message that the
// bot itself sends changes nothing.
func (t *Tracker) Pause(ctx context.Context, phone graph.PhoneNumberID, conversation string, p Pause) error {
	p.At, p.Until = time.Now().UTC(), p.Until.UTC()
	return t.changeThread(ctx, phone, conversation, func(r *ThreadRecord) {
		r.Pause = p
		r.Pause.At = later(p.At, r.ResumedAt.Add(1))
	})
}

// Resume lets bots answer again: it ends the pause, and the silence after a person at the business
// was active in the app.
func (t *Tracker) Resume(ctx context.Context, phone graph.PhoneNumberID, conversation string) error {
	now := time.Now().UTC()
	return t.changeThread(ctx, phone, conversation, func(r *ThreadRecord) { r.ResumedAt = later(now, r.Pause.At) })
}

// changeThread changes the record of a conversation.
func (t *Tracker) changeThread(
	ctx context.Context, phone graph.PhoneNumberID, conversation string, fn func(*ThreadRecord),
) error {
	c, err := t.cfg.Store.Conversation(ctx, phone, conversation)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	person := Alias(cmp.Or(c.Contact.Key, conversation))
	if person == "" {
		return errors.New("coexistence: no conversation is named")
	}
	return t.cfg.Store.UpdateThread(ctx, phone, person, fn)
}

// Pass hands a conversation to another responder with [cloudapi.ThreadsService.Pass], and books
// that. Its errors are those of the call, and ask for no repeat ([webhook.Permanent]).
func (t *Tracker) Pass(
	ctx context.Context, phone graph.PhoneNumberID, role graph.HandoverRole, p cloudapi.ThreadParams,
) (*cloudapi.ThreadResult, error) {
	signal := ThreadSignal{Event: ThreadPass, Role: cmp.Or(role, graph.RoleEscalation)}
	return t.control(ctx, phone, p, signal, func(c *cloudapi.Client) (*cloudapi.ThreadResult, error) {
		return c.Threads.Pass(ctx, phone, role, p)
	})
}

// Release gives up a conversation with [cloudapi.ThreadsService.Release], and books that, as Pass
// does.
func (t *Tracker) Release(
	ctx context.Context, phone graph.PhoneNumberID, p cloudapi.ThreadParams,
) (*cloudapi.ThreadResult, error) {
	signal := ThreadSignal{Event: ThreadRelease}
	return t.control(ctx, phone, p, signal, func(c *cloudapi.Client) (*cloudapi.ThreadResult, error) {
		return c.Threads.Release(ctx, phone, p)
	})
}

// Take makes a conversation ours with [cloudapi.ThreadsService.Take], and books that, as Pass does.
func (t *Tracker) Take(
	ctx context.Context, phone graph.PhoneNumberID, p cloudapi.ThreadParams,
) (*cloudapi.ThreadResult, error) {
	signal := ThreadSignal{Event: ThreadTake, Role: graph.RoleEscalation}
	return t.control(ctx, phone, p, signal, func(c *cloudapi.Client) (*cloudapi.ThreadResult, error) {
		return c.Threads.Take(ctx, phone, p)
	})
}

// control makes a call that moves a conversation, and books what it did: no webhook tells us. After
// a lost answer nothing is known, which is booked too. The time is that of the answer.
func (t *Tracker) control(
	ctx context.Context, phone graph.PhoneNumberID, p cloudapi.ThreadParams, signal ThreadSignal,
	call func(*cloudapi.Client) (*cloudapi.ThreadResult, error),
) (*cloudapi.ThreadResult, error) {
	c, err := t.Client(ctx, phone)
	if err != nil {
		return nil, err
	}
	result, err := call(c)
	f := threadFact{record: ThreadRecord{Last: signal}}
	f.record.Last.At = time.Now().UTC()
	if err != nil {
		failure, ok := errors.AsType[*cloudapi.Error](err)
		if !ok || failure.Outcome != cloudapi.OutcomeUnknown {
			return nil, webhook.Permanent(err)
		}
		f.record = ThreadRecord{DoubtAt: f.record.Last.At}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	booked := t.noteResponder(ctx, phone, time.Now().UTC())
	if booked == nil {
		booked = t.mergeThread(ctx, phone, IdentityOf(p.To.Key()), f)
	}
	if err = errors.Join(err, booked); err != nil {
		return result, webhook.Permanent(err)
	}
	return result, nil
}
