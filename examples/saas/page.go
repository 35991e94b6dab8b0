package main

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// pageFiles are the templates, and staticFiles the files that pages load, without a build step.
// They are separate, so that no request path leads to a template.
var (
	//go:embed *.html
	pageFiles embed.FS
	//go:embed static
	staticFiles embed.FS
)

// serveStatic serves the folder static, and nothing else.
func serveStatic() http.Handler {
	files, _ := fs.Sub(staticFiles, "static") // the name is right
	return http.StripPrefix("/static/", http.FileServerFS(files))
}

// pages has the templates by name. A template that does not parse ends the program at its start.
var pages = map[string]*template.Template{}

func init() {
	words := template.FuncMap{
		"now": time.Now, "clock": clock, "origin": origin, "author": author, "preview": preview, "points": points,
		// an id in a path; it may have any character
		"segment": func(id any) string { return url.PathEscape(fmt.Sprint(id)) },
		"initial": func(name string) string { r, _ := utf8.DecodeRuneInString(name); return string(r) },
		"day":     func(t time.Time) string { return t.Local().Format("Monday, 2 January 2006") },
	}
	files, _ := fs.Glob(pageFiles, "*.html") // the pattern is right
	for _, file := range files {
		layout := template.New("layout.html").Funcs(words)
		pages[strings.TrimSuffix(file, ".html")] = template.Must(layout.ParseFS(pageFiles, "layout.html", file))
	}
}

// clock formats a time for people, without the day if that is today.
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

// author returns the author of a message of ours, "bot", "team" or "campaign": the id of an outbox
// entry begins with it, and comes back as the callback data of the message.
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
	case coexistence.OriginHistory:
		if m.Outbound {
			return "phone" // nothing else can have written before
		}
		return "customer"
	default:
		return string(m.Origin)
	}
}

// preview returns the text or the type of a message, for the list of conversations.
func preview(m coexistence.Message) string {
	switch {
	case m.Revoked():
		return "This message was deleted."
	case m.Text != "":
		return m.Text
	case m.Placeholder():
		return "On the phone only"
	default:
		return string(m.Type)
	}
}

// A view is the data of a page.
type view struct {
	Page, Title string // of Page.html
	Status      int    // 200 if zero
	Tenant      *tenant
	Number      *number
	Simulator   bool
	Data        any // for the page's own template
}

// render writes a page. It renders before it sends the first byte, so that a failure can still be
// answered with an error. The policy allows only our own files, so that a customer's text cannot
// become a script; on the signup page it also allows Meta's SDK.
func (a *app) render(w http.ResponseWriter, r *http.Request, v view) {
	v.Simulator = a.meta.simulator != nil && v.Tenant != nil
	var out bytes.Buffer
	if err := pages[v.Page].Execute(&out, v); err != nil {
		a.log.ErrorContext(r.Context(), "a page is broken", "page", v.Page, "err", err)
		http.Error(w, "The page could not be rendered.", http.StatusInternalServerError)
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
