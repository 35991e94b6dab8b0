package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A business connects at the page of the program, and the program asks for its contacts and history
// and takes them in. It goes on for as long as the test's process does.
func TestANumberIsFollowed(t *testing.T) {
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{
		PhoneNumber: "+1 555 010 0199", History: coexistencetest.History{Messages: 50},
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close()) // for the program
	app := world.ClientConfig()
	for name, value := range map[string]string{
		"ADDR": addr, "DB": filepath.Join(t.TempDir(), "whatsapp.db"),
		"KEYS":        "bWFkZSB1cCwgdGhpcnR5LXR3byBieXRlcyBsb25nISE=",
		"META_APP_ID": string(app.AppID), "META_APP_SECRET": app.AppSecret.Reveal(), "META_GRAPH_URL": app.BaseURL,
		"META_CONFIGURATION_ID": world.ConfigurationID(), "WEBHOOK_VERIFY_TOKEN": world.VerifyToken().Reveal(),
	} {
		t.Setenv(name, value)
	}
	go main()
	url := "http://" + addr + "/signup/"
	require.Eventually(t, func() bool {
		resp, err := http.Get(url)
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, world.DeliverTo("http://"+addr+"/webhook"))

	var begun struct {
		State  string          `json:"state"`
		Launch json.RawMessage `json:"launch"`
	}
	post(t, url+"begin", map[string]string{}, &begun)
	popup, err := world.OpenSignup(begun.Launch)
	require.NoError(t, err)
	result, err := popup.Complete(phone, coexistencetest.HistoryShared)
	require.NoError(t, err)
	state, err := json.Marshal(begun.State)
	require.NoError(t, err)
	var finished struct {
		Outcome string `json:"outcome"`
	}
	post(t, url+"finish", map[string]json.RawMessage{
		"state": state, "session": result.Message, "callback": result.LoginResponse,
	}, &finished)
	require.Equal(t, "ready", finished.Outcome)

	// Meta delivers the history only if it was asked for, and takes it as delivered only when it
	// was stored.
	require.NoError(t, world.WaitDelivered(t.Context()))
	history := 0
	for _, d := range world.Deliveries() {
		for _, field := range d.Fields {
			if field == "history" {
				history++
			}
		}
	}
	require.Positive(t, history, "the history was not asked for")
}

func post(t *testing.T, url string, in, out any) {
	t.Helper()
	b, err := json.Marshal(in)
	require.NoError(t, err)
	resp, err := http.Post(url, "application/json", bytes.NewReader(b))
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(answer))
	require.NoError(t, json.Unmarshal(answer, out))
}
