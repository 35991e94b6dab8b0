package coexistence_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const messagesPath = "/{phone-number-id}/messages"

var hello = cloudapi.Message{To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Until six."}}

func TestSendStoresWhatItSent(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	sent, err := d.tracker.Send(t.Context(), phone, hello)
	require.NoError(t, err)
	require.Equal(t, d.srv.Sent()[0].ID, sent.ID)
	m, err := d.store.Message(t.Context(), phone, sent.ID)
	require.NoError(t, err)
	require.Equal(t, coexistence.OriginAPI, m.Origin)
	require.Equal(t, "Until six.", m.Text)
}

// A handler returns the error of Send, and the event comes again or not by it.
func TestOnlyWhatDidNotGoOutAndMayIsTriedAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fail    func(*cloudapitest.Server)
		message cloudapi.Message
		again   bool
	}{
		"Meta is busy": {func(s *cloudapitest.Server) {
			s.Inject(cloudapitest.Fault{Code: graph.CodeRateLimitHit, Times: 100})
		}, hello, true},
		"Meta refuses": {func(s *cloudapitest.Server) {
			s.Inject(cloudapitest.Fault{Code: graph.CodeMessageUndeliverable})
		}, hello, false},
		"the answer is lost": {func(s *cloudapitest.Server) {
			s.Inject(cloudapitest.Fault{On: "POST " + messagesPath, Drop: true, Accept: true})
		}, hello, false},
		"it is not valid": {func(*cloudapitest.Server) {}, cloudapi.Message{To: hello.To, Content: &cloudapi.Text{}},
			false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSyncBench(t)
			tt.fail(d.srv)
			sent, err := d.tracker.Send(t.Context(), phone, tt.message)
			require.Error(t, err)
			require.Nil(t, sent)
			require.Equal(t, tt.again, !webhook.IsPermanent(err), "%v", err)
		})
	}
	t.Run("there is no client for now", func(t *testing.T) {
		t.Parallel()
		d := newSyncBench(t)
		d.track(t, coexistence.Config{Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
			return nil, errors.New("the database of tokens is down")
		}})
		_, err := d.tracker.Send(t.Context(), phone, hello)
		require.Error(t, err)
		require.False(t, webhook.IsPermanent(err))
	})
}

// fullStore takes no messages.
type fullStore struct{ coexistence.Store }

func (fullStore) UpdateMessages(
	context.Context, graph.PhoneNumberID, []graph.MessageID, func(*coexistence.Message),
) error {
	return errDisk
}

func TestAMessageThatCannotBeStoredIsReturnedWithAnErrorThatAsksForNoRepeat(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t, func(d *syncBench) { d.store = fullStore{d.store} })
	sent, err := d.tracker.Send(t.Context(), phone, hello)
	require.ErrorIs(t, err, errDisk)
	require.ErrorContains(t, err, "do not send it again")
	require.True(t, webhook.IsPermanent(err))
	require.Len(t, d.srv.Sent(), 1)
	require.Equal(t, d.srv.Sent()[0].ID, sent.ID)
	require.NotContains(t, err.Error(), "5550100142")
}

func TestAMessageThatWentOutIsStoredAlthoughTheCallerHasGone(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d.store = &leaving{d.store, cancel}
	d.track(t, coexistence.Config{})
	sent, err := d.tracker.Send(ctx, phone, hello)
	require.NoError(t, err)
	_, err = d.store.Message(t.Context(), phone, sent.ID)
	require.NoError(t, err)
}

// A leaving store ends the caller's context when the first thing is stored.
type leaving struct {
	coexistence.Store
	cancel context.CancelFunc
}

func (s *leaving) UpdateContact(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string, fn func(*coexistence.Contact),
) (coexistence.Contact, error) {
	s.cancel()
	return s.Store.UpdateContact(ctx, phone, aliases, fn)
}
