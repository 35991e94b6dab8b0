package redislimit_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/redislimit"
)

const phone graph.PhoneNumberID = "100000000000001"

// server returns the address of a real Redis.
func server(t *testing.T) *redis.Options {
	t.Helper()
	url := os.Getenv("COEXISTENCE_REDIS")
	if url == "" {
		t.Skip("COEXISTENCE_REDIS names no server: set it to a URL such as redis://127.0.0.1:6379/0")
	}
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	return options
}

// processes returns limiters as n processes would have them, each with connections of its own.
func processes(t *testing.T, n int, cfg redislimit.Config) []*redislimit.Limiter {
	t.Helper()
	var all []*redislimit.Limiter
	for range n {
		rdb := redis.NewClient(server(t))
		t.Cleanup(func() { _ = rdb.Close() })
		cfg.Prefix = prefix(t)
		if cfg.Timeout == 0 {
			cfg.Timeout = 20 * time.Second // a machine under load is no outage
		}
		l, err := redislimit.New(rdb, cfg)
		require.NoError(t, err)
		all = append(all, l)
	}
	t.Cleanup(func() { forget(t) })
	return all
}

// prefix keeps the keys of a test apart from everybody's.
func prefix(t *testing.T) string {
	return fmt.Sprintf("coexistence-test:%d:%s:", os.Getpid(), t.Name())
}

func keys(t *testing.T) []string {
	t.Helper()
	rdb := redis.NewClient(server(t))
	defer rdb.Close()
	var all []string
	iter := rdb.Scan(context.Background(), 0, prefix(t)+"*", 1000).Iterator()
	for iter.Next(context.Background()) {
		all = append(all, iter.Val())
	}
	require.NoError(t, iter.Err())
	return all
}

func forget(t *testing.T) {
	t.Helper()
	rdb := redis.NewClient(server(t))
	defer rdb.Close()
	for _, key := range keys(t) {
		require.NoError(t, rdb.Del(context.Background(), key).Err())
	}
}

func person(i int) cloudapi.Recipient { return cloudapi.ToPhone(fmt.Sprintf("+1555%07d", i)) }

func turnTo(to cloudapi.Recipient) cloudapi.SendRequest {
	return cloudapi.SendRequest{From: phone, To: to}
}

func rate(n int) func(graph.PhoneNumberID) int { return func(graph.PhoneNumberID) int { return n } }

// brief is a context that outlives no wait worth the name: Wait says at once that there is one.
func brief(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestTwoProcessesShareOneBudget(t *testing.T) {
	t.Parallel()
	both := processes(t, 2, redislimit.Config{Throughput: rate(100)})
	var mu sync.Mutex
	var left []time.Time
	var all sync.WaitGroup
	began := time.Now()
	for i := range 200 {
		all.Go(func() {
			err := both[i%2].Wait(t.Context(), turnTo(person(i)))
			mu.Lock()
			defer mu.Unlock()
			left = append(left, time.Now())
			require.NoError(t, err)
		})
	}
	all.Wait()
	slices.SortFunc(left, time.Time.Compare)
	// Five may leave at once, the others in steps of ten milliseconds. When they leave is measured
	// a moment later.
	require.GreaterOrEqual(t, left[199].Sub(began), 1900*time.Millisecond, "two hundred messages left too fast")
	require.Less(t, left[199].Sub(began), 6*time.Second, "the budget is not used")
}

func TestThePairRuleIsShared(t *testing.T) {
	t.Parallel()
	both := processes(t, 2, redislimit.Config{Throughput: rate(1_000_000)})
	for i := range cloudapi.PairBurst {
		require.NoError(t, both[i%2].Wait(t.Context(), turnTo(person(1))))
	}
	for _, l := range both {
		err := l.Wait(brief(t, 300*time.Millisecond), turnTo(person(1)))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "redislimit: the message is held back: the wait of ")
		require.NoError(t, l.Wait(brief(t, 5*time.Second), turnTo(person(2))), "another person is not concerned")
	}
}

