package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A program is a simulator that runs in the test.
type program struct {
	ready ready
	out   *safeBuffer
	stop  func() error
}

// start runs a simulator with arguments until the test ends, and waits for its ready line.
func start(t *testing.T, args ...string) program {
	t.Helper()
	s, err := parse(args, func(string) (string, bool) { return "", false }, io.Discard)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	p := program{out: &safeBuffer{}}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, p.out, s) }()
	p.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(time.Minute):
			return context.DeadlineExceeded
		}
	})
	t.Cleanup(func() { require.NoError(t, p.stop()) })
	require.Eventually(t, func() bool {
		_, line, found := strings.Cut(p.out.String(), `{"event":"ready"`)
		line, _, whole := strings.Cut(line, "\n")
		return found && whole && json.Unmarshal([]byte(`{"event":"ready"`+line), &p.ready) == nil
	}, 10*time.Second, time.Millisecond, "the ready line")
	return p
}

// address is a free one, for a program that is to be found there again.
func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", url, body)
	return string(body)
}

// What a host was told once is true in the next run: its settings hold addresses and secrets.
func TestTheProgramTellsAHostWhatItNeeds(t *testing.T) {
	t.Parallel()
	graph := address(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	err = run(t.Context(), io.Discard, settings{graph: taken.Addr().String()})
	require.ErrorContains(t, err, "choose another address with -graph")

	told := func() string {
		p := start(t, "-graph", graph, "-listen", "127.0.0.1:0", "-app-secret", "s", "-verify-token", "v")
		require.Contains(t, get(t, p.ready.SDK), "FB")
		require.NoError(t, p.stop())
		_, lines, _ := strings.Cut(p.out.String(), "openapi.yaml\n") // without addresses whose port was left open
		lines, _, _ = strings.Cut(lines, "webhooks to")
		return lines
	}
	first := told()
	for _, name := range []string{"graph API", "sdk.js", "configuration", "app id", "app secret     s\n",
		"system token", "verify token   v\n", "number id", "account id", "access token   EAA"} {
		require.Contains(t, first, name)
	}
	require.Equal(t, first, told())
}

// The host listens later than the simulator, and is spoken to then; its first call works with what
// the ready line holds.
func TestANumberIsReadyAtTheStart(t *testing.T) {
	t.Parallel()
	at := address(t)
	p := start(t, "-graph", "127.0.0.1:0", "-listen", "127.0.0.1:0", "-webhook", "http://"+at+"/webhook")
	require.Contains(t, get(t, strings.TrimSuffix(p.ready.Page, "/")+"/healthz"), `"callback":"waiting"`)
	heard := make(chan string, 10)
	l, err := net.Listen("tcp", at)
	require.NoError(t, err)
	host := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			heard <- string(body)
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	})}
	go func() { _ = host.Serve(l) }()
	t.Cleanup(func() { _ = host.Close() })
	require.Eventually(t, func() bool {
		return strings.Contains(p.out.String(), "has answered the handshake")
	}, 20*time.Second, 10*time.Millisecond)
	require.Contains(t, p.out.String(), "will be asked again")

	send := func() int {
		req, err := http.NewRequest(http.MethodPost, p.ready.Graph+"/v25.0/"+p.ready.PhoneNumberID+"/messages",
			strings.NewReader(`{"messaging_product":"whatsapp","to":"+15550100142","type":"template",
				"template":{"name":"hello_world","language":{"code":"en_US"}}}`))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+p.ready.AccessToken)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	require.Equal(t, http.StatusOK, send())
	require.Contains(t, <-heard, "statuses")

	// A reset keeps address, ids and tokens.
	resp, err := http.Post(p.ready.Control+"/reset", "application/json", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, http.StatusOK, send())
}

// The Graph API is found under another name, and its own links lead there, while the program itself
// calls it on this machine.
func TestOthersReachItByItsPublicURL(t *testing.T) {
	t.Parallel()
	p := start(t, "-graph", "0.0.0.0:0", "-listen", "0.0.0.0:0", "-public-url", "http://simulator:8088")
	require.Equal(t, "http://simulator:8088", p.ready.Graph)
	require.Equal(t, "http://simulator:8088/en_US/sdk.js", p.ready.SDK)
	require.Contains(t, p.ready.Page, "http://simulator:")
	require.Contains(t, p.out.String(), "Other machines can reach this page")
	page := "http://127.0.0.1" + p.ready.Page[strings.LastIndex(p.ready.Page, ":"):]
	resp, err := http.Post(page+"control/v1/phones/15550100199/connect", "application/json", nil)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode, string(body))
	require.Contains(t, string(body), "access_token")
	require.Contains(t, get(t, page), "http://simulator:8088")
}

// The app gets webhooks of templates too, without a call of the host.
func TestATemplatesStatusIsTold(t *testing.T) {
	t.Parallel()
	p := start(t, "-graph", "127.0.0.1:0", "-listen", "127.0.0.1:0")
	require.Eventually(t, func() bool {
		return strings.Contains(p.out.String(), "has answered the handshake")
	}, 20*time.Second, 10*time.Millisecond)
	var list struct{ Data []struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(get(t, p.ready.Control+"/templates")), &list))
	req, err := http.NewRequest(http.MethodPatch, p.ready.Control+"/templates/"+list.Data[0].ID,
		strings.NewReader(`{"status":"PAUSED"}`))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Contains(t, get(t, p.ready.Control+"/webhooks?field=message_template_status_update"), `"total":1`)
}

