package inbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// newDelivery returns the record of a delivery. It looks at the bytes without decoding them: what a
// decoder makes of them must not decide whether they are kept.
func newDelivery(d webhook.Delivery) Record {
	sum := sha256.Sum256(d.Body)
	return Record{
		DedupKey: "delivery:" + hex.EncodeToString(sum[:]), Backfill: isBackfill(d.Body),
		PhoneNumberID: numberOf(d.Body), ReceivedAt: d.ReceivedAt, Body: d.Body,
	}
}

// numberOf returns the number that all of a delivery is about, or "" if it names none, or several.
func numberOf(body []byte) (number graph.PhoneNumberID) {
	for {
		_, rest, found := bytes.Cut(body, []byte(`"phone_number_id"`)) // escaped in the text of a message
		if !found {
			return number
		}
		body = rest
		value, colon := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
		value, quoted := bytes.CutPrefix(bytes.TrimLeft(value, " \t\r\n"), []byte(`"`))
		value, _, ended := bytes.Cut(value[:min(len(value), maxNumber)], []byte(`"`))
		if !colon || !quoted || !ended || number != "" && string(number) != string(value) {
			return ""
		}
		number = graph.PhoneNumberID(value)
	}
}

// maxNumber is more than the length of an ID of a number.
const maxNumber = 64

// isBackfill guesses whether a delivery is about history or contacts. The name of the field stands
// before or behind its value. A wrong guess costs time, not order: the events that it consists of
// are distinguished again when it is split.
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

// decode returns the events of a delivery that arrived at a time, which is the record's: the same
// in each attempt. A body that is not JSON is one event, as it is for [webhook.Dispatch].
func decode(body []byte, receivedAt time.Time) (events []webhook.Event, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &webhook.PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
		}
	}()
	if string(body) == emptiedBody {
		return nil, nil
	}
	events, err = webhook.Delivery{Body: body, ReceivedAt: receivedAt}.Events()
	if err != nil {
		events = []webhook.Event{&webhook.UndecodableEvent{
			EventInfo: webhook.EventInfo{Raw: body, ReceivedAt: receivedAt}, Err: err,
		}}
	}
	return events, nil
}

// split returns the outcome of a delivery: done, with its events. What cannot be decoded is an
// event too; only a delivery on which the decoder panics is a dead letter as a whole.
//
// A delivery of which the process has died too often is not decoded again.
func split(rec Record) Settlement {
	if rec.Abandoned >= maxAbandoned {
		return deadly(rec)
	}
	events, err := decode(rec.Body, rec.ReceivedAt)
	if err != nil {
		return Settlement{ID: rec.ID, Disposition: DispositionDead, Reason: err.Error()}
	}
	out := Settlement{ID: rec.ID, Disposition: DispositionDone, Events: make([]Record, len(events))}
	for i, ev := range events {
		info := ev.Info()
		lane, backfill := laneOf(ev)
		out.Events[i] = Record{
			Kind: KindEvent, DedupKey: keyOf(ev, rec), Lane: lane, PhoneNumberID: info.PhoneNumberID,
			Backfill: backfill, Status: isStatus(ev), Index: i, ReceivedAt: rec.ReceivedAt,
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

// isStatus reports whether an event tells about a message that was sent, or a call that was begun,
// by the business or by another owner of the conversation. A customer waits for none of them.
func isStatus(ev webhook.Event) bool {
	switch ev.(type) {
	case *webhook.MessageStatus, *webhook.StandbyStatus, *webhook.CallStatus:
		return true
	default:
		return false
	}
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
