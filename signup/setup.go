package signup

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Setup fills in screens of the popup before the business sees them. Every member is optional.
// Under v3 and v4 it skips no screen, and the business can change all of it: believe nothing
// because you wrote it here.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/pre-filled-data
type Setup struct {
	// Business describes the portfolio, existing or new.
	Business *SetupBusiness `json:"business,omitzero"`

	// PreVerifiedPhone offers a number that you have verified, which does not live in the WhatsApp
	// Business app. Not for coexistence.
	PreVerifiedPhone *SetupPhoneList `json:"preVerifiedPhone,omitzero"`

	// Phone is the profile of a new number.
	Phone *SetupPhone `json:"phone,omitzero"`

	// WABA names accounts to choose from, together with PreVerifiedPhone only.
	WABA *SetupWABAList `json:"whatsAppBusinessAccount,omitzero"`

	// SolutionID is the Multi-Partner Solution to onboard into. Choose it per business: it cannot
	// be undone here.
	SolutionID string `json:"solutionID,omitzero"`
}

// A SetupBusiness describes the portfolio. With an ID that the business owns, Meta ignores the
// other members. Without, a new portfolio needs Name, Email, Website and the Address's Country.
type SetupBusiness struct {
	ID       graph.BusinessID    `json:"id,omitzero"`       // of a portfolio that the business has
	Name     string              `json:"name,omitzero"`     // at most 100 characters; also the name of the new account
	Email    string              `json:"email,omitzero"`    // such as "owner@example.com"
	Website  string              `json:"website,omitzero"`  // with http or https
	Address  *SetupAddress       `json:"address,omitzero"`  // of which Meta demands the Country
	Phone    *SetupBusinessPhone `json:"phone,omitzero"`    // to reach the business; not the number to connect
	Timezone string              `json:"timezone,omitzero"` // such as "UTC-07:00"
}

// A SetupAddress is the address of the business. All of it is optional but the Country of a new
// portfolio.
type SetupAddress struct {
	StreetAddress1 string `json:"streetAddress1,omitzero"` // street and number
	StreetAddress2 string `json:"streetAddress2,omitzero"` // such as a floor
	City           string `json:"city,omitzero"`
	State          string `json:"state,omitzero"`     // or province
	ZIPPostal      string `json:"zipPostal,omitzero"` // the postal code
	Country        string `json:"country,omitzero"`   // two capital letters, ISO 3166-1
}

// A SetupBusinessPhone is a number at which to reach the business. It is not the number to connect.
type SetupBusinessPhone struct {
	Code   int    `json:"code"`   // calling code, such as 1
	Number string `json:"number"` // without the calling code
}

// A SetupPhoneList names numbers that the partner verified in the last 90 days. Only the first is
// shown.
type SetupPhoneList struct {
	IDs []graph.PhoneNumberID `json:"ids"` // at least one
}

// A SetupPhone is the profile of a new number. All three members are required.
type SetupPhone struct {
	DisplayName string `json:"displayName"` // under which customers see it, once Meta has approved it
	Category    string `json:"category"`    // a vertical of the business profile, such as "APPAREL"
	Description string `json:"description"` // at most 512 characters
}

// A SetupWABAList names WhatsApp Business Accounts.
type SetupWABAList struct {
	IDs []graph.WABAID `json:"ids"` // at least one
}

// What Meta's page says of the members, and no more: a form that is refused here but works there
// would cost a signup.
var (
	emailRe    = regexp.MustCompile(`^[^ <>,;]+@[^ <>,;@]+$`)
	countryRe  = regexp.MustCompile(`^[A-Z]{2}$`)
	timezoneRe = regexp.MustCompile(`^UTC([+-][0-9]{2}:[0-9]{2})?$`)
	digitsRe   = regexp.MustCompile(`^[0-9 ()-]+$`)
)

// validate returns every mistake, of the parts as well.
func (s Setup) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("signup: Setup."+format, args...))
	}
	if s.Business != nil {
		errs = append(errs, s.Business.validate())
	}
	if l := s.PreVerifiedPhone; l != nil && (len(l.IDs) == 0 || slices.ContainsFunc(l.IDs, notID)) {
		bad("PreVerifiedPhone.IDs needs ids of digits")
	}
	if p := s.Phone; p != nil {
		if p.DisplayName == "" || p.Category == "" || p.Description == "" {
			bad("Phone needs DisplayName, Category and Description together")
		}
		if utf8.RuneCountInString(p.Description) > 512 {
			bad("Phone.Description is longer than 512 characters")
		}
	}
	if l := s.WABA; l != nil {
		if len(l.IDs) == 0 || slices.ContainsFunc(l.IDs, notID) {
			bad("WABA.IDs needs ids of digits")
		}
		if s.PreVerifiedPhone == nil {
			bad("WABA works only together with PreVerifiedPhone")
		}
	}
	if s.SolutionID != "" && !isID(s.SolutionID) {
		bad("SolutionID is not an id of digits")
	}
	return errors.Join(errs...)
}

// validate returns every mistake: an id that is none, or what a new portfolio lacks, and then what
// does not look like what it should be.
func (b *SetupBusiness) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("signup: Setup.Business."+format, args...))
	}
	if b.ID != "" && !isID(b.ID) {
		bad("ID is not an id of digits")
	}
	if missing := b.missing(); b.ID == "" && missing != nil {
		bad("%s must be set for a new portfolio, or ID for an existing one", strings.Join(missing, ", "))
	}
	if utf8.RuneCountInString(b.Name) > 100 {
		bad("Name is longer than 100 characters")
	}
	if b.Email != "" && !emailRe.MatchString(b.Email) {
		bad("Email is not an address such as owner@example.com")
	}
	if b.Website != "" && !isWebsite(b.Website) {
		bad("Website is not an address such as https://example.com")
	}
	if country := b.country(); country != "" && !countryRe.MatchString(country) {
		bad("Address.Country is not two capital letters of ISO 3166-1")
	}
	if b.Phone != nil && (b.Phone.Code < 1 || b.Phone.Code > 999 || !digitsRe.MatchString(b.Phone.Number)) {
		bad("Phone needs a calling code without + in Code and the rest in Number")
	}
	if b.Timezone != "" && !timezoneRe.MatchString(b.Timezone) {
		bad(`Timezone does not look like "UTC-07:00"`)
	}
	return errors.Join(errs...)
}

// missing lists what is empty of the members that a new portfolio must have.
func (b *SetupBusiness) missing() []string {
	var missing []string
	for _, m := range []struct{ name, value string }{
		{"Name", b.Name}, {"Email", b.Email}, {"Website", b.Website}, {"Address.Country", b.country()},
	} {
		if m.value == "" {
			missing = append(missing, m.name)
		}
	}
	return missing
}

func (b *SetupBusiness) country() string {
	if b.Address == nil {
		return ""
	}
	return b.Address.Country
}

func isWebsite(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func notID[T ~string](id T) bool { return !isID(id) }
