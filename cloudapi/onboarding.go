package cloudapi

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An Onboarding tells that a business finished Embedded Signup for a number. Package signup fills
// it, and the Tracker of package coexistence takes it. A host that runs a signup of its own fills
// it in itself.
type Onboarding struct {
	// PhoneNumberID is the number's id. Required.
	PhoneNumberID graph.PhoneNumberID

	// WABAIDs are all accounts that hold the number, the one that signup named first. At least one
	// is required: webhooks may come from any of them.
	WABAIDs []graph.WABAID

	// DisplayPhoneNumber is the number as Meta writes it, for people.
	DisplayPhoneNumber string

	// OnboardedAt is when the popup reported the end of signup: contacts and history can be
	// requested for 24 hours from then on. Pass the same time again when you repeat a call; a time
	// that is later by more than a minute means another signup, and with it new syncs.
	OnboardedAt time.Time
}
