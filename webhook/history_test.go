package webhook_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func chunkOf(t *testing.T, threads string) *webhook.HistoryChunk {
	t.Helper()
	return one[*webhook.HistoryChunk](t,
		inValue("history", `"history":[{"metadata":{"phase":1,"chunk_order":2,"progress":40},"threads":`+threads+`}]`))
}

func TestHistoryVariants(t *testing.T) {
	t.Parallel()
	chunk := one[*webhook.HistoryChunk](t, string(webhooktest.Sample("history", "chunk")))
	require.Equal(t, webhook.HistoryPhaseRecent, chunk.Phase)
	require.Equal(t, 1, chunk.Order)
	require.Equal(t, 35, chunk.Progress)
	require.Len(t, chunk.Threads(), 2)

	media := one[*webhook.HistoryMedia](t, string(webhooktest.Sample("history", "media")))
	require.False(t, media.Outbound)
	require.Equal(t, "15550100123", media.Customer().Key())
	require.Equal(t, chunk.Threads()[0].Messages[2].ID, media.ID, "it fills the placeholder")
	require.Equal(t, "The garden", media.Content.(*webhook.Image).Caption)

	sent := one[*webhook.HistoryMedia](t, string(webhooktest.Sample("history", "media-outbound")))
	require.True(t, sent.Outbound)
	require.Equal(t, "US.4000000000000000123", sent.Customer().Key())

	failure := one[*webhook.HistoryFailure](t, string(webhooktest.Sample("history", "declined")))
	require.True(t, failure.Declined())
	require.Empty(t, failure.DedupKey)

	last := one[*webhook.HistoryChunk](t, string(webhooktest.Sample("history", "progress-only")))
	require.Equal(t, 100, last.Progress)
	require.Empty(t, last.Threads())
	require.Empty(t, last.DedupKey, "after a second onboarding the same bytes mean something new")
	require.Equal(t, 100,
		one[*webhook.HistoryChunk](t, inValue("history", `"history":[{"metadata":{"progress":"100"}}]`)).Progress)

	odd := one[*webhook.HistoryFailure](t,
		inValue("history", `"history":[{"errors":[{"message":"new reason","error_data":{"details":"d"}}]}]`))
	require.False(t, odd.Declined())
	require.Equal(t, "d", odd.Err.Details)
	one[*webhook.UnknownEvent](t, inValue("history", `"history":[{}]`))
	require.Equal(t, "UndecodableEvent HistoryChunk",
		kindsOf(decode(t, inValue("history", `"history":[{"metadata":5},{"metadata":{}}]`))))
	require.Equal(t, "HistoryFailure HistoryFailure HistoryChunk",
		kindsOf(decode(t, inValue("history", `"history":[{"errors":[{"code":1},{"code":2}],"metadata":{}}]`))))
}

func TestHistoryDirection(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		thread, message string
		outbound        bool
	}{
		"to":                     {`"id":"15550100123"`, `"from":"15550100123","to":"15550100123"`, true},
		"to_user_id":             {`"id":"15550100123"`, `"from":"15550100123","to_user_id":"US.1"`, true},
		"customer's user id":     {`"context":{"user_id":"US.1"}`, `"from_user_id":"US.1"`, false},
		"customer's number":      {`"id":"15550100123"`, `"from":"15550100123"`, false},
		"number with formatting": {`"id":"+1 555 010-0123"`, `"from":"15550100123"`, false},
		"context's number": {`"id":"15550100999","context":{"wa_id":"15550100123"}`, `"from":"15550100123"`,
			false},
		"Brazilian spellings":  {`"id":"5511987654321"`, `"from":"551187654321"`, false},
		"Mexican spellings":    {`"id":"525512345678"`, `"from":"5215512345678"`, false},
		"the business":         {`"id":"15550100123"`, `"from":"15550100100"`, true},
		"another user id":      {`"context":{"user_id":"US.1"}`, `"from_user_id":"US.2"`, true},
		"nobody":               {`"id":"15550100123"`, `"id":"m"`, true},
		"user id as thread id": {`"id":"US.1"`, `"from":"US.1"`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := `{` + tt.message + `,"text":{"body":"x"}}`
			for _, thread := range []string{
				`{` + tt.thread + `,"messages":[` + message + `]}`,
				`{"messages":[` + message + `],` + tt.thread + `}`,
			} {
				threads := chunkOf(t, `[`+thread+`]`).Threads()
				require.Len(t, threads, 1)
				require.Len(t, threads[0].Messages, 1)
				require.Equal(t, tt.outbound, threads[0].Messages[0].Outbound, thread)
				require.NoError(t, threads[0].Messages[0].Err)
			}
		})
	}
}

