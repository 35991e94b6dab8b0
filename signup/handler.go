package signup

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// maxBody limits what a page may send: a code and a session message, with room to spare.
const maxBody = 256 << 10

// finishTimeout ends a finish that the browser does not wait for any more.
const finishTimeout = 2 * time.Minute

// Handler serves what a page needs for a signup. Mount it under a prefix of the host's choice, with [http.StripPrefix], and
// put one tag into a page of yours, where the signup shall be:
//
//	<script src="/signup/connect.js" defer></script>
//
// The script says what happens in plain words, asks [Config].Check first, opens Meta's popup, joins what comes back, shows the
// progress, and fires a "whatsapp-signup" event on the document when the signup ended, with detail.outcome and detail.phone. A page of
// its own is at "/", to try it. See [Flow.PageHeaders] for what the headers of your page must allow.
//
//	GET  /              a page with nothing but the signup
//	GET  /connect.js    the script, and /connect.css, its looks
//	GET  /back          Config.RedirectURI: the browser comes back from the login dialog, and goes on to Config.PageURL
//
//	POST /begin   (no body)
//	→ 200 {"state": "…", "expires_in": 3600, "mode": "coexistence", "launch": {"init": {…}, "login": {…}}, "sdk": "…",
//	       "steps": ["state", …], "check": true, "redirect": "…"}
//
//	POST /check   {"state": "…", "number": "…", "app_version": "…"}
//	→ 200 {"eligible": false, "reasons": [{"text": "…", "remedy": "…"}], "notes": ["…"]}
//
//	POST /finish  {"state": "…", "code": "…", "session": …, "callback": …, "redirect_uri": "…", "phone_number_id": "…",
//	               "send_code": "SMS", "language": "en_US", "verification_code": "…"}
//	→ 200 {"outcome": "ready", "advice": "…", "phone": "+1 555 010 0199"}
//	→ 4xx or 503 {"outcome": "…", "advice": "…", "actor": "business", "retry": true, "numbers": [{"id": "…", "phone": "…", "name": "…"}]}
//
//	POST /status  {"state": "…"}
//	→ 200 {"running": true, "granted": true, "ended": false, "step": "verify", "outcome": "…", "advice": "…", …}
//
// Show an advice only to whom it is for: the actor. State is required in /finish and /status. A host with a page of its own making
// uses the POSTs without the script:
//
//   - session is the data of the window message as it arrived, a string or an object. callback is the argument of FB.login's callback
//     and makes code unnecessary; redirect_uri is for a code that came with a redirect.
//   - After "choose_number" the page sends state and phone_number_id.
//   - After "number_unverified" it sends state and send_code, SMS or VOICE, and then state and verification_code.
//   - After another answer with "retry" it sends the state alone, or with the code if that came late.
//
// Outcomes are those of [Outcome], and "bad_request", "method_not_allowed", "not_found", "unauthorized", "cross_origin" and
// "internal" for requests that are none.
//
// Onboarded is called for every connected business before the page is told, for the host to store it. If it returns an error,
// the page may send its state again, and everything after the exchange is repeated. It gets a context that outlives the
// request: a closed tab must not cost a grant.
//
// Every POST, and /back, must be of [Config].Owner, which Handler panics without, since no answer would make sense. Browsers on
// other origins are turned away ([http.CrossOriginProtection]), except for [Config].TrustedOrigins, which may call with the cookies of
// this one. A code can only be submitted with a state that was begun for the same owner, so that no third page can connect its account
// to this owner. Answers hold no secret but the state, and are not cached.
func (f *Flow) Handler(onboarded func(ctx context.Context, b *Business) error) http.Handler {
	if f.cfg.Owner == nil || onboarded == nil {
		panic("signup: Flow.Handler needs Config.Owner and a function for businesses that are connected")
	}
	mux := http.NewServeMux()
	mux.Handle("/begin", f.endpoint(f.serveBegin))
	mux.Handle("/check", f.endpoint(f.serveCheck))
	mux.Handle("/status", f.endpoint(f.serveStatus))
	mux.Handle("/finish", f.endpoint(func(w http.ResponseWriter, r *http.Request, owner string) {
		f.serveFinish(w, r, owner, onboarded)
	}))
	mux.HandleFunc("GET /back", func(w http.ResponseWriter, r *http.Request) { f.serveBack(w, r, onboarded) })
	f.addPage(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, answer{
			Outcome: "not_found", Advice: "There are /begin, /check, /finish, /status, /back, /connect.js and /. Mount the handler with http.StripPrefix.",
		})
	})
	guard := http.NewCrossOriginProtection()
	for _, origin := range f.cfg.TrustedOrigins {
		if err := guard.AddTrustedOrigin(origin); err != nil {
			panic("signup: " + err.Error()) // NewFlow checked it
		}
	}
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusForbidden, answer{Outcome: "cross_origin", Advice: "Add the page's origin to Config.TrustedOrigins."})
	}))
	return f.shared(guard.Handler(mux))
}

