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
				Name: "Lucky Lemons", Email: "hello@example.com", Website: "https://example.com",
				Timezone: "UTC-07:00", Address: &signup.SetupAddress{Country: "US"},
				Phone: &signup.SetupBusinessPhone{Code: 1, Number: "(555) 010-0199"},
			},
			PreVerifiedPhone: &signup.SetupPhoneList{IDs: []graph.PhoneNumberID{phoneA}},
			Phone: &signup.SetupPhone{
				DisplayName: "Lucky Lemons", Category: "RETAIL", Description: "Lemons, and lucky ones.",
			},
			WABA:       &signup.SetupWABAList{IDs: []graph.WABAID{wabaA}},
			SolutionID: "77",
		}
	}
	type setup = signup.Setup
	tests := map[string]struct {
		change func(*setup)
		want   string // part of the error; empty accepts
	}{
		"as it is":           {func(*setup) {}, ""},
		"empty":              {func(s *setup) { *s = signup.Setup{} }, ""},
		"existing portfolio": {func(s *setup) { s.Business = &signup.SetupBusiness{ID: business} }, ""},
		"UTC":                {func(s *setup) { s.Business.Timezone = "UTC" }, ""},
		"long name in runes": {func(s *setup) { s.Business.Name = strings.Repeat("ö", 100) }, ""},
		"name too long": {
			func(s *setup) { s.Business.Name = strings.Repeat("ö", 101) }, "Business.Name is longer",
		},
		"empty portfolio": {
			func(s *setup) { s.Business = &signup.SetupBusiness{} },
			"Name, Email, Website, Address.Country must be set",
		},
		"no country":               {func(s *setup) { s.Business.Address = nil }, "Address.Country must be set"},
		"no e-mail":                {func(s *setup) { s.Business.Email = "" }, "Email must be set"},
		"e-mail without a name":    {func(s *setup) { s.Business.Email = "@example.com" }, "Business.Email"},
		"e-mail without a domain":  {func(s *setup) { s.Business.Email = "hello@" }, "Business.Email"},
		"two e-mails":              {func(s *setup) { s.Business.Email = "a@x.com,b@x.com" }, "Business.Email"},
		"quoted e-mail":            {func(s *setup) { s.Business.Email = `"a@b"@x.com` }, ""},
		"website without a scheme": {func(s *setup) { s.Business.Website = "example.com" }, "Business.Website"},
		"website without a host":   {func(s *setup) { s.Business.Website = "https:" }, "Business.Website"},
		"bad portfolio id":         {func(s *setup) { s.Business.ID = "x" }, "Business.ID"},
		"country in words":         {func(s *setup) { s.Business.Address.Country = "USA" }, "two capital letters"},
		"calling code missing":     {func(s *setup) { s.Business.Phone.Code = 0 }, "Business.Phone"},
		"number with calling code": {func(s *setup) { s.Business.Phone.Number = "+1 555" }, "Business.Phone"},
		"IANA zone":                {func(s *setup) { s.Business.Timezone = "Europe/Berlin" }, "Timezone"},
		"no pre-verified ids":      {func(s *setup) { s.PreVerifiedPhone.IDs = nil }, "PreVerifiedPhone.IDs"},
		"bad pre-verified id": {
			func(s *setup) { s.PreVerifiedPhone.IDs[0] = "+1 555 010 0199" }, "PreVerifiedPhone.IDs",
		},
		"half a profile":       {func(s *setup) { s.Phone.Category = "" }, "together"},
		"description too long": {func(s *setup) { s.Phone.Description = strings.Repeat("x", 513) }, "512"},
		"accounts alone":       {func(s *setup) { s.PreVerifiedPhone = nil }, "only together with PreVerifiedPhone"},
		"bad account":          {func(s *setup) { s.WABA.IDs[0] = "" }, "WABA.IDs"},
		"solution by name":     {func(s *setup) { s.SolutionID = "mine" }, "SolutionID"},
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
