package coexistence

import (
	"maps"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	// IdleLimit is about how long the phone may stay unused before Meta disconnects the number
	// (PRIMARY_INACTIVITY).
	IdleLimit = 14 * 24 * time.Hour

	// IdleWarnAfter is when [Number.IdleWarning] begins to warn, four days before.
	IdleWarnAfter = 10 * 24 * time.Hour
)

// clockSkew is how far the host's clock, which dates readings, may be from Meta's, which dates
// updates in whole seconds.
const clockSkew = 30 * time.Second

// A Number is everything that is known about one number: where it stands, what became of its syncs,
// why it was suspended or disconnected. It is a value; its methods return a changed copy or an
// answer, and do no I/O. A Number survives JSON.
//
// Its data and what can be asked of it are in this file, its changes in number_apply.go.
type Number struct {
	// PhoneNumberID is the number's id.
	PhoneNumberID graph.PhoneNumberID `json:"phone_number_id"`

	// WABAID is the account that signup named. WABAs are all accounts that hold the number, WABAID
	// among them.
	WABAID graph.WABAID   `json:"waba_id,omitzero"`
	WABAs  []graph.WABAID `json:"wabas,omitempty"`

	// DisplayPhoneNumber is the number as Meta writes it. Show it; do not route by it.
	DisplayPhoneNumber string `json:"display_phone_number,omitzero"`

	// Cycle counts onboardings, from 1. Each has syncs of its own.
	Cycle int `json:"cycle,omitzero"`

	// Stage is the stage of the number.
	Stage Stage `json:"stage,omitzero"`

	// OnboardedAt is when the business finished signup in this cycle. The sync window runs from
	// here.
	OnboardedAt time.Time `json:"onboarded_at,omitzero"`

	// Contacts and History are this cycle's syncs.
	Contacts ContactSync `json:"contacts,omitzero"`
	History  HistorySync `json:"history,omitzero"`

	// OffboardedAt and ReconnectedAt are the latest times of those two updates. Meta has been seen
	// giving the pair times in the wrong order, so compare stages, not these.
	OffboardedAt  time.Time `json:"offboarded_at,omitzero"`
	ReconnectedAt time.Time `json:"reconnected_at,omitzero"`

	// RemovedAt is the latest time of an update that ended the cycle, or tried to.
	RemovedAt time.Time `json:"removed_at,omitzero"`

	// AccountsLeft has the accounts that stopped sharing the number since the signup while others
	// went on, with when. Nil if none did.
	AccountsLeft map[graph.WABAID]time.Time `json:"accounts_left,omitempty"`

	// Disconnection says why the number was removed, or suspended. Nil while it works, or if Meta
	// did not say.
	Disconnection *Disconnection `json:"disconnection,omitempty"`

	// RefreshedAt is when the number was last read, Placement what was read.
	RefreshedAt time.Time `json:"refreshed_at,omitzero"`
	Placement   Placement `json:"placement,omitzero"`

	// LifecycleAt is the latest lifecycle update; see [Number.NeedsRefresh].
	LifecycleAt time.Time `json:"lifecycle_at,omitzero"`

	// Enforcement lists bans and restrictions of the account.
	Enforcement Enforcement `json:"enforcement,omitzero"`

	// PhoneSeenAt is the latest sign of life of the business's phone, to the hour.
	PhoneSeenAt time.Time `json:"phone_seen_at,omitzero"`

	// OtherResponderAt is when the number first showed that something other than this app and the
	// phone answers its customers too: another partner, or Meta's agent. Zero if it never did.
	OtherResponderAt time.Time `json:"other_responder_at,omitzero"`

	// Version counts the stored changes. The store sets it.
	Version int64 `json:"version,omitzero"`
}

// A Disconnection says why a number was suspended or removed.
type Disconnection struct {
	// Event is the account update that said so.
	Event webhook.AccountEvent `json:"event"`

	// Reason is empty if Meta gave none.
	Reason webhook.DisconnectionReason `json:"reason,omitzero"`

	// InitiatedBy is "USER" or "SYSTEM", or empty.
	InitiatedBy string `json:"initiated_by,omitzero"`

	// At is the time of that update by Meta's clock, zero if it had none.
	At time.Time `json:"at,omitzero"`
}

// Temporary reports whether the number is expected back without a new signup.
func (e Disconnection) Temporary() bool { return e.Event == webhook.AccountOffboarded }

// An Enforcement lists Meta's bans and restrictions of an account. It changes no stage: the number
// stays connected, and may be unable to do some things. The zero Enforcement means that nothing is
// known.
type Enforcement struct {
	// Restrictions are in force since RestrictedAt, each until its own end.
	Restrictions []webhook.RestrictionInfo `json:"restrictions,omitempty"`
	RestrictedAt time.Time                 `json:"restricted_at,omitzero"`

	// Ban is the latest word about a ban: scheduled ("SCHEDULE_FOR_DISABLE"), in force ("DISABLE")
	// or lifted ("REINSTATE").
	Ban   *webhook.BanInfo `json:"ban,omitempty"`
	BanAt time.Time        `json:"ban_at,omitzero"`

	// Violation is the latest violation that Meta named.
	Violation   *webhook.ViolationInfo `json:"violation,omitempty"`
	ViolationAt time.Time              `json:"violation_at,omitzero"`
}

