package webhook

import (
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// The bodies of events about accounts and numbers, where they are not shaped like the events.

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

// replace sets a member of an event that came in two places. What it held, if that was something
// else, is unknown.
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
	b.Type = AccountSettingsType(strings.ToLower(string(b.Type))) // Meta's table has it in capitals, its sample does not
	if b.Number != nil {
		b.PhoneNumberID = b.Number.PhoneNumberID
	}
	return &b.AccountSettingsUpdate
}

// A body is not an event, though it embeds one: its field hides the method. So the set of events
// stays closed, also for linters that count the cases of a switch.
type body struct{ Info struct{} }

// stamped is a body with a time of its own.
type stamped struct {
	Timestamp graph.Timestamp `json:"timestamp"`
}

// numbered is a body that says which number it is about.
type numbered struct {
	Number string `json:"display_phone_number"`
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
