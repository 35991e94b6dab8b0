// Package board is a page on which a person plays a phone of the simulator: the business, its
// customers, Embedded Signup and the life of the number. The program simulator and the example saas
// show it.
//
// # How the page works
//
// The page has no state. It shows a view, which the server sends whenever something has changed,
// and sends an action when a button is pressed; what came of it is in the next view. So several
// windows may show the same board, and what programs do to the world shows up on it too.
//
// # Three ways of use
//
//   - A board alone is for a look at the platform: it connects the number itself.
//   - A board with a host ([Config].Bare) leaves that to the host, which gets the code of the popup
//     and the webhooks.
//   - A board beside a host's page ([Config].Beside, and [Rack] for several visitors) has no popup
//     of its own: the page opens one, and the board is the phone that it asks.
//
// Who can open the page plays everything, so it is for a machine of one's own.
package board

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"
)

//go:embed page.html page.css page.js
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// tick is how often serveEvents looks whether something has changed. It polls, because what a board
// shows changes in several places of the world.
const tick = 300 * time.Millisecond

// Routes are the page, what it shows, and its buttons, to be mounted under any prefix. Pages of
// other origins cannot press the buttons.
func (b *Board) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.servePage)
	mux.Handle("GET /page.css", http.FileServerFS(files))
	mux.Handle("GET /page.js", http.FileServerFS(files))
	mux.HandleFunc("GET /events", b.serveEvents)
	mux.HandleFunc("GET /deliveries/{number}", b.serveDelivery)
	mux.HandleFunc("GET /report", b.serveReport)
	mux.HandleFunc("POST /do", b.serveAction)
	return http.NewCrossOriginProtection().Handler(mux)
}

// servePage serves the page, which loads nothing from elsewhere and runs no inline scripts.
func (b *Board) servePage(w http.ResponseWriter, _ *http.Request) {
	var out bytes.Buffer
	if err := page.Execute(&out, struct {
		Number, Graph string
		Config
	}{b.phone.PhoneNumber(), b.world.URL, b.cfg}); err != nil {
		http.Error(w, "the page is broken", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set(
		"Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "+
			"form-action 'none'",
	)
	_, _ = out.WriteTo(w)
}

// serveEvents sends the view as server-sent events: at once, and whenever it has changed. It ends
// with the request.
func (b *Board) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	var last []byte
	for {
		now, err := json.Marshal(b.view(r.URL.Query().Get("chat")))
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

// serveAction performs an action. Whether it worked is in the next view, for all pages that are
// open.
func (b *Board) serveAction(w http.ResponseWriter, r *http.Request) {
	var a action
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&a); err != nil {
		http.Error(w, "this is no order", http.StatusBadRequest)
		return
	}
	b.perform(r.Context(), a)
	w.WriteHeader(http.StatusNoContent)
}

// serveDelivery shows the body of a delivery.
func (b *Board) serveDelivery(w http.ResponseWriter, r *http.Request) {
	number, _ := strconv.Atoi(r.PathValue("number"))
	body := b.body(number)
	if body == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(body)
}

// serveReport lists what the simulation relied on so far, with the evidence for each behaviour.
func (b *Board) serveReport(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprint(w, b.world.Evidence())
}