// A campaign waits for a person; others behind it do not.
func TestAWaitingPairDelaysNoOther(t *testing.T) {
	t.Parallel()
	l := processes(t, 1, redislimit.Config{Throughput: rate(1_000_000)})[0]
	for range cloudapi.PairBurst {
		require.NoError(t, l.Wait(t.Context(), turnTo(person(1))))
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() { waiting <- l.Wait(ctx, turnTo(person(1))) }()
	for i := range 20 {
		require.NoError(t, l.Wait(brief(t, 4*time.Second), turnTo(person(100+i))))
	}
	cancel()
	require.ErrorIs(t, <-waiting, context.Canceled)
}

func TestAReplyGoesBeforeTheCampaignsOfOtherProcesses(t *testing.T) {
	t.Parallel()
	both := processes(t, 2, redislimit.Config{Throughput: rate(20)})
	ctx, cancel := context.WithCancel(t.Context())
	var campaign sync.WaitGroup
	for i := range 200 {
		campaign.Go(func() {
			_ = both[0].Wait(ctx, cloudapi.SendRequest{From: phone, To: person(i), Priority: cloudapi.PriorityCampaign})
		})
	}
	began := time.Now()
	const replies = 10
	for i := range replies {
		require.NoError(t, both[1].Wait(t.Context(), turnTo(person(1000+i))))
	}
	took := time.Since(began)
	cancel()
	campaign.Wait()
	require.Less(t, took, 3*time.Second, "two hundred messages of a campaign, ten seconds' worth, went first")
}

func TestWhatOneProcessLearnsSlowsAll(t *testing.T) {
	t.Parallel()
	refusal := func(code graph.Code) cloudapi.Attempt {
		return cloudapi.Attempt{Err: answer(t, code)}
	}
	tests := map[string]struct {
		code graph.Code
		to   cloudapi.Recipient
		want bool // whether the other process has to wait, for a minute
	}{
		"throughput":   {graph.CodeRateLimitHit, person(2), true},
		"maintenance":  {graph.CodeAccountInMaintenance, person(2), true},
		"the pair":     {graph.CodePairRateLimitHit, person(1), true},
		"another pair": {graph.CodePairRateLimitHit, person(2), false},
		"the window":   {graph.CodeReengagementMessage, person(1), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both := processes(t, 2, redislimit.Config{})
			both[0].Observe(t.Context(), turnTo(person(1)), refusal(tt.code))
			err := both[1].Wait(brief(t, 10*time.Second), turnTo(tt.to))
			if !tt.want {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Regexp(t, `the wait of (1m0|[45][0-9](\.[0-9]+)?)s`, err.Error())
		})
	}
}

// answer is how a client reports a code.
func answer(t *testing.T, code graph.Code) error {
	t.Helper()
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	from := srv.AddPhone(cloudapitest.Phone{})
	srv.Inject(cloudapitest.Fault{Code: code, RetryAfter: time.Minute})
	cfg := srv.ClientConfig()
	cfg.Retry.MaxAttempts = 1
	client, err := cloudapi.NewClient(cfg)
	require.NoError(t, err)
	_, err = client.Messages.Send(t.Context(), from.ID, cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Hello"},
	})
	require.ErrorIs(t, err, code)
	return err
}

func TestUsageHalvesTheThroughputForAll(t *testing.T) {
	t.Parallel()
	both := processes(t, 2, redislimit.Config{})
	both[0].Observe(t.Context(), turnTo(person(1)), cloudapi.Attempt{
		Response: cloudapi.Response{AppUsage: &cloudapi.Usage{Calls: 100}},
	})
	began := time.Now()
	for i := range 8 {
		require.NoError(t, both[1].Wait(t.Context(), turnTo(person(i))))
	}
	require.Greater(t, time.Since(began), time.Second, "at two a second and rising")
}

func TestReceivedMessagesTakeFromTheSharedBudget(t *testing.T) {
	t.Parallel()
	both := processes(t, 2, redislimit.Config{})
	for range 1000 { // a flood makes a debt of a second, not of a minute
		both[0].RecordInbound(t.Context(), phone, time.Now())
	}
	both[0].RecordInbound(t.Context(), phone, time.Now().Add(-time.Hour))
	err := both[1].Wait(brief(t, 300*time.Millisecond), turnTo(person(1)))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, both[1].Wait(brief(t, 5*time.Second), turnTo(person(1))))
}

