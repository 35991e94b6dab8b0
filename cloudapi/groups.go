package cloudapi

import (
	"context"
	"iter"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A GroupsService makes and keeps groups. People join by invite link; the API can only remove them.
// Groups are for official business accounts, hold 8 people, and do not exist on coexistence
// numbers.
type GroupsService service

// A Group is a group. Which members are set depends on the fields that were asked for.
type Group struct {
	ID           graph.GroupID      `json:"id"`
	Subject      string             `json:"subject"`
	Description  string             `json:"description"`
	JoinApproval graph.JoinApproval `json:"join_approval_mode"`

	// Suspended reports that Meta has suspended the group.
	Suspended bool            `json:"suspended"`
	CreatedAt graph.Timestamp `json:"creation_timestamp"`

	// ParticipantCount and Participants are without the business itself.
	ParticipantCount int                `json:"total_participant_count"`
	Participants     []GroupParticipant `json:"participants"`
	Resource
}

func (g *Group) incomplete() string { return withoutID(g.ID) }

// A GroupParticipant is a person in a group.
type GroupParticipant struct {
	WAID   string       `json:"wa_id"`   // digits; empty for a person who hides the number
	UserID graph.UserID `json:"user_id"` // empty if Meta did not say
}

// GroupCreateParams are the parameters of [GroupsService.Create].
type GroupCreateParams struct {
	Subject     string `json:"subject"`              // at most 128 characters; required
	Description string `json:"description,omitzero"` // at most 2048

	// JoinApproval says whether people who have the link wait for [GroupsService.Approve]. If
	// empty, Meta decides.
	JoinApproval graph.JoinApproval `json:"join_approval_mode,omitzero"`
}

// Create makes a group. Its id and invite link arrive as a webhook of the field
// group_lifecycle_update, which names the request id.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:POST /{phone-number-id}/groups
func (s *GroupsService) Create(
	ctx context.Context, phone graph.PhoneNumberID, g GroupCreateParams,
) (requestID string, err error) {
	var p problems
	p.text("GroupCreateParams.Subject", g.Subject, 128)
	p.atMost("GroupCreateParams.Description", g.Description, 2048)
	if err := p.err(); err != nil {
		return "", err
	}
	resp, err := send[syncResponse](ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/groups", ids: []string{string(phone)}, phone: phone,
	}, struct {
		product
		GroupCreateParams
	}{whatsapp, g})
	if err != nil {
		return "", err
	}
	return string(resp.RequestID), nil
}

// A GroupSummary is a group in a list.
type GroupSummary struct {
	ID        graph.GroupID   `json:"id"`
	Subject   string          `json:"subject"`
	CreatedAt graph.Timestamp `json:"created_at"`
}

// List walks through the groups of a number.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:GET /{phone-number-id}/groups
func (s *GroupsService) List(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[*GroupSummary, error] {
	return list[GroupSummary](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/groups", ids: []string{string(phone)}, phone: phone,
	})
}

var groupFields = []string{
	"id", "subject", "description", "join_approval_mode", "suspended", "creation_timestamp", "total_participant_count",
	"participants",
}

// Get reads a group and who is in it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:GET /{group-id}
func (s *GroupsService) Get(ctx context.Context, group graph.GroupID) (*Group, error) {
	return call[Group](ctx, s.c, s.request(http.MethodGet, "", group, fieldsOption{groupFields}))
}

// request is one to a group's node or an edge of it. What is deleted twice is deleted, so that
// those calls may be repeated.
func (s *GroupsService) request(method, edge string, group graph.GroupID, options any) request {
	r := request{method: method, path: "/{group-id}" + edge, ids: []string{string(group)}, options: options}
	if method == http.MethodDelete {
		r.replay = RetryIdempotent
	}
	return r
}

// GroupUpdateParams are the parameters of [GroupsService.Update]. What is nil stays as it is.
type GroupUpdateParams struct {
	Subject     *string `json:"subject,omitzero"`
	Description *string `json:"description,omitzero"`
}

