package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThoseWhoRunItSeeHowItIs(t *testing.T) {
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
	status, body := ask("/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `saas_event_seconds_count{field="messages",outcome="done"} 1`)
	require.Contains(t, body, `saas_event_seconds_count{field="messages",outcome="dead"} 1`)
	require.Contains(t, body, "saas_inbox_dead_letters 1")
	for _, personal := range []string{ids["chat"], ids["message"], "a-made-up-token"} {
		require.NotContains(t, body, personal)
	}
	status, _ = ask("/inbox")
	require.Equal(t, http.StatusOK, status)
}
