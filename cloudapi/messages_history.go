package cloudapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MessageHistoryID names an entry of the message history. It is not the message's own id.
type MessageHistoryID string

// A MessageHistory is Meta's record of one message that was sent through Cloud API. It holds
// neither the content nor the recipient.
type MessageHistory struct {
	// ID names the entry, MessageID the message.
	ID        MessageHistoryID `json:"id"`
	MessageID graph.MessageID  `json:"message_id"`

	// Events are the deliveries and failures of the message, as many as fit into the answer.
	// [MessagesService.HistoryEvents] has all.
	Events []MessageHistoryEvent `json:"-"`

	// Response is the status, trace ids and usage of the response.
	Response Response `json:"-"`
}

// A MessageHistoryEvent is one step of a message.
type MessageHistoryEvent struct {
	ID string

	// Status is the step.
	Status DeliveryStatus

	// At is when it happened.
	At graph.Timestamp

	// Webhook is the state of the webhook about it, which tells a status that was never delivered
	// from one that never was.
	Webhook WebhookState

	// AppID is the app that the webhook was for.
	AppID graph.AppID

	// Error is Meta's description of what went wrong, if anything did.
	Error string
}

// A DeliveryStatus is a step of a message, as the message history names it. Meta may add values.
type DeliveryStatus string

const (
	DeliverySent      DeliveryStatus = "SENT"
	DeliveryDelivered DeliveryStatus = "DELIVERED"
	DeliveryRead      DeliveryStatus = "READ"
	DeliveryFailed    DeliveryStatus = "FAILED" // for the reason in Error
	DeliveryDeleted   DeliveryStatus = "DELETED"
)

// A WebhookState is the state of a webhook. Meta may add values.
type WebhookState string

const (
	WebhookPending   WebhookState = "PENDING"
	WebhookDelivered WebhookState = "DELIVERED" // your endpoint acknowledged it
	WebhookFailed    WebhookState = "FAILED"
	WebhookRetrying  WebhookState = "RETRYING"
)

// UnmarshalJSON reads an entry with the events that came along.
func (h *MessageHistory) UnmarshalJSON(b []byte) error {
	type plain MessageHistory
	aux := struct {
		*plain
		Events struct {
			Data []MessageHistoryEvent `json:"data"`
		} `json:"events"`
	}{plain: (*plain)(h)}
	if err := json.Unmarshal(b, &aux); err != nil {
		return err
	}
	h.Events = aux.Events.Data
	return nil
}

func (h *MessageHistory) setMeta(m Response) { h.Response = m }

// UnmarshalJSON reads an event from a history entry or from its own listing, where it lies in a
// node.
func (e *MessageHistoryEvent) UnmarshalJSON(b []byte) error {
	type wire struct {
		ID         flexString       `json:"id"`
		Status     DeliveryStatus   `json:"delivery_status"`
		At         *graph.Timestamp `json:"timestamp"`
		OccurredAt graph.Timestamp  `json:"occurrence_timestamp"`
		Webhook    WebhookState     `json:"webhook_update_state"`
		App        struct {
			ID graph.AppID `json:"id"`
		} `json:"application"`
		Error flexString `json:"error_description"`
	}
	var v struct {
		wire
		Node *wire `json:"node"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	w := v.wire
	if v.Node != nil {
		w = *v.Node
	}
	*e = MessageHistoryEvent{
		ID: string(w.ID), Status: w.Status, At: w.OccurredAt,
		Webhook: w.Webhook, AppID: w.App.ID, Error: string(w.Error),
	}
	if w.At != nil {
		e.At = *w.At
	}
	return nil
}

// MessageHistoryOptions are the options of [MessagesService.History].
type MessageHistoryOptions struct {
	// MessageID asks about one message alone. If empty, about all.
	MessageID graph.MessageID `url:"message_id,omitempty"`

	// Fields are the fields to ask for. If empty, all that [MessageHistory] has.
	Fields []string `url:"fields,comma,omitempty"`

	// Limit is the size of a page, 100 at most. If zero, Meta's own, which is 25.
	Limit int `url:"limit,omitempty"`
}

// History walks through what a number sent through Cloud API, with what became of each message, and
// fetches page after page as it goes. The first error ends it. Messages written in the WhatsApp
// Business app are not in it, as far as known.
//
// It helps with sends whose [Outcome] is unknown. Such a send left no message id, so the history
// cannot be asked about it; what tells is a status webhook with its [Message].CallbackData. When
// none came, compare the history with the ids that are known from answers and webhooks. An entry
// that is in neither may be one of the unknown sends: none of them may be repeated. If there is
// none, they were not accepted, as far as the history has kept up, which Meta does not promise:
// give it the time in which webhooks usually arrive, and more.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-phone-number/whatsapp-business-account-message-history-api
//
// graph:GET /{phone-number-id}/message_history
func (s *MessagesService) History(
	ctx context.Context, phone graph.PhoneNumberID, opts MessageHistoryOptions,
) iter.Seq2[*MessageHistory, error] {
	if len(opts.Fields) == 0 {
		opts.Fields = []string{
			"id", "message_id",
			"events{id,delivery_status,timestamp,webhook_update_state,application,error_description}",
		}
	}
	return list[MessageHistory](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/message_history", ids: []string{string(phone)},
		phone: phone, options: opts,
	})
}

// MessageHistoryEventOptions are the options of [MessagesService.HistoryEvents].
type MessageHistoryEventOptions struct {
	// Status asks for events of one kind alone. If empty, for all.
	Status DeliveryStatus `url:"status_filter,omitempty"`

	// Limit is the size of a page, 100 at most. If zero, Meta's own, which is 25.
	Limit int `url:"limit,omitempty"`
}

// HistoryEvents walks through all that became of one message of the history. The first error ends
// it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/message-history/whatsapp-business-message-history-events-api
//
// graph:GET /{message-history-id}/events
func (s *MessagesService) HistoryEvents(
	ctx context.Context, id MessageHistoryID, opts MessageHistoryEventOptions,
) iter.Seq2[*MessageHistoryEvent, error] {
	return list[MessageHistoryEvent](ctx, s.c, request{
		method: http.MethodGet, path: "/{message-history-id}/events", ids: []string{string(id)}, options: opts,
	})
}
