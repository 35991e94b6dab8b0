package signup

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Mode is the purpose of the popup.
type Mode string

const (
	// ModeCoexistence connects a number that lives in the WhatsApp Business app and stays there. It
	// is the default.
	ModeCoexistence Mode = "coexistence"

	// ModeStandard connects a number to Cloud API only. The host registers it.
	ModeStandard Mode = "standard"

	// ModeAppOnly gives the app access to accounts that are on Cloud API already. It cannot connect
	// numbers of the WhatsApp Business app.
	ModeAppOnly Mode = "app_only"
)

// A Version is a version of the popup. The configuration decides which one opens; the options of
// [Flow.Launch] have to fit it, or Meta runs another flow without a word.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/versions
type Version string

// Versions of Meta's page. [Versions] has their dates.
const (
	// Version4 is the default. Its products are those of the configuration: make a new one and tick
	// them. It asks for the number first, and the options name it, as Meta's Embedded Signup
	// Builder writes them.
	Version4        Version = "v4"
	Version4Preview Version = "v4-public-preview" // the same functions as v4
	Version3        Version = "v3"                // ended
	Version3Preview Version = "v3-public-preview" // ended
	Version2        Version = "v2"                // ended
	Version2Preview Version = "v2-public-preview" // ended
)

// A VersionInfo describes a version.
type VersionInfo struct {
	Version Version // such as [Version4]

	// Since is when Meta released it.
	Since time.Time

	// Until is when Meta stops it, or the zero time. From then on Meta says that the old feature
	// types lead to the standard flow, which gives the business a new number and looks like
	// success. [Flow.Finish] reports it as [OutcomeFellBack].
	Until time.Time
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// Versions returns all versions, newest first, as Meta's page has them in November 2026. Meta has
// announced v5 for the first half of 2027, without a form of launch: see [LaunchOptions].Version.
func Versions() []VersionInfo {
	return []VersionInfo{
		{Version4Preview, day(2026, time.May, 12), time.Time{}},
		{Version4, day(2025, time.October, 8), time.Time{}},
		{Version3Preview, day(2025, time.August, 14), day(2026, time.October, 15)},
		{Version2Preview, day(2025, time.August, 14), day(2026, time.October, 15)},
		{Version3, day(2025, time.May, 29), day(2026, time.October, 15)},
		{Version2, day(2023, time.January, 1), day(2026, time.October, 15)},
	}
}

// LaunchOptions change a launch. The zero value is right for most hosts.
type LaunchOptions struct {
	// Version is the version of the popup. If empty, [Version4]. A later one than [Versions] knows,
	// such as "v5", is launched as v4 is, with a warning: what Meta requires for it is not known
	// yet.
	Version Version

	// Setup fills in screens of the popup. The zero value fills in none.
	Setup Setup

	// MarketingMessages asks for Marketing Messages too, in v2 and v3. In v4 it is a product of the
	// configuration.
	MarketingMessages bool
}

// A Launch holds the arguments of Meta's JavaScript SDK. Its JSON is {"init": …, "login": …}: the
// argument of FB.init and the second argument of FB.login.
type Launch struct {
	Init  InitOptions  `json:"init"`  // the argument of FB.init
	Login LoginOptions `json:"login"` // the second argument of FB.login

	// Warnings list what may go wrong with this launch. For the developer, not for the page.
	Warnings []string `json:"-"`
}

// MarshalJSON writes what the page passes on, so that a Launch can stand wherever JSON is wanted.
func (l Launch) MarshalJSON() ([]byte, error) {
	type launch Launch
	return json.Marshal(launch(l))
}

// InitOptions are the argument of FB.init.
type InitOptions struct {
	AppID            graph.AppID `json:"appId"`            // of your Meta app
	AutoLogAppEvents bool        `json:"autoLogAppEvents"` // true, as Meta's page has it
	XFBML            bool        `json:"xfbml"`            // true, as Meta's page has it
	Version          string      `json:"version"`          // of the Graph API. An old one can lead to the wrong flow
}

// LoginOptions are the second argument of FB.login. All of it is needed: without ResponseType and
// OverrideDefaultResponseType the SDK returns a user's token in place of the code.
type LoginOptions struct {
	ConfigurationID             string `json:"config_id"`                      // [Config].ConfigurationID
	ResponseType                string `json:"response_type"`                  // "code"
	OverrideDefaultResponseType bool   `json:"override_default_response_type"` // true
	Extras                      Extras `json:"extras"`                         // what kind of popup opens
}

// Extras choose the flow. What stands here besides depends on the version: a member of another one
// is ignored, or leads to the flow for new numbers.
type Extras struct {
	Setup              *Setup       `json:"setup,omitzero"`              // an empty object fills in nothing
	FeatureType        *FeatureType `json:"featureType,omitzero"`        // v2 needs it even when empty
	Features           []Feature    `json:"features,omitzero"`           // of v3 and v4
	SessionInfoVersion string       `json:"sessionInfoVersion,omitzero"` // v2 sends session messages only with "3"
	Version            Version      `json:"version,omitzero"`            // empty for v2 alone
}

// A FeatureType changes the flow as a whole. Without one, the flow is for new numbers.
type FeatureType string

// Feature types that this package asks for.
const (
	FeatureTypeBusinessApp       FeatureType = "whatsapp_business_app_onboarding" // coexistence
	FeatureTypeMarketingMessages FeatureType = "marketing_messages_lite"          // in v2
)

// A Feature adds to the flow, or takes away from it.
type Feature struct {
	Name FeatureName `json:"name"` // such as [FeatureAppOnlyInstall]
}

// A FeatureName names a [Feature].
type FeatureName string

// Features that this package asks for.
const (
	FeatureAppOnlyInstall    FeatureName = "app_only_install"        // no number is added
	FeatureMarketingMessages FeatureName = "marketing_messages_lite" // in v3
)

// Launch returns what the page passes to Meta's SDK. The same value serves every business unless
// its Setup differs, so it can be made once; [Flow.StartAttempt] is needed for each.
//
// The error lists everything that Meta would refuse or, worse, silently do otherwise.
func (f *Flow) Launch(opts LaunchOptions) (Launch, error) {
	if opts.Version == "" {
		opts.Version = Version4
	}
	extras, err := opts.extras(f.cfg.Mode)
	if err != nil {
		return Launch{}, err
	}
	return Launch{
		Init: InitOptions{
			AppID: f.cfg.Client.AppID(), AutoLogAppEvents: true, XFBML: true, Version: f.cfg.Client.Version(),
		},
		Login: LoginOptions{
			ConfigurationID:             f.cfg.ConfigurationID,
			ResponseType:                "code",
			OverrideDefaultResponseType: true,
			Extras:                      extras,
		},
		Warnings: opts.warnings(f.cfg.Mode, time.Now()),
	}, nil
}

func (v Version) is2() bool { return v == Version2 || v == Version2Preview }
func (v Version) is3() bool { return v == Version3 || v == Version3Preview }

// later reports whether v is later than all of Versions: v5 and up, previews included.
func (v Version) later() bool {
	digits, _, _ := strings.Cut(strings.TrimPrefix(string(v), "v"), "-")
	n, err := strconv.ParseUint(digits, 10, 8)
	return err == nil && n > 4 && strings.HasPrefix(string(v), "v"+digits)
}

// extras writes mode and options in the form that the version reads: v2 takes one feature type and
// needs it even when empty, v3 takes a list of features besides, v4 reads products from the
// configuration. What a version cannot say is an error here, since Meta would not refuse it: it
// would run another flow.
func (o LaunchOptions) extras(mode Mode) (Extras, error) {
	errs := []error{o.Setup.validate()}
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("signup: "+format, args...))
	}
	if _, ok := info(o.Version); !ok && !o.Version.later() {
		bad("LaunchOptions.Version %q is not one of Versions", o.Version)
	}
	e := Extras{Setup: &o.Setup}
	if o.Version.is2() {
		e.FeatureType = new(FeatureType(""))
		e.SessionInfoVersion = "3"
	}
	if o.Version != Version2 {
		e.Version = o.Version
	}
	switch mode {
	case ModeCoexistence:
		e.FeatureType = new(FeatureTypeBusinessApp)
	case ModeAppOnly:
		if o.Version == Version2 {
			bad("v2 has no app-only install; use v4")
		}
		e.Features = append(e.Features, Feature{FeatureAppOnlyInstall})
	}
	switch {
	case !o.MarketingMessages:
	case o.Version.is3():
		e.Features = append(e.Features, Feature{FeatureMarketingMessages})
	case o.Version.is2() && mode == ModeStandard:
		e.FeatureType = new(FeatureTypeMarketingMessages)
	case o.Version.is2():
		bad("v2 takes one feature type, so MarketingMessages cannot be combined with mode %s", mode)
	default:
		bad("MarketingMessages is a product of the login configuration since v4; tick it there")
	}
	return e, errors.Join(errs...)
}

