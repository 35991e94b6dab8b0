package media_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/media"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

const (
	ada   = "15550100101"
	grace = "15550100102"

	locate = "GET /{media-id}"
)

var png = []byte("\x89PNG\r\n\x1a\n a picture")

// A host has a fake Meta with one number, a tracker and an archive over a folder.
type host struct {
	*cloudapitest.Server

	t       *testing.T
	phone   graph.PhoneNumberID
	dir     string
	store   *coexistence.MemStore
	tracker *coexistence.Tracker
	archive *media.Archive
}

// open returns a host whose archive is set as change does.
func open(t *testing.T, change func(*media.Config)) *host {
	t.Helper()
	h := &host{
		Server: cloudapitest.NewServer(cloudapitest.Config{}), t: t, dir: t.TempDir(),
		store: new(coexistence.MemStore),
	}
	t.Cleanup(h.Close)
	h.phone = h.AddPhone(cloudapitest.Phone{}).ID
	setup := h.ClientConfig()
	setup.Retry = cloudapi.RetryPolicy{MaxAttempts: 1}
	client, err := cloudapi.NewClient(setup)
	require.NoError(t, err)
	folder, err := media.OpenFolder(h.dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = folder.Close() })
	cfg := media.Config{
		Files: folder, Messages: h.store,
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	}
	if change != nil {
		change(&cfg)
	}
	h.archive, err = media.New(cfg)
	require.NoError(t, err)
	h.tracker, err = coexistence.NewTracker(coexistence.Config{Store: h.store, WrapForget: h.archive.Forget})
	require.NoError(t, err)
	return h
}

// file adds a file at Meta and returns what a webhook says of it.
func (h *host) file(mimeType string, body []byte) webhook.Media {
	m := h.AddMedia(cloudapitest.Media{PhoneNumberID: h.phone, MIMEType: mimeType, Body: body})
	return webhook.Media{ID: m.ID, MIMEType: mimeType, SHA256: m.SHA256(), URL: h.MediaURL(m.ID)}
}

// sent is a message of a customer with a picture.
func (h *host) sent(id graph.MessageID, from string, file webhook.Media) *webhook.IncomingMessage {
	return &webhook.IncomingMessage{
		EventInfo: h.info(), ID: id, From: graph.Identity{WAID: from}, Type: webhook.TypeImage,
		Content: &webhook.Image{Media: file},
	}
}

func (h *host) info() webhook.EventInfo {
	return webhook.EventInfo{Field: webhook.FieldMessages, PhoneNumberID: h.phone, At: time.Now().Truncate(time.Second)}
}

// handle hands an event to the tracker, and then to the archive.
func (h *host) handle(ev webhook.Event) error {
	h.t.Helper()
	require.NoError(h.t, h.tracker.Handle(h.t.Context(), ev))
	return h.archive.Handle(h.t.Context(), ev)
}

