package main

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/media"
)

// fetchTime is how long the downloads try to get a file, which is a little more than what the inbox
// takes for its attempts.
const fetchTime = 9 * time.Hour

// A messageFile is the file of a message as a conversation shows it. The zero value is that of a
// message without a file.
type messageFile struct {
	Kept, Picture bool
	Missing       string // why it is not kept, in words
}

// file returns the file of a message. connected is when the number was connected: files of history
// are announced after that.
func (a *app) file(ctx context.Context, m coexistence.Message, connected time.Time) (f messageFile, err error) {
	if m.Media == nil || m.Revoked() || m.Origin == coexistence.OriginAPI { // what we send is not archived
		return f, nil
	}
	kept, err := a.openFile(ctx, m)
	if err == nil {
		return messageFile{Kept: true, Picture: kept.picture()}, kept.Close()
	}
	if !errors.Is(err, media.ErrNotKept) {
		return f, err
	}
	if time.Since(m.At) < fetchTime || time.Since(connected) < fetchTime {
		return messageFile{Missing: "not here yet"}, nil
	}
	return messageFile{Missing: "could not be fetched"}, nil
}

// A keptFile is a file of the archive, whose type is detected from its first bytes.
type keptFile struct {
	*media.File

	body *bufio.Reader
	kind string // a MIME type
}

// openFile opens the file of a message, or returns media.ErrNotKept.
func (a *app) openFile(ctx context.Context, m coexistence.Message) (*keptFile, error) {
	f, err := a.archive.Open(ctx, m)
	if err != nil {
		return nil, err
	}
	body := bufio.NewReader(f)
	head, err := body.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, f.Close())
	}
	return &keptFile{f, body, http.DetectContentType(head)}, nil
}

// picture reports whether a browser may show the file as a picture, whatever type the sender has
// named.
func (f *keptFile) picture() bool { return strings.HasPrefix(f.kind, "image/") }

// serveFile sends the file of a message: pictures are shown, everything else is saved. An error
// aborts a response that has begun, so that a browser does not take a part for the whole file.
func (a *app) serveFile(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	m, err := a.tracker.Store().Message(r.Context(), n.PhoneNumberID, graph.MessageID(r.PathValue("message")))
	if err != nil {
		return err
	}
	if m.Revoked() {
		return errNotFound
	}
	f, err := a.openFile(r.Context(), m)
	if errors.Is(err, media.ErrNotKept) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if !f.picture() {
		f.kind = "application/octet-stream"
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{
			"filename": fileName(m),
		}))
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "private, max-age=86400")
	if _, err := io.Copy(w, f.body); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// plainEnding matches a harmless file extension.
var plainEnding = regexp.MustCompile(`^\.[A-Za-z0-9]{1,8}$`)

// fileName returns a name for the file of a message. Of the sender's name it keeps only the
// extension.
func fileName(m coexistence.Message) string {
	kind, _, _ := mime.ParseMediaType(m.Media.MIMEType)
	for _, ending := range []string{path.Ext(m.Media.Filename), "." + path.Base(kind)} {
		if plainEnding.MatchString(ending) {
			return url.PathEscape(string(m.ID)) + ending
		}
	}
	return url.PathEscape(string(m.ID))
}

// exportAll writes everything stored about a person: lines of JSON, and the files of the messages
// in them, named after the ids of the messages.
func (a *app) exportAll(ctx context.Context, z *zip.Writer, c coexistence.Conversation) error {
	lines, err := z.Create("person.jsonl")
	if err == nil {
		err = a.db.Export(ctx, c.PhoneNumberID, c.ID, lines)
	}
	if err != nil {
		return err
	}
	for m, err := range a.tracker.Store().Messages(ctx, c.PhoneNumberID, c.ID) {
		if err == nil {
			err = a.exportFile(ctx, z, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// exportFile adds the file of a message, if there is one.
func (a *app) exportFile(ctx context.Context, z *zip.Writer, m coexistence.Message) error {
	f, err := a.archive.Open(ctx, m)
	if errors.Is(err, media.ErrNotKept) {
		return nil
	}
	if err != nil {
		return err
	}
	w, err := z.CreateHeader(&zip.FileHeader{
		Name: fmt.Sprint("files/", fileName(m)), Method: zip.Store, Modified: m.At, // pictures do not get smaller
	})
	if err == nil {
		_, err = io.Copy(w, f)
	}
	return errors.Join(err, f.Close())
}
