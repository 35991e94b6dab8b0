package cloudapi

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A Product shows one product of the catalog that is connected to the number.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/share-products
type Product struct {
	// CatalogID is Meta's id of the catalog, RetailerID your own id of the product in it.
	CatalogID  string `json:"catalog_id"`
	RetailerID string `json:"product_retailer_id"`
}

// MarshalJSON writes the member "action".
func (a *Product) MarshalJSON() ([]byte, error) {
	type plain Product
	return json.Marshal((*plain)(a))
}

// InteractiveType is "product".
func (*Product) InteractiveType() string { return "product" }

func (*Product) frame() frame { return frame{bodyOptional: true} }

func (a *Product) check(p *problems) { a.checkAt(p, "Product") }

func (a *Product) checkAt(p *problems, where string) {
	p.required(where+".CatalogID", a.CatalogID)
	p.required(where+".RetailerID", a.RetailerID)
}

// A ProductList shows up to 30 products of the catalog, in sections. It needs a [TextHeader].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/share-products
type ProductList struct {
	// CatalogID is Meta's id of the catalog.
	CatalogID string `json:"catalog_id"`

	// Sections are 1 to 10, with 30 products in all. Each needs a title if there are several.
	Sections []ProductSection `json:"sections"`
}

// A ProductSection is a part of a [ProductList].
type ProductSection struct {
	Title    string        `json:"title,omitzero"` // at most 24 characters; required if there are several
	Products []ProductItem `json:"product_items"`
}

// A ProductItem names a product in a section.
type ProductItem struct {
	RetailerID string `json:"product_retailer_id"`
}

// MarshalJSON writes the member "action".
func (a *ProductList) MarshalJSON() ([]byte, error) {
	type plain ProductList
	return json.Marshal((*plain)(a))
}

// InteractiveType is "product_list".
func (*ProductList) InteractiveType() string { return "product_list" }

func (*ProductList) frame() frame { return frame{textHeader: true, needsHeader: true} }

func (a *ProductList) check(p *problems) {
	p.required("ProductList.CatalogID", a.CatalogID)
	checkSections(p, "ProductList", a.Sections)
}

// checkSections checks sections of products, of a list or of a template's button.
func checkSections(p *problems, where string, sections []ProductSection) {
	p.count(where+".Sections", len(sections), 1, 10)
	total := 0
	for i, s := range sections {
		at := where + ".Sections[" + strconv.Itoa(i) + "]"
		if len(sections) > 1 {
			p.required(at+".Title", s.Title)
		}
		p.atMost(at+".Title", s.Title, 24)
		p.count(at+".Products", len(s.Products), 1, 30)
		total += len(s.Products)
		for j, item := range s.Products {
			p.required(at+".Products["+strconv.Itoa(j)+"].RetailerID", item.RetailerID)
		}
	}
	if total > 30 {
		p.limit("%s has %d products in all its sections; Meta accepts 30", where, total)
	}
}

// A CatalogButton is a button that opens the whole catalog of the number.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/share-products
type CatalogButton struct {
	// Thumbnail is the product whose picture is shown. If empty, the catalog's first.
	Thumbnail string `json:"thumbnail_product_retailer_id,omitzero"`
}

// MarshalJSON writes the member "action".
func (a *CatalogButton) MarshalJSON() ([]byte, error) {
	if a.Thumbnail == "" {
		return bare("catalog_message")
	}
	type plain CatalogButton
	return encodeNamed("catalog_message", (*plain)(a))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *CatalogButton) UnmarshalJSON(b []byte) error {
	type plain CatalogButton
	return decodeNamed(b, (*plain)(a))
}

// InteractiveType is "catalog_message".
func (*CatalogButton) InteractiveType() string { return "catalog_message" }

func (*CatalogButton) frame() frame { return frame{} }

func (*CatalogButton) check(*problems) {}

// A Carousel is 2 to 10 cards side by side, all of the same make: pictures or videos with a link or
// with quick replies, or products of one catalog.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages
type Carousel struct {
	// Cards are 2 to 10.
	Cards []CarouselCard
}

// A CarouselCard is a card of a [Carousel]. It has either a Product and nothing else, or a Header,
// a Body and one of Link and Replies.
type CarouselCard struct {
	// Header is an *[Image] or a *[Video].
	Header InteractiveHeader

	// Body has at most 160 characters and two line breaks.
	Body string

	// Link and Replies are what the card can be tapped on: a link, or quick replies, whose ID and
	// Title have at most 20 characters each.
	Link    *LinkButton
	Replies []ReplyButton

	// Product makes the card show a product.
	Product *Product
}

type cardJSON struct {
	Index  int             `json:"card_index"`
	Type   string          `json:"type"`
	Header json.RawMessage `json:"header,omitempty"`
	Body   *textJSON       `json:"body,omitzero"`
	Action json.RawMessage `json:"action"`
}

type quickReplyJSON struct {
	Type  string      `json:"type"`
	Reply ReplyButton `json:"quick_reply"`
}

type quickRepliesJSON struct {
	Buttons []quickReplyJSON `json:"buttons"`
}

