package webhook

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strconv"
	"time"
)

// keyOf returns the deduplication key of an event. Keys are hashed because what identifies an event is personal: a
// message id holds the customer's phone number in base64.
func keyOf(ev Event, e entry) string {
	info := ev.base()
	phone := string(info.Phone)
	switch ev := ev.(type) {
	case *IncomingMessage:
		return keyWithID("message", phone, string(ev.ID))
	case *UnavailableMessage:
		// A key of its own: the complete message may follow under the same id, and must not be taken for a repeat.
		return keyWithID("unavailable", phone, string(ev.ID))
	case *MessageEcho:
		return keyWithID("echo", phone, string(ev.ID))
	case *HistoryMedia:
		return keyWithID("history_media", phone, string(ev.ID))
	case *MessageStatus:
		return statusKey(ev, phone)
	case *HistoryChunk:
		// The chunk that only says "all sent" can be the same byte for byte after a second onboarding, and must count
		// then.
		if ev.empty {
			return ""
		}
		sum := checksum(info.Raw)
		return key("history", sum[:], phone, strconv.Itoa(int(ev.Phase)), strconv.Itoa(ev.Order), strconv.Itoa(len(info.Raw)))
	case *AppStateSync:
		return key("state_sync", info.Raw, phone)
	case *UserAction:
		return key("user_action", info.Raw, phone)
	case *AccountUpdate:
		return key("account", info.Raw, e.id, string(info.Field), unix(e.time.Time))
	case *NumberProblem, *HistoryFailure:
		return "" // nothing tells a repeat from the same thing happening again
	case *Unknown, *Undecodable:
		return key("raw", info.Raw, e.id, string(info.Field), unix(e.time.Time))
	}
	return ""
}

func statusKey(ev *MessageStatus, phone string) string {
	if ev.ID == "" {
		return ""
	}
	if p := ev.Payment; p != nil {
		var tx PaymentTransaction
		if p.Transaction != nil {
			tx = *p.Transaction
		}
		return key("payment", nil, phone, string(ev.ID), p.ReferenceID, string(ev.Status), tx.Status, unix(tx.UpdatedAt.Time))
	}
	return key("status", nil, phone, string(ev.ID), string(ev.Status), ev.Participant.Key())
}

func keyWithID(kind, phone, id string) string {
	if id == "" {
		return ""
	}
	return key(kind, nil, phone, id)
}

// checksum tells chunks of one place in a history apart: one CRC for each quarter. It is no hash that withstands an
// attacker, who would have to be Meta, and costs a tenth of one: chunks are megabytes.
func checksum(raw []byte) (sum [16]byte) {
	for i := range 4 {
		quarter := raw[len(raw)*i/4 : len(raw)*(i+1)/4]
		binary.BigEndian.PutUint32(sum[4*i:], crc32.Checksum(quarter, castagnoli))
	}
	return sum
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// key hashes raw and the parts, each with its length before it, so that no two lists of parts look alike. 128 bits are
// plenty for what is remembered for days.
func key(kind string, raw []byte, parts ...string) string {
	var room [512]byte
	b := room[:0]
	if len(raw) > len(room)/2 {
		long := sha256.Sum256(raw)
		raw = long[:]
	}
	b = binary.AppendUvarint(b, uint64(len(raw)))
	b = append(b, raw...)
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	out := append(room[:0], kind...)
	out = append(out, ':')
	return string(hex.AppendEncode(out, sum[:16]))
}

func unix(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}
