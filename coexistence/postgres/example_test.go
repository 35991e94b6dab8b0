package postgres_test

import (
	"context"
	"fmt"
	"os"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
)

func Example() {
	ctx := context.Background()
	db, err := postgres.Open(ctx, postgres.Config{URL: os.Getenv("DATABASE_URL")})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store()})
	if err != nil {
		panic(err)
	}
	for c, err := range tracker.Store().Conversations(ctx, "106540352242922") {
		fmt.Println(c.Contact.DisplayName(), c.MessageCount, err)
	}
}
