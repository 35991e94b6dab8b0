// Gin shows a webhook endpoint on a gin router, behind middleware that binds bodies.
package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

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
	router := gin.New()
	router.Use(gin.Recovery(), audit)
	router.Any("/webhook", wrap(endpoint))
	return router, nil
}

// wrap is gin.WrapH for routes behind ShouldBindBodyWith, which keeps the bytes in the context and
// leaves the request without them. Where no such middleware runs, gin.WrapH does.
func wrap(endpoint http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if body, ok := c.Get(gin.BodyBytesKey); ok {
			c.Request.Body = io.NopCloser(bytes.NewReader(body.([]byte)))
		}
		endpoint.ServeHTTP(c.Writer, c.Request)
	}
}

// audit stands for middleware that looks into bodies. It limits what it reads, because it runs
// before the endpoint does.
func audit(c *gin.Context) {
	var head struct {
		Object string `json:"object"`
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 4<<20)
	err := c.ShouldBindBodyWithJSON(&head)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		c.AbortWithStatus(http.StatusRequestEntityTooLarge)
		return
	}
	slog.DebugContext(c, "a request", "object", head.Object)
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
