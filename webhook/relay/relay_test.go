package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/relay"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

const (
	appSecret      = "canary-app-secret"
	receiverSecret = "canary-receiver-secret"
)

// A receiver is a server that a relay posts to.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	bodies []string
	status func(body string) int // nil for 200
}

func newReceiver(t *testing.T, status func(body string) int) *receiver {
	t.Helper()
	r := &receiver{status: status}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP keeps what is signed as the receiver expects it.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil || webhook.Verify(body, req.Header.Get(webhook.SignatureHeader), receiverSecret) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	status := http.StatusOK
	if r.status != nil {
		status = r.status(string(body))
	}
	if status == http.StatusOK {
		r.bodies = append(r.bodies, string(body))
	}
	w.WriteHeader(status)
}

// got returns the bodies that were taken, in the order in which they came.
func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bodies)
}

// A host is an endpoint with a main inbox and the queue of a relay.
type host struct {
	t        *testing.T
	recorder webhooktest.Recorder
	queue    *inbox.Inbox
	endpoint *webhook.Endpoint
}

// newHost returns a host whose queue is not started. A failed delivery is tried again at once.
func newHost(t *testing.T, cfg relay.Config, attempts int) *host {
	t.Helper()
	h := &host{t: t}
	if cfg.AppSecret == "" {
		cfg.AppSecret = receiverSecret
	}
	r, err := relay.New(cfg)
	require.NoError(t, err)
	again := func(int) time.Duration { return 0 }
	h.queue, err = inbox.New(new(inbox.MemStore), r, inbox.Config{MaxAttempts: attempts, Backoff: again})
	require.NoError(t, err)
	h.endpoint, err = webhook.NewEndpoint(webhook.Config{AppSecret: appSecret, VerifyToken: "canary-token"},
		r.Split(webhook.Dispatch(&h.recorder), h.queue))
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.queue.Shutdown(context.WithoutCancel(t.Context())) })
	return h
}

// post delivers a body as Meta does.
func (h *host) post(body []byte) {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.endpoint.ServeHTTP(w, webhooktest.NewRequest(body, appSecret))
	require.Equal(h.t, http.StatusOK, w.Code)
}

// drain starts the queue, if it is not, and waits until nothing is left to do.
func (h *host) drain() {
	h.t.Helper()
	_ = h.queue.Start(h.t.Context()) // an error if it was started before
	require.NoError(h.t, h.queue.WaitIdle(h.t.Context()))
}

// letters returns the reasons of the queue's dead letters.
func (h *host) letters() (reasons []string) {
	h.t.Helper()
	for l, err := range h.queue.DeadLetters(h.t.Context(), inbox.Filter{}) {
		require.NoError(h.t, err)
		reasons = append(reasons, l.Reason)
	}
	return reasons
}

func TestBodiesGoOnByteForByte(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	h := newHost(t, relay.Config{URL: r.URL}, 0)
	var want []string
	for _, s := range webhooktest.Samples() {
		body := webhooktest.Sample(s.Field, s.Case)
		if s.Field != "history" && s.Field != "smb_app_state_sync" { // these may be overtaken
			want = append(want, string(bytes.TrimSpace(body)))
		}
		h.post(body)
		h.post(body) // Meta repeats
	}
	h.drain()
	got := r.got()
	for _, body := range want {
		require.Contains(t, got, body)
	}
	slices.Sort(got)
	require.Equal(t, got, slices.Compact(slices.Clone(got)), "a repeat was sent again")
	require.Empty(t, h.letters())
	require.NotEmpty(t, h.recorder.Events(), "the host itself gets them too")
}

