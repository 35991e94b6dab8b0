package coexistence_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const syncPath = "/{phone-number-id}/smb_app_data"

var coexistenceFields = []string{"messages", "smb_message_echoes", "smb_app_state_sync", "history", "account_update"}

// A desk is a fake Graph API with one coexistence number, and a tracker that has it onboarded.
type desk struct {
	srv     *cloudapitest.Server
	api     coexistence.SyncAPI
	store   *coexistence.MemStore
	tracker *coexistence.Tracker
	phone   cloudapitest.Phone
}

func newDesk(t *testing.T, opts ...func(*desk)) *desk {
	t.Helper()
	d := &desk{srv: cloudapitest.NewServer(cloudapitest.Config{}), store: new(coexistence.MemStore)}
	t.Cleanup(d.srv.Close)
	d.phone = d.srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(d.srv.Config())
	require.NoError(t, err)
	d.api = coexistence.API(client)
	d.tracker, err = coexistence.NewTracker(coexistence.Config{Store: d.store, AppID: d.srv.App().ID})
	require.NoError(t, err)
	d.srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://example.com/webhook", Fields: coexistenceFields})
	for _, waba := range d.phone.WABAs {
		require.NoError(t, client.WABAs.Subscribe(t.Context(), waba))
	}
	require.NoError(t, d.tracker.Onboard(t.Context(), cloudapi.Onboarding{
		PhoneNumberID: d.phone.ID, WABAIDs: d.phone.WABAs, DisplayPhoneNumber: d.phone.Number, OnboardedAt: time.Now(),
	}))
	for _, opt := range opts {
		opt(d)
	}
	return d
}

func (d *desk) state(t *testing.T) coexistence.State {
	t.Helper()
	st, err := d.store.State(t.Context(), d.phone.ID)
	require.NoError(t, err)
	return st
}

func (d *desk) calls() int { return d.srv.Count("POST", syncPath) }

func TestBeginAsksForContactsAndThenHistory(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var order []cloudapi.SyncKind
	d.srv.OnSyncAppData(func(r cloudapitest.SyncRequest) { order = append(order, r.Kind) })
	result, err := d.tracker.Begin(t.Context(), d.api, d.phone.ID)
	require.NoError(t, err)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory}, result.Requested)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory}, order)
	require.True(t, result.Preflight.OK())
	st := d.state(t)
	require.Equal(t, result.State, st)
	require.Equal(t, coexistence.StageSyncing, st.Stage)
	require.Equal(t, coexistence.PresenceBoth, st.Presence)
	for _, sync := range []coexistence.Sync{st.Contacts.Sync, st.History.Sync} {
		require.Equal(t, coexistence.SyncAccepted, sync.Status)
		require.NotEmpty(t, sync.RequestID)
		require.False(t, sync.RequestedAt.IsZero())
		require.False(t, sync.AcceptedAt.Before(sync.RequestedAt))
	}

	result, err = d.tracker.Begin(t.Context(), d.api, d.phone.ID)
	require.ErrorIs(t, err, coexistence.ErrSyncUsed)
	require.Nil(t, result)
	require.Equal(t, 2, d.calls(), "a repeat calls nobody")
	e, ok := errors.AsType[*coexistence.SyncError](err)
	require.True(t, ok)
	require.Equal(t, cloudapi.SyncContacts, e.Kind)
}

func TestBeginContactsLeavesHistoryForLater(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	result, err := d.tracker.BeginContacts(t.Context(), d.api, d.phone.ID)
	require.NoError(t, err)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts}, result.Requested)
	require.Equal(t, coexistence.SyncSkipped, d.state(t).History.Status)
	require.Equal(t, coexistence.StageActive, d.state(t).Stage)
	require.Empty(t, d.state(t).Due(time.Now()))
	_, err = d.tracker.BeginContacts(t.Context(), d.api, d.phone.ID)
	require.ErrorIs(t, err, coexistence.ErrSyncUsed)

	result, err = d.tracker.Begin(t.Context(), d.api, d.phone.ID)
	require.NoError(t, err)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncHistory}, result.Requested)
	require.Equal(t, coexistence.StageSyncing, d.state(t).Stage)
	require.Equal(t, 2, d.calls())
}

