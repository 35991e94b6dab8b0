package cloudapi

import (
	"encoding/json"
	"regexp"
	"strings"
)

// A TemplateParameter is the value of one variable of a template.
//
//sumtype:decl
type TemplateParameter interface {
	json.Marshaler

	check(p *problems, where string)
	sensitive() []string
	templateParameter() // so that a component is none
}

func (*TextParameter) templateParameter()         {}
func (*CurrencyParameter) templateParameter()     {}
func (*DateTimeParameter) templateParameter()     {}
func (*ImageParameter) templateParameter()        {}
func (*VideoParameter) templateParameter()        {}
func (*DocumentParameter) templateParameter()     {}
func (*LocationParameter) templateParameter()     {}
func (*PayloadParameter) templateParameter()      {}
func (*CouponCodeParameter) templateParameter()   {}
func (*GIFParameter) templateParameter()          {}
func (*ProductParameter) templateParameter()      {}
func (*GroupParameter) templateParameter()        {}
func (*CatalogParameter) templateParameter()      {}
func (*ProductsParameter) templateParameter()     {}
func (*FlowParameter) templateParameter()         {}
func (*OrderDetailsParameter) templateParameter() {}
func (*CallButtonParameter) templateParameter()   {}
func (*RawParameter) templateParameter()          {}

// A TextParameter is a text: of a variable in header or body, or the end of a button's link.
type TextParameter struct {
	// Name is the variable's name, in templates that name them. Positional templates have none.
	Name string

	// Text is one line without tabs and without more than four spaces in a row.
	Text string
}

// MarshalJSON writes an element of "parameters".
func (t *TextParameter) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type string `json:"type"`
		Name string `json:"parameter_name,omitzero"`
		Text string `json:"text"`
	}{"text", t.Name, t.Text})
}

func (t *TextParameter) check(p *problems, where string) {
	if t.Name != "" && !templateNameRe.MatchString(t.Name) {
		p.limit("%s.Name must be lower-case letters, digits and underscores", where)
	}
	if t.Text == "" {
		p.limit("%s.Text is empty", where)
	}
	if strings.ContainsAny(t.Text, "\n\r\t") || strings.Contains(t.Text, "     ") {
		p.limit("%s.Text has a line break, a tab or more than four spaces in a row", where)
	}
	p.atMost(where+".Text", t.Text, maxTemplateBody)
}

func (t *TextParameter) sensitive() []string { return []string{t.Text} }

// A CurrencyParameter is an amount of money.
type CurrencyParameter struct {
	// Fallback is the text that people read, such as "$12.50". Cloud API does not localize the
	// amount.
	Fallback string

	// Code is the ISO 4217 code, such as "USD".
	Code string

	// Amount1000 is the amount times 1000.
	Amount1000 int64
}

// MarshalJSON writes an element of "parameters".
func (c *CurrencyParameter) MarshalJSON() ([]byte, error) {
	type currency struct {
		Fallback   string `json:"fallback_value"`
		Code       string `json:"code"`
		Amount1000 int64  `json:"amount_1000"`
	}
	return json.Marshal(struct {
		Type     string   `json:"type"`
		Currency currency `json:"currency"`
	}{"currency", currency(*c)})
}

var currencyRe = regexp.MustCompile(`^[A-Z]{3}$`)

func (c *CurrencyParameter) check(p *problems, where string) {
	if c.Fallback == "" {
		p.limit("%s.Fallback is empty", where)
	}
	p.atMost(where+".Fallback", c.Fallback, maxTemplateBody)
	if !currencyRe.MatchString(c.Code) {
		p.limit(`%s.Code is not a currency code such as "USD"`, where)
	}
}

func (c *CurrencyParameter) sensitive() []string { return []string{c.Fallback} }

// A DateTimeParameter is a moment. Cloud API shows the Fallback and localises nothing.
type DateTimeParameter struct {
	// Fallback is the text that people read, such as "February 25, 2027".
	Fallback string
}

// MarshalJSON writes an element of "parameters".
func (d *DateTimeParameter) MarshalJSON() ([]byte, error) {
	type dateTime struct {
		Fallback string `json:"fallback_value"`
	}
	return json.Marshal(struct {
		Type     string   `json:"type"`
		DateTime dateTime `json:"date_time"`
	}{"date_time", dateTime(*d)})
}

