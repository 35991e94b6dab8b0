package coexistencetest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// eventsOf decodes what a host got of a type of event, with the decoder that hosts use.
func eventsOf[E webhook.Event](t *testing.T, h *host) []E {
	t.Helper()
	var list []E
	for _, body := range h.received() {
		events, err := webhook.Decode([]byte(body))
		require.NoError(t, err)
		for _, ev := range events {
			if e, ok := ev.(E); ok {
				list = append(list, e)
			}
		}
	}
	return list
}

// templateFields are those of templates.
var templateFields = []webhook.Field{
	webhook.FieldMessages, webhook.FieldMessageTemplateStatusUpdate, webhook.FieldMessageTemplateQualityUpdate,
	webhook.FieldMessageTemplateComponentsUpdate, webhook.FieldTemplateCategoryUpdate,
}

// createTemplate makes a template by a call, as a host does, and returns its id.
func createTemplate(
	t *testing.T, world *coexistencetest.World, phone *coexistencetest.Phone, token graph.Secret,
) graph.TemplateID {
	t.Helper()
	status, _ := call(t, world, token, "POST", "/"+string(phone.WABA())+"/message_templates",
		`{"name":"rye","language":"en_US","category":"UTILITY","components":[{"type":"BODY","text":"Rye is back."}]}`)
	require.Equal(t, http.StatusOK, status)
	templates := world.Graph().Templates(phone.WABA())
	return templates[len(templates)-1].ID
}

// sendRye sends the template, and returns the code with which it is refused, or 0.
func sendRye(t *testing.T, world *coexistencetest.World, phone *coexistencetest.Phone, token graph.Secret) graph.Code {
	t.Helper()
	status, v := call(t, world, token, "POST", "/"+string(phone.ID())+"/messages",
		`{"messaging_product":"whatsapp","to":"+15550100142","type":"template",`+
			`"template":{"name":"rye","language":{"code":"en_US"}}}`)
	if status == http.StatusOK {
		return 0
	}
	code, _ := problem(t, v)
	return code
}

func TestATemplateIsModeratedByHand(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{Fields: templateFields},
		coexistencetest.PhoneConfig{})
	id := createTemplate(t, world, phone, token)
	review := func(r coexistencetest.TemplateReview, want graph.Code) {
		require.NoError(t, world.ReviewTemplate(id, r))
		require.Equal(t, want, sendRye(t, world, phone, token), r.Event)
	}
	require.Equal(t, graph.CodeTemplateNotFound, sendRye(t, world, phone, token), "under review")
	review(coexistencetest.TemplateReview{Event: webhook.TemplateRejected, Reason: webhook.TemplateReasonInvalidFormat,
		Recommendation: "Write more."}, graph.CodeTemplateCharacterPolicy)
	review(coexistencetest.TemplateReview{Event: webhook.TemplateApproved}, 0)
	require.NoError(t, world.SetTemplateQuality(id, graph.QualityRed))
	review(coexistencetest.TemplateReview{Event: webhook.TemplateFlagged}, 0)
	review(coexistencetest.TemplateReview{Event: webhook.TemplatePaused, Title: "FIRST_PAUSE"},
		graph.CodeTemplatePaused)
	review(coexistencetest.TemplateReview{Event: webhook.TemplateDisabled}, graph.CodeTemplateDisabled)
	require.NoError(t, world.AnnounceTemplateCategory(id, graph.TemplateMarketing))
	require.NoError(t, world.SetTemplateCategory(id, graph.TemplateMarketing))
	review(coexistencetest.TemplateReview{Event: webhook.TemplateDeleted}, graph.CodeTemplateNotFound)
	require.Error(t, world.ReviewTemplate(id, coexistencetest.TemplateReview{Event: webhook.TemplateApproved}))
	wait(t, world)

	var told []webhook.TemplateEvent
	for _, ev := range eventsOf[*webhook.MessageTemplateStatusUpdate](t, h) {
		require.Equal(t, id, ev.TemplateID)
		require.Equal(t, "rye", ev.Name)
		told = append(told, ev.Event)
		switch ev.Event {
		case webhook.TemplateRejected:
			require.Equal(t, webhook.TemplateReasonInvalidFormat, ev.Reason)
			require.Equal(t, "Write more.", ev.Rejection.Recommendation)
		case webhook.TemplateDisabled:
			require.False(t, ev.Disabled.At.IsZero())
		case webhook.TemplatePaused:
			require.Equal(t, "FIRST_PAUSE", ev.Other.Title)
		default:
		}
	}
	require.Equal(t, []webhook.TemplateEvent{
		webhook.TemplateRejected, webhook.TemplateApproved, webhook.TemplateFlagged, webhook.TemplatePaused,
		webhook.TemplateDisabled, webhook.TemplateDeleted,
	}, told)
	quality := eventsOf[*webhook.MessageTemplateQualityUpdate](t, h)
	require.Len(t, quality, 1)
	require.Equal(t, graph.QualityRed, quality[0].New)
	moves := eventsOf[*webhook.TemplateCategoryUpdate](t, h)
	require.Len(t, moves, 2)
	require.Equal(t, graph.TemplateMarketing, moves[0].Upcoming())
	require.Equal(t, graph.TemplateMarketing, moves[1].Current())
}

