package webhook_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// A plainBody is what a host without this package would write for messages and statuses.
type plainBody struct {
	Object string `json:"object"`
	Entry  []struct {
		ID      string `json:"id"`
		Changes []struct {
			Field string `json:"field"`
			Value struct {
				Metadata struct {
					Phone string `json:"phone_number_id"`
				} `json:"metadata"`
				Messages []plainMessage `json:"messages"`
				Statuses []struct {
					ID        string `json:"id"`
					Status    string `json:"status"`
					Timestamp string `json:"timestamp"`
				} `json:"statuses"`
			} `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

type plainMessage struct {
	ID        string `json:"id"`
	From      string `json:"from"`
	Timestamp string `json:"timestamp"`
	Type      string `json:"type"`
	Text      *struct {
		Body string `json:"body"`
	} `json:"text"`
}

// plain says whether encoding/json and this package promise the same for a body. They differ on
// purpose where names repeat or differ in case (encoding/json merges and folds them), in the depth
// they go to, and where Meta's labels are missing or misplaced (this package goes by shape).
func plain(n *treeNode) bool {
	object := n.member("object").scalar
	if n.kind != '{' || !n.exact() || n.has("field", "value") || object != `"whatsapp_business_account"` {
		return false
	}
	for _, e := range n.member("entry").items {
		if e.kind != '{' || e.has("field", "value") {
			return false
		}
		for _, c := range e.member("changes").items {
			if !plainChange(c) {
				return false
			}
		}
	}
	return true
}

// plainChange is plain for one change.
func plainChange(c *treeNode) bool {
	value := c.member("value")
	if c.kind != '{' || c.member("field").scalar != `"messages"` || value.kind != '{' {
		return false
	}
	for _, m := range value.members {
		if !strings.Contains(" messaging_product metadata contacts messages statuses ", " "+m.name+" ") {
			return false
		}
	}
	for _, item := range append(value.member("messages").items, value.member("statuses").items...) {
		if item.kind != '{' {
			return false
		}
	}
	return true
}

func (n *treeNode) has(names ...string) bool {
	for _, m := range n.members {
		if slices.Contains(names, m.name) {
			return true
		}
	}
	return false
}

// exact reports whether no object in n has a name twice, or one that encoding/json could take for
// another.
func (n *treeNode) exact() bool {
	seen := map[string]bool{}
	for _, m := range n.members {
		if seen[m.name] || strings.ToLower(m.name) != m.name ||
			strings.ContainsFunc(m.name, func(r rune) bool { return r > '~' }) || !m.value.exact() {
			return false
		}
		seen[m.name] = true
	}
	for _, item := range n.items {
		if !item.exact() {
			return false
		}
	}
	return true
}

// FuzzDecodeAgainstEncodingJSON reads a body with encoding/json as well: the same messages and
// statuses, in the same order, with the same ids, texts and times.
func FuzzDecodeAgainstEncodingJSON(f *testing.F) {
	for _, s := range webhooktest.Samples() {
		if s.Field == "messages" {
			f.Add([]byte(newTree(f, webhooktest.Sample(s.Field, s.Case)).String()))
		}
	}
	f.Add([]byte(inValue("messages",
		`"messages":[{"id":"a\u00e9","timestamp":"1767225600","text":{"body":"\ud83d\ude00 \ud83d \/ \u2028"}},`+
			`{"id":"","text":null}]`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		var want plainBody
		if json.Unmarshal(body, &want) != nil {
			return
		}
		tree, err := readTree(newDecoder(body))
		if err != nil || !plain(tree) {
			return
		}
		events, err := webhook.Decode(body)
		if err != nil {
			if !strings.Contains(err.Error(), "too deep") {
				t.Fatal(err)
			}
			return
		}
		if !allItems(events) {
			return // something in the body has a different kind than its place takes, or a change is empty
		}
		items := itemQueue{t, events}
		items.same(want)
		require.Empty(t, items.events, "encoding/json sees fewer items")
	})
}

// allItems reports whether all events are messages and statuses.
func allItems(events []webhook.Event) bool {
	return !slices.ContainsFunc(events, func(ev webhook.Event) bool {
		switch ev.(type) {
		case *webhook.IncomingMessage, *webhook.UnavailableMessage, *webhook.MessageStatus:
			return false
		default:
			return true
		}
	})
}

// An itemQueue holds the events that were not compared yet.
type itemQueue struct {
	t      *testing.T
	events []webhook.Event
}

func (q *itemQueue) next() webhook.Event {
	q.t.Helper()
	require.NotEmpty(q.t, q.events, "encoding/json sees more items")
	ev := q.events[0]
	q.events = q.events[1:]
	return ev
}

// same compares the next events with the items of a body.
func (q *itemQueue) same(want plainBody) {
	q.t.Helper()
	for _, e := range want.Entry {
		for _, c := range e.Changes {
			for _, m := range c.Value.Messages {
				q.sameMessage(e.ID, c.Value.Metadata.Phone, m)
			}
			for _, s := range c.Value.Statuses {
				st := q.next().(*webhook.MessageStatus)
				require.Equal(q.t, s.ID, string(st.ID))
				require.Equal(q.t, s.Status, string(st.Status))
			}
		}
	}
}

// sameMessage compares the next event with a message.
func (q *itemQueue) sameMessage(account, number string, m plainMessage) {
	q.t.Helper()
	ev := q.next()
	info := ev.Info()
	require.Equal(q.t, number, string(info.PhoneNumberID))
	require.Equal(q.t, account, string(info.WABAID))
	if at := graph.ParseTimestamp(m.Timestamp); !at.IsZero() {
		require.True(q.t, at.Equal(info.At), "%v %v", at, info.At)
	}
	in, ok := ev.(*webhook.IncomingMessage)
	if !ok {
		require.Equal(q.t, m.ID, string(ev.(*webhook.UnavailableMessage).ID))
		return
	}
	require.Equal(q.t, m.ID, string(in.ID))
	if m.Type == "text" && m.Text != nil {
		require.Equal(q.t, &webhook.Text{Body: m.Text.Body}, in.Content)
	}
}

func newDecoder(body []byte) *json.Decoder {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	return dec
}
