package natsinbox_test

import (
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

// refused expects that nothing was opened, nor anything made.
func refused(t *testing.T, cfg natsinbox.Config, why string) {
	t.Helper()
	_, err := natsinbox.OpenStore(t.Context(), cfg)
	require.ErrorIs(t, err, natsinbox.ErrNotDurable)
	require.ErrorContains(t, err, why)
}

func streams(t *testing.T, server string) (names []string) {
	t.Helper()
	nc, err := nats.Connect(server)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	list := js.StreamNames(t.Context())
	for name := range list.Name() {
		names = append(names, name)
	}
	require.NoError(t, list.Err())
	return names
}

func TestAServerThatDoesNotSyncEveryWriteIsRefused(t *testing.T) {
	t.Parallel()
	for name, setting := range map[string]string{"default": "max_file: 1GB", "10 ms": "sync_interval: 10ms"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, setting, "")
			refused(t, s.config(), "sync_interval: always")
			require.Empty(t, streams(t, s.Client), "nothing is made on a server that is refused")
		})
	}
}

func TestTheSharedServerIsRefused(t *testing.T) {
	t.Parallel()
	server := os.Getenv("COEXISTENCE_NATS")
	if server == "" {
		t.Skip(
			"set COEXISTENCE_NATS to the URL of a NATS server with default settings, like nats://127.0.0.1:4222; " +
				"nothing is stored there",
		)
	}
	_, err := natsinbox.Open(t.Context(), server+"?name=refused", &webhook.Mux{}, inbox.Config{})
	require.ErrorIs(t, err, natsinbox.ErrNotDurable)
	require.NotContains(t, streams(t, server), "refused-log")
}

func TestWithoutAnAnswerTheServerIsRefused(t *testing.T) {
	t.Parallel()
	s, other := newServer(t, synced, ""), newServer(t, synced, "")
	cfg := s.config()
	cfg.Monitors = []string{"http://127.0.0.1:1"}
	refused(t, cfg, "name it in Config.Monitors")
	cfg.Monitors = []string{other.Monitor}
	refused(t, cfg, "that of the server that answers")
	require.Empty(t, streams(t, s.Client))
}

func TestASystemAccountIsProofEnough(t *testing.T) {
	t.Parallel()
	const accounts = `accounts {
		SYS: { users: [ { user: sys, password: s3cret } ] }
		HOST: { jetstream: enabled, users: [ { user: host, password: s3cret } ] }
	}
	system_account: SYS
	no_auth_user: host`
	for setting, ok := range map[string]bool{synced: true, "max_file: 1GB": false} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, setting, accounts)
			system, err := nats.Connect(s.Client, nats.UserInfo("sys", "s3cret"))
			require.NoError(t, err)
			defer system.Close()
			cfg := s.config()
			cfg.Monitors, cfg.SystemConn = nil, system
			if !ok {
				refused(t, cfg, "sync_interval: always")
				return
			}
			n, err := s.open(cfg).Append(t.Context(), []inbox.Record{{DedupKey: "a", Body: []byte("{}")}})
			require.NoError(t, err)
			require.Equal(t, 1, n)
		})
	}
}

func TestAStreamThatLosesMessagesIsRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "")
	nc, err := nats.Connect(s.Client)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	for why, change := range map[string]func(*jetstream.StreamConfig){
		"in memory":       func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"asynchronously":  func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode },
		"discards old":    func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"(retention)":     func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
		"by age":          func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"not acknowledge": func(c *jetstream.StreamConfig) { c.NoAck = true },
		"other subjects":  func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, c.Name+".more") },
		"2 minutes":       func(c *jetstream.StreamConfig) { c.Duplicates = time.Second },
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			cfg := s.config()
			stream := jetstream.StreamConfig{
				Name: cfg.Name + "-log", Subjects: []string{cfg.Name + ".log"}, Storage: jetstream.FileStorage,
				Discard: jetstream.DiscardNew,
			}
			change(&stream)
			_, err := js.CreateStream(t.Context(), stream)
			require.NoError(t, err)
			refused(t, cfg, why)
		})
	}
}

func TestAServerThatComesBackWithoutSyncingGetsNothingMore(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "")
	store := s.open(s.config())
	appends := func(key string) error {
		_, err := store.Append(t.Context(), []inbox.Record{{DedupKey: key, Body: []byte("{}")}})
		return err
	}
	require.NoError(t, appends("a"))
	s.restart("max_file: 1GB")
	require.ErrorIs(t, appends("b"), natsinbox.ErrNotDurable)
	s.restart(synced)
	require.NoError(t, appends("c"))
	b, err := store.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 10, LeaseDuration: time.Minute})
	require.NoError(t, err)
	require.Len(t, b.Records, 2)
}

func TestAURLSaysEverything(t *testing.T) {
	t.Parallel()
	cfg, err := natsinbox.ParseURL(
		"nats://a:4222,nats://b:4222?monitor=http://a:8222&monitor=http://b:8222&name=hooks&replicas=3&max_bytes=1000",
	)
	require.NoError(t, err)
	require.Equal(t, natsinbox.Config{
		URLs: []string{"nats://a:4222", "nats://b:4222"}, Monitors: []string{"http://a:8222", "http://b:8222"},
		Name: "hooks", Replicas: 3, MaxBytes: 1000,
	}, cfg)
}

func TestAURLThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"nothing": "", "no scheme": "localhost", "no port": "nats://u:s3cret@h:1x",
		"another parameter": "nats://h:4222?nam=x",
		"replicas in words": "nats://h:4222?replicas=many", "7 replicas": "nats://h:4222?replicas=7",
		"a dot in the name": "nats://h:4222?name=a.b", "a monitor without a URL": "nats://h:4222?monitor=8222",
		"less than no bytes": "nats://h:4222?max_bytes=-1", "a bad escape": "nats://u:s3cret@h:4222?a=%zz",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := natsinbox.ParseURL(line)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "s3cret")
		})
	}
	_, err := natsinbox.OpenStore(t.Context(), natsinbox.Config{})
	require.ErrorContains(t, err, "Config.URLs is empty")
}
