package cloudapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MessagesService sends messages from business phone numbers.
type MessagesService service

// Send sends a message. It asks the [Limiter] first, and before that it checks the message: an
// error that is [ErrValidation] lists everything wrong with it.
//
// No message is sent twice by Send. It repeats a request only when Meta's answer proves that
// nothing was done, or when the request never left. An error may still hide a message that was
// accepted: look at the [Outcome] before calling Send again.
//
// Errors worth knowing: [graph.CodeReengagementMessage] (the window is closed, send a template),
// [graph.ErrThrottled], [graph.ErrAuth].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
//
// graph:POST /{phone-number-id}/messages
func (s *MessagesService) Send(ctx context.Context, from graph.PhoneNumberID, m Message) (*SentMessage, error) {
	p := &problems{unchecked: m.SkipValidation}
	p.needs("the sending phone number id", string(from))
	if m.check(p); p.err() != nil {
		return nil, p.err()
	}
	body, err := m.encode()
	if err != nil {
		return nil, fmt.Errorf("cloudapi: the message does not encode: %w", err)
	}
	r := request{
		method: http.MethodPost, path: "/{phone-number-id}/messages", ids: []string{string(from)},
		phone: from, body: body, sensitive: m.sensitive(),
		limited: &SendRequest{From: from, To: m.To, Priority: m.Priority},
	}
	resp, err := call[sendResponse](ctx, s.c, r)
	if err != nil {
		return nil, err
	}
	return resp.sent(), nil
}

type sendResponse struct {
	Contacts []struct {
		Input        flexString   `json:"input"`
		WAID         flexString   `json:"wa_id"`
		UserID       graph.UserID `json:"user_id"`
		ParentUserID graph.UserID `json:"parent_user_id"`
	} `json:"contacts"`
	Messages []struct {
		ID     graph.MessageID `json:"id"`
		Status SentStatus      `json:"message_status"`
		Group  graph.GroupID   `json:"group_id"`
	} `json:"messages"`
	meta Response
}

func (r *sendResponse) setMeta(m Response) { r.meta = m }

func (r *sendResponse) incomplete() string {
	if len(r.Messages) == 0 || r.Messages[0].ID == "" {
		return "the answer names no message"
	}
	return ""
}

func (r *sendResponse) sent() *SentMessage {
	m := r.Messages[0]
	s := &SentMessage{ID: m.ID, Status: m.Status, GroupID: m.Group, At: time.Now().UTC(), Response: r.meta}
	if len(r.Contacts) > 0 {
		c := r.Contacts[0]
		s.To = SentContact{string(c.Input), string(c.WAID), c.UserID, c.ParentUserID}
	}
	return s
}

// MarkRead shows the blue ticks on a received message and on all before it. Only messages of the
// last 30 days can be marked. On a coexistence number the app may show the conversation as read
// too, so a program should do it only when someone has read.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/mark-message-as-read
//
// graph:POST /{phone-number-id}/messages status=read
func (s *MessagesService) MarkRead(ctx context.Context, from graph.PhoneNumberID, id graph.MessageID) error {
	return s.markRead(ctx, from, id, nil)
}

// ShowTyping does what MarkRead does, and shows that an answer is being typed. It ends with the
// next message sent, or after 25 seconds.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators
//
// graph:POST /{phone-number-id}/messages status=read typing_indicator
func (s *MessagesService) ShowTyping(ctx context.Context, from graph.PhoneNumberID, id graph.MessageID) error {
	return s.markRead(ctx, from, id, &typingIndicator{Type: "text"})
}

type typingIndicator struct {
	Type string `json:"type"`
}

func (s *MessagesService) markRead(
	ctx context.Context, from graph.PhoneNumberID, id graph.MessageID, typing *typingIndicator,
) error {
	if id == "" {
		return invalid("the message id is empty")
	}
	body, err := encode(struct {
		Product string           `json:"messaging_product"`
		Status  string           `json:"status"`
		ID      graph.MessageID  `json:"message_id"`
		Typing  *typingIndicator `json:"typing_indicator,omitzero"`
	}{"whatsapp", "read", id, typing})
	if err != nil {
		return err
	}
	// Like a send it is not repeated blindly: a late retry would show "typing" after the answer has
	// arrived.
	_, err = call[success](ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/messages", ids: []string{string(from)}, phone: from,
		body: body,
	})
	return err
}
