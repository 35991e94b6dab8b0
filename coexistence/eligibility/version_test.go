package eligibility_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
)

func TestVersionsAsTheAppShowsThem(t *testing.T) {
	t.Parallel()
	const tooOld, notKnown = eligibility.ReasonAppVersion, eligibility.QuestionAppVersion
	tests := map[string]struct {
		version string
		problem eligibility.ReasonCode
	}{
		"2.24.17":                          {"2.24.17", ""},
		"2.24.17.0":                        {"2.24.17.0", ""},
		"2.24.17.79":                       {"2.24.17.79", ""},
		"2.24.17.79.1":                     {"2.24.17.79.1", ""},
		"v2.24.17.79":                      {"2.24.17.79", ""},
		"  2.24.17.79\n":                   {"2.24.17.79", ""},
		"2.24.17.79 beta":                  {"2.24.17.79", ""},
		"2.24.17 beta":                     {"2.24.17", ""},
		"2.24.17-beta3":                    {"2.24.17", ""},
		"BETA 2.24.17.79 (release)":        {"2.24.17.79", ""},
		"Version 2.24.17.79":               {"2.24.17.79", ""},
		"WhatsApp Business\nv 2.24.17.79":  {"2.24.17.79", ""},
		"2 . 24 . 17":                      {"2.24.17", ""},
		"2.24.18":                          {"2.24.18", ""},
		"2.25":                             {"2.25.0", ""},
		"2.100.1":                          {"2.100.1", ""}, // not "2.1…" by letters
		"3.0":                              {"3.0.0", ""},
		"24.17.79":                         {"2.24.17.79", ""}, // as the App Store writes it
		"26.1":                             {"2.26.1", ""},
		"2.024.017":                        {"2.24.17", ""},
		"2.24.16.99":                       {"2.24.16.99", tooOld},
		"2.24.16.99 beta":                  {"2.24.16.99", tooOld},
		"2.24.9":                           {"2.24.9", tooOld}, // not newer than 2.24.17
		"2.9.99":                           {"2.9.99", tooOld},
		"2.23":                             {"2.23.0", tooOld},
		"23.20.79":                         {"2.23.20.79", tooOld}, // year 2023, not major version 23
		"0.0":                              {"0.0.0", tooOld},
		"2.24":                             {"2.24.0", notKnown}, // could be 2.24.17
		"24.17 and 2.24.17":                {"", notKnown},
		"2.24.17.79beta2.1":                {"", notKnown},
		"":                                 {"", notKnown},
		"latest":                           {"", notKnown},
		"2":                                {"", notKnown},
		"2,24,17":                          {"", notKnown},
		"2.24.99999999999999999999":        {"", notKnown},
		"99999999999999999999.24.17 (new)": {"", notKnown},
		strings.Repeat("1.", 5000) + "1":   {"", notKnown}, // no text repeats it
	}
	for shown, tt := range tests {
		t.Run(shown, func(t *testing.T) {
			t.Parallel()
			c := good()
			c.AppVersion = shown
			got := eligibility.Check(c, eligibility.DefaultPolicy)
			require.Equal(t, tt.version, got.AppVersion)
			switch tt.problem {
			case "":
				require.Equal(t, eligibility.DecisionEligible, got.Decision, "%v %v", got.Reasons, got.Questions)
			case tooOld:
				require.Equal(t, list{tooOld}, codes(got.Reasons))
				require.Contains(t, got.Reasons[0].Text, tt.version+"; version 2.24.17 or newer")
			case notKnown:
				require.Equal(t, list{notKnown}, codes(got.Questions))
				require.Empty(t, got.Reasons)
			}
		})
	}
}
