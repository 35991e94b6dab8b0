package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// childEnv makes the test binary the program.
const childEnv = "CONNECT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A business goes through the page, the popup and its phone, and the program is notified.
func TestABusinessConnects(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555 010 0199"})
	url, log := start(t, world)

	var begun struct {
		State  string          `json:"state"`
		Launch json.RawMessage `json:"launch"`
		SDK    string          `json:"sdk"`
	}
	post(t, url+"begin", struct{}{}, &begun)
	require.Equal(t, world.SDKURL(), begun.SDK)
	var checked struct {
		Eligible bool `json:"eligible"`
		Reasons  []struct{ Text, Remedy string }
	}
	post(t, url+"check", map[string]string{"number": "+234 803 555 0101", "app_version": "2.24.17.79"}, &checked)
	require.False(t, checked.Eligible)
	require.Contains(t, checked.Reasons[0].Remedy, "2026-04-15", "the day on which Meta lifted it")
	post(t, url+"check", map[string]string{"number": phone.PhoneNumber(), "app_version": "2.24.17.79"}, &checked)
	require.True(t, checked.Eligible)
	popup, err := world.OpenSignup(begun.Launch)
	require.NoError(t, err)
	result, err := popup.Complete(phone, coexistencetest.HistoryShared)
	require.NoError(t, err)
	state, err := json.Marshal(begun.State)
	require.NoError(t, err)
	var finished struct {
		Outcome string `json:"outcome"`
		Phone   string `json:"phone"`
	}
	post(t, url+"finish", map[string]json.RawMessage{
		"state": state, "session": result.Message, "callback": result.LoginResponse,
	}, &finished)
	require.Equal(t, "ready", finished.Outcome)
	require.Equal(t, phone.PhoneNumber(), finished.Phone)
	require.Eventually(t, func() bool { // its log comes through a pipe
		return strings.Contains(log.String(), "bakery connected number "+string(phone.ID()))
	}, 30*time.Second, time.Millisecond, "%s", log)
}

func TestTheProgramListsWhatIsNotSet(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = []string{childEnv + "=1"}
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "ConfigurationID")
}

// start runs the program before the simulator, and returns where its page is and what it logs.
func start(t *testing.T, world *coexistencetest.World) (url string, log *output) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close()) // for the program
	app := world.ClientConfig()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = []string{
		childEnv + "=1", "ADDR=" + addr,
		"META_APP_ID=" + string(app.AppID), "META_APP_SECRET=" + app.AppSecret.Reveal(),
		"META_CONFIGURATION_ID=" + world.ConfigurationID(),
		"META_GRAPH_URL=" + app.BaseURL, "META_SDK_URL=" + world.SDKURL(),
	}
	log = new(output)
	cmd.Stderr = log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	url = "http://" + addr + "/signup/"
	require.Eventually(t, func() bool {
		resp, err := http.Get(url)
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond, "%s", log)
	return url, log
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

// An output is what the program writes, even while it is read.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
