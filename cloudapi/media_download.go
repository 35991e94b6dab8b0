package cloudapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

var (
	// ErrMediaTooLarge is a file above [MediaDownload].MaxBytes.
	ErrMediaTooLarge = errors.New(
		"cloudapi: the file is larger than MediaDownload.MaxBytes; a larger one needs a higher limit")

	// ErrMediaChecksum is a file that is not the one that was announced.
	ErrMediaChecksum = errors.New(
		"cloudapi: the file does not have the announced SHA-256; discard it and download it again")

	// ErrMediaHost is a URL that the token must not be sent to.
	ErrMediaHost = errors.New(
		"cloudapi: the media URL is not one of Meta's media servers over https; give the ID instead")
)

// A MediaDownload says which file to fetch. ID or URL is required.
type MediaDownload struct {
	// ID is the file's, from a webhook or an upload.
	ID graph.MediaID

	// PhoneNumberID makes Meta check that the file belongs to the number; if empty, it is not
	// checked.
	PhoneNumberID graph.PhoneNumberID

	// URL is where the file is, from a webhook, which saves a call. It works for five minutes; with
	// an ID a fresh one is asked for once when it has expired.
	URL string

	// SHA256 is the checksum of the webhook, in hex or base64. If empty, what [MediaService.Get]
	// says, if it was called; else nothing is checked.
	SHA256 string

	// MaxBytes ends the download of a larger file. If zero, 100 MiB, the largest file there is.
	MaxBytes int64
}

// A MediaDownloadResult is a file that was fetched.
type MediaDownloadResult struct {
	// MIMEType is the type that the server named. It comes from the sender: check the file before
	// serving it to others.
	MIMEType string

	// Size is how many bytes were written, SHA256 their checksum in hex.
	Size   int64
	SHA256 string
}

// mediaHosts are the servers that get the token.
var mediaHosts = []string{"lookaside.fbsbx.com", "graph.facebook.com"}

// Download writes a file to w as it arrives. After an error, w holds nothing or a part that must
// not be used: a wrong checksum is known only at the end.
//
// The token goes to Meta's media servers only, over https, and to whatever [Config].BaseURL names;
// never to where a redirect points, which is an error here. Broken connections and errors of the
// server are tried again as long as nothing was written.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
//
// graph:GET /{media-url}
func (s *MediaService) Download(ctx context.Context, d MediaDownload, w io.Writer) (*MediaDownloadResult, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	if d.MaxBytes == 0 {
		d.MaxBytes = 100 << 20
	}
	fresh := d.URL == ""
	if fresh {
		if err := s.locate(ctx, &d); err != nil {
			return nil, err
		}
	}
	for attempt := 1; ; attempt++ {
		f := &fetch{c: s.c, download: d, attempt: attempt, sum: sha256.New()}
		err := f.run(ctx, w)
		refetch := !fresh && d.ID != "" && f.expired
		wait, again := f.next(ctx, refetch)
		f.report(ctx, err, wait, again)
		switch {
		case err == nil:
			return &MediaDownloadResult{f.mimeType, f.written, hex.EncodeToString(f.sum.Sum(nil))}, nil
		case !again || sleep(ctx, wait) != nil:
			return nil, err
		case refetch:
			fresh = true
			if err := s.locate(ctx, &d); err != nil {
				return nil, err
			}
		}
	}
}

// next says whether another attempt can do better, and how long to wait before it.
func (f *fetch) next(ctx context.Context, refetch bool) (time.Duration, bool) {
	retry := f.c.core.Reveal().cfg.Retry
	switch {
	case f.err == nil, f.written > 0, f.attempt >= retry.MaxAttempts, ctx.Err() != nil:
		return 0, false
	case refetch:
		return 0, true
	case !f.passing:
		return 0, false
	}
	return retry.pause(ctx, f.err, f.attempt)
}

// sleep waits for d, or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// check checks what can be known before a request.
func (d MediaDownload) check() error {
	var p problems
	if d.ID == "" && d.URL == "" {
		p.missing("MediaDownload has neither ID nor URL")
	}
	if d.MaxBytes < 0 {
		p.add("MediaDownload.MaxBytes is negative")
	}
	if d.SHA256 != "" && checksum(d.SHA256) == nil {
		p.add("MediaDownload.SHA256 is a checksum neither in hex nor in base64")
	}
	return p.err()
}

// locate asks for a fresh URL.
func (s *MediaService) locate(ctx context.Context, d *MediaDownload) error {
	file, err := s.Get(ctx, d.ID, MediaOptions{PhoneNumberID: d.PhoneNumberID})
	if err != nil {
		return err
	}
	d.URL = file.URL
	if d.SHA256 == "" && checksum(file.SHA256) != nil {
		d.SHA256 = file.SHA256
	}
	return nil
}

// checksum reads hex, which the API writes, and base64, which webhooks do.
func checksum(text string) []byte {
	if b, err := hex.DecodeString(text); err == nil && len(b) == sha256.Size {
		return b
	}
	for _, enc := range []*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	} {
		if b, err := enc.DecodeString(text); err == nil && len(b) == sha256.Size {
			return b
		}
	}
	return nil
}

// A fetch is one attempt to get a file.
type fetch struct {
	c        *Client
	download MediaDownload
	attempt  int // from 1
	sum      hash.Hash
	written  int64 // bytes that w took
	mimeType string
	started  time.Time
	answer   *Error // what is known of the answer; nil if nothing was asked
	err      *Error // nil for a success, and for errors that are not the server's
	passing  bool   // another attempt can do better
	expired  bool   // another URL can do better
	page     bool   // it may be a page about an error, which only a checksum tells
}

