package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/media"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// aPicture is as much of a picture as a browser's type needs.
var aPicture = []byte("\xff\xd8\xff\xe0 a picture")

// keep puts a file into the archive, as a download does.
func (a *app) keep(t *testing.T, phone, message string, body []byte) {
	t.Helper()
	key := media.Key(graph.PhoneNumberID(phone), graph.MessageID(message))
	require.NoError(t, a.folder.Put(t.Context(), key, bytes.NewReader(body)))
}

// keptFiles counts what is in the archive.
func (a *app) keptFiles(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, fs.WalkDir(os.DirFS(a.settings.files), ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

// connectPhone takes a phone of the simulator through the signup, and has it deliver to the
// product.
func (a *app) connectPhone(t *testing.T, history coexistencetest.History) (*visitor, *stage) {
	t.Helper()
	s := &stage{t: t, world: a.meta.simulator.World, tokens: map[string]bool{}}
	s.phone = s.world.NewPhone(coexistencetest.PhoneConfig{Business: "Ovenbird Bakery", History: history})
	require.NoError(t, s.world.DeliverTo(a.url+"/webhook"))
	v := newVisitor(t, a.url)
	v.signUp("bakery")
	v.connect(s)
	return v, s
}

// fetchAll waits until everything is delivered, handled and fetched.
func (a *app) fetchAll(t *testing.T, s *stage) {
	t.Helper()
	require.NoError(t, s.world.WaitDelivered(t.Context()))
	require.NoError(t, a.inbox.WaitIdle(t.Context()))
	require.NoError(t, a.downloads.WaitIdle(t.Context()))
}

// Whatever picture a page shows is there: those of history, those that come now, and those of a
// number whose phone is being changed.
func TestEveryPictureOfAPageIsThere(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, s := a.connectPhone(t, coexistencetest.History{Messages: 300, Customers: 10, MediaPercent: 40})
	ada := s.phone.Customer("+1 555-010-0142")
	ada.SendContent(coexistencetest.Image("Is this the rye loaf?"))
	ada.SendContent(coexistencetest.Document("order.pdf", ""))
	s.phone.SendContent(ada, coexistencetest.Image("It is."))
	a.fetchAll(t, s)
	at := "/numbers/" + string(s.phone.ID())
	_, body := baker.get(at + "/inbox")
	chats := chatLink.FindAllStringSubmatch(body, -1)
	require.GreaterOrEqual(t, len(chats), 10)
	s.phone.ChangeDevice()
	a.fetchAll(t, s)
	pictures := 0
	for _, c := range chats {
		_, body := baker.get(at + "/inbox/" + c[1])
		require.NotContains(t, body, "not here yet")
		for _, p := range pictureAt.FindAllStringSubmatch(body, -1) {
			status, file := baker.get(p[1])
			require.Equal(t, http.StatusOK, status)
			require.True(t, strings.HasPrefix(file, "\xff\xd8\xff"), "a JPEG file")
			pictures++
		}
	}
	require.Greater(t, pictures, 3)

	// What is no picture is saved and never shown.
	_, body = baker.get(at + "/inbox/15550100142")
	where := link(body, `class="kind"`)
	require.NotEmpty(t, where)
	resp, err := baker.client.Get(a.url + where)
	require.NoError(t, err)
	_, file := baker.read(resp)
	require.True(t, strings.HasPrefix(file, "%PDF"))
	require.Equal(t, "application/octet-stream", resp.Header.Get("Content-Type"))
	require.Contains(t, resp.Header.Get("Content-Disposition"), "attachment")
	require.Contains(t, resp.Header.Get("Content-Disposition"), ".pdf")
}

// A file that is not in the archive is told of in words, and there is no broken picture.
func TestAFileThatIsNotKeptIsSaidInWords(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	at := "/numbers/" + bread["phone"]
	for i, age := range []time.Duration{time.Minute, fetchTime + time.Minute} {
		a.receive(t, bread["phone"], fmt.Sprintf(`{"from":"1555010017%d","id":"wamid.%[1]d","timestamp":"%[2]d",
			"type":"image","image":{"id":"77","mime_type":"image/jpeg"}}`, i, time.Now().Add(-age).Unix()))
	}
	// The second one was written before the number was connected, and told of after.
	for i, want := range []string{"not here yet", "not here yet"} {
		_, body := baker.get(fmt.Sprintf("%s/inbox/1555010017%d", at, i))
		require.Contains(t, body, want)
		require.NotContains(t, body, "<img src=\"/numbers")
		status, _ := baker.get(fmt.Sprintf("%s/media/wamid.%d", at, i))
		require.Equal(t, http.StatusNotFound, status)
	}
	m, err := a.tracker.Store().Message(t.Context(), graph.PhoneNumberID(bread["phone"]), "wamid.1")
	require.NoError(t, err)
	f, err := a.file(t.Context(), m, time.Time{})
	require.NoError(t, err)
	require.Equal(t, messageFile{Missing: "could not be fetched"}, f)

	// It comes after all; the sender's word for it is not what a browser is told.
	for message, body := range map[string][]byte{"wamid.0": aPicture, "wamid.1": []byte("<script>alert(1)</script>")} {
		a.keep(t, bread["phone"], message, body)
	}
	_, body := baker.get(at + "/inbox/15550100170")
	require.Contains(t, body, "<img src=\"/numbers")
	_, body = baker.get(at + "/inbox/15550100171")
	require.NotContains(t, body, "<img src=\"/numbers")
	resp, err := baker.client.Get(a.url + at + "/media/wamid.1")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "application/octet-stream", resp.Header.Get("Content-Type"))
	require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
}

// What the downloads have given up of a person goes with the person.
func TestAForgottenPersonIsNotAmongTheDownloads(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	for _, customer := range []string{"15550100171", "15550100172"} {
		body := fmt.Sprintf(`{"from":%q,"id":"wamid.%[1]s","timestamp":"%[2]d","type":"image",
			"image":{"id":"77","mime_type":"image/jpeg","sha256":"no checksum"}}`, customer, time.Now().Unix())
		a.receive(t, bread["phone"], body)
		require.NoError(t, a.downloads.Receive(t.Context(), webhook.Delivery{
			ReceivedAt: time.Now(), Body: delivered(bread["phone"], body),
		}))
	}
	dead := func() int64 {
		m, err := a.downloads.Metrics(t.Context())
		require.NoError(t, err)
		return int64(m.Dead)
	}
	require.NoError(t, a.downloads.WaitIdle(t.Context()))
	require.EqualValues(t, 2, dead())
	at := "/numbers/" + bread["phone"]
	status, _ := baker.post(at+"/people/15550100171/forget", url.Values{"confirmed": {"1"}})
	require.Equal(t, http.StatusSeeOther, status)
	require.EqualValues(t, 1, dead())
}
