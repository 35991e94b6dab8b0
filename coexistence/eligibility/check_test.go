package eligibility_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
)

// good meets every requirement of every policy since the launch.
func good() eligibility.Candidate {
	return eligibility.Candidate{
		PhoneNumber: "+1 555 010 0123", App: eligibility.AppBusiness, AppVersion: "2.24.17.79",
		AccountActive: eligibility.Yes, PhoneVerified: eligibility.Yes,
	}
}

func codes(reasons []eligibility.Reason) []eligibility.ReasonCode {
	var all []eligibility.ReasonCode
	for _, r := range reasons {
		all = append(all, r.Code)
	}
	return all
}

type (
	list      = []eligibility.ReasonCode
	candidate = eligibility.Candidate
)

func TestCheckUnderTheDefaultPolicy(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change    func(*candidate)
		reasons   list
		questions list
	}{
		"as it should be":          {change: func(*candidate) {}},
		"the oldest version":       {change: func(c *candidate) { c.AppVersion = "2.24.17" }},
		"Brazilian without a 9":    {change: func(c *candidate) { c.PhoneNumber = "+553188880123" }},
		"Mexican with a 1":         {change: func(c *candidate) { c.PhoneNumber = "+5215555550123" }},
		"Argentine with a 9":       {change: func(c *candidate) { c.PhoneNumber = "+5491155550123" }},
		"a landline":               {change: func(c *candidate) { c.PhoneNumber = "+55 31 3222-0123" }},
		"a number not in any plan": {change: func(c *candidate) { c.PhoneNumber = "+44 7700 900123" }},
		"India":                    {change: func(c *candidate) { c.PhoneNumber = "+91 81234 56789" }},
		"Nigeria": {func(c *candidate) { c.PhoneNumber = "+234 803 000 0123" },
			list{eligibility.ReasonCountry}, nil},
		"South Africa": {
			func(c *candidate) { c.PhoneNumber = "+27 82 000 0123" }, list{eligibility.ReasonCountry}, nil,
		},
		"Nigeria in national form": {
			func(c *candidate) { c.PhoneNumber, c.Region = "0803 000 0123", "ng" }, list{eligibility.ReasonCountry},
			nil,
		},
		"the number's country counts, not the given one": {
			func(c *candidate) { c.PhoneNumber, c.Region = "+234 803 000 0123", "US" },
			list{eligibility.ReasonCountry}, nil,
		},
		"incomplete and Nigerian": {
			func(c *candidate) { c.PhoneNumber = "+234 803" },
			list{eligibility.ReasonPhoneInvalid, eligibility.ReasonCountry}, nil,
		},
		"no number, but Nigerian": {
			func(c *candidate) { c.PhoneNumber, c.Region = " ", "NG" },
			list{eligibility.ReasonCountry}, list{eligibility.QuestionPhone},
		},
		"Iran": {func(c *candidate) { c.PhoneNumber = "+98 912 000 0123" }, list{eligibility.ReasonSanctions}, nil},
		"no number": {
			func(c *candidate) { c.PhoneNumber = "" }, nil, list{eligibility.QuestionPhone},
		},
		"national without a country": {
			func(c *candidate) { c.PhoneNumber = "0803 000 0123" }, nil, list{eligibility.QuestionPhoneCountry},
		},
		"national with what is no country": {
			func(c *candidate) { c.PhoneNumber, c.Region = "0803 000 0123", "Nigeria" },
			nil, list{eligibility.QuestionPhoneCountry},
		},
		"not a number": {func(c *candidate) { c.PhoneNumber = "+none" },
			list{eligibility.ReasonPhoneInvalid}, nil},
		"too short": {func(c *candidate) { c.PhoneNumber = "+1 555" },
			list{eligibility.ReasonPhoneInvalid}, nil},
		"too long": {func(c *candidate) { c.PhoneNumber = "+1 555 010 0123 456" },
			list{eligibility.ReasonPhoneInvalid}, nil},
		"without the area code": {func(c *candidate) { c.PhoneNumber = "+1 555 0123" },
			list{eligibility.ReasonPhoneInvalid}, nil},
		"no such country code": {func(c *candidate) { c.PhoneNumber = "+999 555 0123" },
			list{eligibility.ReasonPhoneInvalid}, nil},
		"the other app": {func(c *candidate) { c.App = eligibility.AppConsumer },
			list{eligibility.ReasonConsumerApp}, nil},
		"app not known":           {func(c *candidate) { c.App = "" }, nil, list{eligibility.QuestionApp}},
		"app nobody has heard of": {func(c *candidate) { c.App = "x" }, nil, list{eligibility.QuestionApp}},
		"old version": {
			func(c *candidate) { c.AppVersion = "2.24.16.99" }, list{eligibility.ReasonAppVersion}, nil,
		},
		"no version": {func(c *candidate) { c.AppVersion = "" }, nil, list{eligibility.QuestionAppVersion}},
		"inactive": {
			func(c *candidate) { c.AccountActive = eligibility.No }, list{eligibility.ReasonAccountInactive}, nil,
		},
		"activity not known": {
			func(c *candidate) { c.AccountActive = "" }, nil, list{eligibility.QuestionAccountActive},
		},
		"not verified": {
			func(c *candidate) { c.PhoneVerified = eligibility.No },
			list{eligibility.ReasonPhoneNotVerified}, nil,
		},
		"verification not known": {
			func(c *candidate) { c.PhoneVerified = "perhaps" }, nil, list{eligibility.QuestionPhoneVerified},
		},
		"nothing known": {
			func(c *candidate) { *c = eligibility.Candidate{} }, nil,
			list{
				eligibility.QuestionPhone, eligibility.QuestionApp, eligibility.QuestionAppVersion,
				eligibility.QuestionAccountActive, eligibility.QuestionPhoneVerified,
			},
		},
		"everything wrong": {
			func(c *candidate) {
				*c = eligibility.Candidate{
					PhoneNumber: "+27 82 000 0123", App: eligibility.AppConsumer, AppVersion: "2.23.1 beta",
					AccountActive: eligibility.No, PhoneVerified: eligibility.No,
				}
			},
			list{
				eligibility.ReasonCountry, eligibility.ReasonConsumerApp, eligibility.ReasonAppVersion,
				eligibility.ReasonAccountInactive, eligibility.ReasonPhoneNotVerified,
			}, nil,
		},
		"a reason and a question": {
			func(c *candidate) { c.AppVersion, c.PhoneVerified = "2.20", "" },
			list{eligibility.ReasonAppVersion}, list{eligibility.QuestionPhoneVerified},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := good()
			tt.change(&c)
			got := eligibility.Check(c, eligibility.DefaultPolicy)
			require.Equal(t, tt.reasons, codes(got.Reasons))
			require.Equal(t, tt.questions, codes(got.Questions))
			switch {
			case tt.reasons != nil:
				require.Equal(t, eligibility.DecisionRefused, got.Decision)
			case tt.questions != nil:
				require.Equal(t, eligibility.DecisionOpen, got.Decision)
			default:
				require.Equal(t, eligibility.DecisionEligible, got.Decision)
			}
			for _, r := range slices.Concat(got.Reasons, got.Questions) {
				requireFitToShow(t, r)
				require.Equal(t, "Meta's coexistence requirements of 2025-10-23", r.Policy)
				require.Equal(t, time.Date(2025, 10, 23, 0, 0, 0, 0, time.UTC), r.Since)
			}
		})
	}
}

