package coexistence

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// sameSignup is how far apart two reports of one and the same signup may be dated. No business
// disconnects a number and signs up again within a minute.
const sameSignup = time.Minute

// Onboard returns the state after a signup. A signup that was not known yet begins a new cycle with
// fresh syncs, also if the end of the cycle before was not reported. What is known to have happened
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
			if !slices.Contains(s.WABAs, waba) {
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
	s.overtaken()
	s.sign(o.OnboardedAt)
	return s
}

// overtaken forgets what happened before the signup, and keeps what happened after it: a host that
// was down may hear of the end of a cycle before it gets to say that the cycle began.
func (s *Number) overtaken() {
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
