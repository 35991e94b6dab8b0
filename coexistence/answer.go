package coexistence

import (
	"context"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// An Answer says whether something may be said in a conversation now, and why not.
type Answer struct {
	// Allowed is true if it may. Reason is why not, and empty then.
	Allowed bool
	Reason  AnswerReason

	// Until is when that changes by itself: an allowed answer has to be given before, and a reason
	// holds until then. Zero if nothing but an event changes it.
	Until time.Time

	// Thread is the state of the conversation that the answer is based on.
	Thread Thread
}

// String says it in a sentence, for a log and for people. It holds nothing of the conversation.
func (a Answer) String() string {
	text := "it may be answered"
	if !a.Allowed {
		text = a.Reason.Text()
	}
	if !a.Until.IsZero() {
		text += " (until " + a.Until.UTC().Format(time.RFC3339) + ")"
	}
	return text
}

// An AnswerReason is why something may not be said. It is stable and fit as a metric's label.
type AnswerReason string

// The reasons, in the order in which they are looked at: the first that holds is named.
const (
	AnswerStandby        AnswerReason = "standby"         // the event is a copy of what another responder got
	AnswerKind           AnswerReason = "kind"            // there is nothing to answer, or it was deleted
	AnswerOffboarded     AnswerReason = "offboarded"      // the number is not connected
	AnswerTooOld         AnswerReason = "too_old"         // see Config.MaxAnswerAge
	AnswerOtherResponder AnswerReason = "other_responder" // the conversation belongs to another responder
	AnswerIdle           AnswerReason = "idle"            // it belongs to none: a template can be sent
	AnswerWindowClosed   AnswerReason = "window_closed"   // the customer has not written for 24 hours
	AnswerStopped        AnswerReason = "stopped"         // the customer stopped marketing messages
	AnswerPaused         AnswerReason = "paused"          // see Tracker.Pause
	AnswerPersonActive   AnswerReason = "person_active"   // a person at the business is answering, in the app
)

// Text says a reason in words, for people.
func (r AnswerReason) Text() string {
	switch r {
	case AnswerStandby:
		return "the customer wrote to another responder of this number, not to this app"
	case AnswerKind:
		return "it is no message that can be answered, or the customer deleted it"
	case AnswerOffboarded:
		return "the number is not connected to Cloud API now"
	case AnswerTooOld:
		return "the message is too old for an automatic answer"
	case AnswerOtherResponder:
		return "another responder has this conversation; it can be passed to this app, or a template can be sent"
	case AnswerIdle:
		return "no responder has this conversation; a template can be sent until the customer writes again"
	case AnswerWindowClosed:
		return "the customer has not written for 24 hours; a template can be sent"
	case AnswerStopped:
		return "the customer has stopped marketing messages of this business"
	case AnswerPaused:
		return "automatic answers are paused in this conversation"
	case AnswerPersonActive:
		return "a person at the business is writing in this conversation, in the WhatsApp Business app"
	}
	return string(r)
}

// MayAnswer reports whether a bot may answer an event now. It checks the kind and the age of the
// event, whether the number is connected, which responder owns the conversation, whether the window
// is open, whether the customer stopped messages or deleted this one, and whether a person is in
// the conversation. Call it after the tracker, right before the answer is sent:
//
//	may, err := tracker.MayAnswer(ctx, ev)
//	if err != nil || !may.Allowed {
//		return err
//	}
//
// Where nothing is known of other responders, an answer is allowed: a customer must not stay
// unanswered because of that. With conversation routing Meta has the last word (code 131070).
//
// It does not know of another partner that gets the same messages without a routing configuration,
// of one that is not connected to this app, nor of a conversation that was passed to another
// responder without naming the customer.
func (t *Tracker) MayAnswer(ctx context.Context, ev webhook.Event) (Answer, error) {
	switch ev.(type) {
	case *webhook.StandbyMessage, *webhook.StandbyEcho, *webhook.StandbyStatus:
		return Answer{Reason: AnswerStandby}, nil
	default:
	}
	m, ok := ev.(*webhook.IncomingMessage)
	if !ok || !Answerable(ev) {
		return Answer{Reason: AnswerKind}, nil
	}
	stored, err := t.cfg.Store.Message(ctx, m.PhoneNumberID, m.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Answer{}, err
	}
	if err == nil && !stored.Answerable() {
		return Answer{Reason: AnswerKind}, nil
	}
	thread, n, found, err := t.thread(ctx, m.PhoneNumberID, m.From.Key())
	if err != nil {
		return Answer{}, err
	}
	if !found { // it names no customer, or none but the business itself
		return Answer{Reason: AnswerKind}, nil
	}
	a, now := Answer{Thread: thread}, time.Now()
	stale := m.At.Add(t.cfg.MaxAnswerAge)
	switch {
	case n.Stage == StageOffboarded || n.Stage == StageRemoved:
		a.Reason = AnswerOffboarded
	case !now.Before(stale):
		a.Reason = AnswerTooOld
	case thread.StoppedBy != StopByRefusal && thread.StoppedAt.After(m.At):
		a.Reason = AnswerStopped
	default:
		a.Reason, a.Until = thread.refuses(now)
	}
	if a.Reason == "" {
		a.Reason, a.Until = thread.silences(now, t.cfg.HumanPause)
	}
	if a.Allowed = a.Reason == ""; a.Allowed {
		a.Until = stale
		if closes := thread.WindowClosesAt(); closes.Before(stale) {
			a.Until = closes
		}
	}
	return a, nil
}

// MaySend reports whether a message to a conversation may be sent now, as far as known: whether the
// number is connected, whose the conversation is, and whether the window is open. It is for what
// people and programs send unprompted, and looks at neither age nor kind.
//
// What a program wrote has to wait, too, while a person is in the conversation or bots are paused
// in it. A person's message does not ([cloudapi.Message].ByPerson); [Thread] says whether there is
// another one.
//
// Templates, and direct sends of the categories utility and authentication, need neither the
// conversation nor the window, and wait for no one; groups have no owner.
//
// To a person who stopped them no marketing goes: no template whose category
// ([Config].TemplateCategory) is marketing, and nothing with [cloudapi.PriorityCampaign], such as
// what an outbox has for a campaign, but a template of another category.
func (t *Tracker) MaySend(
	ctx context.Context, phone graph.PhoneNumberID, conversation string, m cloudapi.Message,
) (Answer, error) {
	thread, n, found, err := t.thread(ctx, phone, conversation)
	if to := m.To.Key(); err == nil && !found && to != "" && Alias(to) != Alias(conversation) {
		thread, n, _, err = t.thread(ctx, phone, to) // conversation is a name of the host's own
	}
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Thread: thread}
	switch {
	case n.Stage == StageOffboarded || n.Stage == StageRemoved:
		a.Reason = AnswerOffboarded
	case isService(m):
		now := time.Now()
		if a.Reason, a.Until = thread.refuses(now); a.Reason == "" && !m.ByPerson {
			a.Reason, a.Until = thread.silences(now, t.cfg.HumanPause)
		}
		if a.Reason == "" {
			a.Until = thread.WindowClosesAt()
		}
	}
	if a.Reason == "" && !thread.StoppedAt.IsZero() {
		stopped, err := t.isMarketing(ctx, phone, m)
		if err != nil {
			return Answer{}, err
		}
		if stopped {
			a.Reason, a.Until = AnswerStopped, time.Time{}
		}
	}
	a.Allowed = a.Reason == ""
	return a, nil
}