// requireFitToShow fails unless a business could read the reason: sentences, nothing personal, a
// policy and its source.
func requireFitToShow(t *testing.T, r eligibility.Reason) {
	t.Helper()
	for _, s := range []string{r.Text, r.Remedy} {
		require.Regexp(t, `^[A-Z].{10,}\.$`, s, "%s", r.Code)
		require.NotContains(t, s, "  ", "%s", r.Code)
		require.NotContains(t, s, "%!", "%s", r.Code)
		require.NotContains(t, strings.ReplaceAll(s, "+1 555 010 0123", ""), "0123", "%s shows the number", r.Code)
	}
	require.NotEmpty(t, r.Source, "%s", r.Code)
	require.Contains(t, r.String(), r.Text+" "+r.Remedy)
	require.Contains(t, r.String(), r.Policy)
}

func TestCheckReadsTheNumber(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ phone, region, want, wantRegion string }{
		"E.164":                            {"+12015550123", "", "+12015550123", "US"},
		"with punctuation":                 {"+1 (201) 555-0123", "", "+12015550123", "US"},
		"with two zeros":                   {"0055 31 98888-0123", "", "+5531988880123", "BR"},
		"pasted from an iPhone's contacts": {"\u202a+55 31 98888\u20110123\u202c", "", "+5531988880123", "BR"},
		"pasted, isolated":                 {"\u2066+55\u00a031 98888-0123\u2069", "", "+5531988880123", "BR"},
		"national":                         {"(031) 98888-0123", "BR", "+5531988880123", "BR"},
		"national, small letters":          {"201-555-0123", " us ", "+12015550123", "US"},
		"national, with the calling code":  {"5531988880123", "BR", "+5531988880123", "BR"},
		"wa_id of a Brazilian":             {"+553188880123", "", "+553188880123", "BR"},
		"wa_id of a Mexican":               {"+5215555550123", "", "+5215555550123", "MX"},
		"Italian landline keeps its zero":  {"02 3661 8300", "IT", "+390236618300", "IT"},
		"Canada":                           {"+1 416 555 0123", "", "+14165550123", "CA"},
		"nowhere in North America":         {"+1 555 010 0123", "", "+15550100123", ""},
		"the given country decides":        {"+1 555 010 0123", "CA", "+15550100123", "CA"},
		"a country of another code":        {"+1 555 010 0123", "BR", "+15550100123", ""},
		"Kazakhstan":                       {"+7 701 000 0123", "", "+77010000123", "KZ"},
		"Russia":                           {"+7 916 000 0123", "", "+79160000123", "RU"},
		"Guernsey":                         {"+44 7781 000123", "", "+447781000123", "GG"},
		"no country at all":                {"+883 5100 0000 0123", "", "+883510000000123", ""},
		"nothing":                          {"", "BR", "", "BR"},
		"Ghana with its zero":              {"+233 (0)24 100 0123", "", "+233241000123", "GH"},
		"zeros that would be read again":   {"0004444 012", "GH", "", "GH"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := good()
			c.PhoneNumber, c.Region = tt.phone, tt.region
			got := eligibility.Check(c, eligibility.Policy{})
			require.Equal(t, tt.want, got.PhoneNumber)
			require.Equal(t, tt.wantRegion, got.Region)
			require.Equal(t, tt.want != "", got.Decision == eligibility.DecisionEligible, "%v", got.Reasons)
		})
	}
}

