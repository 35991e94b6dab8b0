package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

const (
	// DefaultVersion is the Graph API version of a client that names none. Meta serves it until
	// 2028-07-29.
	DefaultVersion = "v25.0"

	// DefaultBaseURL is the URL of Meta's Graph API.
	DefaultBaseURL = "https://graph.facebook.com"
)

// Config configures a Client. The zero Config is valid: it makes a client that waits for
// [Client.WithToken].
type Config struct {
	// AppID is the id of your Meta app. OAuth and Apps need it.
	AppID graph.AppID

	// AppSecret adds appsecret_proof to every call, which Meta can be told to require. OAuth and
	// Apps need it. Find it in the app dashboard under App settings, Basic.
	AppSecret graph.Secret

	// AccessToken is a business token from Embedded Signup or a system user token. If empty, calls
	// that need one say so, and [Client.WithToken] provides it.
	AccessToken graph.Secret

	// Version is the Graph API version, such as "v25.0". If empty, [DefaultVersion].
	Version string

	// BaseURL is the scheme and host that serve the Graph API, for tests and proxies. If empty,
	// [DefaultBaseURL]. Plain http is accepted only for this machine, private addresses and names
	// without a dot.
	BaseURL string

	// HTTPClient sends the requests. If nil, a client of its own with timeouts: 10 s to connect, 60
	// s for the answer to begin, 2 minutes for one attempt. Whatever it says about redirects is
	// overruled: a Graph call follows none. A Transport may wrap an [http.Transport], for traces
	// for instance; it must not repeat requests by itself, or calls that may happen only once are
	// no longer safe.
	HTTPClient *http.Client

	// Retry sets how often calls are repeated, and the pauses between. What may be repeated at all
	// is not a setting.
	Retry RetryPolicy

	// Limiter is asked before every attempt to send a message. If nil, a [MemLimiter] of the
	// client's own, shared by all its copies, which takes every number for a coexistence number.
	// Numbers that are not need one that knows them:
	//
	//	Limiter: &cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int {
	//		return cloudapi.StandardRate
	//	}},
	//
	// [Unlimited] holds nothing back.
	Limiter Limiter

	// Logger gets what no caller can see: retries, and a Graph API version that differs from the
	// one asked for. If nil, nothing is logged.
	Logger *slog.Logger

	// Observe is called after every attempt of every call, in the goroutine of the call, for
	// metrics and traces. It must be safe for concurrent use. If nil, nothing is called.
	Observe func(context.Context, Attempt)
}

// A RetryPolicy sets how often calls are repeated, and the pauses between.
type RetryPolicy struct {
	// MaxAttempts counts the first attempt, so that 1 switches retries off. If zero, 4.
	MaxAttempts int

	// MinWait is the pause before the first retry when Meta names none. Later pauses double, with
	// jitter. If zero, 1 s.
	MinWait time.Duration

	// MaxWait is the longest pause. If zero, 30 s. When Meta asks for a longer one, the call ends
	// at once with an [Error] whose RetryAfter says how long: an early retry would only be refused
	// again.
	MaxWait time.Duration
}

// withDefaults fills in what is zero. A MinWait above the default MaxWait raises that, and a
// MaxWait below the default MinWait lowers this, so that one of them can be set alone.
func (r RetryPolicy) withDefaults() RetryPolicy {
	if r.MaxAttempts == 0 {
		r.MaxAttempts = 4
	}
	if r.MaxWait == 0 {
		r.MaxWait = max(30*time.Second, r.MinWait)
	}
	if r.MinWait == 0 {
		r.MinWait = min(time.Second, r.MaxWait)
	}
	return r
}

var versionRe = regexp.MustCompile(`^v[1-9][0-9]*\.[0-9]+$`)

// withDefaults fills in what is empty, except HTTPClient, which NewClient makes.
func (c Config) withDefaults() Config {
	if c.Version == "" {
		c.Version = DefaultVersion
	}
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	c.Retry = c.Retry.withDefaults()
	if c.Limiter == nil {
		c.Limiter = new(MemLimiter)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// validate checks a Config that has its defaults.
func (c Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("cloudapi: Config."+format, args...))
	}
	if !versionRe.MatchString(c.Version) {
		bad(`Version %q does not look like "v25.0"`, c.Version)
	}
	if problem := badBaseURL(c.BaseURL); problem != "" {
		bad("BaseURL %s", problem)
	}
	if !fitsHeader(c.AccessToken) {
		bad("AccessToken holds white space or control characters; look for a line break at its end")
	}
	if !fitsHeader(c.AppSecret) {
		bad("AppSecret holds white space or control characters; look for a line break at its end")
	}
	if strings.ContainsFunc(string(c.AppID), func(r rune) bool { return r < '0' || r > '9' }) {
		bad("AppID is not a number; it is the app's id, not its name")
	}
	if c.Retry.MaxAttempts < 0 {
		bad("Retry.MaxAttempts is negative; 1 switches retries off")
	}
	if c.Retry.MinWait < 0 || c.Retry.MaxWait < 0 {
		bad("Retry.MinWait and MaxWait cannot be negative")
	} else if c.Retry.MinWait > c.Retry.MaxWait {
		bad("Retry.MinWait is longer than MaxWait")
	}
	return errors.Join(errs...)
}

// badBaseURL says what is wrong with s, or nothing. It never repeats s, which may hold a password.
func badBaseURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return "is not a URL with scheme and host"
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "must have neither user, query nor fragment"
	case u.Scheme == "http" && !isNear(u.Hostname()):
		return "must be https: tokens would travel in the clear"
	case u.Scheme != "https" && u.Scheme != "http":
		return "must be https"
	}
	return ""
}

// isNear reports whether a host is this machine or one beside it, such as a simulator in the next
// container.
func isNear(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback() || addr.IsPrivate()
	}
	return !strings.Contains(host, ".")
}

// fitsHeader reports whether a secret can stand in an HTTP header: visible ASCII only.
func fitsHeader(s graph.Secret) bool {
	return !strings.ContainsFunc(s.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
