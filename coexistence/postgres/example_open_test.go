package postgres_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A role that may not create tables: another one has run what Schema returns.
func ExampleOpen() {
	ctx := context.Background()
	keys, err := signup.ParseKeyring(graph.Secret(os.Getenv("KEYS"))) // openssl rand -base64 32
	if err != nil {
		log.Fatal(err)
	}
	db, err := postgres.Open(ctx, postgres.Config{
		URL: os.Getenv("DATABASE_URL"), Keyring: keys, Migrate: postgres.MigrateOff, Logger: slog.Default(),
	})
	if err != nil {
		log.Fatal(err) // it names the tables that are missing
	}
	defer db.Close()
}

// The tables as SQL, for a migration tool of yours.
func ExampleSchema() {
	fmt.Println(strings.Contains(postgres.Schema(), "coexistence_messages"))
	// Output: true
}
