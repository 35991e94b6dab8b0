package outbox_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
)

// exampleOutbox returns an outbox in a new file, and what removes it.
func exampleOutbox(ctx context.Context) (box *outbox.Outbox, remove func()) {
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		log.Fatal(err)
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "whatsapp.db")})
	if err != nil {
		log.Fatal(err)
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store()})
	if err != nil {
		log.Fatal(err)
	}
	if box, err = db.Outbox(outbox.Config{Tracker: tracker}); err != nil {
		log.Fatal(err)
	}
	return box, func() { _, _ = db.Close(), os.RemoveAll(dir) }
}

// A campaign. Each message is named after the campaign and the host's own id of the person, so that
// a second run adds nothing.
func ExampleOutbox_Enqueue_campaign() {
	ctx := context.Background()
	box, remove := exampleOutbox(ctx)
	defer remove()
	message := outbox.Message{
		ID: "easter-customer-17", PhoneNumberID: "100000000000001", Campaign: "easter",
		Payload: cloudapi.Message{
			To:      cloudapi.ToPhone("+15550100101"),
			Content: &cloudapi.Template{Name: "easter_hours", Language: "en_US"},
		},
	}
	fmt.Println(box.Enqueue(ctx, message))
	fmt.Println(box.Enqueue(ctx, message)) // a second click, a process that was started again
	// Output:
	// 1 <nil>
	// 0 <nil>
}

// Stop a campaign, look how far it is, and let it go on.
func ExampleOutbox_PauseCampaign() {
	ctx := context.Background()
	box, remove := exampleOutbox(ctx)
	defer remove()
	fmt.Println(box.PauseCampaign(ctx, "easter"))
	c, err := box.CampaignCounts(ctx, "easter")
	fmt.Println(c.Paused, c.Queued, c.Sent, c.Delivered, c.Failed, err)
	fmt.Println(box.ResumeCampaign(ctx, "easter"))
	// Output:
	// <nil>
	// true 0 0 0 0 <nil>
	// <nil>
}
