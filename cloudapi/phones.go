package cloudapi

import (
	"context"
	"iter"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A PhonesService reads business phone numbers, and asks the WhatsApp Business app behind one for
// its data.
//
// It has no way to register or deregister a number. A coexistence number is registered by the app
// on its owner's phone; for others there is [RegistrationService].
type PhonesService service

// PhoneGetOptions are the options of [PhonesService.Get].
type PhoneGetOptions struct {
	// Fields are the fields to ask for. If empty, those that every version knows, is_on_biz_app and
	// platform_type among them. Meta refuses the whole call with code 100 for one field that it
	// does not know.
	Fields []string `url:"fields,comma,omitempty"`
}

// phoneFields are documented on the number node for years, so that no version refuses them.
var phoneFields = []string{
	"id", "display_phone_number", "verified_name", "status", "platform_type", "is_on_biz_app",
	"code_verification_status", "name_status", "quality_rating", "account_mode", "throughput",
	"webhook_configuration", "last_onboarded_time",
	"is_official_business_account",
}

// Get reads a phone number. For a number that its business took away it returns
// [graph.ErrAccessLost], and Meta answers the same for an id of another kind.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers
//
// graph:GET /{phone-number-id}
func (s *PhonesService) Get(ctx context.Context, phone graph.PhoneNumberID, opts PhoneGetOptions) (*Phone, error) {
	if len(opts.Fields) == 0 {
		opts.Fields = phoneFields
	}
	return call[Phone](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}", ids: []string{string(phone)}, phone: phone, options: opts,
	})
}

// PhoneListOptions are the options of [PhonesService.List].
type PhoneListOptions struct {
	// Fields are the fields to ask for. If empty, the usual ones, without is_on_biz_app: Meta
	// documents that one for a single number, so ask [PhonesService.Get].
	Fields []string `url:"fields,comma,omitempty"`

	// Limit is the size of a page, 100 at most. If zero, Meta's own, which is 25.
	Limit int `url:"limit,omitempty"`

	// Sort is Meta's expression, such as "['last_onboarded_time_descending']".
	Sort string `url:"sort,omitempty"`

	// Filter narrows the list, such as {"account_mode", "EQUAL", "LIVE"}.
	Filter Filters `url:"filtering,omitempty"`
}

// phoneListFields are those of phoneFields that are documented on the edge of an account.
var phoneListFields = []string{
	"id", "display_phone_number", "verified_name", "status", "platform_type", "code_verification_status", "name_status",
	"quality_rating", "account_mode", "throughput", "webhook_configuration", "last_onboarded_time",
}

// List walks through the numbers of a WABA, and fetches page after page as it goes. The first error
// ends it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers
//
// graph:GET /{waba-id}/phone_numbers
func (s *PhonesService) List(ctx context.Context, waba graph.WABAID, opts PhoneListOptions) iter.Seq2[*Phone, error] {
	if len(opts.Fields) == 0 {
		opts.Fields = phoneListFields
	}
	return list[Phone](ctx, s.c, request{
		method: http.MethodGet, path: "/{waba-id}/phone_numbers", ids: []string{string(waba)}, options: opts,
	})
}

// A SyncKind is the kind of data that the WhatsApp Business app is asked to send.
type SyncKind string

const (
	SyncContacts SyncKind = "smb_app_state_sync" // the address book; later changes follow by themselves
	SyncHistory  SyncKind = "history"            // up to six months of chats, if the business agreed to share
)

// SyncAppData asks the WhatsApp Business app to send its contacts or its chat history. What it
// sends arrives later, as webhook events, so subscribe the WABA before. Keep the request id: Meta's
// support asks for it.
//
// It works for 24 hours after onboarding and once per kind, so it is never repeated by itself,
// whatever the error. A second call is [graph.CodeSyncLimitExceeded], a late one
// [graph.CodeSyncWindowClosed]; both are [graph.ErrSync], and only a new onboarding cures them.
// With [OutcomeUnknown] the request may have been accepted: wait for events before deciding.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
//
// graph:POST /{phone-number-id}/smb_app_data
func (s *PhonesService) SyncAppData(
	ctx context.Context, phone graph.PhoneNumberID, kind SyncKind,
) (requestID string, err error) {
	if kind == "" {
		return "", invalid("the SyncKind is empty; use SyncContacts or SyncHistory")
	}
	body, err := encode(struct {
		Product string   `json:"messaging_product"`
		Kind    SyncKind `json:"sync_type"`
	}{"whatsapp", kind})
	if err != nil {
		return "", err
	}
	resp, err := call[syncResponse](ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/smb_app_data", ids: []string{string(phone)}, phone: phone,
		body: body, replay: RetryNever,
	})
	if err != nil {
		return "", err
	}
	return string(resp.RequestID), nil
}

type syncResponse struct {
	RequestID flexString `json:"request_id"`
}

func (r *syncResponse) incomplete() string {
	if r.RequestID == "" {
		return "the answer has no request_id"
	}
	return ""
}
