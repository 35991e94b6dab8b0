package inbox

import (
	"bytes"
	"cmp"
	"crypto/rand"
	_ "embed" // the page
	"html/template"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

//go:embed status.html
var statusHTML string

var statusPage = template.Must(template.New("status").Parse(statusHTML))

// statusLetters is how many dead letters the page lists.
const statusLetters = 50

// A statusView holds the values of the template status.html.
type statusView struct {
	Metrics

	Name, Nonce, Since string
	Oldest, OldestLive string // instead of those of Stats
	Err                error
	Letters            []statusLetter
	More               bool // there are more dead letters than Letters
}

type statusLetter struct {
	ID       ID
	At, What string
	Phone    graph.PhoneNumberID
	Attempts int
	Reason   string
}

// StatusPage returns a page that shows how much there is to do, what was done and what was given
// up, to be mounted where only those who run the service come: it asks for no password, and shows
// the errors of your handlers. It holds no bodies and changes nothing. Its status is 503 if the
// store does not answer.
func (in *Inbox) StatusPage() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		view := in.status(r)
		var page bytes.Buffer
		if err := statusPage.Execute(&page, view); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set(
			"Content-Security-Policy",
			"default-src 'none'; style-src 'nonce-"+view.Nonce+"'; frame-ancestors 'none'; base-uri 'none'",
		)
		h.Set("Cache-Control", "no-store")
		h.Set("Refresh", "5") // seconds; in the page itself, checkers of accessibility reject it
		h.Set("X-Content-Type-Options", "nosniff")
		if view.Err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write(page.Bytes())
	})
}

// status asks the store for what the page shows. Err is set if the store does not answer; the rest
// is then what this process has counted.
func (in *Inbox) status(r *http.Request) *statusView {
	view := &statusView{
		Name: in.cfg.WorkerID, Nonce: rand.Text(), Since: in.createdAt.UTC().Format(time.DateTime + " UTC"),
	}
	view.Metrics, view.Err = in.Metrics(r.Context())
	view.Oldest, view.OldestLive = age(view.Stats.Oldest), age(view.Stats.OldestLive)
	if view.Err != nil || view.Dead == 0 {
		return view
	}
	letters, err := in.store.DeadLetters(r.Context(), Filter{}, 0, statusLetters)
	view.Err, view.More = err, view.Dead > len(letters)
	for _, l := range letters {
		letter := statusLetter{
			ID: l.ID, At: l.DeadAt.UTC().Format(time.DateTime), What: l.Kind.String(), Attempts: l.Attempts + 1,
			Reason: l.Reason,
			Phone:  l.PhoneNumberID,
		}
		const small = 64 << 10 // bytes: decoding more for a look is not worth it
		if len(l.Body) <= small {
			if ev, err := l.Event(); err == nil {
				letter.What = cmp.Or(string(ev.Info().Field), letter.What)
			}
		}
		view.Letters = append(view.Letters, letter)
	}
	return view
}

// age is a duration as people read it.
func age(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Minute).String()
}
