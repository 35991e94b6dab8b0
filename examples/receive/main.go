// Command receive prints what customers write: the callback URL of the app is that of this program.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func main() {
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		log.Println(m.ProfileName, "wrote", m.Text())
		return nil
	})
	// Meta signs with the app's secret, and asks with the verify token whether the URL is yours:
	// you choose it, and enter it beside the callback URL. Nothing unsigned reaches the handler.
	hook, err := webhook.NewEndpoint(webhook.Config{
		AppSecret: graph.Secret(os.Getenv("APP_SECRET")), VerifyToken: graph.Secret(os.Getenv("VERIFY_TOKEN")),
	}, webhook.Dispatch(&mux))
	if err != nil {
		log.Fatal(err)
	}
	// The callback URL is https: a proxy, or a tunnel while you develop, stands before this port.
	log.Fatal((&http.Server{Addr: ":" + os.Getenv("PORT"), Handler: hook, ReadTimeout: time.Minute}).ListenAndServe())
}