// A client that asks for Meta's own names, led here, finds what is at the plain address, and trusts
// nothing but those names.
func TestMetasNamesLeadHereByTLS(t *testing.T) {
	t.Parallel()
	p := start(t, "-graph", "127.0.0.1:0", "-listen", "127.0.0.1:0", "-tls", "127.0.0.1:0")
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(get(t, p.ready.CA))))
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.ready.TLS)
		},
	}}
	for url, want := range map[string]string{
		"https://connect.facebook.net/en_US/sdk.js":                               "FB",
		"https://www.facebook.com/v25.0/dialog/oauth":                             "no config_id",
		"https://graph.facebook.com/v25.0/me?access_token=" + p.ready.AccessToken: `"id"`,
	} {
		resp, err := client.Get(url)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Contains(t, string(body), want, url)
	}
	_, err := client.Get("https://bank.example/") //nolint:bodyclose // there is none
	require.ErrorContains(t, err, "certificate is valid for graph.facebook.com")
	resp, err := http.Post(p.ready.Control+"/reset", "application/json", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	resp, err = client.Get("https://connect.facebook.net/en_US/sdk.js")
	require.NoError(t, err, "a new world is behind the same door")
	require.NoError(t, resp.Body.Close())

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	err = run(t.Context(), io.Discard, settings{graph: "127.0.0.1:0", tls: taken.Addr().String()})
	require.ErrorContains(t, err, "choose another address with -tls")
}

func TestASeedFileIsWhatTheWorldBeginsWith(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "seed.json")
	seed := `{"phones":[{"phone_number":"+1 555-010-0123","kind":"cloud_api"}]}`
	require.NoError(t, os.WriteFile(file, []byte(seed), 0o600))
	p := start(t, "-graph", "127.0.0.1:0", "-listen", "127.0.0.1:0", "-seed-file", file)
	require.Contains(t, get(t, p.ready.Control+"/phones"), "15550100123")
	require.NoError(t, os.WriteFile(file, []byte(`{"phone":[]}`), 0o600))
	err := run(t.Context(), io.Discard, settings{seedFile: file})
	require.ErrorContains(t, err, "seed.json")
	require.ErrorContains(t, err, `unknown field "phone"`)
}

func TestEveryFlagHasAVariable(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"SIMULATOR_APP_SECRET": "from the environment", "SIMULATOR_VERIFY_TOKEN": "likewise", "SIMULATOR_LIMITS": "off",
		"SIMULATOR_DELAY": "3s", "SIMULATOR_LISTEN": "0.0.0.0:9000",
	}
	lookup := func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
	s, err := parse([]string{"-verify-token", "a flag wins"}, lookup, io.Discard)
	require.NoError(t, err)
	require.Equal(t, "from the environment", s.secret)
	require.Equal(t, "a flag wins", s.verify)
	require.Equal(t, "0.0.0.0:9000", s.listen)
	require.Equal(t, 3*time.Second, s.world.Delivery.Delay)
	require.False(t, bool(s.limits))

	env["SIMULATOR_MESSAGES"] = "many"
	_, err = parse(nil, lookup, io.Discard)
	require.ErrorContains(t, err, "SIMULATOR_MESSAGES")
	none := func(string) (string, bool) { return "", false }
	_, err = parse([]string{"-public-url", "simulator:8088"}, none, io.Discard)
	require.ErrorContains(t, err, "http://simulator:8088")
	_, err = parse([]string{"serve"}, none, io.Discard)
	require.ErrorContains(t, err, "no flag")
	_, err = parse([]string{"-limits", "maybe"}, none, io.Discard)
	require.ErrorContains(t, err, "on or off")
	s, err = parse(nil, none, io.Discard)
	require.NoError(t, err)
	for _, address := range []string{s.listen, s.graph} {
		require.True(t, strings.HasPrefix(address, "127.0.0.1:"), "other machines reach nothing unless they are let in")
	}
}

// A page of a stranger whose name leads to this machine reads nothing.
func TestAStrangersNameIsRefused(t *testing.T) {
	t.Parallel()
	p := start(t, "-graph", "127.0.0.1:0", "-listen", "127.0.0.1:0")
	req, err := http.NewRequest(http.MethodGet, p.ready.Control+"/world", nil)
	require.NoError(t, err)
	req.Host = "stranger.example"
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
}

// A hall hands what comes between two worlds to the next one.
func TestAnAddressOutlivesItsWorlds(t *testing.T) {
	t.Parallel()
	h, err := openHall("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(h.close)
	serve := func(name string) *http.Server {
		l := h.listen()
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, name)
		})}
		go func() { _ = s.Serve(l) }()
		return s
	}
	url := "http://" + h.listen().Addr().String()
	first := serve("first")
	require.Equal(t, "first", get(t, url))
	require.NoError(t, first.Close())
	answer := make(chan string, 1)
	go func() { // asks while no world is there
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(url)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	second := serve("second")
	t.Cleanup(func() { _ = second.Close() })
	require.Equal(t, "second", <-answer)
}

// A safeBuffer is written by the program while the test reads it.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
