package cloudapitest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// attempt sends a message, follows no redirect, and reads the answer to its end.
func attempt(t *testing.T, srv *cloudapitest.Server, phone cloudapitest.Phone) error {
	t.Helper()
	body := strings.NewReader(`{"messaging_product":"whatsapp","to":"+15550100142",` + hello + `}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/v25.0/"+string(phone.ID)+"/messages",
		body)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+srv.SystemToken().Reveal())
	resp, err := new(http.Transport).RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// Each kind does what its name says: accepted ones are sent, the others are not.
func TestEveryKindOfChaosTellsTheTruthAboutItself(t *testing.T) {
	t.Parallel()
	require.Greater(t, len(cloudapitest.ChaosKinds()), 15)
	for _, kind := range cloudapitest.ChaosKinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			phone := srv.AddPhone(cloudapitest.Phone{})
			srv.Chaos(cloudapitest.Chaos{Rate: 1, Seed: 7, Late: time.Millisecond, Kinds: []string{kind}})
			const n = 20
			for range n {
				_ = attempt(t, srv, phone)
			}
			want := 0
			if strings.HasPrefix(kind, "accepted") {
				want = n
			}
			require.Len(t, srv.Sent(), want)
			for _, r := range srv.Requests() {
				require.Equal(t, kind, r.Fault)
			}
			get(t, srv, "/"+string(phone.ID))
			require.Empty(t, srv.Requests()[len(srv.Requests())-1].Fault, "other routes work")

			srv.Chaos(cloudapitest.Chaos{})
			require.Equal(t, http.StatusOK, post(t, srv, phone, `"to":"+15550100142",`+hello).status)
		})
	}
}

func TestChaosHitsTheShareAndTheRouteThatItIsToldTo(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.Chaos(cloudapitest.Chaos{
		Rate: 0.5, Seed: 1, On: []string{"GET /{phone-number-id}"},
		Kinds: []string{"throttled 130429", "throttled 4"},
	})
	for range 400 {
		get(t, srv, "/"+string(phone.ID))
	}
	faults := 0
	for _, r := range srv.Requests() {
		if r.Fault != "" {
			faults++
			require.True(t, r.Code.ProvesRefusal())
		}
	}
	require.InDelta(t, 200, faults, 60)
	require.Panics(t, func() { srv.Chaos(cloudapitest.Chaos{Rate: 1, Kinds: []string{"earthquake"}}) })
}

func TestFailuresOnTheWire(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fail func(*cloudapitest.Server)
		sent int
	}{
		"garbage": {
			func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{Garble: true, Accept: true}) }, 1,
		},
		"garbage, unheard": {func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{Garble: true}) }, 0},
		"half an answer":   {func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{Half: true}) }, 1},
		"half an error": {
			func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{Code: graph.CodeRateLimitHit, Half: true}) },
			0,
		},
		"half a nothing": {func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{Status: 500, Half: true}) }, 0},
		"reset": {
			func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{Drop: true, Reset: true, Accept: true}) }, 1,
		},
		"cut unread": {
			func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{Drop: true, Unread: true}) }, 0,
		},
		"reset unread": {
			func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{Drop: true, Unread: true, Reset: true}) }, 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			phone := srv.AddPhone(cloudapitest.Phone{})
			tt.fail(srv)
			require.Error(t, attempt(t, srv, phone))
			require.Len(t, srv.Sent(), tt.sent)
			require.True(t, srv.Requests()[0].Dropped)
		})
	}
}

func TestALateAnswerIsLate(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.Inject(cloudapitest.Fault{Delay: 30 * time.Millisecond})
	began := time.Now()
	require.Equal(t, http.StatusOK, post(t, srv, phone, `"to":"+15550100142",`+hello).status)
	require.GreaterOrEqual(t, time.Since(began), 30*time.Millisecond)

	srv.Inject(cloudapitest.Fault{Status: http.StatusServiceUnavailable, Header: http.Header{"X-Cache": {"made up"}}})
	require.Equal(t, "made up", post(t, srv, phone, `"to":"+15550100142",`+hello).header.Get("X-Cache"))

	srv.Inject(cloudapitest.Fault{Code: graph.CodeRateLimitIssues, RegainAccess: 7 * time.Minute})
	a := post(t, srv, phone, `"to":"+15550100142",`+hello)
	require.Contains(t, a.header.Get("X-Business-Use-Case-Usage"), `"estimated_time_to_regain_access":7`)
}