func TestAFailedPreflightBurnsNothingAndListsEverything(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	other := d.srv.AddWABA(cloudapitest.WABA{})
	require.NoError(t, d.tracker.Onboard(t.Context(), cloudapi.Onboarding{PhoneNumberID: d.phone.ID, WABAIDs: []graph.WABAID{other.ID}}))
	d.srv.Suspend(d.phone.ID, true)
	d.srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://example.com/webhook", Fields: []string{"messages", "history"}})
	before := d.state(t)
	result, err := d.tracker.Begin(t.Context(), d.api, d.phone.ID)
	require.ErrorIs(t, err, coexistence.ErrPreflight)
	e, ok := errors.AsType[*coexistence.PreflightError](err)
	require.True(t, ok)
	require.Equal(t, result.Preflight, e.Preflight)
	checks := map[coexistence.Check]int{}
	for _, p := range e.Preflight.Problems {
		checks[p.Check]++
		require.Contains(t, err.Error(), p.Text)
	}
	require.Equal(t, map[coexistence.Check]int{
		coexistence.CheckNumber: 1, coexistence.CheckSubscription: 1, coexistence.CheckFields: 1,
	}, checks)
	require.Contains(t, err.Error(), "account_update, smb_app_state_sync, smb_message_echoes")
	require.Contains(t, err.Error(), string(other.ID))
	require.Zero(t, d.calls())
	after := d.state(t)
	require.Equal(t, before.Contacts, after.Contacts)
	require.Equal(t, before.History, after.History)

	// Everything is mended, and nothing was lost.
	d.srv.Suspend(d.phone.ID, false)
	d.srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://example.com/webhook", Fields: coexistenceFields})
	client, err := cloudapi.NewClient(d.srv.Config())
	require.NoError(t, err)
	require.NoError(t, client.WABAs.Subscribe(t.Context(), other.ID))
	_, err = d.tracker.Begin(t.Context(), d.api, d.phone.ID)
	require.NoError(t, err)
	require.Equal(t, 2, d.calls())
}

func TestContactsNeedNoHistoryField(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.srv.Subscribe(cloudapitest.AppSubscription{
		CallbackURL: "https://example.com/webhook", Fields: []string{"messages", "smb_message_echoes", "smb_app_state_sync", "account_update"},
	})
	_, err := d.tracker.BeginContacts(t.Context(), d.api, d.phone.ID)
	require.NoError(t, err)
	_, err = d.tracker.Begin(t.Context(), d.api, d.phone.ID)
	require.ErrorIs(t, err, coexistence.ErrPreflight)
	require.Equal(t, 1, d.calls())
}

func TestPreflightFindings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change   func(*testing.T, *desk)
		problems []coexistence.Check
		warnings []coexistence.Check
	}{
		"all is well": {change: func(*testing.T, *desk) {}},
		"the number cannot be read": {
			change:   func(_ *testing.T, d *desk) { d.srv.Inject(cloudapitest.Fault{On: "GET /{phone-number-id}", Code: 200}) },
			problems: []coexistence.Check{coexistence.CheckNumber},
		},
		"the subscribed apps cannot be read": {
			change: func(_ *testing.T, d *desk) {
				d.srv.Inject(cloudapitest.Fault{On: "GET /{waba-id}/subscribed_apps", Code: 200})
			},
			problems: []coexistence.Check{coexistence.CheckSubscription},
		},
		"the fields cannot be read": {
			change: func(_ *testing.T, d *desk) {
				d.srv.Inject(cloudapitest.Fault{On: "GET /{app-id}/subscriptions", Code: 200})
			},
			problems: []coexistence.Check{coexistence.CheckFields},
		},
		"Meta does not answer about the fields": {
			change: func(_ *testing.T, d *desk) {
				d.srv.Inject(cloudapitest.Fault{On: "GET /{app-id}/subscriptions", Code: 2, Status: 503, Times: 10})
			},
			problems: []coexistence.Check{coexistence.CheckFields},
		},
		"the client cannot ask for the fields": {
			change: func(t *testing.T, d *desk) {
				cfg := d.srv.Config()
				cfg.AppSecret = ""
				client, err := cloudapi.NewClient(cfg)
				require.NoError(t, err)
				d.api = coexistence.API(client)
			},
			problems: []coexistence.Check{coexistence.CheckFields},
		},
		"the app receives nothing at all": {
			change: func(_ *testing.T, d *desk) {
				d.srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://example.com/", Fields: coexistenceFields, Inactive: true})
			},
			problems: []coexistence.Check{coexistence.CheckFields},
		},
		"only another app is subscribed": {
			change: func(t *testing.T, d *desk) {
				var err error
				d.tracker, err = coexistence.NewTracker(coexistence.Config{Store: d.store, AppID: "999"})
				require.NoError(t, err)
			},
			problems: []coexistence.Check{coexistence.CheckSubscription},
		},
		"which app is ours is unknown": {
			change: func(t *testing.T, d *desk) {
				var err error
				d.tracker, err = coexistence.NewTracker(coexistence.Config{Store: d.store})
				require.NoError(t, err)
			},
			warnings: []coexistence.Check{coexistence.CheckSubscription},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			tt.change(t, d)
			p, err := d.tracker.Preflight(t.Context(), d.api, d.phone.ID)
			require.NoError(t, err)
			var problems, warnings []coexistence.Check
			for _, f := range p.Problems {
				problems = append(problems, f.Check)
			}
			for _, f := range p.Warnings {
				warnings = append(warnings, f.Check)
			}
			require.Equal(t, tt.problems, problems)
			require.Equal(t, tt.warnings, warnings)
			require.Equal(t, len(tt.problems) == 0, p.OK())
			require.Zero(t, d.calls())
		})
	}
}

