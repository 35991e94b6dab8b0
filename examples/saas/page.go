package main

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/live"
)

// web holds the pages as templates, and what they load, without a build step.
//
//go:embed *.html static
var web embed.FS

// pages are the templates by name. A page that does not parse ends the program when it starts.
var pages = map[string]*template.Template{}

func init() {
	words := template.FuncMap{
		"now": time.Now, "clock": clock, "origin": origin, "author": author, "points": points,
		"initial": func(name string) string { r, _ := utf8.DecodeRuneInString(name); return string(r) },
		"day":     func(t time.Time) string { return t.Local().Format("Monday, 2 January 2006") },
	}
	files, _ := fs.Glob(web, "*.html") // the pattern is right
	for _, file := range files {
		layout := template.New("layout.html").Funcs(words)
		pages[strings.TrimSuffix(file, ".html")] = template.Must(layout.ParseFS(web, "layout.html", file))
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

// author is who wrote what we sent, "bot", "team" or "campaign": the id of an entry in the outbox
// begins with it, and comes back as the callback data of the message.
func author(id string) string {
	who, _, _ := strings.Cut(id, "-")
	return who
}

// origin says who put a message into the conversation.
func origin(m coexistence.Message) string {
	switch m.Origin {
	case coexistence.OriginAPI:
		return cmp.Or(author(m.CallbackData), "api")
	case coexistence.OriginApp:
		return "phone"
	default:
		return string(m.Origin)
	}
}

// A view is what a page is made of.
type view struct {
	Page, Title string // of Page.html
	Status      int    // 200 if zero
	Tenant      *tenant
	Number      *number
	Simulator   bool
	Data        any // what the page's own template knows
}

// render writes a page. It is made before the first byte is sent, so that a page that breaks can
// still be answered with an error. The policy lets nothing load but our own files, which is what
// keeps a text of a customer from becoming a script; on the page of the signup it lets Meta's SDK
// load as well.
func (a *app) render(w http.ResponseWriter, r *http.Request, v view) {
	v.Simulator = a.meta.simulator != nil && v.Tenant != nil
	var out bytes.Buffer
	if err := pages[v.Page].Execute(&out, v); err != nil {
		a.log.ErrorContext(r.Context(), "a page is broken", "page", v.Page, "err", err)
		http.Error(w, "This page is broken.", http.StatusInternalServerError)
		return
	}
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	h := w.Header()
	if v.Page == "connect" { // Meta's script and its popup
		maps.Copy(h, a.flow.PageHeaders())
		policy = strings.Replace(h.Get("Content-Security-Policy"), "frame-src", "frame-src 'self'", 1)
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(cmp.Or(v.Status, http.StatusOK))
	_, _ = out.WriteTo(w) // the browser went away
}

// show answers with a page. To the script of a page that is open it sends the page again, whenever
// it is another than before.
func (a *app) show(w http.ResponseWriter, r *http.Request, look func(context.Context) (view, error)) error {
	v, err := look(r.Context())
	switch {
	case err != nil:
		return err
	case !live.Wanted(r):
		a.render(w, r, v)
		return nil
	}
	a.news.Stream(w, r, func() (string, error) {
		var out strings.Builder
		v, err := look(r.Context())
		if err == nil {
			err = pages[v.Page].Execute(&out, v)
		}
		return out.String(), err
	})
	return nil
}
