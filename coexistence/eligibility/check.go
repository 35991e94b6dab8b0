package eligibility

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Check compares a candidate with a policy. It finds every reason at once, in the order number,
// country, app, version, account. It is a pure function and safe for concurrent use.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
func Check(c Candidate, p Policy) Result {
	k := checker{policy: p}
	if p.NotLaunched {
		k.refuse(ReasonNotOffered,
			"The WhatsApp Business app and Cloud API cannot be used with one number at once.",
			"Wait until Meta offers it, or use a separate number for Cloud API.")
	}
	number := parsePhone(c.PhoneNumber, c.Region)
	k.result.PhoneNumber, k.result.Region = number.e164, number.region
	k.checkPhone(number)
	k.checkCountry(number)
	k.checkApp(c.App)
	k.checkVersion(c.AppVersion)
	k.checkAccount(c.AccountActive)
	k.checkVerified(c.PhoneVerified)
	k.result.Notes = notes(c, number)
	switch {
	case len(k.result.Reasons) > 0:
		k.result.Decision = DecisionRefused
	case len(k.result.Questions) > 0:
		k.result.Decision = DecisionOpen
	default:
		k.result.Decision = DecisionEligible
	}
	return k.result
}

type checker struct {
	policy Policy
	result Result
}

func (k *checker) reason(code ReasonCode, text, remedy string) Reason {
	return Reason{
		Code: code, Text: text, Remedy: remedy,
		Policy: k.policy.Name, Since: k.policy.Since, Source: k.policy.Source,
	}
}

func (k *checker) refuse(code ReasonCode, text, remedy string) {
	k.result.Reasons = append(k.result.Reasons, k.reason(code, text, remedy))
}

func (k *checker) ask(code ReasonCode, text, remedy string) {
	k.result.Questions = append(k.result.Questions, k.reason(code, text, remedy))
}

func (k *checker) checkPhone(n number) {
	const form = "Enter it with a plus sign and the country code, such as +1 555 010 0123."
	switch n.problem {
	case ReasonPhoneInvalid:
		k.refuse(n.problem, "This is not a complete phone number.", form)
	case QuestionPhone:
		k.ask(n.problem, "The phone number is missing.", form)
	case QuestionPhoneCountry:
		k.ask(n.problem, "The phone number has no country code.", form)
	}
}

// checkCountry refuses a country that the policy excludes or that is under sanctions, which can be
// both. Where the number does not tell its country, it asks, if one of those that share the calling
// code is excluded. If Meta has lifted a restriction since the policy's date, the result says when,
// so that the business can come back.
func (k *checker) checkCountry(n number) {
	if n.region == "" {
		excluded := func(region string) bool {
			return slices.Contains(k.policy.Unsupported, region) || slices.Contains(k.policy.Sanctioned, region)
		}
		if slices.ContainsFunc(n.sharing, excluded) {
			k.ask(QuestionCountry, "Several countries share the number's country code, and not all of them are "+
				"supported.",
				"Check the number, or say which country it belongs to.")
		}
		return
	}
	if slices.Contains(k.policy.Unsupported, n.region) {
		r := k.reason(ReasonCountry,
			"Numbers from "+country(n.region)+" cannot be used with the WhatsApp Business app and Cloud API at once.",
			"Use a number of another country, or use this one for Cloud API alone.")
		if r.LiftedAt = k.policy.lifted(n.region); !r.LiftedAt.IsZero() {
			r.Remedy += " Meta has lifted this restriction on " + r.LiftedAt.Format(time.DateOnly) +
				": ask your provider to check against the current rules."
		}
		k.result.Reasons = append(k.result.Reasons, r)
	}
	if slices.Contains(k.policy.Sanctioned, n.region) {
		r := k.reason(ReasonSanctions, "The WhatsApp Business Platform is not available in "+country(n.region)+".",
			"Only a business in another country, with a number from there, can use it.")
		r.Source = "sanctions that hold for the whole WhatsApp Business Platform"
		k.result.Reasons = append(k.result.Reasons, r)
	}
}

// country is the name with the calling code, or the letters for a country that only a host's own
// policy knows.
func country(region string) string {
	name := countryNames[region]
	if name == "" {
		name = region
	}
	if code := callingCode(region); code != 0 {
		return fmt.Sprintf("%s (+%d)", name, code)
	}
	return name
}

func (k *checker) checkApp(app App) {
	if !k.policy.RequireBusinessApp {
		return
	}
	switch app {
	case AppBusiness:
	case AppConsumer:
		k.refuse(ReasonConsumerApp, "The number is used in WhatsApp Messenger, the app for private use.",
			"Install the WhatsApp Business app on the phone and move the number to it.")
	default:
		k.ask(QuestionApp, "It is not known in which app the number is used.",
			"Confirm that the number is used in the WhatsApp Business app.")
	}
}

func (k *checker) checkVersion(shown string) {
	v := parseVersion(shown)
	if v != nil {
		k.result.AppVersion = v.String()
	}
	if strings.TrimSpace(k.policy.MinAppVersion) == "" {
		return
	}
	oldest := parseVersion(k.policy.MinAppVersion)
	switch {
	case v == nil || oldest == nil || v.isPrefixOf(oldest):
		k.ask(QuestionAppVersion, "The version of the WhatsApp Business app is not known.",
			"Open the app's settings, choose Help and then App info, and enter the whole version, such as 2.24.17.79.")
	case v.lessThan(oldest):
		k.refuse(ReasonAppVersion,
			fmt.Sprintf("The WhatsApp Business app has version %s; version %s or newer is needed.", v, oldest),
			"Update the WhatsApp Business app on the phone, then check again.")
	}
}

func (k *checker) checkAccount(active Answer) {
	if !k.policy.RequireActiveAccount {
		return
	}
	switch active {
	case Yes:
	case No:
		k.refuse(ReasonAccountInactive, "The WhatsApp Business account is not active.",
			"Open the WhatsApp Business app and follow what it shows; if the account is banned, ask for a review "+
				"there.")
	default:
		k.ask(QuestionAccountActive, "It is not known whether the WhatsApp Business account is active.",
			"Open the WhatsApp Business app, send a message, and confirm that it works.")
	}
}

func (k *checker) checkVerified(verified Answer) {
	if !k.policy.RequireVerifiedPhone {
		return
	}
	switch verified {
	case Yes:
	case No:
		k.refuse(ReasonPhoneNotVerified, "The phone number is not verified.",
			"Open the WhatsApp Business app and verify the number with the code that WhatsApp sends.")
	default:
		k.ask(QuestionPhoneVerified, "It is not known whether the phone number is verified.",
			"Open the WhatsApp Business app and confirm that it does not ask to verify the number.")
	}
}
