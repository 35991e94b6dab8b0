package readme

import (
	"context"
	"log"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func receive(cfg webhook.Config) (*webhook.Endpoint, error) { // cfg: AppSecret and VerifyToken
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		log.Println(m.ProfileName, "wrote", m.Text())
		return nil
	})
	return webhook.NewEndpoint(cfg, webhook.Dispatch(&mux)) // an http.Handler
}
