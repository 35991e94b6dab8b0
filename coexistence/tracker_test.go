package coexistence_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func TestNewTrackerNeedsAStore(t *testing.T) {
	t.Parallel()
	_, err := coexistence.NewTracker(coexistence.Config{})
	require.ErrorContains(t, err, "Config.Store")
}

func TestOnboardNamesEverythingThatIsMissing(t *testing.T) {
	t.Parallel()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: new(coexistence.MemStore)})
	require.NoError(t, err)
	err = tracker.Onboard(t.Context(), cloudapi.Onboarding{})
	require.ErrorContains(t, err, "Onboarding.PhoneNumberID")
	require.ErrorContains(t, err, "Onboarding.WABAIDs")
}

func TestOnboardWithoutATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(coexistence.MemStore)
		tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
		require.NoError(t, err)
		o := cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}}
		cycle := func() (int, time.Time) {
			require.NoError(t, tracker.Onboard(t.Context(), o))
			st, err := store.Number(t.Context(), phone)
			require.NoError(t, err)
			return st.Cycle, st.OnboardedAt
		}
		start := time.Now().UTC()
		n, at := cycle()
		require.Equal(t, 1, n)
		require.Equal(t, start, at)
		time.Sleep(100 * time.Hour)
		n, at = cycle()
		require.Equal(t, 1, n, "connected: nothing new")
		require.Equal(t, start, at)
		_, err = store.UpdateNumber(t.Context(), phone, func(s coexistence.Number) (coexistence.Number, error) {
			return s.Apply(account(webhook.AccountDeleted, time.Now())), nil
		})
		require.NoError(t, err)
		time.Sleep(time.Hour)
		n, at = cycle()
		require.Equal(t, 2, n)
		require.Equal(t, time.Now().UTC(), at)
	})
}

// An account can hold several numbers, and the number in an update is all that tells them apart.
func TestAccountUpdatesFindTheirNumbers(t *testing.T) {
	t.Parallel()
	const mexican graph.PhoneNumberID = "100000000000002"
	tests := map[string]struct {
		update string
		want   map[graph.PhoneNumberID]coexistence.Stage
	}{
		"about the account": {
			accountUpdate("ACCOUNT_OFFBOARDED", 3600, ""),
			map[graph.PhoneNumberID]coexistence.Stage{phone: coexistence.StageOffboarded,
				mexican: coexistence.StageOffboarded},
		},
		"about one number": {
			accountUpdate("PARTNER_REMOVED", 3600,
				`,"phone_number":"+1 555 010 0199","disconnection_info":{"reason":"CHANGE_NUMBER",`+
					`"initiated_by":"USER"}`),
			map[graph.PhoneNumberID]coexistence.Stage{phone: coexistence.StageRemoved,
				mexican: coexistence.StageOnboarded},
		},
		"about the other, in another spelling": {
			accountUpdate("PARTNER_REMOVED", 3600, `,"phone_number":"5215510000199"`),
			map[graph.PhoneNumberID]coexistence.Stage{phone: coexistence.StageOnboarded,
				mexican: coexistence.StageRemoved},
		},
		"about a number that is not ours": {
			accountUpdate("PARTNER_REMOVED", 3600, `,"phone_number":"15550100777"`),
			map[graph.PhoneNumberID]coexistence.Stage{phone: coexistence.StageOnboarded,
				mexican: coexistence.StageOnboarded},
		},
		"the portfolio is the entry, the account is inside": {
			strings.Replace(accountUpdate("PARTNER_REMOVED", 3600,
				fmt.Sprintf(`,"waba_info":{"waba_id":%q,"owner_business_id":"5"}`, waba)), fmt.Sprintf(`"id":%q`, waba),
				`"id":"999"`, 1),
			map[graph.PhoneNumberID]coexistence.Stage{phone: coexistence.StageRemoved,
				mexican: coexistence.StageRemoved},
		},
		"our app was uninstalled": {
			accountUpdate("PARTNER_APP_UNINSTALLED", 3600,
				fmt.Sprintf(`,"waba_info":{"waba_id":%q,"owner_business_id":"5","partner_app_id":"400"}`, waba)),
			map[graph.PhoneNumberID]coexistence.Stage{phone: coexistence.StageRemoved,
				mexican: coexistence.StageRemoved},
		},
		"another app was uninstalled": {
			accountUpdate("PARTNER_APP_UNINSTALLED", 3600,
				fmt.Sprintf(`,"waba_info":{"waba_id":%q,"owner_business_id":"5","partner_app_id":"401"}`, waba)),
			map[graph.PhoneNumberID]coexistence.Stage{phone: coexistence.StageOnboarded,
				mexican: coexistence.StageOnboarded},
		},
		"about an account that nobody knows": {
			strings.ReplaceAll(accountUpdate("ACCOUNT_DELETED", 3600, ""), string(waba), "12345"),
			map[graph.PhoneNumberID]coexistence.Stage{phone: coexistence.StageOnboarded,
				mexican: coexistence.StageOnboarded},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := new(coexistence.MemStore)
			client, err := cloudapi.NewClient(cloudapi.Config{AppID: "400"})
			require.NoError(t, err)
			tracker, err := coexistence.NewTracker(coexistence.Config{
				Store:  store,
				Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
			})
			require.NoError(t, err)
			for id, number := range map[graph.PhoneNumberID]string{phone: display, mexican: "525510000199"} {
				require.NoError(t, tracker.Onboard(t.Context(),
					cloudapi.Onboarding{PhoneNumberID: id, WABAIDs: []graph.WABAID{waba}, DisplayPhoneNumber: number,
						OnboardedAt: t0}))
			}
			for _, ev := range decode(t, tt.update) {
				require.NoError(t, tracker.Handle(t.Context(), ev))
			}
			for id, want := range tt.want {
				st, err := store.Number(t.Context(), id)
				require.NoError(t, err)
				require.Equal(t, want, st.Stage, id)
			}
		})
	}
}

