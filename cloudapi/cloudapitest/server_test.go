package cloudapitest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An answer is what the server said, as far as the tests look at it.
type answer struct {
	status int
	header http.Header
	body   string

	ID       string `json:"id"`
	Success  bool   `json:"success"`
	Messages []struct {
		ID     graph.MessageID `json:"id"`
		Status string          `json:"message_status"`
	} `json:"messages"`
	Contacts []struct {
		Input  string       `json:"input"`
		WAID   string       `json:"wa_id"`
		UserID graph.UserID `json:"user_id"`
	} `json:"contacts"`
	Error struct {
		Message string     `json:"message"`
		Type    string     `json:"type"`
		Code    graph.Code `json:"code"`
		Subcode int        `json:"error_subcode"`
		Trace   string     `json:"fbtrace_id"`
		Data    struct {
			Details string `json:"details"`
		} `json:"error_data"`
	} `json:"error"`
}

// ask sends a request below /v25.0 with a token.
func ask(t *testing.T, srv *cloudapitest.Server, token graph.Secret, method, path, body string) answer {
	t.Helper()
	a, err := try(t, srv, token, method, path, body)
	require.NoError(t, err)
	return a
}

func try(t *testing.T, srv *cloudapitest.Server, token graph.Secret, method, path, body string) (answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/v25.0"+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(b)}
	if json.Valid(b) {
		_ = json.Unmarshal(b, &a)
	}
	return a, nil
}

func newServer(t *testing.T, cfg ...cloudapitest.Config) *cloudapitest.Server {
	t.Helper()
	srv := cloudapitest.NewServer(append(cfg, cloudapitest.Config{})[0])
	t.Cleanup(srv.Close)
	return srv
}

func TestEveryAnswerCarriesVersionTraceAndUsage(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	for _, path := range []string{"/" + string(phone.ID), "/123"} {
		a := ask(t, srv, srv.SystemToken(), "GET", path, "")
		require.Equal(t, "v25.0", a.header.Get("Facebook-Api-Version"))
		require.NotEmpty(t, a.header.Get("X-Fb-Trace-Id"))
		require.JSONEq(t, `{"call_count":0,"total_cputime":0,"total_time":0}`, a.header.Get("X-App-Usage"))
	}
}

func TestAnUnknownPathIsRefusedAsMetaDoes(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	for path, want := range map[string]string{
		"/1/nonsense": "Unknown path components: /nonsense", "/1/2/3": "Unknown path components: /2/3",
	} {
		a := ask(t, srv, srv.SystemToken(), "POST", path, "")
		require.Equal(t, http.StatusBadRequest, a.status)
		require.EqualValues(t, 2500, a.Error.Code)
		require.Equal(t, want, a.Error.Message)
	}
	require.Equal(t, "unknown", srv.Requests()[0].Path)
}

func TestAnIDOfTheWrongKindIsNotFound(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	a := ask(t, srv, srv.SystemToken(), "POST", "/"+string(phone.WABAs[0])+"/messages", `{}`)
	require.Equal(t, graph.CodeInvalidParameter, a.Error.Code)
	require.Equal(t, 33, a.Error.Subcode)
	require.Equal(t, "/{phone-number-id}/messages", srv.Requests()[0].Path)
}

func TestWhatATokenMayDo(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	other := srv.AddPhone(cloudapitest.Phone{})
	tests := map[string]struct {
		token   graph.Secret
		code    graph.Code
		subcode int
	}{
		"system":          {srv.SystemToken(), 0, 0},
		"none":            {"", graph.CodePermissionMissing, 0},
		"unknown":         {"EAAnobody", graph.CodeAccessTokenExpired, 0},
		"of the business": {srv.AddToken(cloudapitest.Token{WABAs: phone.WABAs}), 0, 0},
		"of another":      {srv.AddToken(cloudapitest.Token{WABAs: other.WABAs}), graph.CodeInvalidParameter, 33},
		"of another app":  {srv.AddToken(cloudapitest.Token{Foreign: true}), graph.CodeAccessTokenExpired, 0},
		"without scope": {
			srv.AddToken(cloudapitest.Token{Scopes: []string{"public_profile"}}), graph.CodePermissionMissing, 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := ask(t, srv, tt.token, "GET", "/"+string(phone.ID), "")
			require.Equal(t, tt.code, a.Error.Code)
			require.Equal(t, tt.subcode, a.Error.Subcode)
		})
	}
}
