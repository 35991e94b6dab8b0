package coexistence_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// wrote is a message of a customer.
func wrote(id graph.MessageID, from string, at time.Time) *webhook.IncomingMessage {
	return &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: phone, At: at}, ID: id, From: graph.Identity{WAID: from},
		Content: &webhook.Text{Body: "text of " + string(id)},
	}
}

func noClient(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
	return nil, errors.New("no token")
}

func TestWhatIsOlderThanTheRetentionIsForgottenOnceADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(coexistence.MemStore)
		var asked atomic.Int64
		tracker, err := coexistence.NewTracker(coexistence.Config{
			Store: store, Client: noClient,
			Syncs: []cloudapi.SyncKind{cloudapi.SyncContacts},
			Retention: func(context.Context, graph.PhoneNumberID) (time.Duration, error) {
				asked.Add(1)
				return 30 * 24 * time.Hour, nil
			},
		})
		require.NoError(t, err)
		onboarding := cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}}
		onboarding.OnboardedAt = time.Now().Add(-48 * time.Hour) // nothing can be synced any more
		require.NoError(t, tracker.Onboard(t.Context(), onboarding))
		const day = 24 * time.Hour
		require.NoError(t, tracker.Handle(t.Context(), wrote("wamid.OLD", "15550100101", time.Now().Add(-31*day))))
		require.NoError(t, tracker.Handle(t.Context(), wrote("wamid.NEW", "15550100102", time.Now().Add(-29*day))))
		ctx, cancel := context.WithCancel(t.Context())
		go tracker.Run(ctx)
		time.Sleep(time.Hour)
		_, err = store.Message(t.Context(), phone, "wamid.OLD")
		require.ErrorIs(t, err, coexistence.ErrNotFound)
		_, err = store.Message(t.Context(), phone, "wamid.NEW")
		require.NoError(t, err)
		require.EqualValues(t, 1, asked.Load())
		time.Sleep(49 * time.Hour)
		_, err = store.Message(t.Context(), phone, "wamid.NEW")
		require.ErrorIs(t, err, coexistence.ErrNotFound)
		require.EqualValues(t, 3, asked.Load())
		cancel()
		synctest.Wait()
	})
}

func TestARetentionNeedsAStoreThatForgets(t *testing.T) {
	t.Parallel()
	_, err := coexistence.NewTracker(coexistence.Config{
		Store:     struct{ coexistence.Store }{new(coexistence.MemStore)},
		Retention: func(context.Context, graph.PhoneNumberID) (time.Duration, error) { return 0, nil },
	})
	require.ErrorContains(t, err, "Forgetter")
	store := struct{ coexistence.Store }{new(coexistence.MemStore)}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	err = tracker.Forget(t.Context(), coexistence.ForgetRequest{PhoneNumberID: phone})
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

func TestEventsOfANumberThatWasNeverOnboarded(t *testing.T) {
	t.Parallel()
	for onboardedOnly, want := range map[bool]error{false: nil, true: coexistence.ErrNotFound} {
		store := new(coexistence.MemStore)
		tracker, err := coexistence.NewTracker(coexistence.Config{Store: store, OnboardedOnly: onboardedOnly})
		require.NoError(t, err)
		batch := []webhook.Preparation{{Event: wrote("wamid.2", "15550100101", time.Now()), Context: t.Context()}}
		tracker.Prepare(t.Context(), batch)
		require.NoError(t, tracker.Handle(batch[0].Context, batch[0].Event))
		require.NoError(t, tracker.Handle(t.Context(), wrote("wamid.1", "15550100101", time.Now())))
		for _, id := range []graph.MessageID{"wamid.1", "wamid.2"} {
			_, err = store.Message(t.Context(), phone, id)
			require.ErrorIs(t, err, want)
		}
		onboarding := cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}}
		require.NoError(t, tracker.Onboard(t.Context(), onboarding))
		require.NoError(t, tracker.Handle(t.Context(), wrote("wamid.3", "15550100101", time.Now())))
		_, err = store.Message(t.Context(), phone, "wamid.3")
		require.NoError(t, err)
	}
}

