package coexistence

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// A Presence is where a number lives, as read from the number itself.
type Presence string

const (
	PresenceUnknown Presence = ""         // not read yet
	PresenceBoth    Presence = "both"     // in the app and on Cloud API: it coexists
	PresenceAPI     Presence = "api only" // on Cloud API only: the silent fallback, or the phone left
	PresenceApp     Presence = "app only" // in the app only: not finished, or suspended
	PresenceNowhere Presence = "nowhere"  // on neither
)

// presenceOf reads p's is_on_biz_app and platform_type.
func presenceOf(p *cloudapi.Phone) Presence {
	onAPI := p.PlatformType == cloudapi.PlatformCloudAPI
	switch {
	case p.IsOnBizApp && onAPI:
		return PresenceBoth
	case onAPI:
		return PresenceAPI
	case p.IsOnBizApp:
		return PresenceApp
	}
	return PresenceNowhere
}

// Confirm returns the state after the number was read. at is when the reading began.
//
// A reading beats the updates from before it: a number that coexists resumes, even after PARTNER_REMOVED, because such an
// update can be about another number of the account; one that does not is suspended. Confirm never removes a number, only
// account updates do, and it begins no cycle. A reading that failed is no reading: losing access (code 100, subcode 33) does not
// mean that the number is gone.
func (s State) Confirm(p *cloudapi.Phone, at time.Time) State {
	if p == nil || at.Before(s.ConfirmedAt) {
		return s
	}
	at = at.UTC()
	s.ConfirmedAt, s.Presence = at, presenceOf(p)
	if p.DisplayPhoneNumber != "" && s.DisplayPhone == "" {
		s.DisplayPhone = p.DisplayPhoneNumber
	}
	if s.Presence != PresenceBoth {
		if s.Stage.Live() {
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
		if s.Ending == nil || s.Ending.At.Before(at) {
			s.resume()
		}
	}
	return s
}
