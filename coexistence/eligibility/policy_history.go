package eligibility

import (
	"slices"
	"time"
)

const (
	onboardingPage = "https://developers.facebook.com/documentation/business-messaging/whatsapp/" +
		"embedded-signup/onboarding-business-app-users"
	changelog = "https://developers.facebook.com/documentation/business-messaging/whatsapp/changelog"
)

// history returns Meta's rules in order of time, each a value of its own that a caller may change.
// The first one is about the time before the launch.
func history() []Policy {
	const minVersion = "2.24.17"
	launch := day(2025, time.February, 11)
	india := day(2025, time.May, 5)
	most := day(2025, time.October, 23)
	everywhere := day(2026, time.April, 15)

	rules := func(since, until time.Time, source string, unsupported ...string) Policy {
		slices.Sort(unsupported)
		return Policy{
			Name:  "Meta's coexistence requirements of " + since.Format(time.DateOnly),
			Since: since, Until: until, Source: source,
			MinAppVersion: minVersion, Unsupported: unsupported, Sanctioned: []string{"CU", "IR", "KP", "SY"},
			RequireBusinessApp: true, RequireActiveAccount: true, RequireVerifiedPhone: true,
		}
	}
	return []Policy{
		{Name: "before the launch of coexistence on 2025-02-11", Until: launch, Source: changelog, NotLaunched: true},
		rules(launch, india, changelog, slices.Concat(openedInOctober2025, nigeriaAndSouthAfrica, []string{"IN"})...),
		rules(india, most, changelog, slices.Concat(openedInOctober2025, nigeriaAndSouthAfrica)...),
		rules(most, everywhere, onboardingPage, slices.Clone(nigeriaAndSouthAfrica)...),
		rules(everywhere, time.Time{}, changelog),
	}
}

var nigeriaAndSouthAfrica = []string{"NG", "ZA"}

// openedInOctober2025 are the countries that Meta's change log names on 2025-10-23: Australia,
// Japan, the Philippines, Russia, South Korea, Turkey, the United Kingdom, and the EEA and EU.
// Those are 27 states with the parts of France and Finland that are in the EU under a code of their
// own, and Iceland, Liechtenstein and Norway. Guernsey, Jersey and the Isle of Man are not in the
// United Kingdom, and Kazakhstan is not in Russia.
var openedInOctober2025 = []string{
	"AU", "GB", "JP", "KR", "PH", "RU", "TR",
	"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
	"MT",
	"NL", "PL", "PT", "RO", "SE", "SI", "SK",
	"AX", "GF", "GP", "MF", "MQ", "RE", "YT",
	"IS", "LI", "NO",
}

// countryNames has every country that some policy of Meta's refuses.
var countryNames = map[string]string{
	"AT": "Austria", "AU": "Australia", "AX": "the Åland Islands", "BE": "Belgium", "BG": "Bulgaria", "CU": "Cuba",
	"CY": "Cyprus", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland",
	"FR": "France", "GB": "the United Kingdom", "GF": "French Guiana", "GP": "Guadeloupe", "GR": "Greece",
	"HR": "Croatia",
	"HU": "Hungary", "IE": "Ireland", "IN": "India", "IR": "Iran", "IS": "Iceland", "IT": "Italy", "JP": "Japan",
	"KP": "North Korea", "KR": "South Korea", "LI": "Liechtenstein", "LT": "Lithuania", "LU": "Luxembourg",
	"LV": "Latvia",
	"MF": "Saint Martin", "MQ": "Martinique", "MT": "Malta", "NG": "Nigeria", "NL": "the Netherlands", "NO": "Norway",
	"PH": "the Philippines", "PL": "Poland", "PT": "Portugal", "RE": "Réunion", "RO": "Romania", "RU": "Russia",
	"SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia", "SY": "Syria", "TR": "Turkey", "YT": "Mayotte",
	"ZA": "South Africa",
}
