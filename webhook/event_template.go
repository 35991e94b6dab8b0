package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MessageTemplateStatusUpdate arrives when a template was reviewed, paused, disabled, archived or
// deleted. Only approved templates can be sent.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_status_update
type MessageTemplateStatusUpdate struct {
	EventInfo `json:"-"`
	Template

	Event    TemplateEvent          `json:"event"`
	Category graph.TemplateCategory `json:"message_template_category"`

	// Reason says why a template was rejected. "NONE" or empty if there is nothing to say.
	Reason TemplateReason `json:"reason"`

	// Disabled comes with [TemplateDisabled], Rejection with [TemplateRejected], Other with pauses
	// and locks.
	Disabled  *TemplateDisableInfo   `json:"disable_info"`
	Rejection *TemplateRejectionInfo `json:"rejection_info"`
	Other     *TemplateOtherInfo     `json:"other_info"`
}

// A Template names a message template in one language.
type Template struct {
	TemplateID graph.TemplateID `json:"message_template_id"`
	Name       string           `json:"message_template_name"`

	// Language is such as "en_US". Meta also writes "en-US".
	Language string `json:"message_template_language"`
}

// A TemplateEvent is an event in the life of a template. Meta adds values: expect unknown ones.
type TemplateEvent string

// The documented events.
const (
	TemplateApproved        TemplateEvent = "APPROVED"
	TemplateArchived        TemplateEvent = "ARCHIVED"
	TemplateUnarchived      TemplateEvent = "UNARCHIVED"
	TemplateDeleted         TemplateEvent = "DELETED"
	TemplateDisabled        TemplateEvent = "DISABLED"
	TemplateFlagged         TemplateEvent = "FLAGGED" // it will be disabled if its quality stays low
	TemplateInAppeal        TemplateEvent = "IN_APPEAL"
	TemplateLimitExceeded   TemplateEvent = "LIMIT_EXCEEDED"
	TemplateLocked          TemplateEvent = "LOCKED" // it cannot be edited
	TemplatePaused          TemplateEvent = "PAUSED"
	TemplatePending         TemplateEvent = "PENDING"
	TemplateReinstated      TemplateEvent = "REINSTATED"
	TemplatePendingDeletion TemplateEvent = "PENDING_DELETION"
	TemplateRejected        TemplateEvent = "REJECTED"
)

// A TemplateReason says why a template was rejected. Meta adds values: expect unknown ones.
type TemplateReason string

// The documented reasons. TemplateReasonNone stands for no rejection.
const (
	TemplateReasonNone                 TemplateReason = "NONE"
	TemplateReasonAbusiveContent       TemplateReason = "ABUSIVE_CONTENT"
	TemplateReasonCategoryNotAvailable TemplateReason = "CATEGORY_NOT_AVAILABLE"
	TemplateReasonIncorrectCategory    TemplateReason = "INCORRECT_CATEGORY"
	TemplateReasonInvalidFormat        TemplateReason = "INVALID_FORMAT"
	TemplateReasonPromotional          TemplateReason = "PROMOTIONAL"
	TemplateReasonScam                 TemplateReason = "SCAM"
	TemplateReasonTagContentMismatch   TemplateReason = "TAG_CONTENT_MISMATCH"
)

// TemplateDisableInfo says when a template was disabled: to the second, or to the day where Meta
// writes a date such as "January 31, 2021".
type TemplateDisableInfo struct {
	At graph.Timestamp `json:"disable_date"`
}

// TemplateRejectionInfo says for people why a template was rejected and what to change.
type TemplateRejectionInfo struct {
	Reason         string `json:"reason"`
	Recommendation string `json:"recommendation"`
}

// TemplateOtherInfo says more about a pause or a lock.
type TemplateOtherInfo struct {
	Title       string `json:"title"` // "FIRST_PAUSE", "SECOND_PAUSE", "RATE_LIMITING_PAUSE", "UNPAUSE", "DISABLED"
	Description string `json:"description"`
}

// A MessageTemplateQualityUpdate arrives when the quality of a template changes. A template of low
// quality is paused and then disabled.
//
// Meta prints it under the name of status updates as well; it is distinguished by its members.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_quality_update
type MessageTemplateQualityUpdate struct {
	EventInfo `json:"-"`
	Template

	Previous graph.QualityRating `json:"previous_quality_score"`
	New      graph.QualityRating `json:"new_quality_score"`
}

// A MessageTemplateComponentsUpdate arrives when a template was edited. It holds the whole template
// as it is now.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_components_update
type MessageTemplateComponentsUpdate struct {
	EventInfo `json:"-"`
	Template

	Title   string           `json:"message_template_title"`
	Body    string           `json:"message_template_element"`
	Footer  string           `json:"message_template_footer"`
	Buttons []TemplateButton `json:"message_template_buttons"`
}

// A TemplateButton is a button of a template.
type TemplateButton struct {
	Type        string `json:"message_template_button_type"` // "URL", "PHONE_NUMBER", "QUICK_REPLY", …: an open list
	Text        string `json:"message_template_button_text"`
	URL         string `json:"message_template_button_url"`
	PhoneNumber string `json:"message_template_button_phone_number"`
}

// A TemplateCategoryUpdate arrives a day before Meta moves a template into another category, and
// again when it has. The price of the template changes with it.
//
// The two have different shapes, in which the same word means different things: use
// [TemplateCategoryUpdate.Current] and [TemplateCategoryUpdate.Upcoming].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/template_category_update
type TemplateCategoryUpdate struct {
	EventInfo `json:"-"`
	Template

	// Previous is set when the template has been moved.
	Previous graph.TemplateCategory `json:"previous_category"`

	// New is the category the template is in: after the move the new one, before it still the old
	// one.
	New graph.TemplateCategory `json:"new_category"`

	// Correct is set while the move is ahead: where the template will be.
	Correct graph.TemplateCategory `json:"correct_category"`

	// MovesAt is when that will be. Zero after the move.
	MovesAt graph.Timestamp `json:"category_update_timestamp"`
}

// Current returns the category that the template is in now.
func (u *TemplateCategoryUpdate) Current() graph.TemplateCategory { return u.New }

// Upcoming returns the category that the template will be in at MovesAt. It is empty when the move
// is done.
func (u *TemplateCategoryUpdate) Upcoming() graph.TemplateCategory { return u.Correct }

// A TemplateCorrectCategoryDetection arrives when Meta finds a directly sent template in the wrong
// category. Meta lists its members on its page about Direct Send, and has no page of its own for
// it.
type TemplateCorrectCategoryDetection struct {
	EventInfo `json:"-"`
	Template

	Category graph.TemplateCategory `json:"category"`
	Correct  graph.TemplateCategory `json:"correct_category"`
}