func TestHistoryIsolatesMessagesAndThreads(t *testing.T) {
	t.Parallel()
	c := chunkOf(t, `[
		{"id":"15550100123","messages":[{"id":"1","text":{"body":"x"}},{"id":"2","text":["private"]},"odd",null,
		{"id":"3"}]},
		"odd", null, {"id":["odd"],"messages":[{"id":"4"}]}, {"id":"15550100124",
		"messages":{"odd":1}}, {"id":"15550100125","messages":[],"new":1}]`)
	var got []string
	for thread, m := range c.Messages() {
		require.NotNil(t, m.Content)
		text := string(m.ID)
		if m.Err != nil {
			text = m.Err.Error()
			require.NotEmpty(t, m.Raw)
		}
		got = append(got, thread.ID+" "+text)
	}
	require.Equal(t, []string{
		"15550100123 1", "15550100123 webhook: text: want an object, got an array", "15550100123 webhook: want an " +
			"object, got a string", "15550100123 3",
		" webhook: thread: want an object, got a string", " 4", " webhook: thread: id: want a string, got an array",
		"15550100124 webhook: thread: messages: want an array, got an object",
	}, got)
	threads := c.Threads()
	require.Len(t, threads, 5)
	require.Equal(t, "15550100125", threads[4].ID)
	require.Equal(t, []string{"new=1"}, unknownPaths(webhook.EventInfo{Unknown: threads[4].Unknown}))
	for thread, m := range chunkOf(t, `"odd"`).Messages() {
		require.Empty(t, thread.ID)
		require.Error(t, m.Err)
	}
}

func TestHistoryCanBeWalkedFromItsBytesAlone(t *testing.T) {
	t.Parallel()
	for _, threads := range []string{
		`[{"id":"15550100123","messages":[{"id":"1","from":"15550100123","text":{"body":"x"}},{"id":"2"}]}]`,
		`[{"messages":[{"id":"1","from":"15550100123","text":{"body":"x"}},` +
			`{"id":"2"}],"context":{"user_id":"US.1"},"id":"15550100123"}]`,
		`[{"id":"15550100999","messages":[{"id":"9"}]}],"threads":[{"id":"15550100123","messages":[{"id":"9"}],` +
			`"messages":[{"id":"1"}]}]`,
	} {
		c := chunkOf(t, threads)
		stored := &webhook.HistoryChunk{EventInfo: webhook.EventInfo{Raw: c.Raw}}
		require.Equal(t, c.Threads(), stored.Threads())
		require.Equal(t, graph.MessageID("1"), c.Threads()[0].Messages[0].ID)
		require.Equal(t, "15550100123", c.Threads()[0].ID)
	}
	require.Empty(t, new(webhook.HistoryChunk).Threads())
	broken := &webhook.HistoryChunk{EventInfo: webhook.EventInfo{Raw: []byte(`{"threads":[{"messages":[{"id":`)}}
	require.Empty(t, broken.Threads(), "not JSON")
}

func TestHistoryMessagesCanBeKeptAndLeftEarly(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `,{"id":"%d","text":{"body":"message \u00e9 %d"}}`, i, i)
	}
	c := chunkOf(t, `[{"id":"1","messages":[`+b.String()[1:]+`]},{"id":"2","messages":[{"id":"x"}]}]`)
	var kept []*webhook.HistoryMessage
	for _, m := range c.Messages() {
		kept = append(kept, m)
	}
	require.Len(t, kept, 101)
	for i, m := range kept[:100] {
		require.Equal(t, fmt.Sprint(i), string(m.ID))
		require.Equal(t, fmt.Sprintf("message é %d", i), m.Content.(*webhook.Text).Body)
	}
	for stop := range 101 {
		n := 0
		for range c.Messages() {
			if n++; n > stop {
				break
			}
		}
		require.Equal(t, stop+1, n)
	}
}

func TestHistoryStatusIsInCapitals(t *testing.T) {
	t.Parallel()
	threads := chunkOf(t, `[{"messages":[
		{"history_context":{"status":"read"}},{"history_context":{"status":"PLAYED"}},
		{"history_context":{"status":"new"}},{"history_context":null},{}]}]`).Threads()
	var got []webhook.HistoryStatus
	for _, m := range threads[0].Messages {
		got = append(got, m.Status)
	}
	require.Equal(t, []webhook.HistoryStatus{webhook.HistoryRead, webhook.HistoryPlayed, "NEW", "", ""}, got)
}
