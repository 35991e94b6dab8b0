package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// childEnv makes the test binary the program, so that it can be killed.
const childEnv = "SAAS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// timeout is how long a condition may take on a slow machine.
const timeout = 4 * time.Minute

// A stage is Meta and a phone, which outlive the processes of the product.
type stage struct {
	t     *testing.T
	world *coexistencetest.World
	phone *coexistencetest.Phone
	said  safeBuffer // what all processes have logged
	env   []string   // of all processes, besides what a product needs

	mu     sync.Mutex
	tokens map[string]bool // that the processes have called with
}

func newStage(t *testing.T, history coexistencetest.History) *stage {
	t.Helper()
	s := &stage{t: t, tokens: map[string]bool{}}
	s.world = coexistencetest.NewWorld(coexistencetest.Config{
		Delivery: coexistencetest.DeliveryConfig{MaxAttempts: 1 << 20, Pace: 5 * time.Millisecond},
		Graph:    cloudapitest.Config{EnforceLimits: true},
		Templates: []cloudapi.TemplateCreateParams{{
			Name: "rye_is_back", Language: "en_US", Category: graph.TemplateMarketing,
			Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "The rye loaf is back."}},
		}},
	})
	t.Cleanup(s.world.Close)
	s.phone = s.world.NewPhone(coexistencetest.PhoneConfig{Business: "Ovenbird Bakery", History: history})
	return s
}

// A process is the product.
type process struct {
	*stage
	cmd  *exec.Cmd
	addr string
	ops  string
	url  string

	sends atomic.Int64 // how often it has called Meta to send something
}

// graph is the way of a process to the Graph API, on which its calls are seen.
func (p *process) graph() string {
	proxy := httputil.NewSingleHostReverseProxy(mustURL(p.world.URL))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "messages") { // marketing_messages, too
			p.sends.Add(1)
		}
		if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			p.mu.Lock()
			p.tokens[token] = true
			p.mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	p.t.Cleanup(srv.Close)
	return srv.URL
}

// start starts a process, which talks to the stage as if it were the real Meta.
func (s *stage) start(addr string, args ...string) *process {
	s.t.Helper()
	self, err := os.Executable()
	require.NoError(s.t, err)
	app := s.world.ClientConfig()
	p := &process{stage: s, addr: addr, ops: free(s.t), url: "http://" + addr}
	p.cmd = exec.Command(self, append([]string{
		"-meta", "real", "-addr", addr, "-ops", p.ops, "-lease", "5s", "-unknown-timeout", "4s",
	}, args...)...)
	p.cmd.Env = append(append(os.Environ(), s.env...), childEnv+"=1",
		"META_APP_ID="+string(app.AppID), "META_APP_SECRET="+s.world.AppSecret().Reveal(),
		"META_CONFIGURATION_ID="+s.world.ConfigurationID(),
		"WEBHOOK_VERIFY_TOKEN="+s.world.VerifyToken().Reveal(),
		"META_GRAPH_URL="+p.graph(), "META_SDK_URL="+s.world.SDKURL(),
		"SAAS_KEYS=a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=")
	p.cmd.Stderr = &s.said
	out, err := p.cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, p.cmd.Start())
	s.t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	slow := time.AfterFunc(timeout, func() { _ = p.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	slow.Stop()
	require.NoError(s.t, err, "it does not start within %s: %s", timeout, s.said.String())
	require.Contains(s.t, line, "Open http://")
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return p
}

// kill leaves the process no time for anything.
func (p *process) kill() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

// end ends the process as an operator does.
func (p *process) end() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	slow := time.AfterFunc(timeout, func() { _ = p.cmd.Process.Kill() })
	defer slow.Stop()
	require.NoError(p.t, p.cmd.Wait(), p.said.String())
}

// free returns an address on which no server listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// A visitor is a person with a browser, without a screen.
type visitor struct {
	t      *testing.T
	client *http.Client
	url    string
}

func newVisitor(t *testing.T, url string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{t, &http.Client{Jar: jar, Timeout: time.Minute}, url}
}

// get returns the status and the body of a page.
func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	resp, err := v.client.Get(v.url + path)
	require.NoError(v.t, err)
	return v.read(resp)
}

func (v *visitor) post(path string, form url.Values) (int, string) {
	v.t.Helper()
	resp, err := v.client.PostForm(v.url+path, form)
	require.NoError(v.t, err)
	return v.read(resp)
}

func (v *visitor) read(resp *http.Response) (int, string) {
	v.t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(v.t, err)
	return resp.StatusCode, string(body)
}

