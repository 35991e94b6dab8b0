package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/media"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/templates"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/usage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/live"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// An app is the product.
type app struct {
	settings
	meta      *platform
	db        *storage.DB // all state: another process over the same database is the same product
	log       *slog.Logger
	client    *cloudapi.Client     // with the app's id and secret, and no token
	tracker   *coexistence.Tracker // numbers, conversations, contacts
	flow      *signup.Flow
	inbox     *inbox.Inbox   // what Meta delivers, until it is handled
	folder    *media.Folder  // in which the archive keeps files
	archive   *media.Archive // of the files of messages, which Meta deletes within days
	book      *templates.Cache
	downloads *inbox.Inbox   // what Meta delivers with files, until they are in the archive
	relayed   *inbox.Inbox   // what goes on to another receiver, until it has it; nil without one
	outbox    *outbox.Outbox // what we send, until Meta has it
	meter     *usage.Meter   // what numbers are billed for
	hook      http.Handler   // the callback URL
	changes   *changes       // for pages that are open
	counts    counts
	monitor   *health.Monitor // how the numbers are
	ready     atomic.Bool     // from start to shutdown, for load balancers
}

// newApp wires the product. What talks to the outside starts in serve, so that a mistake in the
// settings ends the program before Meta delivers anything. Downloads and relayed deliveries that
// the last process left start here.
//
// A webhook goes first to the tracker, which files it, then to the outbox, which settles what was
// sent, to the templates, and to the meter, which counts it, then to the bot: each finds what the
// one before has stored. An event that one of them fails on is handled again by all of them, and
// all are idempotent.
func newApp(
	ctx context.Context, s settings, meta *platform, db *storage.DB, keys *signup.Keyring, log *slog.Logger,
) (*app, error) {
	a := &app{settings: s, meta: meta, db: db, log: log, counts: newCounts(), changes: newChanges(db.SQL(), log)}
	cfg := meta.app
	cfg.Limiter = new(cloudapi.MemLimiter) // the outbox sends for a number in one process at a time
	cfg.Logger, cfg.Observe = log, a.counts.call
	policy, err := eligibility.ParsePolicy(s.policy)
	if err != nil {
		return nil, err
	}
	if a.client, err = cloudapi.NewClient(cfg); err != nil {
		return nil, err
	}
	clients := db.Tokens().Client(a.client)
	if a.folder, err = media.OpenFolder(s.files); err != nil {
		return nil, err
	}
	var err1, err2, err3, err4, err5, err6 error
	a.archive, err1 = media.New(media.Config{
		Files: a.folder, Messages: db.Store(), Client: clients, MaxNumberBytes: maxNumberFiles,
	})
	a.book, err5 = templates.New(templates.Config{
		Store: db.Store(), Client: clients, Marketing: new(cloudapi.MarketingOptions),
	})
	a.tracker, err2 = coexistence.NewTracker(coexistence.Config{
		HumanPause: quiet, Retention: a.retention, WrapForget: a.forgetWaiting,
		StopWords: []string{"stop", "unsubscribe"}, ResumeWords: []string{"start"},
		Send: a.book.Send, TemplateCategory: a.book.Category,
		Store: db.Store(), Client: clients, Logger: log,
	})
	a.flow, err3 = signup.NewFlow(signup.Config{
		ConfigurationID: meta.configuration, Client: a.client, Store: db.Signups(), Cipher: keys, Logger: log,
		Reserve: db.Tokens().Reserve, Connected: a.connected, Page: signup.PageConfig{
			Tenant: func(r *http.Request) (string, error) { t, err := a.tenantOf(r); return t.id, err },
			SDKURL: meta.sdk, Check: eligibility.PageCheck(policy),
		},
	})
	a.outbox, err4 = db.Outbox(outbox.Config{
		Tracker: a.tracker, Send: a.book.Send, OnChange: a.changes.add,
		LeaseDuration: s.lease, UnknownTimeout: s.unknownTimeout, Logger: log,
	})
	a.meter, err6 = db.Usage(usage.Config{})
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return nil, err
	}
	if meta.simulator != nil {
		_, err := a.createTenant(ctx, "Ovenbird Bakery", demoEmail, demoPassword)
		if err != nil && !errors.Is(err, errEmail) { // it may be there from the last start
			return nil, err
		}
	}

	var mux webhook.Mux
	webhook.On(&mux, a.answer)
	arrivals := new(health.Arrivals)
	handler := webhook.MultiHandler(a.tracker, a.outbox, a.book, a.meter, &mux, arrivals)
	a.inbox, err = db.Inbox(handler, inbox.Config{LeaseDuration: s.lease, Logger: log, Observe: a.handled})
	if err != nil {
		return nil, err
	}
	if a.monitor, err = a.newMonitor(arrivals); err != nil {
		return nil, errors.Join(err, a.inbox.Shutdown(ctx))
	}
	a.downloads, err = a.openQueue(ctx, "downloads", a.archive, inbox.Config{Observe: a.fetched})
	if err != nil {
		return nil, errors.Join(err, a.inbox.Shutdown(ctx))
	}
	receiver, err := a.openRelay(ctx, media.Split(a.inbox, a.downloads))
	if err != nil {
		return nil, errors.Join(err, a.inbox.Shutdown(ctx), a.closeQueues(ctx))
	}
	hooks := webhook.Config{AppSecret: cfg.AppSecret, VerifyToken: meta.verifyToken, Logger: log}
	if a.hook, err = webhook.NewEndpoint(hooks, receiver); err != nil {
		return nil, errors.Join(err, a.inbox.Shutdown(ctx), a.closeQueues(ctx))
	}
	return a, nil
}

