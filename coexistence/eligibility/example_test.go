package eligibility_test

import (
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
)

func ExampleCheck() {
	result := eligibility.Check(eligibility.Candidate{
		Phone:         "0803 000 0123",
		Region:        "NG",
		App:           eligibility.AppBusiness,
		AppVersion:    "2.24.16.80 beta",
		AccountActive: eligibility.Yes,
	}, eligibility.DefaultPolicy)

	fmt.Println("eligible:", result.Eligible)
	for _, r := range result.Reasons {
		fmt.Println("-", r.Text)
	}
	for _, q := range result.Questions {
		fmt.Println("?", q.Text)
	}
	// Output:
	// eligible: false
	// - Numbers from Nigeria (+234) cannot be used with the WhatsApp Business app and Cloud API at once.
	// - The WhatsApp Business app has version 2.24.16.80; version 2.24.17 or newer is needed.
	// ? It is not known whether the phone number is verified.
}

func ExamplePolicyAsOf() {
	nigerian := eligibility.Candidate{
		Phone:         "+234 803 000 0123",
		App:           eligibility.AppBusiness,
		AppVersion:    "2.24.17.79",
		AccountActive: eligibility.Yes,
		PhoneVerified: eligibility.Yes,
	}
	for _, at := range []time.Time{
		time.Date(2026, time.April, 14, 0, 0, 0, 0, time.UTC),
		time.Date(2026, time.April, 15, 0, 0, 0, 0, time.UTC),
	} {
		fmt.Println(at.Format(time.DateOnly), eligibility.Check(nigerian, eligibility.PolicyAsOf(at)).Eligible)
	}
	// Output:
	// 2026-04-14 false
	// 2026-04-15 true
}
