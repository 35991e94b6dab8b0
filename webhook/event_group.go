package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A GroupLifecycleUpdate arrives when a group was created or deleted, or could not be: then there
// are Errors.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/webhooks
type GroupLifecycleUpdate struct {
	EventInfo `json:"-"`

	// GroupID is empty if the group could not be created.
	GroupID graph.GroupID `json:"group_id"`

	Type GroupEvent `json:"type"`

	// RequestID is the request id of the call that caused it.
	RequestID string `json:"request_id"`

	Subject      string             `json:"subject"`
	Description  string             `json:"description"`
	InviteLink   string             `json:"invite_link"`
	JoinApproval graph.JoinApproval `json:"join_approval_mode"`

	Errors []Error
}

// A GroupParticipantsUpdate arrives when people join or leave a group, are removed, or ask to join.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/webhooks
type GroupParticipantsUpdate struct {
	EventInfo `json:"-"`

	GroupID graph.GroupID `json:"group_id"`
	Type    GroupEvent    `json:"type"`

	// RequestID is the request id of the call that caused it. Empty if a person did it.
	RequestID string `json:"request_id"`

	// Reason says how people came in, such as "invite_link", or why a request was withdrawn.
	Reason string `json:"reason"`

	// InitiatedBy is the side that removed people: "business" or "participant".
	InitiatedBy string `json:"initiated_by"`

	// Added, Removed and Failed are the people. Failed ones could not be removed, and say why.
	Added   []GroupParticipant
	Removed []GroupParticipant
	Failed  []GroupParticipant

	// JoinRequestID names a request to join, Requester who made it.
	JoinRequestID string `json:"join_request_id"`
	Requester     graph.Identity

	// ProfileName is the name that the requester shows, where Meta sends it.
	ProfileName string

	Errors []Error
}

// Customer returns who asks to join or withdraws that, else the only person that the event is
// about. It is empty if there are several.
func (u *GroupParticipantsUpdate) Customer() graph.Identity {
	if !u.Requester.IsZero() {
		return u.Requester
	}
	if len(u.Added)+len(u.Removed)+len(u.Failed) != 1 {
		return graph.Identity{}
	}
	for _, list := range [][]GroupParticipant{u.Added, u.Removed, u.Failed} {
		for _, p := range list {
			return p.Identity
		}
	}
	return graph.Identity{}
}

// A GroupParticipant is a person in a group, or one who could not be removed.
type GroupParticipant struct {
	// Input is the person as named by the call that caused the event. It may be all that is known.
	Input string

	Identity graph.Identity

	// ProfileName is the name that the person shows, where Meta sends it.
	ProfileName string

	Errors []Error
}

// A GroupSettingsUpdate arrives when the picture, subject or description of a group was changed, or
// could not be.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/webhooks
type GroupSettingsUpdate struct {
	EventInfo `json:"-"`

	GroupID   graph.GroupID `json:"group_id"`
	Type      GroupEvent    `json:"type"`
	RequestID string        `json:"request_id"`

	// Picture, Subject and Description are nil if they were not to be changed.
	Picture     *GroupSetting
	Subject     *GroupSetting
	Description *GroupSetting

	Errors []Error
}

// A GroupSetting is one setting of a group that was to be changed.
type GroupSetting struct {
	Text     string `json:"text"`
	MIMEType string `json:"mime_type"` // of a picture
	SHA256   string `json:"sha256"`

	// Updated says whether it was changed. If not, Errors say why.
	Updated bool `json:"update_successful"`
	Errors  []Error
}

// A GroupStatusUpdate arrives when Meta suspends a group, or lifts a suspension. No messages can be
// sent to a suspended group.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/webhooks
type GroupStatusUpdate struct {
	EventInfo `json:"-"`

	GroupID   graph.GroupID `json:"group_id"`
	Type      GroupEvent    `json:"type"`
	RequestID string        `json:"request_id"`
	Errors    []Error
}

// A GroupEvent is an event in a group. Meta adds values: expect unknown ones.
type GroupEvent string

// The documented events of groups.
const (
	GroupCreated            GroupEvent = "group_create"
	GroupDeleted            GroupEvent = "group_delete"
	GroupParticipantsAdd    GroupEvent = "group_participants_add"
	GroupParticipantsRemove GroupEvent = "group_participants_remove"
	GroupJoinRequested      GroupEvent = "group_join_request_created"
	GroupJoinRevoked        GroupEvent = "group_join_request_revoked"
	GroupSettingsChanged    GroupEvent = "group_settings_update"
	GroupSuspended          GroupEvent = "group_suspend"
	GroupSuspensionCleared  GroupEvent = "group_suspend_cleared"
)
