package eligibility

import "time"

// A Candidate describes a number that wants to use coexistence. The zero value knows nothing.
type Candidate struct {
	// PhoneNumber is the number as the business writes it: in international form with a plus sign,
	// in E.164, or in national form together with Region. Digits without a plus sign, as in a
	// wa_id, count as national: put the plus sign before.
	PhoneNumber string

	// Region is the country of a number in national form: two letters by ISO 3166-1, such as "BR".
	// It also decides between countries that share a calling code where the number does not tell,
	// and stands in while there is no number.
	Region string

	// App is the app in which the number is used.
	App App

	// AppVersion is the version as the app shows it: "2.24.17", "2.24.17.79", "Version 2.24.17.79
	// beta".
	AppVersion string

	// AccountActive tells whether the WhatsApp account works: not banned, not deleted, in use on a
	// phone.
	AccountActive Answer

	// PhoneVerified tells whether the number was verified in the app, by the code that WhatsApp
	// sent to it.
	PhoneVerified Answer

	// UsedFor is how long the number has been used in the WhatsApp Business app. If zero, it is not
	// known. Like the three facts below it decides nothing: it leaves out a note that does not
	// apply.
	UsedFor time.Duration

	// OnCloudAPI tells whether the number is on Cloud API already, with this or another partner. It
	// decides nothing.
	OnCloudAPI Answer

	// FormerPartner tells whether the number is or was connected through another partner of Meta's,
	// as a provider of WhatsApp software is one. It decides nothing.
	FormerPartner Answer

	// HasBadge tells whether the number has an Official Business Account or a paid Meta Verified
	// badge. It decides nothing.
	HasBadge Answer
}

// An Answer is yes, no, or not known, which is the zero value. Any other text counts as not known.
type Answer string

// The answers.
const (
	Unknown Answer = ""
	Yes     Answer = "yes"
	No      Answer = "no"
)

// An App is the app in which a number is used. Any other text counts as not known.
type App string

// The apps.
const (
	AppUnknown  App = ""         // not asked
	AppBusiness App = "business" // WhatsApp Business
	AppConsumer App = "consumer" // WhatsApp Messenger, for private use
)
