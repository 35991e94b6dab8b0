package signup

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// The script is plain JavaScript, without a build step, and so are the styles CSS.
//
//go:embed web
var web embed.FS

// addPage serves the script, its looks, its texts and a page to try it on. Browsers ask each time
// whether a file has changed, so that a new version of the host has its script at once.
func (f *Flow) addPage(mux *http.ServeMux) {
	type asset struct{ name, contentType string }
	assets := map[string]asset{
		"{$}":         {"page.html", "text/html; charset=utf-8"},
		"connect.js":  {"connect.js", "text/javascript; charset=utf-8"},
		"connect.css": {"connect.css", "text/css; charset=utf-8"},
		"page.css":    {"page.css", "text/css; charset=utf-8"},
	}
	texts, _ := web.ReadDir("web/texts") // it is part of the program
	for _, language := range texts {
		name := "texts/" + language.Name()
		assets[name] = asset{name, "application/json"}
	}
	for path, file := range assets {
		body, _ := web.ReadFile("web/" + file.name) // it is part of the program
		sum := sha256.Sum256(body)
		tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		mux.HandleFunc("GET "+f.cfg.Page.Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			if path == "{$}" {
				maps.Copy(h, f.PageHeaders())
			}
			h.Set("Content-Type", file.contentType)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-cache") // ask whether it is still the same
			h.Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			_, _ = w.Write(body) // the browser went away
		})
	}
}

// PageHeaders returns the headers of the handler's own page, for hosts that serve theirs. What
// matters of them:
//
//   - Cross-Origin-Opener-Policy must not be same-origin, which cuts the popup off: no message, no
//     code and no error come back. same-origin-allow-popups is fine, and keeps hostile openers
//     away.
//   - A Content-Security-Policy has to let Meta's SDK load and call its hosts. Nothing here needs
//     unsafe-inline. What Meta's SDK loads beyond that is not documented, so try the real one with
//     your own policy. A page of another origin than the handler adds that of the handler to
//     script-src, style-src and connect-src.
func (f *Flow) PageHeaders() http.Header {
	meta := "https://*.facebook.com https://connect.facebook.net"
	if origin := f.simulatorOrigin(); origin != "" {
		meta += " " + origin
	}
	return http.Header{
		"Cross-Origin-Opener-Policy": {"same-origin-allow-popups"},
		"Referrer-Policy":            {"strict-origin-when-cross-origin"},
		"Content-Security-Policy": {strings.Join([]string{
			"default-src 'none'", "script-src 'self' " + meta, "connect-src 'self' " + meta, "frame-src " + meta,
			"img-src 'self' data: " + meta, "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'",
			"base-uri 'none'",
		}, "; ")},
	}
}

// simulatorOrigin is the origin of a simulator's SDK, or empty if the page loads Meta's. The page
// must accept messages from there, and its policy must let it load.
func (f *Flow) simulatorOrigin() string {
	u, err := url.Parse(f.cfg.Page.SDKURL)
	if err != nil || u.Scheme == "https" && u.Host == "connect.facebook.net" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// redirectURL is Launch.RedirectURL, at the simulator if there is one.
func (f *Flow) redirectURL(l Launch, state graph.Secret) (string, error) {
	address, err := l.RedirectURL(state, f.cfg.Page.RedirectURI)
	if origin := f.simulatorOrigin(); err == nil && origin != "" {
		address = origin + strings.TrimPrefix(address, "https://www.facebook.com")
	}
	return address, err
}

// serveCheck asks [PageConfig].Check before the popup opens. A number that cannot take part is no
// error: the answer is 200, with the reasons for the business.
func (f *Flow) serveCheck(w http.ResponseWriter, r *http.Request, tenant string, posted []byte) {
	var body struct {
		Number     string   `json:"number"`
		AppVersion string   `json:"app_version"`
		AppState   AppState `json:"app_state"`
	}
	if err := readJSON(r, posted, &body); err != nil {
		badRequest(w, err)
		return
	}
	if f.cfg.Page.Check == nil {
		reply(w, http.StatusOK, CheckResult{Eligible: true})
		return
	}
	asked := CheckParams{strings.TrimSpace(body.Number), strings.TrimSpace(body.AppVersion), body.AppState}
	result, err := f.cfg.Page.Check(r.Context(), tenant, asked)
	if err != nil {
		f.cfg.Logger.ErrorContext(r.Context(), "a number could not be checked", "err", err)
		reply(w, http.StatusInternalServerError, answer{
			Outcome: "internal", Advice: "The check does not work now. Try again later.",
		})
		return
	}
	reply(w, http.StatusOK, result)
}

// serveStatus tells how far an attempt has come: the page asks while a finish runs, and after a
// redirect, where no answer of /finish reached it.
func (f *Flow) serveStatus(w http.ResponseWriter, r *http.Request, tenant string, posted []byte) {
	var body struct {
		State string `json:"state"`
	}
	if err := readJSON(r, posted, &body); err != nil {
		badRequest(w, err)
		return
	}
	s, err := f.Status(r.Context(), graph.Secret(body.State), tenant)
	if e, ok := errors.AsType[*Error](err); ok {
		reply(w, outcomes[e.Outcome].status, answer{Outcome: e.Outcome, Advice: e.Advice()})
		return
	}
	reply(w, http.StatusOK, struct {
		Phase Phase `json:"phase"`
		Step  Step  `json:"step"`
		answer
	}{s.Phase, s.Step, answer{
		Outcome: s.Outcome, Advice: s.Advice, Actor: s.Outcome.Actor(), Phone: s.PhoneNumber,
		Retry: s.Outcome.Resumable(), Numbers: s.Choices,
	}})
}

// serveBack takes the browser that comes back from the login dialog, and sends it on to the page,
// which asks for the status.
func (f *Flow) serveBack(w http.ResponseWriter, r *http.Request) {
	tenant, err := f.cfg.Page.Tenant(r)
	if err != nil || tenant == "" {
		f.cfg.Logger.WarnContext(r.Context(), "signup request without tenant", "err", err)
		reply(w, http.StatusUnauthorized, answer{Outcome: "unauthorized", Advice: "Sign in, then start again."})
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), finishTimeout)
	defer cancel()
	back, err := ParseRedirect(r.URL.RawQuery)
	if err == nil && f.cfg.Page.RedirectURI != "" {
		sub := Submission{State: back.State, Tenant: tenant, Code: back.Code, RedirectURI: f.cfg.Page.RedirectURI}
		if e, ok := errors.AsType[*Error](back.Err()); ok {
			sub.Session = e.session()
		}
		_, err = f.Finish(ctx, sub)
	}
	if err != nil {
		f.cfg.Logger.WarnContext(ctx, "signup by redirect did not connect a business", "err", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address of this request holds a code
	// Relative to the address that the browser knows: a router in front may have stripped the
	// prefix.
	w.Header().Set("Location", f.cfg.Page.PageURL)
	w.WriteHeader(http.StatusSeeOther)
}

// session is what the popup would have said: a redirect comes without a message.
func (e *Error) session() *SessionInfo {
	if e.Outcome == OutcomeCanceled {
		return &SessionInfo{Event: EventCancel}
	}
	return &SessionInfo{Event: EventError, Error: &SessionError{Code: e.Code, At: graph.Timestamp{Time: time.Now()}}}
}