// refuses returns why Cloud API would refuse a service message, and until when.
func (t Thread) refuses(now time.Time) (AnswerReason, time.Time) {
	switch {
	case t.Owner == OwnerOther:
		return AnswerOtherResponder, later(t.CustomerAt, t.Since).Add(serviceWindow)
	case t.Owner == OwnerIdle:
		return AnswerIdle, time.Time{}
	case t.Event == ThreadPassed && t.Since.After(t.CustomerAt):
		return "", time.Time{} // the customer may have written to the former owner, unseen: let Meta say
	case !t.CustomerAt.IsZero() && !now.Before(t.WindowClosesAt()):
		return AnswerWindowClosed, time.Time{}
	}
	return "", time.Time{}
}

// silences returns why a bot should stay silent though Cloud API would take its message.
func (t Thread) silences(now time.Time, pause time.Duration) (AnswerReason, time.Time) {
	switch until := t.HumanAt.Add(pause); {
	case !t.Pause.At.IsZero():
		return AnswerPaused, t.Pause.Until
	case !t.HumanAt.IsZero() && now.Before(until):
		return AnswerPersonActive, until
	}
	return "", time.Time{}
}

// isService reports whether a message needs the conversation and the window.
func isService(m cloudapi.Message) bool {
	if _, ok := m.Content.(*cloudapi.Template); ok || m.To.IsGroup() {
		return false
	}
	return m.Direct == nil || m.Direct.Category == cloudapi.DirectService
}