// text is a delivery of one message to a number.
func text(number, id string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"2000001","changes":[%s]}]}`,
		change("messages", number, id))
}

func change(field, number, id string) string {
	return fmt.Sprintf(`{"field":%q,"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":`+
		`"15550100100","phone_number_id":%q},"messages":[{"from":"15550100142","id":%q,"timestamp":"1767261601",`+
		`"type":"text","text":{"body":"<b>1 & 2</b>"}}]}}`, field, number, id)
}

func TestAFailingDeliveryDelaysOnlyItsNumber(t *testing.T) {
	t.Parallel()
	failed := 0
	r := newReceiver(t, nil)
	r.status = func(body string) int {
		if strings.Contains(body, "wamid.A1") && failed < 3 {
			failed++
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}
	h := newHost(t, relay.Config{URL: r.URL}, 0)
	for _, id := range []string{"wamid.A1", "wamid.A2", "wamid.A3"} {
		h.post(text("3000001", id))
	}
	h.post(text("3000002", "wamid.B1"))
	h.drain()
	var ofA []string
	for _, body := range r.got() {
		if strings.Contains(body, "3000001") {
			ofA = append(ofA, body)
		}
	}
	require.Equal(t, 3, failed)
	require.Len(t, r.got(), 4)
	require.Equal(t, []string{
		string(text("3000001", "wamid.A1")), string(text("3000001", "wamid.A2")), string(text("3000001", "wamid.A3")),
	}, ofA)
}

func TestStatusesDecide(t *testing.T) {
	t.Parallel()
	tests := map[int]struct{ tries int }{
		http.StatusOK: {1}, http.StatusNoContent: {1}, http.StatusBadRequest: {1}, http.StatusUnauthorized: {1},
		http.StatusNotFound: {1}, http.StatusGone: {1}, http.StatusFound: {1}, http.StatusPermanentRedirect: {1},
		http.StatusRequestTimeout: {3}, http.StatusTooEarly: {3}, http.StatusTooManyRequests: {3},
		http.StatusInternalServerError: {3}, http.StatusServiceUnavailable: {3},
	}
	for status, tt := range tests {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			elsewhere, tries := 0, 0
			mux := http.NewServeMux()
			mux.HandleFunc("/webhook", func(w http.ResponseWriter, _ *http.Request) {
				tries++
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			})
			mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { elsewhere++ })
			srv := httptest.NewServer(mux)
			defer srv.Close()
			h := newHost(t, relay.Config{URL: srv.URL + "/webhook"}, 3)
			h.post(text("3000001", "wamid.1"))
			h.drain()
			require.Equal(t, tt.tries, tries)
			require.Zero(t, elsewhere, "a redirect was followed")
			letters := h.letters()
			if status < 300 {
				require.Empty(t, letters)
				return
			}
			require.Len(t, letters, 1)
			require.Contains(t, letters[0], fmt.Sprint(status))
		})
	}
}

func TestADeadLetterIsSentWhenItIsReplayed(t *testing.T) {
	t.Parallel()
	status := http.StatusNotFound
	r := newReceiver(t, nil)
	r.status = func(string) int { return status }
	h := newHost(t, relay.Config{URL: r.URL}, 0)
	h.post(text("3000001", "wamid.1"))
	h.drain()
	require.Empty(t, r.got())
	var ids []inbox.ID
	for l, err := range h.queue.DeadLetters(t.Context(), inbox.Filter{PhoneNumberID: "3000001"}) {
		require.NoError(t, err)
		ids = append(ids, l.ID)
	}
	r.mu.Lock()
	status = http.StatusOK
	r.mu.Unlock()
	n, err := h.queue.ReplayDeadLetters(t.Context(), ids...)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	h.drain()
	require.Equal(t, []string{string(text("3000001", "wamid.1"))}, r.got())
}

func TestWhatTheQueueDoesNotTakeIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	h := newHost(t, relay.Config{URL: "http://localhost:9"}, 1)
	require.NoError(t, h.queue.Shutdown(t.Context()))
	w := httptest.NewRecorder()
	h.endpoint.ServeHTTP(w, webhooktest.NewRequest(text("3000001", "wamid.1"), appSecret))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Empty(t, h.recorder.Events())
}

func TestInvalidJSONIsNotForwarded(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	h := newHost(t, relay.Config{URL: r.URL}, 1)
	h.post([]byte(`{"entry":[}]}]}`))
	h.drain()
	require.Empty(t, r.got())
	require.Empty(t, h.letters())
}

func TestForgottenPeopleAreNotSent(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	h := newHost(t, relay.Config{URL: r.URL}, 1)
	h.post(text("3000001", "wamid.1"))
	other := bytes.ReplaceAll(text("3000001", "wamid.2"), []byte("15550100142"), []byte("15550100143"))
	h.post(other)
	h.post(text("3000002", "wamid.3"))
	require.NoError(t, h.queue.Forget(t.Context(), inbox.ForgetRequest{
		PhoneNumberID: "3000001", People: []graph.Identity{{WAID: "15550100142"}},
	}))
	require.NoError(t, h.queue.Forget(t.Context(), inbox.ForgetRequest{PhoneNumberID: "3000002"}))
	h.drain()
	require.Equal(t, []string{string(other)}, r.got())
	require.Empty(t, h.letters())
}

func TestARelayInTheWrongPlaceSaysSo(t *testing.T) {
	t.Parallel()
	r, err := relay.New(relay.Config{URL: "https://example.com/webhook", AppSecret: receiverSecret})
	require.NoError(t, err)
	err = r.Handle(t.Context(), new(webhook.IncomingMessage))
	require.True(t, webhook.IsPermanent(err))
	require.ErrorContains(t, err, "Relay.Split")
}

func TestConfigMistakesAreListedTogether(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                                "empty",
		"/webhook":                        "complete",
		"https://":                        "complete",
		"://canary":                       "complete",
		"ftp://canary.example":            "https://",
		"http://canary.example/hook":      "https://",
		"http://10.0.0.1/canary":          "https://",
		"https://canary:pass@example.com": "password",
	}
	for address, want := range tests {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			_, err := relay.New(relay.Config{URL: address, AppSecret: " "})
			require.ErrorContains(t, err, want)
			require.ErrorContains(t, err, "AppSecret")
			require.NotContains(t, err.Error(), "canary")
		})
	}
	for _, address := range []string{
		"https://example.com/hook?key=1", "http://localhost:8080", "http://127.0.0.1/", "http://[::1]:80/hook",
	} {
		_, err := relay.New(relay.Config{URL: address, AppSecret: receiverSecret})
		require.NoError(t, err, address)
	}
}

// The address and the secret of a receiver are its password.
func TestNothingTellsWhereAndHowIsSent(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	refusing := newReceiver(t, func(string) int { return http.StatusForbidden })
	closed.Close()
	for _, address := range []string{closed.URL, refusing.URL} {
		var log bytes.Buffer
		r, err := relay.New(relay.Config{URL: address + "/canary?token=canary", AppSecret: receiverSecret})
		require.NoError(t, err)
		queue, err := inbox.New(new(inbox.MemStore), r, inbox.Config{
			MaxAttempts: 1, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		require.NoError(t, err)
		receiver := r.Split(webhook.Dispatch(new(webhooktest.Recorder)), queue)
		require.NoError(t, receiver.Receive(t.Context(), webhook.Delivery{Body: text("3000001", "wamid.1")}))
		require.NoError(t, queue.Start(t.Context()))
		require.NoError(t, queue.WaitIdle(t.Context()))
		for l, err := range queue.DeadLetters(t.Context(), inbox.Filter{}) {
			require.NoError(t, err)
			log.WriteString(l.Reason)
		}
		require.NoError(t, queue.Shutdown(t.Context()))
		require.Contains(t, log.String(), "relay: the receiver")
		require.NotContains(t, log.String(), "canary")
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", r, r, *r), "canary")
	}
}

// slow never answers.
type slow struct{}

func (slow) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestAReceiverThatIsSilentIsGivenUp(t *testing.T) {
	t.Parallel()
	client := &http.Client{Transport: slow{}, Timeout: time.Millisecond}
	h := newHost(t, relay.Config{URL: "https://example.com", HTTPClient: client}, 2)
	h.post(text("3000001", "wamid.1"))
	h.drain()
	require.Len(t, h.letters(), 1)
	require.Contains(t, h.letters()[0], "failed 2 times: relay: the receiver did not answer")
	require.Nil(t, client.CheckRedirect, "the host's client stays as it is")
}

var errBroken = errors.New("broken")

// A delivery that the host itself fails to handle comes again, and is sent once.
func TestARepeatOfWhatTheHostDidNotTakeIsSentOnce(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	h := newHost(t, relay.Config{URL: r.URL}, 1)
	h.recorder.Fail(errBroken)
	w := httptest.NewRecorder()
	h.endpoint.ServeHTTP(w, webhooktest.NewRequest(text("3000001", "wamid.1"), appSecret))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	h.drain()
	h.recorder.Fail(nil)
	h.post(text("3000001", "wamid.1"))
	h.drain()
	require.Len(t, r.got(), 1)
}
