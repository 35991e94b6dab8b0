package pginbox_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/pginbox"
)

// says is a delivery with one text.
func says(customer string, i int) webhook.Delivery {
	return webhook.Delivery{ReceivedAt: time.Now(), Body: fmt.Appendf(nil,
		`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398",`+
			`"changes":[{"value":{"messaging_product":"whatsapp",`+
			`"metadata":{"display_phone_number":"15550100199","phone_number_id":"106540352242922"},`+
			`"messages":[{"from":%q,"id":"wamid.%s.%04d",`+
			`"timestamp":"1795168800","text":{"body":"hello"},"type":"text"}]},"field":"messages"}]}]}`, customer,
		customer, i)}
}

func idOf(ev webhook.Event) string {
	if m, ok := ev.(*webhook.IncomingMessage); ok {
		return string(m.ID)
	}
	return fmt.Sprintf("%T", ev)
}

func openStore(t testing.TB, url string) *pgdb.Inbox {
	t.Helper()
	store, err := pgdb.OpenInbox(t.Context(), pgdb.Config{URL: url})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() }) // a test may have closed it
	return store
}

// effects are rows that a handler writes along with the fact that the event is done.
func effects(t testing.TB, store *pgdb.Inbox) {
	t.Helper()
	_, err := store.DB().ExecContext(
		t.Context(), "CREATE TABLE effects (n BIGINT GENERATED ALWAYS AS IDENTITY, id TEXT, who TEXT)",
	)
	require.NoError(t, err)
}

func effect(who string) webhook.Handler {
	return effectAfter(who, 0)
}

// effectAfter has a transaction open for a while.
func effectAfter(who string, pause time.Duration) webhook.Handler {
	return inbox.InTx(webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
		tx, _ := inbox.Tx(ctx)
		_, err := tx.ExecContext(ctx, "INSERT INTO effects (id, who) SELECT $1, $2 FROM pg_sleep($3)",
			idOf(ev), who, pause.Seconds())
		return err
	}))
}

