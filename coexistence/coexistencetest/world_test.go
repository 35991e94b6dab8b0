package coexistencetest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A host is a server that verifies and records what it is sent, with nothing of this project in it.
type host struct {
	*httptest.Server
	world *coexistencetest.World

	mu     sync.Mutex
	bodies []string
	status func(n int) int // what to answer to the n-th POST
	seen   int
	forged int
}

func newHost(t *testing.T, world *coexistencetest.World) *host {
	t.Helper()
	h := &host{world: world, status: func(int) int { return http.StatusOK }}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if r.URL.Query().Get("hub.verify_token") != h.world.VerifyToken().Reveal() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		return
	}
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte(h.world.AppSecret().Reveal()))
	mac.Write(body)
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Header.Get("X-Hub-Signature-256") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
		h.forged++
	}
	h.seen++
	status := h.status(h.seen)
	if status == http.StatusOK {
		h.bodies = append(h.bodies, string(body))
	}
	w.WriteHeader(status)
}

func (h *host) received() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.bodies...)
}

// A hook is one change of a webhook, as far as the tests look at it.
type hook struct {
	entry string
	time  int64
	Field string `json:"field"`
	Value struct {
		Event       string `json:"event"`
		PhoneNumber string `json:"phone_number"`
		WABAInfo    struct {
			ID string `json:"waba_id"`
		} `json:"waba_info"`
		Disconnection struct {
			Reason string `json:"reason"`
		} `json:"disconnection_info"`
		Metadata struct {
			Phone   string `json:"phone_number_id"`
			Display string `json:"display_phone_number"`
		} `json:"metadata"`
		Contacts []struct {
			WAID   string `json:"wa_id"`
			UserID string `json:"user_id"`
		} `json:"contacts"`
		Messages []item `json:"messages"`
		Echoes   []item `json:"message_echoes"`
		Statuses []item `json:"statuses"`
		States   []struct {
			Action  string `json:"action"`
			Contact struct {
				FullName string `json:"full_name"`
				Phone    string `json:"phone_number"`
				UserID   string `json:"user_id"`
			} `json:"contact"`
		} `json:"state_sync"`
		History []struct {
			Metadata *struct {
				Phase    int `json:"phase"`
				Order    int `json:"chunk_order"`
				Progress int `json:"progress"`
			} `json:"metadata"`
			Threads []struct {
				ID      string `json:"id"`
				Context struct {
					UserID string `json:"user_id"`
				} `json:"context"`
				Messages []item `json:"messages"`
			} `json:"threads"`
			Errors []struct {
				Code int `json:"code"`
			} `json:"errors"`
		} `json:"history"`
	} `json:"value"`
}

type item struct {
	ID        graph.MessageID `json:"id"`
	From      string          `json:"from"`
	FromUser  string          `json:"from_user_id"`
	To        string          `json:"to"`
	ToUser    string          `json:"to_user_id"`
	Type      string          `json:"type"`
	Timestamp string          `json:"timestamp"`
	Status    string          `json:"status"`
	Text      struct {
		Body string `json:"body"`
	} `json:"text"`
	Image struct {
		ID string `json:"id"`
	} `json:"image"`
	Edit struct {
		Original graph.MessageID `json:"original_message_id"`
		Message  struct {
			Type string `json:"type"`
			Text struct {
				Body string `json:"body"`
			} `json:"text"`
		} `json:"message"`
	} `json:"edit"`
	Revoke struct {
		Original graph.MessageID `json:"original_message_id"`
	} `json:"revoke"`
	Reaction struct {
		Message graph.MessageID `json:"message_id"`
		Emoji   string          `json:"emoji"`
	} `json:"reaction"`
	Errors []struct {
		Code int `json:"code"`
	} `json:"errors"`
	Context struct {
		Status string `json:"status"`
	} `json:"history_context"`
}

