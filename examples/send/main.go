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
	cfg := cloudapi.Config{AccessToken: graph.Secret(os.Getenv("ACCESS_TOKEN")), BaseURL: os.Getenv("GRAPH_URL")}
	client, err := cloudapi.NewClient(cfg) // without GRAPH_URL it calls Meta
	if err != nil {
		log.Fatal(err)
	}
	from, to := graph.PhoneNumberID(os.Getenv("PHONE_NUMBER_ID")), cloudapi.ToPhone(os.Getenv("TO"))
	text := &cloudapi.Text{Body: "Your order is on its way."}
	// A text reaches who wrote within the last 24 hours; everybody else needs a template. An error
	// says whether Meta may have sent it all the same: see cloudapi.Error.Outcome.
	sent, err := client.Messages.Send(context.Background(), from, cloudapi.Message{To: to, Content: text})
	if err != nil {
		log.Fatal(err)
	}
	log.Println("sent as", sent.ID) //nolint:gosec // G706: an id of Meta
}
