// Postgres is the bot of examples/bot on PostgreSQL. Start it as often as you like: the processes
// share the work.
package main

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends, and then finishes what is under way.
func run(ctx context.Context) error {
	secret := func(name string) graph.Secret { return graph.Secret(os.Getenv(name)) }
	db, err := postgres.Open(ctx, postgres.Config{URL: os.Getenv("DATABASE_URL")})
	if err != nil {
		return err
	}
	client, err1 := cloudapi.NewClient(cloudapi.Config{
		AccessToken: secret("ACCESS_TOKEN"), BaseURL: os.Getenv("GRAPH_URL"), // empty for Meta
	})
	tracker, err2 := coexistence.NewTracker(coexistence.Config{
		Store:  db.Store(),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	box, err3 := db.Outbox(outbox.Config{Tracker: tracker, Logger: slog.Default()})
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		may, err := tracker.MayAnswer(ctx, m)
		if err != nil || !may.Allowed {
			return err
		}
		log.Println(m.ProfileName, "gets an answer")
		_, err = box.Enqueue(ctx, outbox.Message{
			ID: "answer-" + string(m.ID), PhoneNumberID: m.PhoneNumberID, // one answer for each message
			Payload: cloudapi.Message{
				To: cloudapi.ToIdentity(m.From), Content: &cloudapi.Text{Body: "You wrote: " + m.Text()},
			},
		})
		return err
	})
	handler := webhook.MultiHandler(tracker, box, &mux) // the tracker first; the outbox reads statuses
	in, err4 := db.Inbox(handler, inbox.Config{Logger: slog.Default()})
	hook, err5 := webhook.NewEndpoint(webhook.Config{
		AppSecret: secret("APP_SECRET"), VerifyToken: secret("VERIFY_TOKEN"),
	}, in)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	if err := errors.Join(in.Start(ctx), box.Start(ctx)); err != nil {
		return err
	}
	server := &http.Server{Addr: os.Getenv("ADDR"), Handler: hook, ReadTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.ListenAndServe() }()
	select {
	case err = <-served: // such as a port that is taken
	case <-ctx.Done():
	}
	ctx = context.WithoutCancel(ctx)
	return errors.Join(err, server.Shutdown(ctx), in.Shutdown(ctx), box.Shutdown(ctx), db.Close())
}
