// Package board is a page on which a person plays a phone of the simulator: the business, its
// customers, Embedded Signup and the life of the number. The examples simulator and saas show it.
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

// tick is how often the page looks whether something has changed.
const tick = 300 * time.Millisecond

// Routes are the page, what it shows, and its buttons, to be mounted under any prefix. Other sites
// cannot press them.
func (b *Board) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.servePage)
	mux.Handle("GET /page.css", http.FileServerFS(files))
	mux.Handle("GET /page.js", http.FileServerFS(files))
	mux.HandleFunc("GET /events", b.serveEvents)
	mux.HandleFunc("GET /deliveries/{number}", b.serveDelivery)
	mux.HandleFunc("GET /report", b.serveReport)
	mux.HandleFunc("POST /do", b.serveOrder)
	return http.NewCrossOriginProtection().Handler(mux)
}

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
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'")
	_, _ = out.WriteTo(w)
}

// serveEvents sends what is to be seen as server-sent events, whenever it is another than before.
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

func (b *Board) serveOrder(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&o); err != nil {
		http.Error(w, "this is no order", http.StatusBadRequest)
		return
	}
	b.obey(r.Context(), o)
	w.WriteHeader(http.StatusNoContent)
}

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

// serveReport says what everything so far rests on.
func (b *Board) serveReport(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprint(w, b.world.Evidence())
}
