package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A messageParams is a message that a person writes, or an action on a message. Which members are
// used depends on Type.
type messageParams struct {
	From string `json:"from"` // "customer", "business" for the person at the phone, or "responder"
	Type string `json:"type"`

	Responder graph.HandoverRole `json:"responder"` // the writer; if empty, the only other responder
	Language  string             `json:"language"`  // of a template, which text names

	Text      string  `json:"text"` // also the caption, the emoji, the name of a place or a contact
	Filename  string  `json:"filename"`
	Address   string  `json:"address"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`

	PhoneNumber string          `json:"phone_number"` // of a contact that is shared
	ReplyTo     graph.MessageID `json:"reply_to"`     // the message that is quoted
	MessageID   graph.MessageID `json:"message_id"`   // the message that a tap, a reaction, an edit … is about

	Choice string          `json:"choice"` // the button or row that is tapped, by id, payload or title
	Answer json.RawMessage `json:"answer"` // to a Flow: an object

	CatalogID  string          `json:"catalog_id"` // of an order, or of a product that is asked about
	RetailerID string          `json:"product_retailer_id"`
	Items      []orderItem     `json:"product_items"` // of an order
	Referral   *referralParams `json:"referral"`      // the ad or post that a customer comes from
}

// An orderItem is a product in a cart.
type orderItem struct {
	RetailerID string  `json:"product_retailer_id"`
	Quantity   int     `json:"quantity"`
	Price      float64 `json:"item_price"`
	Currency   string  `json:"currency"`
}

// A referralParams is an ad or a post, with Meta's names.
type referralParams struct {
	SourceType string `json:"source_type"`
	SourceID   string `json:"source_id"`
	SourceURL  string `json:"source_url"`
	Headline   string `json:"headline"`
	Body       string `json:"body"`
	ClickID    string `json:"ctwa_clid"`
	MediaType  string `json:"media_type"`
	MediaURL   string `json:"media_url"`
}

// The sides that can write.
const (
	fromCustomer = "customer"
	fromBusiness = "business"

	fromResponder = "responder" // another responder of the number, beside the host
)

// contents maps the type of a message to the function that makes its content. An empty type is a
// text.
var contents = map[string]func(messageParams) coexistencetest.Content{
	"":         func(m messageParams) coexistencetest.Content { return coexistencetest.Text(m.Text) },
	"text":     func(m messageParams) coexistencetest.Content { return coexistencetest.Text(m.Text) },
	"image":    func(m messageParams) coexistencetest.Content { return coexistencetest.Image(m.Text) },
	"video":    func(m messageParams) coexistencetest.Content { return coexistencetest.Video(m.Text) },
	"audio":    func(messageParams) coexistencetest.Content { return coexistencetest.Voice() },
	"sticker":  func(messageParams) coexistencetest.Content { return coexistencetest.Sticker() },
	"document": func(m messageParams) coexistencetest.Content { return coexistencetest.Document(m.Filename, m.Text) },
	"location": func(m messageParams) coexistencetest.Content {
		return coexistencetest.Location(m.Text, m.Address, m.Latitude, m.Longitude)
	},
	"contacts": func(m messageParams) coexistencetest.Content {
		return coexistencetest.ContactCard(m.Text, m.PhoneNumber)
	},
	"order": func(m messageParams) coexistencetest.Content {
		var items []coexistencetest.OrderItem
		for _, i := range m.Items {
			items = append(items, coexistencetest.OrderItem{
				RetailerID: i.RetailerID, Quantity: i.Quantity, Price: i.Price, Currency: i.Currency,
			})
		}
		return coexistencetest.Order(m.CatalogID, m.Text, items...)
	},
}

// postMessage lets a customer, the person at the phone or another responder write. The response has
// the wamid.
func (a *API) postMessage(r *http.Request) (int, any, error) {
	in, err := read[messageParams](r)
	if err != nil {
		return 0, nil, err
	}
	p, c, err := a.customer(r)
	if err != nil {
		return 0, nil, err
	}
	id, err := write(p, c, in)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, struct {
		ID graph.MessageID `json:"id"`
	}{id}, nil
}

// write carries out a message or an action.
func write(p *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	switch {
	case in.From == fromResponder:
		return respondAs(p, c, in)
	case in.From != fromCustomer && in.From != fromBusiness:
		return "", invalid("from is %q, %q or %q", fromCustomer, fromBusiness, fromResponder)
	case in.Type == "template" || in.Responder != "" || in.Language != "":
		return "", invalid("templates are sent by a responder: from is %q", fromResponder)
	case in.From == fromBusiness && p.CloudAPIOnly():
		return "", conflict("the number is on Cloud API only: the business writes through the Graph API")
	}
	if tap, ok := taps[in.Type]; ok {
		return tap(p, c, in)
	}
	if in.Type == "document" && in.Filename == "" {
		in.Filename = "made-up.pdf"
	}
	content, err := compose(in)
	if err != nil {
		return "", err
	}
	return say(p, c, in.From, content), nil
}

