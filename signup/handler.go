package signup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// maxBody limits what a page may send: a code and a session message, with room to spare.
const maxBody = 256 << 10

// finishTimeout ends a finish that the browser does not wait for any more.
const finishTimeout = 2 * time.Minute

// Handler answers the page that runs the popup. Mount it under a prefix of the host's choice, with [http.StripPrefix]:
//
//	POST /begin   (no body)
//	→ 200 {"state": "…", "launch": {"init": {…}, "login": {…}}}
//
//	POST /finish  {"state": "…", "code": "…", "session": …, "callback": …, "redirect_uri": "…", "phone_number_id": "…"}
//	→ 200 {"outcome": "ready", "advice": "…", "phone": "+1 555 010 0199"}
//	→ 4xx or 503 {"outcome": "…", "advice": "…", "retry": true, "numbers": [{"id": "…", "phone": "…", "name": "…"}]}
//
// State is required. Session is the data of the window message as it arrived, a string or an object; callback is the argument
// of FB.login's callback and makes code unnecessary; redirect_uri is for a code that came with a redirect. After
// "choose_number" the page sends state and phone_number_id; after another answer with "retry" it sends the state alone, or
// with the code if that came late. Outcomes are those of [Outcome], and "bad_request", "method_not_allowed", "not_found",
// "unauthorized", "cross_origin" and "internal" for requests that are none.
//
// Onboarded is called for every connected business before the page is told, for the host to store it. If it returns an error,
// the page may send its state again, and everything after the exchange is repeated. It gets a context that outlives the
// request: a closed tab must not cost a grant.
//
// Every request must be of [Config].Owner, which Handler panics without, since no answer would make sense. Browsers on other
// origins are turned away ([http.CrossOriginProtection], see [Config].TrustedOrigins), and a code can only be submitted with
// a state that was begun for the same owner, so that no third page can connect its account to this owner. Answers hold no
// secret but the state, and are not cached.
func (f *Flow) Handler(onboarded func(ctx context.Context, b *Business) error) http.Handler {
	if f.cfg.Owner == nil || onboarded == nil {
		panic("signup: Flow.Handler needs Config.Owner and a function for businesses that are connected")
	}
	mux := http.NewServeMux()
	mux.Handle("/begin", f.endpoint(f.serveBegin))
	mux.Handle("/finish", f.endpoint(func(w http.ResponseWriter, r *http.Request, owner string) {
		f.serveFinish(w, r, owner, onboarded)
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, answer{Outcome: "not_found", Advice: "There are /begin and /finish."})
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
	return guard.Handler(mux)
}

// An answer is the JSON of every response but the one to begin.
type answer struct {
	Outcome Outcome        `json:"outcome"`
	Advice  string         `json:"advice"`
	Phone   string         `json:"phone,omitzero"`
	Retry   bool           `json:"retry,omitzero"`
	Numbers []answerNumber `json:"numbers,omitzero"`
}

type answerNumber struct {
	ID    graph.PhoneNumberID `json:"id"`
	Phone string              `json:"phone"`
	Name  string              `json:"name"`
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
	reply(w, http.StatusOK, struct {
		State  string `json:"state"`
		Launch Launch `json:"launch"`
	}{a.State, launch})
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
		status := http.StatusBadRequest
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			status = http.StatusRequestEntityTooLarge
		}
		reply(w, status, answer{Outcome: "bad_request", Advice: err.Error()})
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
	a := answer{Outcome: e.Outcome, Advice: e.Advice(), Retry: e.Outcome.Resumable()}
	if b != nil {
		for _, n := range b.Numbers {
			a.Numbers = append(a.Numbers, answerNumber{n.Phone.ID, n.Phone.DisplayPhoneNumber, n.Phone.VerifiedName})
		}
	}
	reply(w, outcomes[e.Outcome].status, a)
}

// readSubmission reads the body of a finish. Its errors say nothing of what they found.
func readSubmission(r *http.Request, owner string) (Submission, error) {
	var body struct {
		State       string          `json:"state"`
		Code        string          `json:"code"`
		Session     json.RawMessage `json:"session"`
		Callback    json.RawMessage `json:"callback"`
		RedirectURI string          `json:"redirect_uri"`
		Phone       string          `json:"phone_number_id"`
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return Submission{}, errors.New("signup: send JSON, with the content type application/json")
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return Submission{}, fmt.Errorf("signup: the body is incomplete or too large: %w", err)
	}
	if json.Unmarshal(b, &body) != nil || body.State == "" {
		return Submission{}, errors.New("signup: send an object with state, and with code, session or both")
	}
	sub := Submission{
		State: body.State, Owner: owner, Code: graph.Secret(body.Code), RedirectURI: body.RedirectURI,
		Phone: graph.PhoneNumberID(body.Phone),
	}
	if sub.Phone != "" && !isID(sub.Phone) {
		return Submission{}, errors.New("signup: phone_number_id is not an id")
	}
	if present(body.Session) {
		// What is no session message is the page's mistake and no reason to lose a code.
		if s, err := ParseSession(body.Session); err == nil {
			sub.Session = s
		}
	}
	if present(body.Callback) && sub.Code.IsZero() {
		c, err := ParseCallback(body.Callback)
		if err != nil {
			return Submission{}, err
		}
		sub.Code = c.Code
		// With a session message it depends on that: the code can get lost although the flow was finished.
		if err := c.Problem(); err != nil && (sub.Session == nil || !c.AccessToken.IsZero()) {
			return Submission{}, err
		}
	}
	return sub, nil
}

func present(v json.RawMessage) bool { return len(v) > 0 && string(v) != "null" }
