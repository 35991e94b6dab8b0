package coexistencetest

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A TemplateReview is Meta's decision about a template.
type TemplateReview struct {
	// Event is what happens to it, such as [webhook.TemplateApproved] or [webhook.TemplatePaused].
	Event webhook.TemplateEvent

	// Reason says why it was rejected. If empty, [webhook.TemplateReasonNone].
	Reason webhook.TemplateReason

	// Title and Description are the other_info of a pause or a lock, such as "FIRST_PAUSE". Empty
	// ones are left out.
	Title, Description string

	// Recommendation is what the rejection_info of a rejected template recommends. If empty, there
	// is none.
	Recommendation string
}

// templateStatuses are how a template stands after an event. Events that are not here leave it as
// it is.
var templateStatuses = map[webhook.TemplateEvent]cloudapi.TemplateStatus{
	webhook.TemplateApproved: cloudapi.TemplateApproved, webhook.TemplateArchived: cloudapi.TemplateArchived,
	webhook.TemplateUnarchived: cloudapi.TemplateApproved, webhook.TemplateDeleted: cloudapi.TemplateDeleted,
	webhook.TemplateDisabled: cloudapi.TemplateDisabled, webhook.TemplateInAppeal: cloudapi.TemplateInAppeal,
	webhook.TemplateLimitExceeded: cloudapi.TemplateLimitExceeded, webhook.TemplatePaused: cloudapi.TemplatePaused,
	webhook.TemplatePending: cloudapi.TemplatePending, webhook.TemplateReinstated: cloudapi.TemplateApproved,
	webhook.TemplatePendingDeletion: cloudapi.TemplatePendingDeletion,
	webhook.TemplateRejected:        cloudapi.TemplateRejected,
}

// errNoTemplate is the error of a method that takes the id of a template.
var errNoTemplate = errors.New("coexistencetest: there is no template with this id; World.Graph().Templates lists them")

// ReviewTemplate is Meta's decision about a template: messages with it are taken or refused from
// now on, and the host gets a message_template_status_update. [Config].ReviewAfter approves by
// itself.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_status_update
func (w *World) ReviewTemplate(id graph.TemplateID, r TemplateReview) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reviewTemplate(id, r)
}

// reviewTemplate is ReviewTemplate. The caller must hold w.mu.
func (w *World) reviewTemplate(id graph.TemplateID, r TemplateReview) error {
	reason := webhook.TemplateReasonNone
	if r.Reason != "" {
		reason = r.Reason
	}
	t, ok := w.graph.UpdateTemplate(id, func(t *cloudapitest.Template) {
		if status, known := templateStatuses[r.Event]; known {
			t.Status = status
		}
		t.RejectedReason = string(reason)
	})
	if !ok {
		return errNoTemplate
	}
	more := []member{str("event", r.Event), str("reason", reason), str("message_template_category", t.Category)}
	if r.Event == webhook.TemplatePendingDeletion {
		more[1] = sub("reason", []byte("null"))
	}
	if r.Event == webhook.TemplateDisabled {
		more = append(more, sub("disable_info", object(str("disable_date", strconv.FormatInt(w.Now().Unix(), 10)))))
	}
	if r.Title != "" || r.Description != "" {
		more = append(more, sub("other_info", object(str("title", r.Title), str("description", r.Description))))
	}
	if r.Recommendation != "" {
		more = append(more, sub("rejection_info",
			object(str("reason", reason), str("recommendation", r.Recommendation))))
	}
	w.tellTemplate(webhook.FieldMessageTemplateStatusUpdate, t, more...)
	return nil
}

// SetTemplateCategory moves a template into another category, and with it to another price: the
// host gets a template_category_update.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/template_category_update
func (w *World) SetTemplateCategory(id graph.TemplateID, category graph.TemplateCategory) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.graph.UpdateTemplate(id, func(t *cloudapitest.Template) {
		t.PreviousCategory, t.Category = t.Category, category
	})
	if !ok {
		return errNoTemplate
	}
	w.tellTemplate(webhook.FieldTemplateCategoryUpdate, t,
		str("previous_category", t.PreviousCategory), str("new_category", category))
	return nil
}

