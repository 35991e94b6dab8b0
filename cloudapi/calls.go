package cloudapi

import (
	"context"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A CallsService makes and answers voice calls, whose sound travels by WebRTC between Meta and your
// own server. What the other side does arrives as webhooks of the field calls.
type CallsService service

// A CallPermission is whether a person may be called.
type CallPermission struct {
	// Permission is the permission that the person gave. Expires is zero if it does not end.
	Permission struct {
		Status  PermissionStatus `json:"status"`
		Expires graph.Timestamp  `json:"expiration_time"`
	} `json:"permission"`

	// Actions list what is allowed at the moment, limits included. Check them before a call.
	Actions []CallAction `json:"actions"`
	Resource
}

func (c *CallPermission) incomplete() string {
	if c.Permission.Status == "" {
		return "the answer has no permission"
	}
	return ""
}

// A PermissionStatus is whether a person may be called. Meta may add values.
type PermissionStatus string

const (
	PermissionNone      PermissionStatus = "no_permission"
	PermissionTemporary PermissionStatus = "temporary" // ends at Expires
	PermissionPermanent PermissionStatus = "permanent" // until the person takes it back
)

// A CallAction is something to do, and whether it may be done now.
type CallAction struct {
	// Name is "start_call" or "send_call_permission_request".
	Name    string      `json:"action_name"`
	Allowed bool        `json:"can_perform_action"`
	Limits  []CallLimit `json:"limits"`
}

// A CallLimit is the number of times that an action is allowed in a period.
type CallLimit struct {
	// Period is an ISO 8601 duration, such as "PT24H" or "P7D".
	Period string `json:"time_period"`

	// Max is how often in all, Used how often it was done.
	Max  int `json:"max_allowed"`
	Used int `json:"current_usage"`

	// ExpiresAt is when the limit ends. Zero if Meta did not say.
	ExpiresAt graph.Timestamp `json:"limit_expiration_time"`
}

// Permission reads whether a person may be called. It has a limit of its own; code 613 says that it
// is reached.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/user-call-permissions
//
// graph:GET /{phone-number-id}/call_permissions
func (s *CallsService) Permission(
	ctx context.Context, phone graph.PhoneNumberID, person Recipient,
) (*CallPermission, error) {
	to, user, err := callee(person)
	if err != nil {
		return nil, err
	}
	type options struct {
		WAID string `url:"user_wa_id,omitempty"`
		User string `url:"recipient,omitempty"`
	}
	if to != "" {
		to = to[1:]
	}
	return call[CallPermission](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/call_permissions", ids: []string{string(phone)},
		phone: phone, options: options{to, user}, sensitive: []string{to, user},
	})
}

// callee is a person by number with its plus sign, or by user id.
func callee(person Recipient) (to, user string, err error) {
	var p problems
	if problem := person.problem(); problem != "" {
		p.add("the call %s", problem)
	}
	switch person.kind {
	case recipientPhone:
		to = person.value
	case recipientUser:
		user = person.value
	case recipientGroup:
		p.add("a group cannot be called")
	default:
	}
	return to, user, p.err()
}

// checkSession checks the description of a call's sound: an offer calls, an answer answers.
func checkSession(p *problems, s graph.CallSession, want graph.SDPType) {
	if s.Type != want {
		p.put(true, s.Type == "", "CallSession.Type must be %q here", []any{want})
	}
	p.required("CallSession.SDP", s.SDP)
}

type callRequest struct {
	product
	To           string             `json:"to,omitzero"`
	Recipient    string             `json:"recipient,omitzero"`
	CallID       graph.CallID       `json:"call_id,omitzero"`
	Action       string             `json:"action"`
	Session      *graph.CallSession `json:"session,omitzero"`
	CallbackData string             `json:"biz_opaque_callback_data,omitzero"`
}

// CallConnectParams are the parameters of [CallsService.Connect]: a call to a person who allowed
// it.
type CallConnectParams struct {
	// To is a phone number or a user id. Groups cannot be called.
	To Recipient

	// Session is an offer of your side.
	Session graph.CallSession

	// CallbackData comes back in the webhooks of the call, at most 512 characters.
	CallbackData string
}

