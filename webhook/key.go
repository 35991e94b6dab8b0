package webhook

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strconv"
	"time"
)

// keyOf returns the deduplication key of an event. Keys are hashed because what identifies an event
// is personal: a message id holds the customer's phone number in base64.
func keyOf(ev Event, e entry) string {
	info := ev.base()
	phone := string(info.PhoneNumberID)
	switch ev := ev.(type) {
	case *IncomingMessage:
		return keyWithID("message", phone, string(ev.ID))
	case *UnavailableMessage:
		// A key of its own: the complete message may follow under the same id, and must not be
		// mistaken for a repeat.
		return keyWithID("unavailable", phone, string(ev.ID))
	case *BusinessAppEcho:
		return keyWithID("echo", phone, string(ev.ID))
	case *HistoryMedia:
		return keyWithID("history_media", phone, string(ev.ID))
	case *MessageStatus:
		return statusKey(ev, phone)
	case *HistoryChunk:
		// The chunk that only says "all sent" can be the same byte for byte after a second
		// onboarding, and must count then.
		if ev.empty {
			return ""
		}
		sum := checksum(info.Raw)
		size, phase, order := strconv.Itoa(len(info.Raw)), strconv.Itoa(int(ev.Phase)), strconv.Itoa(ev.Order)
		return key("history", phone, size, phase, order, string(sum[:]))
	case *AppStateSync:
		return rawKey("state_sync", phone, info.Raw)
	case *UserAction:
		return rawKey("user_action", phone, info.Raw)
	case *OtherAppEcho:
		return keyWithID("other_echo", phone, string(ev.ID))
	case *StandbyMessage:
		if ev.unavailable {
			return keyWithID("standby_unavailable", phone, string(ev.Message.ID))
		}
		return keyWithID("standby_message", phone, string(ev.Message.ID))
	case *StandbyEcho:
		return keyWithID("standby_echo", phone, string(ev.ID))
	case *StandbyStatus:
		if ev.Status.ID == "" {
			return ""
		}
		return key("standby_status", phone, string(ev.Status.ID), string(ev.Status.Status), ev.Status.Participant.Key())
	case *Call:
		if ev.ID == "" {
			return ""
		}
		return key("call", phone, string(ev.ID), string(ev.Event))
	case *CallStatus:
		if ev.ID == "" {
			return ""
		}
		return key("call_status", phone, string(ev.ID), string(ev.Status))
	case *GroupLifecycleUpdate, *GroupParticipantsUpdate, *GroupSettingsUpdate, *GroupStatusUpdate:
		return groupKey(ev, phone)
	case *UserPreference:
		if ev.User.IsZero() {
			return ""
		}
		return key("preference", phone, ev.User.Key(), string(ev.Category), string(ev.Value), unix(info.At))
	case *AutomaticEvent:
		if ev.ID == "" {
			return ""
		}
		return key("automatic", phone, string(ev.ID), string(ev.Name), unix(info.At))
	case *TrackingEvent, *UserIDUpdate:
		return rawKey("item", phone, info.Raw, string(info.Field))
	case *MessageTemplateStatusUpdate:
		return templateKey(ev.Template, e, "status", string(ev.Event))
	case *MessageTemplateQualityUpdate:
		return templateKey(ev.Template, e, "quality", string(ev.Previous), string(ev.New))
	case *MessageTemplateComponentsUpdate:
		return templateKey(ev.Template, e, "components")
	case *TemplateCategoryUpdate:
		return templateKey(ev.Template, e, "category", string(ev.Previous), string(ev.New), string(ev.Correct))
	case *TemplateCorrectCategoryDetection:
		return templateKey(ev.Template, e, "detection", string(ev.Category), string(ev.Correct))
	case *AccountUpdate:
		return rawKey("account", e.id, info.Raw, string(info.Field), unix(e.time))
	case *AccountAlert, *AccountReviewUpdate, *AccountSettingsUpdate, *BusinessCapabilityUpdate,
		*BusinessUsernameUpdate, *PartnerSolution, *PaymentConfigurationUpdate, *PhoneNumberNameUpdate,
		*PhoneNumberQualityUpdate, *SecurityUpdate, *FlowUpdate, *MessagingHandover:
		// By the name it has now: a repeat may come under an older one.
		return rawKey("account", e.id, info.Raw, string(ev.field()), unix(e.time))
	case *PhoneNumberError, *HistoryFailure:
		return "" // nothing tells a repeat from the same thing happening again
	case *UnknownEvent, *UndecodableEvent:
		return rawKey("raw", e.id, info.Raw, string(info.Field), unix(e.time))
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
		parts := []string{phone, string(ev.ID), p.ReferenceID, string(ev.Status), tx.Status, unix(tx.UpdatedAt.Time)}
		for _, r := range p.Refunds { // a refund can be all that is new
			parts = append(parts, r.ID, r.Status, unix(r.UpdatedAt.Time))
		}
		return key("payment", parts...)
	}
	return key("status", phone, string(ev.ID), string(ev.Status), ev.Participant.Key())
}

