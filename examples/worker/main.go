// Worker shows a queue of one's own: the endpoint only writes a delivery down, and a worker decodes
// and handles it later. Package webhook/inbox does the same and more (order, repeats, several
// machines): use that unless you have a queue that you want to keep.
//
// The queue is a folder. A delivery is acknowledged once its bytes are on the disk, and its file is
// deleted once it was handled, so that a crash at any moment loses nothing. A host of several
// machines puts a database or a broker in the folder's place.
package main

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends. The endpoint and the worker share the queue and nothing else: in a
// larger host they are different processes. First the server stops, then the worker finishes its
// delivery; the rest of the folder is for the next start.
func run(ctx context.Context) error {
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		log.Println("a customer wrote to number", m.PhoneNumberID, "a message of type", m.Content.MessageType())
		return nil // a bot answers here, if Tracker.MayAnswer allows it
	})
	webhook.On(&mux, func(_ context.Context, e *webhook.BusinessAppEcho) error {
		log.Println(
			"the business wrote on the phone of number", e.PhoneNumberID, "a message of type", e.Content.MessageType(),
		)
		return nil // a bot falls silent for e.To here: a person is in the conversation
	})
	queue, err := openSpool(setting("QUEUE", "webhook-queue"))
	if err != nil {
		return err
	}
	defer queue.close()
	endpoint, err := webhook.NewEndpoint(webhook.Config{
		AppSecret:   graph.Secret(setting("APP_SECRET", "made-up-app-secret")),
		VerifyToken: graph.Secret(setting("VERIFY_TOKEN", "made-up-verify-token")),
		Logger:      slog.Default(),
	}, queue)
	if err != nil {
		return err
	}
	var worker sync.WaitGroup
	// Dispatch knows repeats until the next restart: in production, use package webhook/inbox, or a
	// DedupStore in your database.
	worker.Go(func() { work(ctx, queue, webhook.Dispatch(&mux)) })
	defer worker.Wait()

	addr := setting("ADDR", "localhost:8080")
	server := &http.Server{Addr: addr, Handler: endpoint, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Shutdown(context.WithoutCancel(ctx)) })
	log.Printf("the callback URL is http://%s/, for the fields %v", addr, mux.Fields())
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// work hands stored deliveries to recv until ctx ends, oldest first. One that fails stays, and has
// its turn again.
func work(ctx context.Context, queue *spool, recv webhook.Receiver) {
	const pause = time.Second
	for {
		if err := queue.each(func(d webhook.Delivery) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := recv.Receive(ctx, d)
			if webhook.IsPermanent(err) {
				slog.ErrorContext(ctx, "a delivery cannot be handled, and never will", "err", err)
				return nil
			}
			return err
		}); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "deliveries stay in the queue", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-queue.arrived:
		case <-time.After(pause):
		}
	}
}

// setting returns an environment variable, or a made-up value, which it prints, so that the program
// runs at once.
func setting(name, madeUp string) string {
	value := os.Getenv(name)
	if value == "" {
		value = madeUp
		log.Printf("%s is not set; it is %q for now", name, value)
	}
	return value
}
