package cloudapi

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MediaService uploads and downloads the files of messages.
type MediaService service

// A MediaUpload is a file to upload.
type MediaUpload struct {
	// MIMEType is the file's MIME type, such as "image/jpeg". Meta looks at it and at the file.
	MIMEType string

	// Filename is the file's name. If empty, "file". People see the name of a [Document], not this
	// one.
	Filename string

	// Body is the file. It is streamed. If it is an [io.Seeker], as files are, it can be sent again
	// after a refusal; else an upload is tried once.
	Body io.Reader

	// Size is the number of bytes. If zero, it is found out from an [io.Seeker].
	Size int64
}

// maxMedia are the documented sizes, by the part of the type before the slash.
var maxMedia = map[string]int64{"image": 5 << 20, "video": 16 << 20, "audio": 16 << 20}

// check checks an upload before its file is looked at.
func (u MediaUpload) check(p *problems) {
	_, _, ok := strings.Cut(u.MIMEType, "/")
	switch {
	case u.MIMEType == "":
		p.missing("MediaUpload.MIMEType is empty; Meta wants a MIME type such as image/jpeg")
	case !ok || strings.ContainsAny(u.MIMEType, "\r\n"):
		p.add("MediaUpload.MIMEType is not a MIME type such as image/jpeg")
	}
	if u.Body == nil {
		p.missing("MediaUpload.Body is nil")
	}
	if u.Size < 0 {
		p.add("MediaUpload.Size is negative")
	}
	u.checkSize(p, u.Size)
}

// checkSize checks a size by Meta's limits for the MIME type. WebP has that of an animated sticker,
// which is the larger one; all types that are not listed have that of documents.
func (u MediaUpload) checkSize(p *problems, size int64) {
	kind, _, _ := strings.Cut(u.MIMEType, "/")
	limit, ok := maxMedia[kind]
	switch {
	case u.MIMEType == "image/webp":
		limit = 500 << 10
	case !ok:
		limit = 100 << 20
	}
	if size > limit {
		p.limit("MediaUpload.Size is %d bytes; Meta accepts %d of type %s", size, limit, kind)
	}
}

// Upload stores a file for messages of one number. The id works for 30 days, as often as needed,
// and only for that number; it is no [graph.UploadHandle], which templates and profiles need.
//
// An upload is not repeated blindly, but a file that was stored twice does no harm: after an error
// it can simply be uploaded again.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
//
// graph:POST /{phone-number-id}/media
func (s *MediaService) Upload(ctx context.Context, phone graph.PhoneNumberID, u MediaUpload) (graph.MediaID, error) {
	var p problems
	if u.check(&p); p.err() != nil {
		return "", p.err()
	}
	body, err := u.form("file", [][2]string{{"messaging_product", "whatsapp"}, {"type", u.MIMEType}})
	if err != nil {
		return "", err
	}
	resp, err := call[mediaUploaded](ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/media", ids: []string{string(phone)}, phone: phone,
		upload: body, sensitive: []string{u.Filename},
	})
	if err != nil {
		return "", err
	}
	return resp.ID, nil
}

// form is a body with the file under the name of field, whose size is checked now that it is known.
func (u MediaUpload) form(field string, fields [][2]string) (*payload, error) {
	body, err := multipartFile(fields, field, cmp.Or(u.Filename, "file"), u.MIMEType, u.Body, u.Size)
	if err != nil {
		return nil, err
	}
	var p problems
	u.checkSize(&p, body.size)
	return body, p.err()
}

type mediaUploaded struct {
	ID graph.MediaID `json:"id"`
}

func (m *mediaUploaded) incomplete() string { return withoutID(m.ID) }

// A MediaFile describes a file at Meta.
type MediaFile struct {
	ID graph.MediaID `json:"id"`

	// URL is the address of the file, for five minutes. It needs the token, so let
	// [MediaService.Download] fetch it. Do not log it.
	URL string `json:"url"`

	MIMEType string `json:"mime_type"`

	// SHA256 is the checksum in hex.
	SHA256 string `json:"sha256"`

	// FileSize is the number of bytes, which Meta writes as a number or as a string.
	FileSize int64 `json:"file_size"`

	Resource
}

func (m *MediaFile) incomplete() string {
	if m.URL == "" {
		return "the answer has no url"
	}
	return ""
}

// MediaOptions are the options of [MediaService.Get] and [MediaService.Delete].
type MediaOptions struct {
	// PhoneNumberID makes Meta check that the file belongs to the number. If empty, it is not
	// checked.
	PhoneNumberID graph.PhoneNumberID `url:"phone_number_id,omitempty"`
}

// Get returns where a file is and what it is, for uploaded and received ones.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
//
// graph:GET /{media-id}
func (s *MediaService) Get(ctx context.Context, id graph.MediaID, opts MediaOptions) (*MediaFile, error) {
	return call[MediaFile](ctx, s.c, request{
		method: http.MethodGet, path: "/{media-id}", ids: []string{string(id)}, phone: opts.PhoneNumberID,
		options: opts,
	})
}

// Delete removes a file.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
//
// graph:DELETE /{media-id}
func (s *MediaService) Delete(ctx context.Context, id graph.MediaID, opts MediaOptions) error {
	_, err := call[success](ctx, s.c, request{
		method: http.MethodDelete, path: "/{media-id}", ids: []string{string(id)}, phone: opts.PhoneNumberID,
		options: opts,
		replay:  RetryIdempotent,
	})
	return err
}
