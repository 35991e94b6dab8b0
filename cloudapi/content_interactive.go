package cloudapi

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// An Interactive is a message that can be answered with a tap. Its Action is what can be tapped;
// around it stand a header, a text and a footer, of which each action takes some. Groups take no
// interactive messages.
//
//	&cloudapi.Interactive{
//		Body: "Shall we deliver today?",
//		Action: &cloudapi.ReplyButtons{Buttons: []cloudapi.ReplyButton{
//			{ID: "today", Title: "Yes, today"}, {ID: "later", Title: "Another day"},
//		}},
//	}
//
// What is tapped arrives as a webhook.IncomingMessage with interactive content, except where a link
// opens.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
type Interactive struct {
	// Header is a *[TextHeader], *[Image], *[Video] or *[Document], or nil. Files have no caption
	// here.
	Header InteractiveHeader

	// Body is the text, at most 1024 characters, and 4096 with a [List].
	Body string

	// Footer is small print below, at most 60 characters.
	Footer string

	// Action is the part that can be tapped: *[ReplyButtons], *[List], *[LinkButton],
	// *[FlowButton], *[Product], *[ProductList], *[CatalogButton], *[LocationRequest],
	// *[AddressRequest], *[ContactInfoRequest], *[CallPermissionRequest], *[CallButton],
	// *[Carousel], *[OrderDetails], *[OrderStatus] or *[RawAction].
	Action Action
}

// An InteractiveHeader stands above the text of an interactive message: *[TextHeader], *[Image],
// *[Video] or *[Document].
//
//sumtype:decl
type InteractiveHeader interface {
	json.Marshaler

	headerType() string
}

func (*TextHeader) headerType() string { return "text" }
func (*Image) headerType() string      { return "image" }
func (*Video) headerType() string      { return "video" }
func (*Document) headerType() string   { return "document" }

// A TextHeader is a line of text, at most 60 characters.
type TextHeader struct {
	// Text is the line. Required.
	Text string
}

// MarshalJSON writes the member "text" of a header.
func (h *TextHeader) MarshalJSON() ([]byte, error) { return json.Marshal(h.Text) }

// UnmarshalJSON reads what MarshalJSON writes.
func (h *TextHeader) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &h.Text) }

// An Action is the part of an interactive message that can be tapped. [Interactive] lists all of
// them.
//
//sumtype:decl
type Action interface {
	json.Marshaler // the member "action"

	// InteractiveType is the type on the wire, such as "button" or "cta_url".
	InteractiveType() string

	frame() frame
	check(p *problems)
}

// A frame says what may stand around an action: Meta's table of interactive types, one row each.
type frame struct {
	textHeader, mediaHeader bool
	noVideo                 bool // of the media, images only
	needsHeader             bool
	bodyOptional            bool
	maxBody                 int // 1024 if zero
	noFooter                bool
}

type textJSON struct {
	Text string `json:"text"`
}

type interactiveJSON struct {
	Type   string          `json:"type"`
	Header json.RawMessage `json:"header,omitempty"`
	Body   *textJSON       `json:"body,omitzero"`
	Footer *textJSON       `json:"footer,omitzero"`
	Action json.RawMessage `json:"action,omitempty"`
}

// MarshalJSON writes the member "interactive" of a message.
func (i *Interactive) MarshalJSON() ([]byte, error) {
	action, err := i.Action.MarshalJSON()
	if err != nil {
		return nil, err
	}
	v := interactiveJSON{Type: i.Action.InteractiveType(), Action: action}
	if i.Header != nil {
		if v.Header, err = encodeHeader(i.Header); err != nil {
			return nil, err
		}
	}
	if i.Body != "" {
		v.Body = &textJSON{i.Body}
	}
	if i.Footer != "" {
		v.Footer = &textJSON{i.Footer}
	}
	return json.Marshal(v)
}

