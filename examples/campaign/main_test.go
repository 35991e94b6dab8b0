package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The workers of the campaign are processes of this program, here of the test.
func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		os.Exit(workerMain())
	}
	os.Exit(m.Run())
}

// The campaign checks itself: a message that is at Meta twice, or not at all, ends it with an error.
func TestEveryCustomerGetsTheMessageOnce(t *testing.T) {
	t.Parallel()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer out.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	require.NoError(t, run(ctx, out, options{messages: 400, rate: 400, faults: 0.2, crashes: 2, seed: 7, outbox: t.TempDir()}))

	printed, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	for _, want := range []string{
		"both sides count 400 a second",
		"100 %",
		"400  messages are at Meta, for 400 customers",
		"2  workers were killed",
		"Messages a second",
		"How long Meta took to answer",
	} {
		require.Contains(t, string(printed), want)
	}
}

// What a worker wrote before it was killed is all that its successor has, in whatever order the journals are read.
func TestTheOutboxSurvivesATornLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	box, err := openOutbox(dir, "worker", 3)
	require.NoError(t, err)
	require.NoError(t, box.write(line{Item: 0, Do: try}))
	require.NoError(t, box.write(line{Item: 1, Do: try}))
	_, err = box.journal.WriteString("\n" + `{"item":2,"do":"tr`)
	require.NoError(t, err)
	box.close()

	hooks, err := openOutbox(dir, "webhooks", 3)
	require.NoError(t, err)
	require.NoError(t, hooks.write(line{Item: 1, Do: done, ID: "wamid.1"}))
	hooks.close()

	box, err = openOutbox(dir, "worker", 3)
	require.NoError(t, err)
	defer box.close()
	require.Equal(t, []int{0}, box.in(trying))
	require.Equal(t, []int{2}, box.in(queued))
	require.Equal(t, []int{1}, box.in(sent))
	require.NoError(t, box.write(line{Item: 0, Do: doubt, Killed: true}))
	require.NoError(t, box.refresh())
	require.Equal(t, []int{0}, box.in(doubted))
	require.True(t, box.accounts("wamid.1"))
	require.NoError(t, box.write(line{Item: 0, Do: free}))
	require.NoError(t, box.refresh())
	require.Equal(t, tally{sent: 1, doubts: 1, killed: 1, cleared: 1}, box.count())
}