func TestRefreshReadsTheNumber(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	d.srv.Suspend(d.phone.ID, true)
	st, err := d.tracker.Refresh(t.Context(), d.phone.ID)
	require.NoError(t, err)
	require.Equal(t, coexistence.StageOffboarded, st.Stage)
	require.NotEmpty(t, st.Remedy())
	d.srv.Suspend(d.phone.ID, false)
	st, err = d.tracker.Refresh(t.Context(), d.phone.ID)
	require.NoError(t, err)
	require.Equal(t, coexistence.StageOnboarded, st.Stage)
	require.Equal(t, st, d.state(t))

	// Losing access is no proof that the number is gone.
	d.srv.DetachWABA(d.phone.WABAs[0])
	_, err = d.tracker.Refresh(t.Context(), d.phone.ID)
	require.ErrorIs(t, err, graph.ErrAccessLost)
	require.Equal(t, st, d.state(t))
}

func TestASyncShowsWhenItWasLastActive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newSyncBench(t)
		store := d.store
		_, err := d.tracker.RequestSync(t.Context(), phone)
		require.NoError(t, err)
		state := func() coexistence.Number {
			st, err := store.Number(t.Context(), phone)
			require.NoError(t, err)
			return st
		}
		time.Sleep(50 * time.Minute)
		deliver(t, store, history(0, 1, 8, ada, past("wamid.1", ada, 1, text("a"))), contact("add", "Ada", ada, 1))
		require.Equal(t, coexistence.SyncStreaming, state().HistoryStatus(time.Now()))
		require.Equal(t, coexistence.SyncStreaming, state().ContactsStatus(time.Now()))
		time.Sleep(coexistence.StallAfter - time.Second)
		require.Equal(t, coexistence.SyncStreaming, state().HistoryStatus(time.Now()))
		require.Equal(t, coexistence.SyncComplete, state().ContactsStatus(time.Now()))
		time.Sleep(time.Second)
		require.Equal(t, coexistence.SyncStalled, state().HistoryStatus(time.Now()))
		require.NotEmpty(t, state().Checklist(time.Now()))
		deliver(t, store, history(1, 1, 100, who{}))
		require.Equal(t, coexistence.SyncComplete, state().HistoryStatus(time.Now().Add(1000*time.Hour)))
		require.Equal(t, coexistence.StageActive, state().Stage)
	})
}

// An address book is thousands of events; the state is written once a minute at most.
func TestAnAddressBookSeldomWritesTheState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &brokenStore{Store: new(coexistence.MemStore)}
		d := newSyncBench(t, func(d *syncBench) { d.store = store })
		_, err := d.tracker.RequestSync(t.Context(), phone)
		require.NoError(t, err)
		store.changes = 0
		for i := range 200 {
			deliver(t, store, contact("add", "Ada", who{number: fmt.Sprintf("15550%06d", i)}, i))
			deliver(t, store, echo(fmt.Sprintf("wamid.%d", i), ada, i, text("x")))
		}
		require.LessOrEqual(t, store.changes, 3)
		n := 0
		for range store.Contacts(t.Context(), phone) {
			n++
		}
		require.Equal(t, 201, n)
	})
}