// read returns the file of a message, or nil if none is kept.
func (h *host) read(id graph.MessageID) []byte {
	h.t.Helper()
	m, err := h.store.Message(h.t.Context(), h.phone, id)
	require.NoError(h.t, err)
	f, err := h.archive.Open(h.t.Context(), m)
	if errors.Is(err, media.ErrNotKept) {
		return nil
	}
	require.NoError(h.t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	require.NoError(h.t, err)
	return b
}

// files counts what is in the folder, parts of files included.
func (h *host) files() (n int) {
	h.t.Helper()
	require.NoError(h.t, filepath.WalkDir(h.dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

func TestEachFileIsFetchedOnceWhicheverWayItCame(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	image := func() *webhook.Image { return &webhook.Image{Media: h.file("image/png", png)} }
	who := graph.Identity{WAID: ada}
	events := map[graph.MessageID]webhook.Event{
		"wamid.live": h.sent("wamid.live", ada, image().Media),
		"wamid.echo": &webhook.BusinessAppEcho{
			EventInfo: h.info(), ID: "wamid.echo", To: who, Type: webhook.TypeImage, Content: image(),
		},
		"wamid.history": &webhook.HistoryMedia{
			EventInfo: h.info(), ID: "wamid.history", From: who, Type: webhook.TypeImage, Content: image(),
		},
		"wamid.standby": &webhook.StandbyMessage{
			EventInfo: h.info(), Message: h.sent("wamid.standby", ada, image().Media),
		},
	}
	for range 2 {
		for id, ev := range events {
			require.NoError(t, h.handle(ev), id)
			require.Equal(t, png, h.read(id), id)
		}
	}
	require.Equal(t, len(events), h.files())
	require.Equal(t, len(events), h.Count("GET", "/{media-url}"))

	text := h.sent("wamid.text", ada, webhook.Media{})
	text.Content = &webhook.Text{Body: "hi"}
	require.NoError(t, h.handle(text))
	require.Nil(t, h.read("wamid.text"))
}

func TestWhatIsRefusedLeavesNothing(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change    func(*media.Config)
		file      func(h *host) webhook.Media
		permanent bool
		want      error
	}{
		"too large": {
			func(c *media.Config) { c.MaxBytes = 3 },
			func(h *host) webhook.Media { return h.file("image/png", png) }, true, cloudapi.ErrMediaTooLarge,
		},
		"another file": {nil, func(h *host) webhook.Media {
			m := h.file("image/png", png)
			m.SHA256 = h.file("image/png", []byte("another")).SHA256
			return m
		}, false, cloudapi.ErrMediaChecksum},
		"a page": {nil, func(h *host) webhook.Media {
			return h.file("image/png", []byte("<!DOCTYPE html><script>alert(1)</script>"))
		}, true, media.ErrType},
		"a picture as a sound": {
			nil, func(h *host) webhook.Media { return h.file("audio/ogg", png) }, true, media.ErrType,
		},
		"another host": {nil, func(h *host) webhook.Media {
			m := h.file("image/png", png)
			m.URL = "https://example.com/file"
			return m
		}, true, cloudapi.ErrMediaHost},
		"no room": {
			func(c *media.Config) { c.MaxNumberBytes = int64(len(png)) - 1 },
			func(h *host) webhook.Media { return h.file("image/png", png) }, true, media.ErrFull,
		},
		"no client": {
			func(c *media.Config) {
				c.Client = func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
					return nil, io.ErrNoProgress
				}
			},
			func(h *host) webhook.Media { return h.file("image/png", png) }, false, io.ErrNoProgress,
		},
		"a store that is full": {
			func(c *media.Config) { c.Files = failing{c.Files} },
			func(h *host) webhook.Media { return h.file("image/png", bytes.Repeat(png, 10_000)) }, false, errDisk,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, tt.change)
			err := h.handle(h.sent("wamid.1", ada, tt.file(h)))
			require.ErrorIs(t, err, tt.want)
			require.Equal(t, tt.permanent, webhook.IsPermanent(err))
			require.Zero(t, h.files())
			require.Nil(t, h.read("wamid.1"))
		})
	}
}

var errDisk = errors.New("the disk is full")

// A failing store takes a few bytes.
type failing struct{ media.Store }

func (failing) Put(_ context.Context, _ string, r io.Reader) error {
	_, _ = io.CopyN(io.Discard, r, 100)
	return errDisk
}

func TestOtherTypesArePassedOver(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *media.Config) { c.Types = []string{"audio/"} })
	require.NoError(t, h.handle(h.sent("wamid.1", ada, h.file("image/png", png))))
	require.Zero(t, h.files())
}

func TestANumberHasRoomAgainWhenSomethingIsForgotten(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *media.Config) { c.MaxNumberBytes = int64(2 * len(png)) })
	for i, from := range []string{ada, grace} {
		require.NoError(t, h.handle(h.sent(graph.MessageID(fmt.Sprint("wamid.", i)), from, h.file("image/png", png))))
	}
	third := h.sent("wamid.3", grace, h.file("image/png", png))
	require.ErrorIs(t, h.handle(third), media.ErrFull)
	r := coexistence.ForgetRequest{PhoneNumberID: h.phone, Person: ada}
	require.NoError(t, h.tracker.Forget(t.Context(), r))
	require.NoError(t, h.handle(third))
	require.Equal(t, png, h.read("wamid.3"))
}

func TestFilesAreForgottenWithTheirMessages(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		request coexistence.ForgetRequest
		left    int
	}{
		"a person":      {coexistence.ForgetRequest{Person: "+1 555 010-0101"}, 1},
		"what is old":   {coexistence.ForgetRequest{Before: time.Now().Add(-time.Hour)}, 2},
		"everything":    {coexistence.ForgetRequest{}, 0},
		"not a contact": {coexistence.ForgetRequest{Person: "15550100103"}, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, nil)
			old := h.sent("wamid.old", ada, h.file("image/png", png))
			old.At = time.Now().Add(-24 * time.Hour)
			for _, ev := range []*webhook.IncomingMessage{
				old, h.sent("wamid.1", ada, h.file("image/png", png)),
				h.sent("wamid.2", grace, h.file("image/png", png)),
			} {
				require.NoError(t, h.handle(ev))
			}
			tt.request.PhoneNumberID = h.phone
			for range 2 {
				require.NoError(t, h.tracker.Forget(t.Context(), tt.request))
				require.Equal(t, tt.left, h.files())
			}
		})
	}
}

