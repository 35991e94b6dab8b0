package control

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A Drawing is what a phone shows of a message of the host beside its text, above all what can be
// tapped. It is zero for a plain text.
type Drawing struct {
	Header   string         `json:"header,omitzero"`
	Media    string         `json:"media,omitzero"` // above the text: image, video, document, location …
	Link     string         `json:"link,omitzero"`  // of the media, if the host gave one
	MediaID  graph.MediaID  `json:"media_id,omitzero"`
	Filename string         `json:"filename,omitzero"`
	Footer   string         `json:"footer,omitzero"`
	Buttons  []DrawnButton  `json:"buttons,omitzero"`
	Sections []DrawnSection `json:"sections,omitzero"` // of the list that a button opens
	Cards    []DrawnCard    `json:"cards,omitzero"`
}

// A DrawnButton is a button. What a tap does depends on its type.
type DrawnButton struct {
	// Type is reply, list, flow, url, phone_number, copy_code, location, contact, call, catalog or
	// other.
	Type  string `json:"type"`
	ID    string `json:"id,omitzero"` // of a reply: the id, or the payload of a template's
	Title string `json:"title"`
	URL   string `json:"url,omitzero"` // or the number, or the code
}

// A DrawnSection is a section of a list, with its rows.
type DrawnSection struct {
	Title string     `json:"title,omitzero"`
	Rows  []DrawnRow `json:"rows"`
}

// A DrawnRow is a row of a list, or a product.
type DrawnRow struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitzero"`
}

// A DrawnCard is a card of a carousel.
type DrawnCard struct {
	Text string `json:"text,omitzero"`
	Drawing
}

// Draw returns what the phone shows of a message: its text and its drawing.
func Draw(w *coexistencetest.World, p *coexistencetest.Phone, m coexistencetest.ChatMessage) (string, Drawing) {
	object := m.Sent.Content()
	switch {
	case m.Revoked:
		return m.Content.Text, Drawing{}
	case object == nil && m.MediaID != "":
		return m.Content.Text, Drawing{Media: m.Content.Type, Filename: m.Content.Filename, MediaID: m.MediaID}
	case object == nil:
		return m.Content.Text, Drawing{}
	case m.Sent.Type == "interactive":
		var i drawnInteractive
		_ = json.Unmarshal(object, &i)
		return i.Body.Text, i.draw()
	case m.Sent.Type == "template":
		return drawTemplate(w, p, m, object)
	}
	var f drawnMedia
	_ = json.Unmarshal(object, &f)
	if !slices.Contains([]string{"image", "video", "audio", "document", "sticker", "location"}, m.Sent.Type) {
		return m.Content.Text, Drawing{}
	}
	return m.Content.Text, Drawing{Media: m.Sent.Type, Link: f.Link, Filename: f.Filename, MediaID: f.ID}
}

// A drawnMedia is a file in its wire format.
type drawnMedia struct {
	ID       graph.MediaID `json:"id"`
	Link     string        `json:"link"`
	Filename string        `json:"filename"`
}

// A drawnHeader is a header, or a parameter of a template's.
type drawnHeader struct {
	Type     string     `json:"type"`
	Text     string     `json:"text"`
	Image    drawnMedia `json:"image"`
	Video    drawnMedia `json:"video"`
	Document drawnMedia `json:"document"`
}

// draw adds the header to a drawing.
func (h drawnHeader) draw(d *Drawing) {
	d.Header = h.Text
	kind := strings.ToLower(h.Type)
	if kind == "" || kind == "text" {
		return
	}
	d.Media = kind
	for _, f := range []drawnMedia{h.Image, h.Video, h.Document} {
		if f.Link != "" || f.Filename != "" || f.ID != "" {
			d.Link, d.Filename, d.MediaID = f.Link, f.Filename, f.ID
		}
	}
}

// A drawnInteractive is an interactive message in its wire format, or a card of one.
type drawnInteractive struct {
	Type   string      `json:"type"`
	Header drawnHeader `json:"header"`
	Body   struct {
		Text string `json:"text"`
	} `json:"body"`
	Footer struct {
		Text string `json:"text"`
	} `json:"footer"`
	Action drawnAction `json:"action"`
}