// Update changes subject and description. The webhook group_settings_update says whether it worked.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:POST /{group-id}
func (s *GroupsService) Update(ctx context.Context, group graph.GroupID, u GroupUpdateParams) error {
	var p problems
	if u == (GroupUpdateParams{}) {
		p.missing("the GroupUpdateParams changes nothing")
	}
	if u.Subject != nil {
		p.text("GroupUpdateParams.Subject", *u.Subject, 128)
	}
	if u.Description != nil {
		p.atMost("GroupUpdateParams.Description", *u.Description, 2048)
	}
	if err := p.err(); err != nil {
		return err
	}
	r := s.request(http.MethodPost, "", group, nil)
	r.replay = RetryIdempotent
	return s.accepted(ctx, r, struct {
		product
		GroupUpdateParams
	}{whatsapp, u})
}

// SetPicture changes the picture of a group: a square JPEG of more than 192 pixels and at most 5
// MB, else Meta refuses with [graph.CodeGroupPictureAspectRatio] or
// [graph.CodeGroupPictureTooSmall]. The webhook group_settings_update says whether it worked.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:POST /{group-id} file
func (s *GroupsService) SetPicture(ctx context.Context, group graph.GroupID, picture MediaUpload) error {
	var p problems
	picture.check(&p)
	if picture.MIMEType != "" && picture.MIMEType != "image/jpeg" {
		p.limit("MediaUpload.MIMEType of a group's picture must be image/jpeg")
	}
	if err := p.err(); err != nil {
		return err
	}
	r := s.request(http.MethodPost, "", group, nil)
	r.replay = RetryIdempotent
	var err error
	if r.upload, err = picture.form("file", [][2]string{{"messaging_product", "whatsapp"}}); err != nil {
		return err
	}
	r.sensitive = []string{picture.Filename}
	_, err = call[groupAnswer](ctx, s.c, r)
	return err
}

// accepted makes a call whose answer is a success or, as Meta's older pages have it, the id of a
// request.
func (s *GroupsService) accepted(ctx context.Context, r request, body any) error {
	_, err := send[groupAnswer](ctx, s.c, r, body)
	return err
}

type groupAnswer struct {
	Success   *flexBool  `json:"success"`
	RequestID flexString `json:"request_id"`
	Product   flexString `json:"messaging_product"`
}

func (g *groupAnswer) incomplete() string {
	if g.Success != nil && !*g.Success || g.Success == nil && g.RequestID == "" && g.Product == "" {
		return "Meta does not say that it succeeded"
	}
	return ""
}

// Delete ends a group for everyone in it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:DELETE /{group-id}
func (s *GroupsService) Delete(ctx context.Context, group graph.GroupID) error {
	_, err := call[groupAnswer](ctx, s.c, s.request(http.MethodDelete, "", group, nil))
	return err
}

// InviteLink reads the link by which people join.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:GET /{group-id}/invite_link
func (s *GroupsService) InviteLink(ctx context.Context, group graph.GroupID) (string, error) {
	resp, err := call[inviteLink](ctx, s.c, s.request(http.MethodGet, "/invite_link", group, nil))
	if err != nil {
		return "", err
	}
	return resp.Link, nil
}

type inviteLink struct {
	Link string `json:"invite_link"`
}

func (l *inviteLink) incomplete() string {
	if l.Link == "" {
		return "the answer has no invite_link"
	}
	return ""
}

// ResetInviteLink makes a new link; the old one works no more.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:POST /{group-id}/invite_link
func (s *GroupsService) ResetInviteLink(ctx context.Context, group graph.GroupID) (string, error) {
	resp, err := send[inviteLink](ctx, s.c, s.request(http.MethodPost, "/invite_link", group, nil), whatsapp)
	if err != nil {
		return "", err
	}
	return resp.Link, nil
}

// DeleteInviteLink closes the group to new people.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:DELETE /{group-id}/invite_link
func (s *GroupsService) DeleteInviteLink(ctx context.Context, group graph.GroupID) error {
	return s.accepted(ctx, s.request(http.MethodDelete, "/invite_link", group, nil), whatsapp)
}

// Remove takes people out of a group. What became of it arrives as a webhook of the field
// group_participants_update.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:DELETE /{group-id}/participants
func (s *GroupsService) Remove(ctx context.Context, group graph.GroupID, people ...Recipient) error {
	type user struct {
		User string `json:"user"`
	}
	var p problems
	r := s.request(http.MethodDelete, "/participants", group, nil)
	users := make([]user, 0, len(people))
	if len(people) == 0 {
		p.missing("there is nobody to remove")
	}
	p.count("the people", len(people), 0, 8)
	for _, person := range people {
		problem := person.problem()
		if person.IsGroup() {
			problem = "is a group"
		}
		if problem != "" {
			p.add("one of the people %s", problem)
			continue
		}
		users = append(users, user{person.value})
		r.sensitive = append(r.sensitive, person.value[1:])
	}
	if err := p.err(); err != nil {
		return err
	}
	return s.accepted(ctx, r, struct {
		product
		People []user `json:"participants"`
	}{whatsapp, users})
}