// An override takes the data elsewhere, and account updates ignore it.
func TestAnOverrideIsAWarning(t *testing.T) {
	t.Parallel()
	for name, hooks := range map[string]cloudapi.WebhookConfiguration{
		"of the number": {PhoneNumber: "https://tenant.example.com/"}, "of the account": {WABA: "https://tenant.example.com/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := new(coexistence.MemStore)
			tracker := onboard(t, store)
			p, err := tracker.Preflight(t.Context(), &meta{hooks: hooks}, phone)
			require.NoError(t, err)
			require.True(t, p.OK())
			require.Equal(t, coexistence.CheckOverride, p.Warnings[0].Check)
			require.Contains(t, p.Warnings[0].String(), "account_update")
		})
	}
}

func TestBeginBeforeItsTime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(context.Context, *desk) error
		want   error
	}{
		"not onboarded": {func(_ context.Context, d *desk) error { d.phone.ID = "300"; return nil }, coexistence.ErrNotOnboarded},
		"known from an echo only": {func(ctx context.Context, d *desk) error {
			d.phone.ID = "300"
			return d.tracker.Handle(ctx, &webhook.MessageEcho{EventInfo: webhook.EventInfo{Phone: "300"}, ID: "wamid.1", To: ada.identity(), Content: &webhook.Text{}})
		}, coexistence.ErrNotOnboarded},
		"removed": {func(ctx context.Context, d *desk) error {
			ev := account(webhook.AccountPartnerRemoved, time.Now().Add(time.Hour))
			ev.WABA = d.phone.WABAs[0]
			return d.tracker.Handle(ctx, ev)
		}, coexistence.ErrNotLive},
		"suspended": {func(ctx context.Context, d *desk) error {
			ev := account(webhook.AccountOffboarded, time.Now().Add(time.Hour))
			ev.WABA = d.phone.WABAs[0]
			return d.tracker.Handle(ctx, ev)
		}, coexistence.ErrNotLive},
		"too late": {func(ctx context.Context, d *desk) error {
			_, err := d.store.UpdateState(ctx, d.phone.ID, func(s coexistence.State) (coexistence.State, error) {
				s.OnboardedAt = time.Now().Add(-coexistence.SyncWindow)
				return s, nil
			})
			return err
		}, coexistence.ErrSyncWindowClosed},
		"declined, and contacts used": {func(ctx context.Context, d *desk) error {
			if _, err := d.tracker.BeginContacts(ctx, d.api, d.phone.ID); err != nil {
				return err
			}
			ev := declined(2593109)
			ev.Phone = d.phone.ID
			return d.tracker.Handle(ctx, ev)
		}, coexistence.ErrSyncDeclined},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			require.NoError(t, tt.change(t.Context(), d))
			before := d.calls()
			result, err := d.tracker.Begin(t.Context(), d.api, d.phone.ID)
			require.ErrorIs(t, err, tt.want)
			require.Nil(t, result)
			require.Equal(t, before, d.calls(), "nobody was called")
		})
	}
}