// countingStore counts how much is held and written at once.
type countingStore struct {
	coexistence.Store
	updates, largest int
}

func (s *countingStore) UpdateMessages(
	ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*coexistence.Message),
) error {
	s.updates++
	s.largest = max(s.largest, len(ids))
	return s.Store.UpdateMessages(ctx, phone, ids, fn)
}

func TestAChunkIsStoredInBatches(t *testing.T) {
	t.Parallel()
	const messages = 1203
	var list []string
	for i := range messages {
		list = append(list, past(fmt.Sprintf("wamid.%04d", i), ada, i, text("x")))
	}
	list = append(list, past("wamid.react", ada, 5000, fmt.Sprintf(reactionTo, "wamid.1202", "A")))
	store := &countingStore{Store: new(coexistence.MemStore)}
	deliver(t, store, history(0, 1, 100, ada, list...))
	require.Equal(t, 3, store.updates)
	require.LessOrEqual(t, store.largest, 500)
	require.Len(t, texts(t, store, "US.1001"), messages)
	require.Len(t, message(t, store, "wamid.1202").Reactions, 1)
}

func TestAMessageOfHistoryThatDoesNotFitHarmsNoOther(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store,
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	b := history(0, 1, 100, ada, past("wamid.1", ada, 1, text("a")), `{"id":"wamid.2","type":"text","text":["hush"]}`,
		`7`, past("", ada, 1, text("no id")), past("wamid.3", ada, 3, text("c")))
	for _, ev := range decode(t, b) {
		require.NoError(t, tracker.Handle(t.Context(), ev))
	}
	require.Equal(t, []string{"a", "c"}, texts(t, store, "US.1001"))
	st, err := store.Number(t.Context(), phone)
	require.NoError(t, err)
	require.Equal(t, 100, st.History.Progress)
	require.Equal(t, 3, strings.Count(log.String(), "level=WARN"))
	require.NotContains(t, log.String(), "hush")
	require.NotContains(t, log.String(), ada.number)
}

func TestTestBodiesWithoutIDsAreNoError(t *testing.T) {
	t.Parallel()
	store := delivered(t, inbound("", ada, 1, text("from the dashboard's Test button")))
	require.Empty(t, conversations(t, store))
}

func TestPaymentsAreNoMessages(t *testing.T) {
	t.Parallel()
	store := delivered(t, body("messages",
		`"statuses":[{"id":"gBGG1","type":"payment","status":"captured","timestamp":"1","recipient_id":"15550100101",`+
			`"payment":{"reference_id":"r"}}]`))
	_, err := store.Message(t.Context(), phone, "gBGG1")
	require.ErrorIs(t, err, coexistence.ErrNotFound)
}

func TestGroupsAreConversationsOfTheirOwn(t *testing.T) {
	t.Parallel()
	react := fmt.Sprintf(reactionTo, "wamid.1", "A")
	store := delivered(t, inGroup("wamid.1", ada, 1, text("hello all")), inGroup("wamid.2", grace, 1, text("hi")),
		inGroup("wamid.5", ada, 2, ghost),
		inGroup("wamid.3", ada, 1, react), inGroup("wamid.4", grace, 1, react),
		body("messages", `"statuses":[
			{"id":"wamid.9","recipient_type":"group","recipient_id":"g1",
				"recipient_participant_id":"15550100101","status":"read","timestamp":"7"},
			{"id":"wamid.9","recipient_type":"group","recipient_id":"g1",
				"recipient_participant_id":"15550100102","status":"delivered","timestamp":"6"}]`))
	list := conversations(t, store)
	require.Len(t, list, 1)
	require.Equal(t, "group:g1", list[0].Contact.Key)
	require.Equal(t, list[0].ID, idOf(t, store, "group:g1"))
	m := message(t, store, "wamid.1")
	require.Equal(t, ada.identity(), m.Customer)
	require.Len(t, m.Reactions, 2)
	sent := message(t, store, "wamid.9")
	require.Equal(t, "group:g1", sent.Person)
	require.Equal(t, webhook.StatusRead, sent.Status)
	require.Len(t, sent.Receipts, 2)
}

