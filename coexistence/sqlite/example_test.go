package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "coexistence")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	// What one run of a program stores …
	store, err := sqlite.Open(ctx, filepath.Join(dir, "coexistence.db"))
	if err != nil {
		panic(err)
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	if err != nil {
		panic(err)
	}
	err = tracker.Onboard(ctx, cloudapi.Onboarding{
		PhoneNumberID: "106540352242922", WABAIDs: []graph.WABAID{"102290129340398"}, DisplayPhoneNumber: "+1 555 0100",
		OnboardedAt: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
	})
	fmt.Println(err, store.Close())

	// … the next one finds.
	store, err = sqlite.Open(ctx, filepath.Join(dir, "coexistence.db"))
	if err != nil {
		panic(err)
	}
	defer store.Close()
	state, err := store.State(ctx, "106540352242922")
	fmt.Println(state.Stage, state.Remaining(state.OnboardedAt.Add(time.Hour)), err)
	// Output:
	// <nil> <nil>
	// onboarded 23h0m0s <nil>
}