// run asks for the file and writes it to w. A host that is not trusted is refused before the token
// is put into a request, and redirects are not followed, since net/http would send the token along.
//
// It does not go through [invocation]: a file is no Graph answer, has no proof, and is streamed
// instead of read into memory.
func (f *fetch) run(ctx context.Context, w io.Writer) error {
	co := f.c.core.Reveal()
	target, err := url.Parse(f.download.URL)
	if err != nil || !trusted(target, co.cfg.BaseURL) {
		return ErrMediaHost
	}
	var p problems
	auth := f.c.authFor(&p, asClient)
	if err := p.err(); err != nil {
		return err
	}
	scrub := f.c.scrubber([]string{f.download.URL, target.RequestURI(), target.RawQuery, string(f.download.ID)})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.download.URL, nil)
	if err != nil {
		return ErrMediaHost
	}
	req.Header.Set("Authorization", "Bearer "+auth.token.Reveal())
	req.Header.Set("User-Agent", "whatsapp-coexistence")
	f.started = time.Now()
	resp, err := co.shared.Do(req)
	e := &Error{Method: http.MethodGet, PathTemplate: "/{media-url}", Outcome: OutcomeUnknown}
	f.answer = e
	if err != nil {
		e.cause, f.passing, f.err = scrub.cause(err), true, e
		return e
	}
	defer resp.Body.Close()
	e.Response = parseMeta(resp.StatusCode, resp.Header)
	scrub.cleanMeta(&e.Response)
	e.StatusCode, e.TraceID = resp.StatusCode, e.Response.TraceID
	if !f.judge(e, resp, scrub) {
		f.err = e
		return e
	}
	return f.copy(w, resp.Body, e, scrub)
}

// report tells log and observer about an attempt.
func (f *fetch) report(ctx context.Context, err error, wait time.Duration, again bool) {
	if f.answer == nil {
		return
	}
	e, cfg := f.answer, f.c.core.Reveal().cfg
	call := Attempt{
		Method: e.Method, Path: e.PathTemplate, PhoneNumberID: f.download.PhoneNumberID,
		Number: f.attempt, Final: !again, Wait: wait,
		Duration: time.Since(f.started), Status: e.StatusCode, Response: e.Response, Err: err,
	}
	if again {
		cfg.Logger.InfoContext(ctx, "graph call is repeated", "method", call.Method, "path", call.Path,
			"phone", call.PhoneNumberID,
			"attempt", f.attempt, "err", err, "wait", wait, "trace", e.TraceID)
	}
	if cfg.Observe != nil {
		cfg.Observe(ctx, call)
	}
}

// trusted reports whether the token may go to a URL: to Meta's media servers over https, or to the
// server of Config.BaseURL, which gets it with every other call.
func trusted(u *url.URL, base string) bool {
	if u.User != nil {
		return false
	}
	if u.Scheme == "https" && slices.Contains(mediaHosts, strings.ToLower(u.Host)) {
		return true
	}
	own, err := url.Parse(base)
	return err == nil && u.Scheme == own.Scheme && u.Host == own.Host
}

// judge looks at an answer before its body and reports whether it is the file. If not, it fills e
// in, and notes whether another attempt or another URL can do better.
func (f *fetch) judge(e *Error, resp *http.Response, scrub scrubber) bool {
	f.mimeType = resp.Header.Get("Content-Type")
	status := resp.StatusCode
	f.page = strings.HasPrefix(f.mimeType, "text/html")
	if status == http.StatusOK && (!f.page || f.download.SHA256 != "") {
		return true
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	switch {
	case e.decodeError(body):
		scrub.cleanError(e)
	case status == http.StatusOK:
		e.problem = webPage
	case status >= 300 && status < 400:
		e.problem = "the answer is a redirect, which is not followed: the token would travel along"
	default:
		e.problem = "HTTP status " + strconv.Itoa(status) + ", and the answer is " + describe(body)
	}
	f.expired = status == http.StatusNotFound || status == http.StatusGone
	f.passing = status == http.StatusTooManyRequests || status >= 500
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"))
	return false
}

// Meta's media servers have answered bad tokens with a page and status 200. A file that is a page
// can be distinguished from it by its checksum alone.
const webPage = "the answer is a web page and not the file; " +
	"check the token, and give the SHA256 of the webhook if the file may be a page"

// copy writes the file and checks its size and sum.
func (f *fetch) copy(w io.Writer, body io.Reader, e *Error, scrub scrubber) error {
	out := &mediaWriter{w: w}
	_, err := io.Copy(io.MultiWriter(out, f.sum), io.LimitReader(body, f.download.MaxBytes))
	f.written = out.n
	switch {
	case out.err != nil:
		return out.err // of the caller's writer, as it is
	case err != nil:
		e.problem, e.cause, f.passing, f.err = "the file broke off", scrub.cause(err), true, e
		return e
	}
	if f.written == f.download.MaxBytes {
		if n, _ := io.ReadFull(body, make([]byte, 1)); n > 0 {
			return ErrMediaTooLarge
		}
	}
	if want := checksum(f.download.SHA256); want != nil && !bytes.Equal(want, f.sum.Sum(nil)) {
		if f.page {
			e.problem = webPage
			return e
		}
		return ErrMediaChecksum
	}
	return nil
}

// A mediaWriter counts, and tells errors of the writer from those of the connection.
type mediaWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (m *mediaWriter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.n += int64(n)
	m.err = err
	return n, err
}
