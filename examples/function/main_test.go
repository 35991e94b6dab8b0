package main

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

const (
	secret = "made-up-app-secret"
	token  = "made-up-verify-token"
)

func TestAnErrorAsksForTheDeliveryAgain(t *testing.T) {
	t.Parallel()
	failed := errors.New("host: the database is down")
	tests := map[string]struct {
		err  error
		want int
	}{
		"handled":         {nil, 200},
		"failed":          {failed, 500},
		"failed for good": {webhook.Permanent(failed), 200},
	}
	req := signed(webhooktest.Sample("messages", "batch"), secret)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			f := &function{
				appSecret: secret, verifyToken: token, recv: handling(func() error { calls++; return tt.err }),
			}
			require.Equal(t, tt.want, f.invoke(t.Context(), req).Status)
			require.Equal(t, 4, calls, "an error of one event does not keep the others from being handled")
		})
	}
}

func TestAForgedDeliveryIsNotHandled(t *testing.T) {
	t.Parallel()
	f := &function{appSecret: secret, verifyToken: token, recv: handling(func() error {
		t.Error("it was handled")
		return nil
	})}
	req := signed(webhooktest.Sample("messages", "batch"), "guessed")
	require.Equal(t, 401, f.invoke(t.Context(), req).Status)
}

func TestTheDemonstrationRuns(t *testing.T) {
	t.Parallel()
	f := &function{appSecret: secret, verifyToken: token, recv: handling(func() error { return nil })}
	var out strings.Builder
	require.NoError(t, serve(t.Context(), f, strings.NewReader(demonstration(f)), &out))
	require.Equal(t, []string{
		`{"statusCode":200}`,
		`{"statusCode":401}`,
		`{"statusCode":200,"headers":{"content-type":"text/plain; charset=utf-8","x-content-type-options":"nosniff"},` +
			`"body":"1158201444"}`,
	}, strings.Split(strings.TrimSpace(out.String()), "\n"))
}

// platform does what a gateway does: it turns requests into values. Binary safe ones encode bodies,
// and all have a limit of their own.
func platform(f *function) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 6<<20))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		req := request{
			Method: r.Method, Headers: map[string]string{}, Query: map[string]string{},
			Body: base64.StdEncoding.EncodeToString(body), Base64: true,
		}
		for name := range r.Header {
			req.Headers[strings.ToLower(name)] = r.Header.Get(name)
		}
		for name := range r.URL.Query() {
			req.Query[name] = r.URL.Query().Get(name)
		}
		resp := f.invoke(r.Context(), req)
		for name, value := range resp.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(resp.Status)
		_, _ = io.WriteString(w, resp.Body)
	})
}

func TestTheFunctionConforms(t *testing.T) {
	t.Parallel()
	recorder := new(webhooktest.Recorder)
	f := &function{appSecret: secret, verifyToken: token, recv: webhook.Dispatch(recorder)}
	require.NoError(t, webhooktest.Conformance(t.Context(), webhooktest.Target{
		Handler: platform(f), AppSecret: secret, VerifyToken: token, Handled: recorder.Handled,
	}))
}

// handling returns a receiver that handles each event with f.
func handling(f func() error) webhook.Receiver {
	return webhook.Dispatch(webhook.HandlerFunc(func(context.Context, webhook.Event) error { return f() }))
}
