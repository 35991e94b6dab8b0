package cloudapi

import (
	"encoding/json"
	"strconv"
)

// encodeParameter writes an element of "parameters" whose value stands under the name of its type,
// as in {"type":"gif","gif":{…}}. The name is written as a member, which a struct tag cannot vary.
func encodeParameter[T any](kind string, value T) ([]byte, error) {
	k, err := json.Marshal(kind)
	if err != nil {
		return nil, err
	}
	v, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"type":`), k...)
	out = append(append(append(out, ','), k...), ':')
	return append(append(out, v...), '}'), nil
}

// A GIFParameter is the moving picture of a header, an MP4 of at most 3.5 MB. Only marketing
// messages have it, see [MessagesService.SendMarketing].
type GIFParameter struct{ MediaSource }

// MarshalJSON writes an element of "parameters".
func (g *GIFParameter) MarshalJSON() ([]byte, error) { return encodeParameter("gif", g.MediaSource) }

// A ProductParameter is the product of a header, in templates that show a single product.
type ProductParameter struct {
	// CatalogID is Meta's id of the catalog, RetailerID your own id of the product in it.
	CatalogID  string
	RetailerID string
}

// MarshalJSON writes an element of "parameters".
func (q *ProductParameter) MarshalJSON() ([]byte, error) {
	return encodeParameter("product", Product(*q))
}

func (q *ProductParameter) check(p *problems, where string) { (*Product)(q).checkAt(p, where) }

func (q *ProductParameter) sensitive() []string { return nil }

// A GroupParameter is the group that a template of the body invites to.
type GroupParameter struct {
	// GroupID is the group's id, as [graph.GroupID] holds it.
	GroupID string
}

// MarshalJSON writes an element of "parameters".
func (g *GroupParameter) MarshalJSON() ([]byte, error) { return encodeParameter("group_id", g.GroupID) }

func (g *GroupParameter) check(p *problems, where string) { p.needs(where+".GroupID", g.GroupID) }

func (g *GroupParameter) sensitive() []string { return nil }

// A CatalogParameter is the picture of a [ButtonCatalog].
type CatalogParameter struct {
	// Thumbnail is the product whose picture is shown. If empty, the catalog's first.
	Thumbnail string `json:"thumbnail_product_retailer_id,omitzero"`
}

// MarshalJSON writes an element of "parameters".
func (c *CatalogParameter) MarshalJSON() ([]byte, error) {
	type plain CatalogParameter
	return encodeParameter("action", (*plain)(c))
}

func (*CatalogParameter) check(*problems, string) {}

func (*CatalogParameter) sensitive() []string { return nil }

// A ProductsParameter lists the products of a [ButtonProducts]: up to 30, in sections.
type ProductsParameter struct {
	// Thumbnail is the product whose picture is shown. Required.
	Thumbnail string `json:"thumbnail_product_retailer_id,omitzero"`

	// Sections are 1 to 10, with 30 products in all. Each needs a title if there are several.
	Sections []ProductSection `json:"sections"`
}

// MarshalJSON writes an element of "parameters".
func (q *ProductsParameter) MarshalJSON() ([]byte, error) {
	type plain ProductsParameter
	return encodeParameter("action", (*plain)(q))
}

func (q *ProductsParameter) check(p *problems, where string) {
	p.required(where+".Thumbnail", q.Thumbnail)
	checkSections(p, where, q.Sections)
}

func (q *ProductsParameter) sensitive() []string { return nil }

// A FlowParameter is the input of the Flow of a [ButtonFlow].
type FlowParameter struct {
	// FlowToken names this sending towards your data endpoint. If empty, Meta's "unused".
	FlowToken string `json:"flow_token,omitzero"`

	// Data is an object for the first screen, or nil.
	Data json.RawMessage `json:"flow_action_data,omitempty"`
}

// MarshalJSON writes an element of "parameters".
func (f *FlowParameter) MarshalJSON() ([]byte, error) {
	type plain FlowParameter
	return encodeParameter("action", (*plain)(f))
}

func (f *FlowParameter) check(p *problems, where string) {
	p.utf8(where+".Token", f.FlowToken)
	if f.Data != nil && !json.Valid(f.Data) {
		p.add("%s.Data is not valid JSON", where)
	}
}

func (f *FlowParameter) sensitive() []string { return append(jsonStrings(f.Data), f.FlowToken) }

// An OrderDetailsParameter is the order of a [ButtonOrderDetails].
type OrderDetailsParameter struct{ Order OrderDetails }

type orderDetailsAction struct {
	Details *plainOrderDetails `json:"order_details"`
}

// MarshalJSON writes an element of "parameters".
func (o *OrderDetailsParameter) MarshalJSON() ([]byte, error) {
	return encodeParameter("action", orderDetailsAction{(*plainOrderDetails)(&o.Order)})
}

func (o *OrderDetailsParameter) check(p *problems, where string) { o.Order.checkAt(p, where+".Order") }

func (o *OrderDetailsParameter) sensitive() []string { return privateStrings(&o.Order) }

// A CallButtonParameter sets how long a [ButtonVoiceCall] works, and its payload. At least one is
// set.
type CallButtonParameter struct {
	TTLMinutes int    // 1 to 43200; if zero, what the template says
	Payload    string // comes back in the call webhooks
}

// MarshalJSON writes elements of "parameters"; with both members set, the first of two.
func (v *CallButtonParameter) MarshalJSON() ([]byte, error) {
	if v.TTLMinutes != 0 {
		return encodeParameter("ttl_minutes", v.TTLMinutes)
	}
	return encodeParameter("payload", v.Payload)
}

func (v *CallButtonParameter) check(p *problems, where string) {
	if *v == (CallButtonParameter{}) {
		p.missing("%s has neither TTLMinutes nor Payload", where)
	}
	if v.TTLMinutes != 0 {
		p.within(where+".TTLMinutes", v.TTLMinutes, 1, 43200)
	}
	p.atMost(where+".Payload", v.Payload, 512)
}

func (v *CallButtonParameter) sensitive() []string { return []string{v.Payload} }

// parameters are the elements that a button's parameter becomes.
func (b *TemplateButton) parameters() []TemplateParameter {
	if v, ok := b.Parameter.(*CallButtonParameter); ok && v != nil && v.TTLMinutes != 0 && v.Payload != "" {
		return []TemplateParameter{
			&CallButtonParameter{TTLMinutes: v.TTLMinutes}, &CallButtonParameter{Payload: v.Payload},
		}
	}
	return []TemplateParameter{b.Parameter}
}

// MarshalJSON writes an element of "components".
func (b *TemplateButton) MarshalJSON() ([]byte, error) {
	return json.Marshal(component{
		Type: "button", SubType: b.Type, Index: flexString(strconv.Itoa(b.Index)), Parameters: b.parameters(),
	})
}

// fits reports whether a parameter belongs to a type of button. A type without a constant here
// takes a [RawParameter] only.
func (t ButtonType) fits(param TemplateParameter) bool {
	switch param.(type) {
	case *PayloadParameter:
		return t == ButtonQuickReply || t == ButtonVoiceCall
	case *TextParameter:
		return t == ButtonURL
	case *CouponCodeParameter:
		return t == ButtonCopyCode
	case *CatalogParameter:
		return t == ButtonCatalog
	case *ProductsParameter:
		return t == ButtonProducts
	case *FlowParameter:
		return t == ButtonFlow
	case *OrderDetailsParameter:
		return t == ButtonOrderDetails
	case *CallButtonParameter:
		return t == ButtonVoiceCall
	case *RawParameter:
		return true
	default: // those of headers and bodies
		return false
	}
}
