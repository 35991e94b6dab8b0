package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// An app is the product.
type app struct {
	settings
	meta    *platform
	db      *storage
	keys    *signup.Keyring
	log     *slog.Logger
	client  *cloudapi.Client
	tracker *coexistence.Tracker
	flow    *signup.Flow
	inbox   *inbox.Inbox
	hook    http.Handler
	name    string // of this process, among those that share the database
	news    news
	counts  counts
	drifts  sync.Map // phone number id → *webhook.Drift
	lists   sync.Map // account → templates, for a minute
	ready   atomic.Bool
	closing chan struct{} // closed when the shutdown begins: pages that are open end then
}

func newApp(ctx context.Context, s settings, meta *platform, db *storage, keys *signup.Keyring, log *slog.Logger) (*app, error) {
	a := &app{settings: s, meta: meta, db: db, keys: keys, log: log, name: newID(), counts: newCounts(), closing: make(chan struct{})}
	limiter := new(cloudapi.MemLimiter) // one process sends for a number at a time: see sender.go
	cfg := meta.app
	cfg.Limiter, cfg.Logger, cfg.Observe = limiter, log, a.counts.call
	var err1, err2, err3, err error
	a.client, err1 = cloudapi.NewClient(cfg)
	a.tracker, err2 = coexistence.NewTracker(coexistence.Config{Store: db.coexistence, AppID: cfg.AppID, Inbound: limiter, Logger: log})
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	a.flow, err3 = signup.NewFlow(signup.Config{
		ConfigurationID: meta.configuration, Client: a.client, SDKURL: meta.sdk, Store: db.signups, Cipher: keys, Logger: log,
		Reserve: a.reserve, Check: check, Owner: func(r *http.Request) (string, error) {
			t, err := a.tenantOf(r)
			if err != nil {
				return "", err
			}
			return t.id, nil
		},
	})
	if err3 != nil {
		return nil, err3
	}
	if meta.simulator != nil {
		if _, err := a.createTenant(ctx, "Ovenbird Bakery", demoEmail, demoPassword); err != nil && !errors.Is(err, errEmail) {
			return nil, err
		}
	}

	var mux webhook.Mux
	webhook.On(&mux, a.answer)
	webhook.On(&mux, a.settled)
	handler := webhook.MultiHandler(webhook.HandlerFunc(a.noteDrift), a.tracker, &mux, webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		a.news.tell() // behind the others: whoever looks finds everything stored
		return nil
	}))
	a.inbox, err = db.openInbox(ctx, handler, inbox.Config{Name: a.name, Lease: s.lease, Logger: log, Observe: a.counts.event})
	if err != nil {
		return nil, err
	}
	a.hook, err = webhook.NewEndpoint(webhook.Config{AppSecret: cfg.AppSecret, VerifyToken: meta.verifyToken, Logger: log}, a.inbox)
	if err != nil {
		return nil, errors.Join(err, a.inbox.Shutdown(ctx))
	}
	return a, nil
}

