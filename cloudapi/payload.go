package cloudapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/hashicorp/go-retryablehttp"
)

// A payload is the body of a request that is not JSON. Files are streamed and never held in memory.
type payload struct {
	contentType string
	head, tail  []byte // around the file
	file        io.Reader
	size        int64 // of the file; -1 if unknown
	start       int64 // where in file it begins, if that can be sought
	touched     bool  // the file was read from

	resumable bool  // a part of a resumable upload, which begins at offset
	offset    int64 // of what is sent in the whole
}

// form is a body of name and value, as old edges of the Graph API want it.
func form(values url.Values) *payload {
	return &payload{
		contentType: "application/x-www-form-urlencoded", head: []byte(values.Encode()), file: strings.NewReader(""),
	}
}

// multipartFile is a form with one file whose part carries its real type: Meta refuses
// application/octet-stream, which multipart.Writer writes.
func multipartFile(fields [][2]string, field, name, mimeType string, file io.Reader, size int64) (*payload, error) {
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	for _, f := range fields {
		if err := w.WriteField(f[0], f[1]); err != nil {
			return nil, err
		}
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename="%s"`, field, quoteEscaper.Replace(name)))
	h.Set("Content-Type", mimeType)
	if _, err := w.CreatePart(h); err != nil {
		return nil, err
	}
	p := &payload{contentType: w.FormDataContentType(), file: file, size: size}
	p.head = bytes.Clone(head.Bytes())
	head.Reset()
	if err := w.Close(); err != nil {
		return nil, err
	}
	p.tail = bytes.Clone(head.Bytes())
	return p, p.measure()
}

// quoteEscaper keeps a file name inside its quotes, and inside its line.
var quoteEscaper = strings.NewReplacer("\\", "\\\\", `"`, "\\\"", "\r", "_", "\n", "_")

// measure finds out where a file begins and how long it is, and leaves it where it was. Without an
// [io.Seeker] the size is what the caller said, or unknown: the request is then sent in chunks.
func (p *payload) measure() error {
	seeker, ok := p.file.(io.Seeker)
	if !ok {
		if p.size <= 0 {
			p.size = -1
		}
		return nil
	}
	var err error
	if p.start, err = seeker.Seek(0, io.SeekCurrent); err != nil {
		return errors.New("cloudapi: the file says that it can be sought and cannot")
	}
	if p.size > 0 {
		return nil
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = seeker.Seek(p.start, io.SeekStart)
	}
	if err != nil {
		return errors.New("cloudapi: the file says that it can be sought and cannot")
	}
	p.size = end - p.start
	return nil
}

var errSpent = errors.New(
	"cloudapi: the file cannot be read a second time; give an io.Seeker to have uploads repeated")

// reader opens the body again for every attempt. A file that was read from and cannot be sought
// ends the retries: half of it would be sent as the whole.
func (p *payload) reader() retryablehttp.ReaderFunc {
	return func() (io.Reader, error) {
		if p.touched {
			seeker, ok := p.file.(io.Seeker)
			if !ok {
				return nil, errSpent
			}
			if _, err := seeker.Seek(p.start, io.SeekStart); err != nil {
				return nil, errSpent
			}
			p.touched = false
		}
		file := io.Reader(touching{p})
		if p.size >= 0 {
			file = io.LimitReader(file, p.size)
		}
		all := io.MultiReader(bytes.NewReader(p.head), file, bytes.NewReader(p.tail))
		if p.size < 0 {
			return all, nil
		}
		return sized{all, len(p.head) + int(p.size) + len(p.tail)}, nil
	}
}

// touching remembers that the file was read from.
type touching struct{ p *payload }

func (t touching) Read(b []byte) (int, error) {
	t.p.touched = true
	return t.p.file.Read(b)
}

// sized tells go-retryablehttp how long a body is.
type sized struct {
	io.Reader
	n int
}

func (s sized) Len() int { return s.n }