// shared lets pages of the trusted origins read the answers, and send the cookies of this one.
func (f *Flow) shared(next http.Handler) http.Handler {
	if len(f.cfg.TrustedOrigins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, origin := w.Header(), r.Header.Get("Origin")
		h.Add("Vary", "Origin")
		if slices.Contains(f.cfg.TrustedOrigins, origin) {
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

// An answer is the JSON of every response but the one to begin.
type answer struct {
	Outcome Outcome     `json:"outcome"`
	Advice  string      `json:"advice"`
	Actor   graph.Actor `json:"actor,omitzero"` // for whom the advice is
	Code    graph.Code  `json:"code,omitzero"`  // of Meta's, and what else its support asks for
	Session string      `json:"session_id,omitzero"`
	Phone   string      `json:"phone,omitzero"`
	Retry   bool        `json:"retry,omitzero"`
	Numbers []Choice    `json:"numbers,omitzero"`
}

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

// endpoint does what both endpoints begin with.
func (f *Flow) endpoint(serve func(http.ResponseWriter, *http.Request, string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			reply(w, http.StatusMethodNotAllowed, answer{Outcome: "method_not_allowed", Advice: "Use POST."})
			return
		}
		owner, err := f.cfg.Owner(r)
		if err != nil || owner == "" {
			f.cfg.Logger.WarnContext(r.Context(), "signup request without owner", "err", err)
			reply(w, http.StatusUnauthorized, answer{Outcome: "unauthorized", Advice: "Sign in, then start again."})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		serve(w, r, owner)
	})
}

func (f *Flow) serveBegin(w http.ResponseWriter, r *http.Request, owner string) {
	launch, a, err := f.begin(r.Context(), owner)
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
	}{State: a.State, Expires: int(f.cfg.AttemptTTL / time.Second), Mode: f.cfg.Mode, Launch: launch, SDK: f.cfg.SDKURL, Origin: f.standIn(), Steps: f.Steps(), Check: f.cfg.Check != nil}
	if f.cfg.RedirectURI != "" {
		answer.Redirect, err = f.redirectURL(launch, a.State)
		if err != nil { // NewFlow has checked the address
			f.cfg.Logger.ErrorContext(r.Context(), "signup has no address to redirect to", "err", err)
		}
	}
	reply(w, http.StatusOK, answer)
}

func (f *Flow) begin(ctx context.Context, owner string) (Launch, *Attempt, error) {
	var opts LaunchOptions
	if f.cfg.LaunchFor != nil {
		var err error
		if opts, err = f.cfg.LaunchFor(ctx, owner); err != nil {
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
	a, err := f.Begin(ctx, owner)
	return launch, a, err
}

func (f *Flow) serveFinish(w http.ResponseWriter, r *http.Request, owner string, onboarded func(context.Context, *Business) error) {
	sub, err := readSubmission(r, owner)
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
	b, err := f.finishWith(ctx, sub, func(b *Business) error { return onboarded(ctx, b) })
	if e, ok := errors.AsType[*Error](err); ok {
		f.fail(w, r, b, e)
		return
	}
	for _, warning := range b.Warnings {
		f.cfg.Logger.WarnContext(ctx, "business connected with a warning", "phone", b.Phone.ID, "waba", b.WABA, "warning", warning)
	}
	reply(w, http.StatusOK, answer{Outcome: b.Outcome, Advice: b.Outcome.Advice(), Phone: b.Phone.DisplayPhoneNumber})
}

func (f *Flow) fail(w http.ResponseWriter, r *http.Request, b *Business, e *Error) {
	f.cfg.Logger.WarnContext(r.Context(), "signup did not connect a business", "outcome", e.Outcome, "step", e.Step,
		"code", int(e.Code), "screen", e.Screen, "session", e.SessionID, "err", e.Err)
	a := answer{
		Outcome: e.Outcome, Advice: e.Advice(), Actor: e.Outcome.Actor(), Code: e.Code, Session: e.SessionID, Retry: e.Outcome.Resumable(),
	}
	if b != nil {
		a.Numbers = choices(b)
		if b.Phone != nil {
			a.Phone = b.Phone.DisplayPhoneNumber
		}
	}
	reply(w, outcomes[e.Outcome].status, a)
}

func badRequest(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status = http.StatusRequestEntityTooLarge
	}
	reply(w, status, answer{Outcome: "bad_request", Advice: err.Error()})
}
