package health

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// This file holds the parts that follow from what the store knows of a number. They are judged
// without I/O.

const (
	// suspendedLong is how long a suspension is expected to end by itself.
	suspendedLong = 24 * time.Hour

	// syncConcern is how long after the signup it is worth saying that its data did not come.
	syncConcern = 7 * 24 * time.Hour

	// violationConcern is how long a violation is worth saying: Meta does not say that one is over.
	violationConcern = 30 * 24 * time.Hour
)

// A Connection says where the number stands.
type Connection struct {
	Verdict

	// Stage and Placement are those of the number.
	Stage     coexistence.Stage
	Placement coexistence.Placement

	// Remedy says to the business what happened and what helps; empty while the number works.
	Remedy string
}

func connection(n coexistence.Number, now time.Time) Connection {
	c := Connection{good, n.Stage, n.Placement, n.Remedy()}
	switch {
	case n.Stage == coexistence.StageRemoved:
		c.Verdict = judge(StatusBroken, CodeRemoved)
	case n.Stage == coexistence.StageOffboarded && now.Sub(n.OffboardedAt) >= suspendedLong:
		c.Verdict = judge(StatusBroken, CodeSuspended)
	case n.Stage == coexistence.StageOffboarded:
		c.Verdict = judge(StatusWarning, CodeSuspended)
	}
	return c
}

// A Sync says what became of the contacts and the history that a signup brings.
type Sync struct {
	Verdict

	// Contacts and History are how far they are.
	Contacts, History coexistence.SyncStatus
}

// syncs judges the syncs in the week after a signup: later, what did not come is no news. A refusal
// of the business is its choice.
func syncs(n coexistence.Number, now time.Time) Sync {
	s := Sync{good, n.ContactsStatus(now), n.HistoryStatus(now)}
	is := func(status ...coexistence.SyncStatus) bool {
		return slices.Contains(status, s.Contacts) || slices.Contains(status, s.History)
	}
	switch {
	case !n.Stage.Connected():
		s.Verdict = judge(StatusUnknown, CodeNotConnected)
	case now.Sub(n.OnboardedAt) >= syncConcern:
	case is(coexistence.SyncFailed, coexistence.SyncAlreadyRequested):
		s.Verdict = judge(StatusWarning, CodeSyncFailed)
	case is(coexistence.SyncExpired):
		s.Verdict = judge(StatusWarning, CodeSyncExpired)
	case is(coexistence.SyncStalled, coexistence.SyncUnknown):
		s.Verdict = judge(StatusWarning, CodeSyncStalled)
	case n.CanRequestSync(now) && n.Remaining(now) <= coexistence.SyncWindow/2:
		s.Verdict = judge(StatusWarning, CodeSyncDue)
	}
	return s
}

// An Enforcement says what Meta holds against the account right now.
type Enforcement struct {
	Verdict

	// Restrictions are those in force.
	Restrictions []webhook.RestrictionInfo

	// Ban is the latest word about a ban, nil if there never was one or it was lifted. Violation is
	// one of the last 30 days, nil if there was none.
	Ban       *webhook.BanInfo
	Violation *webhook.ViolationInfo
}

// enforcement judges what account updates have told, and the status of the number, if it was read.
func enforcement(n coexistence.Number, phone *cloudapi.Phone, now time.Time) Enforcement {
	known := n.Enforcement
	e := Enforcement{Verdict: good, Restrictions: known.Active(now)}
	if known.Ban != nil && known.Ban.State != webhook.BanLifted {
		e.Ban = known.Ban
	}
	if known.Violation != nil && now.Sub(known.ViolationAt) < violationConcern {
		e.Violation = known.Violation
	}
	messages := func(r webhook.RestrictionInfo) bool {
		return r.Type == webhook.RestrictedBusinessMessaging || r.Type == webhook.RestrictedCustomerMessaging
	}
	switch {
	case known.Banned(), phone != nil && phone.Status == cloudapi.PhoneBanned:
		e.Verdict = judge(StatusBroken, CodeBanned)
	case slices.ContainsFunc(e.Restrictions, messages):
		e.Verdict = judge(StatusBroken, CodeRestricted)
	case e.Ban != nil:
		e.Verdict = judge(StatusWarning, CodeBanScheduled)
	case len(e.Restrictions) > 0:
		e.Verdict = judge(StatusWarning, CodeRestricted)
	case e.Violation != nil:
		e.Verdict = judge(StatusWarning, CodeViolation)
	}
	return e
}

// words are what is in force, in Meta's words.
func (e Enforcement) words() []string {
	var words []string
	if e.Ban != nil {
		words = append(words, string(e.Ban.State))
	}
	for _, r := range e.Restrictions {
		words = append(words, string(r.Type))
	}
	if e.Violation != nil {
		words = append(words, e.Violation.Type)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// A Phone says whether the business's phone is in use.
type Phone struct {
	Verdict

	// IdleSince is the latest sign of life; see [coexistence.Number.IdleSince].
	IdleSince time.Time
}

func phoneUse(n coexistence.Number, now time.Time) Phone {
	p := Phone{good, n.IdleSince()}
	switch {
	case !n.Stage.Connected():
		p.Verdict = judge(StatusUnknown, CodeNotConnected)
	case n.IdleWarning(now):
		p.Verdict = judge(StatusWarning, CodePhoneIdle)
	}
	return p
}

// Responders say whether something other than this app and the phone answers customers. That is no
// fault, so the part is OK either way, and the code tells.
type Responders struct {
	Verdict

	// Since is when it first showed, zero if it never did.
	Since time.Time
}

func responders(n coexistence.Number) Responders {
	r := Responders{good, n.OtherResponderAt}
	if !r.Since.IsZero() {
		r.Verdict = judge(StatusOK, CodeOtherResponder)
	}
	return r
}