func (d *DateTimeParameter) check(p *problems, where string) {
	if d.Fallback == "" {
		p.limit("%s.Fallback is empty", where)
	}
	p.atMost(where+".Fallback", d.Fallback, maxTemplateBody)
}

func (d *DateTimeParameter) sensitive() []string { return []string{d.Fallback} }

// An ImageParameter is the image of a header.
type ImageParameter struct{ MediaSource }

// MarshalJSON writes an element of "parameters".
func (i *ImageParameter) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type  string      `json:"type"`
		Image MediaSource `json:"image"`
	}{"image", i.MediaSource})
}

// A VideoParameter is the video of a header.
type VideoParameter struct{ MediaSource }

// MarshalJSON writes an element of "parameters".
func (v *VideoParameter) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type  string      `json:"type"`
		Video MediaSource `json:"video"`
	}{"video", v.MediaSource})
}

// A DocumentParameter is the document of a header.
type DocumentParameter struct {
	MediaSource

	// Filename is shown to people. If empty, WhatsApp makes one up.
	Filename string
}

// MarshalJSON writes an element of "parameters".
func (d *DocumentParameter) MarshalJSON() ([]byte, error) {
	type document struct {
		MediaSource
		Filename string `json:"filename,omitzero"`
	}
	return json.Marshal(struct {
		Type     string   `json:"type"`
		Document document `json:"document"`
	}{"document", document(*d)})
}

func (d *DocumentParameter) sensitive() []string {
	return append(d.MediaSource.sensitive(), d.Filename)
}

// A LocationParameter is the place of a header.
type LocationParameter struct {
	Latitude  float64 // degrees, -90 to 90
	Longitude float64 // degrees, -180 to 180

	// Name and Address are shown under the map.
	Name    string
	Address string
}

// MarshalJSON writes an element of "parameters".
func (l *LocationParameter) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type     string    `json:"type"`
		Location *Location `json:"location"`
	}{"location", (*Location)(l)})
}

func (l *LocationParameter) check(p *problems, where string) { (*Location)(l).checkAt(p, where) }

func (l *LocationParameter) sensitive() []string { return (*Location)(l).sensitive() }

// A PayloadParameter is the payload of the webhook after a tap on a quick reply button.
type PayloadParameter struct {
	// Payload has at most 256 characters; Meta's older pages say 128.
	Payload string
}

// MarshalJSON writes an element of "parameters".
func (b *PayloadParameter) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type    string `json:"type"`
		Payload string `json:"payload"`
	}{"payload", b.Payload})
}

func (b *PayloadParameter) check(p *problems, where string) {
	if b.Payload == "" {
		p.limit("%s.Payload is empty", where)
	}
	p.atMost(where+".Payload", b.Payload, 256)
}

func (b *PayloadParameter) sensitive() []string { return []string{b.Payload} }

// A CouponCodeParameter is the code that a button copies.
type CouponCodeParameter struct {
	// Code has at most 20 characters.
	Code string
}

// MarshalJSON writes an element of "parameters".
func (c *CouponCodeParameter) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type string `json:"type"`
		Code string `json:"coupon_code"`
	}{"coupon_code", c.Code})
}

func (c *CouponCodeParameter) check(p *problems, where string) {
	if c.Code == "" {
		p.limit("%s.Code is empty", where)
	}
	p.atMost(where+".Code", c.Code, 20)
}

func (c *CouponCodeParameter) sensitive() []string { return []string{c.Code} }

// A RawParameter is a parameter that has no type here yet. Nothing about it is checked but that
// it is JSON.
type RawParameter struct {
	// JSON is the element of "parameters".
	JSON json.RawMessage
}

// MarshalJSON returns the JSON as it is.
func (r *RawParameter) MarshalJSON() ([]byte, error) { return r.JSON, nil }

func (r *RawParameter) check(p *problems, where string) {
	if !json.Valid(r.JSON) {
		p.add("%s is not valid JSON", where)
	}
}

func (r *RawParameter) sensitive() []string { return jsonStrings(r.JSON) }
