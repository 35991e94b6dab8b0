package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

//go:embed web
var web embed.FS

var (
	static, _ = fs.Sub(web, "web/static")
	templates = map[string]*template.Template{}
)

func init() {
	words := template.FuncMap{
		"now": time.Now, "clock": clock, "origin": origin,
		"initial": func(name string) string { r, _ := utf8.DecodeRuneInString(name); return string(r) },
		"day":     func(t time.Time) string { return t.Local().Format("Monday, 2 January 2006") },
	}
	pages, err := fs.Glob(web, "web/*.html")
	if err != nil {
		panic(err)
	}
	for _, file := range pages {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "web/"), ".html")
		templates[name] = template.Must(template.New("layout.html").Funcs(words).ParseFS(web, "web/layout.html", file))
	}
}

// clock is a time for people: of today without the day.
func clock(t time.Time) string {
	switch away := time.Since(t).Abs(); {
	case t.IsZero():
		return ""
	case away < 20*time.Hour:
		return t.Local().Format("15:04")
	case away < 300*24*time.Hour:
		return t.Local().Format("2 Jan 15:04")
	}
	return t.Local().Format("2 Jan 2006")
}

// origin says who put a message into the conversation. The reference of what we send begins with who it was.
func origin(m coexistence.Message) string {
	who, _, _ := strings.Cut(m.CallbackData, "-")
	switch {
	case m.Origin == coexistence.OriginAPI && who != "":
		return who
	case m.Origin == coexistence.OriginApp:
		return "phone"
	}
	return string(m.Origin)
}

// A view is what a page is made of.
type view struct {
	Page, Title string // of web/Page.html
	Tenant      *tenant
	Number      *number
	Simulator   bool
	Data        any // what the page's own template knows
}

func (a *app) render(w http.ResponseWriter, r *http.Request, v view) {
	v.Simulator = a.meta.simulator != nil && v.Tenant != nil
	var out bytes.Buffer
	if err := templates[v.Page].Execute(&out, v); err != nil {
		a.log.ErrorContext(r.Context(), "a page is broken", "page", v.Page, "err", err)
		http.Error(w, "This page is broken.", http.StatusInternalServerError)
		return
	}
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	h := w.Header()
	if v.Page == "connect" { // Meta's script and its popup
		maps.Copy(h, a.flow.PageHeaders())
		policy = strings.Replace(h.Get("Content-Security-Policy"), "frame-src", "frame-src 'self'", 1)
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = out.WriteTo(w) // the browser went away
}

// show answers with a page. To the script of a page that is open it sends the page again, whenever it is another than before.
func (a *app) show(w http.ResponseWriter, r *http.Request, make func(context.Context) (view, error)) error {
	v, err := make(r.Context())
	if err != nil || r.Header.Get("Accept") != "text/event-stream" {
		if err == nil {
			a.render(w, r, v)
		}
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	var last []byte
	for {
		changed := a.news.wait()
		var out bytes.Buffer
		if v, err = make(r.Context()); err == nil {
			v.Simulator = a.meta.simulator != nil
			err = templates[v.Page].Execute(&out, v)
		}
		if err != nil {
			return nil //nolint:nilerr // the browser asks again, and hears of it then
		}
		if !bytes.Equal(out.Bytes(), last) {
			last = out.Bytes()
			text, _ := json.Marshal(string(last)) // a string is never refused
			if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil || http.NewResponseController(w).Flush() != nil {
				return nil
			}
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-time.After(300 * time.Millisecond): // often enough for people
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-a.closing:
			return nil
		case <-changed:
		case <-time.After(2 * time.Second): // another process has no way to tell
		}
	}
}

func cached(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		h.ServeHTTP(w, r)
	})
}

// The news is that something has changed, for all pages that are open. With many tenants, tell only theirs.
type news struct {
	mu      sync.Mutex
	changed chan struct{}
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed != nil {
		close(n.changed)
		n.changed = nil
	}
}

func (n *news) wait() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed == nil {
		n.changed = make(chan struct{})
	}
	return n.changed
}