// A drawnAction is the action of an interactive message.
type drawnAction struct {
	Name    string `json:"name"`
	Button  string `json:"button"`
	Product string `json:"product_retailer_id"`
	Buttons []struct {
		Reply      drawnReply `json:"reply"`
		QuickReply drawnReply `json:"quick_reply"`
	} `json:"buttons"`
	Sections []struct {
		Title    string     `json:"title"`
		Rows     []DrawnRow `json:"rows"`
		Products []struct {
			RetailerID string `json:"product_retailer_id"`
		} `json:"product_items"`
	} `json:"sections"`
	Cards      []drawnInteractive `json:"cards"`
	Parameters struct {
		Title string `json:"display_text"`
		URL   string `json:"url"`
		CTA   string `json:"flow_cta"`
	} `json:"parameters"`
}

// A drawnReply is a reply button.
type drawnReply struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// fixedButtons are the buttons whose labels are WhatsApp's own, by the type of the message.
var fixedButtons = map[string]DrawnButton{
	"catalog_message":          {Type: "catalog", Title: "View catalog"},
	"product":                  {Type: "catalog", Title: "View"},
	"product_list":             {Type: "catalog", Title: "View items"},
	"location_request_message": {Type: "location", Title: "Send location"},
	"request_contact_info":     {Type: "contact", Title: "Share contact info"},
	"address_message":          {Type: "other", Title: "Provide address"},
	"call_permission_request":  {Type: "other", Title: "Choose preference"},
	"order_details":            {Type: "other", Title: "Review and pay"},
	"order_status":             {Type: "other", Title: "Order details"},
}

// draw returns the drawing around the body.
func (i drawnInteractive) draw() Drawing {
	d := Drawing{Footer: i.Footer.Text}
	i.Header.draw(&d)
	a := i.Action
	for _, b := range a.Buttons {
		for _, r := range []drawnReply{b.Reply, b.QuickReply} {
			if r.ID != "" {
				d.Buttons = append(d.Buttons, DrawnButton{Type: "reply", ID: r.ID, Title: r.Title})
			}
		}
	}
	switch {
	case i.Type == "list":
		d.Buttons = append(d.Buttons, DrawnButton{Type: "list", Title: a.Button})
	case i.Type == "flow":
		d.Buttons = append(d.Buttons, DrawnButton{Type: "flow", Title: a.Parameters.CTA})
	case i.Type == "voice_call":
		d.Buttons = append(d.Buttons, DrawnButton{Type: "call", Title: a.Parameters.Title})
	case a.Name == "cta_url" && a.Parameters.URL != "":
		d.Buttons = append(d.Buttons, DrawnButton{Type: "url", Title: a.Parameters.Title, URL: a.Parameters.URL})
	case fixedButtons[i.Type].Title != "":
		d.Buttons = append(d.Buttons, fixedButtons[i.Type])
	}
	for _, s := range a.Sections {
		section := DrawnSection{Title: s.Title, Rows: s.Rows}
		for _, p := range s.Products {
			section.Rows = append(section.Rows, DrawnRow{ID: p.RetailerID, Title: p.RetailerID})
		}
		d.Sections = append(d.Sections, section)
	}
	for _, card := range a.Cards {
		text := card.Body.Text
		if card.Action.Product != "" {
			text = card.Action.Product
		}
		d.Cards = append(d.Cards, DrawnCard{Text: text, Drawing: card.draw()})
	}
	return d
}

// A drawnTemplate is the template of a message in its wire format, or a card of one.
type drawnTemplate struct {
	Components []drawnComponent `json:"components"`
}

// A drawnComponent is a component with the values of its variables.
type drawnComponent struct {
	Type       string          `json:"type"`
	Index      json.RawMessage `json:"index"` // a string or a number
	Parameters []struct {
		drawnHeader

		Name    string `json:"parameter_name"`
		Payload string `json:"payload"`
		Coupon  string `json:"coupon_code"`
		Amount  struct {
			Shown string `json:"fallback_value"`
		} `json:"currency"`
		Time struct {
			Shown string `json:"fallback_value"`
		} `json:"date_time"`
	} `json:"parameters"`
	Cards []drawnTemplate `json:"cards"`
}

