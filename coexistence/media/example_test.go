package media_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/media"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A customer sends a picture, which is still there when Meta has deleted it.
func Example() {
	ctx := context.Background()
	meta := cloudapitest.NewServer(cloudapitest.Config{})
	defer meta.Close()
	phone := meta.AddPhone(cloudapitest.Phone{}).ID
	client, err := cloudapi.NewClient(meta.ClientConfig())
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "media")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	folder, err := media.OpenFolder(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer folder.Close()
	store := new(coexistence.MemStore)
	archive, err := media.New(media.Config{
		Files: folder, Messages: store, MaxBytes: 16 << 20,
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store, WrapForget: archive.Forget})
	if err != nil {
		log.Fatal(err)
	}

	sent := meta.AddMedia(cloudapitest.Media{PhoneNumberID: phone, MIMEType: "image/png", Body: []byte("a picture")})
	// A server has an inbox for each of the two: see Split.
	err = webhook.MultiHandler(tracker, archive).Handle(ctx, &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: phone, At: time.Now()},
		ID:        "wamid.1", From: graph.Identity{WAID: "15550100101"},
		Content: &webhook.Image{Media: webhook.Media{ID: sent.ID, MIMEType: sent.MIMEType, SHA256: sent.SHA256()}},
	})
	if err != nil {
		log.Fatal(err)
	}

	message, err := store.Message(ctx, phone, "wamid.1")
	if err != nil {
		log.Fatal(err)
	}
	file, err := archive.Open(ctx, message)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	picture, err := io.ReadAll(file)
	fmt.Println(file.MIMEType, string(picture), err)

	err = tracker.Forget(ctx, coexistence.ForgetRequest{PhoneNumberID: phone, Person: "15550100101"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = archive.Open(ctx, message)
	fmt.Println(err)
	// Output:
	// image/png a picture <nil>
	// media: no file of this message is kept; look for a dead letter of the archive's inbox
}
