// Bucket keeps the files of WhatsApp messages in a bucket of any cloud: a store of package
// coexistence/media over gocloud.dev/blob, in store.go.
//
//	go run ./examples/bucket -bucket "file:///tmp/files?create_dir=true"
//
// A made-up customer sends a picture to a made-up Meta, the archive fetches it into the bucket, and
// then the customer is forgotten. For s3://, gs:// and azblob:// import the driver of that cloud
// beside the two that are imported here: gocloud.dev/blob/s3blob, gcsblob or azureblob. Each takes
// its credentials from the environment.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"log"
	"os"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/media"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func main() {
	where := flag.String("bucket", "mem://", "`URL` of the bucket")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *where); err != nil {
		log.Fatal(err)
	}
}

// run shows the life of a file: it arrives, it is in the bucket, it is forgotten.
func run(ctx context.Context, out io.Writer, where string) error {
	bucket, err := blob.OpenBucket(ctx, where)
	if err != nil {
		return err
	}
	defer bucket.Close()
	meta := cloudapitest.NewServer(cloudapitest.Config{})
	defer meta.Close()
	client, err := cloudapi.NewClient(meta.ClientConfig())
	if err != nil {
		return err
	}

	messages := new(coexistence.MemStore)
	archive, err := media.New(media.Config{
		Files: store{bucket}, Messages: messages, MaxNumberBytes: 10 << 30,
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	if err != nil {
		return err
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: messages, WrapForget: archive.Forget})
	if err != nil {
		return err
	}

	// A server gives each of the two handlers an inbox: see media.Split, and examples/saas.
	message := arrives(meta)
	if err := webhook.MultiHandler(tracker, archive).Handle(ctx, message); err != nil {
		return err
	}
	if err := tell(ctx, out, bucket); err != nil {
		return err
	}
	stored, err := messages.Message(ctx, message.PhoneNumberID, message.ID)
	if err != nil {
		return err
	}
	file, err := archive.Open(ctx, stored)
	if err != nil {
		return err
	}
	picture, err := png.Decode(file)
	_ = file.Close() // it was read
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the message has a picture of %d by %d dots\n", picture.Bounds().Dx(), picture.Bounds().Dy())

	err = tracker.Forget(ctx, coexistence.ForgetRequest{
		PhoneNumberID: message.PhoneNumberID, Person: message.From.Key(),
	})
	if err != nil {
		return err
	}
	return tell(ctx, out, bucket)
}

// arrives is a picture that a customer sends.
func arrives(meta *cloudapitest.Server) *webhook.IncomingMessage {
	var body bytes.Buffer
	if err := png.Encode(&body, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
		panic(err) // a buffer takes everything
	}
	phone := meta.AddPhone(cloudapitest.Phone{}).ID
	file := meta.AddMedia(cloudapitest.Media{PhoneNumberID: phone, MIMEType: "image/png", Body: body.Bytes()})
	return &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: phone, At: time.Now()},
		ID:        "wamid.1", From: graph.Identity{WAID: "15550100101"},
		Content: &webhook.Image{Media: webhook.Media{ID: file.ID, MIMEType: file.MIMEType, SHA256: file.SHA256()}},
	}
}

// tell says what is in the bucket.
func tell(ctx context.Context, out io.Writer, bucket *blob.Bucket) error {
	n := 0
	err := store{bucket}.each(ctx, "", func(*blob.ListObject) error { n++; return nil })
	fmt.Fprintln(out, "files in the bucket:", n)
	return err
}
