package cloudapi

import (
	"encoding/json"
	"strconv"
	"time"
)

// A TemplateOffer says when a limited-time offer ends.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/limited-time-offer-templates
type TemplateOffer struct {
	// ExpiresAt is when the countdown ends, to the millisecond. Required.
	ExpiresAt time.Time
}

type offerJSON struct {
	Milliseconds int64 `json:"expiration_time_ms"`
}

// MarshalJSON writes an element of "components".
func (o *TemplateOffer) MarshalJSON() ([]byte, error) {
	param, err := encodeParameter("limited_time_offer", offerJSON{o.ExpiresAt.UnixMilli()})
	if err != nil {
		return nil, err
	}
	return encodeComponent("limited_time_offer", param)
}

// encodeComponent writes an element of "components" with one parameter.
func encodeComponent(kind string, parameter json.RawMessage) ([]byte, error) {
	return json.Marshal(struct {
		Type       string            `json:"type"`
		Parameters []json.RawMessage `json:"parameters"`
	}{kind, []json.RawMessage{parameter}})
}

func (o *TemplateOffer) check(p *problems, where string) {
	if o == nil || o.ExpiresAt.IsZero() {
		p.missing("%s is an offer without ExpiresAt", where)
	}
}

func (*TemplateOffer) sensitive() []string { return nil }

// A TemplateOrderStatus tells how far an order is.
type TemplateOrderStatus struct {
	// ReferenceID is that of the [OrderDetails].
	ReferenceID string        `json:"reference_id"`
	Order       OrderProgress `json:"order"`
}

// MarshalJSON writes an element of "components".
func (o *TemplateOrderStatus) MarshalJSON() ([]byte, error) {
	type plain TemplateOrderStatus
	param, err := encodeParameter("order_status", (*plain)(o))
	if err != nil {
		return nil, err
	}
	return encodeComponent("order_status", param)
}

func (o *TemplateOrderStatus) check(p *problems, where string) {
	if o == nil {
		p.missing("%s is nil", where)
		return
	}
	(&OrderStatus{ReferenceID: o.ReferenceID, Order: o.Order}).checkAt(p, where)
}

func (o *TemplateOrderStatus) sensitive() []string {
	return []string{o.ReferenceID, o.Order.Description}
}

// A TemplateTapTarget makes the picture of a template a link of its own.
type TemplateTapTarget struct {
	URL   string `json:"url"`   // http or https; required
	Title string `json:"title"` // required
}

// MarshalJSON writes an element of "components".
func (t *TemplateTapTarget) MarshalJSON() ([]byte, error) {
	type plain TemplateTapTarget
	param, err := encodeParameter("tap_target_configuration", []plain{plain(*t)})
	if err != nil {
		return nil, err
	}
	return encodeComponent("tap_target_configuration", param)
}

func (t *TemplateTapTarget) check(p *problems, where string) {
	if t == nil {
		p.missing("%s is nil", where)
		return
	}
	p.webURL(where+".URL", t.URL)
	p.required(where+".Title", t.Title)
}

func (t *TemplateTapTarget) sensitive() []string { return []string{t.URL, t.Title} }

// A TemplateCarousel fills in the cards of a carousel, 2 to 10 as the template has them.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/media-card-carousel-templates
type TemplateCarousel struct {
	// Cards hold, each, a *[TemplateHeader], *[TemplateBody] and *[TemplateButton] as its variables
	// need.
	Cards []TemplateCard
}

// A TemplateCard is one card of a [TemplateCarousel].
type TemplateCard []TemplateComponent

type templateCardJSON struct {
	Index      int          `json:"card_index"`
	Components TemplateCard `json:"components"`
}

// MarshalJSON writes an element of "components".
func (c *TemplateCarousel) MarshalJSON() ([]byte, error) {
	v := struct {
		Type  string             `json:"type"`
		Cards []templateCardJSON `json:"cards"`
	}{Type: "carousel"}
	for i, card := range c.Cards {
		v.Cards = append(v.Cards, templateCardJSON{i, card})
	}
	return json.Marshal(v)
}

func (c *TemplateCarousel) check(p *problems, where string) {
	if c == nil {
		p.missing("%s is nil", where)
		return
	}
	p.count(where+".Cards", len(c.Cards), 2, 10)
	for i, card := range c.Cards {
		at := where + ".Cards[" + strconv.Itoa(i) + "]"
		for j, part := range card {
			here := at + "[" + strconv.Itoa(j) + "]"
			switch part.(type) {
			case nil:
				p.missing("%s is nil", here)
				continue
			case *TemplateHeader, *TemplateBody, *TemplateButton, *RawComponent:
			default:
				p.limit("%s does not belong on a card", here)
			}
			part.check(p, here)
		}
	}
}

func (c *TemplateCarousel) sensitive() []string {
	var list []string
	for _, card := range c.Cards {
		for _, part := range card {
			list = append(list, part.sensitive()...)
		}
	}
	return list
}