// info returns what is known about a version, and whether anything is.
func info(v Version) (VersionInfo, bool) {
	for _, i := range Versions() {
		if i.Version == v {
			return i, true
		}
	}
	return VersionInfo{}, false
}

// warnings says what Meta accepts and a developer will not expect. Now decides whether a version
// has ended, or is about to.
func (o LaunchOptions) warnings(mode Mode, now time.Time) []string {
	var w []string
	if o.Version.later() {
		w = append(w, fmt.Sprintf("version %s is later than what this package knows, and is launched as v4 is; read "+
			"Meta's page of it, and Kind of what comes back, before you rely on it", o.Version))
	}
	if i, _ := info(o.Version); !i.Until.IsZero() {
		verb := "ends"
		if now.After(i.Until) {
			verb = "ended"
		}
		w = append(w, fmt.Sprintf("version %s %s on %s; Meta may run the flow for new numbers instead: "+
			"make a new login configuration and launch v4", o.Version, verb, i.Until.Format(time.DateOnly)))
	}
	if l := o.Setup.PreVerifiedPhone; l != nil && len(l.IDs) > 1 {
		w = append(w, "Setup.PreVerifiedPhone has several ids; the popup shows the first only")
	}
	if o.Setup.PreVerifiedPhone != nil && mode == ModeCoexistence {
		w = append(w, "Setup.PreVerifiedPhone offers a number that is not in the WhatsApp Business app; "+
			"who takes it does not coexist")
	}
	return w
}

