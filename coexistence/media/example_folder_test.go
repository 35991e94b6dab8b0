package media_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/media"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A folder is the smallest store of files. A bucket of yours has the same three methods.
func ExampleOpenFolder() {
	ctx := context.Background()
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

	key := media.Key("100000000000001", "wamid.1")
	if err := folder.Put(ctx, key, strings.NewReader("a picture")); err != nil {
		log.Fatal(err)
	}
	file, err := folder.Open(ctx, key)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	picture, err := io.ReadAll(file)
	fmt.Println(string(picture), err)
	// Output: a picture <nil>
}

// The key of a file follows from its message: nothing has to be stored beside it.
func ExampleKey() {
	a, b := media.Key("100000000000001", "wamid.1"), media.Key("100000000000001", "wamid.1")
	fmt.Println(a == b, a == media.Key("100000000000001", "wamid.2"))
	// Output: true false
}

// Downloads have an inbox of their own, so that no conversation waits for a file.
func ExampleSplit() {
	messages, downloads := new(inbox.MemStore), new(inbox.MemStore)
	receiver := media.Split(inbox.SinkReceiver(messages), inbox.SinkReceiver(downloads))
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"}, receiver)
	fmt.Println(endpoint != nil, err)
	// Output: true <nil>
}

// All mistakes of a Config are reported at once.
func ExampleNew() {
	_, err := media.New(media.Config{})
	fmt.Println(err)
	// Output:
	// media: Config.Files is nil; begin with OpenFolder
	// media: Config.Messages is nil; it is the store of the tracker
	// media: Config.Client is nil; it is the one of coexistence.Config
}
