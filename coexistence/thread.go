package coexistence

import (
	"cmp"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ThreadOwner says to which responder a conversation belongs, as far as Meta has told. It decides
// what Cloud API accepts, and says nothing about whether a person is in the conversation.
type ThreadOwner string

const (
	OwnerUnknown ThreadOwner = ""      // nothing was ever said: one responder, the usual case
	OwnerUs      ThreadOwner = "us"    // Cloud API takes our messages
	OwnerOther   ThreadOwner = "other" // another partner, or Meta's agent; it refuses ours
	OwnerIdle    ThreadOwner = "idle"  // released, or a day without the customer: templates only
)

// A ThreadEvent is the event that last moved a conversation from one responder to another.
type ThreadEvent string

// What moves a conversation, in the order in which events of the same second count, least first.
const (
	ThreadStandby  ThreadEvent = "standby"  // a message, echo or status arrived under standby
	ThreadMessage  ThreadEvent = "message"  // a message of the customer arrived under messages
	ThreadAccepted ThreadEvent = "accepted" // Cloud API took a service message of ours
	ThreadRefused  ThreadEvent = "refused"  // Cloud API refused one, with code 131070
	ThreadRelease  ThreadEvent = "release"  // we released it
	ThreadPass     ThreadEvent = "pass"     // we passed it to another responder
	ThreadTake     ThreadEvent = "take"     // we took it
	ThreadPassed   ThreadEvent = "passed"   // it was passed to us: control_passed
	ThreadTaken    ThreadEvent = "taken"    // it was taken from us: control_taken
)

// threadOrder ranks events of the same second. A handover beats a copy of what was said in it, and
// a message under messages beats a copy under standby, because one app never gets both of them.
var threadOrder = map[ThreadEvent]int{
	ThreadStandby: 1, ThreadMessage: 2, ThreadAccepted: 3, ThreadRefused: 4, ThreadRelease: 5, ThreadPass: 6,
	ThreadTake: 7, ThreadPassed: 8, ThreadTaken: 9,
}

// threadOwners holds whose a conversation is after each event.
var threadOwners = map[ThreadEvent]ThreadOwner{
	ThreadStandby: OwnerOther, ThreadMessage: OwnerUs, ThreadAccepted: OwnerUs, ThreadRefused: OwnerOther,
	ThreadRelease: OwnerIdle, ThreadPass: OwnerOther, ThreadTake: OwnerUs, ThreadPassed: OwnerUs,
	ThreadTaken: OwnerOther,
}

// A ThreadSignal is an event that moved a conversation, and when.
type ThreadSignal struct {
	Event ThreadEvent        `json:"event"`
	At    time.Time          `json:"at"`
	Role  graph.HandoverRole `json:"role,omitzero"` // of the new owner, if known
}

// compare orders signals by time, and those of one second by what they are.
func (s ThreadSignal) compare(o ThreadSignal) int {
	return cmp.Or(
		s.At.Truncate(time.Second).Compare(o.At.Truncate(time.Second)),
		cmp.Compare(threadOrder[s.Event], threadOrder[o.Event]), cmp.Compare(s.Role, o.Role),
	)
}

// A ThreadRecord is the stored state of who answers a conversation, under one alias of its person.
// Only a [Tracker] makes and reads one: [Tracker.Thread] says what it means, together with those
// under the other aliases of the person and with the conversation's messages.
//
// Whatever the order of events, the same events make the same record. It survives JSON.
type ThreadRecord struct {
	// PhoneNumberID and Person name the record: the business's number, and the alias.
	PhoneNumberID graph.PhoneNumberID `json:"phone_number_id"`
	Person        string              `json:"person"`

	// Last is the latest signal but those below. Refused and Accepted are kept apart: what they
	// mean depends on what was before.
	Last       ThreadSignal `json:"last,omitzero"`
	RefusedAt  time.Time    `json:"refused_at,omitzero"`
	AcceptedAt time.Time    `json:"accepted_at,omitzero"`

	// StandbyAt is when the customer last wrote to another responder.
	StandbyAt time.Time `json:"standby_at,omitzero"`

	// DoubtAt is when the answer to our pass, release or take was last lost.
	DoubtAt time.Time `json:"doubt_at,omitzero"`

	// Pause is the latest pause, ResumedAt when the host last said that bots may go on.
	Pause     Pause     `json:"pause,omitzero"`
	ResumedAt time.Time `json:"resumed_at,omitzero"`

	// StoppedAt and ContinuedAt are when the customer last stopped marketing messages of the
	// business, and when it last resumed them. StoppedBy and ContinuedBy say how that became known.
	StoppedAt   time.Time  `json:"stopped_at,omitzero"`
	StoppedBy   StopSource `json:"stopped_by,omitzero"`
	ContinuedAt time.Time  `json:"continued_at,omitzero"`
	ContinuedBy StopSource `json:"continued_by,omitzero"`

	// MarketingRefusedAt is when Meta last refused a message because the customer had stopped them.
	MarketingRefusedAt time.Time `json:"marketing_refused_at,omitzero"`
}

// A Pause keeps bots silent in a conversation. See [Tracker.Pause].
type Pause struct {
	// At is when it began. The tracker sets it.
	At time.Time `json:"at,omitzero"`

	// By names the person who paused, and Reason why: for people and logs. Both may be empty.
	By     string `json:"by,omitzero"`
	Reason string `json:"reason,omitzero"`

	// Until is when it ends. If zero, when [Tracker.Resume] is called.
	Until time.Time `json:"until,omitzero"`
}

// merge adds everything that o knows. It is commutative and idempotent: each member takes the later
// of two.
func (r *ThreadRecord) merge(o ThreadRecord) {
	if o.Last.compare(r.Last) > 0 {
		r.Last = o.Last
	}
	r.RefusedAt, r.AcceptedAt = later(r.RefusedAt, o.RefusedAt), later(r.AcceptedAt, o.AcceptedAt)
	r.StandbyAt, r.DoubtAt = later(r.StandbyAt, o.StandbyAt), later(r.DoubtAt, o.DoubtAt)
	if cmp.Or(o.Pause.At.Compare(r.Pause.At), o.Pause.Until.Compare(r.Pause.Until)) > 0 {
		r.Pause = o.Pause
	}
	r.ResumedAt = later(r.ResumedAt, o.ResumedAt)
	if cmp.Or(o.StoppedAt.Compare(r.StoppedAt), cmp.Compare(o.StoppedBy, r.StoppedBy)) > 0 {
		r.StoppedAt, r.StoppedBy = o.StoppedAt, o.StoppedBy
	}
	if cmp.Or(o.ContinuedAt.Compare(r.ContinuedAt), cmp.Compare(o.ContinuedBy, r.ContinuedBy)) > 0 {
		r.ContinuedAt, r.ContinuedBy = o.ContinuedAt, o.ContinuedBy
	}
	r.MarketingRefusedAt = later(r.MarketingRefusedAt, o.MarketingRefusedAt)
}

// latest is the time of the last thing that the record knows.
func (r ThreadRecord) latest() (at time.Time) {
	for _, t := range []time.Time{
		r.Last.At, r.RefusedAt, r.AcceptedAt, r.StandbyAt, r.DoubtAt, r.Pause.At, r.ResumedAt, r.StoppedAt,
		r.ContinuedAt, r.MarketingRefusedAt,
	} {
		at = later(at, t)
	}
	return at
}

// OlderThan reports whether nothing in the record is from a moment or later. A stop that is in
// force is never old: it holds until the person resumes or is forgotten.
func (r ThreadRecord) OlderThan(at time.Time) bool {
	stopped, _ := r.stop()
	return stopped.IsZero() && r.latest().Before(at)
}

// A Thread says who answers a conversation, which is two questions. The owner for Meta (Owner)
// decides what Cloud API accepts. Whether a person is in it (HumanAt, Pause) decides what a bot
// should do. [Tracker.MayAnswer] joins them.
type Thread struct {
	// Owner is the owner of the conversation for Meta, and Role the owner's role, if known. The
	// role is for display: being the owner is all that allows an answer.
	Owner ThreadOwner
	Role  graph.HandoverRole

	// Since is when it became so, and Event what made it so. Zero for OwnerUnknown, and for one
	// that is idle because a day has passed Event is the one before.
	Since time.Time
	Event ThreadEvent

	// Doubt is true if the answer to a pass, release or take of ours was lost, and nothing that
	// came since says whose the conversation is.
	Doubt bool

	// CustomerAt is when the customer last wrote, to us or to another responder. The window of 24
	// hours and the idle clock count from it.
	CustomerAt time.Time

	// HumanAt is when a person at the business was last active in the app; see
	// [Conversation].HumanAt. It is zero if [Tracker.Resume] was called since.
	HumanAt time.Time

	// Pause is the pause that is in force, or zero.
	Pause Pause

	// StoppedAt is when the customer stopped marketing messages of the business, if it has not
	// resumed them, and StoppedBy how that became known. Zero if it did not.
	StoppedAt time.Time
	StoppedBy StopSource
}

// WindowClosesAt returns when the customer service window ends, or the zero time if the customer
// never wrote.
func (t Thread) WindowClosesAt() time.Time {
	if t.CustomerAt.IsZero() {
		return time.Time{}
	}
	return t.CustomerAt.Add(serviceWindow)
}

// thread returns what a record means at a moment, given the conversation and whether the number
// ever showed another responder. Signals before forgottenAt, the last change in the life of the
// number, do not count.
func (r ThreadRecord) thread(c Conversation, routed bool, forgottenAt, now time.Time) Thread {
	t := Thread{CustomerAt: later(c.CustomerAt, r.StandbyAt)}
	if routed {
		t.own(r, c.CustomerAt, forgottenAt, now)
	}
	if c.HumanAt.After(r.ResumedAt) {
		t.HumanAt = c.HumanAt
	}
	p := r.Pause
	if p.At.After(r.ResumedAt) && (p.Until.IsZero() || now.Before(p.Until)) {
		t.Pause = p
	}
	t.StoppedAt, t.StoppedBy = r.stop()
	return t
}

// own fills in the owner: the latest signal decides. A message under messages is one; it is in the
// conversation and not in the record, because there are thousands of them and few handovers. A
// refusal leaves an idle conversation idle. One without its customer for a day is idle whatever was
// said last, and no webhook says so.
func (t *Thread) own(r ThreadRecord, messageAt, forgottenAt, now time.Time) {
	var last ThreadSignal
	for _, s := range []ThreadSignal{
		r.Last, {Event: ThreadMessage, At: messageAt}, {Event: ThreadAccepted, At: r.AcceptedAt},
	} {
		if !s.At.IsZero() && !s.At.Before(forgottenAt) && s.compare(last) > 0 {
			last = s
		}
	}
	refused := ThreadSignal{Event: ThreadRefused, At: r.RefusedAt}
	if !r.RefusedAt.IsZero() && !r.RefusedAt.Before(forgottenAt) && refused.compare(last) > 0 &&
		threadOwners[last.Event] != OwnerIdle {
		last = refused
	}
	if last.Event == "" {
		return
	}
	t.Owner, t.Role, t.Since, t.Event = threadOwners[last.Event], last.Role, last.At, last.Event
	if t.Role == "" && threadOwners[r.Last.Event] == t.Owner {
		t.Role = r.Last.Role
	}
	t.Doubt = !r.DoubtAt.IsZero() && !r.DoubtAt.Before(last.At.Truncate(time.Second))
	if idleAt := later(t.CustomerAt, t.Since).Add(serviceWindow); t.Owner != OwnerIdle && !now.Before(idleAt) {
		t.Owner, t.Role, t.Since = OwnerIdle, "", idleAt
	}
}
