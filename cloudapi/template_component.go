package cloudapi

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// A TemplateComponent fills in one component of a template: *[TemplateHeader], *[TemplateBody],
// *[TemplateButton], *[TemplateCarousel], *[TemplateOffer], *[TemplateOrderStatus],
// *[TemplateTapTarget] or *[RawComponent].
//
//sumtype:decl
type TemplateComponent interface {
	json.Marshaler

	check(p *problems, where string)
	sensitive() []string
	templateComponent() // so that a parameter is none
}

func (*TemplateHeader) templateComponent()      {}
func (*TemplateBody) templateComponent()        {}
func (*TemplateButton) templateComponent()      {}
func (*TemplateCarousel) templateComponent()    {}
func (*TemplateOffer) templateComponent()       {}
func (*TemplateOrderStatus) templateComponent() {}
func (*TemplateTapTarget) templateComponent()   {}
func (*RawComponent) templateComponent()        {}

// A component is how all of them look on the wire.
type component struct {
	Type       string              `json:"type"`
	SubType    ButtonType          `json:"sub_type,omitzero"`
	Index      flexString          `json:"index,omitzero"` // Meta takes a number as well; its samples have strings
	Parameters []TemplateParameter `json:"parameters"`
}

// A TemplateHeader fills in the header: its one text variable, its media file or its place.
type TemplateHeader struct {
	// Parameter is a *[TextParameter], *[ImageParameter], *[VideoParameter], *[DocumentParameter],
	// *[LocationParameter], *[ProductParameter], *[GIFParameter] or *[RawParameter].
	Parameter TemplateParameter
}

// MarshalJSON writes an element of "components".
func (h *TemplateHeader) MarshalJSON() ([]byte, error) {
	return json.Marshal(component{Type: "header", Parameters: []TemplateParameter{h.Parameter}})
}

func (h *TemplateHeader) check(p *problems, where string) {
	if h == nil || isNil(h.Parameter) {
		p.add("%s is a header without parameter", where)
		return
	}
	switch h.Parameter.(type) {
	case *TextParameter, *ImageParameter, *VideoParameter, *DocumentParameter, *LocationParameter, *ProductParameter,
		*GIFParameter, *RawParameter:
	default:
		p.limit("%s is a header with a parameter that does not belong there", where)
	}
	h.Parameter.check(p, where+".Parameter")
}

func (h *TemplateHeader) sensitive() []string { return h.Parameter.sensitive() }

// A TemplateBody fills in the variables of the text.
type TemplateBody struct {
	// Parameters are *[TextParameter], *[CurrencyParameter], *[DateTimeParameter],
	// *[GroupParameter] or *[RawParameter], in the order of the variables, or in any order if they
	// are named.
	Parameters []TemplateParameter
}

// MarshalJSON writes an element of "components".
func (b *TemplateBody) MarshalJSON() ([]byte, error) {
	return json.Marshal(component{Type: "body", Parameters: b.Parameters})
}

// maxTemplateBody is how many characters a body may have as people read it, so that the texts that
// are filled in cannot have more.
const maxTemplateBody = 1024

// check checks the texts of a body. How many variables the template has is for Meta to know; what
// can be known here is which parameters a body takes, that names are used once, and that the texts
// alone fit.
func (b *TemplateBody) check(p *problems, where string) {
	if b == nil || len(b.Parameters) == 0 {
		p.add("%s is a body without parameters; leave it out", where)
		return
	}
	var total int
	names := map[string]bool{}
	for i, param := range b.Parameters {
		at := where + ".Parameters[" + strconv.Itoa(i) + "]"
		if isNil(param) {
			p.add("%s is nil", at)
			continue
		}
		switch param := param.(type) {
		case *TextParameter:
			total += utf8.RuneCountInString(param.Text)
			if param.Name != "" && names[param.Name] {
				p.limit("%s has the name of an earlier one", at)
			}
			names[param.Name] = true
		case *CurrencyParameter, *DateTimeParameter, *GroupParameter, *RawParameter:
		default:
			p.limit("%s does not belong in a body", at)
		}
		param.check(p, at)
	}
	if total > maxTemplateBody {
		p.limit("%s has texts of %d characters in all; Meta accepts %d", where, total, maxTemplateBody)
	}
}

func (b *TemplateBody) sensitive() []string {
	var list []string
	for _, param := range b.Parameters {
		list = append(list, param.sensitive()...)
	}
	return list
}

// A ButtonType is the kind of a template's button, as sends know it.
type ButtonType string

const (
	ButtonQuickReply   ButtonType = "quick_reply"   // takes a PayloadParameter
	ButtonURL          ButtonType = "url"           // takes a TextParameter: the end of the link, or a one-time code
	ButtonCopyCode     ButtonType = "copy_code"     // takes a CouponCodeParameter
	ButtonCatalog      ButtonType = "catalog"       // takes a CatalogParameter
	ButtonProducts     ButtonType = "mpm"           // takes a ProductsParameter
	ButtonFlow         ButtonType = "flow"          // takes a FlowParameter
	ButtonOrderDetails ButtonType = "order_details" // takes an OrderDetailsParameter
	ButtonVoiceCall    ButtonType = "voice_call"    // takes a CallButtonParameter
)

// A TemplateButton fills in one button.
type TemplateButton struct {
	// Type is the button's, in small letters.
	Type ButtonType

	// Index is the button's place among all buttons of the template, from 0.
	Index int

	// Parameter is what the Type takes, or a *[RawParameter] for the types that have no constant
	// here.
	Parameter TemplateParameter
}

// maxButtonIndex is the index of the last button: a template has at most ten.
const maxButtonIndex = 9

func (b *TemplateButton) check(p *problems, where string) {
	if b == nil || isNil(b.Parameter) {
		p.add("%s is a button without parameter", where)
		return
	}
	if !wireNameRe.MatchString(string(b.Type)) {
		p.add(`%s.Type is not a button type such as "url"`, where)
	}
	if b.Index < 0 || b.Index > maxButtonIndex {
		p.limit("%s.Index is %d; it counts from 0 to %d", where, b.Index, maxButtonIndex)
	}
	if text, ok := b.Parameter.(*TextParameter); ok && text.Name != "" {
		p.limit("%s.Parameter has a Name; only header and body know names", where)
	}
	if !b.Type.fits(b.Parameter) {
		p.limit("%s.Parameter does not belong to a button of type %q", where, b.Type)
	}
	b.Parameter.check(p, where+".Parameter")
}

func (b *TemplateButton) sensitive() []string { return b.Parameter.sensitive() }

// A RawComponent is a component that has no type here yet. Nothing about it is checked but that it
// is JSON.
type RawComponent struct {
	// JSON is the element of "components".
	JSON json.RawMessage
}

// MarshalJSON returns the JSON as it is.
func (r *RawComponent) MarshalJSON() ([]byte, error) { return r.JSON, nil }

func (r *RawComponent) check(p *problems, where string) {
	if r == nil || !json.Valid(r.JSON) {
		p.add("%s is not valid JSON", where)
	}
}

func (r *RawComponent) sensitive() []string { return jsonStrings(r.JSON) }
