package signup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/httpbody"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/logword"
)

// maxBody limits what a page may send: a code and a session message, with room to spare.
const maxBody = 256 << 10

// finishTimeout ends a finish that the browser does not wait for any more.
const finishTimeout = 2 * time.Minute

// Handler serves what a page needs for a signup, by [Config].Page. Mount it at [PageConfig].Prefix
// and put one tag into a page of yours, where the signup shall be:
//
//	mux.Handle("/signup/", flow.Handler())
//
//	<script src="/signup/connect.js" defer></script>
//
// The script says what happens in plain words, asks [PageConfig].Check first, opens Meta's popup,
// joins what comes back, shows the progress, and fires a "whatsapp-signup" event on the document
// when the signup ended, with detail.outcome and detail.phone. A page of its own is at the prefix,
// to try it. See [Flow.PageHeaders] for what the headers of your page must allow. Below the prefix
// there are
//
//	GET  /              a page with nothing but the signup
//	GET  /connect.js    the script, /connect.css, its looks, and /texts/, its words in languages
//	                    other than English
//	GET  /back          PageConfig.RedirectURI: the browser comes back from the login dialog,
//	                    and goes on to PageConfig.PageURL
//
//	POST /begin   (no body)
//	→ 200 {"state": "…", "expires_in": 3600, "mode": "coexistence", "sdk": "…",
//	       "launch": {"init": {…}, "login": {…}},
//	       "steps": ["state", …], "check": true, "redirect": "…"}
//
//	POST /check   {"state": "…", "number": "…", "app_state": "works", "app_version": "…"}
//	→ 200 {"eligible": false,
//	       "reasons": [{"text": "…", "remedy": "…", "code": "app_version", "params": {…}}],
//	       "notes": [{"text": "…", "code": "activity"}]}
//
//	POST /finish  {"state": "…", "code": "…", "session": …, "callback": …, "redirect_uri": "…",
//	               "phone_number_id": "…", "send_code": "SMS", "language": "en_US",
//	               "verification_code": "…"}
//	→ 200 {"outcome": "ready", "advice": "…", "phone": "+1 555 010 0199"}
//	→ 4xx or 503 {"outcome": "…", "advice": "…", "actor": "business", "retry": true,
//	              "numbers": [{"id": "…", "phone": "…", "name": "…"}]}
//
//	POST /status  {"state": "…"}
//	→ 200 {"phase": "running", "step": "verify", "outcome": "…", "advice": "…", …}
//
// Show an advice only to whom it is for: the actor. State is required in /finish and /status. A
// host with a page of its own making uses the POSTs without the script:
//
//   - session is the data of the window message as it arrived, a string or an object. callback is
//     the argument of FB.login's callback and makes code unnecessary; redirect_uri is for a code
//     that came with a redirect.
//   - After "choose_number" the page sends state and phone_number_id.
//   - After "number_unverified" it sends state and send_code, SMS or VOICE, and then state and
//     verification_code.
//   - After another answer with "retry" it sends the state alone, or with the code if that came
//     late.
//
// Outcomes are those of [Outcome], and "bad_request", "method_not_allowed", "not_found",
// "unauthorized", "cross_origin" and "internal" for requests that are none.
//
// [Config].Connected is called for every connected business before the page gets the result.
//
// Every POST, and /back, must be of a tenant ([PageConfig].Tenant). Browsers on other origins are
// turned away ([http.CrossOriginProtection]), except for [PageConfig].TrustedOrigins, which may
// call with the cookies of this one. A code can only be submitted with a state that was begun for
// the same tenant, so that no third page can connect its account to this tenant. Answers hold no
// secret but the state, and are not cached.
//
// A Flow without Config.Page answers everything with 404.
func (f *Flow) Handler() http.Handler {
	mux, page := http.NewServeMux(), f.cfg.Page
	notFound := "There are begin, check, finish, status, back, connect.js and a page below " + page.Prefix +
		", where the handler has to be mounted."
	if page.Tenant == nil {
		notFound = "Set Config.Page."
	} else {
		mux.Handle(page.Prefix+"begin", f.endpoint(f.serveBegin))
		mux.Handle(page.Prefix+"check", f.endpoint(f.serveCheck))
		mux.Handle(page.Prefix+"status", f.endpoint(f.serveStatus))
		mux.Handle(page.Prefix+"finish", f.endpoint(f.serveFinish))
		mux.HandleFunc("GET "+page.Prefix+"back", f.serveBack)
		f.addPage(mux)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, answer{Outcome: "not_found", Advice: notFound})
	})
	guard := http.NewCrossOriginProtection()
	for _, origin := range page.TrustedOrigins {
		_ = guard.AddTrustedOrigin(origin) // NewFlow has checked it
	}
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusForbidden, answer{
			Outcome: "cross_origin", Advice: "Add the page's origin to PageConfig.TrustedOrigins.",
		})
	}))
	return f.shared(guard.Handler(mux))
}

