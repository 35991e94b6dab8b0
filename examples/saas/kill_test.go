package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
)

// same checks that a store holds exactly what the phone shows.
func (s *stage) same(store coexistence.Store) {
	s.t.Helper()
	ctx := s.t.Context()
	shown, kept := 0, 0
	for _, c := range s.phone.Customers() {
		for _, m := range s.phone.Chat(c) {
			shown++
			have, err := store.Message(ctx, s.phone.ID(), m.ID)
			require.NoError(s.t, err, "a message of %s is missing", m.Content.Type)
			if !m.Revoked && m.Content.Type == "text" {
				require.Equal(s.t, m.Content.Text, have.Text)
			}
		}
	}
	for c, err := range store.Conversations(ctx, s.phone.ID()) {
		require.NoError(s.t, err)
		kept += c.MessageCount
	}
	require.Equal(s.t, shown, kept)
	state, err := store.Number(ctx, s.phone.ID())
	require.NoError(s.t, err)
	require.Equal(s.t, 100, state.History.Progress)
	require.Equal(s.t, coexistence.StageActive, state.Stage)
	for _, kind := range []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory} {
		require.NotZero(s.t, s.world.Graph().Synced(s.phone.ID(), kind), "it was asked for %s", kind)
	}
	require.Equal(s.t, 2, s.world.Graph().Count("POST", "/{phone-number-id}/smb_app_data"), "once each")
}

func TestKilledInTheMiddleOfTheSync(t *testing.T) {
	t.Parallel()
	s := newStage(t, coexistencetest.History{Messages: 5000, Customers: 300})
	addr, dir := free(t), t.TempDir()
	p := s.start(addr, "-dir", dir)
	require.NoError(t, s.world.DeliverTo(p.url+"/webhook"))
	v := newVisitor(t, p.url)
	v.signUp("bakery")
	v.connect(s)
	for _, some := range []int{5, 50} {
		s.eventually("the history comes", func() bool { return v.progress() > some })
		p.kill()
		p = s.start(addr, "-dir", dir) // the session is still good
	}
	require.Less(t, v.progress(), 100, "it was killed in the middle")
	require.NoError(t, s.world.WaitDelivered(t.Context()))
	s.eventually("everything is here", func() bool { return v.progress() == 100 && p.idle() })
	p.end()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "saas.db")})
	require.NoError(t, err)
	defer db.Close()
	s.same(db.Store())

	// No token and no secret is in what was stored or logged.
	for _, secret := range s.secrets() {
		require.NotContains(t, s.said.String(), secret)
		require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			require.False(t, bytes.Contains(b, []byte(secret)), "%s holds a secret", d.Name())
			return err
		}))
	}
}

func TestKilledInTheMiddleOfTheCampaign(t *testing.T) {
	t.Parallel()
	s := newStage(t, coexistencetest.History{Messages: 1000, Customers: 150})
	addr, dir := free(t), t.TempDir()
	p := s.start(addr, "-dir", dir)
	require.NoError(t, s.world.DeliverTo(p.url+"/webhook"))
	v := newVisitor(t, p.url)
	v.signUp("bakery")
	v.connect(s)
	require.NoError(t, s.world.WaitDelivered(t.Context()))
	path, people := v.launch(s)
	for i, some := range []int{15, 40, 65, 90} {
		s.eventually("messages go out", func() bool { return len(s.world.Graph().Sent()) >= some })
		if i == 2 {
			p.end() // a regular shutdown loses nothing either
		} else {
			p.kill()
		}
		p = s.start(addr, "-dir", dir)
	}
	s.eventually("the campaign is done", func() bool {
		_, body := v.get(path)
		return strings.Contains(body, `badge active">done<`)
	})
	s.once(people)
	p.end()
}

// Two processes share the work behind a balancer, and one is killed while the history comes, and
// while a campaign goes out: each time the other takes over.
func TestTwoProcessesOnPostgreSQL(t *testing.T) {
	t.Parallel()
	database := newDatabase(t)
	s := newStage(t, coexistencetest.History{Messages: 2000, Customers: 150})
	var alive atomic.Pointer[process]
	balancer := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(mustURL(alive.Load().url)) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	t.Cleanup(balancer.Close)
	files := t.TempDir()
	start := func() *process {
		return s.start(free(t), "-dir", t.TempDir(), "-files", files, "-database", database, "-url", balancer.URL)
	}
	first, second := start(), start()
	alive.Store(first)
	require.NoError(t, s.world.DeliverTo(balancer.URL+"/webhook"))
	v := newVisitor(t, balancer.URL)
	v.signUp("bakery")
	v.connect(s)
	s.eventually("the history comes", func() bool { return v.progress() > 10 })
	alive.Store(second)
	first.kill()
	require.NoError(t, s.world.WaitDelivered(t.Context()))
	s.eventually("everything is here", func() bool { return v.progress() == 100 && second.idle() })

	third := start()
	path, people := v.launch(s)
	s.eventually("messages go out", func() bool { return len(s.world.Graph().Sent()) >= 30 })
	sender, heir := second, third
	if third.sends.Load() > second.sends.Load() {
		sender, heir = third, second
	}
	before := heir.sends.Load()
	alive.Store(heir)
	sender.kill()
	killed := time.Now()
	s.eventually("the other one sends", func() bool { return heir.sends.Load() > before })
	t.Logf("another process sent %s after the first one was killed, with a lease of 5 s",
		time.Since(killed).Round(time.Millisecond))
	s.eventually("the campaign is done", func() bool {
		_, body := v.get(path)
		return strings.Contains(body, `badge active">done<`)
	})
	s.once(people)
	s.eventually("the statuses are in", func() bool { return s.world.WaitDelivered(t.Context()) == nil })
	heir.end()
}

func newDatabase(t *testing.T) string {
	t.Helper()
	if pgtest.Server() == "" {
		t.Skip(pgtest.Missing)
	}
	url, drop, err := pgtest.Schema(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		db, err := sql.Open("pgx", url)
		require.NoError(t, err)
		_, err = db.ExecContext(ctx,
			"DROP SCHEMA IF EXISTS "+mustURL(url).Query().Get("search_path")+"_downloads CASCADE")
		require.NoError(t, errors.Join(err, db.Close(), drop(ctx)))
	})
	return url
}
