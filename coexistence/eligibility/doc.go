// Package eligibility checks whether a phone number is eligible for WhatsApp coexistence: the
// WhatsApp Business app and Cloud API at once.
//
//	result := eligibility.Check(eligibility.Candidate{
//		PhoneNumber:   "+1 555 010 0123",
//		App:           eligibility.AppBusiness,
//		AppVersion:    "2.24.17.79",
//		AccountActive: eligibility.Yes,
//		PhoneVerified: eligibility.Yes,
//	}, eligibility.DefaultPolicy)
//	if result.Decision == eligibility.DecisionRefused {
//		for _, reason := range result.Reasons {
//			fmt.Println(reason.Text, reason.Remedy)
//		}
//	}
//
// # What the answer is worth
//
// Meta has no call that tells beforehand whether a number is eligible, and decides by itself when
// the business goes through Embedded Signup, also by how much the app was used. Check spares
// businesses the attempts that must fail. The only proof is a number that reads as is_on_biz_app
// afterwards.
//
// # Which rules
//
// Rules change, so they are data with a date. [DefaultPolicy] is what this package promises to
// check: app version 2.24.17 or newer, numbers from Nigeria and South Africa not supported, an
// active account with a verified number. Meta lifted the exclusion of the two countries on
// 2026-04-15; to follow Meta, check against [PolicyAsOf] of today. A refusal names the policy it
// comes from and, where there is one, the day on which Meta lifted it.
//
// # Unknown facts
//
// What the business was not asked is neither yes nor no. It stands in [Result.Questions], and a
// number with questions and without reasons is neither eligible nor refused: [DecisionOpen].
//
// # On the signup page
//
// [PageCheck] puts a policy before Embedded Signup: the page of package signup asks for the number
// and the version of the app, and shows what speaks against them, in the language of the browser.
//
// The package links the phone numbering plans of the world, several megabytes; that is why signup
// does not know it.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/connect.md
package eligibility