// Connect calls a person. The call is under way when the webhook with the answer arrives. It is
// never repeated blindly: with [OutcomeUnknown] a phone may be ringing.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/business-initiated-calls
//
// graph:POST /{phone-number-id}/calls action=connect
func (s *CallsService) Connect(
	ctx context.Context, phone graph.PhoneNumberID, c CallConnectParams,
) (graph.CallID, error) {
	to, user, err := callee(c.To)
	if err != nil {
		return "", err
	}
	var p problems
	checkSession(&p, c.Session, graph.SDPOffer)
	p.atMost("CallConnectParams.CallbackData", c.CallbackData, 512)
	if err := p.err(); err != nil {
		return "", err
	}
	r := s.request(phone)
	if to != "" {
		r.sensitive = []string{to[1:]}
	}
	resp, err := send[callConnected](ctx, s.c, r, callRequest{
		product: whatsapp, To: to, Recipient: user, Action: "connect", Session: &c.Session,
		CallbackData: c.CallbackData,
	})
	if err != nil {
		return "", err
	}
	return resp.Calls[0].ID, nil
}

type callConnected struct {
	Calls []struct {
		ID graph.CallID `json:"id"`
	} `json:"calls"`
}

func (c *callConnected) incomplete() string {
	if len(c.Calls) == 0 || c.Calls[0].ID == "" {
		return "the answer names no call"
	}
	return ""
}

// request is without replay: the edge is one of those that are repeated on proof of a refusal
// alone.
func (s *CallsService) request(phone graph.PhoneNumberID) request {
	return request{
		method: http.MethodPost, path: "/{phone-number-id}/calls", ids: []string{string(phone)}, phone: phone,
	}
}

// PreAccept prepares the sound of a call that came in, before it is accepted, so that nothing of
// the first words is lost.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/user-initiated-calls
//
// graph:POST /{phone-number-id}/calls action=pre_accept
func (s *CallsService) PreAccept(
	ctx context.Context, phone graph.PhoneNumberID, id graph.CallID, session graph.CallSession,
) error {
	return s.answer(ctx, phone, id, "pre_accept", &session, "")
}

// CallAcceptParams are the parameters of [CallsService.Accept].
type CallAcceptParams struct {
	// Session is an answer of your side to the offer of the webhook.
	Session graph.CallSession

	// CallbackData comes back in the webhooks of the call, at most 512 characters. It may be empty.
	CallbackData string
}

// Accept takes a call that came in.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/user-initiated-calls
//
// graph:POST /{phone-number-id}/calls action=accept
func (s *CallsService) Accept(
	ctx context.Context, phone graph.PhoneNumberID, id graph.CallID, params CallAcceptParams,
) error {
	return s.answer(ctx, phone, id, "accept", &params.Session, params.CallbackData)
}

// Reject declines a call that came in.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/user-initiated-calls
//
// graph:POST /{phone-number-id}/calls action=reject
func (s *CallsService) Reject(ctx context.Context, phone graph.PhoneNumberID, id graph.CallID) error {
	return s.answer(ctx, phone, id, "reject", nil, "")
}

// Terminate ends a call, also one that still rings.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/user-initiated-calls
//
// graph:POST /{phone-number-id}/calls action=terminate
func (s *CallsService) Terminate(ctx context.Context, phone graph.PhoneNumberID, id graph.CallID) error {
	return s.answer(ctx, phone, id, "terminate", nil, "")
}

// answer makes one of the calls that are about a call that came in. Only some bring a session.
func (s *CallsService) answer(
	ctx context.Context, phone graph.PhoneNumberID, id graph.CallID,
	action string, session *graph.CallSession, callbackData string,
) error {
	var p problems
	p.needs("the call id", string(id))
	if session != nil {
		checkSession(&p, *session, graph.SDPAnswer)
	}
	p.atMost("CallAcceptParams.CallbackData", callbackData, 512)
	if err := p.err(); err != nil {
		return err
	}
	return do(ctx, s.c, s.request(phone), callRequest{
		product: whatsapp, CallID: id, Action: action, Session: session, CallbackData: callbackData,
	})
}
