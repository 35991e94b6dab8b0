package cloudapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An UploadsService uploads files for templates and profile pictures. They want a
// [graph.UploadHandle]; messages want a [graph.MediaID], which [MediaService] gives. It needs
// [Config].AppID.
type UploadsService service

// An uploadID names an upload under way.
type uploadID string

// uploadRe is what an upload id looks like. It holds a query, which must stay one, and nothing else
// that could lead elsewhere.
var uploadRe = regexp.MustCompile(`^upload:[A-Za-z0-9+/=_:-]+(\?[A-Za-z0-9=&%+/_.-]*)?$`)

// A FileUpload is a file to upload. All members are required.
type FileUpload struct {
	// Filename is the file's name, MIMEType its MIME type: application/pdf, image/jpeg, image/png
	// or video/mp4.
	Filename string
	MIMEType string

	// Size is the number of bytes.
	Size int64

	// Body is the file. An [io.Seeker] lets a broken upload go on where it stopped.
	Body io.Reader
}

// Upload uploads a file as a whole and returns its handle. If the connection breaks and the file
// can be sought, it asks how much arrived and sends the rest.
//
// Meta: https://developers.facebook.com/docs/graph-api/guides/upload
func (s *UploadsService) Upload(ctx context.Context, file FileUpload) (graph.UploadHandle, error) {
	if file.Body == nil {
		return "", invalid("FileUpload.Body is nil")
	}
	id, err := s.create(ctx, file)
	if err != nil {
		return "", err
	}
	attempts := s.c.core.Reveal().cfg.Retry.MaxAttempts
	seeker, canSeek := file.Body.(io.Seeker)
	var begin, offset int64
	if canSeek {
		if begin, err = seeker.Seek(0, io.SeekCurrent); err != nil {
			return "", errors.New("cloudapi: the file says that it can be sought and cannot")
		}
	}
	for attempt := 1; ; attempt++ {
		handle, err := s.appendTo(ctx, id, offset, file.Body, file.Size-offset)
		if err == nil {
			return handle, nil
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.hasCode() && !e.Transient || !canSeek || attempt >= attempts || ctx.Err() != nil {
			return "", err
		}
		wait, ok := s.c.core.Reveal().cfg.Retry.pause(ctx, e, attempt)
		if !ok || sleep(ctx, wait) != nil {
			return "", err
		}
		if offset, err = s.offset(ctx, id); err != nil {
			return "", err
		}
		if _, err := seeker.Seek(begin+offset, io.SeekStart); err != nil {
			return "", errors.New("cloudapi: the file cannot be sought to where its upload stopped")
		}
	}
}

// create begins an upload. Body is not looked at.
func (s *UploadsService) create(ctx context.Context, file FileUpload) (uploadID, error) {
	var p problems
	p.needs("FileUpload.Filename", file.Filename)
	p.needs("FileUpload.MIMEType", file.MIMEType)
	if file.Size <= 0 {
		p.missing("FileUpload.Size is not the number of bytes")
	}
	if err := p.err(); err != nil {
		return "", err
	}
	type options struct {
		Name string `url:"file_name"`
		Size int64  `url:"file_length"`
		Type string `url:"file_type"`
	}
	resp, err := call[uploadCreated](ctx, s.c, request{
		method: http.MethodPost, path: "/{app-id}/uploads", ids: []string{string(s.c.AppID())},
		options: options{file.Filename, file.Size, file.MIMEType}, sensitive: []string{file.Filename},
		replay: RetryIdempotent,
	})
	if err != nil {
		return "", err
	}
	return resp.ID, nil
}

type uploadCreated struct {
	ID uploadID `json:"id"`
}

func (u *uploadCreated) incomplete() string {
	if !uploadRe.MatchString(string(u.ID)) {
		return "the answer has no upload id"
	}
	return ""
}

// appendTo sends size bytes of a file from an offset on, and returns the handle once all of it is
// there.
func (s *UploadsService) appendTo(
	ctx context.Context, id uploadID, offset int64, body io.Reader, size int64,
) (graph.UploadHandle, error) {
	if size < 0 {
		return "", errors.New("cloudapi: Meta says that more of the file has arrived than there is")
	}
	part := &payload{contentType: "application/octet-stream", file: body, size: size, resumable: true, offset: offset}
	if err := part.measure(); err != nil {
		return "", err
	}
	resp, err := call[uploadDone](ctx, s.c, request{
		method: http.MethodPost, path: "/{upload-id}", ids: []string{string(id)}, upload: part,
		sensitive: []string{string(id)}, oauth: true, replay: RetryNever, // what arrived must be asked for first
	})
	if err != nil {
		return "", err
	}
	return resp.Handle, nil
}

type uploadDone struct {
	Handle graph.UploadHandle `json:"h"`
}

func (u *uploadDone) incomplete() string {
	if u.Handle == "" {
		return "the answer has no handle"
	}
	return ""
}

// offset returns how much of an upload has arrived, which is where it goes on.
func (s *UploadsService) offset(ctx context.Context, id uploadID) (int64, error) {
	resp, err := call[uploadOffset](ctx, s.c, request{
		method: http.MethodGet, path: "/{upload-id}", ids: []string{string(id)}, sensitive: []string{string(id)},
		oauth: true,
	})
	if err != nil {
		return 0, err
	}
	n, _ := strconv.ParseInt(string(resp.Offset), 10, 64)
	return n, nil
}

type uploadOffset struct {
	Offset flexString `json:"file_offset"`
}

func (u *uploadOffset) incomplete() string {
	if n, err := strconv.ParseInt(string(u.Offset), 10, 64); err != nil || n < 0 {
		return "the answer has no file_offset"
	}
	return ""
}
