package cloudapi

import (
	"context"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ThreadsService moves conversations between the responders of a number: this app, those of other
// partners, Meta Business Agent. It works on accounts that are enrolled for conversation routing,
// once the business has accepted Meta's terms of it.
//
// No call returns the owner of a conversation, and Meta sends the calling app no webhook about
// these: use the methods of coexistence.Tracker with the same names, which record what they do.
// Whatever they return, they are never repeated by themselves. After a lost answer nothing is
// known: a second Pass that is refused because the conversation is not yours proves that the first
// worked.
//
// The path is that of Meta's pages about routing (September 2026). Meta's pages about its agent
// show the same call under another host.
type ThreadsService service

// A ThreadParams says which conversation is meant, and more for the other side.
type ThreadParams struct {
	// To is the customer: ToPhone if the number is known, and else ToUser. Meta's pages contradict
	// each other on whether user ids are taken already (October 2026). Groups have no owner.
	To Recipient

	// Metadata is passed on as it is, at most 2,000 characters. For people.
	Metadata string
}

// A ThreadResult is Meta's word that a conversation was moved.
type ThreadResult struct {
	// RequestID identifies the call to Meta's support. Since 2026-09-25; empty if Meta left it out.
	RequestID string `json:"request_id"`

	Resource
}

// A threadRequest is the body of thread_control.
type threadRequest struct {
	Product   string       `json:"messaging_product"`
	To        string       `json:"to,omitzero"`
	Recipient string       `json:"recipient,omitzero"`
	Action    string       `json:"action"`
	Pass      *controlPass `json:"control_pass,omitzero"`
	Metadata  string       `json:"metadata,omitzero"`
}

type controlPass struct {
	TargetRole graph.HandoverRole `json:"target_role"`
}

// Pass hands a conversation that is yours to the responder that has a role, or to the escalation
// partner if role is empty. Meta refuses it if the conversation is idle or not yours, and if no one
// has the role or the one who has it owns the conversation already.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing/thread-control
//
// graph:POST /{phone-number-id}/thread_control pass
func (s *ThreadsService) Pass(
	ctx context.Context, phone graph.PhoneNumberID, role graph.HandoverRole, p ThreadParams,
) (*ThreadResult, error) {
	req := threadRequest{Action: "pass"}
	if role != "" {
		req.Pass = &controlPass{role}
	}
	return s.control(ctx, phone, req, p)
}

// Release gives up a conversation that is yours: it is idle then, and the customer's next message
// goes where the business's configuration says. An idle one can be released again.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing/thread-control
//
// graph:POST /{phone-number-id}/thread_control release
func (s *ThreadsService) Release(
	ctx context.Context, phone graph.PhoneNumberID, p ThreadParams,
) (*ThreadResult, error) {
	return s.control(ctx, phone, threadRequest{Action: "release"}, p)
}

// Take makes a conversation yours. It is for the escalation partner only; all others are refused
// with [graph.CodeThreadTakeNotPermitted].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing/thread-control
//
// graph:POST /{phone-number-id}/thread_control take
func (s *ThreadsService) Take(ctx context.Context, phone graph.PhoneNumberID, p ThreadParams) (*ThreadResult, error) {
	return s.control(ctx, phone, threadRequest{Action: "take"}, p)
}

// control makes the call, which all three actions share.
func (s *ThreadsService) control(
	ctx context.Context, phone graph.PhoneNumberID, req threadRequest, params ThreadParams,
) (*ThreadResult, error) {
	var p problems
	p.needs("the phone number id", string(phone))
	if problem := params.To.problem(); problem != "" {
		p.add("the ThreadParams %s", problem)
	}
	if params.To.IsGroup() {
		p.add("a group has no owner")
	}
	p.atMost("ThreadParams.Metadata", params.Metadata, 2000)
	if err := p.err(); err != nil {
		return nil, err
	}
	req.Product, req.Metadata = "whatsapp", params.Metadata
	if req.To = params.To.value; params.To.kind == recipientUser {
		req.To, req.Recipient = "", params.To.value
	}
	resp, err := send[threadResponse](ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/thread_control", ids: []string{string(phone)}, phone: phone,
		replay: RetryNever,
	}, req)
	if err != nil {
		return nil, err
	}
	return &resp.ThreadResult, nil
}

// A threadResponse is a ThreadResult as Meta writes it.
type threadResponse struct {
	ThreadResult
	Product string `json:"messaging_product"`
}

func (r *threadResponse) incomplete() string {
	if r.Product == "" {
		return "the answer has no messaging_product"
	}
	return ""
}
