package cloudapitest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestTheSameCallsAfterARestoreHaveTheSameResults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := cloudapitest.NewServer(cloudapitest.Config{Network: new(cloudapitest.Network)})
		defer srv.Close()
		phone := srv.AddPhone(cloudapitest.Phone{})
		client, err := cloudapi.NewClient(srv.ClientConfig())
		require.NoError(t, err)
		code := srv.AddCode(cloudapitest.AuthorizationCode{})
		snap, err := srv.Snapshot()
		require.NoError(t, err)
		at := srv.Now()
		require.Equal(t, at, snap.At)

		type outcome struct {
			token graph.Secret
			sent  []cloudapitest.SentMessage
			log   []cloudapitest.LoggedRequest
		}
		act := func() outcome {
			time.Sleep(20 * time.Second) // ten more, and the code would have ended
			token, err := client.OAuth.Exchange(t.Context(), cloudapi.CodeExchangeParams{Code: code})
			require.NoError(t, err)
			_, err = client.Messages.Send(t.Context(), phone.ID, cloudapi.Message{
				To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Hello"},
			})
			require.NoError(t, err)
			return outcome{token.Token, srv.Sent(), srv.Requests()}
		}
		first := act()
		for range 2 {
			srv.Advance(time.Hour)
			require.NoError(t, srv.Restore(snap))
			require.Equal(t, at, srv.Now())
			require.Empty(t, srv.Sent())
			require.Equal(t, first, act())
		}
	})
}

func TestWhatIsUnderWayIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := cloudapitest.NewServer(cloudapitest.Config{Network: new(cloudapitest.Network)})
		defer srv.Close()
		phone := srv.AddPhone(cloudapitest.Phone{})
		client, err := cloudapi.NewClient(srv.ClientConfig())
		require.NoError(t, err)
		quiet, err := srv.Snapshot()
		require.NoError(t, err)
		srv.OnMessage(func(cloudapitest.SentMessage) { time.Sleep(30 * time.Second) }) // the client waits a minute
		answered := make(chan error)
		go func() {
			_, err := client.Messages.Send(t.Context(), phone.ID, cloudapi.Message{
				To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Hello"},
			})
			answered <- err
		}()
		synctest.Wait() // the hook runs
		_, err = srv.Snapshot()
		require.ErrorIs(t, err, cloudapitest.ErrCallsUnderWay)
		require.ErrorIs(t, srv.Restore(quiet), cloudapitest.ErrCallsUnderWay)
		require.Len(t, srv.Sent(), 1, "nothing is restored")
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = srv.WaitIdle(short)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "1 calls of the Graph API are under way")
		require.NoError(t, srv.WaitIdle(t.Context()))
		require.NoError(t, srv.Restore(quiet))
		require.Empty(t, srv.Sent())
		require.NoError(t, <-answered)
	})
}

func TestASnapshotIsOfOneServer(t *testing.T) {
	t.Parallel()
	one, other := cloudapitest.NewServer(cloudapitest.Config{}), cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(one.Close)
	t.Cleanup(other.Close)
	snap, err := one.Snapshot()
	require.NoError(t, err)
	other.AddPhone(cloudapitest.Phone{ID: "5"})
	require.ErrorContains(t, other.Restore(snap), "another server")
	_, kept := other.Phone("5")
	require.True(t, kept)
}