// A JoinRequest is a person who waits to be let in.
type JoinRequest struct {
	// ID identifies the request to [GroupsService.Approve] and Reject.
	ID     string          `json:"join_request_id"`
	WAID   string          `json:"wa_id"`   // digits; empty for a person who hides the number
	UserID graph.UserID    `json:"user_id"` // empty if Meta did not say
	At     graph.Timestamp `json:"creation_timestamp"`
	Resource
}

// JoinRequests walks through the people who wait to be let in.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:GET /{group-id}/join_requests
func (s *GroupsService) JoinRequests(ctx context.Context, group graph.GroupID) iter.Seq2[*JoinRequest, error] {
	return list[JoinRequest](ctx, s.c, s.request(http.MethodGet, "/join_requests", group, nil))
}

// A JoinResult lists the requests that were decided, and those that failed.
type JoinResult struct {
	Done   []string // ids that were approved or rejected
	Failed []JoinFailure

	// Response is the status, trace ids and usage of the response.
	Response Response
}

// A JoinFailure is a request that could not be decided, with the reasons.
type JoinFailure struct {
	ID     string       `json:"join_request_id"`
	Errors []BlockError `json:"errors"`
}

// Approve lets people in. If some could not be, it returns both a result and an error with the
// first reason.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:POST /{group-id}/join_requests
func (s *GroupsService) Approve(ctx context.Context, group graph.GroupID, requests ...string) (*JoinResult, error) {
	return s.decide(ctx, http.MethodPost, group, requests)
}

// Reject turns people away. Like Approve, it can return both a result and an error.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/reference
//
// graph:DELETE /{group-id}/join_requests
func (s *GroupsService) Reject(ctx context.Context, group graph.GroupID, requests ...string) (*JoinResult, error) {
	return s.decide(ctx, http.MethodDelete, group, requests)
}

// decide approves or rejects join requests. Meta answers with status 200 even if some could not be
// decided, and puts the reasons beside each or at the top, under errors and not error. An *Error is
// made of the first reason, so that a caller who looks at the error alone does not miss it.
func (s *GroupsService) decide(
	ctx context.Context, method string, group graph.GroupID, requests []string,
) (*JoinResult, error) {
	if len(requests) == 0 {
		return nil, invalid("there is no join request to decide")
	}
	r := s.request(method, "/join_requests", group, nil)
	resp, err := send[joinResponse](ctx, s.c, r, struct {
		product
		Requests []string `json:"join_requests"`
	}{whatsapp, requests})
	if err != nil {
		return nil, err
	}
	result := &JoinResult{Done: append(resp.Approved, resp.Rejected...), Failed: resp.Failed, Response: resp.meta}
	reasons := resp.Errors
	for _, f := range resp.Failed {
		reasons = append(reasons, f.Errors...)
	}
	if len(reasons) == 0 && len(resp.Failed) == 0 {
		return result, nil
	}
	e := &Error{
		Method: r.method, PathTemplate: r.path,
		StatusCode: resp.meta.Status, TraceID: resp.meta.TraceID, Response: resp.meta,
		Outcome: OutcomeRefused, problem: "some of the join requests could not be decided",
	}
	if len(reasons) > 0 {
		e.Code, e.Message, e.Details, e.coded = reasons[0].Code, reasons[0].Message, reasons[0].Data.Details, true
		s.c.scrubber(requests).cleanError(e)
	}
	return result, e
}

type joinResponse struct {
	Approved []string      `json:"approved_join_requests"`
	Rejected []string      `json:"rejected_join_requests"`
	Failed   []JoinFailure `json:"failed_join_requests"`
	Errors   []BlockError  `json:"errors"`
	meta     Response
}

func (j *joinResponse) incomplete() string {
	if len(j.Approved)+len(j.Rejected)+len(j.Failed)+len(j.Errors) == 0 {
		return "the answer names no join request"
	}
	return ""
}

func (j *joinResponse) setMeta(m Response) { j.meta = m }
