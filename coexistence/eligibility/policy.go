package eligibility

import (
	"errors"
	"slices"
	"time"
)

// A Policy is a set of requirements as of a date. The zero Policy asks for a phone number and
// nothing else. To make one of your own, change what [PolicyAsOf] returns: it is a value of its own
// each time.
type Policy struct {
	// Name names the policy, with its date: every reason carries it.
	Name string

	// Since is the first day of the policy, and Until the first one on which it no longer holds,
	// both at 0:00 UTC. Until is zero while it holds.
	Since, Until time.Time

	// Source is the URL of the policy.
	Source string

	// NotLaunched means that Meta does not offer coexistence yet: every number is refused.
	NotLaunched bool

	// MinAppVersion is the oldest version of the WhatsApp Business app, such as "2.24.17". If
	// empty, any will do.
	MinAppVersion string

	// Unsupported lists the countries whose numbers are refused, and Sanctioned those in which the
	// whole WhatsApp Business Platform is not available: two letters each, by ISO 3166-1. Countries
	// and not calling codes: +7 is Russia and Kazakhstan, +44 is the United Kingdom, Guernsey,
	// Jersey and the Isle of Man.
	Unsupported, Sanctioned []string

	// RequireBusinessApp asks for the WhatsApp Business app, RequireActiveAccount for an account
	// that works, and RequireVerifiedPhone for a verified number.
	RequireBusinessApp, RequireActiveAccount, RequireVerifiedPhone bool
}

// DefaultPolicy is the policy this package promises: version 2.24.17 or newer of the WhatsApp
// Business app, no numbers from Nigeria and South Africa, an active account with a verified number.
// Meta's rules were so from 2025-10-23 to 2026-04-15.
var DefaultPolicy = PolicyAsOf(day(2025, time.October, 23))

// PolicyAsOf returns Meta's rules at the time t, as far as they are known: since the launch on
// 2025-02-11 the list of excluded countries shrank on 2025-05-05, 2025-10-23 and 2026-04-15, and is
// empty now. Before the launch the policy refuses everybody.
//
// The list before 2025-10-23 is inferred from what Meta opened later. Crimea, Donetsk and Luhansk
// are sanctioned too, but are no countries and share their calling codes: a note reminds of them.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/changelog
func PolicyAsOf(t time.Time) Policy {
	all := history()
	for _, p := range slices.Backward(all) {
		if !t.Before(p.Since) {
			return p
		}
	}
	return all[0]
}

// ParsePolicy returns the policy that a flag or a setting names, for [PageCheck]: [DefaultPolicy]
// if text is empty, Meta's rules of the day on which it is asked for "today", and those of one day
// for a date such as "2026-04-15".
func ParsePolicy(text string) (func(time.Time) Policy, error) {
	switch text {
	case "":
		return func(time.Time) Policy { return DefaultPolicy }, nil
	case "today":
		return PolicyAsOf, nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return nil, errors.New(
			`eligibility: a policy is named by a date such as "2026-04-15", by "today", or not at all`)
	}
	return func(time.Time) Policy { return PolicyAsOf(at) }, nil
}

// lifted is the day on which Meta stopped excluding the country, if that was after the policy
// began.
func (p Policy) lifted(region string) time.Time {
	if p.Since.IsZero() {
		return time.Time{}
	}
	for _, later := range history() {
		if later.Since.After(p.Since) && !slices.Contains(later.Unsupported, region) {
			return later.Since
		}
	}
	return time.Time{}
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}
