package sqliteinbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// In the child, it names the file.
const childPath = "COEXISTENCE_TEST_CHILD_PATH"

// TestMain is where a child process begins. If it is not to die of messages, it takes in three of a
// customer, handles the first, and hangs in the second.
func TestMain(m *testing.M) {
	path := os.Getenv(childPath)
	if path == "" {
		os.Exit(m.Run())
	}
	if culprits := os.Getenv(childCulprits); culprits != "" {
		if err := dieOf(path, strings.Fields(culprits)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	ctx := context.Background()
	n := 0
	in, err := sqliteinbox.Open(ctx, path, webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		m, _ := ev.(*webhook.IncomingMessage)
		fmt.Println("handling", m.ID)
		if n++; n == 2 {
			select {}
		}
		return nil
	}), inbox.Config{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for i := range 3 {
		if err := in.Receive(ctx, webhook.Delivery{Body: says("15550100101", i), ReceivedAt: time.Now()}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	select {}
}

// says is a delivery with one text.
func says(customer string, i int) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398",`+
		`"changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100199","phone_number_id":"106540352242922"},`+
		`"messages":[{"from":%q,"id":"wamid.%s.%04d",`+
		`"timestamp":"1795168800","text":{"body":"hello"},"type":"text"}]},"field":"messages"}]}]}`, customer, customer,
		i)
}

func idOf(ev webhook.Event) string {
	if m, ok := ev.(*webhook.IncomingMessage); ok {
		return string(m.ID)
	}
	return fmt.Sprintf("%T", ev)
}

// within is a context for waits that end in moments, if all is well. One that is over says what the
// wait was for, instead of the test's being killed.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// A log notes what was handled.
type log struct {
	mu  sync.Mutex
	ids []string
}

func (l *log) Handle(_ context.Context, ev webhook.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids = append(l.ids, idOf(ev))
	return nil
}

func (l *log) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ids)
}

func TestTheNextProcessTakesOverAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(within(t), self) // which ends the wait for a line, too
	child.Env = append(os.Environ(), childPath+"="+path)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	for _, want := range []string{"handling wamid.15550100101.0000", "handling wamid.15550100101.0001"} {
		require.True(t, lines.Scan(), "the child has ended, and was to say: %s", want)
		require.Equal(t, want, lines.Text())
	}
	_, err = sqlitedb.OpenInbox(t.Context(), path)
	require.ErrorContains(t, err, "the file is in use")
	// Two of the three are settled or in the middle of a handler; the third may not be stored yet,
	// and then Meta repeats it.
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()

	var l log
	in, err := sqliteinbox.Open(t.Context(), path, &l, inbox.Config{LeaseDuration: time.Hour})
	require.NoError(t, err)
	for i := range 3 {
		require.NoError(t, in.Receive(t.Context(), webhook.Delivery{
			Body: says("15550100101", i), ReceivedAt: time.Now(),
		}))
	}
	require.NoError(t, in.WaitIdle(within(t)), "the lease of the dead process is not waited for")
	got := l.all()
	if len(got) == 3 { // the first had been handled and not settled yet
		got = got[1:]
	}
	require.Equal(t, []string{"wamid.15550100101.0001", "wamid.15550100101.0002"}, got)
	require.NoError(t, in.Shutdown(t.Context()))
}

func TestAFileBelongsToOneInbox(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store, err := sqlitedb.OpenInbox(t.Context(), path)
	require.NoError(t, err)
	_, err = sqlitedb.OpenInbox(t.Context(), path)
	require.ErrorContains(t, err, "the file is in use")
	require.NoError(t, store.Close())
	store, err = sqlitedb.OpenInbox(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, store.Close())
}

func TestOnlyTheOwnerReadsTheFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "in", "box")
	store, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(dir, "inbox.db"))
	require.NoError(t, err)
	defer store.Close()
	_, err = store.Append(t.Context(), []inbox.Record{{DedupKey: "k", Body: []byte("{}")}})
	require.NoError(t, err)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	for _, name := range []string{"inbox.db", "inbox.db-wal", "inbox.db-shm", "inbox.db-lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for path, want := range map[string]string{
		"": "inbox.MemStore", ":memory:": "inbox.MemStore", filepath.Join(file, "inbox.db"): "cannot be made",
		t.TempDir(): "names a folder",
	} {
		_, err := sqliteinbox.Open(t.Context(), path, new(log), inbox.Config{})
		require.ErrorContains(t, err, want)
	}
	_, err := sqliteinbox.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), nil, inbox.Config{Workers: -1})
	require.ErrorContains(t, err, "Config.Workers")
}

func TestEveryConnectionIsDurable(t *testing.T) {
	t.Parallel()
	store, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	defer store.Close()
	for range 5 { // held, so that each is another one
		conn, err := store.DB().Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
			var got string
			require.NoError(t, conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got))
			require.Equal(t, want, got, name)
		}
	}
}

// A host that writes to the file too has its connections wait for a transaction of the inbox, which
// must then not wait for one of them.
func TestAllButOneConnectionMayBeBusy(t *testing.T) {
	t.Parallel()
	store := open(t, filepath.Join(t.TempDir(), "inbox.db"))
	defer store.Close()
	for range store.DB().Stats().MaxOpenConnections - 1 {
		conn, err := store.DB().Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	added, err := store.Append(ctx, []inbox.Record{{DedupKey: "a", ReceivedAt: time.Now(), Body: []byte("body of a")}})
	require.NoError(t, err)
	require.Equal(t, 1, added)
	b, keys := claimDeliveries(t, store, 1)
	require.Equal(t, []string{"a"}, keys)
	require.NoError(t, store.Settle(ctx, b.LeaseToken, []inbox.Settlement{
		{ID: b.Records[0].ID, Disposition: inbox.DispositionDone},
	}))
}

// A full disk: 503, so that Meta keeps the rest, nothing lost that was acknowledged, and everything
// by itself once there is room.
func TestAFullDiskAnswers503AndRecovers(t *testing.T) {
	t.Parallel()
	store, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	store.DB().SetMaxOpenConns(1) // the limit is one of a connection
	limit := func(pages int) {
		_, err := store.DB().ExecContext(t.Context(), fmt.Sprint("PRAGMA max_page_count = ", pages))
		require.NoError(t, err)
	}
	limit(200)
	var l log
	in, err := inbox.New(store, &l, inbox.Config{})
	require.NoError(t, err)
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "made-up", VerifyToken: "made-up"}, in)
	require.NoError(t, err)
	statuses := map[int]int{}
	var accepted []string
	post := func(i int) int {
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, webhooktest.NewRequest(says("15550100101", i), "made-up"))
		if statuses[w.Code]++; w.Code == http.StatusOK {
			accepted = append(accepted, fmt.Sprintf("wamid.15550100101.%04d", i))
		}
		return w.Code
	}
	next := 0
	for ; statuses[http.StatusServiceUnavailable] < 20; next++ {
		require.Less(t, next, 5000)
		post(next)
	}
	require.Len(t, statuses, 2, "200 and 503, nothing else: %v", statuses)
	require.NoError(t, in.Start(t.Context())) // the workers find no room either
	time.Sleep(50 * time.Millisecond)         // let them try; nothing depends on how far they come
	limit(100000)
	require.Equal(t, http.StatusOK, post(next))
	require.NoError(t, in.WaitIdle(within(t)))
	require.Equal(t, accepted, l.all(), "all that was acknowledged, in order, once")
	require.NoError(t, in.Shutdown(t.Context()))
}

