package coexistence

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// reconnectSlack is how much earlier than its ACCOUNT_OFFBOARDED an ACCOUNT_RECONNECTED may be
// dated and still answer it. Meta's own samples have them one second apart, in the wrong order
// (seen 2026-09). A number that goes offline again within a minute of coming back is taken for
// connected until the next update or reading.
const reconnectSlack = time.Minute

// clockSkew is how far the host's clock, which dates readings, may be from Meta's, which dates
// updates in whole seconds.
const clockSkew = 30 * time.Second

// A Disconnection says why a number was suspended or removed.
type Disconnection struct {
	// Event is the account update that said so.
	Event webhook.AccountEvent `json:"event"`

	// Reason is empty if Meta gave none.
	Reason webhook.DisconnectionReason `json:"reason,omitzero"`

	// InitiatedBy is "USER" or "SYSTEM", or empty.
	InitiatedBy string `json:"initiated_by,omitzero"`

	At time.Time `json:"at,omitzero"`
}

// Temporary reports whether the number is expected back without a new signup.
func (e Disconnection) Temporary() bool { return e.Event == webhook.AccountOffboarded }

// An Enforcement is what Meta holds against an account. It changes no stage: the number stays
// connected, and may be unable to do some things. The zero Enforcement means that nothing is known.
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

func (s *Number) account(ev *webhook.AccountUpdate) {
	switch ev.Event {
	case webhook.AccountRestriction:
		if e := &s.Enforcement; !ev.At.Before(e.RestrictedAt) {
			e.Restrictions, e.RestrictedAt = slices.Clone(ev.Restrictions), ev.At
		}
		return
	case webhook.AccountDisabledUpdate:
		if e := &s.Enforcement; ev.Ban != nil && !ev.At.Before(e.BanAt) {
			e.Ban, e.BanAt = new(*ev.Ban), ev.At
		}
		return
	case webhook.AccountViolation:
		if e := &s.Enforcement; ev.Violation != nil && !ev.At.Before(e.ViolationAt) {
			e.Violation, e.ViolationAt = new(*ev.Violation), ev.At
		}
		return
	case webhook.AccountPartnerAdded, webhook.AccountPartnerAppInstalled:
		s.shared(ev)
		return
	case webhook.AccountOffboarded, webhook.AccountReconnected, webhook.AccountPartnerRemoved,
		webhook.AccountPartnerAppRemoved, webhook.AccountDeleted:
	default:
		return
	}
	if !ev.At.IsZero() && ev.At.Before(s.OnboardedAt.Add(-clockSkew)) {
		return // about an earlier cycle: Meta repeats deliveries for a week, a business signs up again after 15 minutes
	}
	switch ev.Event {
	case webhook.AccountOffboarded:
		ev = s.dated(ev, s.OffboardedAt)
		s.offboarded(ev)
	case webhook.AccountReconnected:
		s.reconnected(ev)
	default:
		ev = s.dated(ev, s.RemovedAt)
		s.RemovedAt = later(s.RemovedAt, ev.At)
		s.removed(ev)
	}
	s.LifecycleAt = later(s.LifecycleAt, ev.At)
}

// dated moves an update behind a reading of about the same time: if it was not known by then, the
// reading cannot have taken it into account. A repeat (last is the latest of its kind) and what is
// clearly older keep their date. Where this is wrong the next reading puts it right:
// [Number.NeedsRefresh] asks for it.
func (s *Number) dated(ev *webhook.AccountUpdate, last time.Time) *webhook.AccountUpdate {
	if s.Placement != PlacementBoth || ev.At.After(s.RefreshedAt) || !ev.At.After(s.RefreshedAt.Add(-clockSkew)) ||
		!last.Before(ev.At) {
		return ev
	}
	moved := *ev
	moved.At = s.RefreshedAt.Add(1)
	return &moved
}

