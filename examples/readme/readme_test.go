package readme

import (
	"bytes"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func TestReceive(t *testing.T) {
	var out bytes.Buffer
	log.SetOutput(&out)
	defer log.SetOutput(os.Stderr)
	endpoint, err := receive(webhook.Config{AppSecret: "made-up-app-secret", VerifyToken: "made-up-verify-token"})
	require.NoError(t, err)
	answer := httptest.NewRecorder()
	endpoint.ServeHTTP(answer, webhooktest.NewRequest(webhooktest.Sample("messages", "text"), "made-up-app-secret"))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Contains(t, out.String(), "Alma Reyes wrote Do you have the blue one in stock?")
}

func TestSend(t *testing.T) {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	sent, err := send(t.Context(), srv.ClientConfig(), srv.AddPhone(cloudapitest.Phone{}).ID)
	require.NoError(t, err)
	require.Len(t, srv.Sent(), 1)
	require.Equal(t, srv.Sent()[0].ID, sent.ID)
	require.Equal(t, "Your order is on its way.", srv.Sent()[0].Text())
}

func TestConnect(t *testing.T) {
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(t, err)
	flow, err := connect(client, world.ConfigurationID())
	require.NoError(t, err)
	connection, err := coexistencetest.SignUp(t.Context(), flow, phone, coexistencetest.HistoryShared)
	require.NoError(t, err)
	require.Equal(t, phone.ID(), connection.Phone.ID)
	require.Equal(t, phone.ID(), connected.Phone.ID)
}
