package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

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
