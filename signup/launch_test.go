package signup_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func flow(t *testing.T, mode signup.Mode) *signup.Flow {
	t.Helper()
	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: appSecret})
	require.NoError(t, err)
	f, err := signup.NewFlow(signup.Config{ConfigurationID: "900000000000001", Client: client, Mode: mode})
	require.NoError(t, err)
	return f
}

func TestAPageRunsTheGraphVersionOfTheClient(t *testing.T) {
	t.Parallel()
	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: appSecret, Version: "v27.0"})
	require.NoError(t, err)
	require.Equal(t, "v27.0", client.WithToken(token).Version())
	f, err := signup.NewFlow(signup.Config{ConfigurationID: "900000000000001", Client: client})
	require.NoError(t, err)
	l, err := f.Launch(signup.LaunchOptions{})
	require.NoError(t, err)
	require.Equal(t, "v27.0", l.Init.Version)
}

func TestLaunchesAreWhatThePopupExpects(t *testing.T) {
	t.Parallel()
	const business = `"featureType":"whatsapp_business_app_onboarding"`
	v := func(version signup.Version) signup.LaunchOptions { return signup.LaunchOptions{Version: version} }
	marketing := func(version signup.Version) signup.LaunchOptions {
		return signup.LaunchOptions{Version: version, MarketingMessages: true}
	}
	tests := map[string]struct {
		mode   signup.Mode
		opts   signup.LaunchOptions
		extras string // besides an empty setup
	}{
		"default":     {"", v(""), business + `,"version":"v4"`},
		"v4":          {signup.ModeCoexistence, v(signup.Version4), business + `,"version":"v4"`},
		"v4 standard": {signup.ModeStandard, v(""), `"version":"v4"`},
		"v4 app only": {signup.ModeAppOnly, v(""), `"features":[{"name":"app_only_install"}],"version":"v4"`},
		"v5":          {"", v("v5"), business + `,"version":"v5"`},
		"v4 preview":  {"", v(signup.Version4Preview), business + `,"version":"v4-public-preview"`},
		"v3":          {"", v(signup.Version3), business + `,"version":"v3"`},
		"v3 preview":  {signup.ModeStandard, v(signup.Version3Preview), `"version":"v3-public-preview"`},
		"v3 marketing": {
			signup.ModeStandard, marketing(signup.Version3),
			`"features":[{"name":"marketing_messages_lite"}],"version":"v3"`,
		},
		"v2":          {"", v(signup.Version2), business + `,"sessionInfoVersion":"3"`},
		"v2 standard": {signup.ModeStandard, v(signup.Version2), `"featureType":"","sessionInfoVersion":"3"`},
		"v2 marketing": {
			signup.ModeStandard, marketing(signup.Version2),
			`"featureType":"marketing_messages_lite","sessionInfoVersion":"3"`,
		},
		"v2 preview": {
			signup.ModeAppOnly, v(signup.Version2Preview),
			`"featureType":"","features":[{"name":"app_only_install"}],"sessionInfoVersion":"3",
			"version":"v2-public-preview"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := flow(t, tt.mode).Launch(tt.opts)
			require.NoError(t, err)
			b, err := json.Marshal(l)
			require.NoError(t, err)
			extras := strings.TrimSuffix(`{"setup":{},`+tt.extras, ",") + `}`
			require.JSONEq(t, `{
				"init":{"appId":"600000000000001","autoLogAppEvents":true,"xfbml":true,"version":"v25.0"},
				"login":{
					"config_id":"900000000000001","response_type":"code","override_default_response_type":true,
					"extras":`+extras+`}}`, string(b))
			var back signup.Launch
			require.NoError(t, json.Unmarshal(b, &back), "a simulator reads it back")
			l.Warnings = nil
			require.Equal(t, l, back)
		})
	}
}

func TestLaunchesThatWouldDoSomethingElseAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mode signup.Mode
		opts signup.LaunchOptions
		want []string
	}{
		"marketing in v4": {
			"", signup.LaunchOptions{MarketingMessages: true},
			[]string{"product of the login configuration"},
		},
		"marketing and coexistence": {
			"", signup.LaunchOptions{Version: signup.Version2, MarketingMessages: true},
			[]string{"one feature type"},
		},
		"app only in v2": {
			signup.ModeAppOnly, signup.LaunchOptions{Version: signup.Version2},
			[]string{"v2 has no app-only install"},
		},
		"unknown version": {
			"", signup.LaunchOptions{Version: "v1"},
			[]string{`"v1" is not one of Versions`},
		},
		"all at once": {
			"", signup.LaunchOptions{Version: "5", MarketingMessages: true, Setup: signup.Setup{SolutionID: "x"}},
			[]string{"Versions", "product", "SolutionID"},
		},
		"accounts without numbers": {
			"", signup.LaunchOptions{Setup: signup.Setup{WABA: &signup.SetupWABAList{IDs: []graph.WABAID{wabaA}}}},
			[]string{"only together with PreVerifiedPhone"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := flow(t, tt.mode).Launch(tt.opts)
			require.Zero(t, l)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestALaterVersionIsLaunchedWithAWarning(t *testing.T) {
	t.Parallel()
	for version, taken := range map[signup.Version]bool{
		"v5": true, "v6-public-preview": true, "v12": true, "v1": false, "v4-other": false, "5": false, "v": false,
		"vv5": false, "v+5": false,
	} {
		l, err := flow(t, "").Launch(signup.LaunchOptions{Version: version})
		require.Equal(t, taken, err == nil, "%s: %v", version, err)
		if taken {
			require.Len(t, l.Warnings, 1)
			require.Contains(t, l.Warnings[0], "later than what this package knows")
			require.Equal(t, version, l.Login.Extras.Version)
		}
	}
}

func TestVersionsThatEndAreWarnedAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins in the year 2000
		f := flow(t, "")
		for _, v := range signup.Versions() {
			l, err := f.Launch(signup.LaunchOptions{Version: v.Version})
			require.NoError(t, err)
			require.Equal(t, !v.Until.IsZero(), len(l.Warnings) == 1, "%s: %v", v.Version, l.Warnings)
			if !v.Until.IsZero() {
				require.Contains(t, l.Warnings[0], string(v.Version)+" ends on 2026-10-15")
			}
			require.True(t, v.Since.Before(v.Until) || v.Until.IsZero())
		}
		time.Sleep(time.Until(time.Date(2026, 10, 15, 0, 0, 1, 0, time.UTC)))
		l, err := f.Launch(signup.LaunchOptions{Version: signup.Version3})
		require.NoError(t, err)
		require.Contains(t, l.Warnings[0], "v3 ended on 2026-10-15")
	})
}

func TestPreVerifiedNumbersAreWarnedAbout(t *testing.T) {
	t.Parallel()
	list := &signup.SetupPhoneList{IDs: []graph.PhoneNumberID{phoneA, phoneB}}
	opts := signup.LaunchOptions{Setup: signup.Setup{PreVerifiedPhone: list}}
	l, err := flow(t, "").Launch(opts)
	require.NoError(t, err)
	require.Len(t, l.Warnings, 2)
	l, err = flow(t, signup.ModeStandard).Launch(opts)
	require.NoError(t, err)
	require.Len(t, l.Warnings, 1)
}

func TestRedirectURLsRepeatTheLaunch(t *testing.T) {
	t.Parallel()
	l, err := flow(t, "").Launch(signup.LaunchOptions{Setup: signup.Setup{SolutionID: "77"}})
	require.NoError(t, err)
	s, err := l.RedirectURL("nonce&more", "https://app.example.com/back?x=1")
	require.NoError(t, err)
	u, err := url.Parse(s)
	require.NoError(t, err)
	require.Equal(t, "https", u.Scheme)
	require.Equal(t, "www.facebook.com", u.Host)
	require.Equal(t, "/v25.0/dialog/oauth", u.Path)
	require.Equal(t, url.Values{
		"client_id":                      {appID},
		"config_id":                      {"900000000000001"},
		"response_type":                  {"code"},
		"override_default_response_type": {"true"},
		"redirect_uri":                   {"https://app.example.com/back?x=1"},
		"state":                          {"nonce&more"},
		"extras": {
			`{"setup":{"solutionID":"77"},"featureType":"whatsapp_business_app_onboarding","version":"v4"}`,
		},
	}, u.Query())
}

func TestRedirectURLsNeedAStateAndAnAbsoluteURI(t *testing.T) {
	t.Parallel()
	l, err := flow(t, "").Launch(signup.LaunchOptions{})
	require.NoError(t, err)
	for _, uri := range []string{"", "/back", "http://app.example.com/back", "https://", "https://app.example.com/#x", "::"} {
		t.Run(uri, func(t *testing.T) {
			t.Parallel()
			_, err := l.RedirectURL("", uri)
			require.ErrorContains(t, err, "redirect URI")
			require.ErrorContains(t, err, "state")
		})
	}
}

// Meta's own launches, and those that its pages lead to, come out of the builder letter by letter;
// empty setups and nulls make no difference.
func TestCorpusLaunches(t *testing.T) {
	t.Parallel()
	type launch struct {
		mode signup.Mode
		opts signup.LaunchOptions
	}
	phone := &signup.SetupPhone{
		DisplayName: "Wind & Wool", Category: "APPAREL",
		Description: "Bespoke artisan apparel and lifestyle goods from upcoming designers.",
	}
	verified := &signup.SetupPhoneList{IDs: []graph.PhoneNumberID{"106540352242922"}}
	full := signup.Setup{
		Business: &signup.SetupBusiness{
			Name: "Wind & Wool", Email: "support@windandwool.com", Website: "https://windandwool.com/",
			Address: &signup.SetupAddress{
				StreetAddress1: "1 Hacker Way", StreetAddress2: "Suite 1", City: "Menlo Park",
				State: "California", ZIPPostal: "94025", Country: "US",
			},
			Phone: &signup.SetupBusinessPhone{Code: 1, Number: "6505559999"}, Timezone: "UTC-07:00",
		},
		PreVerifiedPhone: verified, Phone: phone, WABA: &signup.SetupWABAList{IDs: []graph.WABAID{"432428883295692"}},
	}
	v := func(version signup.Version) signup.LaunchOptions { return signup.LaunchOptions{Version: version} }
	with := func(version signup.Version, setup signup.Setup) signup.LaunchOptions {
		return signup.LaunchOptions{Version: version, Setup: setup}
	}
	marketing := func(version signup.Version) signup.LaunchOptions {
		return signup.LaunchOptions{Version: version, MarketingMessages: true}
	}
	existing := signup.Setup{
		Business: &signup.SetupBusiness{ID: "2729063490586005"}, PreVerifiedPhone: verified, Phone: phone,
	}
	solution := signup.Setup{SolutionID: "77"}
	launches := map[string]launch{
		"launch.prefill.existing_portfolio":   {signup.ModeStandard, with(signup.Version2, existing)},
		"launch.prefill.full":                 {signup.ModeStandard, with("", full)},
		"launch.solution_id":                  {signup.ModeStandard, with(signup.Version2, solution)},
		"launch.v2.coexistence":               {"", v(signup.Version2)},
		"launch.v2.default":                   {signup.ModeStandard, v(signup.Version2)},
		"launch.v2.marketing_messages_lite":   {signup.ModeStandard, marketing(signup.Version2)},
		"launch.v3.app_only_install":          {signup.ModeAppOnly, v(signup.Version3)},
		"launch.v3.app_only_install.solution": {signup.ModeAppOnly, with(signup.Version3, solution)},
		"launch.v3.coexistence":               {"", v(signup.Version3)},
		"launch.v3.marketing_messages_lite":   {signup.ModeStandard, marketing(signup.Version3)},
		"launch.v4.coexistence":               {"", v("")},
		"launch.v4.default":                   {signup.ModeStandard, v("")},
		"launch.v4.empty_extras":              {signup.ModeStandard, v("")},
		"launch.v4_public_preview":            {signup.ModeStandard, v(signup.Version4Preview)},
	}
	files := corpus(t, "launch.")
	delete(files, "launch.v2.only_waba_sharing")     // ended with v2 without successor, and brings no number to connect
	delete(files, "launch.v4.coexistence.defensive") // not Meta's: adds what v4 does not need
	if dir := payloads.Folder("signup-launch-extras-v4.json"); dir != "" {
		b, err := os.ReadFile(filepath.Join(dir, "signup-launch-extras-v4.json"))
		require.NoError(t, err)
		files["builder.v4.coexistence"] = bytes.Replace(b, []byte("<configuration>"), []byte("<CONFIGURATION_ID>"), 1)
		launches["builder.v4.coexistence"] = launch{"", v("")}
	}
	requireSameNames(t, files, launches)
	placeholders := strings.NewReplacer("<CONFIGURATION_ID>", "900000000000001", "<SOLUTION_ID>", "77")
	for name, want := range launches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := flow(t, want.mode).Launch(want.opts)
			require.NoError(t, err)
			got, err := json.Marshal(l.Login)
			require.NoError(t, err)
			meta := placeholders.Replace(string(files[name]))
			want := leaves(t, []byte(meta))
			if strings.HasPrefix(name, "launch.") && l.Login.Extras.Version == signup.Version4 {
				want = append(want, ".extras.version=v4") // by Meta's Builder; its pages leave it out
			}
			require.ElementsMatch(t, want, leaves(t, got))
		})
	}
}
