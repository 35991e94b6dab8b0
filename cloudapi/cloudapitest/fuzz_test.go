package cloudapitest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a program sends, the answer is JSON, an error says why, and a refused message is not
// recorded.
func FuzzPostMessage(f *testing.F) {
	for _, body := range []string{
		`{"messaging_product":"whatsapp","to":"+15550100142","type":"text","text":{"body":"Hello"}}`,
		`{"messaging_product":"whatsapp","recipient":"US.1555","type":"template","template":{"name":"a",` +
			`"language":{"code":"en"}}}`,
		`{"messaging_product":"whatsapp","to":"+15550100142","type":"interactive","interactive":{"type":"list",` +
			`"body":{"text":"x"}}}`,
		`{"messaging_product":"whatsapp","status":"read","message_id":"wamid.1"}`,
		`{"messaging_product":"whatsapp","to":5}`, `[]`, `{`, "",
	} {
		f.Add(body)
	}
	srv := NewServer(Config{Strict: true, EnforceLimits: true})
	f.Cleanup(srv.Close)
	phone := srv.AddPhone(Phone{})
	f.Fuzz(func(t *testing.T, body string) {
		before := len(srv.Sent())
		r := httptest.NewRequest(http.MethodPost, "/v25.0/"+string(phone.ID)+"/messages", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+srv.SystemToken().Reveal())
		w := httptest.NewRecorder()
		srv.serve(w, r)
		require.True(t, json.Valid(w.Body.Bytes()), w.Body.String())
		sent := srv.Sent()
		if w.Code != http.StatusOK {
			require.Contains(t, w.Body.String(), `"error"`)
			require.Len(t, sent, before)
			return
		}
		for _, m := range sent[before:] {
			_, _ = m.Template()
			_, _ = m.Reaction()
			_ = m.Text()
		}
	})
}

// A path or query of any kind gets an answer, and names no id in the request log.
func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"/v25.0/me?fields=id", "/v25.0/1/phone_numbers?after=x&limit=-1", "//", "/v1.0/", "/v25.0/1/2/3?fields={(",
	} {
		f.Add(path)
	}
	srv := NewServer(Config{})
	f.Cleanup(srv.Close)
	waba := srv.AddWABA(WABA{})
	f.Fuzz(func(t *testing.T, path string) {
		r, err := http.NewRequest(http.MethodGet, srv.URL+"/"+strings.TrimLeft(path, "/"), nil)
		if err != nil {
			t.Skip("no path at all")
		}
		r.Body = http.NoBody
		r.Header.Set("Authorization", "Bearer "+srv.SystemToken().Reveal())
		w := httptest.NewRecorder()
		srv.serve(w, r)
		require.True(t, json.Valid(w.Body.Bytes()), w.Body.String())
		srv.mu.Lock()
		defer srv.mu.Unlock()
		require.NotContains(t, srv.requests[len(srv.requests)-1].Path, string(waba.ID))
	})
}
