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
	_, err = client.Media.Download(t.Context(), cloudapi.MediaDownload{URL: files[0].URL}, new(bytes.Buffer))
	require.Error(t, err)
}
