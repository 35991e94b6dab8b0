package redislimit_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/redislimit"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// Every process makes its own limiter over the same Redis. The client asks it before each send, and
// a tracker finds it through the client and records there what arrives.
func ExampleNew() {
	rdb := redis.NewClient(&redis.Options{Addr: "redis.internal:6379"})
	defer rdb.Close()
	limiter, err := redislimit.New(rdb, redislimit.Config{Processes: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := cloudapi.NewClient(cloudapi.Config{Limiter: limiter})
	if err != nil {
		fmt.Println(err)
		return
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: new(coexistence.MemStore),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
			return client.WithToken("the business's token"), nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(client != nil, tracker != nil)
	// Output: true true
}

// go-redis reports broken connections to the logger of the process.
func ExampleClientLogger() {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	redis.SetLogger(redislimit.ClientLogger(logger))
}