func (v *visitor) signUp(name string) {
	v.t.Helper()
	status, body := v.post("/signin", url.Values{
		"name": {name}, "email": {name + "@example.com"}, "password": {"a long password"},
	})
	require.Equal(v.t, http.StatusOK, status, body)
}

// connect takes the phone through Embedded Signup, as the page does with what the popup gives it.
func (v *visitor) connect(s *stage) {
	v.t.Helper()
	call := func(path string, in any, out any) {
		b, err := json.Marshal(in)
		require.NoError(v.t, err)
		resp, err := v.client.Post(v.url+"/signup/"+path, "application/json", bytes.NewReader(b))
		require.NoError(v.t, err)
		status, body := v.read(resp)
		require.Equal(v.t, http.StatusOK, status, body)
		require.NoError(v.t, json.Unmarshal([]byte(body), out))
	}
	var begun struct {
		State  string
		Launch json.RawMessage
	}
	call("begin", struct{}{}, &begun)
	popup, err := s.world.OpenSignup(begun.Launch)
	require.NoError(v.t, err)
	result, err := popup.Complete(s.phone, coexistencetest.HistoryShared)
	require.NoError(v.t, err)
	var done struct{ Outcome string }
	call("finish", map[string]any{
		"state": begun.State, "session": json.RawMessage(result.Message),
		"callback": json.RawMessage(result.LoginResponse),
	}, &done)
	require.Equal(v.t, "ready", done.Outcome)
}

var progressBar = regexp.MustCompile(`<progress max="100" value="(\d+)"`)

// progress is how much of the history has arrived, in percent, as the page says.
func (v *visitor) progress() int {
	v.t.Helper()
	_, body := v.get("/connect")
	found := progressBar.FindStringSubmatch(body)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	require.NoError(v.t, err)
	return n
}

var waits = regexp.MustCompile(`(?m)^saas_(\w+)_waiting (\d+)$`)

// waiting is how much waits in an inbox of the process: "inbox", or one of its queues.
func (p *process) waiting(name string) string {
	p.t.Helper()
	status, body := newVisitor(p.t, "http://"+p.ops).get("/metrics")
	require.Equal(p.t, http.StatusOK, status, body)
	for _, found := range waits.FindAllStringSubmatch(body, -1) {
		if found[1] == name {
			return found[2]
		}
	}
	require.Fail(p.t, "there is no such inbox", body)
	return ""
}

// idle reports whether everything that was delivered is handled.
func (p *process) idle() bool {
	p.t.Helper()
	return p.waiting("inbox") == "0"
}

var personBox = regexp.MustCompile(`name="to" value="([^"]+)"`)

// launch sends a template to the people that a page shows, and returns where the campaign is and
// for how many it is.
func (v *visitor) launch(s *stage) (path string, people int) {
	v.t.Helper()
	at := "/numbers/" + string(s.phone.ID()) + "/campaigns"
	var body string
	s.eventually("the people are here", func() bool {
		_, body = v.get(at)
		return len(personBox.FindAllString(body, -1)) > shownPeople*9/10 // a group on it is no person
	})
	form := url.Values{"template": {"rye_is_back"}, "nonce": {"a nonce"}}
	for _, found := range personBox.FindAllStringSubmatch(body, -1) {
		form.Add("to", found[1])
	}
	resp, err := v.client.PostForm(v.url+at, form)
	require.NoError(v.t, err)
	status, text := v.read(resp)
	require.Equal(v.t, http.StatusOK, status, text)
	path = resp.Request.URL.Path
	_, _ = v.post(at, form) // an impatient second click
	return path, len(form["to"])
}

// once checks that Meta took one message for everybody.
func (s *stage) once(people int) {
	s.t.Helper()
	copies := map[string]int{}
	for _, m := range s.world.Graph().Sent() {
		copies[m.CallbackData]++
	}
	for id, n := range copies {
		require.Equal(s.t, 1, n, "%s was sent more than once", id)
	}
	require.Len(s.t, copies, people, s.said.String())
}

func (s *stage) eventually(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(timeout)
	for !ok() {
		require.True(s.t, time.Now().Before(deadline), "%s: not within %s\n%s", what, timeout, s.said.String())
		time.Sleep(20 * time.Millisecond) // a condition is polled, nothing depends on the pause
	}
}

// A safeBuffer is written by processes while the test reads it.
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

// secrets are what must be in no log and in no file.
func (s *stage) secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(s.t, s.tokens)
	return append(slices.Collect(maps.Keys(s.tokens)), s.world.AppSecret().Reveal(), s.world.VerifyToken().Reveal())
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}
