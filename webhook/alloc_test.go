//go:build !race

package webhook_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// These tests hold the numbers of allocations down, which unlike times are the same on every
// machine. They run alone, because allocations of tests beside them would be counted.

func verifyAndDecode(t *testing.T, body []byte) func() []webhook.Event {
	t.Helper()
	signature := webhook.Sign(testSecret, body)
	return func() []webhook.Event {
		if err := webhook.Verify(body, signature, testSecret); err != nil {
			t.Fatal(err)
		}
		events, err := webhook.Decode(body)
		if err != nil {
			t.Fatal(err)
		}
		return events
	}
}

func TestOneMessageTakesFewAllocations(t *testing.T) {
	for name, body := range map[string][]byte{"text": payload.Text(), "status": payload.Status()} {
		run := verifyAndDecode(t, body)
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { run() }), 12.0, name)
		require.LessOrEqual(t, bytesPerRun(100, func() { run() }), 2048.0, name)
	}
}

func TestHistoryTakesFewAllocations(t *testing.T) {
	const messages = 3000
	body := payload.History(messages, 40)
	run := verifyAndDecode(t, body)
	walk := func() {
		for range run()[0].(*webhook.HistoryChunk).Messages() {
		}
	}
	tree := func() { run()[0].(*webhook.HistoryChunk).Threads() }
	require.LessOrEqual(t, testing.AllocsPerRun(10, walk)/messages, 2.0)
	require.LessOrEqual(t, testing.AllocsPerRun(10, tree)/messages, 0.25)
	require.LessOrEqual(t, bytesPerRun(10, tree)/float64(len(body)), 1.3)
}

func TestEmptyMessagesTakeNoMemory(t *testing.T) {
	body := payload.EmptyHistory(100_000)
	run := verifyAndDecode(t, body)
	n := 0
	require.LessOrEqual(t, bytesPerRun(1, func() {
		for range run()[0].(*webhook.HistoryChunk).Messages() {
			n++
		}
	}), 64e3)
	require.Positive(t, n)
	require.Zero(t, n%100_000)
}

// bytesPerRun is [testing.AllocsPerRun] for bytes.
func bytesPerRun(runs int, f func()) float64 {
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)
}

// Keys are kept for days, by stores and by hosts. What else was in their delivery must not stay in
// memory along with them.
func TestAKeyKeepsNothingElse(t *testing.T) {
	const n = 2000
	for name, body := range map[string][]byte{"text": payload.Text(), "status": payload.Status(),
		"batch": payload.Batch(4)} {
		keys := make([]string, 0, n)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for len(keys) < n {
			events, err := webhook.Decode(body)
			require.NoError(t, err)
			keys = append(keys, events[0].Info().DedupKey)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		require.Less(t, (float64(after.HeapAlloc)-float64(before.HeapAlloc))/n, 100.0, name)
		runtime.KeepAlive(keys)
	}
}