// The numbering plans come with a number of each kind for each country. None of them is refused,
// and each stays as it is.
func TestCheckReadsTheNumbersOfEveryCountry(t *testing.T) {
	t.Parallel()
	tried := 0
	for region := range phonenumbers.GetSupportedRegions() {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			n := phonenumbers.GetExampleNumberForType(region, kind)
			if n == nil || kind == phonenumbers.UAN { // Canada's 310-1234 cannot be dialled from abroad
				continue
			}
			tried++
			phone := phonenumbers.Format(n, phonenumbers.E164)
			got := eligibility.Check(eligibility.Candidate{PhoneNumber: phone}, eligibility.Policy{})
			require.Equal(t, phone, got.PhoneNumber, "%s %v", region, got.Reasons)
		}
	}
	require.Greater(t, tried, 500)
}

func TestCheckAsksWhichCountryOnlyIfItMatters(t *testing.T) {
	t.Parallel()
	c := good()
	c.PhoneNumber = "+7 000 000 0123" // Russia or Kazakhstan: no plan has it
	excluded := eligibility.PolicyAsOf(time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC))

	got := eligibility.Check(c, excluded)
	require.Equal(t, list{eligibility.QuestionCountry}, codes(got.Questions))
	require.Empty(t, got.Reasons)
	require.Equal(t, eligibility.DecisionOpen, got.Decision)

	c.Region = "KZ"
	require.Equal(t, eligibility.DecisionEligible, eligibility.Check(c, excluded).Decision)
	c.Region = "RU"
	require.Equal(t, list{eligibility.ReasonCountry}, codes(eligibility.Check(c, excluded).Reasons))
	c.Region = ""
	require.Equal(t, eligibility.DecisionEligible, eligibility.Check(c, eligibility.DefaultPolicy).Decision)
}

func TestCheckOfTheZeroPolicyAsksForANumberOnly(t *testing.T) {
	t.Parallel()
	got := eligibility.Check(eligibility.Candidate{PhoneNumber: "+1 555 010 0123"}, eligibility.Policy{})
	require.Equal(t, eligibility.DecisionEligible, got.Decision)
	got = eligibility.Check(eligibility.Candidate{}, eligibility.Policy{})
	require.Equal(t, list{eligibility.QuestionPhone}, codes(got.Questions))
	require.Equal(t, got.Questions[0].Text+" "+got.Questions[0].Remedy, got.Questions[0].String())
}

func TestCheckTakesAHostsOwnPolicy(t *testing.T) {
	t.Parallel()
	p := eligibility.DefaultPolicy
	p.Name, p.MinAppVersion, p.Unsupported, p.Since = "our own", "2.25", []string{"CA"}, time.Time{}
	c := good()
	c.PhoneNumber, c.AppVersion = "+1 416 555 0123", "2.24.99"
	got := eligibility.Check(c, p)
	require.Equal(t, list{eligibility.ReasonCountry, eligibility.ReasonAppVersion}, codes(got.Reasons))
	require.Contains(t, got.Reasons[0].Text, "CA (+1)")
	require.Equal(t, "our own", got.Reasons[0].Policy)
	require.Zero(t, got.Reasons[0].LiftedAt)

	p.MinAppVersion, p.Unsupported = "not a version", nil
	require.Equal(t, list{eligibility.QuestionAppVersion}, codes(eligibility.Check(good(), p).Questions),
		"a requirement that cannot be read is not met")
}