// hooks returns every change that was acknowledged, in the order of arrival.
func (h *host) hooks(t *testing.T) []hook {
	t.Helper()
	var all []hook
	for _, body := range h.received() {
		var envelope struct {
			Entry []struct {
				ID      string `json:"id"`
				Time    int64  `json:"time"`
				Changes []hook `json:"changes"`
			} `json:"entry"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &envelope))
		for _, e := range envelope.Entry {
			for _, change := range e.Changes {
				change.entry, change.time = e.ID, e.Time
				all = append(all, change)
			}
		}
	}
	return all
}

func (h *host) of(t *testing.T, field string) []hook {
	t.Helper()
	var some []hook
	for _, one := range h.hooks(t) {
		if one.Field == field {
			some = append(some, one)
		}
	}
	return some
}

// launchCoexistence is what a page gives to FB.login.
func launchCoexistence(w *coexistencetest.World) json.RawMessage {
	return json.RawMessage(`{"config_id":"` + w.ConfigurationID() + `",
		"response_type":"code","override_default_response_type":true,
		"extras":{"setup":{},"featureType":"whatsapp_business_app_onboarding"}}`)
}

func newWorld(t *testing.T, cfg coexistencetest.Config) (*coexistencetest.World, *host) {
	t.Helper()
	world := coexistencetest.NewWorld(cfg)
	t.Cleanup(world.Close)
	t.Log(world)
	h := newHost(t, world)
	require.NoError(t, world.DeliverTo(h.URL))
	return world, h
}

// call asks the Graph API.
func call(
	t *testing.T, world *coexistencetest.World, token graph.Secret, method, path, body string,
) (int, map[string]json.RawMessage) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, world.Graph().URL+"/v25.0"+path,
		strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var v map[string]json.RawMessage
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&v))
	return resp.StatusCode, v
}

// exchange turns a code into a token, as a host does.
func exchange(t *testing.T, world *coexistencetest.World, code graph.Secret) graph.Secret {
	t.Helper()
	query := url.Values{
		"client_id": {string(world.AppID())}, "client_secret": {world.AppSecret().Reveal()}, "code": {code.Reveal()},
	}
	status, v := call(t, world, "", "GET", "/oauth/access_token?"+query.Encode(), "")
	require.Equal(t, http.StatusOK, status, string(v["error"]))
	var token string
	require.NoError(t, json.Unmarshal(v["access_token"], &token))
	return graph.Secret(token)
}

// onboard plays popup, exchange and subscription.
func onboard(
	t *testing.T, world *coexistencetest.World, phone *coexistencetest.Phone, sharing coexistencetest.HistorySharing,
) graph.Secret {
	t.Helper()
	popup, err := world.OpenSignup(launchCoexistence(world))
	require.NoError(t, err)
	result, err := popup.Complete(phone, sharing)
	require.NoError(t, err)
	token := exchange(t, world, result.Code)
	for _, waba := range phone.WABAs() {
		status, _ := call(t, world, token, "POST", "/"+string(waba)+"/subscribed_apps", "")
		require.Equal(t, http.StatusOK, status)
	}
	return token
}

func requestSync(
	t *testing.T, world *coexistencetest.World, token graph.Secret, phone *coexistencetest.Phone, kind string,
) int {
	t.Helper()
	status, _ := call(t, world, token, "POST", "/"+string(phone.ID())+"/smb_app_data",
		`{"messaging_product":"whatsapp","sync_type":"`+kind+`"}`)
	return status
}

func wait(t *testing.T, world *coexistencetest.World) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, world.WaitDelivered(ctx), world)
}

func TestAHostThatDoesEverythingRightSeesTheWholePast(t *testing.T) {
	t.Parallel()
	world, h := newWorld(t, coexistencetest.Config{Seed: 7})
	phone := world.NewPhone(coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 2000}})
	token := onboard(t, world, phone, coexistencetest.HistoryShared)
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "smb_app_state_sync"))
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	wait(t, world)
	require.Zero(t, h.forged)

	contacts := 0
	for _, one := range h.of(t, "smb_app_state_sync") {
		contacts += len(one.Value.States)
	}
	require.Len(t, phone.Contacts(), contacts)

	ids := map[graph.MessageID]bool{}
	placeholders := map[graph.MessageID]bool{}
	complete, details, phases := false, 0, map[int]bool{}
	for _, one := range h.of(t, "history") {
		require.Equal(t, string(phone.ID()), one.Value.Metadata.Phone)
		details += len(one.Value.Messages) + len(one.Value.Echoes)
		for _, part := range one.Value.History {
			phases[part.Metadata.Phase] = true
			complete = complete || part.Metadata.Progress == 100
			for _, thread := range part.Threads {
				require.True(t, thread.ID != "" || thread.Context.UserID != "")
				for _, m := range thread.Messages {
					require.False(t, ids[m.ID], "a message came in two chunks")
					ids[m.ID] = true
					placeholders[m.ID] = m.Type == "media_placeholder"
					require.Equal(t, strings.ToUpper(m.Context.Status), m.Context.Status)
				}
			}
		}
	}
	require.Len(t, ids, 2000)
	require.True(t, complete)
	require.Len(t, phases, 3)
	require.Positive(t, details)
	for _, one := range h.of(t, "history") {
		for _, m := range append(one.Value.Messages, one.Value.Echoes...) {
			require.True(t, placeholders[m.ID], "a detail without placeholder")
		}
	}
	require.Empty(t, world.Suppressed())
	require.Empty(t, world.Undelivered())
}
