package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// lines returns what encoding/json reads in a body, a line for each item; false where the two readers are not meant to agree:
// names in another case, duplicates, null items, and labels that this test does not follow.
func lines(body []byte) ([]string, bool) {
	var d payload.Delivery
	if json.Unmarshal(body, &d) != nil || hasDuplicates(body) || bytes.Contains(body, []byte("null")) || !lowerNames(body) ||
		!strings.HasPrefix(d.Object, "whatsapp") {
		return nil, false
	}
	var out []string
	for _, e := range d.Entry {
		for _, c := range e.Changes {
			v := c.Value
			lists := []bool{len(v.Messages) > 0, len(v.Statuses) > 0, len(v.Echoes) > 0, len(v.History) > 0, len(v.StateSync) > 0}
			if n := bytes.Count(fmt.Appendf(nil, "%v", lists), []byte("true")); n != 1 || len(v.Errors) > 0 {
				return nil, false
			}
			switch {
			case c.Field == "messages" && lists[0]:
				out = append(out, messageLines(v.Messages)...)
			case c.Field == "messages" && lists[1]:
				for _, s := range v.Statuses {
					out = append(out, fmt.Sprintf("%q %q %v %q", s.ID, s.Status, graph.ParseTimestamp(s.Timestamp), s.CallbackData))
				}
			case c.Field == "smb_message_echoes" && lists[2]:
				out = append(out, messageLines(v.Echoes)...)
			case c.Field == "history" && lists[3]:
				for _, item := range v.History {
					for _, t := range item.Threads {
						out = append(out, fmt.Sprintf("%q", t.ID))
						out = append(out, messageLines(t.Messages)...)
					}
				}
			case c.Field == "smb_app_state_sync" && lists[4]:
				for _, a := range v.StateSync {
					out = append(out, fmt.Sprintf("%q %q %q %q", a.Type, a.Action, a.Contact.FullName, a.Contact.Phone))
				}
			default:
				return nil, false
			}
		}
	}
	return out, len(out) > 0
}

func messageLines(list []payload.Message) (out []string) {
	for _, m := range list {
		text := ""
		if m.Type == "text" && m.Text != nil {
			text = m.Text.Body
		}
		out = append(out, fmt.Sprintf("%q %q %v %q", m.ID, m.Type, graph.ParseTimestamp(m.Timestamp), text))
	}
	return out
}

// ourLines returns the same of what Decode reads; false if some item does not fit its type.
func ourLines(events []webhook.Event) (out []string, ok bool) {
	message := func(id graph.MessageID, typ webhook.MessageType, at any, content webhook.Content) {
		text := ""
		if c, isText := content.(*webhook.Text); isText && typ == "text" {
			text = c.Body
		}
		out = append(out, fmt.Sprintf("%q %q %v %q", string(id), string(typ), at, text))
	}
	for _, ev := range events {
		switch ev := ev.(type) {
		case *webhook.IncomingMessage:
			message(ev.ID, ev.Type, ev.At, ev.Content)
		case *webhook.MessageEcho:
			message(ev.ID, ev.Type, ev.At, ev.Content)
		case *webhook.MessageStatus:
			out = append(out, fmt.Sprintf("%q %q %v %q", string(ev.ID), string(ev.Status), ev.At, ev.CallbackData))
		case *webhook.AppStateSync:
			out = append(out, fmt.Sprintf("%q %q %q %q", string(ev.Type), string(ev.Action), ev.Contact.FullName, ev.Contact.PhoneNumber))
		case *webhook.HistoryChunk:
			for _, t := range ev.Threads() {
				out = append(out, fmt.Sprintf("%q", t.ID))
				for _, m := range t.Messages {
					if m.Err != nil {
						return nil, false
					}
					message(m.ID, m.Type, m.At, m.Content)
				}
			}
		default:
			return nil, false
		}
	}
	return out, true
}

// lowerNames reports whether all names are those of Meta, of which encoding/json would take others for the same.
func lowerNames(body []byte) bool {
	tree, err := parseTree(body)
	if err != nil {
		return false
	}
	var check func(any) bool
	check = func(node any) bool {
		switch node := node.(type) {
		case map[string]any:
			for name, child := range node {
				if strings.ToLower(name) != name || strings.ContainsAny(name, "ſ\ufffd") || !check(child) {
					return false
				}
			}
		case []any:
			for _, child := range node {
				if !check(child) {
					return false
				}
			}
		}
		return true
	}
	return check(tree)
}

// agree compares the two readers and reports whether there was anything to compare.
func agree(t testing.TB, body []byte) bool {
	want, ok := lines(body)
	if !ok {
		return false
	}
	events, err := webhook.Decode(body)
	if err != nil {
		return false // nested too deep
	}
	// The entry's time stands in for that of an item, which encoding/json cannot know.
	if bytes.Contains(body, []byte(`"time"`)) {
		for _, ev := range events {
			if m, isMessage := ev.(*webhook.IncomingMessage); isMessage && !bytes.Contains(m.Raw, []byte(`"timestamp"`)) {
				return false
			}
		}
	}
	got, ok := ourLines(events)
	if ok {
		require.Equal(t, want, got, "%s", body)
	}
	return ok
}

func TestStandardLibraryReadsTheSame(t *testing.T) {
	t.Parallel()
	for name, body := range map[string][]byte{
		"text": payload.Text(), "status": payload.Status(), "batch": payload.Batch(100), "history": payload.History(500, 7),
	} {
		require.True(t, agree(t, body), name)
	}
}

func TestStandardLibraryReadsTheSameCorpus(t *testing.T) {
	t.Parallel()
	n := 0
	for _, body := range corpusFiles(t) {
		if agree(t, body) {
			n++
		}
	}
	t.Logf("%d bodies compared", n)
	require.Greater(t, n, 40)
}

// FuzzStandardLibrary compares with encoding/json. The documented differences are left out: see lines.
func FuzzStandardLibrary(f *testing.F) {
	for _, name := range webhooktest.Samples() {
		var compact bytes.Buffer
		if json.Compact(&compact, webhooktest.Sample(name.Field, name.Case)) == nil {
			f.Add(compact.Bytes())
		}
	}
	f.Add(payload.History(3, 2))
	f.Fuzz(func(t *testing.T, body []byte) { agree(t, body) })
}
