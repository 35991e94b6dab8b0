package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func TestThePageChecksTheNumberBeforeThePopup(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	policy, err := eligibility.ParsePolicy("")
	require.NoError(t, err)
	handler, err := newHost(world.ClientConfig(), world.ConfigurationID(), world.SDKURL(), policy,
		func(*signup.Connection) {})
	require.NoError(t, err)
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	post := func(path, body string) string {
		resp, err := http.Post(srv.URL+path, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(b)
	}
	require.Contains(t, post("/signup/check", `{"number":"+1 555 010 0199","app_version":"2.24.17.79"}`),
		`"eligible":true`)
	require.Contains(t, post("/signup/check", `{"number":"+1 555 010 0199","app_version":"2.23.0"}`),
		`"eligible":false`)
	refused := post("/signup/check", `{"number":"+234 803 555 0101","app_version":"2.24.17.79"}`)
	require.Contains(t, refused, `"eligible":false`)
	require.Contains(t, refused, "lifted this restriction on 2026-04-15")
	require.Contains(t, post("/signup/check", `{}`), `"eligible":false`)
	require.Contains(t, post("/signup/begin", ``), world.SDKURL())
	resp, err := http.Get(srv.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, "same-origin-allow-popups", resp.Header.Get("Cross-Origin-Opener-Policy"))
}