// MarshalJSON writes the member "action".
func (a *Carousel) MarshalJSON() ([]byte, error) {
	v := struct {
		Cards []cardJSON `json:"cards"`
	}{}
	for i, c := range a.Cards {
		card, err := c.encode(i)
		if err != nil {
			return nil, err
		}
		v.Cards = append(v.Cards, card)
	}
	return json.Marshal(v)
}

// encode writes a card. Meta's type of a card with quick replies is "cta_url" as well; what tells
// them apart is the action.
func (c CarouselCard) encode(index int) (v cardJSON, err error) {
	v = cardJSON{Index: index, Type: "cta_url"}
	if c.Header != nil {
		if v.Header, err = encodeHeader(c.Header); err != nil {
			return v, err
		}
	}
	if c.Body != "" {
		v.Body = &textJSON{c.Body}
	}
	switch {
	case c.Product != nil:
		v.Type = "product"
		v.Action, err = c.Product.MarshalJSON()
	case c.Link != nil:
		v.Action, err = c.Link.MarshalJSON()
	default:
		var replies quickRepliesJSON
		for _, r := range c.Replies {
			replies.Buttons = append(replies.Buttons, quickReplyJSON{"quick_reply", r})
		}
		v.Action, err = json.Marshal(replies)
	}
	return v, err
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Carousel) UnmarshalJSON(b []byte) error {
	var v struct {
		Cards []cardJSON `json:"cards"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	a.Cards = nil
	for _, card := range v.Cards {
		c, err := card.decode()
		if err != nil {
			return err
		}
		a.Cards = append(a.Cards, c)
	}
	return nil
}

// decode reads a card, whose type tells only products from the rest: a link has a name in its
// action, quick replies have buttons.
func (v cardJSON) decode() (c CarouselCard, err error) {
	if c.Header, err = decodeHeader(v.Header); err != nil {
		return c, err
	}
	if v.Body != nil {
		c.Body = v.Body.Text
	}
	var probe struct {
		quickRepliesJSON
		Name string `json:"name"`
	}
	if err = json.Unmarshal(v.Action, &probe); err != nil {
		return c, err
	}
	switch {
	case v.Type == "product":
		c.Product = new(Product)
		err = json.Unmarshal(v.Action, c.Product)
	case probe.Name != "":
		c.Link = new(LinkButton)
		err = json.Unmarshal(v.Action, c.Link)
	default:
		for _, button := range probe.Buttons {
			c.Replies = append(c.Replies, button.Reply)
		}
	}
	return c, err
}

// InteractiveType is "carousel".
func (*Carousel) InteractiveType() string { return "carousel" }

func (*Carousel) frame() frame { return frame{noFooter: true} }

func (a *Carousel) check(p *problems) {
	p.count("Carousel.Cards", len(a.Cards), 2, 10)
	for i, c := range a.Cards {
		where := "Carousel.Cards[" + strconv.Itoa(i) + "]"
		c.check(p, where)
		if i > 0 && c.make() != a.Cards[0].make() {
			p.limit("%s is made differently from the first: same kind of header, "+
				"same kind and number of buttons", where)
		}
		first := a.Cards[0].Product
		if i > 0 && c.Product != nil && first != nil && c.Product.CatalogID != first.CatalogID {
			p.limit("%s is of another catalog than the first", where)
		}
	}
}

// make describes the build of a card: two cards may stand in one carousel if it is the same.
func (c CarouselCard) make() string {
	s := strconv.Itoa(len(c.Replies))
	if !isNil(c.Header) {
		s += c.Header.headerType()
	}
	if c.Link != nil {
		s += " link"
	}
	if c.Product != nil {
		s += " product"
	}
	return s
}

// check checks one card by itself; what cards have in common is checked by that of the carousel.
func (c CarouselCard) check(p *problems, where string) {
	if c.Product != nil {
		c.Product.checkAt(p, where+".Product")
		if c.Header != nil || c.Body != "" || c.Link != nil || len(c.Replies) > 0 {
			p.limit("%s has a Product and more; Meta shows the product alone", where)
		}
		return
	}
	switch h := c.Header.(type) {
	case *Image:
		h.checkIn(p, where+".Header")
	case *Video:
		h.checkIn(p, where+".Header")
	default:
		p.put(true, isNil(c.Header), "%s.Header is no Image or Video", []any{where})
	}
	p.atMost(where+".Body", c.Body, 160)
	if n := strings.Count(c.Body, "\n"); n > 2 {
		p.limit("%s.Body has %d line breaks; Meta accepts 2", where, n)
	}
	switch {
	case (c.Link == nil) == (len(c.Replies) == 0):
		p.put(false, c.Link == nil, "%s takes one of Link, Replies and Product", []any{where})
	case c.Link != nil:
		c.Link.checkAt(p, where+".Link")
	}
	for i, r := range c.Replies {
		at := where + ".Replies[" + strconv.Itoa(i) + "]"
		p.text(at+".ID", r.ID, 20)
		p.text(at+".Title", r.Title, 20)
	}
}

// checkIn checks the file of a card's header.
func (i *Image) checkIn(p *problems, where string) {
	if i == nil {
		p.missing("%s is nil", where)
		return
	}
	i.MediaSource.check(p, where)
}

func (v *Video) checkIn(p *problems, where string) {
	if v == nil {
		p.missing("%s is nil", where)
		return
	}
	v.MediaSource.check(p, where)
}
