package coexistence

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"

// A Stage is a stage in the life of a coexistence number.
type Stage string

const (
	StageNone       Stage = ""           // not onboarded, as far as known here
	StageOnboarded  Stage = "onboarded"  // signed up; contacts and history were not asked for yet
	StageSyncing    Stage = "syncing"    // they were asked for and are arriving, or expected
	StageActive     Stage = "active"     // both sides work, nothing is outstanding
	StageOffboarded Stage = "offboarded" // suspended for a while: a new phone, a reinstalled app
	StageRemoved    Stage = "removed"    // disconnected for good; only a new signup brings it back
)

// Connected reports whether both sides of the number work: customers' messages and the app's echoes
// arrive, and Cloud API sends.
func (s Stage) Connected() bool {
	return s == StageOnboarded || s == StageSyncing || s == StageActive
}

// Advice returns what the host does for a number in this stage, for developers and not for the
// business.
func (s Stage) Advice() string {
	switch s {
	case StageNone:
		return "take the business through Embedded Signup, then call Tracker.Onboard"
	case StageOnboarded:
		return "request contacts and history now (Tracker.RequestSync, or Tracker.Run): they can be requested once, " +
			"and only during the first 24 hours"
	case StageSyncing:
		return "show the progress, ask the business to keep the app open, treat nothing that is imported as new"
	case StageActive:
		return "nothing outstanding; keep quiet in conversations in which a person answers from the phone"
	case StageOffboarded:
		return "pause sending and keep the token, the subscription and all data: the number is expected back within " +
			"minutes, " +
			"once the business finishes on its phone; read the number (Tracker.Refresh) if it stays away"
	case StageRemoved:
		return "stop sending, tell the business why and what helps (Number.Remedy), and offer Embedded Signup again; " +
			"conversations stay yours to keep or delete"
	}
	return "a stage this version does not know; read the number (Tracker.Refresh)"
}

// A Placement is the place of a number: the app, Cloud API or both, as read from Meta.
type Placement string

const (
	PlacementUnknown Placement = ""         // not read yet
	PlacementBoth    Placement = "both"     // in the app and on Cloud API: it coexists
	PlacementAPI     Placement = "api only" // on Cloud API only: the silent fallback, or the phone left
	PlacementApp     Placement = "app only" // in the app only: not finished, or suspended
	PlacementNone    Placement = "nowhere"  // on neither
)

// placementOf reads p's is_on_biz_app and platform_type.
func placementOf(p *cloudapi.Phone) Placement {
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
