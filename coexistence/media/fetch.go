package media

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

var _ webhook.Handler = (*Archive)(nil)

// Split returns a receiver that hands each delivery to main, and then to downloads if a file is in
// it: in this order, the message is mostly in the store when its file is fetched. An error of
// either has Meta repeat the delivery; inboxes drop what they know.
func Split(main, downloads webhook.Receiver) webhook.Receiver {
	return webhook.ReceiverFunc(func(ctx context.Context, d webhook.Delivery) error {
		if err := main.Receive(ctx, d); err != nil {
			return err
		}
		if bytes.Contains(d.Body, []byte(`"sha256"`)) { // every file has one, and hardly anything else
			return downloads.Receive(ctx, d)
		}
		return nil
	})
}

// unknownAttempts is how often an event is tried whose message is not in the store. The tracker
// stores what is live within moments; a message that is not there after this many tries belongs to
// a number that is not followed, or to a person who was forgotten. History waits for all that is
// live, and a large one for itself, so that it is tried for backfillTime at least.
const (
	unknownAttempts = 8
	backfillTime    = 2 * time.Hour
)

// errUnknown asks for another try.
var errUnknown = errors.New("media: the message of a file is not in the store yet")

// Handle implements [webhook.Handler]: it fetches the file of an event, if it is not kept already.
// Events without a file are ignored.
func (a *Archive) Handle(ctx context.Context, ev webhook.Event) error {
	id, file := fileOf(ev)
	if file == nil || file.ID == "" || !a.wanted(file.MIMEType) {
		return nil
	}
	phone := ev.Info().PhoneNumberID
	m, err := a.cfg.Messages.Message(ctx, phone, id)
	switch {
	case errors.Is(err, coexistence.ErrNotFound), err == nil && (m.Media == nil || m.Media.ID != file.ID):
		if info, ok := inbox.FromContext(ctx); ok && info.Attempt >= unknownAttempts &&
			(!info.Backfill || time.Since(info.ReceivedAt) >= backfillTime) {
			return nil
		}
		return errUnknown
	case err != nil:
		return err
	}
	key := Key(phone, id)
	if kept, err := a.kept(ctx, key); kept || err != nil {
		return err
	}
	if err := a.fetch(ctx, key, m, file); err != nil {
		return lasting(err)
	}
	// The person may have been forgotten while the file arrived.
	if _, err := a.cfg.Messages.Message(ctx, phone, id); errors.Is(err, coexistence.ErrNotFound) {
		return a.cfg.Files.Delete(ctx, key)
	}
	return nil
}

// fetch downloads a file into the store. The download writes into a pipe, whose reader is what the
// store keeps: an error on one side ends the other one, with nothing kept.
func (a *Archive) fetch(ctx context.Context, key string, m coexistence.Message, file *webhook.Media) error {
	room, err := a.room(ctx, m.PhoneNumberID)
	if err != nil {
		return err
	}
	client, err := a.cfg.Client(ctx, m.PhoneNumberID)
	if err != nil {
		return err
	}
	d := m.MediaDownload()
	d.URL, d.MaxBytes = file.URL, room
	if file.SHA256 != "" {
		d.SHA256 = file.SHA256
	}
	r, w := io.Pipe()
	downloaded := make(chan error, 1)
	var size int64
	go func() {
		look := &sniffer{w: w, announced: file.MIMEType}
		result, err := client.Media.Download(ctx, d, look)
		if err == nil {
			size, err = result.Size, look.judge()
		}
		w.CloseWithError(err)
		downloaded <- err
	}()
	stored := a.cfg.Files.Put(ctx, key, r)
	r.CloseWithError(stored) // ends a download that the store does not take
	if err := <-downloaded; err != nil && (stored == nil || errors.Is(stored, err)) {
		if errors.Is(err, cloudapi.ErrMediaTooLarge) && room < a.cfg.MaxBytes {
			return ErrFull
		}
		return err
	}
	if stored == nil {
		a.count(m.PhoneNumberID, size)
	}
	return stored
}

// lasting marks an error that another try meets again, so that the event becomes a dead letter.
func lasting(err error) error {
	e, answered := errors.AsType[*cloudapi.Error](err)
	gone := answered && (e.StatusCode == http.StatusNotFound || e.StatusCode == http.StatusGone)
	for _, target := range []error{
		cloudapi.ErrMediaTooLarge, cloudapi.ErrMediaHost, cloudapi.ErrValidation, graph.ErrMedia, ErrType, ErrFull,
	} {
		gone = gone || errors.Is(err, target)
	}
	if gone {
		return webhook.Permanent(err)
	}
	return err
}

// A sniffer passes a file on and looks at how it begins.
type sniffer struct {
	w         io.Writer
	announced string
	head      []byte // the first bytes, at most 512
}

func (s *sniffer) Write(p []byte) (int, error) {
	if missing := 512 - len(s.head); missing > 0 {
		s.head = append(s.head, p[:min(missing, len(p))]...)
	}
	return s.w.Write(p)
}

// judge reports [ErrType] for a page that claims to be something else, and for a picture that is a
// film or the like. What cannot be distinguished passes.
func (s *sniffer) judge() error {
	announced, found := kind(s.announced), kind(http.DetectContentType(s.head))
	switch {
	case found == "page" && announced != "text", found == "image" && announced == "sound",
		found == "sound" && announced == "image":
		return ErrType
	}
	return nil
}

// kind is the first part of a MIME type. Films and sounds are one: their containers are the same.
func kind(mimeType string) string {
	t, _, err := mime.ParseMediaType(mimeType)
	if err != nil {
		t = mimeType
	}
	main, _, _ := strings.Cut(strings.ToLower(t), "/")
	switch {
	case t == "text/html":
		return "page"
	case main == "video", main == "audio", t == "application/ogg":
		return "sound"
	}
	return main
}

// fileOf returns the file that an event tells of, nil if there is none, and the message that it
// belongs to.
func fileOf(ev webhook.Event) (graph.MessageID, *webhook.Media) {
	switch ev := ev.(type) {
	case *webhook.IncomingMessage:
		return ev.ID, webhook.ContentMedia(ev.Content)
	case *webhook.StandbyMessage:
		return ev.Message.ID, webhook.ContentMedia(ev.Message.Content)
	case *webhook.BusinessAppEcho:
		return ev.ID, webhook.ContentMedia(ev.Content)
	case *webhook.HistoryMedia:
		return ev.ID, webhook.ContentMedia(ev.Content)
	default:
		return "", nil
	}
}
