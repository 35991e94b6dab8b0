// Follow keeps chats, history and contacts of the numbers that businesses connect at /signup/.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

func main() {
	ctx, secret := context.Background(), func(name string) graph.Secret { return graph.Secret(os.Getenv(name)) }
	keys, err1 := signup.ParseKeyring(secret("KEYS")) // openssl rand -base64 32
	db, err2 := sqlite.Open(ctx, sqlite.Config{Path: os.Getenv("DB"), Keyring: keys})
	client, err3 := cloudapi.NewClient(cloudapi.Config{AppID: graph.AppID(os.Getenv("META_APP_ID")),
		AppSecret: secret("META_APP_SECRET"), BaseURL: os.Getenv("META_GRAPH_URL")}) // empty for Meta
	if err := errors.Join(err1, err2, err3); err != nil {
		log.Fatal(err)
	}
	tracker, err1 := coexistence.NewTracker(coexistence.Config{Store: db.Store(), Client: db.Tokens().Client(client)})
	// The inbox acknowledges what is on the disk, and hands it to the tracker until that works.
	in, err2 := db.Inbox(tracker, inbox.Config{})
	hooks := webhook.Config{AppSecret: secret("META_APP_SECRET"), VerifyToken: secret("WEBHOOK_VERIFY_TOKEN")}
	endpoint, err3 := webhook.NewEndpoint(hooks, in)
	flow, err4 := signup.NewFlow(signup.Config{
		ConfigurationID: os.Getenv("META_CONFIGURATION_ID"), Client: client, Store: db.Signups(), Cipher: keys,
		// The tenant is who is signed in to your product.
		Page: signup.PageConfig{Tenant: func(*http.Request) (string, error) { return "bakery", nil }},
		Connected: func(ctx context.Context, c *signup.Connection) error {
			// In this order: what the history brings belongs to a number that is known, and needs
			// its token.
			return errors.Join(db.Tokens().Put(ctx, c), tracker.Onboard(ctx, c.Onboarding),
				tracker.Reconcile(ctx, c.PhoneNumberID))
		},
	})
	if err := errors.Join(err1, err2, err3, err4, in.Start(ctx)); err != nil {
		log.Fatal(err)
	}
	go tracker.Run(ctx) // asks again for contacts and history until it worked
	http.Handle("/signup/", flow.Handler())
	http.Handle("/webhook", endpoint)
	log.Fatal((&http.Server{Addr: os.Getenv("ADDR"), ReadTimeout: time.Minute}).ListenAndServe())
}
