package eligibility_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func ExampleCheck() {
	result := eligibility.Check(eligibility.Candidate{
		PhoneNumber:   "0803 000 0123",
		Region:        "NG",
		App:           eligibility.AppBusiness,
		AppVersion:    "2.24.16.80 beta",
		AccountActive: eligibility.Yes,
	}, eligibility.DefaultPolicy)

	fmt.Println(result.Decision)
	for _, r := range result.Reasons {
		fmt.Println("-", r.Text)
	}
	for _, q := range result.Questions {
		fmt.Println("?", q.Text)
	}
	// Output:
	// refused
	// - Numbers from Nigeria (+234) cannot be used with the WhatsApp Business app and Cloud API at once.
	// - The WhatsApp Business app has version 2.24.16.80; version 2.24.17 or newer is needed.
	// ? It is not known whether the phone number is verified.
}

func ExamplePolicyAsOf() {
	nigerian := eligibility.Candidate{
		PhoneNumber:   "+234 803 000 0123",
		App:           eligibility.AppBusiness,
		AppVersion:    "2.24.17.79",
		AccountActive: eligibility.Yes,
		PhoneVerified: eligibility.Yes,
	}
	for _, at := range []time.Time{
		time.Date(2026, time.April, 14, 0, 0, 0, 0, time.UTC),
		time.Date(2026, time.April, 15, 0, 0, 0, 0, time.UTC),
	} {
		fmt.Println(at.Format(time.DateOnly), eligibility.Check(nigerian, eligibility.PolicyAsOf(at)).Decision)
	}
	// Output:
	// 2026-04-14 refused
	// 2026-04-15 eligible
}

// The page of package signup asks for the number and the version of the app before Meta's popup
// opens.
func ExamplePageCheck() {
	page := signup.PageConfig{Check: eligibility.PageCheck(eligibility.PolicyAsOf)}
	cfg := signup.Config{Page: page} // and the rest of it

	result, err := cfg.Page.Check(context.Background(), "tenant-1",
		signup.CheckParams{PhoneNumber: "+1 555 010 0199", AppVersion: "2.1.9"})
	fmt.Println(result.Eligible, err)
	for _, r := range result.Reasons {
		fmt.Println(r.Text, r.Remedy)
	}
	// Output:
	// false <nil>
	// The WhatsApp Business app has version 2.1.9; version 2.24.17 or newer is needed. Update the WhatsApp Business app on the phone, then check again.
}

// A flag or setting names the policy: documented, today's, or that of a date.
func ExampleParsePolicy() {
	policy, err := eligibility.ParsePolicy("2026-05-01")
	if err != nil {
		fmt.Println(err)
		return
	}
	result := eligibility.Check(eligibility.Candidate{PhoneNumber: "0803 000 0123", Region: "NG"}, policy(time.Now()))
	fmt.Println(result.Decision == eligibility.DecisionRefused)
	_, err = eligibility.ParsePolicy("tomorrow")
	fmt.Println(err)
	// Output:
	// false
	// eligibility: a policy is named by a date such as "2026-04-15", by "today", or not at all
}
