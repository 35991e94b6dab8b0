package readme

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func send(ctx context.Context, cfg cloudapi.Config, from graph.PhoneNumberID) (*cloudapi.SentMessage, error) {
	client, err := cloudapi.NewClient(cfg) // cfg: AccessToken
	if err != nil {
		return nil, err
	}
	to, text := cloudapi.ToPhone("+1 555 010 0123"), &cloudapi.Text{Body: "Your order is on its way."}
	return client.Messages.Send(ctx, from, cloudapi.Message{To: to, Content: text})
}
