package cloudapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A BlockService keeps people from writing to a number. Only people who wrote in the last 24 hours
// can be blocked; the list holds 64,000. It is not the app's own block list.
type BlockService service

// A BlockedUser is a person on the list, or one who was added or removed.
type BlockedUser struct {
	// Input is the person as the request had it.
	Input string `json:"input"`

	// WAID is the person's number in digits, UserID the business-scoped id. One of them may be
	// empty.
	WAID   string       `json:"wa_id"`
	UserID graph.UserID `json:"user_id"`
}

// A BlockResult lists whom Meta blocked or unblocked, and whom it did not.
type BlockResult struct {
	// Done are the people who are blocked now, or not any more.
	Done []BlockedUser

	// Failed are the others, each with its reasons.
	Failed []BlockFailure

	// Response is the status, trace ids and usage of the response.
	Response Response
}

// A BlockFailure is a person who could not be blocked or unblocked.
type BlockFailure struct {
	BlockedUser
	Errors []BlockError `json:"errors"`
}

// A BlockError is a reason. Match its Code.
type BlockError struct {
	Code graph.Code `json:"code"`

	// Message is Meta's, for developers, and Data.Details the better one where it is not empty.
	Message string `json:"message"`
	Data    struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

// List walks through the people that a number has blocked.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/block-users
//
// graph:GET /{phone-number-id}/block_users
func (s *BlockService) List(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[*BlockedUser, error] {
	return func(yield func(*BlockedUser, error) bool) {
		for entry, err := range list[blockEntry](ctx, s.c, request{
			method: http.MethodGet, path: "/{phone-number-id}/block_users", ids: []string{string(phone)}, phone: phone,
		}) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range entry.users {
				if !yield(&entry.users[i], nil) {
					return
				}
			}
		}
	}
}

// A blockEntry is a person, or a list of people in a member: Meta documents the second and was seen
// to write the first.
type blockEntry struct{ users []BlockedUser }

func (e *blockEntry) UnmarshalJSON(b []byte) error {
	var list struct {
		Users []BlockedUser `json:"block_users"`
	}
	var one BlockedUser
	if err := errors.Join(json.Unmarshal(b, &list), json.Unmarshal(b, &one)); err != nil {
		return err
	}
	e.users = list.Users
	if e.users == nil && one != (BlockedUser{}) {
		e.users = []BlockedUser{one}
	}
	return nil
}

// UnmarshalJSON reads a person, the number even where it is no string.
func (u *BlockedUser) UnmarshalJSON(b []byte) error {
	var v struct {
		Input  flexString   `json:"input"`
		WAID   flexString   `json:"wa_id"`
		UserID graph.UserID `json:"user_id"`
	}
	err := json.Unmarshal(b, &v)
	*u = BlockedUser{string(v.Input), string(v.WAID), v.UserID}
	return err
}

// Add blocks people. If some could be blocked and some not, it returns both a result and an error
// with code 139100.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/block-users
//
// graph:POST /{phone-number-id}/block_users
func (s *BlockService) Add(ctx context.Context, phone graph.PhoneNumberID, people ...Recipient) (*BlockResult, error) {
	return s.change(ctx, http.MethodPost, phone, people)
}

// Remove unblocks people. Like Add, it can return both a result and an error.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/block-users
//
// graph:DELETE /{phone-number-id}/block_users
func (s *BlockService) Remove(
	ctx context.Context, phone graph.PhoneNumberID, people ...Recipient,
) (*BlockResult, error) {
	return s.change(ctx, http.MethodDelete, phone, people)
}

// change blocks or unblocks. Both methods have the same body, a DELETE too.
//
// When some people could be changed and some not, Meta answers with status 400, an error with code
// 139100 and the lists of both. Only then are a result and an error returned together: the partial
// hook of the request reads the lists that the error would hide.
func (s *BlockService) change(
	ctx context.Context, method string, phone graph.PhoneNumberID, people []Recipient,
) (*BlockResult, error) {
	type user struct { // one of both
		Phone string `json:"user,omitzero"`
		ID    string `json:"user_id,omitzero"`
	}
	var p problems
	users := make([]user, 0, len(people))
	if len(people) == 0 {
		p.missing("there is nobody to block or unblock")
	}
	r := request{
		method: method, path: "/{phone-number-id}/block_users", ids: []string{string(phone)}, phone: phone,
		replay: RetryIdempotent,
	}
	for _, person := range people {
		if problem := person.problem(); problem != "" {
			p.add("one of the people %s", problem)
		}
		switch person.kind {
		case recipientUser:
			users = append(users, user{ID: person.value})
		case recipientPhone:
			users = append(users, user{Phone: person.value})
			r.sensitive = append(r.sensitive, person.value[1:]) // Meta repeats it without the plus
		default:
			p.add("only phone numbers and user ids can be blocked")
		}
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	var part blockResponse
	r.partial = func(body []byte) { _ = json.Unmarshal(body, &part) }
	resp, err := send[blockResponse](ctx, s.c, r, struct {
		product
		Users []user `json:"block_users"`
	}{whatsapp, users})
	if err != nil && !part.found() {
		return nil, err
	}
	if err != nil {
		if e, ok := err.(*Error); ok { //nolint:errorlint // as call returns it
			part.meta = e.Response
		}
		resp = &part
	}
	return resp.result(), err
}

type blockResponse struct {
	Users struct {
		Added   []BlockedUser  `json:"added_users"`
		Removed []BlockedUser  `json:"removed_users"`
		Failed  []BlockFailure `json:"failed_users"`
	} `json:"block_users"`
	meta Response
}

func (r *blockResponse) setMeta(m Response) { r.meta = m }

func (r *blockResponse) found() bool {
	return len(r.Users.Added)+len(r.Users.Removed)+len(r.Users.Failed) > 0
}

func (r *blockResponse) incomplete() string {
	if !r.found() {
		return "the answer names nobody"
	}
	return ""
}

func (r *blockResponse) result() *BlockResult {
	return &BlockResult{Done: append(r.Users.Added, r.Users.Removed...), Failed: r.Users.Failed, Response: r.meta}
}

// UnmarshalJSON reads a person and the reasons.
func (f *BlockFailure) UnmarshalJSON(b []byte) error {
	var v struct {
		Errors []BlockError `json:"errors"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	f.Errors = v.Errors
	return f.BlockedUser.UnmarshalJSON(bytes.Clone(b))
}
