package redislimit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/redislimit"
)

// A redisServer is a Redis of the test's own, which may be killed and stopped.
type redisServer struct {
	port int
	dir  string
	cmd  *exec.Cmd
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	server(t) // skips where tests with Redis are not wanted
	_, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed: this test kills and stops one of its own")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &redisServer{port: l.Addr().(*net.TCPAddr).Port, dir: t.TempDir()}
	require.NoError(t, l.Close())
	s.start(t)
	t.Cleanup(func() { s.kill(t) })
	return s
}

func (s *redisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + strconv.Itoa(s.port)})
}

func (s *redisServer) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(s.port),
		"--save", "", "--appendonly", "no", "--dir", s.dir)
	require.NoError(t, s.cmd.Start())
	rdb := s.client()
	defer rdb.Close()
	require.Eventually(t, func() bool { return rdb.Ping(context.Background()).Err() == nil }, 30*time.Second,
		20*time.Millisecond)
}

func (s *redisServer) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, s.cmd.Process.Kill())
	_ = s.cmd.Wait() // it was killed
}

func (s *redisServer) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(sig))
}

// A passage records when messages were let through.
type passage struct {
	mu   sync.Mutex
	left []time.Time
}

func (p *passage) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = append(p.left, time.Now())
}

// most returns the most messages that left within any span of time.
func (p *passage) most(span time.Duration) (most int, at time.Time) {
	slices.SortFunc(p.left, time.Time.Compare)
	first := 0
	for i := range p.left {
		for p.left[i].Sub(p.left[first]) > span {
			first++
		}
		if n := i - first + 1; n > most {
			most, at = n, p.left[first]
		}
	}
	return most, at
}

// between counts the messages that left in a part of the test.
func (p *passage) between(from, to time.Time) (n int) {
	for _, at := range p.left {
		if at.After(from) && at.Before(to) {
			n++
		}
	}
	return n
}

// lag measures until stop how late goroutines get to run on this machine. What a test sees of a
// message is as late as that.
func lag(stop <-chan struct{}) time.Duration {
	var most time.Duration
	for {
		before := time.Now()
		select {
		case <-stop:
			return most
		case <-time.After(5 * time.Millisecond):
			most = max(most, time.Since(before)-5*time.Millisecond)
		}
	}
}

// A number's twenty messages a second hold while Redis is lost and when it is back, however it
// goes. Evenly spaced, a second holds twenty and both of its ends.
func TestNoSecondHoldsMoreThanItsMessagesAroundAnOutage(t *testing.T) {
	t.Parallel()
	outages := map[string]func(t *testing.T, s *redisServer, outage time.Duration){
		"killed": func(t *testing.T, s *redisServer, outage time.Duration) {
			s.kill(t)
			time.Sleep(outage)
			s.start(t)
		},
		"restarted at once": func(t *testing.T, s *redisServer, _ time.Duration) {
			s.kill(t)
			s.start(t)
		},
		"paused": func(t *testing.T, s *redisServer, outage time.Duration) {
			rdb := s.client()
			defer rdb.Close()
			require.NoError(t, rdb.Do(t.Context(), "CLIENT", "PAUSE", outage.Milliseconds()).Err())
			time.Sleep(outage)
		},
		"stopped": func(t *testing.T, s *redisServer, outage time.Duration) {
			s.signal(t, syscall.SIGSTOP)
			time.Sleep(outage)
			s.signal(t, syscall.SIGCONT)
		},
		"flushed": func(t *testing.T, s *redisServer, _ time.Duration) {
			rdb := s.client()
			defer rdb.Close()
			require.NoError(t, rdb.FlushAll(t.Context()).Err())
		},
	}
	var outer sync.WaitGroup // all at once: they wait most of the time
	defer outer.Wait()
	for name, fail := range outages {
		for _, waiters := range []int{8, 200} {
			name := fmt.Sprintf("%s, %d waiters in each of 4 processes", name, waiters)
			outer.Go(func() { t.Run(name, func(t *testing.T) { aroundAnOutage(t, waiters, fail) }) })
		}
	}
}

// aroundAnOutage lets waiters of four processes send while their Redis fails.
func aroundAnOutage(t *testing.T, waiters int, fail func(*testing.T, *redisServer, time.Duration)) {
	s := startRedis(t)
	var p passage
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	for i := range 4 {
		rdb := s.client()
		t.Cleanup(func() { _ = rdb.Close() })
		l, err := redislimit.New(rdb, redislimit.Config{Processes: 4})
		require.NoError(t, err)
		for w := range waiters {
			all.Go(func() {
				for n := 0; ; n++ {
					err := l.Wait(ctx, turnTo(person(i*100_000+w*100+n)))
					if err != nil {
						if !errors.Is(err, context.Canceled) {
							t.Errorf("a message was held back: %v", err)
						}
						return
					}
					p.add()
				}
			})
		}
	}
	stop, lags := make(chan struct{}), make(chan time.Duration, 1)
	go func() { lags <- lag(stop) }()

	const outage = 3 * time.Second
	time.Sleep(2 * time.Second) // what a second holds takes seconds to see
	began := time.Now()
	fail(t, s, outage)
	ended := time.Now()
	time.Sleep(6 * time.Second)
	over := time.Now()
	cancel()
	close(stop)
	all.Wait()

	late := <-lags
	// On a busy machine, less of a second: this process is late, and Redis as much.
	most, at := p.most(max(time.Second-2*late, 200*time.Millisecond))
	t.Logf("%d in the fullest second, %v after the beginning; %d in the %v of the outage, "+
		"%d in the last two seconds; lag %v",
		most, at.Sub(began).Round(time.Millisecond), p.between(began, ended), ended.Sub(began).Round(time.Millisecond),
		p.between(over.Add(-2*time.Second), over), late)
	require.LessOrEqual(t, most, cloudapi.CoexistenceRate+1)
	require.GreaterOrEqual(t, p.between(over.Add(-2*time.Second), over), cloudapi.CoexistenceRate,
		"the throughput is not used any more")
	if ended.Sub(began) >= outage {
		require.GreaterOrEqual(t, p.between(began, ended), cloudapi.CoexistenceRate, "nothing leaves during an outage")
	}
}

// A process that had nothing to send while Redis was away does not know that others still send by
// their shares. It keeps to its own, which Redis tells it to when it has just started.
func TestAProcessThatMissedAnOutageKeepsToItsShare(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	rdb := s.client()
	t.Cleanup(func() { _ = rdb.Close() })
	l, err := redislimit.New(rdb, redislimit.Config{Processes: 4})
	require.NoError(t, err)
	require.NoError(t, l.Wait(t.Context(), turnTo(person(0))))
	s.kill(t)
	s.start(t)

	require.NoError(t, l.Wait(t.Context(), turnTo(person(1))))
	first := time.Now()
	for n := range 4 {
		require.NoError(t, l.Wait(t.Context(), turnTo(person(2+n))))
	}
	const share = cloudapi.CoexistenceRate / 4 // messages a second
	require.GreaterOrEqual(t, time.Since(first), 4*time.Second/share)
}
