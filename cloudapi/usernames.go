package cloudapi

import (
	"context"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A UsernamesService claims the name by which people find a number without seeing the number.
type UsernamesService service

// A Username is the name of a number.
type Username struct {
	// Name is without an @. It is empty for a number without one, and in the answer to a change.
	Name   string               `json:"username"`
	Status graph.UsernameStatus `json:"status"`
	Resource
}

func (u *Username) incomplete() string {
	if u.Name == "" && u.Status == "" && len(jsonNames(u.Raw)) > 0 {
		return "the answer has neither username nor status"
	}
	return ""
}

// Get reads the name. It is empty for a number without one.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
//
// graph:GET /{phone-number-id}/username
func (s *UsernamesService) Get(ctx context.Context, phone graph.PhoneNumberID) (*Username, error) {
	return call[Username](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/username", ids: []string{string(phone)}, phone: phone,
	})
}

// UsernameSetOptions are the options of [UsernamesService.Set].
type UsernameSetOptions struct {
	// Transfer takes the name from another number of the same business that has it.
	Transfer bool
}

// Set claims a name.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
//
// graph:POST /{phone-number-id}/username
func (s *UsernamesService) Set(
	ctx context.Context, phone graph.PhoneNumberID, name string, opts UsernameSetOptions,
) (graph.UsernameStatus, error) {
	if name == "" {
		return "", invalid("the username is empty")
	}
	action := "none"
	if opts.Transfer {
		action = "force_transfer"
	}
	resp, err := send[Username](ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/username", ids: []string{string(phone)}, phone: phone,
	}, struct {
		Name   string `json:"username"`
		Action string `json:"transfer_action"`
	}{name, action})
	if err != nil {
		return "", err
	}
	return resp.Status, nil
}

// Delete gives the name up.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
//
// graph:DELETE /{phone-number-id}/username
func (s *UsernamesService) Delete(ctx context.Context, phone graph.PhoneNumberID) error {
	return do(ctx, s.c, request{
		method: http.MethodDelete, path: "/{phone-number-id}/username", ids: []string{string(phone)}, phone: phone,
		replay: RetryIdempotent,
	}, nil)
}

// Suggestions returns names that are free.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
//
// graph:GET /{phone-number-id}/username_suggestions
func (s *UsernamesService) Suggestions(ctx context.Context, phone graph.PhoneNumberID) ([]string, error) {
	resp, err := first[usernameSuggestions](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/username_suggestions", ids: []string{string(phone)},
		phone: phone,
	})
	if err != nil {
		return nil, err
	}
	return resp.Names, nil
}

type usernameSuggestions struct {
	Names []string `json:"username_suggestions"`
}

// A ContactBookService forgets what Meta remembers of people for a number. It is not the address
// book of the WhatsApp Business app.
type ContactBookService service

// Delete removes a person from Meta's contact book, which links user ids and phone numbers, and
// says whether there was one.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
//
// graph:DELETE /{phone-number-id}/contact_book
func (s *ContactBookService) Delete(
	ctx context.Context, phone graph.PhoneNumberID, user graph.UserID,
) (deleted bool, err error) {
	if !graph.IsUserID(string(user)) {
		return false, invalid("the user id does not look like one")
	}
	type options struct {
		Product string       `url:"messaging_product"`
		User    graph.UserID `url:"bsuid"`
	}
	resp, err := call[contactDeleted](ctx, s.c, request{
		method: http.MethodDelete, path: "/{phone-number-id}/contact_book", ids: []string{string(phone)}, phone: phone,
		options: options{"whatsapp", user}, sensitive: []string{string(user)}, replay: RetryIdempotent,
	})
	if err != nil {
		return false, err
	}
	return bool(resp.Deleted), nil
}

type contactDeleted struct {
	Success flexBool `json:"success"`
	Deleted flexBool `json:"deleted"`
}

func (c *contactDeleted) incomplete() string {
	if !c.Success {
		return "Meta does not say that it succeeded"
	}
	return ""
}
