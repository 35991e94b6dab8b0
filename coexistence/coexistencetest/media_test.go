package coexistencetest_test

import (
	"bytes"
	"image/jpeg"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func TestTheFileOfAMessageCanBeDownloadedForFiveMinutes(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{
		Conversations: []coexistencetest.PastConversation{{
			With:     coexistencetest.CustomerConfig{PhoneNumber: "+1 555-010-0150"},
			Messages: []coexistencetest.PastMessage{{Age: time.Hour, Content: coexistencetest.Document("a.pdf", "")}},
		}},
	})
	phone.Customer("+1 555-010-0142").SendContent(coexistencetest.Image("look"))
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	wait(t, world)
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(t, err)
	client = client.WithToken(token)

	var files []webhook.Media
	for _, body := range h.received() {
		events, err := webhook.Decode([]byte(body))
		require.NoError(t, err)
		for _, ev := range events {
			switch ev := ev.(type) {
			case *webhook.IncomingMessage:
				files = append(files, ev.Content.(*webhook.Image).Media)
			case *webhook.HistoryMedia:
				files = append(files, ev.Content.(*webhook.Document).Media)
			}
		}
	}
	require.Len(t, files, 2)
	for _, f := range files {
		var b bytes.Buffer
		got, err := client.Media.Download(t.Context(), cloudapi.MediaDownload{URL: f.URL, SHA256: f.SHA256}, &b)
		require.NoError(t, err)
		require.Equal(t, f.MIMEType, got.MIMEType)
		require.NotZero(t, got.Size)
		if f.MIMEType == "image/jpeg" {
			_, err := jpeg.Decode(&b)
			require.NoError(t, err)
		}
	}
	resp, err := http.Get(files[0].URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode, "without a token")
	world.Advance(6 * time.Minute)
	for _, f := range files {
		_, err = client.Media.Download(t.Context(), cloudapi.MediaDownload{URL: f.URL}, new(bytes.Buffer))
		require.Error(t, err)
		for _, url := range []string{"", f.URL} { // the id works on
			got, err := client.Media.Download(t.Context(), cloudapi.MediaDownload{
				ID: f.ID, URL: url, PhoneNumberID: phone.ID(), SHA256: f.SHA256,
			}, new(bytes.Buffer))
			require.NoError(t, err)
			require.Equal(t, f.MIMEType, got.MIMEType)
		}
	}
}

func TestAFileGoesWithItsMessage(t *testing.T) {
	t.Parallel()
	world, h, phone, _ := connected(t, coexistencetest.Config{KeepLast: 4}, coexistencetest.PhoneConfig{})
	ada := phone.Customer("+1 555-010-0142")
	ada.SendContent(coexistencetest.Image("look"))
	wait(t, world)
	shown := phone.Chat(ada)
	id := shown[len(shown)-1].MediaID
	require.NotEmpty(t, h.received())
	_, known := world.Graph().Media(id)
	require.True(t, known)
	for range 6 {
		ada.Send("and now?")
	}
	wait(t, world)
	_, known = world.Graph().Media(id)
	require.False(t, known)
	_, _, known = world.MediaFile(id)
	require.False(t, known)
}