// What an app has to be subscribed to is what the tracker learns from.
func TestTheTrackerLearnsFromEveryFieldItNeeds(t *testing.T) {
	t.Parallel()
	bodies := map[webhook.Field][]string{
		webhook.FieldMessages: {inbound("wamid.1", ada, 1, text("hi")), inbound("wamid.1", ada, 1, ghost),
			status("wamid.1", ada, 1, "sent")},
		webhook.FieldSMBMessageEchoes: {echo("wamid.1", ada, 1, text("hi"))},
		webhook.FieldAppStateSync:     {contact("add", "Ada", ada, 1)},
		webhook.FieldHistory: {
			history(0, 1, 5, ada, past("wamid.1", ada, 1, text("hi"))),
			historyMedia("wamid.1", ada, 1, image("3001", "")), historyDeclined(),
		},
		webhook.FieldAccountUpdate: {accountUpdate("ACCOUNT_OFFBOARDED", 1, "")},
	}
	require.Equal(t, slices.Sorted(maps.Keys(bodies)), coexistence.Fields(), "sorted, and no field without a body here")
	for field, list := range bodies {
		for _, b := range list {
			store := &counting{}
			tracker := onboard(t, store)
			before := store.updates
			for _, ev := range decode(t, b) {
				require.Equal(t, field, ev.Info().Field)
				require.NoError(t, tracker.Handle(t.Context(), ev))
			}
			require.Greater(t, store.updates, before, b)
		}
	}
	coexistence.Fields()[0] = "spoiled"
	require.NotContains(t, coexistence.Fields(), webhook.Field("spoiled"))
}

// A counting store counts what it is asked to store.
type counting struct {
	coexistence.MemStore
	updates int
}

func (c *counting) UpdateNumber(
	ctx context.Context, phone graph.PhoneNumberID, fn func(coexistence.Number) (coexistence.Number, error),
) (coexistence.Number, error) {
	c.updates++
	return c.MemStore.UpdateNumber(ctx, phone, fn)
}

func (c *counting) UpdateMessages(
	ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*coexistence.Message),
) error {
	c.updates++
	return c.MemStore.UpdateMessages(ctx, phone, ids, fn)
}

func (c *counting) UpdateContact(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string, fn func(*coexistence.Contact),
) (coexistence.Contact, error) {
	c.updates++
	return c.MemStore.UpdateContact(ctx, phone, aliases, fn)
}

// A handler's error asks for the event again, so an error of the store must come out.
func TestErrorsOfTheStoreComeOut(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tracker := onboard(t, new(coexistence.MemStore))
	for name, b := range map[string]string{
		"message":     inbound("wamid.1", ada, 1, text("x")),
		"ghost":       inbound("wamid.1", ada, 1, ghost),
		"echo":        echo("wamid.1", ada, 1, text("x")),
		"status":      status("wamid.1", ada, 1, "sent"),
		"history":     history(0, 1, 1, ada, past("wamid.1", ada, 1, text("x"))),
		"empty chunk": history(0, 1, 100, who{}),
		"media":       historyMedia("wamid.1", ada, 1, image("1", "")),
		"declined":    historyDeclined(),
		"contact":     contact("add", "Ada", ada, 1),
		"account":     accountUpdate("ACCOUNT_OFFBOARDED", 1, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, ev := range decode(t, b) {
				err := tracker.Handle(ctx, ev)
				require.ErrorIs(t, err, context.Canceled)
				require.False(t, webhook.IsPermanent(err))
			}
		})
	}
	require.ErrorIs(t, tracker.RecordSent(ctx, phone, &cloudapi.SentMessage{ID: "wamid.1"},
		cloudapi.Message{Content: &cloudapi.Text{}}), context.Canceled)
	_, err := tracker.RequestSync(ctx, phone)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, coexistence.ErrNotOnboarded)
}

func TestWhatIsNotAboutCoexistenceIsPassedOver(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	tracker := onboard(t, store)
	for _, ev := range []webhook.Event{
		&webhook.UnknownEvent{}, &webhook.UndecodableEvent{}, &webhook.UserAction{}, &webhook.PhoneNumberError{},
		&webhook.AppStateSync{EventInfo: webhook.EventInfo{PhoneNumberID: phone}, Type: "some_future_type"},
	} {
		require.NoError(t, tracker.Handle(t.Context(), ev))
	}
	require.Empty(t, contacts(t, store))
}
