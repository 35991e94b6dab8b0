// Package board is a page on which a person plays the phones of the simulator: the business, its
// customers, Embedded Signup and the life of the number. The program simulator and the example saas
// show it.
//
// # How the page works
//
// The page shows a view, which the server sends whenever something changes, and calls the control
// API (package control) when a button is pressed. So several windows may show the same board, which
// also shows what programs change.
//
// # Two ways of use
//
//   - A board on a page of its own shows all phones of a world, the settings that a host needs, and
//     the host's Graph calls.
//   - A board beside a host's page ([Config].Beside, and [Rack] for several visitors) shows one
//     phone. It has no popup of its own: the host's page opens one, and the board is the phone that
//     confirms.
//
// Anyone who can open the page controls the whole world, so use it on your own machine.
package board

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"time"
)

//go:embed page.html page.css page.js
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// tick is how often serveEvents checks for changes. It polls, because the content of a board comes
// from several parts of the world.
const tick = 300 * time.Millisecond

// Routes returns the handler of the page, its events and the control API, to be mounted under any
// prefix. Pages of other origins cannot call it.
func (b *Board) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.servePage)
	mux.Handle("GET /page.css", http.FileServerFS(files))
	mux.Handle("GET /page.js", http.FileServerFS(files))
	mux.HandleFunc("GET /events", b.serveEvents)
	mux.HandleFunc("GET /report", b.serveReport)
	mux.Handle("/control/v1/", b.api.Routes())
	return http.NewCrossOriginProtection().Handler(mux)
}

// servePage serves the page, which loads nothing from other hosts and runs no inline scripts.
func (b *Board) servePage(w http.ResponseWriter, r *http.Request) {
	var out bytes.Buffer
	number := ""
	if p := b.phone(r.URL.Query().Get("phone")); p != nil {
		number = p.PhoneNumber()
	}
	if err := page.Execute(&out, struct {
		Number, Graph string
		Config
	}{number, b.api.World().URL, b.cfg}); err != nil {
		http.Error(w, "the page is broken", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set(
		"Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "+
			"base-uri 'none'; form-action 'none'",
	)
	_, _ = out.WriteTo(w)
}

// serveEvents sends the view as server-sent events: at once, and after each change. It ends with
// the request.
func (b *Board) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	show := shown(r.URL.Query())
	var last []byte
	for {
		now, err := json.Marshal(b.view(show))
		if err != nil {
			return
		}
		if !bytes.Equal(now, last) {
			if _, err := fmt.Fprintf(w, "data: %s\n\n", now); err != nil || flush.Flush() != nil {
				return
			}
			last = now
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(tick):
		}
	}
}

// serveReport lists the behavior that the session has relied on, with its evidence.
func (b *Board) serveReport(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprint(w, b.api.World().Evidence())
}