// shared lets pages of the trusted origins read the answers, and send the cookies of this one. It
// answers the preflight itself, which browsers send without cookies: the endpoints take POST only.
func (f *Flow) shared(next http.Handler) http.Handler {
	if len(f.cfg.Page.TrustedOrigins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, origin := w.Header(), r.Header.Get("Origin")
		h.Add("Vary", "Origin")
		if slices.Contains(f.cfg.Page.TrustedOrigins, origin) {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", http.MethodPost)
				h.Set("Access-Control-Allow-Headers", "Content-Type")
				h.Set("Access-Control-Max-Age", "600") // seconds
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// An answer is the JSON of every response but the one to begin. The page's script, and pages of
// hosts' own making, read it by these names.
type answer struct {
	Outcome Outcome        `json:"outcome"`
	Advice  string         `json:"advice"`
	Actor   graph.Actor    `json:"actor,omitzero"` // for whom the advice is
	Code    graph.Code     `json:"code,omitzero"`  // of Meta's, and what else its support asks for
	Session string         `json:"session_id,omitzero"`
	Phone   string         `json:"phone,omitzero"`
	Retry   bool           `json:"retry,omitzero"`
	Numbers []NumberChoice `json:"numbers,omitzero"`
}

// reply writes an answer. None may be cached: an answer to begin holds a state.
func reply[T any](w http.ResponseWriter, status int, body T) {
	b, err := json.Marshal(body)
	if err != nil { // all answers are made of strings
		status, b = http.StatusInternalServerError, []byte(`{"outcome":"internal","advice":""}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the browser went away
}

// endpoint does what every POST begins with: the method, whose request it is, and the body, within
// a limit. The tenant is never taken from the body, which a page could write anything into.
func (f *Flow) endpoint(serve func(http.ResponseWriter, *http.Request, string, []byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpbody.Deadline(w)
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			reply(w, http.StatusMethodNotAllowed, answer{Outcome: "method_not_allowed", Advice: "Use POST."})
			return
		}
		tenant, err := f.cfg.Page.Tenant(r)
		if err != nil || tenant == "" {
			f.cfg.Logger.WarnContext(r.Context(), "signup request without tenant", "err", err)
			reply(w, http.StatusUnauthorized, answer{Outcome: "unauthorized", Advice: "Sign in, then start again."})
			return
		}
		body, err := httpbody.Read(w, r, maxBody)
		if err != nil {
			badRequest(w, fmt.Errorf("signup: the body is incomplete, too slow or too large: %w", err))
			return
		}
		serve(w, r, tenant, body)
	})
}

// serveBegin makes an attempt, and answers with all that the script needs before the click: what it
// fetched after the click would make the browser block the popup. Nothing of the answer is a secret
// but the state.
func (f *Flow) serveBegin(w http.ResponseWriter, r *http.Request, tenant string, _ []byte) {
	launch, a, err := f.begin(r.Context(), tenant)
	if err != nil {
		f.cfg.Logger.ErrorContext(r.Context(), "signup did not begin", "err", err)
		reply(w, http.StatusInternalServerError, answer{Outcome: "internal", Advice: "Try again later."})
		return
	}
	answer := struct {
		State    string `json:"state"`
		Expires  int    `json:"expires_in"` // seconds
		Mode     Mode   `json:"mode"`
		Launch   Launch `json:"launch"`
		SDK      string `json:"sdk"`
		Origin   string `json:"origin"`
		Steps    []Step `json:"steps"`
		Check    bool   `json:"check"`
		Redirect string `json:"redirect,omitzero"`
	}{
		State: a.State.Reveal(), Expires: int(f.cfg.AttemptTTL / time.Second), Mode: f.cfg.Mode, Launch: launch,
		SDK: f.cfg.Page.SDKURL, Origin: f.simulatorOrigin(), Steps: f.Steps(), Check: f.cfg.Page.Check != nil,
	}
	if f.cfg.Page.RedirectURI != "" {
		answer.Redirect, err = f.redirectURL(launch, a.State)
		if err != nil { // NewFlow has checked the address
			f.cfg.Logger.ErrorContext(r.Context(), "signup has no address to redirect to", "err", err)
		}
	}
	reply(w, http.StatusOK, answer)
}

// begin makes the options of a tenant's launch first: an attempt that cannot be launched is none.
func (f *Flow) begin(ctx context.Context, tenant string) (Launch, *Attempt, error) {
	var opts LaunchOptions
	if f.cfg.Page.LaunchFor != nil {
		var err error
		if opts, err = f.cfg.Page.LaunchFor(ctx, tenant); err != nil {
			return Launch{}, nil, err
		}
	}
	launch, err := f.Launch(opts)
	if err != nil {
		return Launch{}, nil, err
	}
	for _, w := range launch.Warnings {
		f.cfg.Logger.WarnContext(ctx, "signup launch may go wrong", "warning", w)
	}
	a, err := f.StartAttempt(ctx, tenant)
	return launch, a, err
}

// serveFinish goes on when the browser has gone away, up to [finishTimeout]: a closed tab must not
// cost a token that can be got only once.
func (f *Flow) serveFinish(w http.ResponseWriter, r *http.Request, tenant string, posted []byte) {
	sub, err := readSubmission(r, posted, tenant)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			f.fail(w, r, nil, e)
			return
		}
		badRequest(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), finishTimeout)
	defer cancel()
	b, err := f.Finish(ctx, sub)
	if e, ok := errors.AsType[*Error](err); ok {
		f.fail(w, r, b, e)
		return
	}
	for _, warning := range b.Warnings {
		f.cfg.Logger.WarnContext(ctx, "business connected with a warning",
			"phone", b.Phone.ID, "waba", b.WABAID, "warning", warning)
	}
	reply(w, http.StatusOK, answer{Outcome: b.Outcome, Advice: b.Outcome.Advice(), Phone: b.Phone.DisplayPhoneNumber})
}

// fail answers for a signup that did not connect a business. B holds what there is to choose from,
// and is nil without a token. The cause is logged and not told: it is the host's business.
func (f *Flow) fail(w http.ResponseWriter, r *http.Request, b *Connection, e *Error) {
	f.cfg.Logger.WarnContext(r.Context(), "signup did not connect a business", "outcome", e.Outcome, "step", e.Step,
		"code", int(e.Code), "screen", logword.Plain(string(e.Screen)), "session", logword.Plain(e.SessionID),
		"err", e.Err)
	a := answer{
		Outcome: e.Outcome, Advice: e.Advice(), Actor: e.Outcome.Actor(), Code: e.Code, Session: e.SessionID,
		Retry: e.Outcome.Resumable(),
	}
	if b != nil {
		a.Numbers = choices(b)
		if b.Phone != nil {
			a.Phone = b.Phone.DisplayPhoneNumber
		}
	}
	reply(w, outcomes[e.Outcome].status, a)
}

// badRequest answers for a request that is none. Its errors are ours, and say nothing of what was
// sent.
func badRequest(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status = http.StatusRequestEntityTooLarge
	}
	reply(w, status, answer{Outcome: "bad_request", Advice: err.Error()})
}