// RedirectURL returns the address of the login dialog, for hosts that send the browser there in
// place of opening a popup: where Meta's SDK is blocked, in embedded browsers, on domains that
// cannot be registered.
//
// State is the nonce of [Flow.StartAttempt]. RedirectURI is an https address registered in the app
// dashboard; Meta sends the browser back to it with a query for [ParseRedirect], and
// [Submission.RedirectURI] must repeat it letter by letter. No session message comes in this way.
func (l Launch) RedirectURL(state graph.Secret, redirectURI string) (string, error) {
	var errs []error
	if state == "" {
		errs = append(errs, errors.New("signup: RedirectURL needs the state of Flow.StartAttempt"))
	}
	if u, err := url.Parse(redirectURI); err != nil || u.Scheme != "https" || u.Host == "" || u.Fragment != "" {
		errs = append(errs, errors.New("signup: RedirectURL needs an absolute https redirect URI without fragment"))
	}
	extras, err := json.Marshal(l.Login.Extras)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	q := url.Values{
		"client_id":                      {string(l.Init.AppID)},
		"config_id":                      {l.Login.ConfigurationID},
		"response_type":                  {l.Login.ResponseType},
		"override_default_response_type": {"true"},
		"redirect_uri":                   {redirectURI},
		"state":                          {state.Reveal()},
		"extras":                         {string(extras)},
	}
	return "https://www.facebook.com/" + l.Init.Version + "/dialog/oauth?" + q.Encode(), nil
}

// HostedURL returns the address of the page that Meta hosts for your app: a link for businesses
// that come without a page of yours. Meta says that its flow cannot be customized, so this refuses
// whatever would have to be: coexistence first of all, an app-only install, a Setup, a different
// version than [Version4].
//
// No code comes back and no message, and nothing says whose link was used. The account_update
// webhook PARTNER_ADDED tells of the account: see [Flow.Recover].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/hosted-es
func (f *Flow) HostedURL(opts LaunchOptions) (string, error) {
	var errs []error
	bad := func(text string) { errs = append(errs, errors.New("signup: HostedURL: "+text)) }
	switch f.cfg.Mode {
	case ModeCoexistence:
		bad("the page that Meta hosts connects no WhatsApp Business app users; " +
			"use Launch or RedirectURL for coexistence")
	case ModeAppOnly:
		bad("the page that Meta hosts has no app-only install; use Launch")
	}
	if opts.Version != "" && opts.Version != Version4 {
		bad("the page that Meta hosts runs v4 alone")
	}
	if opts.Setup != (Setup{}) || opts.MarketingMessages {
		bad("the page that Meta hosts takes no Setup, solution or feature; it is the same for everybody")
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	q := url.Values{
		"app_id": {string(f.cfg.Client.AppID())}, "config_id": {f.cfg.ConfigurationID},
		"extras": {`{"sessionInfoVersion":"3","version":"v4"}`}, // as the app dashboard writes it
	}
	return "https://business.facebook.com/messaging/whatsapp/onboard/?" + q.Encode(), nil
}