// encodeHeader writes a header, whose value stands under the name of its type.
func encodeHeader(h InteractiveHeader) ([]byte, error) {
	raw, err := h.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"type":%q,%[1]q:%s}`, h.headerType(), raw), nil
}

// UnmarshalJSON reads what MarshalJSON writes. An action of an unknown type becomes a *[RawAction].
func (i *Interactive) UnmarshalJSON(b []byte) error {
	var v interactiveJSON
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*i = Interactive{}
	if v.Body != nil {
		i.Body = v.Body.Text
	}
	if v.Footer != nil {
		i.Footer = v.Footer.Text
	}
	var err error
	if i.Header, err = decodeHeader(v.Header); err != nil {
		return err
	}
	i.Action, err = decodeAction(v.Type, v.Action)
	return err
}

// decodeHeader reads a header; none, and a null, are nil. A type that is unknown here is an error
// and no raw header, because there is no such type: a message that lost its header would say less
// than the host meant.
func decodeHeader(raw json.RawMessage) (InteractiveHeader, error) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	var v struct {
		Type     string    `json:"type"`
		Text     *string   `json:"text"`
		Image    *Image    `json:"image"`
		Video    *Video    `json:"video"`
		Document *Document `json:"document"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	switch {
	case v.Type == "text" && v.Text != nil:
		return &TextHeader{*v.Text}, nil
	case v.Type == "image" && v.Image != nil:
		return v.Image, nil
	case v.Type == "video" && v.Video != nil:
		return v.Video, nil
	case v.Type == "document" && v.Document != nil:
		return v.Document, nil
	}
	return nil, fmt.Errorf("cloudapi: a header of type %.20q that is not text, image, video or document", v.Type)
}

// MessageType is "interactive".
func (*Interactive) MessageType() string { return "interactive" }

// Summary is the body.
func (i *Interactive) Summary() string { return i.Body }

// check checks the parts that stand around the action by the action's frame, and then the action.
func (i *Interactive) check(p *problems) {
	if i == nil {
		p.missing("the Interactive is nil")
		return
	}
	if isNil(i.Action) {
		p.missing("Interactive.Action is nil")
		return
	}
	f := i.Action.frame()
	i.checkHeader(p, f)
	maxBody := f.maxBody
	if maxBody == 0 {
		maxBody = 1024
	}
	if !f.bodyOptional {
		p.required("Interactive.Body", i.Body)
	}
	p.atMost("Interactive.Body", i.Body, maxBody)
	if i.Footer != "" && f.noFooter {
		p.limit("Interactive.Footer is set; a message of type %q has none", i.Action.InteractiveType())
	}
	p.atMost("Interactive.Footer", i.Footer, 60)
	i.Action.check(p)
}

// checkHeader reports a header that the action does not have, and the lack of one that it needs.
// Files of headers have no captions.
func (i *Interactive) checkHeader(p *problems, f frame) {
	if isNil(i.Header) {
		if i.Header != nil {
			p.missing("Interactive.Header is nil inside")
		} else if f.needsHeader {
			p.put(true, true, "Interactive.Header is nil; a message of this type needs one with text", nil)
		}
		return
	}
	var fits bool
	switch h := i.Header.(type) {
	case *TextHeader:
		fits = f.textHeader
		p.text("Interactive.Header.Text", h.Text, 60)
	case *Image:
		fits = f.mediaHeader
		checkHeaderFile(p, h.MediaSource, h.Caption)
	case *Video:
		fits = f.mediaHeader && !f.noVideo
		checkHeaderFile(p, h.MediaSource, h.Caption)
	case *Document:
		fits = f.mediaHeader && !f.noVideo
		checkHeaderFile(p, h.MediaSource, h.Caption)
	}
	if !fits {
		p.limit("Interactive.Header is one of type %q, which a message of type %q does not have",
			i.Header.headerType(), i.Action.InteractiveType())
	}
}

func checkHeaderFile(p *problems, m MediaSource, caption string) {
	m.check(p, "Interactive.Header")
	if caption != "" {
		p.limit("Interactive.Header has a Caption, which headers do not show")
	}
}

func (i *Interactive) sensitive() []string { return privateStrings(i) }

// A RawAction is an action that has no type here yet. Nothing about it is checked but that it is
// JSON.
type RawAction struct {
	// Type is the interactive type, such as "button".
	Type string

	// JSON is the value of the member "action".
	JSON json.RawMessage
}

// MarshalJSON returns the JSON as it is.
func (r *RawAction) MarshalJSON() ([]byte, error) { return r.JSON, nil }

// InteractiveType is the Type.
func (r *RawAction) InteractiveType() string { return r.Type }

func (*RawAction) frame() frame {
	return frame{textHeader: true, mediaHeader: true, bodyOptional: true, maxBody: 4096}
}

func (r *RawAction) check(p *problems) {
	if !wireNameRe.MatchString(r.Type) {
		p.add("RawAction.Type is not an interactive type")
	}
	if !json.Valid(r.JSON) {
		p.add("RawAction.JSON is not valid JSON")
	}
}