// idleAfterCuts waits until nothing is left to do. A connection that was cut when it had just
// become idle shows it to its next user.
func idleAfterCuts(t *testing.T, in *inbox.Inbox) error {
	t.Helper()
	ctx := within(t)
	for {
		err := in.WaitIdle(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		t.Log(err)
	}
}

// cutConnections cuts connections of an application that are at work, one after each delivery that
// is accepted, however slow the machine is, and returns how many.
func cutConnections(
	t *testing.T, admin *pgdb.Inbox, name string, r *rand.Rand, accepted <-chan struct{},
) (cut int64) {
	for range accepted {
		<-time.After(time.Duration(5+r.IntN(40)) * time.Millisecond)
		res, err := admin.DB().ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = $1 AND state <> 'idle'
			ORDER BY random() * CASE WHEN query LIKE '%effects%' THEN 0.3 ELSE 1 END LIMIT 1`, name)
		if !assert.NoError(t, err) {
			continue
		}
		n, _ := res.RowsAffected()
		cut += n
	}
	return cut
}

// Connections are cut anywhere, in the middle of commits too, and with preference in a handler's
// transaction: otherwise it is other statements on a slow machine. Each delivery is sent until it
// is accepted, as Meta does.
func TestConnectionsThatAreCutAnywhereLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	const customers, each, enough = 12, 40, 20
	seed := rand.Uint64()
	url := database(t)
	admin := openStore(t, url)
	effects(t, admin)
	name := fmt.Sprintf("cut-%d", seed)
	store := openStore(t, pgtest.With(url, "application_name", name))
	var retried atomic.Int64
	in, err := inbox.New(store, effectAfter("me", 10*time.Millisecond), inbox.Config{
		// Long enough for a slow machine to settle in: what was abandoned twice pauses.
		LeaseDuration: 10 * time.Second, Backoff: func(int) time.Duration { return 10 * time.Millisecond },
		Observe: func(_ context.Context, a inbox.Attempt) {
			if a.Disposition == inbox.DispositionRetry {
				retried.Add(1)
			}
		},
	})
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))

	var all, cutting sync.WaitGroup
	var refused, cut atomic.Int64
	accepted := make(chan struct{}, 1)
	cutting.Go(func() { cut.Store(cutConnections(t, admin, name, rand.New(rand.NewPCG(seed, 1)), accepted)) })
	ctx := within(t)
	for c := range customers {
		all.Go(func() {
			// On and on until handlers were cut off as well, and what they had begun came again.
			for i := 0; i < each || retried.Load() < enough && i < 9999; i++ {
				d := says(fmt.Sprintf("1555010%04d", c), i)
				err := in.Receive(ctx, d)
				for ; err != nil && ctx.Err() == nil; err = in.Receive(ctx, d) {
					refused.Add(1)
				}
				if !assert.NoError(t, err, "delivery %d of customer %d was never accepted", i, c) {
					return
				}
				select {
				case accepted <- struct{}{}:
				default:
				}
			}
		})
	}
	all.Wait()
	close(accepted)
	cutting.Wait()
	require.NoError(t, idleAfterCuts(t, in), "seed %d", seed)
	require.NoError(t, in.Shutdown(t.Context()))
	t.Logf(
		"seed %d: %d connections cut, %d deliveries refused and repeated, %d attempts repeated", seed, cut.Load(),
		refused.Load(), retried.Load(),
	)
	require.GreaterOrEqual(t, retried.Load(), int64(enough))

	var rows, different, wrong int
	row := admin.DB().QueryRowContext(t.Context(), "SELECT COUNT(*), COUNT(DISTINCT id) FROM effects")
	require.NoError(t, row.Scan(&rows, &different))
	require.Equal(t, rows, different, "no effect is there twice; seed %d", seed)
	require.GreaterOrEqual(t, rows, customers*each)
	// In a conversation, identity values are those of committed transactions that came one after
	// the other.
	require.NoError(t, admin.DB().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM
		(SELECT id, LAG(id) OVER (PARTITION BY LEFT(id, 17) ORDER BY n) AS before FROM effects) AS e
		WHERE before > id`).Scan(&wrong))
	require.Zero(t, wrong, "every conversation is in order; seed %d", seed)
	require.NoError(t, admin.DB().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM
		(SELECT LEFT(id, 17) AS c, COUNT(*) AS n, MAX(RIGHT(id, 4)::int) AS last FROM effects GROUP BY 1) AS e
		WHERE n <> last + 1`).Scan(&wrong))
	require.Zero(t, wrong, "nothing is missing; seed %d", seed)
}

// In the child, these name the database and what to do.
const (
	childURL  = "COEXISTENCE_TEST_CHILD_URL"
	childName = "COEXISTENCE_TEST_CHILD_NAME"
)

// TestMain is where a child process begins: a worker that reports what it has in progress, and
// waits for a command to continue.
func TestMain(m *testing.M) {
	url := os.Getenv(childURL)
	if url == "" {
		os.Exit(m.Run())
	}
	if err := child(context.Background(), url, os.Getenv(childName)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func child(ctx context.Context, url, name string) error {
	stdin := bufio.NewScanner(os.Stdin)
	result := make(chan error, 1)
	inTx := effect(name)
	in, err := pginbox.Open(ctx, url, webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
		fmt.Println("handling", idOf(ev))
		stdin.Scan()
		// The context knows that the lease is lost, if there was time to find out. The transaction
		// has to know in any case.
		err := inTx.Handle(context.WithoutCancel(ctx), ev)
		result <- err
		return err
	}), inbox.Config{LeaseDuration: time.Second, Workers: 1})
	if err != nil {
		return err
	}
	fmt.Println("result:", <-result)
	return in.Shutdown(ctx)
}

// within is a context for waits that end in moments, if all is well. One that is over says what the
// wait was for, instead of the test's being killed.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// A worker is a child process.
type worker struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	stdin *os.File
}

func startWorker(t *testing.T, url, name string) *worker {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(within(t), self) // which ends the wait for a line, too
	cmd.Env = append(os.Environ(), childURL+"="+url, childName+"="+name)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdin = r
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = errors.Join(w.Close(), r.Close())
	})
	return &worker{cmd, bufio.NewScanner(out), w}
}

func (w *worker) says(t *testing.T, want string) {
	t.Helper()
	require.True(t, w.lines.Scan(), "the worker has ended, and was to say: %s", want)
	require.Contains(t, w.lines.Text(), want)
}

func whoHandled(t *testing.T, store *pgdb.Inbox) (list []string) {
	t.Helper()
	rows, err := store.DB().QueryContext(t.Context(), "SELECT who || ' ' || RIGHT(id, 4) FROM effects ORDER BY n")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		require.NoError(t, rows.Scan(&s))
		list = append(list, s)
	}
	require.NoError(t, rows.Err())
	return list
}

func TestAnotherProcessTakesOverWhenOneDiesInAHandler(t *testing.T) {
	t.Parallel()
	url := database(t)
	store := openStore(t, url)
	effects(t, store)
	in, err := inbox.New(store, effect("parent"), inbox.Config{LeaseDuration: time.Second})
	require.NoError(t, err)
	w := startWorker(t, url, "child")
	for i := range 3 {
		require.NoError(t, in.Receive(t.Context(), says("15550100101", i)))
	}
	w.says(t, "handling wamid.15550100101.0000")
	require.NoError(t, w.cmd.Process.Kill())
	_ = w.cmd.Wait()
	require.NoError(t, in.Start(t.Context()))
	require.NoError(t, in.WaitIdle(within(t)))
	require.Equal(t, []string{"parent 0000", "parent 0001", "parent 0002"}, whoHandled(t, store))
	require.NoError(t, in.Shutdown(t.Context()))
}

func TestAWorkerThatWasStoppedPastItsLeaseCommitsNothing(t *testing.T) {
	t.Parallel()
	url := database(t)
	store := openStore(t, url)
	effects(t, store)
	in, err := inbox.New(store, effect("parent"), inbox.Config{LeaseDuration: time.Second})
	require.NoError(t, err)
	w := startWorker(t, url, "child")
	require.NoError(t, in.Receive(t.Context(), says("15550100101", 0)))
	w.says(t, "handling wamid.15550100101.0000")
	require.NoError(t, w.cmd.Process.Signal(syscall.SIGSTOP))
	require.NoError(t, in.Start(t.Context()))
	require.NoError(t, in.WaitIdle(within(t)))
	require.Equal(t, []string{"parent 0000"}, whoHandled(t, store))
	_, err = w.stdin.WriteString("go on\n")
	require.NoError(t, err)
	require.NoError(t, w.cmd.Process.Signal(syscall.SIGCONT))
	w.says(t, "result: "+inbox.ErrLeaseLost.Error())
	require.Equal(t, []string{"parent 0000"}, whoHandled(t, store))
	require.NoError(t, in.Shutdown(t.Context()))
}

// A process can be stopped, or its machine be gone, at any statement: even when it has locked rows
// that the others need.
func TestAnAbandonedTransactionBlocksNoOther(t *testing.T) {
	t.Parallel()
	url := database(t)
	store := openStore(t, url)
	effects(t, store)
	in, err := inbox.New(store, effect("parent"), inbox.Config{LeaseDuration: time.Second})
	require.NoError(t, err)
	for i := range 2 {
		require.NoError(t, in.Receive(t.Context(), says("15550100101", i)))
	}
	stopped := openStore(t, url)
	req := inbox.ClaimRequest{Kind: inbox.KindDelivery, Lanes: 1, PerLane: 1, LeaseDuration: time.Second}
	b, err := stopped.Claim(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, b.Records, 1)
	err = stopped.Transact(t.Context(), func(tx *sql.Tx) error {
		// What it splits is locked now, and so is the lane of all deliveries.
		require.NoError(t, stopped.SettleTx(t.Context(), tx, b.LeaseToken, []inbox.Settlement{{
			ID: b.Records[0].ID, Disposition: inbox.DispositionRetry,
		}}))
		require.NoError(t, in.Start(t.Context()))
		require.NoError(t, in.WaitIdle(within(t)))
		require.Equal(t, []string{"parent 0000", "parent 0001"}, whoHandled(t, store))
		return nil
	})
	require.Error(t, err, "it commits what is long done by another")
	require.NoError(t, in.Shutdown(t.Context()))
}

// The database's clock jumps: leases end too early or too late, and still no worker settles
// what another one holds.
func TestAClockThatJumpsDoublesNothing(t *testing.T) {
	t.Parallel()
	store := openStore(t, database(t))
	jump := func(d time.Duration) { // of the clock: what was to come is nearer by that
		_, err := store.DB().ExecContext(
			t.Context(), "UPDATE webhook_lanes SET next_at = next_at - $1", d.Microseconds(),
		)
		require.NoError(t, err)
	}
	in, err := inbox.New(store, effectAfter("me", 10*time.Millisecond), inbox.Config{})
	require.NoError(t, err)
	require.NoError(t, in.Receive(t.Context(), says("15550100101", 0)))
	req := inbox.ClaimRequest{Lanes: 1, PerLane: 1, LeaseDuration: time.Minute}
	early, err := store.Claim(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, early.Records, 1)
	jump(time.Hour)
	late, err := store.Claim(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, late.Records, 1)
	out := []inbox.Settlement{{ID: early.Records[0].ID, Events: []inbox.Record{{Kind: inbox.KindEvent, Lane: "l"}}}}
	require.ErrorIs(t, store.Settle(t.Context(), early.LeaseToken, out), inbox.ErrLeaseLost)
	jump(-8 * 24 * time.Hour)
	none, err := store.Claim(t.Context(), req)
	require.NoError(t, err)
	require.Empty(t, none.Records)
	require.NoError(t, store.Settle(t.Context(), late.LeaseToken, out))
	req.Kind = inbox.KindEvent
	b, err := store.Claim(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, b.Records, 1)
	jump(-8 * 24 * time.Hour)
	require.NoError(t, in.Receive(t.Context(), says("15550100101", 1)))
	req.Kind = inbox.KindDelivery
	b, err = store.Claim(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, b.Records, 1, "deliveries are split although the clock was set back")
}

// Deliveries that one process takes in wake the workers of another, without their asking.
func TestAppendingWakesOtherProcesses(t *testing.T) {
	t.Parallel()
	url := database(t)
	receiver := openStore(t, url)
	front, err := inbox.New(receiver, effect("nobody"), inbox.Config{}) // not started
	require.NoError(t, err)
	handled := make(chan string, 10)
	back, err := pginbox.Open(t.Context(), url, webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		handled <- idOf(ev)
		return nil
	}), inbox.Config{PollInterval: time.Hour})
	require.NoError(t, err)
	ctx := within(t)
	next := func() string {
		select {
		case id := <-handled:
			return id
		case <-ctx.Done():
			return "nothing was handled"
		}
	}
	for i := range 3 {
		require.NoError(t, front.Receive(t.Context(), says("15550100101", i)))
		if i == 0 {
			// The first may have been appended before the other one listens; it asks once when it
			// begins to.
			require.Equal(t, "wamid.15550100101.0000", next())
			continue
		}
		require.Equal(t, fmt.Sprintf("wamid.15550100101.%04d", i), next())
	}
	require.NoError(t, back.Shutdown(t.Context()))
}

// Two processes and many conversations: each event once, each conversation in order.
func TestTwoInboxesShareTheWork(t *testing.T) {
	t.Parallel()
	const customers, each = 20, 30
	url := database(t)
	var mu sync.Mutex
	seen := map[string][]string{}
	who := map[string]int{}
	var inboxes []*inbox.Inbox
	for _, name := range []string{"a", "b"} {
		in, err := pginbox.Open(t.Context(), url, webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
			mu.Lock()
			defer mu.Unlock()
			customer, _, _ := strings.Cut(strings.TrimPrefix(idOf(ev), "wamid."), ".")
			seen[customer] = append(seen[customer], idOf(ev))
			who[name]++
			return nil
		}), inbox.Config{Workers: 4})
		require.NoError(t, err)
		inboxes = append(inboxes, in)
	}
	var all sync.WaitGroup
	for c := range customers {
		all.Go(func() {
			for i := range each {
				// Meta repeats, and a load balancer sends the repeat elsewhere.
				for _, in := range []*inbox.Inbox{inboxes[i%2], inboxes[(i+1)%2]} {
					if err := in.Receive(t.Context(), says(fmt.Sprintf("1555010%04d", c), i)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	for _, in := range inboxes {
		require.NoError(t, in.WaitIdle(within(t)))
		require.NoError(t, in.Shutdown(t.Context()))
	}
	require.Len(t, seen, customers)
	for customer, ids := range seen {
		require.True(t, slices.IsSorted(ids), "%s: %v", customer, ids)
		require.Len(t, slices.Compact(ids), each)
	}
	require.Equal(t, customers*each, who["a"]+who["b"], "nothing was handled twice")
}

func TestALazyDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	_, err := pgdb.OpenInbox(t.Context(), pgdb.Config{URL: pgtest.With(database(t), "synchronous_commit", "off")})
	require.ErrorContains(t, err, "synchronous_commit is off")
}

func TestErrorsOfOpenHoldNoPassword(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"no server": "postgres://me:canary@127.0.0.1:1/test?connect_timeout=2",
		"no port":   "postgres://me:canary@host:port/test", "no URL": "://me:canary@",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pginbox.Open(t.Context(), url, effect(""), inbox.Config{})
			require.ErrorContains(t, err, "pginbox: ")
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

func TestManyMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := database(t)
	var all sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		all.Go(func() {
			store, err := pgdb.OpenInbox(t.Context(), pgdb.Config{URL: url})
			if errs[i] = err; err == nil {
				errs[i] = store.Close()
			}
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
}
