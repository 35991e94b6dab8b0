package coexistence

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// This file holds every change of a Number: by an event, by a signup, by a reading of the number,
// and by a request for its data. All are pure, and all but the requests can be repeated and come in
// any order.

const (
	// sameSignup is how far apart two reports of one and the same signup may be dated. No business
	// disconnects a number and signs up again within a minute.
	sameSignup = time.Minute

	// reconnectSlack is how much earlier than its ACCOUNT_OFFBOARDED an ACCOUNT_RECONNECTED may be
	// dated and still answer it. Meta's own samples have them one second apart, in the wrong order
	// (seen 2026-09). A number that goes offline again within a minute of coming back is taken for
	// connected until the next update or reading.
	reconnectSlack = time.Minute
)

// Apply returns the state after ev. It is pure, idempotent and independent of order: repeats change
// nothing, late and out-of-order events never move the state backwards, and what concerns the state
// in no way leaves it as it was.
//
// Account updates name an account and rarely a number. The caller decides which numbers an update
// is about, as [Tracker] does.
func (s Number) Apply(ev webhook.Event) Number {
	switch ev := ev.(type) {
	case *webhook.HistoryChunk:
		s.applyChunk(ev, countUnreadable(ev))
	case *webhook.HistoryFailure:
		s.applyHistoryFailure(ev)
	case *webhook.AppStateSync:
		s.locate(ev.EventInfo)
		s.markPhoneSeen(ev.At)
		if s.Contacts.Status.Outstanding() {
			s.Contacts.advance(SyncStreaming)
		}
		s.followSyncs()
	case *webhook.BusinessAppEcho:
		s.locate(ev.EventInfo)
		s.markPhoneSeen(ev.At)
	case *webhook.AccountUpdate:
		s.applyAccountUpdate(ev)
	default: // messages and their media change no state
	}
	return s
}

// applyArrival notes when an event reached this process, after Apply. A sync is stalled if nothing
// arrives, and history webhooks carry no time of their own.
func (s Number) applyArrival(ev webhook.Event, now time.Time) Number {
	switch ev.(type) {
	case *webhook.HistoryChunk, *webhook.HistoryFailure:
		if !s.historyIsStale() {
			s.History.markActive(now)
		}
		s.markPhoneSeen(now)
	case *webhook.AppStateSync:
		if s.Contacts.Status.Outstanding() {
			s.Contacts.markActive(now.Truncate(time.Minute)) // an address book is thousands of events
		}
	default:
	}
	return s
}

// applyChunk notes a chunk of history, of which so many messages could not be read.
func (s *Number) applyChunk(ev *webhook.HistoryChunk, unreadable int) {
	s.locate(ev.EventInfo)
	s.markPhoneSeen(ev.At)
	if !s.historyIsStale() {
		s.History.addChunk(ev, unreadable)
		s.followSyncs()
	}
}

// applyHistoryFailure notes that Meta sends no history, or no more of it. Data that arrived beats a
// failure: Sync.advance sees to that.
func (s *Number) applyHistoryFailure(ev *webhook.HistoryFailure) {
	s.locate(ev.EventInfo)
	if s.historyIsStale() {
		return
	}
	to := SyncFailed
	if ev.Declined() {
		to = SyncDeclined
	}
	if s.History.advance(to) {
		s.History.Code = ev.Err.Code
	}
	s.History.markActive(ev.At)
	s.followSyncs()
}

// historyIsStale reports whether history that arrives now belongs to an earlier cycle: this one was
// not asked for any. Chunks do not say to which onboarding they belong, and Meta repeats deliveries
// for a week. The messages are stored all the same. Those of an earlier cycle that arrive after the
// request count as answers to it.
func (s *Number) historyIsStale() bool { return s.Cycle > 1 && s.History.RequestedAt.IsZero() }

