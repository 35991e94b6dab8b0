// Command send sends a text to the number in TO.
package main

import (
	"context"
	"log"
	"os"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func main() {
	client, err := cloudapi.NewClient(cloudapi.Config{AccessToken: graph.Secret(os.Getenv("ACCESS_TOKEN")), BaseURL: os.Getenv("GRAPH_URL")})
	if err != nil {
		log.Fatal(err)
	}
	sent, err := client.Messages.Send(context.Background(), graph.PhoneNumberID(os.Getenv("PHONE_NUMBER_ID")), cloudapi.Message{
		To:      cloudapi.ToPhone(os.Getenv("TO")),
		Content: &cloudapi.Text{Body: "Your order is on its way."},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Println("sent as", sent.ID) //nolint:gosec // G706: an id of Meta
}
