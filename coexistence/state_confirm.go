package coexistence

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// A Placement is where a number lives, as read from the number itself.
type Placement string

const (
	PlacementUnknown Placement = ""         // not read yet
	PlacementBoth    Placement = "both"     // in the app and on Cloud API: it coexists
	PlacementAPI     Placement = "api only" // on Cloud API only: the silent fallback, or the phone left
	PlacementApp     Placement = "app only" // in the app only: not finished, or suspended
	PlacementNone    Placement = "nowhere"  // on neither
)

// presenceOf reads p's is_on_biz_app and platform_type.
func presenceOf(p *cloudapi.Phone) Placement {
	onAPI := p.PlatformType == cloudapi.PlatformCloudAPI
	switch {
	case p.IsOnBizApp && onAPI:
		return PlacementBoth
	case onAPI:
		return PlacementAPI
	case p.IsOnBizApp:
		return PlacementApp
	}
	return PlacementNone
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
	s.RefreshedAt, s.Placement = at, presenceOf(p)
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