// The same codes are found as code and as subcode of what looks like a rate limit.
func TestWhatMetaAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fail    func(*cloudapitest.Server)
		want    error
		status  coexistence.SyncStatus // of contacts
		history coexistence.SyncStatus
		again   bool // another Begin calls for contacts again
	}{
		"used, as code": {
			func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{On: "POST " + syncPath, Code: 2593107}) },
			coexistence.ErrSyncUsed, coexistence.SyncAlreadyUsed, coexistence.SyncAccepted, false,
		},
		"used, as a rate limit": {
			func(s *cloudapitest.Server) {
				s.Inject(cloudapitest.Fault{On: "POST " + syncPath, Code: 4, Subcode: 2593107})
			},
			coexistence.ErrSyncUsed, coexistence.SyncAlreadyUsed, coexistence.SyncAccepted, false,
		},
		"too late": {
			func(s *cloudapitest.Server) {
				s.Inject(cloudapitest.Fault{On: "POST " + syncPath, Code: 100, Subcode: 2593108})
			},
			coexistence.ErrSyncWindowClosed, coexistence.SyncExpired, coexistence.SyncNone, false,
		},
		"a permission is missing": {
			func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{On: "POST " + syncPath, Code: 200}) },
			graph.ErrPermission, coexistence.SyncNone, coexistence.SyncNone, true,
		},
		"the answer is lost": {
			func(s *cloudapitest.Server) {
				s.Inject(cloudapitest.Fault{On: "POST " + syncPath, Drop: true, Accept: true})
			},
			coexistence.ErrSyncOutcomeUnknown, coexistence.SyncUnknown, coexistence.SyncNone, false,
		},
		"an edge answers with a page": {
			func(s *cloudapitest.Server) {
				s.Inject(cloudapitest.Fault{On: "POST " + syncPath, Status: 502, Body: "<html>Bad gateway</html>", Accept: true})
			},
			coexistence.ErrSyncOutcomeUnknown, coexistence.SyncUnknown, coexistence.SyncNone, false,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			tt.fail(d.srv)
			result, err := d.tracker.Begin(t.Context(), d.api, d.phone.ID)
			require.ErrorIs(t, err, tt.want)
			require.NotNil(t, result)
			st := d.state(t)
			require.Equal(t, tt.status, st.Contacts.Status)
			require.Equal(t, tt.history, st.History.Status)
			if !errors.Is(tt.want, graph.ErrPermission) {
				e, ok := errors.AsType[*coexistence.SyncError](err)
				require.True(t, ok)
				require.Equal(t, tt.status, e.Status)
				require.Contains(t, err.Error(), tt.status.Advice())
			}

			before := d.srv.Synced(d.phone.ID, cloudapi.SyncContacts)
			calls := d.calls()
			result, err = d.tracker.Begin(t.Context(), d.api, d.phone.ID)
			asked := 0
			if result != nil {
				asked = len(result.Requested)
			}
			require.Equal(t, calls+asked, d.calls(), "%v", err)
			if tt.again {
				require.Equal(t, 2, asked)
				require.NoError(t, err)
			} else {
				require.Equal(t, before, d.srv.Synced(d.phone.ID, cloudapi.SyncContacts), "contacts are not asked for again")
			}
			if errors.Is(tt.want, coexistence.ErrSyncOutcomeUnknown) {
				require.NoError(t, err)
				require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncHistory}, result.Requested, "history is another request")
				_, err = d.tracker.Begin(t.Context(), d.api, d.phone.ID)
				require.ErrorIs(t, err, coexistence.ErrSyncOutcomeUnknown, "and then only the unknown one is left")
			}
		})
	}
}

func TestWebhooksSettleAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.tracker.BeginContacts(t.Context(), d.api, d.phone.ID)
	require.NoError(t, err)
	d.srv.Inject(cloudapitest.Fault{On: "POST " + syncPath, Drop: true, Accept: true})
	_, err = d.tracker.Begin(t.Context(), d.api, d.phone.ID)
	require.ErrorIs(t, err, coexistence.ErrSyncOutcomeUnknown)
	require.Equal(t, coexistence.SyncUnknown, d.state(t).HistoryStatus(time.Now().Add(100*time.Hour)))
	ev := chunk(0, 1, 10)
	ev.Phone = d.phone.ID
	require.NoError(t, d.tracker.Handle(t.Context(), ev))
	require.Equal(t, coexistence.SyncStreaming, d.state(t).History.Status)
}

// meta answers in memory, for tests about time and concurrency.
type meta struct {
	hooks cloudapi.WebhookConfiguration
	calls atomic.Int64
	sync  func(cloudapi.SyncKind) (string, error)
}

func (m *meta) Phone(context.Context, graph.PhoneNumberID) (*cloudapi.Phone, error) {
	return &cloudapi.Phone{ID: phone, IsOnBizApp: true, PlatformType: cloudapi.PlatformCloudAPI, WebhookConfiguration: m.hooks}, nil
}

func (m *meta) SubscribedApps(context.Context, graph.WABAID) ([]cloudapi.SubscribedApp, error) {
	return []cloudapi.SubscribedApp{{ID: "400"}}, nil
}

func (m *meta) Subscriptions(context.Context) ([]cloudapi.AppSubscription, error) {
	s := cloudapi.AppSubscription{Object: "whatsapp_business_account", Active: true}
	for _, f := range coexistenceFields {
		s.Fields = append(s.Fields, cloudapi.AppSubscriptionField{Name: f})
	}
	return []cloudapi.AppSubscription{s}, nil
}

func (m *meta) SyncAppData(_ context.Context, _ graph.PhoneNumberID, kind cloudapi.SyncKind) (string, error) {
	n := m.calls.Add(1)
	if m.sync != nil {
		return m.sync(kind)
	}
	return fmt.Sprintf("%s-%d", kind, n), nil
}

func onboard(t *testing.T, store coexistence.Store) *coexistence.Tracker {
	t.Helper()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store, AppID: "400"})
	require.NoError(t, err)
	require.NoError(t, tracker.Onboard(t.Context(), cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, DisplayPhoneNumber: display, OnboardedAt: time.Now()}))
	return tracker
}

func TestConcurrentBeginsCallOnce(t *testing.T) {
	t.Parallel()
	for range 50 {
		store, api := new(coexistence.MemStore), new(meta)
		tracker := onboard(t, store)
		var asked atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				result, err := tracker.Begin(t.Context(), api, phone)
				if err != nil && !errors.Is(err, coexistence.ErrSyncUsed) && !errors.Is(err, coexistence.ErrSyncRunning) {
					t.Errorf("got %v", err)
				}
				if result != nil {
					asked.Add(int64(len(result.Requested)))
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 2, asked.Load())
		require.EqualValues(t, 2, api.calls.Load())
		st, err := store.State(t.Context(), phone)
		require.NoError(t, err)
		require.Equal(t, coexistence.SyncAccepted, st.Contacts.Status)
		require.Equal(t, coexistence.SyncAccepted, st.History.Status)
	}
}

func TestWhileACallIsBeingMadeNobodyMakesAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(coexistence.MemStore)
		tracker := onboard(t, store)
		api := &meta{sync: func(cloudapi.SyncKind) (string, error) {
			time.Sleep(time.Minute)
			return "0A1B", nil
		}}
		go func() { _, _ = tracker.Begin(t.Context(), api, phone) }()
		time.Sleep(time.Second)
		_, err := tracker.Begin(t.Context(), api, phone)
		require.ErrorIs(t, err, coexistence.ErrSyncRunning)
		require.EqualValues(t, 1, api.calls.Load(), "history waits for whoever asks for contacts")
		time.Sleep(time.Hour)
		_, err = tracker.Begin(t.Context(), api, phone)
		require.ErrorIs(t, err, coexistence.ErrSyncUsed)
		require.EqualValues(t, 2, api.calls.Load())
	})
}