// AnnounceTemplateCategory tells the host that a template will be in another category in a day.
// [World.SetTemplateCategory] is the move itself.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/template_category_update
func (w *World) AnnounceTemplateCategory(id graph.TemplateID, category graph.TemplateCategory) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.graph.UpdateTemplate(id, func(*cloudapitest.Template) {})
	if !ok {
		return errNoTemplate
	}
	w.tellTemplate(webhook.FieldTemplateCategoryUpdate, t, str("new_category", t.Category),
		str("correct_category", category), num("category_update_timestamp", w.Now().Add(day).Unix()))
	return nil
}

// SetTemplateQuality is what recipients make of a template: the host gets a
// message_template_quality_update. That a template of low quality is paused is up to the caller.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_quality_update
func (w *World) SetTemplateQuality(id graph.TemplateID, quality graph.QualityRating) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	previous := graph.QualityRating("UNKNOWN")
	t, ok := w.graph.UpdateTemplate(id, func(t *cloudapitest.Template) {
		if t.Quality != "" {
			previous = t.Quality
		}
		t.Quality = quality
	})
	if !ok {
		return errNoTemplate
	}
	w.tellTemplate(webhook.FieldMessageTemplateQualityUpdate, t,
		str("previous_quality_score", previous), str("new_quality_score", quality))
	return nil
}

// tellTemplate sends an update about a template. Its id is a number here and a string in the Graph
// API.
func (w *World) tellTemplate(field webhook.Field, t cloudapitest.Template, more ...member) {
	value := append([]member{
		sub("message_template_id", []byte(t.ID)), str("message_template_name", t.Name),
		str("message_template_language", t.Language),
	}, more...)
	w.dispatcher.send(change{
		field: field, entry: string(t.WABAID), at: w.Now().Unix(), waba: t.WABAID, value: object(value...),
	})
}

// tellComponents sends what an edited template consists of.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_components_update
func (w *World) tellComponents(t cloudapitest.Template) {
	texts := map[cloudapi.ComponentType]string{}
	var buttons [][]byte
	for _, part := range t.Components {
		texts[cloudapi.ComponentType(strings.ToUpper(string(part.Type)))] = part.Text
		for _, b := range part.Buttons {
			buttons = append(buttons, object(
				str("message_template_button_type", b.Type), str("message_template_button_text", b.Text),
				str("message_template_button_url", b.URL),
				str("message_template_button_phone_number", b.PhoneNumber)))
		}
	}
	more := []member{
		str("message_template_title", texts[cloudapi.ComponentHeader]),
		str("message_template_element", texts[cloudapi.ComponentBody]),
		str("message_template_footer", texts[cloudapi.ComponentFooter]),
	}
	if buttons != nil {
		more = append(more, sub("message_template_buttons", list(buttons...)))
	}
	w.tellTemplate(webhook.FieldMessageTemplateComponentsUpdate, t, more...)
}

// A pendingReview is a template that [Config].ReviewAfter approves.
type pendingReview struct {
	template graph.TemplateID
	due      time.Time
}

// templateChanged is called when a host has made, edited or deleted a template. A template of the
// library is approved already. Meta documents the event of a deletion, and that it has no reason;
// that a call of the API brings it is assumed.
func (w *World) templateChanged(t cloudapitest.Template, change cloudapitest.TemplateChange) {
	if change == cloudapitest.TemplateDeleted {
		w.relied.on(relyTemplateDeletion)
		w.tellTemplate(webhook.FieldMessageTemplateStatusUpdate, t,
			str("event", webhook.TemplatePendingDeletion), sub("reason", []byte("null")),
			str("message_template_category", t.Category))
		return
	}
	if change == cloudapitest.TemplateEdited {
		w.tellComponents(t)
	}
	if w.cfg.ReviewAfter == 0 || t.Status != cloudapi.TemplatePending {
		return
	}
	w.mu.Lock()
	w.reviews = append(w.reviews, pendingReview{t.ID, w.Now().Add(w.cfg.ReviewAfter)})
	w.mu.Unlock()
	time.AfterFunc(w.cfg.ReviewAfter, w.review)
}

// review approves the templates whose review is due. Both a timer and [World.Advance] call it.
func (w *World) review() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Now()
	var due []graph.TemplateID
	w.reviews = slices.DeleteFunc(w.reviews, func(r pendingReview) bool {
		if now.Before(r.due) {
			return false
		}
		due = append(due, r.template)
		return true
	})
	for _, id := range due {
		_ = w.reviewTemplate(id, TemplateReview{Event: webhook.TemplateApproved}) // it may be deleted by now
	}
}
