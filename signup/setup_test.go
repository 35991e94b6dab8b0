package signup_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func TestSetupsAreCheckedAgainstMetasRules(t *testing.T) {
	t.Parallel()
	good := func() signup.Setup {
		return signup.Setup{
			Business: &signup.SetupBusiness{
				Name: "Lucky Lemons", Email: "hello@example.com", Website: "https://example.com", Timezone: "UTC-07:00",
				Address: &signup.SetupAddress{Country: "US"}, Phone: &signup.SetupBusinessPhone{Code: 1, Number: "(555) 010-0199"},
			},
			PreVerifiedPhone: &signup.SetupPhoneList{IDs: []graph.PhoneNumberID{phoneA}},
			Phone:            &signup.SetupPhone{DisplayName: "Lucky Lemons", Category: "RETAIL", Description: "Lemons, and lucky ones."},
			WABA:             &signup.SetupWABAList{IDs: []graph.WABAID{wabaA}},
			SolutionID:       "77",
		}
	}
	tests := map[string]struct {
		change func(*signup.Setup)
		want   string // part of the error; empty accepts
	}{
		"as it is":                 {func(*signup.Setup) {}, ""},
		"empty":                    {func(s *signup.Setup) { *s = signup.Setup{} }, ""},
		"existing portfolio":       {func(s *signup.Setup) { s.Business = &signup.SetupBusiness{ID: business} }, ""},
		"UTC":                      {func(s *signup.Setup) { s.Business.Timezone = "UTC" }, ""},
		"long name in runes":       {func(s *signup.Setup) { s.Business.Name = strings.Repeat("ö", 100) }, ""},
		"name too long":            {func(s *signup.Setup) { s.Business.Name = strings.Repeat("ö", 101) }, "Business.Name is longer"},
		"empty portfolio":          {func(s *signup.Setup) { s.Business = &signup.SetupBusiness{} }, "Name, Email, Website, Address.Country must be set"},
		"no country":               {func(s *signup.Setup) { s.Business.Address = nil }, "Address.Country must be set"},
		"no e-mail":                {func(s *signup.Setup) { s.Business.Email = "" }, "Email must be set"},
		"bad portfolio id":         {func(s *signup.Setup) { s.Business.ID = "x" }, "Business.ID"},
		"country in words":         {func(s *signup.Setup) { s.Business.Address.Country = "USA" }, "two capital letters"},
		"calling code missing":     {func(s *signup.Setup) { s.Business.Phone.Code = 0 }, "Business.Phone"},
		"number with calling code": {func(s *signup.Setup) { s.Business.Phone.Number = "+1 555" }, "Business.Phone"},
		"IANA zone":                {func(s *signup.Setup) { s.Business.Timezone = "Europe/Berlin" }, "Timezone"},
		"no pre-verified ids":      {func(s *signup.Setup) { s.PreVerifiedPhone.IDs = nil }, "PreVerifiedPhone.IDs"},
		"bad pre-verified id":      {func(s *signup.Setup) { s.PreVerifiedPhone.IDs[0] = "+1 555 010 0199" }, "PreVerifiedPhone.IDs"},
		"half a profile":           {func(s *signup.Setup) { s.Phone.Category = "" }, "together"},
		"description too long":     {func(s *signup.Setup) { s.Phone.Description = strings.Repeat("x", 513) }, "512"},
		"accounts alone":           {func(s *signup.Setup) { s.PreVerifiedPhone = nil }, "only together with PreVerifiedPhone"},
		"bad account":              {func(s *signup.Setup) { s.WABA.IDs[0] = "" }, "WABA.IDs"},
		"solution by name":         {func(s *signup.Setup) { s.SolutionID = "mine" }, "SolutionID"},
	}
	f := flow(t, signup.ModeStandard)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			tt.change(&s)
			_, err := f.Launch(signup.LaunchOptions{Setup: s})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "signup: Setup.")
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "555", "errors repeat no numbers")
		})
	}
}