// A process that dies between the intent and the answer leaves the intent behind. It is not known whether the call counted.
func TestACrashDuringTheCallLeavesAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(coexistence.MemStore)
		tracker := onboard(t, store)
		api := &meta{sync: func(cloudapi.SyncKind) (string, error) { panic("the process dies") }}
		require.Panics(t, func() { _, _ = tracker.Begin(t.Context(), api, phone) })
		api.sync = nil

		_, err := tracker.Begin(t.Context(), api, phone)
		require.ErrorIs(t, err, coexistence.ErrSyncRunning, "it may still be under way")
		time.Sleep(time.Hour)
		st, err := store.State(t.Context(), phone)
		require.NoError(t, err)
		require.Equal(t, coexistence.SyncUnknown, st.ContactsStatus(time.Now()))
		result, err := tracker.Begin(t.Context(), api, phone)
		require.NoError(t, err)
		require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncHistory}, result.Requested)
		require.EqualValues(t, 2, api.calls.Load(), "one that died, and one for history")
		_, err = tracker.Begin(t.Context(), api, phone)
		require.ErrorIs(t, err, coexistence.ErrSyncOutcomeUnknown)
		require.EqualValues(t, 2, api.calls.Load())
	})
}

func TestTheAnswerIsStoredAlthoughTheCallerHasGone(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	tracker := onboard(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	api := &meta{sync: func(cloudapi.SyncKind) (string, error) {
		cancel()
		return "0A1B", nil
	}}
	result, err := tracker.Begin(ctx, api, phone)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts}, result.Requested)
	st, err := store.State(t.Context(), phone)
	require.NoError(t, err)
	require.Equal(t, coexistence.SyncAccepted, st.Contacts.Status)
	require.Equal(t, "0A1B", st.Contacts.RequestID)
	require.Equal(t, coexistence.SyncNone, st.History.Status, "and it can still be asked for")
}

// brokenStore fails the nth change of a state.
type brokenStore struct {
	coexistence.Store
	changes, fail int
}

var errDisk = errors.New("the disk is full")

func (s *brokenStore) UpdateState(ctx context.Context, phone graph.PhoneNumberID, fn func(coexistence.State) (coexistence.State, error)) (coexistence.State, error) {
	if s.changes++; s.changes == s.fail {
		return coexistence.State{}, errDisk
	}
	return s.Store.UpdateState(ctx, phone, fn)
}

func TestWithoutAStoredIntentThereIsNoCall(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: new(coexistence.MemStore)}
	tracker := onboard(t, store)
	api := new(meta)
	store.changes, store.fail = 0, 2 // the first one stores what the preflight read
	_, err := tracker.Begin(t.Context(), api, phone)
	require.ErrorIs(t, err, errDisk)
	require.Zero(t, api.calls.Load())
}

func TestAnAnswerThatCannotBeStoredIsUnknown(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: new(coexistence.MemStore)}
	tracker := onboard(t, store)
	api := new(meta)
	store.changes, store.fail = 0, 3
	_, err := tracker.Begin(t.Context(), api, phone)
	require.ErrorIs(t, err, errDisk)
	require.ErrorIs(t, err, coexistence.ErrSyncOutcomeUnknown)
	require.EqualValues(t, 1, api.calls.Load())
}

// An answer that arrives after the business has signed up again belongs to the cycle that is over.
func TestALateAnswerLeavesTheNextCycleAlone(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	tracker := onboard(t, store)
	api := &meta{}
	api.sync = func(cloudapi.SyncKind) (string, error) {
		api.sync = nil
		return "", tracker.Onboard(t.Context(), cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, OnboardedAt: time.Now().Add(time.Hour)})
	}
	_, _ = tracker.BeginContacts(t.Context(), api, phone)
	st, err := store.State(t.Context(), phone)
	require.NoError(t, err)
	require.Equal(t, 2, st.Cycle)
	require.Equal(t, coexistence.Sync{}, st.Contacts.Sync)
	require.Equal(t, coexistence.Sync{}, st.History.Sync)
}

func TestErrorsAboutSyncsHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.srv.Inject(cloudapitest.Fault{On: "POST " + syncPath, Drop: true, Accept: true})
	_, err := d.tracker.Begin(t.Context(), d.api, d.phone.ID)
	require.Error(t, err)
	require.NotContains(t, err.Error(), graph.Digits(d.phone.Number))
	require.NotContains(t, err.Error(), d.srv.SystemToken().Reveal())
}
