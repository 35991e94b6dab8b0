package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
)

// The workers of the campaign are processes of this program, here of the test.
func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The campaign checks itself: a message that is at Meta twice or is missing ends it with an error.
func TestEveryCustomerGetsTheMessageOnce(t *testing.T) {
	t.Parallel()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer out.Close()
	require.NoError(t, run(t.Context(), out, options{
		messages: 300, rate: 300, faults: 0.15, crashes: 2, seed: 7, db: filepath.Join(t.TempDir(), "whatsapp.db"),
	}))

	printed, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	for _, want := range []string{
		"the limiter allows 300 here",
		"100 %",
		"300  messages are at Meta, for 300 customers",
		"300  are sent by the books of the outbox, 300 delivered, 300 read",
		"2  workers were killed",
		"Messages a second",
		"accepted, then cut",
	} {
		require.Contains(t, string(printed), want)
	}
}

func TestTheCheckSeesWhatIsTwiceOrMissing(t *testing.T) {
	t.Parallel()
	sent := []cloudapitest.SentMessage{{CallbackData: entryID(0)}, {CallbackData: entryID(1)}}
	require.NoError(t, check(sent, 2))
	require.ErrorContains(t, check(sent, 3), "0 customers got theirs twice, and 1 none")
	require.ErrorContains(t, check(append(sent, sent[1]), 2), "1 customers got theirs twice, and 0 none")
	require.Error(t, check(append(sent, cloudapitest.SentMessage{CallbackData: "another"}), 2))
}
