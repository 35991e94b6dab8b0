package webhook

import (
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// Changes about an account, its numbers and its templates, where they are not shaped like the
// events.

// readAccountUpdate reads an account update, also one that arrives under another label.
var readAccountUpdate = one(func(u *AccountUpdate) Event {
	if u.WABAInfo != nil {
		u.WABAID = u.WABAInfo.WABAID
	}
	if c := u.Certification; c != nil {
		for i, r := range c.RejectionReasons {
			c.RejectionReasons[i] = RejectionReason(strings.ReplaceAll(string(r), "_", " "))
		}
	}
	return u
})

// An alertBody is an [AccountAlert], whose own members are the legacy form.
type alertBody struct {
	body
	AccountAlert
	Alert *alertInfo `json:"alert_info"`
}

type alertInfo struct {
	Type        AlertType     `json:"alert_type"`
	Description string        `json:"alert_description"`
	Severity    AlertSeverity `json:"alert_severity"`
	Status      AlertStatus   `json:"alert_status"`
}

func (b *alertBody) event() Event {
	ev := &b.AccountAlert
	if i := b.Alert; i != nil {
		replace(ev, "alert_type", &ev.Type, i.Type)
		replace(ev, "alert_description", &ev.Description, i.Description)
		replace(ev, "alert_severity", &ev.Severity, i.Severity)
		replace(ev, "alert_status", &ev.Status, i.Status)
	}
	return ev
}

// replace sets a member of an event that came in two places. A different value that it held before
// is unknown.
func replace[T ~string](ev Event, name string, member *T, value T) {
	if value == "" {
		return
	}
	if *member != "" && *member != value {
		info := ev.base()
		info.Unknown = append(info.Unknown, UnknownMember{name, quoted(string(*member))})
	}
	*member = value
}

type accountSettingsBody struct {
	body
	AccountSettingsUpdate
	stamped
}

func (b *accountSettingsBody) event() Event {
	b.At = b.Timestamp.Time
	b.Type = AccountSettingsType(strings.ToLower(string(b.Type))) // in capitals in Meta's table
	if b.Number != nil {
		b.PhoneNumberID = b.Number.PhoneNumberID
	}
	return &b.AccountSettingsUpdate
}

type usernameBody struct {
	body
	BusinessUsernameUpdate
	numbered
}

func (b *usernameBody) event() Event {
	b.DisplayPhoneNumber, b.Username = b.Number, username(b.Username)
	return &b.BusinessUsernameUpdate
}

type phoneNameBody struct {
	body
	PhoneNumberNameUpdate
	numbered
}

func (b *phoneNameBody) event() Event {
	b.DisplayPhoneNumber = b.Number
	return &b.PhoneNumberNameUpdate
}

type phoneQualityBody struct {
	body
	PhoneNumberQualityUpdate
	numbered
}

func (b *phoneQualityBody) event() Event {
	b.DisplayPhoneNumber = b.Number
	return &b.PhoneNumberQualityUpdate
}

type securityBody struct {
	body
	SecurityUpdate
	numbered
}

func (b *securityBody) event() Event {
	b.DisplayPhoneNumber = b.Number
	return &b.SecurityUpdate
}

// readTemplate reads a change about a template by its shape, because Meta prints quality updates
// under the name of status updates. Where the shape says nothing, the name does.
func readTemplate(d *decoder, data []byte, info EventInfo) remainder {
	quality := memberOf(data, "new_quality_score") != nil || memberOf(data, "previous_quality_score") != nil
	if quality || info.Field == FieldMessageTemplateQualityUpdate && d.value.event == nil {
		return readTemplateQuality(d, data, info)
	}
	return readTemplateStatus(d, data, info)
}

var (
	readTemplateQuality = one(as[MessageTemplateQualityUpdate])
	readTemplateStatus  = one(as[MessageTemplateStatusUpdate])
)

// memberOf returns the member of an object, nil if there is none or it is null.
func memberOf(object []byte, name string) (raw []byte) {
	var s wire.Scanner
	s.Reset(object)
	if s.Object() {
		for s.NextMember() {
			if string(s.Name()) == name {
				raw = s.Raw()
			} else {
				s.Skip()
			}
		}
	}
	if string(raw) == "null" {
		return nil
	}
	return raw
}
