package cloudapi

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// MarketingOptions are the options of [MessagesService.SendMarketing].
type MarketingOptions struct {
	// Policy decides about a message that is not fit for the Marketing Messages API. If empty, Meta
	// sends it through Cloud API.
	Policy ProductPolicy `json:"product_policy,omitzero"`

	// ShareActivity lets Meta see what people do with the message. If nil, what the account has
	// set.
	ShareActivity *bool `json:"message_activity_sharing,omitzero"`

	// Bid changes the max price of the template for this message. If nil, it stays; a template
	// without max price has none to change.
	Bid *BidSpec `json:"bid_spec,omitzero"`
}

// A ProductPolicy is which API a marketing message may go through. Meta may add values.
type ProductPolicy string

const (
	ProductPolicyFallback ProductPolicy = "CLOUD_API_FALLBACK" // it goes through Cloud API
	ProductPolicyStrict   ProductPolicy = "STRICT"             // it is refused
)

// SendMarketing sends a marketing template through the Marketing Messages API, which finds the best
// moment and form for each person. It is as careful as Send, and limiter and webhooks are the same.
// Other templates are refused with code 131055.
//
// Which API takes a template depends on the category that it has now, and Meta changes categories
// by itself, confirmed ones too. Follow webhook.TemplateCategoryUpdate; code 131063 of Send and
// 131055 here say that yours is out of date: read the template, and send once the other way.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/marketing-messages/send-marketing-messages
//
// graph:POST /{phone-number-id}/marketing_messages
func (s *MessagesService) SendMarketing(
	ctx context.Context, from graph.PhoneNumberID, m Message, opts MarketingOptions,
) (*SentMessage, error) {
	p := &problems{unchecked: m.SkipValidation}
	p.needs("the sending phone number id", string(from))
	m.check(p)
	opts.Bid.check(p)
	if _, ok := m.Content.(*Template); !ok {
		p.limit("only a Template can be sent as a marketing message")
	}
	if m.To.IsGroup() {
		p.limit("a group takes no marketing message")
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	body, err := m.encode()
	if err != nil {
		return nil, fmt.Errorf("cloudapi: the message does not encode: %w", err)
	}
	more, err := encode(opts)
	if err != nil {
		return nil, err
	}
	if len(more) > len("{}") {
		body = append(append(bytes.Clone(body[:len(body)-1]), ','), more[1:]...)
	}
	resp, err := call[sendResponse](ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/marketing_messages", ids: []string{string(from)},
		phone: from, body: body, sensitive: m.sensitive(),
		limited: &SendRequest{From: from, To: m.To, Priority: m.Priority},
	})
	if err != nil {
		return nil, err
	}
	return resp.sent(), nil
}