func TestNotesNeverDecide(t *testing.T) {
	t.Parallel()
	noteCodes := func(c eligibility.Candidate) []eligibility.NoteCode {
		got := eligibility.Check(c, eligibility.DefaultPolicy)
		require.Equal(t, eligibility.DecisionEligible, got.Decision)
		var all []eligibility.NoteCode
		for _, n := range got.Notes {
			require.Regexp(t, `^[A-Z].{10,}\.$`, n.Text)
			all = append(all, n.Code)
		}
		return all
	}
	c := good()
	require.Equal(t, []eligibility.NoteCode{
		eligibility.NoteUnusualNumber, eligibility.NoteActivity, eligibility.NoteNewNumber, eligibility.NoteOnCloudAPI,
		eligibility.NoteFormerPartner, eligibility.NoteCreditLine, eligibility.NotePaymentMethod, eligibility.NoteBadge,
	}, noteCodes(c))

	c.PhoneNumber, c.UsedFor, c.OnCloudAPI, c.HasBadge = "+380 50 000 "+
		"0123", 7*24*time.Hour, eligibility.No, eligibility.No
	require.Equal(t, []eligibility.NoteCode{
		eligibility.NoteSanctionedAreas, eligibility.NoteActivity, eligibility.NoteFormerPartner,
		eligibility.NoteCreditLine, eligibility.NotePaymentMethod,
	}, noteCodes(c))
	c.FormerPartner = eligibility.No
	require.Equal(t, []eligibility.NoteCode{
		eligibility.NoteSanctionedAreas, eligibility.NoteActivity, eligibility.NotePaymentMethod,
	}, noteCodes(c), "nothing of a partner that never was")

	for _, phone := range []string{"+553188880123", "+5215555550123", "+541155550123"} {
		c.PhoneNumber = phone
		require.NotContains(t, noteCodes(c), eligibility.NoteUnusualNumber, "WhatsApp knows %s", phone)
	}
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{4,18}$`)

// Whatever a business types, there is one decision, it can be explained, and the number that was
// read reads the same again.
func FuzzCheck(f *testing.F) {
	for _, seed := range [][5]string{
		{"+1 555 010 0123", "", "2.24.17.79", "yes", "business"},
		{"0803 000 0123", "NG", "Version 2.24.16 beta", "no", "consumer"},
		{"+5215555550123", "mx", "24.17", "", ""},
		{"tel:+44-7700-900123;ext=5", "GB", "2.24.99999999999999999999", "yes", "business"},
		{"1-800-FLOWERS", "US", "2.24.17-1.2", "x", "x"},
		{"+883 5100 0000 0123", "001", "v2 . 24 . 17", "yes", "business"},
		{"00", "IT", ".", "yes", "business"},
		{"\xff+٣", "ZZ", "\xff", "\xff", "\xff"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], int64(1760000000))
	}
	f.Fuzz(func(t *testing.T, phone, region, version, answer, app string, at int64) {
		c := eligibility.Candidate{
			PhoneNumber: phone, Region: region, AppVersion: version, App: eligibility.App(app),
			AccountActive: eligibility.Answer(answer), PhoneVerified: eligibility.Answer(answer),
		}
		for _, p := range []eligibility.Policy{
			{}, eligibility.DefaultPolicy, eligibility.PolicyAsOf(time.Unix(at, 0)), {MinAppVersion: version},
		} {
			got := eligibility.Check(c, p)
			require.Equal(t, got, eligibility.Check(c, p), "the same question has the same answer")
			require.Equal(t, len(got.Reasons) == 0 && len(got.Questions) == 0,
				got.Decision == eligibility.DecisionEligible)
			require.Equal(t, len(got.Reasons) > 0, got.Decision == eligibility.DecisionRefused)
			for _, r := range slices.Concat(got.Reasons, got.Questions) {
				require.NotEmpty(t, r.Code)
				require.Regexp(t, `^[A-Z].{10,}\.$`, r.Text)
				require.Regexp(t, `^[A-Z].{10,}\.$`, r.Remedy)
				require.Equal(t, p.Name, r.Policy)
			}
			if got.PhoneNumber == "" {
				require.NotEqual(t, eligibility.DecisionEligible, got.Decision)
				continue
			}
			require.Regexp(t, e164, got.PhoneNumber)
			c := c
			c.PhoneNumber = got.PhoneNumber
			again := eligibility.Check(c, p)
			require.Equal(t, got.PhoneNumber, again.PhoneNumber)
			require.Equal(t, got.Region, again.Region)
			require.Equal(t, got.Decision, again.Decision)
		}
	})
}