// A person who is forgotten while the file arrives leaves none.
func TestAFileThatArrivesWhileItsPersonIsForgottenIsNotKept(t *testing.T) {
	t.Parallel()
	var h *host
	h = open(t, func(c *media.Config) {
		c.Files = late{c.Files, func() {
			r := coexistence.ForgetRequest{PhoneNumberID: h.phone, Person: ada}
			require.NoError(t, h.tracker.Forget(t.Context(), r))
		}}
	})
	require.NoError(t, h.handle(h.sent("wamid.1", ada, h.file("image/png", png))))
	require.Zero(t, h.files())
}

// A late store does something before it puts.
type late struct {
	media.Store

	before func()
}

func (l late) Put(ctx context.Context, key string, r io.Reader) error {
	l.before()
	return l.Store.Put(ctx, key, r)
}

// Downloads fail for a while; messages are handled meanwhile, and the inbox tries again.
func TestAFailingDownloadDelaysNoConversation(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	var handled atomic.Int64
	messages := webhook.HandlerFunc(func(context.Context, webhook.Event) error { handled.Add(1); return nil })
	start := func(handler webhook.Handler) *inbox.Inbox {
		in, err := inbox.New(new(inbox.MemStore), handler, inbox.Config{
			Backoff: func(int) time.Duration { return 10 * time.Millisecond },
		})
		require.NoError(t, err)
		require.NoError(t, in.Start(t.Context()))
		t.Cleanup(func() { _ = in.Shutdown(context.WithoutCancel(t.Context())) })
		return in
	}
	in, downloads := start(webhook.MultiHandler(h.tracker, messages)), start(h.archive)
	receiver := media.Split(in, downloads)

	h.Inject(cloudapitest.Fault{On: locate, Status: http.StatusServiceUnavailable, Body: "busy", Times: 3})
	file := h.file("image/png", png)
	file.URL = "" // so that it has to be asked for
	require.NoError(t, receiver.Receive(t.Context(), delivery(t, h.phone, "wamid.1", &file)))
	require.NoError(t, receiver.Receive(t.Context(), delivery(t, h.phone, "wamid.2", nil)))
	require.NoError(t, in.WaitIdle(t.Context()))
	require.EqualValues(t, 2, handled.Load())
	require.NoError(t, downloads.WaitIdle(t.Context()))
	require.Equal(t, png, h.read("wamid.1"))
	require.Equal(t, 4, h.Count("GET", "/{media-id}"))
	m, err := downloads.Metrics(t.Context())
	require.NoError(t, err)
	require.Zero(t, m.DeadLettered)
}

// What is not in the one inbox is not in the other one either, and Meta repeats it for both.
func TestAMessageIsReceivedBeforeItsFile(t *testing.T) {
	t.Parallel()
	var order []string
	var refuse string
	receiver := func(name string) webhook.Receiver {
		return webhook.ReceiverFunc(func(context.Context, webhook.Delivery) error {
			order = append(order, name)
			if refuse == name {
				return errDisk
			}
			return nil
		})
	}
	split := media.Split(receiver("main"), receiver("downloads"))
	d := delivery(t, "1", "wamid.1", &webhook.Media{ID: "1", SHA256: "c2hh"})
	for _, tt := range []struct {
		refuse string
		want   []string
	}{{"", []string{"main", "downloads"}}, {"main", []string{"main"}}, {"downloads", []string{"main", "downloads"}}} {
		order, refuse = nil, tt.refuse
		require.Equal(t, tt.refuse == "", split.Receive(t.Context(), d) == nil)
		require.Equal(t, tt.want, order)
	}
	order, refuse = nil, ""
	require.NoError(t, split.Receive(t.Context(), delivery(t, "1", "wamid.2", nil)))
	require.Equal(t, []string{"main"}, order)
}

