package coexistencetest

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"rsc.io/qr"
)

// The pages of the popup, of the phone's part in it, and the stand-in for Meta's SDK.
//
//go:embed meta
var metaFiles embed.FS

var (
	dialogPage = template.Must(template.ParseFS(metaFiles, "meta/dialog.html"))
	phonePage  = template.Must(template.ParseFS(metaFiles, "meta/phone.html"))
)

// Pages address the dialog under a version of the Graph API. All that a page of this decade names
// work alike.
const oldestVersion, newestVersion = 17, 40

// sdkLocales are those in which the page of package signup asks for the SDK, and the script is the
// same in all of them.
var sdkLocales = []string{"en_US", "ar_AR", "de_DE", "es_LA", "fr_FR", "hi_IN", "id_ID", "it_IT", "pt_BR"}

// servePopup puts the popup and the SDK under the addresses that they have at Meta:
//
//	GET /en_US/sdk.js            at https://connect.facebook.net, and in the page's other languages
//	GET /v25.0/dialog/oauth      at https://www.facebook.com
//
// and the steps behind them as JSON: see popupHandler.
func (w *World) servePopup() {
	w.graph.Handle("/popups", w.popupHandler())
	w.graph.Handle("/popups/", w.popupHandler())
	for _, locale := range sdkLocales {
		w.graph.Handle("GET /"+locale+"/sdk.js", metaFile("sdk.js", "text/javascript; charset=utf-8"))
	}
	w.graph.Handle("GET /popups/dialog.js", metaFile("dialog.js", "text/javascript; charset=utf-8"))
	w.graph.Handle("GET /popups/dialog.css", metaFile("dialog.css", "text/css; charset=utf-8"))
	w.graph.Handle("GET /dialog/oauth", http.HandlerFunc(w.serveDialog))
	for v := oldestVersion; v <= newestVersion; v++ {
		w.graph.Handle(fmt.Sprintf("GET /v%d.0/dialog/oauth", v), http.HandlerFunc(w.serveDialog))
	}
}

// SDKURL is where the stand-in for Meta's JavaScript SDK is, for the setting of that name in
// package signup. It opens the simulated popup. Behind ?simulate=, separated by commas, it takes
// what happens in the field: redirect (the browser leaves the page and comes back with the code, as
// on some phones), object (the message is an object and no string), code-first, gap-MS
// (milliseconds between message and callback), no-message (none comes), no-code (the callback is
// never called), unknown (it brings no code although the popup was finished).
//
// A browser that resolves connect.facebook.net and www.facebook.com to a TLS server in front of
// [World.URL] runs all of it under Meta's own origins.
func (w *World) SDKURL() string { return w.URL + "/en_US/sdk.js" }

// metaFile serves one of the embedded files. Any origin may load it, since the host's page is on
// another one.
func metaFile(name, contentType string) http.Handler {
	body, err := metaFiles.ReadFile("meta/" + name)
	if err != nil {
		panic("coexistencetest: " + err.Error()) // it is part of the program
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", contentType)
		rw.Header().Set("Access-Control-Allow-Origin", "*")
		rw.Header().Set("Cache-Control", "no-store")
		_, _ = rw.Write(body)
	})
}

