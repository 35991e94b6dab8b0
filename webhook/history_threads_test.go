package webhook_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// conversations returns the JSON of n threads that have nothing in common, and what they say. The
// title is in all texts.
func conversations(title string, n int, customerFirst bool) (threads string, want []string) {
	var list []string
	for i := range n {
		customer := graph.Identity{WAID: fmt.Sprintf("15550102%03d", i),
			UserID: graph.UserID(fmt.Sprintf("US.%s%d", title, i)), Username: fmt.Sprintf("%s%d", title, i)}
		id := fmt.Sprintf("15550101%03d", i)
		head := fmt.Sprintf(`"id":"%s","context":{"wa_id":"%s","user_id":"%s","username":"%s"}`, id, customer.WAID,
			customer.UserID, customer.Username)
		want = append(want, fmt.Sprintf("thread %s %+v [{color %q}]", id, customer, title+fmt.Sprint(i)))
		var messages []string
		for j := range i%5 + 1 {
			m := fmt.Sprintf("%s.%d.%d", title, i, j)
			at := 1767225600 + 100*i + j
			switch j % 3 {
			case 0: // a usual text
				messages = append(messages, fmt.Sprintf(`{"from":"%s","id":"%s","timestamp":"%d","type":"text",`+
					`"text":{"body":"text %s"},"history_context":{"status":"READ"}}`, customer.WAID, m, at, m))
				want = append(want, fmt.Sprintf("%s %d false %s <none> text %s", m, at, customer.WAID, m))
			case 1:
				messages = append(messages, fmt.Sprintf(`{"from":"15550100100","to":"%s","id":"%s","timestamp":"%d",`+
					`"type":"text","text":{"body":"caf\u00e9 %s"}}`, customer.WAID, m, at, m))
				want = append(want, fmt.Sprintf("%s %d true 15550100100 %s café %s", m, at, customer.WAID, m))
			default:
				messages = append(messages, fmt.Sprintf(`{"from":"%s","id":"%s","timestamp":"%d","type":"reaction",`+
					`"reaction":{"message_id":"%s","emoji":"👍"}}`, id, m, at, m))
				want = append(want, fmt.Sprintf("%s %d false %s <none> reaction to %s", m, at, id, m))
			}
		}
		tail := `"messages":[` + strings.Join(messages, ",") + `]`
		if !customerFirst {
			head, tail = tail, head
		}
		list = append(list, fmt.Sprintf(`{%s,%s,"color":"%s%d"}`, head, tail, title, i))
	}
	return `[` + strings.Join(list, ",") + `]`, want
}

func threadLine(t *webhook.HistoryThread) string {
	var unknown []string
	for _, m := range t.Unknown {
		unknown = append(unknown, fmt.Sprintf("{%s %s}", m.Path, m.Value))
	}
	return fmt.Sprintf("thread %s %+v %v", t.ID, t.Customer, unknown)
}

func pastLine(m *webhook.HistoryMessage) string {
	to := "<none>"
	if m.To != nil {
		to = m.To.WAID
	}
	text := "?"
	switch c := m.Content.(type) {
	case *webhook.Text:
		text = c.Body
	case *webhook.Reaction:
		text = "reaction to " + string(c.MessageID)
	}
	return fmt.Sprintf("%s %d %t %s %s %s", m.ID, m.At.Unix(), m.Outbound, m.From.WAID, to, text)
}

// treeLines is what a kept tree says.
func treeLines(threads []webhook.HistoryThread) (lines []string) {
	for i := range threads {
		lines = append(lines, threadLine(&threads[i]))
		for j := range threads[i].Messages {
			lines = append(lines, pastLine(&threads[i].Messages[j]))
		}
	}
	return lines
}

// Threads share memory, in portions: what is at the end of one must not be in the next, nor in
// another chunk's.
func TestThreadsAreKeptApart(t *testing.T) {
	t.Parallel()
	type kept struct {
		threads  []webhook.HistoryThread
		parts    []*webhook.HistoryThread
		messages []*webhook.HistoryMessage
		want     []string
	}
	var all []kept
	for _, customerFirst := range []bool{true, false} {
		for _, n := range []int{1, 3, 7, 8, 9, 16, 17, 40, 65} {
			threads, want := conversations(fmt.Sprintf("%d%t", n, customerFirst), n, customerFirst)
			c := chunkOf(t, threads)
			k := kept{threads: c.Threads(), want: want}
			for thread, m := range c.Messages() {
				k.parts, k.messages = append(k.parts, thread), append(k.messages, m)
			}
			require.Len(t, k.threads, n)
			all = append(all, k)
		}
	}
	for _, k := range all {
		require.Equal(t, k.want, treeLines(k.threads))
		var walked []string
		for i, m := range k.messages {
			if i == 0 || k.parts[i] != k.parts[i-1] {
				walked = append(walked, threadLine(k.parts[i]))
			}
			walked = append(walked, pastLine(m))
		}
		require.Equal(t, k.want, walked)
	}
	// A host may add to what it was given.
	first := all[len(all)-1]
	for i := range first.threads {
		_ = append(first.threads[i].Messages, webhook.HistoryMessage{ID: "added", From: new(graph.Identity)})
		first.threads[i].ID += "!"
		require.Len(t, first.threads[i].Messages, i%5+1)
	}
	for i, thread := range first.threads {
		require.Equal(t, fmt.Sprintf("15550101%03d!", i), thread.ID)
		for _, m := range thread.Messages {
			require.NotEqual(t, graph.MessageID("added"), m.ID)
		}
	}
}

// Messages share who wrote them with those before, if it is the same person in all of its ids.
func TestMessagesShareOnlyEqualIdentities(t *testing.T) {
	t.Parallel()
	var messages []string
	var want []graph.Identity
	for i, from := range []graph.Identity{
		{WAID: "15550100123"},
		{WAID: "15550100123", UserID: "US.1"},
		{WAID: "15550100123", UserID: "US.2"},
		{WAID: "15550100123", UserID: "US.2", ParentUserID: "US.P"},
		{WAID: "15550100123"},
		{UserID: "US.2"},
		{WAID: "15550100124", UserID: "US.2"},
		{WAID: "155501001"},
		{WAID: "15550100123", UserID: "US.2"},
	} {
		m := fmt.Sprintf(`{"from":"%s","from_user_id":"%s","from_parent_user_id":"%s","id":"%d",`+
			`"timestamp":"1767225600","type":"text","text":{"body":"x"},"history_context":{"status":"READ"}}`,
			from.WAID, from.UserID, from.ParentUserID, i)
		for _, absent := range []string{`"from":"",`, `"from_user_id":"",`, `"from_parent_user_id":"",`} {
			m = strings.Replace(m, absent, "", 1)
		}
		messages, want = append(messages, m), append(want, from)
	}
	threads := chunkOf(t, `[{"id":"15550100123","messages":[`+strings.Join(messages, ",")+`]}]`).Threads()
	var got []graph.Identity
	for _, m := range threads[0].Messages {
		got = append(got, *m.From)
	}
	require.Equal(t, want, got)
}