// A page answers a request of a signed-in tenant; n is the number of the path, if there is one.
type page func(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error

// pages are the routes that need a tenant. Every id in a path is looked up together with the
// tenant: the test of the separation walks over this list.
func (a *app) pages() map[string]page {
	all := map[string]page{
		"GET /{$}":             a.serveHome,
		"GET /connect":         a.serveConnect,
		"GET /settings":        a.serveSettings,
		"POST /settings":       a.changeSettings,
		"GET /numbers/{phone}": a.serveNumber,
		"POST /numbers/{phone}/letters/{letter}/replay":       a.replay,
		"GET /numbers/{phone}/inbox":                          a.serveInbox,
		"GET /numbers/{phone}/inbox/{chat}":                   a.serveInbox,
		"POST /numbers/{phone}/inbox/{chat}":                  a.reply,
		"GET /numbers/{phone}/media/{message}":                a.serveFile,
		"GET /numbers/{phone}/people/{person}":                a.servePerson,
		"GET /numbers/{phone}/people/{person}/export":         a.export,
		"POST /numbers/{phone}/people/{person}/forget":        a.forget,
		"GET /numbers/{phone}/campaigns":                      a.serveCampaigns,
		"POST /numbers/{phone}/campaigns":                     a.launch,
		"GET /numbers/{phone}/campaigns/{campaign}":           a.serveCampaign,
		"POST /numbers/{phone}/campaigns/{campaign}/{change}": a.change,
	}
	if a.meta.simulator != nil {
		all["/simulator/"] = a.serveSimulator
	}
	return all
}

// routes are all of them: Meta's, the signup's, those before the sign-in, and the pages. The first
// two limit what they read by themselves, and forms does so for all others.
func (a *app) routes() http.Handler {
	all, mux := http.NewServeMux(), http.NewServeMux()
	all.Handle("/webhook", a.hook)
	all.Handle("/signup/", a.flow.Handler())
	all.Handle("/", forms(mux))
	mux.Handle("GET /static/", serveStatic())
	mux.HandleFunc("GET /signin", a.serveSignIn)
	mux.HandleFunc("POST /signin", a.serveSignIn)
	mux.HandleFunc("POST /signout", a.serveSignOut)
	for pattern, p := range a.pages() {
		mux.Handle(pattern, a.signedIn(p))
	}
	return http.NewCrossOriginProtection().Handler(all) // other sites post nothing here
}

// signedIn finds the tenant and the number. What belongs to another tenant is not found.
func (a *app) signedIn(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, err := a.tenantOf(r)
		if errors.Is(err, errSignIn) && live.Wanted(r) {
			live.End(w)
			return
		}
		if errors.Is(err, errSignIn) {
			http.Redirect(w, r, "/signin", http.StatusSeeOther)
			return
		}
		var n *number
		if phone := r.PathValue("phone"); err == nil && phone != "" {
			n, err = a.numberOf(r.Context(), t, graph.PhoneNumberID(phone))
		}
		if err == nil {
			err = p(w, r, t, n)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

// numberOf returns a number of the tenant. One of another tenant gets the same answer as one that
// does not exist: another answer would say which numbers are stored.
func (a *app) numberOf(ctx context.Context, t *tenant, phone graph.PhoneNumberID) (*number, error) {
	n, err := a.db.Tokens().Get(ctx, phone)
	if errors.Is(err, storage.ErrNoToken) || err == nil && n.Tenant != t.id {
		return nil, errNotFound
	}
	return &n, err
}

var errNotFound = errors.New("there is no such page, or it is not yours")

// fail answers with an error, in words. The log names the route and not the path, which can name a
// person.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, words := http.StatusInternalServerError, "Something went wrong on our side. Try again."
	if errors.Is(err, errNotFound) || errors.Is(err, coexistence.ErrNotFound) {
		status, words = http.StatusNotFound, errNotFound.Error()
	} else if r.Context().Err() == nil {
		a.log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "err", err)
	}
	a.render(w, r, view{Page: "problem", Title: http.StatusText(status), Status: status, Data: words})
}

// serveHome redirects to the page where there is something to do.
func (a *app) serveHome(w http.ResponseWriter, r *http.Request, t *tenant, _ *number) error {
	where := "/connect"
	list, err := a.db.Tokens().List(r.Context(), t.id)
	if len(list) > 0 {
		where = "/numbers/" + string(list[0].PhoneNumberID) + "/inbox"
	}
	return see(w, r, where, err)
}

// see redirects the browser to another page, unless err is set.
func see(w http.ResponseWriter, r *http.Request, path string, err error) error {
	if err == nil {
		http.Redirect(w, r, path, http.StatusSeeOther) //nolint:gosec // G710: it is one of our routes
	}
	return err
}

// handled is told of each attempt to handle an event, behind all handlers: a page that looks now
// finds everything stored. What is about an account changes the states of its numbers, which pages
// look at by themselves.
func (a *app) handled(ctx context.Context, attempt inbox.Attempt) {
	a.counts.event(ctx, attempt)
	a.changes.add(attempt.PhoneNumberID)
}

// pick finds an element of a list, or returns errNotFound.
func pick[T any](list []T, err error, is func(T) bool) (one T, _ error) {
	if i := slices.IndexFunc(list, is); err == nil && i >= 0 {
		return list[i], nil
	}
	return one, cmp.Or(err, errNotFound)
}
