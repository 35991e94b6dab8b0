package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

const (
	secret = "made-up-app-secret"
	token  = "made-up-verify-token"
)

func router(t *testing.T) (http.Handler, *webhooktest.Recorder) {
	t.Helper()
	recorder := new(webhooktest.Recorder)
	h, err := newRouter(webhook.Config{AppSecret: secret, VerifyToken: token}, recorder)
	require.NoError(t, err)
	return h, recorder
}

func TestADeliveryPassesUnchanged(t *testing.T) {
	t.Parallel()
	h, recorder := router(t)
	body := webhooktest.Sample("messages", "text-unicode")
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, webhooktest.NewRequest(body, secret))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Len(t, recorder.Events(), 1)
	require.Contains(t, string(body), string(recorder.Events()[0].Info().Raw))

	answer = httptest.NewRecorder()
	h.ServeHTTP(answer, webhooktest.NewRequest(body, "another-secret"))
	require.Equal(t, http.StatusUnauthorized, answer.Code)
	require.Len(t, recorder.Events(), 1)
}

func TestTheEndpointConforms(t *testing.T) {
	t.Parallel()
	h, recorder := router(t)
	require.NoError(t, webhooktest.Conformance(t.Context(), webhooktest.Target{
		Handler: h, Path: "/webhook", AppSecret: secret, VerifyToken: token, Handled: recorder.Handled,
	}))
}
