package eligibility_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
)

// one made-up number per country that was ever excluded, or is easily taken for one.
var numbers = map[string]string{
	"AT": "+43 664 000123", "AU": "+61 412 000 123", "AX": "+358 18 12345", "BE": "+32 470 00 01 23",
	"BG": "+359 88 800 0123",
	"CY": "+357 96 000123", "CZ": "+420 601 000 123", "DE": "+49 1512 0000123", "DK": "+45 20 00 01 23",
	"EE": "+372 5100 0123", "ES": "+34 612 00 01 23", "FI": "+358 41 0000123", "FR": "+33 6 12 00 01 23",
	"GB": "+44 7400 000123", "GF": "+594 694 00 01 23", "GP": "+590 690 00 01 23", "GR": "+30 691 000 0123",
	"HR": "+385 92 000 0123", "HU": "+36 20 000 0123", "IE": "+353 85 000 0123", "IN": "+91 81234 50123",
	"IS": "+354 611 0123", "IT": "+39 312 000 0123", "JP": "+81 90 1234 0123", "KR": "+82 10 2000 0123",
	"LI": "+423 660 000 123", "LT": "+370 612 00123", "LU": "+352 628 000 123", "LV": "+371 21 000 123",
	"MQ": "+596 696 20 01 23", "MT": "+356 9600 0123", "NG": "+234 802 000 0123", "NL": "+31 6 12000123",
	"NO": "+47 406 00 123", "PH": "+63 905 000 0123", "PL": "+48 512 000 123", "PT": "+351 912 000 123",
	"RE": "+262 692 00 01 23", "RO": "+40 712 000 123", "RU": "+7 912 000 0123", "SE": "+46 70 000 01 23",
	"SI": "+386 31 000 123", "SK": "+421 912 000 123", "TR": "+90 501 000 0123", "YT": "+262 639 00 01 23",
	"ZA": "+27 71 100 0123",
	"GG": "+44 7781 000123", "IM": "+44 7624 000123", "JE": "+44 7797 000123", "KZ": "+7 710 000 0123",
	"US": "+1 201 555 0123", "BR": "+55 11 96123 0123", "MX": "+52 55 5555 0123", "UA": "+380 50 000 0123",
}

func TestPolicyAsOfKnowsTheHistory(t *testing.T) {
	t.Parallel()
	free := map[string]bool{
		"GG": true, "IM": true, "JE": true, "KZ": true, "US": true, "BR": true, "MX": true, "UA": true,
	}
	last := map[string]bool{"NG": true, "ZA": true}
	tests := map[string]struct {
		at     string
		refuse func(region string) bool
	}{
		"launch":                {"2025-02-11T00:00:00Z", func(r string) bool { return !free[r] }},
		"day before India":      {"2025-05-04T23:59:59Z", func(r string) bool { return !free[r] }},
		"India":                 {"2025-05-05T00:00:00Z", func(r string) bool { return !free[r] && r != "IN" }},
		"day before most":       {"2025-10-22T23:59:59Z", func(r string) bool { return !free[r] && r != "IN" }},
		"most countries":        {"2025-10-23T00:00:00Z", func(r string) bool { return last[r] }},
		"day before the last":   {"2026-04-14T23:59:59Z", func(r string) bool { return last[r] }},
		"the last":              {"2026-04-15T00:00:00Z", func(string) bool { return false }},
		"the last, by its zone": {"2026-04-15T02:00:00+02:00", func(string) bool { return false }},
		"years later":           {"2030-01-01T00:00:00Z", func(string) bool { return false }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, tt.at)
			require.NoError(t, err)
			p := eligibility.PolicyAsOf(at)
			require.False(t, at.Before(p.Since))
			require.True(t, p.Until.IsZero() || at.Before(p.Until))
			require.Contains(t, p.Name, p.Since.Format(time.DateOnly))
			for region, phone := range numbers {
				c := good()
				c.PhoneNumber = phone
				got := eligibility.Check(c, p)
				require.Equal(t, region, got.Region, "the test's number %s", phone)
				want := eligibility.DecisionEligible
				if tt.refuse(region) {
					want = eligibility.DecisionRefused
				}
				require.Equal(t, want, got.Decision, "%s: %v", region, got)
				if want == eligibility.DecisionRefused {
					require.Equal(t, list{eligibility.ReasonCountry}, codes(got.Reasons))
					requireFitToShow(t, got.Reasons[0])
					require.NotContains(t, got.Reasons[0].Text, " "+region+" ", "a country has a name")
					require.True(t, got.Reasons[0].LiftedAt.After(at), "%s", region)
				}
			}
		})
	}
}

func TestPolicyAsOfRefusesEveryNumberBeforeTheLaunch(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{{}, time.Date(2025, 2, 10, 23, 59, 59, 0, time.UTC)} {
		got := eligibility.Check(good(), eligibility.PolicyAsOf(at))
		require.Equal(t, list{eligibility.ReasonNotOffered}, codes(got.Reasons))
		requireFitToShow(t, got.Reasons[0])
	}
}

func TestSanctionsHoldAtAllTimes(t *testing.T) {
	t.Parallel()
	for _, phone := range []string{"+53 5 200 0123", "+98 912 000 0123", "+850 192 000 0123", "+963 944 000 123"} {
		for _, at := range []time.Time{
			time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC),
			time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		} {
			c := good()
			c.PhoneNumber = phone
			got := eligibility.Check(c, eligibility.PolicyAsOf(at))
			require.Equal(t, list{eligibility.ReasonSanctions}, codes(got.Reasons), phone)
			requireFitToShow(t, got.Reasons[0])
			require.Zero(t, got.Reasons[0].LiftedAt)
		}
	}
}

// The promise of the product, word for word.
func TestDefaultPolicy(t *testing.T) {
	t.Parallel()
	p := eligibility.DefaultPolicy
	require.Equal(t, "2.24.17", p.MinAppVersion)
	require.Equal(t, []string{"NG", "ZA"}, p.Unsupported)
	require.True(t, p.RequireBusinessApp)
	require.True(t, p.RequireActiveAccount)
	require.True(t, p.RequireVerifiedPhone)

	for region, name := range map[string]string{"NG": "Nigeria (+234)", "ZA": "South Africa (+27)"} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			c := good()
			c.PhoneNumber = numbers[region]
			got := eligibility.Check(c, p)
			require.Len(t, got.Reasons, 1)
			require.Contains(t, got.Reasons[0].Text, name)
			require.Contains(t, got.Reasons[0].Remedy, "2026-04-15")
			require.Contains(t, got.Reasons[0].String(), "requirements of 2025-10-23")
			require.Equal(t, time.Date(2026, 4, 15, 0, 0, 0, 0, time.UTC), got.Reasons[0].LiftedAt)
		})
	}
}

func TestPoliciesAreNotShared(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	p := eligibility.PolicyAsOf(at)
	p.Unsupported[0], p.Sanctioned[0] = "XX", "XX"
	require.Equal(t, []string{"NG", "ZA"}, eligibility.PolicyAsOf(at).Unsupported)
	require.Equal(t, "CU", eligibility.PolicyAsOf(at).Sanctioned[0])
}
