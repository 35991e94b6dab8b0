package signup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
)

// DefaultSDKURL is the URL of Meta's JavaScript SDK, in English. The page loads it in its own
// language.
const DefaultSDKURL = "https://connect.facebook.net/en_US/sdk.js"

const defaultPrefix = "/signup/"

// A PageConfig configures [Flow.Handler] and its page. Tenant is required, and [Config].Connected
// with it.
type PageConfig struct {
	// Prefix is the path under which the host mounts the handler, such as "/whatsapp/signup/": it
	// begins and ends with a slash, and is what http.Handle gets. If a router in front strips it,
	// "/". If empty, "/signup/".
	Prefix string

	// Tenant says for whom a request is: the host's name for its customer or user. Take it from the
	// host's own session. An error, or an empty name, is answered with 401.
	Tenant func(*http.Request) (string, error)

	// Check says whether a number may take part, before Meta's popup opens: the page asks the
	// business for the number, what its app shows and its version. PageCheck of package
	// coexistence/eligibility has the rules. If nil, the page asks nothing.
	Check CheckFunc

	// SDKURL is the URL from which the page loads Meta's JavaScript SDK. If empty, or
	// [DefaultSDKURL], from Meta in the language of the page. Only a simulator has another host,
	// and then the page believes that host's messages, too.
	SDKURL string

	// RedirectURI is the https address of the handler's "back", such as
	// "https://app.example.com/signup/back", registered in the app dashboard, for browsers where
	// Meta's SDK is blocked or no popup can open. If empty, the page only says so.
	RedirectURI string

	// PageURL is the address to which "back" sends the browser at the end: the page with the
	// script. If empty, the handler's own page.
	PageURL string

	// LaunchFor returns the options of the launch for a tenant's page, such as a Setup filled from
	// the host's records. If nil, none.
	LaunchFor func(ctx context.Context, tenant string) (LaunchOptions, error)

	// TrustedOrigins may call the handler beside its own origin, such as "https://app.example.com"
	// for a page whose script comes from api.example.com. A session cookie has to reach the handler
	// from there: two names under one domain will do.
	TrustedOrigins []string
}

// withDefaults fills in what a host may leave empty.
func (p PageConfig) withDefaults() PageConfig {
	if p.Prefix == "" {
		p.Prefix = defaultPrefix
	}
	if p.SDKURL == "" {
		p.SDKURL = DefaultSDKURL
	}
	if p.PageURL == "" {
		p.PageURL = "./"
	}
	return p
}

// prefixRe matches paths that mean the same to a browser and to an [http.ServeMux]: nothing to
// escape, no dots to resolve.
var prefixRe = regexp.MustCompile(`^/([A-Za-z0-9_~-][A-Za-z0-9._~-]*/)*$`)

// validate checks a PageConfig that has its defaults. Without a Tenant there is no page, so that
// only what has been set may be wrong.
func (p PageConfig) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("signup: Config.Page."+format, args...))
	}
	used := p.Prefix != defaultPrefix || p.Check != nil || p.RedirectURI != "" || p.PageURL != "./" ||
		p.LaunchFor != nil || p.TrustedOrigins != nil
	if p.Tenant == nil && used {
		bad("Tenant is nil; take the tenant of a request from your own session")
	}
	if !prefixRe.MatchString(p.Prefix) {
		bad(`Prefix %q does not look like "/signup/"`, p.Prefix)
	}
	if u, err := url.Parse(p.SDKURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		bad("SDKURL is not the address of a script; leave it empty")
	}
	back, err := url.Parse(p.RedirectURI)
	if p.RedirectURI != "" && (err != nil || back.Scheme != "https" || back.Host == "" || back.Fragment != "") {
		bad("RedirectURI is not an absolute https address without fragment")
	}
	if _, err := url.Parse(p.PageURL); err != nil {
		bad("PageURL is not an address")
	}
	for _, origin := range p.TrustedOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			bad(`TrustedOrigins: %q does not look like "https://app.example.com"`, origin)
		}
	}
	return errors.Join(errs...)
}
