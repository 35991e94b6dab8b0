// Chi shows a webhook endpoint on a chi router, behind middleware that reads bodies.
package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func main() {
	// The secret of the app verifies what Meta signs; the verify token is a text of your choice,
	// which you enter beside the callback URL in the app dashboard.
	cfg := webhook.Config{
		AppSecret:   graph.Secret(setting("APP_SECRET", "made-up-app-secret")),
		VerifyToken: graph.Secret(setting("VERIFY_TOKEN", "made-up-verify-token")),
		Logger:      slog.Default(),
	}
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
	router, err := newRouter(cfg, &mux)
	if err != nil {
		log.Fatal(err)
	}
	addr := setting("ADDR", "localhost:8080")
	server := &http.Server{Addr: addr, Handler: router, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	log.Printf("the callback URL is http://%s/webhook, for the fields %v", addr, mux.Fields())
	log.Fatal(server.ListenAndServe())
}

// newRouter mounts the endpoint for every method: it answers 405 itself where that is due.
func newRouter(cfg webhook.Config, h webhook.Handler) (http.Handler, error) {
	// In production an inbox of package webhook/inbox stands here: Dispatch handles before it
	// acknowledges, and forgets at a restart what it has handled.
	endpoint, err := webhook.NewEndpoint(cfg, webhook.Dispatch(h))
	if err != nil {
		return nil, err
	}
	router := chi.NewRouter()
	router.Use(middleware.Recoverer, middleware.RequestSize(4<<20), audit)
	router.Handle("/webhook", endpoint)
	return router, nil
}

// audit stands for middleware that looks into bodies. What it passes on has to be the same bytes:
// the signature covers them.
func audit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		slog.DebugContext(r.Context(), "a request", "bytes", len(body))
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
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
