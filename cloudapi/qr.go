package cloudapi

import (
	"context"
	"iter"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A QRService makes links and QR codes that open a chat with a number, with a text to begin with.
type QRService service

// A QRCode is a link with its QR code.
type QRCode struct {
	// Code names the code, in 14 characters that Meta chooses.
	Code string `json:"code"`

	// Prefilled is the text that the chat begins with, at most 140 characters.
	Prefilled string `json:"prefilled_message"`

	// URL is the link that opens the chat, which the picture holds as well.
	URL string `json:"deep_link_url"`

	// ImageURL is the picture, where one was asked for.
	ImageURL string `json:"qr_image_url"`

	// CreatedAt is when it was made, where it was asked for.
	CreatedAt graph.Timestamp `json:"creation_time"`

	Resource
}

func (q *QRCode) incomplete() string {
	if q.Code == "" {
		return "the answer has no code"
	}
	return ""
}

// A QRImage is the format of a QR code's picture. Meta may add values.
type QRImage string

const (
	QRPNG QRImage = "PNG"
	QRSVG QRImage = "SVG"
)

// QROptions are the options of [QRService.List] and [QRService.Get].
type QROptions struct {
	// Image asks for the picture of each code. If empty, there is none.
	Image QRImage
}

// fields asks for the format of a picture as Meta expects it, as a call on the field.
func (o QROptions) fields() fieldsOption {
	fields := []string{"code", "prefilled_message", "deep_link_url"}
	if o.Image != "" {
		fields = append(fields, "qr_image_url.format("+string(o.Image)+")")
	}
	return fieldsOption{fields}
}

// List walks through the codes of a number.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/qr-codes
//
// graph:GET /{phone-number-id}/message_qrdls
func (s *QRService) List(ctx context.Context, phone graph.PhoneNumberID, opts QROptions) iter.Seq2[*QRCode, error] {
	return list[QRCode](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/message_qrdls", ids: []string{string(phone)}, phone: phone,
		options: opts.fields(),
	})
}

// Get reads one code.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/qr-codes
//
// graph:GET /{phone-number-id}/message_qrdls/{qr-code-id}
func (s *QRService) Get(ctx context.Context, phone graph.PhoneNumberID, code string, opts QROptions) (*QRCode, error) {
	return first[QRCode](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/message_qrdls/{qr-code-id}",
		ids: []string{string(phone), code}, phone: phone, options: opts.fields(),
	})
}

// QRCreateParams are the parameters of [QRService.Create].
type QRCreateParams struct {
	// PrefilledMessage is the text that the chat begins with, at most 140 characters.
	PrefilledMessage string

	// Image asks for the picture of the code. If empty, there is none.
	Image QRImage
}

// QRUpdateParams are the parameters of [QRService.Update].
type QRUpdateParams struct {
	// PrefilledMessage is the text that the chat begins with, at most 140 characters.
	PrefilledMessage string
}

// Create makes a code that begins a chat. A number has 2,000 codes at most.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/qr-codes
//
// graph:POST /{phone-number-id}/message_qrdls
func (s *QRService) Create(
	ctx context.Context, phone graph.PhoneNumberID, params QRCreateParams,
) (*QRCode, error) {
	return s.put(ctx, phone, "", params.PrefilledMessage, params.Image)
}

// Update changes the text of a code.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/qr-codes
//
// graph:POST /{phone-number-id}/message_qrdls code
func (s *QRService) Update(
	ctx context.Context, phone graph.PhoneNumberID, code string, params QRUpdateParams,
) (*QRCode, error) {
	if code == "" {
		return nil, invalid("the code is empty")
	}
	return s.put(ctx, phone, code, params.PrefilledMessage, "")
}

// put makes a code, or changes the one that is named: Meta has one call for both. It is not
// repeated blindly, since a code that is made twice counts twice.
func (s *QRService) put(
	ctx context.Context, phone graph.PhoneNumberID, code, prefilled string, image QRImage,
) (*QRCode, error) {
	var p problems
	if p.text("PrefilledMessage", prefilled, 140); p.err() != nil {
		return nil, p.err()
	}
	return send[QRCode](ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/message_qrdls", ids: []string{string(phone)}, phone: phone,
	}, struct {
		Code      string  `json:"code,omitzero"`
		Prefilled string  `json:"prefilled_message"`
		Image     QRImage `json:"generate_qr_image,omitzero"`
	}{code, prefilled, image})
}

// Delete removes a code. Its link and printed pictures open the chat no more.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/qr-codes
//
// graph:DELETE /{phone-number-id}/message_qrdls/{qr-code-id}
func (s *QRService) Delete(ctx context.Context, phone graph.PhoneNumberID, code string) error {
	return do(ctx, s.c, request{
		method: http.MethodDelete, path: "/{phone-number-id}/message_qrdls/{qr-code-id}",
		ids: []string{string(phone), code}, phone: phone, replay: RetryIdempotent,
	}, nil)
}
