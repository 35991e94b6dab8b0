package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
)

// The story checks itself as it goes: a bot that answers twice, a state that does not follow, a
// sync that can be asked for again end it with an error.
func TestTheStoryEndsWell(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			tell(t, seed)
		})
	}
}

// documented is the policy that the program has without a flag.
func documented(t *testing.T) func(time.Time) eligibility.Policy {
	t.Helper()
	policy, err := eligibility.ParsePolicy("")
	require.NoError(t, err)
	return policy
}

func tell(t *testing.T, seed uint64) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer out.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(t, run(ctx, out, seed, 400, documented(t)), "seed %d", seed)

	printed, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	for _, want := range []string{
		"version 2.24.17 or newer is needed", // a refused number of each kind
		"Numbers from Nigeria (+234)",
		"Numbers from South Africa (+27)",
		"lifted this restriction",
		"WhatsApp Messenger, the app for private use",
		"account is not active",
		"number is not verified",
		"Do you bake rye bread?",                   // history
		"Is there rye tomorrow?",                   // the customer
		`Yes, from 7   (edited, was "Yes, from 8"`, // the phone
		"Shall we keep a loaf for you?   (read)",   // the API
		`Yes please!   (edited, was "Yes pleas")`,  // an edit
		"And my keys are on the shelf   (deleted)", // a deletion
		"Your rye on my table   (image)",           // media that followed its placeholder
		"100 % of the history, complete",           // the syncs
		"0 not acknowledged",                       // the webhooks
		"number is removed",                        // the end
	} {
		require.Contains(t, string(printed), want, "seed %d", seed)
	}
}
