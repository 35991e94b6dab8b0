package eligibility

import "time"

// A Result is the answer of [Check].
type Result struct {
	// Decision sums the result up.
	Decision Decision

	// Reasons are all that speak against the number, not just the first: at least one if it is
	// refused.
	Reasons []Reason

	// Questions are requirements that cannot be checked, because a fact is missing or cannot be
	// read. A refused number may have some too: their answers cannot make it eligible.
	Questions []Reason

	// Notes are worth knowing and decide nothing.
	Notes []Note

	// PhoneNumber is the number in E.164, with the digits as they were given: a Mexican 521… stays
	// one. Empty if it cannot be read, or if reading it again would make another number of it.
	PhoneNumber string

	// Region is the country of the number, two letters by ISO 3166-1. Empty if it cannot be told.
	Region string

	// AppVersion is the version of the app in bare numbers, such as "2.24.17.79". Empty if it
	// cannot be read.
	AppVersion string
}

// A Decision is the verdict of a [Result]. The zero value is none: no result of [Check] has it.
type Decision string

// The decisions.
const (
	DecisionEligible Decision = "eligible" // every requirement is known to be met
	DecisionRefused  Decision = "refused"  // some requirement is known not to be met
	DecisionOpen     Decision = "open"     // no requirement is known not to be met, but some question has no answer yet
)

// A Reason speaks against a number or, among the questions, keeps it from being checked. Text and
// Remedy are English sentences for the business; for other languages and for code there is Code.
type Reason struct {
	// Code names the reason. It is stable.
	Code ReasonCode

	// Text describes the problem, and Remedy what the business can do.
	Text, Remedy string

	// Policy and Since are the name and first day of the policy that asks for it, and Source is
	// where that is written: a page of Meta's, or a few words where there is none.
	Policy string
	Since  time.Time
	Source string

	// LiftedAt is the day on which Meta dropped the requirement, for a policy that is older. Zero
	// if it did not.
	LiftedAt time.Time
}

// String returns text, remedy and policy in one line.
func (r Reason) String() string {
	s := r.Text + " " + r.Remedy
	if r.Policy != "" {
		s += " (" + r.Policy + ")"
	}
	return s
}

// A ReasonCode names a reason or a question.
type ReasonCode string

// Reasons.
const (
	ReasonNotOffered       ReasonCode = "not_offered"        // coexistence was not there yet
	ReasonPhoneInvalid     ReasonCode = "phone_invalid"      // no phone number can look like this
	ReasonCountry          ReasonCode = "country"            // the policy excludes the country
	ReasonSanctions        ReasonCode = "sanctions"          // the whole platform excludes the country
	ReasonConsumerApp      ReasonCode = "consumer_app"       // the number is used in the other app
	ReasonAppVersion       ReasonCode = "app_version"        // the app is too old
	ReasonAccountInactive  ReasonCode = "account_inactive"   // the account does not work
	ReasonPhoneNotVerified ReasonCode = "phone_not_verified" // the number is not verified
)

// Questions.
const (
	QuestionPhone         ReasonCode = "phone_unknown"          // there is no number
	QuestionPhoneCountry  ReasonCode = "phone_country_unknown"  // a national number without a country
	QuestionCountry       ReasonCode = "country_unknown"        // several countries share the calling code
	QuestionApp           ReasonCode = "app_unknown"            // which app is not known
	QuestionAppVersion    ReasonCode = "app_version_unknown"    // the version is missing, incomplete or no version
	QuestionAccountActive ReasonCode = "account_active_unknown" // whether the account works is not known
	QuestionPhoneVerified ReasonCode = "phone_verified_unknown" // whether the number is verified is not known
)

// A Note is advice that decides nothing. Much of it comes from partners' experience and not from
// Meta, and says so.
type Note struct {
	// Code names the note. It is stable.
	Code NoteCode

	// Text is for the business: English sentences.
	Text string
}

// A NoteCode names a note.
type NoteCode string

// Notes.
const (
	NoteActivity        NoteCode = "activity"         // Meta may ask for more use of the app
	NoteNewNumber       NoteCode = "new_number"       // partners report about 7 days of use
	NoteOnCloudAPI      NoteCode = "on_cloud_api"     // a number on Cloud API cannot be switched directly
	NoteFormerPartner   NoteCode = "former_partner"   // a number that another partner connected is disconnected first
	NoteCreditLine      NoteCode = "credit_line"      // a former partner's credit line stands in the way
	NotePaymentMethod   NoteCode = "payment_method"   // sending through Cloud API needs a payment method
	NoteBadge           NoteCode = "badge"            // a badge may be lost
	NoteUnusualNumber   NoteCode = "unusual_number"   // the numbering plan does not know the number
	NoteSanctionedAreas NoteCode = "sanctioned_areas" // Crimea, Donetsk, Luhansk
)