// drawTemplate fills the template of an account with the values of a message. A deleted template is
// shown by its name.
func drawTemplate(
	w *coexistencetest.World, p *coexistencetest.Phone, m coexistencetest.ChatMessage, object json.RawMessage,
) (string, Drawing) {
	var sent drawnTemplate
	_ = json.Unmarshal(object, &sent)
	name, language := m.Sent.Template()
	for _, id := range p.WABAs() {
		for _, t := range w.Graph().Templates(id) {
			if t.Name == name && t.Language == language {
				return sent.draw(t.Components)
			}
		}
	}
	return name, Drawing{}
}

// draw fills the components of a template, or of a card.
func (t drawnTemplate) draw(definition []cloudapi.ComponentDefinition) (text string, d Drawing) {
	for _, part := range definition {
		switch cloudapi.ComponentType(strings.ToUpper(string(part.Type))) {
		case cloudapi.ComponentHeader:
			c := t.component("header")
			d.Header = c.fill(part.Text)
			if !strings.EqualFold(string(part.Format), string(cloudapi.HeaderText)) {
				d.Media = strings.ToLower(string(part.Format))
				if len(c.Parameters) > 0 {
					c.Parameters[0].draw(&d)
				}
			}
		case cloudapi.ComponentBody:
			c := t.component("body")
			if text = c.fill(part.Text); part.Text == "" && len(c.Parameters) > 0 {
				text = c.Parameters[0].Text + " is your verification code." // Meta's wording
			}
		case cloudapi.ComponentFooter:
			d.Footer = part.Text
		case cloudapi.ComponentButtons:
			for i, b := range part.Buttons {
				d.Buttons = append(d.Buttons, t.button(i, b))
			}
		case cloudapi.ComponentCarousel:
			cards := t.component("carousel").Cards
			for i, card := range part.Cards {
				if i < len(cards) {
					text, inner := cards[i].draw(card.Components)
					d.Cards = append(d.Cards, DrawnCard{Text: text, Drawing: inner})
				}
			}
		default:
		}
	}
	return text, d
}

// component returns a component of the message, or an empty one.
func (t drawnTemplate) component(kind string) drawnComponent {
	for _, c := range t.Components {
		if strings.EqualFold(c.Type, kind) {
			return c
		}
	}
	return drawnComponent{}
}

// fill replaces the variables of a text, by name or by number.
func (c drawnComponent) fill(text string) string {
	for i, v := range c.Parameters {
		name := v.Name
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		text = strings.ReplaceAll(text, "{{"+name+"}}", v.Text+v.Amount.Shown+v.Time.Shown)
	}
	return text
}

// definedButtons maps button types of a template's definition to those of a drawing.
var definedButtons = map[cloudapi.ButtonDefinitionType]string{
	cloudapi.ButtonDefinitionQuickReply: "reply", cloudapi.ButtonDefinitionURL: "url",
	cloudapi.ButtonDefinitionPhone: "phone_number", cloudapi.ButtonDefinitionCopyCode: "copy_code",
	cloudapi.ButtonDefinitionOTP: "copy_code", cloudapi.ButtonDefinitionFlow: "flow",
	cloudapi.ButtonDefinitionVoiceCall: "call", cloudapi.ButtonDefinitionContactRequest: "contact",
	cloudapi.ButtonDefinitionCatalog: "catalog", cloudapi.ButtonDefinitionProducts: "catalog",
}

// button fills a button of a template.
func (t drawnTemplate) button(i int, b cloudapi.ButtonDefinition) DrawnButton {
	d := DrawnButton{Type: definedButtons[b.Type], Title: b.Text, URL: b.URL + b.PhoneNumber}
	switch d.Type {
	case "":
		d.Type = "other"
	case "reply":
		d.ID = b.Text
	default:
	}
	if d.Title == "" {
		d.Title = map[string]string{"copy_code": "Copy code", "catalog": "View catalog"}[d.Type]
	}
	for _, c := range t.Components {
		if !strings.EqualFold(c.Type, "button") || strings.Trim(string(c.Index), `"`) != strconv.Itoa(i) ||
			len(c.Parameters) == 0 {
			continue
		}
		v := c.Parameters[0]
		switch d.Type {
		case "reply":
			d.ID = v.Payload
		case "url":
			d.URL = strings.ReplaceAll(b.URL, "{{1}}", v.Text)
		case "copy_code":
			d.URL = v.Coupon + v.Text
		default:
		}
	}
	return d
}
