// Command bot answers what customers write, and is silent while a person at the business answers.
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
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func main() {
	secret := func(name string) graph.Secret { return graph.Secret(os.Getenv(name)) }
	client, err1 := cloudapi.NewClient(cloudapi.Config{
		AccessToken: secret("ACCESS_TOKEN"), BaseURL: os.Getenv("GRAPH_URL"), // empty for Meta
	})
	tracker, err2 := coexistence.NewTracker(coexistence.Config{
		Store:  new(coexistence.MemStore), // forgets everything when the program ends
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		may, err := tracker.MayAnswer(ctx, m)
		if err != nil || !may.Allowed {
			return err
		}
		_, err = tracker.Send(ctx, m.PhoneNumberID, cloudapi.Message{
			To: cloudapi.ToIdentity(m.From), Content: &cloudapi.Text{Body: "You wrote: " + m.Text()},
		})
		return err
	})
	hook, err3 := webhook.NewEndpoint(webhook.Config{
		AppSecret: secret("APP_SECRET"), VerifyToken: secret("VERIFY_TOKEN"),
	}, webhook.Dispatch(webhook.MultiHandler(tracker, &mux))) // the tracker first
	if err := errors.Join(err1, err2, err3); err != nil {
		log.Fatal(err)
	}
	log.Fatal((&http.Server{Addr: os.Getenv("ADDR"), Handler: hook, ReadTimeout: time.Minute}).ListenAndServe())
}
