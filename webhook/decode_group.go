package webhook

import (
	"fmt"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// failed is a body with errors.
type failed struct {
	Failures []errorBody `json:"errors"`
}

type groupLifecycleBody struct {
	body
	GroupLifecycleUpdate
	stamped
	failed
}

func (b *groupLifecycleBody) event(*value, EventInfo) Event {
	b.At = b.Timestamp.Time
	b.Errors = errorsOf(b.Failures, "errors", &b.EventInfo)
	return &b.GroupLifecycleUpdate
}

type groupStatusBody struct {
	body
	GroupStatusUpdate
	stamped
	failed
}

func (b *groupStatusBody) event(*value, EventInfo) Event {
	b.At = b.Timestamp.Time
	b.Errors = errorsOf(b.Failures, "errors", &b.EventInfo)
	return &b.GroupStatusUpdate
}

type groupParticipantsBody struct {
	body
	GroupParticipantsUpdate
	stamped
	failed
	personBody
	Username      string            `json:"username"`
	AddedBodies   []participantBody `json:"added_participants"`
	RemovedBodies []participantBody `json:"removed_participants"`
	FailedBodies  []participantBody `json:"failed_participants"`
}

// A participantBody is a [GroupParticipant].
type participantBody struct {
	Input string `json:"input"`
	personBody
	Username string `json:"username"`
	failed
}

func (b *groupParticipantsBody) event(v *value, _ EventInfo) Event {
	u := &b.GroupParticipantsUpdate
	u.At = b.Timestamp.Time
	switch u.Type { // Meta's OpenAPI document names them otherwise than its pages
	case "group_add_participants":
		replace(u, "type", &u.Type, GroupParticipantsAdd)
	case "group_remove_participants":
		replace(u, "type", &u.Type, GroupParticipantsRemove)
	}
	if u.InitiatedBy == "" { // it has been printed beside the list, too
		u.InitiatedBy = v.takeText("initiated_by")
	}
	u.Added = participants(b.AddedBodies, "added_participants", &u.EventInfo)
	u.Removed = participants(b.RemovedBodies, "removed_participants", &u.EventInfo)
	u.Failed = participants(b.FailedBodies, "failed_participants", &u.EventInfo)
	u.Requester = identity(b.WAID, b.UserID, b.ParentUserID, "wa_id", &u.EventInfo)
	u.Requester.Username = username(b.Username)
	u.Errors = errorsOf(b.Failures, "errors", &u.EventInfo)
	v.joinAll(u)
	return u
}

// joinAll joins the contacts of all people in an update. Each of them counts as a person whom a
// lone contact could be.
func (v *value) joinAll(u *GroupParticipantsUpdate) {
	v.persons += len(u.Added) + len(u.Removed) + len(u.Failed)
	if u.Requester.IsZero() {
		v.persons-- // only the lists name people
	}
	if !u.Requester.IsZero() {
		u.ProfileName = v.joinName(&u.Requester, &u.EventInfo)
	}
	for _, list := range [][]GroupParticipant{u.Added, u.Removed, u.Failed} {
		for i := range list {
			if p := &list[i]; !p.Identity.IsZero() {
				p.ProfileName = v.joinName(&p.Identity, &u.EventInfo)
			}
		}
	}
}

func participants(list []participantBody, at string, info *EventInfo) []GroupParticipant {
	var all []GroupParticipant
	for i, b := range list {
		at := fmt.Sprintf("%s[%d].", at, i)
		id := identity(b.WAID, b.UserID, b.ParentUserID, at+"wa_id", info)
		id.Username = username(b.Username)
		errs := errorsOf(b.Failures, at+"errors", info)
		all = append(all, GroupParticipant{Input: b.Input, Identity: id, Errors: errs})
	}
	return all
}

type groupSettingsBody struct {
	body
	GroupSettingsUpdate
	stamped
	failed
	PictureBody     *groupSettingBody `json:"profile_picture"`
	SubjectBody     *groupSettingBody `json:"group_subject"`
	DescriptionBody *groupSettingBody `json:"group_description"`
}

type groupSettingBody struct {
	GroupSetting
	failed
}

func (b *groupSettingsBody) event(*value, EventInfo) Event {
	u := &b.GroupSettingsUpdate
	u.At = b.Timestamp.Time
	u.Picture = b.PictureBody.setting("profile_picture", &u.EventInfo)
	u.Subject = b.SubjectBody.setting("group_subject", &u.EventInfo)
	u.Description = b.DescriptionBody.setting("group_description", &u.EventInfo)
	u.Errors = errorsOf(b.Failures, "errors", &u.EventInfo)
	return u
}

func (b *groupSettingBody) setting(at string, info *EventInfo) *GroupSetting {
	if b == nil {
		return nil
	}
	b.Errors = errorsOf(b.Failures, at+".errors", info)
	return &b.GroupSetting
}

// takeText is takeMember for a text. It takes it once: the first of several groups has it. A member
// that is no text stays unknown.
func (v *value) takeText(name string) string {
	if v.textTaken {
		return ""
	}
	v.textTaken = true
	for _, m := range slices.Backward(v.unknown) { // the last of several counts
		if m.Path != name {
			continue
		}
		var s wire.Scanner
		s.Reset(m.Value)
		switch s.Kind() {
		case wire.KindString, wire.KindNumber, wire.KindNull:
			v.takeMember(name)
			return s.Text()
		}
		break
	}
	return ""
}
