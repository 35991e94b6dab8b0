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

// ourLines returns the same of what Decode reads; false if some item does not fit its type.
func ourLines(events []webhook.Event) (out []string, ok bool) {
	for _, ev := range events {
		info := ev.Info()
		where := whereLine(string(info.Field), string(info.WABAID), string(info.PhoneNumberID), info.DisplayPhoneNumber)
		switch ev := ev.(type) {
		case *webhook.IncomingMessage:
			item := ourItem(ev.ID, ev.Type, ev.Content, ev.Context, ev.Errors)
			item.Where, item.At, item.From, item.Name = where, ev.At.Unix(), ev.From, ev.ProfileName
			out = append(out, item.String())
		case *webhook.BusinessAppEcho:
			item := ourItem(ev.ID, ev.Type, ev.Content, ev.Context, ev.Errors)
			item.Where, item.At = where, ev.At.Unix()
			item.From, item.To, item.Name = graph.Identity{WAID: ev.From}, ev.To, ev.ProfileName
			out = append(out, item.String())
		case *webhook.MessageStatus:
			if ev.RecipientType == "group" {
				return nil, false
			}
			out = append(out, ourStatus(where, ev).String())
		case *webhook.AppStateSync:
			c := ev.Contact
			out = append(out,
				appStateLine(where, string(ev.Type), string(ev.Action), c.FullName, c.FirstName, c.PhoneNumber,
					string(c.UserID), c.Username, ev.At.Unix()))
		case *webhook.HistoryChunk:
			out = append(out, fmt.Sprintf("%s %d %d %d", where, ev.Phase, ev.Order, ev.Progress))
			for _, t := range ev.Threads() {
				messages, ok := ourThread(t)
				if !ok {
					return nil, false
				}
				out = append(out, messages...)
			}
		default:
			return nil, false
		}
	}
	return out, true
}

func ourStatus(where string, st *webhook.MessageStatus) stdItem {
	item := stdItem{
		Where: where, ID: string(st.ID), Type: string(st.Status), At: st.At.Unix(), To: st.Recipient,
		Name: st.ProfileName, Callback: st.CallbackData, Errors: st.Errors,
	}
	item.To.ParentUserID = ""
	if c := st.Conversation; c != nil {
		item.Conversation = conversationLine(c.ID, c.Origin.Type, c.ExpiresAt.Time)
	}
	if p := st.Pricing; p != nil {
		item.Pricing = pricingLine(p.Model, string(p.Type), string(p.Category), p.Billable)
	}
	return item
}

// ourThread returns a line for the thread and one for each of its messages; false if one does not
// fit its type.
func ourThread(t webhook.HistoryThread) (out []string, ok bool) {
	out = append(out, fmt.Sprintf("%q %q", t.ID, t.Customer))
	for _, m := range t.Messages {
		if m.Err != nil {
			return nil, false
		}
		item := ourItem(m.ID, m.Type, m.Content, m.Context, m.Errors)
		item.At, item.From, item.Callback = m.At.Unix(), *m.From, string(m.Status)
		if m.To != nil {
			item.To = *m.To
		}
		out = append(out, item.String())
	}
	return out, true
}

// ourItem is what all messages have.
func ourItem(id graph.MessageID, typ webhook.MessageType, content webhook.Content, context *webhook.MessageContext,
	errs []webhook.Error) stdItem {
	item := stdItem{ID: string(id), Type: string(typ), Errors: errs}
	if context != nil {
		item.Context = contextLine(string(context.ID), context.From)
	}
	file := func(kind webhook.MessageType, m webhook.Media, caption, name string) {
		if typ == kind {
			item.Content = fmt.Sprintf("%q", payload.Media{
				ID: string(m.ID), MIMEType: m.MIMEType, SHA256: m.SHA256, URL: m.URL, Caption: caption, Filename: name,
			})
		}
	}
	switch c := content.(type) {
	case *webhook.Text:
		if typ == webhook.TypeText {
			item.Content = c.Body
		}
	case *webhook.Image:
		file(webhook.TypeImage, c.Media, c.Caption, "")
	case *webhook.Video:
		file(webhook.TypeVideo, c.Media, c.Caption, "")
	case *webhook.Audio:
		file(webhook.TypeAudio, c.Media, "", "")
	case *webhook.Document:
		file(webhook.TypeDocument, c.Media, c.Caption, c.Filename)
	case *webhook.Sticker:
		file(webhook.TypeSticker, c.Media, "", "")
	case *webhook.Location:
		if typ == webhook.TypeLocation {
			item.Content = fmt.Sprintf("%v",
				payload.Location{Latitude: c.Latitude, Longitude: c.Longitude, Name: c.Name, Address: c.Address})
		}
	case *webhook.Reaction:
		if typ == webhook.TypeReaction {
			item.Content = fmt.Sprintf("%q", payload.Reaction{Message: string(c.MessageID), Emoji: c.Emoji})
		}
	}
	return item
}

// followed reports whether all names are those of Meta, of which encoding/json would take others
// for the same, and whether all of them stand where the plain structs have them: old names and odd
// places are for package webhook only.
func followed(body []byte) bool {
	tree, err := parseTree(body)
	if err != nil {
		return false
	}
	var check func(any) bool
	check = func(node any) bool {
		switch node := node.(type) {
		case map[string]any:
			for name, child := range node {
				if strings.ToLower(name) != name || strings.ContainsAny(name, "ſ\ufffd") || !check(child) ||
					!placed(node, name) {
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

func placed(in map[string]any, name string) bool {
	_, isText := in[name].(string)
	switch name {
	case "details": // beside the code: before v16
		return in["code"] == nil && in["title"] == nil && in["error_data"] == nil
	case "pricing": // in a conversation
		return in["origin"] == nil && in["status"] != nil
	case "message": // around a status's recipient
		return in["status"] == nil
	case "identity_key_hash", "country_code": // of contacts, which are not read at all if it is none
		return isText
	}
	return true
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
	got, ok := ourLines(events)
	if ok {
		require.Equal(t, want, got, "%s", body)
	}
	return ok
}

func TestStandardLibraryReadsTheSame(t *testing.T) {
	t.Parallel()
	for name, body := range map[string][]byte{
		"text": payload.Text(), "status": payload.Status(), "batch": payload.Batch(100), "history": payload.History(500,
			7),
	} {
		require.True(t, agree(t, body), name)
	}
	n := 0
	for _, body := range near() {
		if agree(t, body) {
			n++
		}
	}
	t.Logf("%d oddities compared", n)
	require.Greater(t, n, 100)
}

func TestStandardLibraryReadsTheSameCorpus(t *testing.T) {
	t.Parallel()
	n := 0
	for _, body := range corpusFiles(t) {
		if agree(t, body) {
			require.True(t, agree(t, compacted(t, body)))
			n++
		}
	}
	t.Logf("%d bodies compared", n)
	require.Greater(t, n, 40)
}

// FuzzStandardLibrary compares with encoding/json. The documented differences are left out: see
// lines.
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
