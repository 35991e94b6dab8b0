package eligibility

import (
	"context"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// PageCheck returns the check that the page of package signup makes before Meta's popup opens. The
// policy is the one that holds at the time of the check:
//
//	Check: eligibility.PageCheck(eligibility.PolicyAsOf),
//
// The page asks for the number and the version of the app. The rest counts as met: that the number
// is verified, is used in the WhatsApp Business app and works there is what the business comes
// with, and Meta finds out. The page lets the business go on if the number is eligible, and else
// shows reasons and questions alike with what to do about each.
func PageCheck(policy func(time.Time) Policy) signup.CheckFunc {
	return func(_ context.Context, _ string, asked signup.CheckParams) (signup.CheckResult, error) {
		r := Check(Candidate{
			PhoneNumber: asked.PhoneNumber, AppVersion: asked.AppVersion,
			App: AppBusiness, AccountActive: Yes, PhoneVerified: Yes,
		}, policy(time.Now()))
		result := signup.CheckResult{Eligible: r.Decision == DecisionEligible}
		for _, reason := range slices.Concat(r.Reasons, r.Questions) {
			result.Reasons = append(result.Reasons, signup.CheckReason{Text: reason.Text, Remedy: reason.Remedy})
		}
		for _, note := range r.Notes {
			result.Notes = append(result.Notes, note.Text)
		}
		return result, nil
	}
}