// A page answers a request of a signed-in tenant; n is the number of the path, if there is one.
type page func(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/webhook", a.hook)
	mux.Handle("GET /static/", http.StripPrefix("/static", cached(http.FileServerFS(static))))
	mux.HandleFunc("GET /signin", a.serveSignIn)
	mux.HandleFunc("POST /signin", a.serveSignIn)
	mux.HandleFunc("POST /businesses", a.serveSignIn)
	mux.HandleFunc("POST /signout", a.serveSignOut)
	mux.Handle("/signup/", http.StripPrefix("/signup", a.flow.Handler(a.connected)))
	for pattern, p := range a.pages() {
		mux.Handle(pattern, a.signedIn(p))
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

// pages are the routes that need a tenant. Every id in a path is looked up together with the tenant: the test of the separation walks
// over this list.
func (a *app) pages() map[string]page {
	all := map[string]page{
		"GET /{$}":                      a.serveHome,
		"GET /connect":                  a.serveConnect,
		"GET /numbers/{phone}":          a.serveNumber,
		"POST /numbers/{phone}/refresh": a.refresh,
		"POST /numbers/{phone}/letters/{letter}/replay":       a.replay,
		"GET /numbers/{phone}/inbox":                          a.serveInbox,
		"GET /numbers/{phone}/inbox/{chat}":                   a.serveInbox,
		"POST /numbers/{phone}/inbox/{chat}":                  a.reply,
		"GET /numbers/{phone}/media/{message}":                a.serveMedia,
		"GET /numbers/{phone}/campaigns":                      a.serveCampaigns,
		"POST /numbers/{phone}/campaigns":                     a.launch,
		"GET /numbers/{phone}/campaigns/{campaign}":           a.serveCampaign,
		"POST /numbers/{phone}/campaigns/{campaign}/{change}": a.pause,
	}
	if a.meta.simulator != nil {
		all["/simulator/"] = a.serveSimulator
	}
	return all
}

// signedIn finds the tenant and the number. What belongs to another tenant is not there.
func (a *app) signedIn(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, err := a.tenantOf(r)
		if errors.Is(err, errSignIn) {
			http.Redirect(w, r, "/signin", http.StatusSeeOther)
			return
		}
		var n *number
		if phone := r.PathValue("phone"); err == nil && phone != "" {
			if n, err = a.numberBy(r.Context(), "phone", phone); err == nil && n.tenant != t.id {
				err = errNotFound
			}
		}
		if err == nil {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
			err = p(w, r, t, n)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

// fail answers with an error: in words, and without what only the log should hold. The log names the route and not the path, in which
// there are people.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, words := http.StatusInternalServerError, "Something went wrong on our side. Try again."
	if errors.Is(err, errNotFound) || errors.Is(err, coexistence.ErrNotFound) {
		status, words = http.StatusNotFound, errNotFound.Error()
	} else if r.Context().Err() == nil {
		a.log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "err", err)
	}
	w.WriteHeader(status)
	a.render(w, r, view{Page: "problem", Title: http.StatusText(status), Data: words})
}

// serveHome goes where there is something to do.
func (a *app) serveHome(w http.ResponseWriter, r *http.Request, t *tenant, _ *number) error {
	list, err := a.numbers(r.Context(), " WHERE tenant = ?", t.id)
	where := "/connect"
	if len(list) > 0 {
		where = "/numbers/" + string(list[0].Phone) + "/inbox"
	}
	http.Redirect(w, r, where, http.StatusSeeOther)
	return err
}

func (a *app) serveSimulator(w http.ResponseWriter, r *http.Request, t *tenant, _ *number) error {
	h, err := a.meta.simulator.board(t)
	if err == nil {
		h.ServeHTTP(w, r)
	}
	return err
}

// templates returns the approved templates of an account that take nothing, or the customer's name.
func (a *app) templates(ctx context.Context, n *number) ([]*cloudapi.MessageTemplate, error) {
	type list struct {
		all []*cloudapi.MessageTemplate
		at  time.Time
	}
	if l, ok := a.lists.Load(n.WABA); ok && time.Since(l.(list).at) < time.Minute {
		return l.(list).all, nil
	}
	client, err := a.calls(ctx, n)
	if err != nil {
		return nil, err
	}
	fresh := list{at: time.Now()}
	for t, err := range client.Templates.List(ctx, n.WABA, cloudapi.TemplateListOptions{Status: cloudapi.TemplateApproved, Limit: 100}) {
		if err != nil {
			return nil, err
		}
		if fits(t) {
			fresh.all = append(fresh.all, t)
		}
	}
	a.lists.Store(n.WABA, fresh)
	return fresh.all, nil
}

// drift counts what Meta sent about a number and this version does not know, since the process began.
func (a *app) drift(phone graph.PhoneNumberID) *webhook.Drift {
	d, _ := a.drifts.LoadOrStore(phone, new(webhook.Drift))
	return d.(*webhook.Drift)
}

func (a *app) noteDrift(_ context.Context, ev webhook.Event) error {
	a.drift(cmp.Or(ev.Info().Phone, "")).Note(ev)
	return nil
}
