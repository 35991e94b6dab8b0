package coexistence

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// sameSignup is how far apart two reports of one and the same signup may be dated. Nobody disconnects a number and signs up
// again within a minute.
const sameSignup = time.Minute

// An Onboarding tells that a business finished signup for a number.
type Onboarding struct {
	// Phone and at least one of WABAs are required. WABAs are all accounts that hold the number, the one that signup named
	// first.
	Phone graph.PhoneNumberID
	WABAs []graph.WABAID

	// DisplayPhone is the number as Meta writes it.
	DisplayPhone string

	// OnboardedAt is when the popup reported the end of signup. Pass the same time again when you repeat a call; a time that
	// is later by more than a minute means another signup, and with it new syncs.
	OnboardedAt time.Time
}

// Onboard returns the state after a signup. A signup that was not known yet begins a new cycle with fresh syncs, also if nobody
// heard of the end of the cycle before. What is known to have happened after that signup, such as a disconnection, holds. A
// repeat of a known one, or the news of an earlier one, only refreshes what it names.
func (s State) Onboard(o Onboarding) State {
	if o.Phone != "" {
		s.Phone = o.Phone
	}
	if o.DisplayPhone != "" {
		s.DisplayPhone = o.DisplayPhone
	}
	again := s.Cycle > 0 && !o.OnboardedAt.After(s.OnboardedAt.Add(sameSignup))
	if again {
		for _, waba := range o.WABAs {
			if !slices.Contains(s.WABAs, waba) {
				s.WABAs = append(slices.Clone(s.WABAs), waba)
			}
		}
		return s
	}
	if len(o.WABAs) > 0 {
		s.WABA, s.WABAs = o.WABAs[0], slices.Clone(o.WABAs)
	}
	s.Cycle++
	s.Stage = StageOnboarded
	s.OnboardedAt = o.OnboardedAt.UTC()
	s.Contacts, s.History = ContactSync{}, HistorySync{}
	s.Presence, s.ConfirmedAt = "", time.Time{}
	s.overtaken()
	s.sign(o.OnboardedAt)
	return s
}

// overtaken forgets what happened before the signup, and keeps what happened after it: a host that was down may hear of the end of
// a cycle before it gets to say that the cycle began.
func (s *State) overtaken() {
	for _, at := range []*time.Time{&s.OffboardedAt, &s.ReconnectedAt, &s.RemovedAt, &s.LifecycleAt} {
		if !at.After(s.OnboardedAt) {
			*at = time.Time{}
		}
	}
	if s.Ending != nil && !s.Ending.At.After(s.OnboardedAt) {
		s.Ending = nil
	}
	switch {
	case !s.RemovedAt.IsZero():
		s.Stage = StageRemoved
		if s.Ending == nil || s.Ending.Temporary() { // the reason was not kept beside that of the cycle before
			s.Ending = &Ending{Event: webhook.AccountPartnerRemoved, At: s.RemovedAt}
		}
	case s.suspended():
		s.Stage = StageOffboarded
		if s.Ending == nil {
			s.Ending = &Ending{Event: webhook.AccountOffboarded, At: s.OffboardedAt}
		}
	default:
		s.Ending = nil
	}
}