// A process whose clock was days ahead leaves pauses and leases that end in the future.
func TestAClockThatWasSetBackBlocksNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	var l log
	store, err := sqlitedb.OpenInbox(t.Context(), path)
	require.NoError(t, err)
	in, err := inbox.New(store, &l, inbox.Config{})
	require.NoError(t, err)
	require.NoError(t, in.Receive(t.Context(), webhook.Delivery{Body: says("15550100101", 0), ReceivedAt: time.Now()}))
	b, err := store.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 1, LeaseDuration: time.Minute})
	require.NoError(t, err)
	require.Len(t, b.Records, 1)
	_, err = store.DB().ExecContext(
		t.Context(), "UPDATE webhook_lanes SET next_at = next_at + ?", 8*24*time.Hour.Microseconds(),
	)
	require.NoError(t, err)
	require.NoError(t, store.Close())

	store, err = sqlitedb.OpenInbox(t.Context(), path)
	require.NoError(t, err)
	require.ErrorIs(
		t, store.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{{ID: b.Records[0].ID}}), inbox.ErrLeaseLost,
	)
	for _, kind := range []inbox.Kind{inbox.KindDelivery, inbox.KindEvent} {
		b, err := store.Claim(t.Context(), inbox.ClaimRequest{
			Kind: kind, Lanes: 1, PerLane: 1, LeaseDuration: time.Minute,
		})
		require.NoError(t, err)
		require.Len(t, b.Records, 1, kind)
		out := inbox.Settlement{ID: b.Records[0].ID, Disposition: inbox.DispositionDone, Events: []inbox.Record{{
			Kind: inbox.KindEvent, DedupKey: "k", Lane: "l",
		}}}
		if kind == inbox.KindEvent {
			out = inbox.Settlement{
				ID: b.Records[0].ID, Disposition: inbox.DispositionRetry, RetryAfter: 8 * 24 * time.Hour,
			}
		}
		require.NoError(t, store.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{out}))
	}
	require.NoError(t, store.Close())
	store, err = sqlitedb.OpenInbox(t.Context(), path)
	require.NoError(t, err)
	b, err = store.Claim(t.Context(), inbox.ClaimRequest{
		Kind: inbox.KindEvent, Lanes: 1, PerLane: 1, LeaseDuration: time.Minute,
	})
	require.NoError(t, err)
	require.Empty(t, b.Records)
	require.LessOrEqual(t, b.Wait, time.Hour)
	require.NoError(t, store.Close())
}

// The host's rows and the fact that the event is done are one commit, whatever goes wrong in
// between.
func TestEffectsInATransactionAreThereOnce(t *testing.T) {
	t.Parallel()
	store, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	_, err = store.DB().ExecContext(t.Context(), "CREATE TABLE effects (id TEXT)")
	require.NoError(t, err)
	var mu sync.Mutex
	tries := map[string]int{}
	in, err := inbox.New(store, inbox.InTx(webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
		tx, _ := inbox.Tx(ctx)
		id := idOf(ev)
		if _, err := tx.ExecContext(ctx, "INSERT INTO effects (id) VALUES (?)", id); err != nil {
			return err
		}
		mu.Lock()
		tries[id]++
		n := tries[id]
		mu.Unlock()
		switch {
		case strings.HasSuffix(id, "3") && n < 3:
			return errors.New("after the work")
		case strings.HasSuffix(id, "5") && n < 2:
			panic("after the work")
		}
		return nil
	})), inbox.Config{Backoff: func(int) time.Duration { return time.Millisecond }})
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	var all sync.WaitGroup
	for c := range 8 {
		all.Go(func() {
			for i := range 25 {
				for range 2 {
					if err := in.Receive(t.Context(), webhook.Delivery{
						Body: says(fmt.Sprint("1555010010", c), i), ReceivedAt: time.Now(),
					}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	require.NoError(t, in.WaitIdle(within(t)))
	var rows, different int
	row := store.DB().QueryRowContext(t.Context(), "SELECT COUNT(*), COUNT(DISTINCT id) FROM effects")
	require.NoError(t, row.Scan(&rows, &different))
	require.Equal(t, 200, rows)
	require.Equal(t, 200, different)
	handled := func() bool {
		m, err := in.Metrics(t.Context())
		return err == nil && m.Handled == 200
	}
	require.Eventually(t, handled, time.Minute, time.Millisecond, "an event is counted after it was committed")
	m, err := in.Metrics(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(200), m.Received)
	require.Equal(t, int64(200), m.Duplicates)
	require.NoError(t, in.Shutdown(t.Context()))
}