// delivery is the body of a message, with a file or with a text.
func delivery(t *testing.T, phone graph.PhoneNumberID, id string, file *webhook.Media) webhook.Delivery {
	t.Helper()
	message := map[string]any{
		"from": ada, "id": id, "timestamp": fmt.Sprint(time.Now().Unix()), "type": "text",
		"text": map[string]any{"body": "hi"},
	}
	if file != nil {
		message["type"], message["image"] = "image", file
		delete(message, "text")
	}
	body, err := json.Marshal(map[string]any{
		"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": "1", "changes": []any{map[string]any{
			"field": "messages", "value": map[string]any{
				"messaging_product": "whatsapp",
				"metadata":          map[string]any{"phone_number_id": phone, "display_phone_number": "15550100100"},
				"contacts":          []any{map[string]any{"wa_id": ada}},
				"messages":          []any{message},
			},
		}}}},
	})
	require.NoError(t, err)
	return webhook.Delivery{Body: body, ReceivedAt: time.Now()}
}

func TestAFileOfAMessageThatIsNotStoredIsNotFetched(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	in, err := inbox.New(new(inbox.MemStore), h.archive, inbox.Config{
		Backoff: func(int) time.Duration { return time.Millisecond },
	})
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	file := h.file("image/png", png)
	require.NoError(t, in.Receive(t.Context(), delivery(t, h.phone, "wamid.1", &file)))
	require.NoError(t, in.WaitIdle(t.Context()))
	require.NoError(t, in.Shutdown(t.Context()))
	require.Zero(t, h.files())
	require.Zero(t, h.Count("GET", "/{media-url}"))
}

// A large history is handled long after it arrived, and its files are fetched then.
func TestTheFileOfAMessageOutOfHistoryIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		folder, err := media.OpenFolder(t.TempDir())
		require.NoError(t, err)
		defer folder.Close()
		store := new(coexistence.MemStore)
		tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
		require.NoError(t, err)
		var asked atomic.Int64
		archive, err := media.New(media.Config{
			Files: folder, Messages: store,
			Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
				asked.Add(1)
				return nil, cloudapi.ErrValidation // which is for good
			},
		})
		require.NoError(t, err)
		downloads, err := inbox.New(new(inbox.MemStore), archive, inbox.Config{})
		require.NoError(t, err)
		require.NoError(t, downloads.Start(t.Context()))
		d := delivery(t, "100000000000001", "wamid.1", &webhook.Media{ID: "1", MIMEType: "image/png", SHA256: "c2hh"})
		d.Body = bytes.ReplaceAll(d.Body, []byte(`"field":"messages"`), []byte(`"field":"history"`))
		require.NoError(t, downloads.Receive(t.Context(), d))
		time.Sleep(time.Hour)
		events, err := d.Events()
		require.NoError(t, err)
		require.IsType(t, new(webhook.HistoryMedia), events[0])
		require.NoError(t, tracker.Handle(t.Context(), events[0]))
		require.NoError(t, downloads.WaitIdle(t.Context()))
		require.EqualValues(t, 1, asked.Load())
		require.NoError(t, downloads.Shutdown(t.Context()))
	})
}

func TestAConfigNamesAllOfItsMistakes(t *testing.T) {
	t.Parallel()
	_, err := media.New(media.Config{MaxBytes: -1})
	for _, want := range []string{"Files", "Messages", "Client", "MaxBytes"} {
		require.ErrorContains(t, err, want)
	}
}

func TestAFolderHoldsItsPromises(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "files")
	f, err := media.OpenFolder(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	ctx := t.Context()
	one, two := media.Key("1", "wamid.1"), media.Key("1", "wamid.2")
	other := media.Key("../11", "wamid.1")
	require.NotContains(t, other, "..")
	for _, key := range []string{one, two, other} {
		require.NoError(t, f.Put(ctx, key, bytes.NewReader(png)))
	}
	broken := io.MultiReader(bytes.NewReader(png), errReader{})
	require.ErrorIs(t, f.Put(ctx, media.Key("1", "wamid.3"), broken), errDisk)
	size, err := f.Size(ctx, "1/")
	require.NoError(t, err)
	require.EqualValues(t, 2*len(png), size, "nothing is left of a file that broke off")
	require.NoError(t, f.Delete(ctx, one))
	require.NoError(t, f.Delete(ctx, one))
	_, err = f.Open(ctx, one)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, f.Delete(ctx, "1/"))
	_, err = f.Open(ctx, two)
	require.ErrorIs(t, err, fs.ErrNotExist)
	r, err := f.Open(ctx, other)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	size, err = f.Size(ctx, "1/")
	require.NoError(t, err)
	require.Zero(t, size)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077)
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errDisk }