// compose returns the content of a message, or an error that says what is missing.
func compose(in messageParams) (coexistencetest.Content, error) {
	none := coexistencetest.Content{}
	write, ok := contents[in.Type]
	customers := in.Referral != nil || in.RetailerID != "" || in.Type == "order"
	switch {
	case !ok:
		return none, invalid("%q is not a type of message that a person can write", in.Type)
	case write(in).Type == "text" && in.Text == "":
		return none, invalid("text is missing")
	case in.Type == "contacts" && (in.Text == "" || in.PhoneNumber == ""):
		return none, invalid("a contact has its name in text, and a phone_number")
	case in.Type == "order" && (in.CatalogID == "" || len(in.Items) == 0):
		return none, invalid("an order has a catalog_id and product_items")
	case in.RetailerID != "" && in.CatalogID == "":
		return none, invalid("a product also has a catalog_id")
	case customers && in.From != fromCustomer:
		return none, invalid("only customers order, ask about a product or come from an ad")
	}
	content := write(in).Quoting(in.ReplyTo)
	if in.RetailerID != "" {
		content = content.QuotingProduct(in.ReplyTo, in.CatalogID, in.RetailerID)
	}
	if r := in.Referral; r != nil {
		content = content.Referred(coexistencetest.Referral{
			SourceType: r.SourceType, SourceID: r.SourceID, SourceURL: r.SourceURL, Headline: r.Headline, Body: r.Body,
			ClickID: r.ClickID, MediaType: r.MediaType, MediaURL: r.MediaURL,
		})
	}
	return content, nil
}

// say sends content as one of the two sides.
func say(
	p *coexistencetest.Phone, c *coexistencetest.Customer, from string, content coexistencetest.Content,
) graph.MessageID {
	if from == fromCustomer {
		return c.SendContent(content)
	}
	return p.SendContent(c, content)
}

// A messageView is a message of a chat as JSON.
type messageView struct {
	ID        graph.MessageID `json:"id"`
	From      string          `json:"from"` // customer, business, api (the host through Cloud API) or responder
	Responder string          `json:"responder,omitzero"`
	Type      string          `json:"type"`
	Text      string          `json:"text,omitzero"`
	At        time.Time       `json:"at"`
	Status    string          `json:"status,omitzero"`
	ReplyTo   graph.MessageID `json:"reply_to,omitzero"`
	Edited    bool            `json:"edited,omitzero"`
	Revoked   bool            `json:"revoked,omitzero"`
	Reactions []string        `json:"reactions,omitzero"`
	Told      string          `json:"told"` // which webhook reported it to the host: live, history or no
	Drawing
}

// listMessages lists the messages of a chat, oldest first.
func (a *API) listMessages(r *http.Request) (int, any, error) {
	p, c, err := a.customer(r)
	if err != nil {
		return 0, nil, err
	}
	n, err := limit(r, 100)
	if err != nil {
		return 0, nil, err
	}
	list := struct {
		Data []messageView `json:"data"`
	}{[]messageView{}}
	chat, w := p.Chat(c), a.World()
	for _, m := range chat[max(0, len(chat)-n):] {
		list.Data = append(list.Data, viewMessage(w, p, m))
	}
	return 0, list, nil
}

// viewMessage returns a message as JSON.
func viewMessage(w *coexistencetest.World, p *coexistencetest.Phone, m coexistencetest.ChatMessage) messageView {
	v := messageView{
		ID: m.ID, From: string(m.Author), Type: m.Content.Type, At: m.At, Status: m.Status,
		ReplyTo: m.Content.ReplyTo, Edited: m.Edited, Revoked: m.Revoked, Reactions: m.Reactions, Told: "no",
	}
	v.Text, v.Drawing = Draw(w, p, m)
	if m.Author == coexistencetest.AuthorPhone {
		v.From = fromBusiness
	}
	if m.Responder != nil {
		v.Responder = m.Responder.Name()
	}
	switch {
	case !m.LiveAt.IsZero():
		v.Told = "live"
	case !m.PastAt.IsZero():
		v.Told = "history"
	}
	return v
}

// limit parses how many of the latest entries to list, at most 1000.
func limit(r *http.Request, otherwise int) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return otherwise, nil
	}
	n := 0
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil || n < 1 || n > 1000 || fmt.Sprint(n) != text {
		return 0, invalid("limit is a number from 1 to 1000")
	}
	return n, nil
}