// applyAccountUpdate notes an update of an account that holds the number: what Meta holds against
// it, that it was shared, and the life cycle, which alone is dated by LifecycleAt.
func (s *Number) applyAccountUpdate(ev *webhook.AccountUpdate) {
	switch ev.Event {
	case webhook.AccountRestriction:
		if e := &s.Enforcement; !ev.At.Before(e.RestrictedAt) {
			e.Restrictions, e.RestrictedAt = slices.Clone(ev.Restrictions), ev.At
		}
	case webhook.AccountDisabledUpdate:
		if e := &s.Enforcement; ev.Ban != nil && !ev.At.Before(e.BanAt) {
			e.Ban, e.BanAt = new(*ev.Ban), ev.At
		}
	case webhook.AccountViolation:
		if e := &s.Enforcement; ev.Violation != nil && !ev.At.Before(e.ViolationAt) {
			e.Violation, e.ViolationAt = new(*ev.Violation), ev.At
		}
	case webhook.AccountPartnerAdded, webhook.AccountPartnerAppInstalled:
		s.applyShared(ev)
	case webhook.AccountOffboarded, webhook.AccountReconnected, webhook.AccountPartnerRemoved,
		webhook.AccountPartnerAppRemoved, webhook.AccountDeleted:
		if ev.At.IsZero() || !ev.At.Before(s.OnboardedAt.Add(-clockSkew)) {
			s.applyLifecycle(ev)
		} // else about an earlier cycle: Meta repeats deliveries for a week, a business signs up again after 15 minutes
	default:
	}
}

// applyShared begins the first cycle. It never begins another: a repeat of the update that began an
// earlier one looks the same, so a removed number comes back through [Number.Onboard] only.
func (s *Number) applyShared(ev *webhook.AccountUpdate) {
	if s.Stage != StageNone {
		return
	}
	s.locate(ev.EventInfo)
	if s.PhoneNumberID == "" {
		return
	}
	*s = s.Onboard(cloudapi.Onboarding{
		PhoneNumberID: s.PhoneNumberID, WABAIDs: s.Accounts(), DisplayPhoneNumber: s.DisplayPhoneNumber,
		OnboardedAt: ev.At,
	})
}

// applyLifecycle notes a suspension, a return or a removal. Each has a time of its own, of which
// the latest is kept, so that the stage depends on which updates came and not on their order.
func (s *Number) applyLifecycle(ev *webhook.AccountUpdate) {
	switch ev.Event {
	case webhook.AccountOffboarded:
		ev = s.afterReading(ev, s.OffboardedAt)
		s.applyOffboarded(ev)
	case webhook.AccountReconnected:
		s.applyReconnected(ev)
	default:
		if ev.Disconnection == nil && ev.PhoneNumber == "" && !slices.Equal(s.Accounts(), []graph.WABAID{ev.WABAID}) {
			s.applyAccountLeft(ev)
			break
		}
		ev = s.afterReading(ev, s.RemovedAt)
		s.RemovedAt = later(s.RemovedAt, ev.At)
		s.applyRemoved(ev)
	}
	s.LifecycleAt = later(s.LifecycleAt, ev.At)
}

// afterReading moves an update behind a reading of about the same time: if it was not known by
// then, the reading cannot have taken it into account. A repeat (last is the latest of its kind)
// and what is clearly older keep their date. Where this is wrong the next reading puts it right:
// [Number.NeedsRefresh] asks for it.
func (s *Number) afterReading(ev *webhook.AccountUpdate, last time.Time) *webhook.AccountUpdate {
	if s.Placement != PlacementBoth || ev.At.After(s.RefreshedAt) || !ev.At.After(s.RefreshedAt.Add(-clockSkew)) ||
		!last.Before(ev.At) {
		return ev
	}
	moved := *ev
	moved.At = s.RefreshedAt.Add(1)
	return &moved
}

// applyOffboarded suspends the number, unless it was removed or has come back since.
func (s *Number) applyOffboarded(ev *webhook.AccountUpdate) {
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
	s.Disconnection = moreFinal(s.Disconnection, ev)
}

// applyReconnected ends a suspension that is not later.
func (s *Number) applyReconnected(ev *webhook.AccountUpdate) {
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
	s.markPhoneSeen(ev.At)
	if s.Stage == StageOffboarded && !s.suspended() {
		s.resume()
	}
}

// applyAccountLeft takes away one of several accounts: one that merely stops being shared leaves
// the number to the others that hold it. A disconnection with a reason, or one that names the
// number, ends them all: see applyRemoved. Of an account that does not hold the number, it is a
// repeat.
func (s *Number) applyAccountLeft(ev *webhook.AccountUpdate) {
	i := slices.Index(s.WABAs, ev.WABAID)
	if i < 0 {
		return
	}
	s.WABAs = slices.Delete(slices.Clone(s.WABAs), i, i+1)
	if s.WABAID == ev.WABAID {
		s.WABAID = s.WABAs[0]
	}
	s.AccountsLeft = maps.Clone(s.AccountsLeft)
	if s.AccountsLeft == nil {
		s.AccountsLeft = map[graph.WABAID]time.Time{}
	}
	s.AccountsLeft[ev.WABAID] = ev.At
}