// serveDialog opens a popup, with the options of FB.login as the query of the login dialog. A
// window answers its opener; without one, the browser is sent back to redirect_uri, which has to be
// https as at Meta.
func (w *World) serveDialog(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	// The query of the dialog has what the page gave to FB.login, in other places.
	options, err := json.Marshal(map[string]map[string]json.RawMessage{
		"init": {"appId": quote(q.Get("client_id"))},
		"login": {
			"config_id": quote(q.Get("config_id")), "response_type": quote(q.Get("response_type")),
			"redirect_uri":                   quote(q.Get("redirect_uri")),
			"override_default_response_type": boolean(q.Get("override_default_response_type")),
			"extras":                         jsonOr(q.Get("extras"), "{}"),
		},
	})
	var l launch
	if err == nil {
		l, err = parseLaunch(options)
	}
	// A page that is sent away has to be on https, or Meta refuses the dialog. A window answers its
	// opener and needs no address.
	if back, bad := url.Parse(q.Get("redirect_uri")); err == nil && q.Get("display") != "popup" &&
		(bad != nil || back.Scheme != "https") {
		err = fmt.Errorf("coexistencetest: the redirect URI is not an https address")
	}
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	page := struct {
		Page     json.RawMessage `json:"page"`
		Popup    bool            `json:"popup"`
		Callback string          `json:"cb"`
		Origin   string          `json:"origin"`
		Redirect string          `json:"redirect_uri"`
		State    string          `json:"state"`
		Simulate string          `json:"simulate"`
	}{
		w.openPopup(l), q.Get("display") == "popup", q.Get("cb"), q.Get("origin"), q.Get("redirect_uri"),
		q.Get("state"), q.Get("simulate"),
	}
	writePage(rw, dialogPage, page)
}

// writePage writes a page that runs no script but its own, as a dialog of Meta could not be changed
// by the host either.
func writePage[T any](rw http.ResponseWriter, t *template.Template, data T) {
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
		"connect-src 'self'; form-action 'self'")
	_ = t.Execute(rw, data) // the browser went away
}

// boolean is a JSON boolean for a member of a query. Anything but "true" is false.
func boolean(s string) json.RawMessage {
	if s == "true" {
		return json.RawMessage("true")
	}
	return json.RawMessage("false")
}

// jsonOr is s if it is JSON, and otherwise else: Meta opens the popup with broken extras as with
// none.
func jsonOr(s, otherwise string) json.RawMessage {
	if json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	return json.RawMessage(otherwise)
}

// serveQR draws the QR code of a popup, as long as the popup shows one.
func (w *World) serveQR(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	d := w.popups[r.PathValue("id")]
	var text string
	if d != nil && d.existing && d.screen == ScreenVerify {
		// The code is shown on the screen that asks for it, and for a number that is in an app.
		text = d.qr()
	}
	w.mu.Unlock()
	code, err := qr.Encode(text, qr.M)
	if text == "" || err != nil {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", "image/png")
	rw.Header().Set("Cache-Control", "no-store")
	_, _ = rw.Write(code.PNG())
}

// servePhone shows what the phone shows while it is asked to connect, and takes its answer: share,
// keep or refuse. In a browser it stands for the phone in the owner's hand, and is reached by its
// address.
func (w *World) servePhone(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	d := w.popups[r.PathValue("id")]
	var phone *Phone
	if d != nil {
		phone = d.phone
	}
	w.mu.Unlock()
	if phone == nil {
		http.NotFound(rw, r)
		return
	}
	// The page shows what the last answer did, since the popup that it moved is in another window.
	last := "Nothing waits for an answer."
	if r.Method == http.MethodPost {
		answers := map[string]struct {
			do   func() error
			said string
		}{
			"share": {func() error { return phone.Confirm(HistoryShared) },
				"Connected. Your chats are shared. Go back to the window of Facebook."},
			"keep": {func() error { return phone.Confirm(HistoryDeclined) },
				"Connected. Your chats are not shared. Go back to the window of Facebook."},
			"refuse": {phone.Refuse, "You did not connect."},
		}
		r.Body = http.MaxBytesReader(rw, r.Body, 1<<10)
		a, ok := answers[r.FormValue("answer")]
		if !ok || a.do() != nil {
			http.Error(rw, "coexistencetest: the phone has nothing to answer", http.StatusConflict)
			return
		}
		last = a.said
	}
	w.mu.Lock()
	page := struct {
		Business, Number, Code, Last string
		Waiting                      bool
	}{phone.cfg.Business, phone.number, d.code, last, phone.request == d && !d.confirmed}
	w.mu.Unlock()
	writePage(rw, phonePage, page)
}
