package redislimit_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/redislimit"
)

// It sets the logger of the process, so it does not run beside other tests.
func TestWhatTheClientReportsIsLogged(t *testing.T) {
	var log bytes.Buffer
	redis.SetLogger(redislimit.ClientLogger(slog.New(slog.NewTextHandler(&log, nil))))
	t.Cleanup(func() { redis.SetLogger(redislimit.ClientLogger(slog.New(slog.DiscardHandler))) })

	master := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: "limits", SentinelAddrs: []string{"127.0.0.1:1"}, MaxRetries: -1,
	})
	t.Cleanup(func() { _ = master.Close() })
	require.Error(t, master.Ping(t.Context()).Err())
	require.Contains(t, log.String(), "level=WARN")
	require.Contains(t, log.String(), "sentinel: GetMasterAddrByName")
}