// applyRemoved ends the cycle.
func (s *Number) applyRemoved(ev *webhook.AccountUpdate) {
	if s.Placement == PlacementBoth && !ev.At.IsZero() && ev.At.Before(s.RefreshedAt) {
		return // the number was read after that, and lives
	}
	s.Stage = StageRemoved
	s.Disconnection = moreFinal(s.Disconnection, ev)
}

// moreFinal returns the more final of two endings. Of two suspensions the later one is the one that
// lasts; of two removals the one with a reason tells more, then the earlier one.
func moreFinal(prev *Disconnection, ev *webhook.AccountUpdate) *Disconnection {
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

// Onboard returns the state after a signup. A signup that was not known yet begins a new cycle with
// fresh syncs, even if the end of the cycle before was not reported. What is known to have happened
// after that signup, such as a disconnection, holds. A repeat of a known one, or the news of an
// earlier one, only refreshes what it names.
func (s Number) Onboard(o cloudapi.Onboarding) Number {
	if o.PhoneNumberID != "" {
		s.PhoneNumberID = o.PhoneNumberID
	}
	if o.DisplayPhoneNumber != "" {
		s.DisplayPhoneNumber = o.DisplayPhoneNumber
	}
	again := s.Cycle > 0 && !o.OnboardedAt.After(s.OnboardedAt.Add(sameSignup))
	if again {
		for _, waba := range o.WABAIDs {
			_, left := s.AccountsLeft[waba]
			if !left && !slices.Contains(s.WABAs, waba) {
				s.WABAs = append(slices.Clone(s.WABAs), waba)
			}
		}
		return s
	}
	if len(o.WABAIDs) > 0 {
		s.WABAID, s.WABAs = o.WABAIDs[0], slices.Clone(o.WABAIDs)
	}
	s.Cycle++
	s.Stage = StageOnboarded
	s.OnboardedAt = o.OnboardedAt.UTC()
	s.Contacts, s.History = ContactSync{}, HistorySync{}
	s.Placement, s.RefreshedAt = "", time.Time{}
	s.dropBeforeSignup()
	s.markPhoneSeen(o.OnboardedAt)
	return s
}

// dropBeforeSignup forgets what happened before the signup, and keeps what happened after it: a
// host that was down may get the end of a cycle before it records its beginning.
func (s *Number) dropBeforeSignup() {
	s.dropAccountsLeft()
	for _, at := range []*time.Time{&s.OffboardedAt, &s.ReconnectedAt, &s.RemovedAt, &s.LifecycleAt} {
		if !at.After(s.OnboardedAt) {
			*at = time.Time{}
		}
	}
	if s.Disconnection != nil && !s.Disconnection.At.After(s.OnboardedAt) {
		s.Disconnection = nil
	}
	switch {
	case !s.RemovedAt.IsZero():
		s.Stage = StageRemoved
		// The reason was not kept beside that of the cycle before.
		if s.Disconnection == nil || s.Disconnection.Temporary() {
			s.Disconnection = &Disconnection{Event: webhook.AccountPartnerRemoved, At: s.RemovedAt}
		}
	case s.suspended():
		s.Stage = StageOffboarded
		if s.Disconnection == nil {
			s.Disconnection = &Disconnection{Event: webhook.AccountOffboarded, At: s.OffboardedAt}
		}
	default:
		s.Disconnection = nil
	}
}

// dropAccountsLeft forgets the accounts that left before the signup, and takes away those that left
// after it. If all of them did, the number was removed.
func (s *Number) dropAccountsLeft() {
	left := maps.Clone(s.AccountsLeft)
	maps.DeleteFunc(left, func(waba graph.WABAID, at time.Time) bool {
		return !at.After(s.OnboardedAt) || !slices.Contains(s.WABAs, waba)
	})
	s.AccountsLeft = nil
	if len(left) == 0 {
		return
	}
	s.AccountsLeft = left
	if len(left) == len(s.WABAs) {
		s.RemovedAt = later(s.RemovedAt, slices.MaxFunc(slices.Collect(maps.Values(left)), time.Time.Compare))
		return
	}
	s.WABAs = slices.DeleteFunc(slices.Clone(s.WABAs), func(waba graph.WABAID) bool { return !left[waba].IsZero() })
	s.WABAID = s.WABAs[0]
}

// ApplyReading returns the state after the number was read. at is when the reading began.
//
// A reading beats the updates from before it: a number that coexists resumes, even after
// PARTNER_REMOVED, because such an update can be about another number of the account; one that does
// not is suspended. A reading never removes a number, only account updates do, and it begins no
// cycle. A reading that failed is no reading: losing access (code 100, subcode 33) does not mean
// that the number is gone.
func (s Number) ApplyReading(p *cloudapi.Phone, at time.Time) Number {
	if p == nil || at.Before(s.RefreshedAt) {
		return s
	}
	at = at.UTC()
	s.RefreshedAt, s.Placement = at, placementOf(p)
	if p.DisplayPhoneNumber != "" && s.DisplayPhoneNumber == "" {
		s.DisplayPhoneNumber = p.DisplayPhoneNumber
	}
	if s.Placement != PlacementBoth {
		if s.Stage.Connected() {
			s.Stage = StageOffboarded
			s.OffboardedAt = later(s.OffboardedAt, at)
		}
		return s
	}
	switch s.Stage {
	case StageOffboarded:
		if !s.suspended() {
			s.resume()
		}
	case StageRemoved:
		if s.Disconnection == nil || s.Disconnection.At.Before(at) {
			s.resume()
		}
	}
	return s
}

// recordRequest notes that a call for a kind of data is about to be made. It is stored before the
// call, so that no other process makes it too. What arrived before was not an answer to it.
func (s *Number) recordRequest(kind cloudapi.SyncKind, now time.Time) {
	if kind == cloudapi.SyncHistory {
		s.History = HistorySync{}
	}
	*s.sync(kind) = Sync{Status: SyncRequested, RequestedAt: now}
	s.followSyncs()
}

// recordAnswer notes what became of that call. A webhook may have been faster, so the status only
// moves on. A refusal that did not count leaves the kind free to be asked for again.
func (s *Number) recordAnswer(kind cloudapi.SyncKind, requestID string, err error, now time.Time) {
	sync := s.sync(kind)
	defer s.followSyncs()
	if err == nil {
		sync.RequestID, sync.AcceptedAt = requestID, now
		sync.advance(SyncAccepted)
		return
	}
	status, _ := syncOutcome(err)
	if status == SyncNone {
		if sync.Status == SyncRequested {
			*sync = Sync{}
		}
		return
	}
	if sync.advance(status) && status != SyncUnknown {
		if e, ok := errors.AsType[*cloudapi.Error](err); ok {
			sync.Code = syncCode(e)
		}
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

// resume takes a number back to work after a suspension or a removal.
func (s *Number) resume() {
	s.Disconnection = nil
	s.Stage = s.workingStage()
}

// followSyncs moves a working number along with its syncs. Suspended and removed numbers stay what
// they are: a chunk that was on its way proves nothing.
func (s *Number) followSyncs() {
	if s.Stage.Connected() {
		s.Stage = s.workingStage()
	}
}

// workingStage returns the stage of a number that works. History decides, because it takes longest;
// contacts alone leave the number syncing, since the history may still be asked for.
func (s *Number) workingStage() Stage {
	switch {
	case s.History.Status.Outstanding():
		return StageSyncing
	case s.History.Status != SyncNone:
		return StageActive
	case s.Contacts.Status != SyncNone:
		return StageSyncing
	}
	return StageOnboarded
}

// markPhoneSeen notes that the phone was in use. It keeps hours, so that a busy phone does not
// rewrite the state with every message.
func (s *Number) markPhoneSeen(at time.Time) {
	if !at.IsZero() {
		s.PhoneSeenAt = later(s.PhoneSeenAt, at.UTC().Truncate(time.Hour))
	}
}

// locate takes from an event the ids of a number of which they are not known yet. What signup
// reported is never overwritten.
func (s *Number) locate(info webhook.EventInfo) {
	if s.PhoneNumberID == "" {
		s.PhoneNumberID = info.PhoneNumberID
	}
	if s.DisplayPhoneNumber == "" {
		s.DisplayPhoneNumber = info.DisplayPhoneNumber
	}
	if s.WABAID == "" {
		s.WABAID = info.WABAID
	}
}

// later returns the later of two times. The zero time is the earliest.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
