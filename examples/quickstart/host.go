package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A host is what a SaaS writes around the SDK.
type host struct {
	db      *sqlite.DB // numbers, messages, contacts, signups, tokens, what Meta delivers
	tracker *coexistence.Tracker
	inbox   *inbox.Inbox // handles what Meta delivers; end it with Shutdown
	routes  http.ServeMux
}

// newHost wires the parts. All of their state is in db: after a restart they go on.
func newHost(
	ctx context.Context, app cloudapi.Config, configurationID string, verifyToken graph.Secret,
	keys *signup.Keyring, db *sqlite.DB, policy func(time.Time) eligibility.Policy,
) (*host, error) {
	log := slog.Default() // says what fails and is tried again
	h := &host{db: db}
	client, err1 := cloudapi.NewClient(app) // 20 messages a second for each number, received ones counted in
	var err2 error
	h.tracker, err2 = coexistence.NewTracker(coexistence.Config{
		Store: db.Store(), Client: db.Tokens().Client(client), Logger: log, // each number has its own token
	})

	var mux webhook.Mux
	webhook.On(&mux, h.answer)
	flow, err3 := signup.NewFlow(signup.Config{
		ConfigurationID: configurationID, Client: client, Store: db.Signups(), Cipher: keys, Connected: h.connected,
		Page: signup.PageConfig{Tenant: tenantOf, Check: eligibility.PageCheck(policy)},
	})
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	// The tracker goes first, so that the bot finds the conversation. The inbox repeats an event
	// for both until both have handled it.
	if h.inbox, err1 = db.Inbox(webhook.MultiHandler(h.tracker, &mux), inbox.Config{Logger: log}); err1 != nil {
		return nil, err1
	}
	hooks := webhook.Config{AppSecret: app.AppSecret, VerifyToken: verifyToken, Logger: log}
	endpoint, err := webhook.NewEndpoint(hooks, h.inbox)
	if err != nil {
		return nil, err
	}
	h.routes.Handle("/webhook", endpoint)
	h.routes.Handle("/signup/", flow.Handler())
	go h.tracker.Run(ctx) // asks again for what could not be had, and reads numbers that changed
	return h, h.inbox.Start(ctx)
}

// tenantOf says who is signed in to the product.
func tenantOf(*http.Request) (string, error) { return "bakery", nil }

// connected runs once a business is through Embedded Signup: it asks the phone for contacts and
// history, once.
func (h *host) connected(ctx context.Context, b *signup.Connection) error {
	if err := h.db.Tokens().Put(ctx, b); err != nil { // encrypted with the keyring
		return err
	}
	if err := h.tracker.Onboard(ctx, b.Onboarding); err != nil {
		return err
	}
	if _, err := h.tracker.RequestSync(ctx, b.Phone.ID); err != nil {
		// The number works without, and Tracker.Run asks again.
		slog.ErrorContext(ctx, "contacts or history were not asked for", "phone", b.Phone.ID, "err", err)
	}
	return nil
}

// answer is a bot. It sees only what customers write now, never history or the owner, and is silent
// while a person answers, or another responder of the number.
func (h *host) answer(ctx context.Context, m *webhook.IncomingMessage) error {
	may, err := h.tracker.MayAnswer(ctx, m)
	if err != nil || !may.Allowed {
		return err // nil if it may not; may.Reason says why
	}
	_, err = h.tracker.Send(ctx, m.PhoneNumberID, cloudapi.Message{
		To:      cloudapi.ToIdentity(m.From),
		Content: &cloudapi.Text{Body: "Thanks for writing! We are open from 7 to 18 h."},
	})
	return err // asks for another try only if nothing went out and it may succeed
}