func TestATemplateIsApprovedAfterATime(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{Fields: templateFields, ReviewAfter: time.Hour},
		coexistencetest.PhoneConfig{})
	id := createTemplate(t, world, phone, token)
	world.Advance(59 * time.Minute)
	require.Equal(t, graph.CodeTemplateNotFound, sendRye(t, world, phone, token))
	world.Advance(time.Minute)
	require.Zero(t, sendRye(t, world, phone, token))
	status, _ := call(t, world, token, "POST", "/"+string(id),
		`{"components":[{"type":"BODY","text":"Rye is here."},{"type":"FOOTER","text":"Ovenbird"}]}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, graph.CodeTemplateNotFound, sendRye(t, world, phone, token), "an edit is reviewed again")
	world.Advance(time.Hour)
	require.Zero(t, sendRye(t, world, phone, token))
	wait(t, world)
	require.Len(t, eventsOf[*webhook.MessageTemplateStatusUpdate](t, h), 2)
	edits := eventsOf[*webhook.MessageTemplateComponentsUpdate](t, h)
	require.Len(t, edits, 1)
	require.Equal(t, "Rye is here.", edits[0].Body)
	require.Equal(t, "Ovenbird", edits[0].Footer)
	require.Equal(t, cloudapi.TemplateApproved, world.Graph().Templates(phone.WABA())[1].Status)
}

func TestEveryOtherWebhookCanBeCaused(t *testing.T) {
	t.Parallel()
	fields := []webhook.Field{
		webhook.FieldAccountReviewUpdate, webhook.FieldUserPreferences, webhook.FieldMessagingHandovers,
		webhook.FieldAccountUpdate,
	}
	world, h, phone, _ := connected(t, coexistencetest.Config{Fields: fields}, coexistencetest.PhoneConfig{})
	for field, value := range map[webhook.Field]string{
		webhook.FieldAccountReviewUpdate: `{"decision": "APPROVED"}`,
		webhook.FieldUserPreferences: `{"user_preferences":[{"wa_id":"15550100142","category":"marketing_messages",` +
			`"value":"stop","detail":"Zoé \"says\" no","timestamp":1790000000}]}`,
		webhook.FieldMessagingHandovers: `{"type":"control_passed","timestamp":"1790000000",` +
			`"recipient":{"phone_number_id":"1"},"control_passed":{"new_owner_role":"customer_service"}}`,
	} {
		require.NoError(t, phone.Notify(field, json.RawMessage(value)))
	}
	require.Error(t, phone.Notify(webhook.FieldSecurity, json.RawMessage(`[]`)))
	require.NoError(t, phone.Notify(webhook.FieldSecurity, json.RawMessage(`{}`)))
	wait(t, world)
	require.Equal(t, "APPROVED", string(eventsOf[*webhook.AccountReviewUpdate](t, h)[0].Decision))
	stops := eventsOf[*webhook.UserPreference](t, h)
	require.Equal(t, phone.ID(), stops[0].Info().PhoneNumberID)
	require.Equal(t, `Zoé "says" no`, stops[0].Detail)
	require.Len(t, world.Suppressed(), 1, "nobody subscribes to security")
	for _, body := range h.received() {
		for _, r := range body {
			require.Less(t, r, rune(128), "all of it is escaped")
		}
	}
}

func TestADeletedTemplateIsTold(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{Fields: templateFields},
		coexistencetest.PhoneConfig{})
	id := createTemplate(t, world, phone, token)
	status, _ := call(t, world, token, "DELETE", "/"+string(phone.WABA())+"/message_templates?name=rye", "")
	require.Equal(t, http.StatusOK, status)
	status, _ = call(t, world, token, "DELETE", "/"+string(phone.WABA())+"/message_templates?name=rye", "")
	require.Equal(t, http.StatusBadRequest, status, "it is gone")
	wait(t, world)
	told := eventsOf[*webhook.MessageTemplateStatusUpdate](t, h)
	require.Len(t, told, 1)
	require.Equal(t, webhook.TemplatePendingDeletion, told[0].Event)
	require.Equal(t, id, told[0].TemplateID)
	require.Empty(t, told[0].Reason)
}