func TestKeysExpireAndContainNoNames(t *testing.T) {
	t.Parallel()
	l := processes(t, 1, redislimit.Config{})[0]
	l.RecordInbound(t.Context(), phone, time.Now())
	require.NoError(t, l.Wait(t.Context(), turnTo(cloudapi.ToPhone("+1 555 010 0142"))))
	l.Observe(t.Context(), turnTo(person(7)), cloudapi.Attempt{Err: answer(t, graph.CodePairRateLimitHit)})
	l.Observe(t.Context(), turnTo(person(7)), cloudapi.Attempt{Err: answer(t, graph.CodeRateLimitHit)})
	rdb := redis.NewClient(server(t))
	defer rdb.Close()
	all := keys(t)
	require.Len(t, all, 3, "a number and two pairs")
	for _, key := range all {
		require.NotContains(t, key, "5550100142")
		require.Contains(t, key, "{"+string(phone)+"}", "a cluster keeps the keys of a number together")
		ttl := rdb.PTTL(t.Context(), key).Val()
		require.Positive(t, ttl, "%s stays for ever", key)
		require.Less(t, ttl, 10*time.Minute)
	}
}

func TestAClientSendsThroughTheSharedLimiter(t *testing.T) {
	t.Parallel()
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	from := srv.AddPhone(cloudapitest.Phone{})
	cfg := srv.ClientConfig()
	cfg.Limiter = processes(t, 1, redislimit.Config{Throughput: rate(1000)})[0]
	client, err := cloudapi.NewClient(cfg)
	require.NoError(t, err)
	for i := range 20 {
		_, err := client.Messages.Send(t.Context(), from.ID, cloudapi.Message{
			To: person(i), Content: &cloudapi.Text{Body: "Hello"},
		})
		require.NoError(t, err)
	}
	require.Len(t, srv.Sent(), 20)
}

// A relay stands between a process and Redis, and can be cut.
type relay struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	conns    []net.Conn
	closed   bool
}

func startRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{listener: l, to: to}
	go r.serve()
	t.Cleanup(func() {
		_ = l.Close()
		r.cut(true)
	})
	return r
}

func (r *relay) serve() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.to)
		r.mu.Lock()
		if err != nil || r.closed {
			_ = near.Close()
			if err == nil {
				_ = far.Close()
			}
		} else {
			r.conns = append(r.conns, near, far)
			for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					_, _ = io.Copy(pair[0], pair[1])
					_ = pair[0].Close()
				}()
			}
		}
		r.mu.Unlock()
	}
}

func (r *relay) cut(closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = closed
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

func TestMessagesGoOutWhileRedisIsDown(t *testing.T) {
	t.Parallel()
	options := server(t)
	r := startRelay(t, options.Addr)
	options.Addr, options.MaxRetries = r.listener.Addr().String(), -1
	rdb := redis.NewClient(options)
	t.Cleanup(func() { _ = rdb.Close() })
	var mu sync.Mutex
	var log bytes.Buffer
	l, err := redislimit.New(rdb, redislimit.Config{
		Prefix: prefix(t), Processes: 4, Throughput: rate(80),
		Logger: slog.New(slog.NewTextHandler(&lockedWriter{&mu, &log}, nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() { forget(t) })
	require.NoError(t, l.Wait(t.Context(), turnTo(person(0))))

	r.cut(true)
	began := time.Now()
	for i := range 21 {
		require.NoError(t, l.Wait(t.Context(), turnTo(person(i))))
	}
	require.GreaterOrEqual(t, time.Since(began), 950*time.Millisecond, "a quarter of the throughput is its share")

	r.cut(false)
	require.Eventually(t, func() bool {
		_ = l.Wait(t.Context(), turnTo(person(100)))
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(log.String(), "redis answers again")
	}, 20*time.Second, 50*time.Millisecond)
	require.Equal(t, 1, strings.Count(log.String(), "redis does not answer"), "the outage is told once: %s",
		log.String())
}

func TestNothingGoesOutWhileRedisIsDownIfToldSo(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	l, err := redislimit.New(rdb, redislimit.Config{FailClosed: true})
	require.NoError(t, err)
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	from := srv.AddPhone(cloudapitest.Phone{})
	cfg := srv.ClientConfig()
	cfg.Limiter = l
	client, err := cloudapi.NewClient(cfg)
	require.NoError(t, err)
	_, err = client.Messages.Send(t.Context(), from.ID, cloudapi.Message{
		To: person(1), Content: &cloudapi.Text{Body: "Hello"},
	})
	require.ErrorIs(t, err, redislimit.ErrUnavailable)
	require.ErrorContains(t, err, "the request did not leave")
	require.Empty(t, srv.Sent())
}

func TestTheContextEndsAWaitForRedis(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = rdb.Close() })
	l, err := redislimit.New(rdb, redislimit.Config{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, l.Wait(ctx, turnTo(person(1))), context.Canceled)
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := redislimit.New(nil, redislimit.Config{})
	require.ErrorContains(t, err, "no Redis client")
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = rdb.Close() })
	_, err = redislimit.New(rdb, redislimit.Config{Processes: -1})
	require.ErrorContains(t, err, "Processes")
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(p)
}

// stall keeps connections open and lets nothing through any more, which is how a network fails that
// drops packets.
func (r *relay) stall(reply []byte) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns = append(r.conns, conn)
			r.mu.Unlock()
			_, _ = conn.Write(reply)
		}
	}()
	return l
}

