package control_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
)

// world returns what the whole API shows of the world, without the time that goes on.
func (h *harness) world() string {
	h.t.Helper()
	var all []string
	for _, path := range []string{
		"/world", "/phones", "/templates", "/webhooks", "/requests", "/delivery", "/faults", "/callback",
		app + "/contacts", app + "/customers",
		api + "/customers", customer + "/messages", customer + "/thread", api + "/responders",
	} {
		v := h.call(200, "GET "+path, "")
		delete(v, "now")
		all = append(all, path+" "+quote(v))
	}
	return strings.Join(all, "\n")
}

func TestASnapshotBringsEverythingBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	h.call(200, "POST "+app+"/connect", "")
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello"}`)
	h.call(200, "POST /wait", "")
	was := h.world()
	s := h.call(201, "POST /snapshots", `{"name":"ready"}`)
	require.EqualValues(t, 2, s["phones"])
	require.EqualValues(t, 0, s["waiting"])
	require.NotZero(t, s["messages"])
	require.Equal(t, s, items(h.call(200, "GET /snapshots", ""))[0])

	acts := func() []any {
		h.call(200, "PATCH /delivery", `{"duplicates_percent":100}`)
		h.call(201, "POST /faults", `{"on":"GET /me"}`)
		h.call(201, "POST /phones", `{"phone_number":"+1 555-010-0111","kind":"cloud_api"}`)
		h.call(201, "POST "+app+"/contacts", `{"full_name":"Ada Example","phone_number":"+1 555-010-0142"}`)
		h.call(201, "POST "+api+"/responders", `{}`)
		h.call(200, "POST "+app+"/device", "")
		h.call(200, "POST /clock", `{"advance":"25h"}`)
		phone := h.call(200, "GET /phones/15550100111", "")
		said := h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello again"}`)
		// The token of the signup is there, and the request was not made yet.
		h.call(200, "POST "+app+"/reconnect", "")
		h.call(200, "POST /wait", "")
		return []any{phone["access_token"], phone["waba_id"], said["id"], len(items(h.call(200, "GET /webhooks", "")))}
	}
	first := acts()
	require.NotEqual(t, was, h.world())
	for range 2 {
		v := h.call(200, "POST /snapshots/ready/restore", "")
		require.Len(t, v["phones"], 2)
		require.Equal(t, was, h.world())
		h.call(404, "GET /phones/15550100111", "")
		require.NotEmpty(t, h.call(200, "POST "+app+"/sync", `{"type":"history"}`)["request_id"], "the token is known")
		h.call(409, "POST "+app+"/sync", `{"type":"history"}`)
		h.call(200, "POST /snapshots/ready/restore", "")
		require.Equal(t, first, acts())
	}
}

func TestSnapshotsHaveNames(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	h.call(201, "POST /snapshots", `{"name":"2"}`)
	require.Equal(t, "1", h.call(201, "POST /snapshots", "")["name"])
	require.Equal(t, "3", h.call(201, "POST /snapshots", "")["name"])
	require.Contains(t, message(h.call(409, "POST /snapshots", `{"name":"3"}`)), "another name")
	h.call(204, "DELETE /snapshots/1", "")
	require.Equal(t, "1", h.call(201, "POST /snapshots", "")["name"])
	require.Len(t, items(h.call(200, "GET /snapshots", "")), 3)
	h.call(200, "POST /reset", "")
	require.Empty(t, items(h.call(200, "GET /snapshots", "")), "they were of another world")
	h.call(404, "POST /snapshots/1/restore", "")
}

// A snapshot fails while a host does not answer, and says so.
func TestASnapshotSaysWhatIsInFlight(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	h.call(201, "POST /snapshots", `{"name":"quiet"}`)
	asked, answer := make(chan struct{}, 1), make(chan struct{})
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			asked <- struct{}{}
			<-answer
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(host.Close)
	h.call(200, "PUT /callback", `{"url":"`+host.URL+`"}`)
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello"}`)
	<-asked
	for _, request := range []string{"POST /snapshots", "POST /snapshots/quiet/restore"} {
		e, _ := h.call(409, request, `{"timeout":"10ms"}`)["error"].(map[string]any)
		require.Equal(t, "in_flight", e["code"], request)
		require.Contains(t, e["message"], "1 deliveries are under way", request)
	}
	require.Equal(t, "Hello", items(h.call(200, "GET "+customer+"/messages", ""))[0]["text"], "nothing was restored")
	require.Equal(t, "verified", h.call(200, "GET /callback", "")["state"])
	close(answer)
	h.call(201, "POST /snapshots", "")
}

// The callback and the state of its handshake are part of a snapshot.
func TestASnapshotHoldsTheCallback(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	h.call(201, "POST /snapshots", `{"name":"none"}`)
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	h.call(201, "POST /snapshots", `{"name":"one"}`)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(other.Close)
	h.call(200, "PUT /callback", `{"url":"`+other.URL+`"}`)
	h.call(202, "PUT /callback", `{"url":"http://127.0.0.1:1/","wait":true}`) // asked again and again
	h.call(201, "POST /snapshots", `{"name":"waiting"}`)

	h.call(200, "POST /snapshots/one/restore", "")
	v := h.call(200, "GET /callback", "")
	require.Equal(t, []any{h.host, "verified"}, []any{v["url"], v["state"]})
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello"}`)
	h.call(200, "POST /wait", "")
	require.EqualValues(t, 1, h.heard.Load())
	h.call(200, "POST /snapshots/waiting/restore", "")
	v = h.call(200, "GET /callback", "")
	require.Equal(t, []any{"http://127.0.0.1:1/", "waiting"}, []any{v["url"], v["state"]})
	h.call(200, "POST /snapshots/none/restore", "")
	require.Equal(t, "none", h.call(200, "GET /callback", "")["state"])
}

// A stream of webhooks continues after a restore, with the restored numbers.
func TestTheStreamGoesOnAfterARestore(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"before"}`)
	h.call(200, "POST /wait", "")
	h.call(201, "POST /snapshots", `{"name":"ready"}`)
	resp, err := http.Get(h.url + "/control/v1/webhooks/stream")
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	next := func() (number int) {
		for lines.Scan() {
			if text, found := strings.CutPrefix(lines.Text(), "data: "); found {
				var v struct {
					Number int `json:"number"`
				}
				require.NoError(t, json.Unmarshal([]byte(text), &v))
				return v.Number
			}
		}
		return 0
	}
	for range 3 {
		h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello"}`)
		h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello"}`)
		require.Equal(t, []int{2, 3}, []int{next(), next()})
		h.call(200, "POST /snapshots/ready/restore", "")
	}
}

// The clock is part of a snapshot, and runs on from there.
func TestTheClockStandsAtTheSnapshotAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	s := h.call(201, "POST /snapshots", "")
	h.call(200, "POST /clock", `{"advance":"48h"}`)
	h.call(200, "POST /snapshots/1/restore", "")
	text, _ := s["now"].(string)
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	require.WithinDuration(t, at, h.api.World().Now(), time.Hour)
}
