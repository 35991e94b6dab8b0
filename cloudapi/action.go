package cloudapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// isNil finds nil pointers inside an interface as well.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

// emptyActions makes an empty action by the interactive type that it has on the wire, to decode
// into.
var emptyActions = map[string]func() Action{
	"button":                   func() Action { return new(ReplyButtons) },
	"list":                     func() Action { return new(List) },
	"cta_url":                  func() Action { return new(LinkButton) },
	"flow":                     func() Action { return new(FlowButton) },
	"product":                  func() Action { return new(Product) },
	"product_list":             func() Action { return new(ProductList) },
	"catalog_message":          func() Action { return new(CatalogButton) },
	"location_request_message": func() Action { return new(LocationRequest) },
	"address_message":          func() Action { return new(AddressRequest) },
	"request_contact_info":     func() Action { return new(ContactInfoRequest) },
	"call_permission_request":  func() Action { return new(CallPermissionRequest) },
	"voice_call":               func() Action { return new(CallButton) },
	"carousel":                 func() Action { return new(Carousel) },
	"order_details":            func() Action { return new(OrderDetails) },
	"order_status":             func() Action { return new(OrderStatus) },
}

// decodeAction reads the member "action" of an interactive message. A missing one decodes as an
// empty object, and one of a type that is unknown here becomes a *[RawAction], so that a message
// that was stored by a newer version is kept as it is.
func decodeAction(kind string, raw json.RawMessage) (Action, error) {
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	empty, ok := emptyActions[kind]
	if !ok {
		return &RawAction{kind, raw}, nil
	}
	a := empty()
	if err := json.Unmarshal(raw, a); err != nil {
		return nil, fmt.Errorf("cloudapi: the action of type %q does not decode: %w", kind, err)
	}
	return a, nil
}

// named is an action that is a name and perhaps parameters.
type named[T any] struct {
	Name       string `json:"name"`
	Parameters T      `json:"parameters"`
}

func encodeNamed[T any](name string, parameters T) ([]byte, error) {
	return json.Marshal(named[T]{name, parameters})
}

func decodeNamed[T any](b []byte, into *T) error {
	var v named[*T]
	v.Parameters = into
	return json.Unmarshal(b, &v)
}

// bare is an action that is only a name.
func bare(name string) ([]byte, error) {
	return json.Marshal(struct {
		Name string `json:"name"`
	}{name})
}

// ReplyButtons are one to three buttons, of which one can be tapped once.
type ReplyButtons struct {
	// Buttons have different IDs and different Titles.
	Buttons []ReplyButton
}

// A ReplyButton is a button that answers.
type ReplyButton struct {
	// ID comes back in the answer and is invisible; at most 256 characters.
	ID string `json:"id"`

	// Title is the label of the button: at most 20 characters, and different from the others'.
	Title string `json:"title"`
}

type replyButtonJSON struct {
	Type  string      `json:"type"`
	Reply ReplyButton `json:"reply"`
}