// Redis can be there and not answer, or answer something else. No send waits for it longer than the
// timeout, and the messages go out by the process's own share.
func TestAHangingOrBrokenRedisBlocksNoSend(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"hangs":          "",
		"half an answer": "*2\r\n:0\r\n",
		"another answer": "*1\r\n:0\r\n*1\r\n:0\r\n*1\r\n:0\r\n*1\r\n:0\r\n",
		"loading":        strings.Repeat("-LOADING Redis is loading the dataset in memory\r\n", 50),
		"out of memory":  strings.Repeat("-OOM command not allowed when used memory > 'maxmemory'.\r\n", 50),
		"a replica":      strings.Repeat("-READONLY You can't write against a read only replica.\r\n", 50),
		"something else": strings.Repeat("HTTP/1.1 400 Bad Request\r\n\r\n", 50),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := new(relay)
			l := r.stall([]byte(reply))
			t.Cleanup(func() { _ = l.Close(); r.cut(true) })
			rdb := redis.NewClient(&redis.Options{Addr: l.Addr().String(), MaxRetries: -1})
			t.Cleanup(func() { _ = rdb.Close() })
			limiter, err := redislimit.New(rdb, redislimit.Config{
				Throughput: rate(1000), Timeout: 200 * time.Millisecond,
			})
			require.NoError(t, err)
			var all sync.WaitGroup
			began := time.Now()
			for i := range 50 {
				all.Go(func() {
					limiter.RecordInbound(t.Context(), phone, time.Now())
					if err := limiter.Wait(t.Context(), turnTo(person(i))); err != nil {
						t.Errorf("a message was held back: %v", err)
					}
				})
			}
			all.Wait()
			require.Less(t, time.Since(began), 2*time.Second, "the client's own timeouts are ten seconds and more")

			held, err := redislimit.New(rdb, redislimit.Config{FailClosed: true, Timeout: 200 * time.Millisecond})
			require.NoError(t, err)
			require.ErrorIs(t, held.Wait(t.Context(), turnTo(person(1))), redislimit.ErrUnavailable)
		})
	}
}

func TestWhatIsForgottenIsNotInRedis(t *testing.T) {
	t.Parallel()
	l := processes(t, 1, redislimit.Config{})[0]
	for i := range 2 {
		require.NoError(t, l.Wait(t.Context(), turnTo(person(i))))
	}
	require.Len(t, keys(t), 3)
	require.NoError(t, l.Forget(t.Context(), phone, person(0), cloudapi.ToUser("US.1001")))
	require.Len(t, keys(t), 2)
	require.NoError(t, l.Forget(t.Context(), phone))
	left := keys(t)
	require.Len(t, left, 1, "a pair, under a hash")
	require.NotContains(t, left[0], strings.TrimPrefix(person(1).Key(), "+"))
	require.NoError(t, l.Forget(t.Context(), phone))
}
