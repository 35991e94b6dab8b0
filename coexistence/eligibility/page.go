package eligibility

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// PageCheck returns the check that the page of package signup makes before Meta's popup opens. The
// policy is the one that holds at the time of the check:
//
//	policy, err := eligibility.ParsePolicy(setting) // DefaultPolicy if it is empty
//	…
//	Check: eligibility.PageCheck(policy),
//
// The page asks for the number, for what the app shows and for its version. A host's own page that
// does not ask what the app shows leaves that to Meta: the number counts as verified and in use in
// the WhatsApp Business app. The page lets the business go on if the number is eligible, and else
// shows reasons and questions alike with what to do about each, in the languages that it has.
func PageCheck(policy func(time.Time) Policy) signup.CheckFunc {
	return func(_ context.Context, _ string, asked signup.CheckParams) (signup.CheckResult, error) {
		p := policy(time.Now())
		r := Check(candidate(asked), p)
		result := signup.CheckResult{Eligible: r.Decision == DecisionEligible}
		for _, reason := range slices.Concat(r.Reasons, r.Questions) {
			result.Reasons = append(result.Reasons, signup.CheckReason{
				Text: reason.Text, Remedy: reason.Remedy, Code: string(reason.Code), Params: params(r, reason, p),
			})
		}
		for _, note := range r.Notes {
			result.Notes = append(result.Notes, signup.CheckNote{Text: note.Text, Code: string(note.Code)})
		}
		return result, nil
	}
}

// candidate is a number with what the business sees in its app.
func candidate(asked signup.CheckParams) Candidate {
	c := Candidate{
		PhoneNumber: asked.PhoneNumber, AppVersion: asked.AppVersion,
		App: AppBusiness, AccountActive: Yes, PhoneVerified: Yes,
	}
	switch asked.AppState {
	case signup.AppMessenger:
		c.App = AppConsumer
	case signup.AppUnverified:
		c.PhoneVerified = No
	case signup.AppInactive:
		c.AccountActive = No
	}
	return c
}

// params are what the texts of a reason name, for a page that words it in another language.
func params(r Result, reason Reason, p Policy) map[string]string {
	switch reason.Code {
	case ReasonCountry, ReasonSanctions:
		all := map[string]string{"country": r.Region, "calling_code": fmt.Sprintf("+%d", callingCode(r.Region))}
		if !reason.LiftedAt.IsZero() {
			all["date"] = reason.LiftedAt.Format(time.DateOnly)
		}
		return all
	case ReasonAppVersion:
		return map[string]string{"version": r.AppVersion, "min_version": parseVersion(p.MinAppVersion).String()}
	default:
		return nil
	}
}
