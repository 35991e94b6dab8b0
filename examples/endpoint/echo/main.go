// Echo shows a webhook endpoint on an echo router, behind middleware that dumps bodies.
package main

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

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
	router := echo.New()
	router.Use(middleware.Recover(), middleware.BodyDump(audit))
	router.Any("/webhook", echo.WrapHandler(endpoint))
	return router, nil
}

// audit stands for middleware that looks into bodies. BodyDump passes the same bytes on: the
// signature covers them.
func audit(c *echo.Context, request, _ []byte, _ error) {
	slog.DebugContext(c.Request().Context(), "a request", "bytes", len(request))
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
