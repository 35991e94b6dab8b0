package cloudapi

import (
	"context"
	"iter"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A BusinessesService finds business portfolios and their WhatsApp Business Accounts.
type BusinessesService service

// Me returns the business portfolio that granted the client's token. Only business tokens from
// Embedded Signup have one: a user token is refused with code 190 here although it is good, so this
// is no test of a token.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/manage-accounts
//
// graph:GET /me
func (s *BusinessesService) Me(ctx context.Context) (graph.BusinessID, error) {
	type options struct {
		Fields []string `url:"fields,comma"`
	}
	resp, err := call[meResponse](ctx, s.c, request{
		method: http.MethodGet, path: "/me", options: options{[]string{"client_business_id"}},
	})
	if err != nil {
		return "", err
	}
	return resp.Business, nil
}

type meResponse struct {
	Business graph.BusinessID `json:"client_business_id"`
}

func (r *meResponse) incomplete() string {
	if r.Business == "" {
		return "the answer has no client_business_id; the token is not a business token from Embedded Signup"
	}
	return ""
}

// WABAListOptions are the options of [BusinessesService.ClientWABAs].
type WABAListOptions struct {
	// Fields are the fields to ask for. If empty, the usual ones.
	Fields []string `url:"fields,comma,omitempty"`

	// Limit is the size of a page. If zero, Meta's own, which is 25.
	Limit int `url:"limit,omitempty"`

	// Sort is Meta's expression, such as "creation_time_descending".
	Sort string `url:"sort,omitempty"`

	// Filter narrows the list, such as {"creation_time", "GREATER_THAN", "1790000000"}.
	Filter Filters `url:"filtering,omitempty"`
}

// OwnedWABAs walks through the WABAs that a business portfolio owns, and fetches page after page as
// it goes. It needs the permission business_management.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/manage-accounts
//
// graph:GET /{business-id}/owned_whatsapp_business_accounts
func (s *BusinessesService) OwnedWABAs(ctx context.Context, business graph.BusinessID) iter.Seq2[*WABA, error] {
	return list[WABA](ctx, s.c, request{
		method: http.MethodGet, path: "/{business-id}/owned_whatsapp_business_accounts",
		ids:     []string{string(business)},
		options: WABAListOptions{Fields: wabaFields},
	})
}

// ClientWABAs walks through the WABAs that other businesses share with a portfolio, such as the
// partner's own, and fetches page after page as it goes. It needs a system user token of that
// portfolio.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/manage-accounts
//
// graph:GET /{business-id}/client_whatsapp_business_accounts
func (s *BusinessesService) ClientWABAs(
	ctx context.Context, business graph.BusinessID, opts WABAListOptions,
) iter.Seq2[*WABA, error] {
	if len(opts.Fields) == 0 {
		opts.Fields = wabaFields
	}
	return list[WABA](ctx, s.c, request{
		method: http.MethodGet, path: "/{business-id}/client_whatsapp_business_accounts",
		ids:     []string{string(business)},
		options: opts,
	})
}
