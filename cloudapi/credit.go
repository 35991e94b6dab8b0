package cloudapi

import (
	"context"
	"iter"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A CreditService shares the credit line of a solution partner with its customers. It needs the
// partner's own system user token, except Attach, which needs the customer's. Nothing of it is
// repeated blindly: a line that is attached cannot be exchanged for another.
type CreditService service

type (
	// A CreditLineID names a credit line.
	CreditLineID string

	// An AllocationID names the sharing of a credit line with a business.
	AllocationID string
)

// A CreditLine is a line of credit with Meta.
type CreditLine struct {
	ID              CreditLineID `json:"id"`
	LegalEntityName string       `json:"legal_entity_name"` // the company that has the line
	Resource
}

// Lines walks through the credit lines of a portfolio.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/share-and-revoke-credit-lines
//
// graph:GET /{business-id}/extendedcredits
func (s *CreditService) Lines(ctx context.Context, business graph.BusinessID) iter.Seq2[*CreditLine, error] {
	return list[CreditLine](ctx, s.c, request{
		method: http.MethodGet, path: "/{business-id}/extendedcredits", ids: []string{string(business)},
		options: fieldsOption{[]string{"id", "legal_entity_name"}},
	})
}

type creditResponse struct {
	ID AllocationID `json:"allocation_config_id"`
}

func (c *creditResponse) incomplete() string {
	if c.ID == "" {
		return "the answer has no allocation_config_id"
	}
	return ""
}

// change makes a call that answers with the id of a sharing. It is not repeated blindly.
func (s *CreditService) change(ctx context.Context, path string, line CreditLineID, options any) (AllocationID, error) {
	resp, err := call[creditResponse](ctx, s.c, request{
		method: http.MethodPost, path: path, ids: []string{string(line)}, options: options,
	})
	if err != nil {
		return "", err
	}
	return resp.ID, nil
}

type attachOptions struct {
	Currency string       `url:"waba_currency"`
	WABA     graph.WABAID `url:"waba_id"`
}

func (o attachOptions) check() error {
	var p problems
	if !currencyRe.MatchString(o.Currency) {
		p.put(true, o.Currency == "", `the currency is not a code such as "USD"`, nil)
	}
	p.needs("the account", string(o.WABA))
	return p.err()
}

// ShareAndAttach shares a line with the business that owns an account and makes the account pay
// with it. currency is one of AUD, EUR, GBP, IDR, INR and USD. The system user of the token must be
// assigned to the account, see [WABAsService.AssignUser].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/share-and-revoke-credit-lines
//
// graph:POST /{credit-line-id}/whatsapp_credit_sharing_and_attach
func (s *CreditService) ShareAndAttach(
	ctx context.Context, line CreditLineID, waba graph.WABAID, currency string,
) (AllocationID, error) {
	o := attachOptions{currency, waba}
	if err := o.check(); err != nil {
		return "", err
	}
	return s.change(ctx, "/{credit-line-id}/whatsapp_credit_sharing_and_attach", line, o)
}

// Share shares a line with a business. [CreditService.Attach] then makes its accounts pay with it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/share-and-revoke-credit-lines
//
// graph:POST /{credit-line-id}/whatsapp_credit_sharing
func (s *CreditService) Share(
	ctx context.Context, line CreditLineID, business graph.BusinessID,
) (AllocationID, error) {
	if business == "" {
		return "", invalid("the receiving business is empty")
	}
	type options struct {
		Business graph.BusinessID `url:"receiving_business_id"`
	}
	return s.change(ctx, "/{credit-line-id}/whatsapp_credit_sharing", line, options{business})
}

// Attach makes an account pay with a line that was shared with its business. It needs the
// business's token.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/share-and-revoke-credit-lines
//
// graph:POST /{credit-line-id}/whatsapp_credit_attach
func (s *CreditService) Attach(
	ctx context.Context, line CreditLineID, waba graph.WABAID, currency string,
) (AllocationID, error) {
	o := attachOptions{currency, waba}
	if err := o.check(); err != nil {
		return "", err
	}
	return s.change(ctx, "/{credit-line-id}/whatsapp_credit_attach", line, o)
}

// An Allocation is the sharing of a line with a business.
type Allocation struct {
	ID AllocationID `json:"id"`

	// Receiving is the business, and Credential what it pays with. An account pays with this line
	// if its [WABA].PrimaryFundingID is the credential's id.
	Receiving  BusinessInfo `json:"receiving_business"`
	Credential struct {
		ID string `json:"id"`
	} `json:"receiving_credential"`

	Resource
}

func (a *Allocation) incomplete() string { return withoutID(a.ID) }

var allocationFields = fieldsOption{[]string{"id", "receiving_business", "receiving_credential"}}

// Allocation reads the sharing of a line.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/share-and-revoke-credit-lines
//
// graph:GET /{allocation-id}
func (s *CreditService) Allocation(ctx context.Context, id AllocationID) (*Allocation, error) {
	return call[Allocation](ctx, s.c, request{
		method: http.MethodGet, path: "/{allocation-id}", ids: []string{string(id)}, options: allocationFields,
	})
}

// Allocations walks through the sharings of a line with a business; all of them if business is
// empty.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/share-and-revoke-credit-lines
//
// graph:GET /{credit-line-id}/owning_credit_allocation_configs
func (s *CreditService) Allocations(
	ctx context.Context, line CreditLineID, business graph.BusinessID,
) iter.Seq2[*Allocation, error] {
	type options struct {
		Business graph.BusinessID `url:"receiving_business_id,omitempty"`
		fieldsOption
	}
	return list[Allocation](ctx, s.c, request{
		method: http.MethodGet, path: "/{credit-line-id}/owning_credit_allocation_configs", ids: []string{string(line)},
		options: options{business, allocationFields},
	})
}

// Revoke ends the sharing of a line: no account of the business that is shared with the partner can
// pay with it any more.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/share-and-revoke-credit-lines
//
// graph:DELETE /{allocation-id}
func (s *CreditService) Revoke(ctx context.Context, id AllocationID) error {
	return do(ctx, s.c, request{
		method: http.MethodDelete, path: "/{allocation-id}", ids: []string{string(id)}, replay: RetryIdempotent,
	}, nil)
}
