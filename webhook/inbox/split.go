package inbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime/debug"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// newDelivery returns the record of a delivery. It looks at the bytes without decoding them: what a
// decoder makes of them must not decide whether they are kept.
func newDelivery(d webhook.Delivery) Record {
	sum := sha256.Sum256(d.Body)
	return Record{
		DedupKey: "delivery:" + hex.EncodeToString(sum[:]), Backfill: isBackfill(d.Body), ReceivedAt: d.ReceivedAt,
		Body: d.Body,
	}
}

// isBackfill guesses whether a delivery is about history or contacts. The name of the field stands
// before or behind its value. A wrong guess costs time, not order: the events that it consists of
// are told apart again when it is split.
func isBackfill(body []byte) bool {
	const window = 512
	head, tail := body[:min(len(body), window)], body[max(0, len(body)-window):]
	return namesBackfill(head) || namesBackfill(tail)
}

// namesBackfill reports whether a text holds the member "field" with the name of such a field.
func namesBackfill(text []byte) bool {
	for {
		_, rest, found := bytes.Cut(text, []byte(`"field"`)) // in the text of a message, the quotes are escaped
		if !found {
			return false
		}
		value, colon := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
		value = bytes.TrimLeft(value, " \t\r\n")
		history, contacts := []byte(`"history"`), []byte(`"smb_app_state_sync"`)
		if colon && (bytes.HasPrefix(value, history) || bytes.HasPrefix(value, contacts)) {
			return true
		}
		text = rest
	}
}

// decode returns the events of a delivery. A body that is not JSON is one event, as it is for
// [webhook.Dispatch].
func decode(body []byte) (events []webhook.Event, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &webhook.PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
		}
	}()
	events, err = webhook.Decode(body)
	if err != nil {
		events = []webhook.Event{&webhook.UndecodableEvent{EventInfo: webhook.EventInfo{Raw: body}, Err: err}}
	}
	return events, nil
}

// split returns the outcome of a delivery: done, with its events. What cannot be decoded is an
// event too; only a delivery on which the decoder panics is a dead letter as a whole.
func split(rec Record) Settlement {
	events, err := decode(rec.Body)
	if err != nil {
		return Settlement{ID: rec.ID, Disposition: DispositionDead, Reason: err.Error()}
	}
	out := Settlement{ID: rec.ID, Disposition: DispositionDone, Events: make([]Record, len(events))}
	for i, ev := range events {
		info := ev.Info()
		lane, backfill := laneOf(ev)
		out.Events[i] = Record{
			Kind: KindEvent, DedupKey: keyOf(ev, rec), Lane: lane, PhoneNumberID: info.PhoneNumberID,
			Backfill: backfill,
			Index:    i, ReceivedAt: rec.ReceivedAt,
		}
		if m, ok := ev.(interface{ MessageDedupKey() string }); ok { // a placeholder, or what may be one
			out.Events[i].SupersededBy = m.MessageDedupKey()
		}
		if info.DedupKey == "" && out.Events[i].DedupKey == "" {
			out.DropKey = true
		}
	}
	return out
}

// keyOf returns the key of an event. What stands for a whole body goes by the key of the delivery.
func keyOf(ev webhook.Event, rec Record) string {
	key := ev.Info().DedupKey
	if _, ok := ev.(*webhook.UndecodableEvent); ok && key == "" {
		return "body:" + rec.DedupKey
	}
	return key
}

// laneOf returns the lane of an event, and whether it is backfill: the history of a number, its
// address book, a group, a chat with a customer, and whatever else is about a number or an account.
func laneOf(ev webhook.Event) (lane string, backfill bool) {
	info := ev.Info()
	phone := string(info.PhoneNumberID)
	switch ev.(type) {
	case *webhook.HistoryChunk, *webhook.HistoryFailure, *webhook.HistoryMedia:
		return laneName("history", phone), true
	case *webhook.AppStateSync:
		return laneName("contacts", phone), true
	default:
	}
	if group := groupOf(ev); group != "" {
		return laneName("group", phone, string(group)), false
	}
	if who, ok := ev.(interface{ Customer() graph.Identity }); ok {
		return laneName("chat", phone, who.Customer().Key()), false
	}
	if phone != "" {
		return laneName("number", phone), false
	}
	return laneName("account", string(info.WABAID), info.EntryID), false
}

// groupOf returns the group that an event is about, or happened in.
func groupOf(ev webhook.Event) graph.GroupID {
	switch ev := ev.(type) {
	case *webhook.IncomingMessage:
		return ev.GroupID
	case *webhook.UnavailableMessage:
		return ev.GroupID
	case *webhook.StandbyMessage:
		return ev.Message.GroupID
	case *webhook.MessageStatus:
		return ev.GroupID
	case *webhook.GroupLifecycleUpdate:
		return ev.GroupID
	case *webhook.GroupParticipantsUpdate:
		return ev.GroupID
	case *webhook.GroupSettingsUpdate:
		return ev.GroupID
	case *webhook.GroupStatusUpdate:
		return ev.GroupID
	default:
		return ""
	}
}

// laneName hashes what identifies a conversation, because that is personal and lanes are kept
// beside what was handled.
func laneName(kind string, parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return kind + ":" + hex.EncodeToString(sum[:12])
}