// shared begins the first cycle. It never begins another: a repeat of the update that began an
// earlier one looks the same, so a removed number comes back through [Number.Onboard] alone.
func (s *Number) shared(ev *webhook.AccountUpdate) {
	if s.Stage != StageNone {
		return
	}
	s.about(ev.EventInfo)
	if s.PhoneNumberID == "" {
		return
	}
	*s = s.Onboard(cloudapi.Onboarding{PhoneNumberID: s.PhoneNumberID, WABAIDs: s.wabas(), DisplayPhoneNumber: s.DisplayPhoneNumber, OnboardedAt: ev.At})
}

func (s *Number) offboarded(ev *webhook.AccountUpdate) {
	at := ev.At
	if at.IsZero() {
		// Without a time only the order of arrival is left: it counts as later than what is known.
		at = later(s.ReconnectedAt.Add(reconnectSlack), s.RefreshedAt).Add(time.Second)
	}
	s.OffboardedAt = later(s.OffboardedAt, at)
	if s.Stage == StageRemoved || !s.suspended() {
		return
	}
	s.Stage = StageOffboarded
	s.Disconnection = ending(s.Disconnection, ev)
}

func (s *Number) reconnected(ev *webhook.AccountUpdate) {
	at := ev.At
	if at.IsZero() {
		at = s.OffboardedAt
	}
	if s.Stage == StageOffboarded && s.ReconnectedAt.Before(at) {
		// If a reading has suspended the number, this does not bring it back: it is dated before
		// that, and may have been heard after it. Another reading decides.
		s.LifecycleAt = later(s.LifecycleAt, s.RefreshedAt)
	}
	s.ReconnectedAt = later(s.ReconnectedAt, at)
	s.sign(ev.At)
	if s.Stage == StageOffboarded && !s.suspended() {
		s.resume()
	}
}

// suspended compares the latest times of either update. It depends on the set of updates seen and
// not on their order.
func (s *Number) suspended() bool {
	back := s.ReconnectedAt
	if !back.IsZero() {
		back = back.Add(reconnectSlack)
	}
	if s.Placement == PlacementBoth {
		back = later(back, s.RefreshedAt)
	}
	return s.OffboardedAt.After(back)
}

func (s *Number) resume() {
	s.Disconnection = nil
	s.Stage = s.settle()
}

func (s *Number) removed(ev *webhook.AccountUpdate) {
	// An account that merely stops being shared leaves the number to the other accounts that hold
	// it. A disconnection with a reason, or one that names the number, ends them all.
	if ev.Disconnection == nil && ev.PhoneNumber == "" && len(s.WABAs) > 1 {
		if i := slices.Index(s.WABAs, ev.WABAID); i >= 0 {
			s.WABAs = slices.Delete(slices.Clone(s.WABAs), i, i+1)
			if s.WABAID == ev.WABAID {
				s.WABAID = s.WABAs[0]
			}
		}
		return
	}
	if s.Placement == PlacementBoth && !ev.At.IsZero() && ev.At.Before(s.RefreshedAt) {
		return // the number was read after that, and lives
	}
	s.Stage = StageRemoved
	s.Disconnection = ending(s.Disconnection, ev)
}

// ending keeps the more final of two endings. Of two suspensions the later one is the one that
// lasts; of two removals the one with a reason tells more, then the earlier one.
func ending(prev *Disconnection, ev *webhook.AccountUpdate) *Disconnection {
	e := &Disconnection{Event: ev.Event, At: ev.At}
	if d := ev.Disconnection; d != nil {
		e.Reason, e.InitiatedBy = d.Reason, d.InitiatedBy
	}
	if prev == nil || prev.Temporary() && !e.Temporary() {
		return e
	}
	known := func(e *Disconnection) int { return min(len(e.Reason), 1) }
	c := cmp.Or(cmp.Compare(known(e), known(prev)), prev.At.Compare(e.At))
	if e.Temporary() {
		c = cmp.Or(e.At.Compare(prev.At), cmp.Compare(known(e), known(prev)))
	}
	if cmp.Or(c, cmp.Compare(prev.Event, e.Event), cmp.Compare(prev.Reason, e.Reason)) > 0 {
		return e
	}
	return prev
}

func (s Number) wabas() []graph.WABAID {
	if len(s.WABAs) == 0 && s.WABAID != "" {
		return []graph.WABAID{s.WABAID}
	}
	return s.WABAs
}