// Banned reports whether the account is banned right now.
func (e Enforcement) Banned() bool { return e.Ban != nil && e.Ban.State == "DISABLE" }

// Active returns the restrictions that are in force at a moment.
func (e Enforcement) Active(now time.Time) []webhook.RestrictionInfo {
	return slices.DeleteFunc(slices.Clone(e.Restrictions), func(r webhook.RestrictionInfo) bool {
		return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt.Time)
	})
}

// Remaining returns how much of the sync window is left, zero once it is closed or if the number is
// not onboarded.
func (s Number) Remaining(now time.Time) time.Duration {
	if s.OnboardedAt.IsZero() {
		return 0
	}
	return max(0, s.OnboardedAt.Add(SyncWindow).Sub(now))
}

// CanRequestSync reports whether there is something that can still be asked for: see [Number.Due].
func (s Number) CanRequestSync(now time.Time) bool { return len(s.Due(now)) > 0 }

// Due returns what was not asked for yet and can be asked for now, contacts before history.
// [Tracker.Run] requests it for all numbers. What the host chose to skip is not due.
func (s Number) Due(now time.Time) []cloudapi.SyncKind {
	var due []cloudapi.SyncKind
	if s.Contacts.Status != SyncSkipped && s.canRequest(s.Contacts.Sync, now) {
		due = append(due, cloudapi.SyncContacts)
	}
	if s.History.Status != SyncSkipped && s.canRequest(s.History.Sync, now) {
		due = append(due, cloudapi.SyncHistory)
	}
	return due
}

// sync returns the record of a kind of data, to be changed.
func (s *Number) sync(kind cloudapi.SyncKind) *Sync {
	if kind == cloudapi.SyncHistory {
		return &s.History.Sync
	}
	return &s.Contacts.Sync
}

// canRequest reports whether a request was never made and can be. What matters is whether this side
// has asked: chunks that arrive unasked can be stragglers of an earlier cycle.
func (s Number) canRequest(sync Sync, now time.Time) bool {
	return s.Stage.Connected() && s.Remaining(now) > 0 && sync.RequestedAt.IsZero() && sync.Status != SyncExpired &&
		sync.Status != SyncAlreadyRequested && sync.Status != SyncDeclined
}

// ContactsStatus returns the status of the contact sync at a moment: what is stored, and what only
// time can tell, such as SyncExpired and SyncStalled.
func (s Number) ContactsStatus(now time.Time) SyncStatus {
	status := s.Contacts.at(s, now)
	switch {
	case s.Contacts.Status == SyncStreaming && now.Sub(s.Contacts.ActiveAt) >= quietAfter:
		return SyncComplete
	case status == SyncStalled && (s.History.Status == SyncStreaming || s.History.Status == SyncComplete):
		return SyncComplete // webhooks work and none came for contacts: the address book is empty
	}
	return status
}

// HistoryStatus returns the status of the history sync at a moment: what is stored, and what only
// time can tell, such as SyncExpired and SyncStalled.
func (s Number) HistoryStatus(now time.Time) SyncStatus { return s.History.at(s, now) }

// NeedsRefresh reports whether a lifecycle update arrived that no reading of the number, half a
// minute later or more, has confirmed. Updates name an account rather than a number, arrive out of
// order and are dated by another clock, so reading the number is the only proof: see
// [Tracker.Refresh].
func (s Number) NeedsRefresh() bool {
	return !s.LifecycleAt.IsZero() && s.LifecycleAt.After(s.RefreshedAt.Add(-clockSkew))
}

// IdleSince returns the latest sign of life of the phone: an echo, a changed contact, a chunk of
// history, a signup. A business that only reads gives no sign. Zero if there never was one.
func (s Number) IdleSince() time.Time { return later(s.PhoneSeenAt, s.OnboardedAt) }

// IdleWarning reports whether the phone has shown no sign for ten days, so that the business had
// better open the app: after about fourteen, Meta disconnects the number.
func (s Number) IdleWarning(now time.Time) bool {
	since := s.IdleSince()
	return s.Stage.Connected() && !since.IsZero() && now.Sub(since) >= IdleWarnAfter
}

// Accounts returns the accounts that hold the number, as far as known. A number known only from
// events has a WABAID and no WABAs.
func (s Number) Accounts() []graph.WABAID {
	if len(s.WABAs) == 0 && s.WABAID != "" {
		return []graph.WABAID{s.WABAID}
	}
	return s.WABAs
}

// Clone returns a copy that shares nothing that can be changed. Stores hand out clones.
func (s Number) Clone() Number {
	s.WABAs, s.AccountsLeft = slices.Clone(s.WABAs), maps.Clone(s.AccountsLeft)
	s.History.Phases = slices.Clone(s.History.Phases)
	for i, p := range s.History.Phases {
		s.History.Phases[i].Chunks = slices.Clone(p.Chunks)
		s.History.Phases[i].UnreadableChunks = slices.Clone(p.UnreadableChunks)
	}
	if s.Disconnection != nil {
		s.Disconnection = new(*s.Disconnection)
	}
	e := &s.Enforcement
	e.Restrictions = slices.Clone(e.Restrictions)
	if e.Ban != nil {
		e.Ban = new(*e.Ban)
	}
	if e.Violation != nil {
		e.Violation = new(*e.Violation)
	}
	return s
}
