package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/relay"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// relaySecret is what the other receiver verifies with.
const relaySecret = "canary-relay-secret"

// A staging is another receiver.
type staging struct {
	*httptest.Server

	mu     sync.Mutex
	bodies []string // that were signed as they should be
	wrong  int      // requests that were not
}

// newStaging starts one at an address, on which nothing has listened so far.
func newStaging(t *testing.T, addr string) *staging {
	t.Helper()
	r := new(staging)
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	r.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}}
	r.Start()
	t.Cleanup(r.Close)
	return r
}

func (r *staging) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || webhook.Verify(body, req.Header.Get(webhook.SignatureHeader), relaySecret) != nil {
		r.wrong++
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.bodies = append(r.bodies, string(body))
}

// got returns the bodies so far, in the order in which they came.
func (r *staging) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bodies)
}

// A receiver that is down when Meta delivers gets each delivery later, once, signed with its own
// secret, though the process was killed meanwhile; and nothing but the fields that were chosen.
func TestAReceiverThatWasDownGetsEachDeliveryOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, coexistencetest.History{Messages: 100, Customers: 5})
	at := free(t)
	s.env = []string{
		"SAAS_RELAY_URL=http://" + at + "/hook?canary=1", "SAAS_RELAY_SECRET=" + relaySecret,
		"SAAS_RELAY_FIELDS=messages",
	}
	addr, dir := free(t), t.TempDir()
	p := s.start(addr, "-dir", dir)
	require.NoError(t, s.world.DeliverTo(p.url+"/webhook"))
	v := newVisitor(t, p.url)
	v.signUp("bakery")
	v.connect(s)
	ada := s.phone.Customer("+1 555-010-0142")
	texts := []string{"Is the rye loaf back?", "Two, please.", "Thank you!"}
	for _, text := range texts[:2] {
		ada.Send(text)
		require.NoError(t, s.world.WaitDelivered(t.Context()), "Meta has its 200 all the same")
	}
	s.eventually("all is handled", p.idle)
	require.Equal(t, "2", p.waiting("relay"))
	p.kill()

	r := newStaging(t, at)
	p = s.start(addr, "-dir", dir)
	ada.Send(texts[2])
	require.NoError(t, s.world.WaitDelivered(t.Context()))
	s.eventually("everything has gone on", func() bool { return p.waiting("relay") == "0" })
	sent, _ := s.world.FindDeliveries(coexistencetest.DeliveryFilter{Field: webhook.FieldMessages})
	require.Len(t, sent, len(texts))
	var want []string
	for _, d := range sent {
		want = append(want, string(d.Body))
	}
	require.Equal(t, want, r.got(), "once each, in the order in which they came, byte for byte")

	// Meta repeats what it is not sure about.
	_, err := s.world.Resend(sent[0].Number)
	require.NoError(t, err)
	require.NoError(t, s.world.WaitDelivered(t.Context()))
	s.eventually("it is handled", func() bool { return p.idle() && p.waiting("relay") == "0" })
	require.Equal(t, want, r.got(), "a repeat does not go on")
	require.Zero(t, r.wrong)
	p.end()

	// The receiver's secret is its password, and a part of its address may be one.
	require.NotContains(t, s.said.String(), "canary")
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		require.NotContains(t, string(b), "canary", d.Name())
		return err
	}))
}

// A person who is forgotten is not sent to the other receiver any more.
func TestAForgottenPersonDoesNotGoOn(t *testing.T) {
	t.Parallel()
	at := free(t)
	a, _ := newTestApp(t, func(s *settings) {
		s.relay = relay.Config{URL: "http://" + at, AppSecret: relaySecret}
	})
	baker, bread := furnish(t, a, "bakery")
	for i, customer := range []string{"15550100171", "15550100172"} {
		w := httptest.NewRecorder()
		a.hook.ServeHTTP(w, webhooktest.NewRequest(delivered(bread["phone"], fmt.Sprintf(`{"from":%q,"id":"wamid.%d",
			"timestamp":"%d","type":"text","text":{"body":"Hello"}}`, customer, i, time.Now().Unix())),
			a.meta.app.AppSecret))
		require.Equal(t, http.StatusOK, w.Code)
	}
	require.NoError(t, a.inbox.WaitIdle(t.Context()))
	status, _ := baker.post("/numbers/"+bread["phone"]+"/people/15550100171/forget", url.Values{"confirmed": {"1"}})
	require.Equal(t, http.StatusSeeOther, status)
	r := newStaging(t, at)
	require.NoError(t, a.relayed.WaitIdle(t.Context()))
	all := strings.Join(r.got(), "\n")
	require.NotContains(t, all, "15550100171")
	require.Contains(t, all, "15550100172")
}
