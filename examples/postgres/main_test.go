package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
)

// processEnv is set for the processes of the program, which are the test's own binary.
const processEnv = "POSTGRES_EXAMPLE_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(processEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Each of 150 customers gets one answer, though the process that gets the deliveries and sends the
// answers is killed in the middle. What it was about to send is in doubt: the outbox keeps it, and
// sends it once Meta's history shows that it never arrived.
func TestAKilledProcessLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	database := newDatabase(t)
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	defer db.Close()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	phone := world.NewCloudNumber(coexistencetest.PhoneConfig{})
	var receiver atomic.Pointer[url.URL]
	balancer := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(receiver.Load()) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	t.Cleanup(balancer.Close)
	first, firstURL := start(t, world, phone, database)
	second, secondURL := start(t, world, phone, database)
	for _, u := range []*url.URL{secondURL, firstURL} {
		receiver.Store(u)
		answers := func() bool { return world.DeliverTo(balancer.URL) == nil }
		require.Eventually(t, answers, time.Minute, 10*time.Millisecond)
	}

	const customers, atTheKill = 150, 30
	for i := range customers {
		phone.Customer(fmt.Sprintf("+1 555 010 %04d", 1000+i)).Send("Are you open?")
	}
	sent := func() int { return len(world.Graph().Sent()) }
	require.Eventually(t, func() bool { return sent() >= atTheKill }, time.Minute, 10*time.Millisecond)
	require.NoError(t, first.Process.Kill())
	_ = first.Wait() // "signal: killed"
	require.Less(t, sent(), customers, "it was killed in the middle")
	receiver.Store(secondURL)
	require.NoError(t, world.WaitDelivered(t.Context()))
	var settled, doubtful int
	require.Eventually(t, func() bool { // the leases of the first last for up to 30 seconds
		err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FILTER (WHERE state = 'sent'),
			COUNT(*) FILTER (WHERE state = 'unknown') FROM outbox_entries`).Scan(&settled, &doubtful)
		return err == nil && settled+doubtful == customers
	}, 3*time.Minute, 50*time.Millisecond)
	require.NoError(t, second.Process.Signal(syscall.SIGTERM))
	require.NoError(t, second.Wait(), "it ends well")

	missing := 0
	for _, c := range phone.Customers() {
		chat := phone.Chat(c)
		require.LessOrEqual(t, len(chat), 2, "%s got two answers", c.PhoneNumber())
		if len(chat) == 1 {
			missing++
			continue
		}
		require.Equal(t, "You wrote: Are you open?", chat[1].Content.Text)
	}
	require.LessOrEqual(t, missing, doubtful, "an answer is lost")
}

// start starts a process of the program.
func start(
	t *testing.T, world *coexistencetest.World, phone *coexistencetest.Phone, database string,
) (*exec.Cmd, *url.URL) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close()) // for the program
	self, err := os.Executable()
	require.NoError(t, err)
	process := exec.CommandContext(t.Context(), self)
	process.Env = append(os.Environ(), processEnv+"=1", "ADDR="+addr, "DATABASE_URL="+pgtest.Small(database),
		"APP_SECRET="+world.AppSecret().Reveal(), "VERIFY_TOKEN="+world.VerifyToken().Reveal(),
		"GRAPH_URL="+world.ClientConfig().BaseURL, "ACCESS_TOKEN="+phone.AccessToken().Reveal())
	process.Stderr = t.Output()
	require.NoError(t, process.Start())
	t.Cleanup(func() { _, _ = process.Process.Kill(), process.Wait() })
	return process, &url.URL{Scheme: "http", Host: addr}
}

// newDatabase returns the URL of an empty one.
func newDatabase(t *testing.T) string {
	t.Helper()
	if pgtest.Server() == "" {
		t.Skip(pgtest.Missing)
	}
	address, drop, err := pgtest.Schema(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, drop(context.WithoutCancel(t.Context()))) })
	return address
}