// MarshalJSON writes the member "action".
func (a *ReplyButtons) MarshalJSON() ([]byte, error) {
	v := struct {
		Buttons []replyButtonJSON `json:"buttons"`
	}{}
	for _, b := range a.Buttons {
		v.Buttons = append(v.Buttons, replyButtonJSON{"reply", b})
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *ReplyButtons) UnmarshalJSON(b []byte) error {
	var v struct {
		Buttons []replyButtonJSON `json:"buttons"`
	}
	err := json.Unmarshal(b, &v)
	a.Buttons = nil
	for _, button := range v.Buttons {
		a.Buttons = append(a.Buttons, button.Reply)
	}
	return err
}

// InteractiveType is "button".
func (*ReplyButtons) InteractiveType() string { return "button" }

func (*ReplyButtons) frame() frame { return frame{textHeader: true, mediaHeader: true} }

func (a *ReplyButtons) check(p *problems) {
	p.count("ReplyButtons.Buttons", len(a.Buttons), 1, 3)
	ids, titles := map[string]bool{}, map[string]bool{}
	for i, b := range a.Buttons {
		where := "ReplyButtons.Buttons[" + strconv.Itoa(i) + "]"
		p.text(where+".ID", b.ID, 256)
		p.text(where+".Title", b.Title, 20)
		p.unique(where+".ID", b.ID, ids)
		p.unique(where+".Title", b.Title, titles)
	}
}

// unique reports a text that was there before.
func (p *problems) unique(what, text string, seen map[string]bool) {
	if text != "" && seen[text] {
		p.limit("%s is that of an earlier one", what)
	}
	seen[text] = true
}

// A List is a button that opens a list of at most ten rows, of which one can be chosen.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages
type List struct {
	// Button is the label of the button, at most 20 characters.
	Button string `json:"button"`

	// Sections divide the rows. Each needs a title if there are several.
	Sections []ListSection `json:"sections"`
}

// A ListSection is a part of a [List].
type ListSection struct {
	Title string    `json:"title,omitzero"` // at most 24 characters
	Rows  []ListRow `json:"rows"`
}

// A ListRow is one choice of a [List].
type ListRow struct {
	ID          string `json:"id"`                   // comes back in the answer, at most 200 characters
	Title       string `json:"title"`                // at most 24 characters
	Description string `json:"description,omitzero"` // at most 72 characters
}

// MarshalJSON writes the member "action".
func (a *List) MarshalJSON() ([]byte, error) {
	type plain List
	return json.Marshal((*plain)(a))
}

// InteractiveType is "list".
func (*List) InteractiveType() string { return "list" }

func (*List) frame() frame { return frame{textHeader: true, maxBody: 4096} }

// check checks the limits of a list: ten sections, and ten rows in all of them together, which the
// limit of a section alone would not show.
func (a *List) check(p *problems) {
	p.text("List.Button", a.Button, 20)
	p.count("List.Sections", len(a.Sections), 1, 10)
	rows, ids := 0, map[string]bool{}
	for i, s := range a.Sections {
		where := "List.Sections[" + strconv.Itoa(i) + "]"
		if len(a.Sections) > 1 {
			p.required(where+".Title", s.Title)
		}
		p.atMost(where+".Title", s.Title, 24)
		p.count(where+".Rows", len(s.Rows), 1, 10)
		rows += len(s.Rows)
		for j, r := range s.Rows {
			at := where + ".Rows[" + strconv.Itoa(j) + "]"
			p.text(at+".ID", r.ID, 200)
			p.text(at+".Title", r.Title, 24)
			p.atMost(at+".Description", r.Description, 72)
			p.unique(at+".ID", r.ID, ids)
		}
	}
	if rows > 10 {
		p.limit("List has %d rows in all its sections; Meta accepts 10", rows)
	}
}

// A LinkButton is a button that opens a web page. A tap on it makes no webhook.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-cta-url-messages
type LinkButton struct {
	// Text is the label of the button, at most 20 characters.
	Text string `json:"display_text"`

	// URL is an http or https URL.
	URL string `json:"url"`
}

// MarshalJSON writes the member "action".
func (a *LinkButton) MarshalJSON() ([]byte, error) {
	type plain LinkButton
	return encodeNamed("cta_url", (*plain)(a))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *LinkButton) UnmarshalJSON(b []byte) error {
	type plain LinkButton
	return decodeNamed(b, (*plain)(a))
}

// InteractiveType is "cta_url".
func (*LinkButton) InteractiveType() string { return "cta_url" }

func (*LinkButton) frame() frame { return frame{textHeader: true, mediaHeader: true} }

func (a *LinkButton) check(p *problems) { a.checkAt(p, "LinkButton") }

func (a *LinkButton) checkAt(p *problems, where string) {
	p.text(where+".Text", a.Text, 20)
	p.webURL(where+".URL", a.URL)
}