func keyWithID(kind, phone, id string) string {
	if id == "" {
		return ""
	}
	return key(kind, phone, id)
}

// checksum tells chunks of one place in a history apart: one CRC for each quarter. It is no hash
// that withstands an attacker, who would have to be Meta, and costs a tenth of one: chunks are
// megabytes.
func checksum(raw []byte) (sum [16]byte) {
	for i := range 4 {
		quarter := raw[len(raw)*i/4 : len(raw)*(i+1)/4]
		binary.BigEndian.PutUint32(sum[4*i:], crc32.Checksum(quarter, castagnoli))
	}
	return sum
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func rawKey(kind, owner string, raw []byte, more ...string) string {
	sum := sha256.Sum256(raw)
	return key(kind, append([]string{owner, string(sum[:])}, more...)...)
}

// key hashes the parts, each with its length before it, so that no two lists of parts look alike.
// 128 bits are plenty for what is remembered for days.
func key(kind string, parts ...string) string {
	var room [128]byte // for nearly all
	b := room[:0]
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	b = append(append(room[:0], kind...), ':')
	return string(hex.AppendEncode(b, sum[:16]))
}

func unix(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// groupKey tells an event in a group by the request that caused it, the person's request that it is
// about, or its time; and by the people: several can join within a second, and one request can
// succeed for some of them and fail for others.
func groupKey(ev Event, phone string) string {
	part := func(id, typ, request, join string, more ...string) string {
		if id == "" && request == "" {
			return rawKey("group", phone, ev.base().Raw, string(ev.field()))
		}
		parts := []string{phone, string(ev.field()), id, typ, cmp.Or(request, join, unix(ev.base().At))}
		return key("group", append(parts, more...)...)
	}
	switch ev := ev.(type) {
	case *GroupLifecycleUpdate:
		return part(string(ev.GroupID), string(ev.Type), ev.RequestID, "")
	case *GroupParticipantsUpdate:
		var people []string
		for _, list := range [][]GroupParticipant{ev.Added, ev.Removed, ev.Failed} {
			people = append(people, strconv.Itoa(len(list)))
			for _, p := range list {
				people = append(people, cmp.Or(p.Identity.Key(), p.Input))
			}
		}
		return part(string(ev.GroupID), string(ev.Type), ev.RequestID, ev.JoinRequestID, people...)
	case *GroupSettingsUpdate:
		return part(string(ev.GroupID), string(ev.Type), ev.RequestID, "")
	case *GroupStatusUpdate:
		return part(string(ev.GroupID), string(ev.Type), ev.RequestID, "")
	default:
		return ""
	}
}

// templateKey tells an event about a template by what happened and when. Ids name a template in one
// language.
func templateKey(t Template, e entry, more ...string) string {
	if t.TemplateID == "" {
		return ""
	}
	return key("template", append([]string{string(t.TemplateID), unix(e.time)}, more...)...)
}