func TestAnExportHasTheContactTheConversationAndEachMessage(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	require.ErrorIs(t, coexistence.Export(t.Context(), store, phone, "15550100101", new(bytes.Buffer)),
		coexistence.ErrNotFound)
	require.NoError(t, tracker.Handle(t.Context(), wrote("wamid.1", "15550100101", time.Now())))
	require.NoError(t, tracker.Handle(t.Context(), wrote("wamid.2", "15550100101", time.Now())))
	require.NoError(t, tracker.Handle(t.Context(), wrote("wamid.3", "15550100102", time.Now())))
	var out bytes.Buffer
	require.NoError(t, coexistence.Export(t.Context(), store, phone, "+1 555 010-0101", &out))
	var types []string
	for line := range strings.Lines(out.String()) {
		var l coexistence.ExportLine
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		types = append(types, l.Type)
	}
	require.Equal(t, []string{"contact", "conversation", "message", "message"}, types)
	require.Contains(t, out.String(), "text of wamid.1")
	require.NotContains(t, out.String(), "wamid.3")
}

func TestAPersonWhoIsForgottenAtMetaIsForgottenThereFirst(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: store, Client: noClient,
	})
	require.NoError(t, err)
	ev := wrote("wamid.1", "15550100101", time.Now())
	ev.From.UserID = "US.1001"
	require.NoError(t, tracker.Handle(t.Context(), ev))
	r := coexistence.ForgetRequest{PhoneNumberID: phone, Person: "15550100101", AtMeta: true}
	require.ErrorContains(t, tracker.Forget(t.Context(), r), "no token")
	_, err = store.Message(t.Context(), phone, "wamid.1")
	require.NoError(t, err, "who the person is, is still known")
	r.AtMeta = false
	require.NoError(t, tracker.Forget(t.Context(), r))
	_, err = store.Message(t.Context(), phone, "wamid.1")
	require.ErrorIs(t, err, coexistence.ErrNotFound)
}

// A forgettingLimiter notes what it is told to forget.
type forgettingLimiter struct {
	cloudapi.MemLimiter

	people []cloudapi.Recipient
	all    int
}

func (l *forgettingLimiter) Forget(_ context.Context, _ graph.PhoneNumberID, people ...cloudapi.Recipient) error {
	if l.people = append(l.people, people...); len(people) == 0 {
		l.all++
	}
	return nil
}

func TestTheLimiterForgetsWithTheTracker(t *testing.T) {
	t.Parallel()
	limiter := new(forgettingLimiter)
	client, err := cloudapi.NewClient(cloudapi.Config{AccessToken: "made-up", Limiter: limiter})
	require.NoError(t, err)
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store:  new(coexistence.MemStore),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	require.NoError(t, err)
	m := wrote("wamid.1", "15550100101", time.Now().Add(-time.Hour))
	m.From.UserID = "US.1001"
	require.NoError(t, tracker.Handle(t.Context(), m))
	r := coexistence.ForgetRequest{PhoneNumberID: phone, Person: "US.1001"}
	require.NoError(t, tracker.Forget(t.Context(), r))
	require.Contains(t, limiter.people, cloudapi.ToPhone("+15550100101"), "under every name")
	require.Contains(t, limiter.people, cloudapi.ToUser("US.1001"))
	require.Zero(t, limiter.all)
	require.NoError(t, tracker.Forget(t.Context(), coexistence.ForgetRequest{PhoneNumberID: phone, Before: m.At}))
	require.Zero(t, limiter.all)
	require.NoError(t, tracker.Forget(t.Context(), coexistence.ForgetRequest{PhoneNumberID: phone}))
	require.Equal(t, 1, limiter.all)
}
