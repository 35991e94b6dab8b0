package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOperatorsSeeItsState(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	_, ids := furnish(t, a, "bakery")
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		a.operations().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	status, _ := ask("/healthz")
	require.Equal(t, http.StatusOK, status)
	status, _ = ask("/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status, "it does not serve yet")
	a.ready.Store(true)
	status, _ = ask("/readyz")
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, a.monitor.CheckAll(t.Context()))
	status, body := ask("/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `saas_event_seconds_count{field="messages",outcome="done"} 1`)
	require.Contains(t, body, `saas_event_seconds_count{field="messages",outcome="dead"} 1`)
	require.Contains(t, body, "saas_inbox_dead_letters 1")
	of := `phone_number_id="` + ids["phone"] + `"} `
	require.Contains(t, body, `saas_number_health{code="dead_letters",part="dead_letters",`+of+"1")
	require.Contains(t, body, `saas_number_health{code="token_refused",part="token",`+of+"2", "the token is made up")
	require.Contains(t, body, `saas_numbers{part="connection",status="ok"} 1`)
	require.Contains(t, body, `saas_numbers{part="connection",status="broken"} 0`)
	require.NotContains(t, body, `part="backlog"`)
	onDashboard(t, body)
	for _, personal := range []string{ids["chat"], ids["message"], "a-made-up-token"} {
		require.NotContains(t, body, personal)
	}
	status, _ = ask("/inbox")
	require.Equal(t, http.StatusOK, status)
}

// onDashboard checks that there is what the dashboard shows. A panel of a metric that is not there
// shows nothing, which looks like "all is well".
func onDashboard(t *testing.T, metrics string) {
	t.Helper()
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	require.True(t, json.Valid(text))
	names := regexp.MustCompile(`saas_[a-z_]+`).FindAllString(string(text), -1)
	require.Greater(t, len(names), 10)
	for _, name := range names {
		require.Regexp(t, "(?m)^"+name+"[{ ]", metrics)
	}
	for _, match := range regexp.MustCompile(`part=~?\\"([a-z_|]+)`).FindAllStringSubmatch(string(text), -1) {
		for part := range strings.SplitSeq(match[1], "|") {
			require.Contains(t, metrics, `part="`+part+`"`)
		}
	}
}
