package natsinbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNotDurable is returned by [Open] and [OpenStore], and while a server is away by everything
// that stores, if the servers lose what they have acknowledged when the power fails, or if nothing
// proves that they do not.
var ErrNotDurable = errors.New("natsinbox: the server may lose what it acknowledged")

// A durabilityCheck finds out whether the servers sync every write before they acknowledge it. Its
// result holds for one connection: a server may come back with other settings.
type durabilityCheck struct {
	mu         sync.Mutex
	passed     bool
	reconnects uint64 // the connection for which it passed: how many there were before
	failure    error  // that a later check of the same connection has found

	syncing sync.Map // names of servers that were found to sync, for those that are away for a while
}

// A server is what a NATS server tells about itself, as far as it matters here.
type server struct {
	ID        string `json:"server_id"`
	Name      string `json:"server_name"`
	Version   string `json:"version"`
	JetStream struct {
		Config *struct {
			SyncAlways bool `json:"sync_always"`
		} `json:"config"`
	} `json:"jetstream"`
}

// syncs reports whether a server writes to its disk before it acknowledges. A server without
// JetStream stores nothing, and does not count as one that does.
func (s server) syncs() bool { return s.JetStream.Config != nil && s.JetStream.Config.SyncAlways }

// checkConnected checks the server that this process is connected to, before anything is made
// there.
func (d *durabilityCheck) checkConnected(ctx context.Context, s *Store) error {
	servers, err := s.askServers(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(servers, func(one server) bool { return one.ID == s.nc.ConnectedServerId() })
	if i < 0 {
		return fmt.Errorf("%w: none of the monitoring ports is that of the server that answers (%s); name those "+
			"of all servers in "+
			"Config.Monitors", ErrNotDurable, s.nc.ConnectedServerName())
	}
	if servers[i].JetStream.Config != nil && !servers[i].syncs() { // in a cluster, it may leave JetStream to others
		return notSynced(servers[i].Name)
	}
	return nil
}

// notSynced is the error about a server that may lose what it acknowledges.
func notSynced(name string) error {
	return fmt.Errorf(
		"%w: server %s does not sync every write; set jetstream { sync_interval: always } and restart it",
		ErrNotDurable, name,
	)
}

// ensure checks unless this connection was checked, and returns the number of the connection. A
// caller that stores something compares it afterwards: after a reconnect, another server may have
// stored it.
func (d *durabilityCheck) ensure(ctx context.Context, s *Store) (connection uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := s.nc.Stats().Reconnects // which numbers connections
	if d.passed && d.reconnects == n {
		return n, d.failure
	}
	if err := s.checkStreams(ctx); err != nil {
		return n, err
	}
	d.passed, d.reconnects, d.failure = true, n, nil
	return n, nil
}

// recheck checks again, because streams can move to other servers. If no server answers, the last
// result holds.
func (d *durabilityCheck) recheck(ctx context.Context, s *Store) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := s.checkStreams(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil || errors.Is(err, ErrNotDurable) && !errors.Is(err, errNoAnswer) {
		d.failure = err
	}
}

// checkStreams checks all servers that keep one of the streams, and only those: other servers of
// the cluster may have any settings.
func (s *Store) checkStreams(ctx context.Context) error {
	servers, err := s.askServers(ctx)
	if err != nil {
		return err
	}
	for _, stream := range []jetstream.Stream{s.logStream, s.bodyStream, s.snapshotStream} {
		info, err := stream.Info(ctx)
		if err != nil {
			return fmt.Errorf("natsinbox: the server does not answer: %w", err)
		}
		if err := s.durability.checkPeers(info, servers, s.nc.ConnectedServerName()); err != nil {
			return err
		}
	}
	return nil
}

// checkPeers checks the servers that keep a stream. A replica that is away stores nothing now, so
// it does not matter until it is back; the leader always has to answer, as does a replica that has
// never been seen.
func (d *durabilityCheck) checkPeers(info *jetstream.StreamInfo, servers []server, connected string) error {
	// A server alone has no cluster, and keeps the stream itself. In a cluster, the leader is
	// first.
	peers, away := []string{connected}, map[string]bool{}
	if c := info.Cluster; c != nil && c.Leader != "" {
		peers[0] = c.Leader
		for _, r := range c.Replicas {
			peers = append(peers, r.Name)
			away[r.Name] = r.Offline
		}
	}
	for _, name := range peers {
		i := slices.IndexFunc(servers, func(one server) bool { return one.Name == name })
		_, seen := d.syncing.Load(name)
		switch {
		case i >= 0 && servers[i].syncs():
			d.syncing.Store(name, true)
		case i >= 0:
			return notSynced(name)
		case !seen && !away[name] || name == peers[0]:
			return fmt.Errorf("%w: server %s keeps the stream %s, and none of the monitoring ports that answer "+
				"is its own; name those of all "+
				"servers in Config.Monitors: %w", ErrNotDurable, name, info.Config.Name, errNoAnswer)
		}
	}
	return nil
}

// askTimeout is how long all servers have to answer. A caller waits for it after each reconnect.
const askTimeout = 3 * time.Second

// errNoAnswer tells a check that found nothing from one that found a server which does not sync:
// only the first is worth another try.
var errNoAnswer = errors.New("nobody answers")

// askServers asks the servers about themselves, through their monitoring ports and through the
// system account, whichever the Config names. Those that do not answer are left out; if none does,
// that is an error.
func (s *Store) askServers(ctx context.Context) ([]server, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var list []server
	for _, url := range s.cfg.Monitors { // one after the other: there are few, and they answer at once
		if one, err := askMonitor(ctx, url); err == nil {
			list = append(list, one)
		}
	}
	if s.cfg.SystemConn != nil {
		more, err := s.askSystem(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no server says whether it syncs every write; open its monitoring port (http: "+
			"8222) to this process and "+
			"name it in Config.Monitors, or set Config.SystemConn: %w", ErrNotDurable, errNoAnswer)
	}
	return list, nil
}

// askMonitor asks a server through its monitoring port. Its error says nothing of the URL, which
// may hold a password.
func askMonitor(ctx context.Context, url string) (one server, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/varz", http.NoBody)
	if err != nil {
		return server{}, errNoAnswer
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return server{}, errNoAnswer
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 4 << 20 // bytes; some kilobytes are usual
	if err := json.NewDecoder(io.LimitReader(resp.Body, most)).Decode(&one); err != nil ||
		resp.StatusCode != http.StatusOK {
		return server{}, errNoAnswer
	}
	return one, nil
}

// askSystem asks all servers of the cluster through the system account. How many there are is not
// known, so it listens until no further answer has come for a moment.
func (s *Store) askSystem(ctx context.Context) (list []server, err error) {
	sub, err := s.cfg.SystemConn.SubscribeSync(s.cfg.SystemConn.NewRespInbox())
	if err != nil {
		return nil, fmt.Errorf("natsinbox: Config.SystemConn: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := s.cfg.SystemConn.PublishRequest("$SYS.REQ.SERVER.PING.VARZ", sub.Subject, nil); err != nil {
		return nil, fmt.Errorf("natsinbox: Config.SystemConn: %w", err)
	}
	const moment = 300 * time.Millisecond // between the answers of servers
	for ctx.Err() == nil {
		timeout := moment
		if len(list) == 0 {
			timeout = askTimeout
		}
		wait, cancel := context.WithTimeout(ctx, timeout)
		msg, err := sub.NextMsgWithContext(wait)
		cancel()
		if err != nil {
			break
		}
		var reply struct {
			Data server `json:"data"`
		}
		if json.Unmarshal(msg.Data, &reply) == nil && reply.Data.ID != "" {
			list = append(list, reply.Data)
		}
	}
	return list, nil
}

// checkVersion refuses servers that cannot sync every write, or that have lost whole streams when
// their process was killed.
func checkVersion(version string) error {
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return fmt.Errorf("%w: its version is unknown", ErrNotDurable)
	}
	if slices.Compare([]int{major, minor, patch}, []int{2, 10, 23}) < 0 {
		return fmt.Errorf("%w: it is version %s, and this needs 2.10.23 or newer, because older ones cannot sync "+
			"every write or have "+
			"lost streams in a crash", ErrNotDurable, version)
	}
	return nil
}
