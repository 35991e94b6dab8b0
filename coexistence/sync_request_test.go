package coexistence_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
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
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const syncPath = "/{phone-number-id}/smb_app_data"

var coexistenceFields = []string{
	"messages", "smb_message_echoes", "smb_app_state_sync", "history", "account_update",
	"messaging_handovers", "standby", "user_preferences",
}

// A desk is a fake Graph API with one coexistence number, and a tracker that has it onboarded.
type syncBench struct {
	network *cloudapitest.Network
	srv     *cloudapitest.Server
	cfg     cloudapi.Config // of client
	client  *cloudapi.Client
	store   coexistence.Store
	tracker *coexistence.Tracker
	phone   cloudapitest.Phone

	onSync   func()       // called before a sync request leaves, in the goroutine of the call
	onSynced func()       // called when its answer has come
	asked    atomic.Int64 // how often the tracker asked for the client
}

// newSyncBench makes a desk on a network in memory, so that it can stand in a bubble.
func newSyncBench(t *testing.T, opts ...func(*syncBench)) *syncBench {
	t.Helper()
	d := &syncBench{network: new(cloudapitest.Network), store: new(coexistence.MemStore)}
	d.srv = cloudapitest.NewServer(cloudapitest.Config{Network: d.network})
	t.Cleanup(d.srv.Close)
	for _, opt := range opts {
		opt(d)
	}
	d.srv.AddWABA(cloudapitest.WABA{ID: waba})
	d.phone = d.srv.AddPhone(cloudapitest.Phone{ID: phone, WABAs: []graph.WABAID{waba}, PhoneNumber: "+" + display})
	d.cfg = d.srv.ClientConfig()
	base := d.cfg.HTTPClient.Transport
	d.cfg.HTTPClient.Transport = transport(func(r *http.Request) (*http.Response, error) {
		sync := strings.HasSuffix(r.URL.Path, "/smb_app_data")
		if sync && d.onSync != nil {
			d.onSync()
		}
		resp, err := base.RoundTrip(r)
		if sync && err == nil && d.onSynced != nil {
			var body []byte
			if body, err = io.ReadAll(resp.Body); err == nil {
				err = resp.Body.Close()
			}
			resp.Body = io.NopCloser(bytes.NewReader(body))
			d.onSynced()
		}
		return resp, err
	})
	d.connect(t, func(*cloudapi.Config) {})
	d.track(t, coexistence.Config{})
	d.srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://example.com/webhook", Fields: coexistenceFields})
	for _, waba := range d.phone.WABAs {
		require.NoError(t, d.client.WABAs.Subscribe(t.Context(), waba))
	}
	d.onboard(t, d.phone)
	return d
}

// connect makes the client again.
func (d *syncBench) connect(t *testing.T, change func(*cloudapi.Config)) {
	t.Helper()
	cfg := d.cfg
	change(&cfg)
	var err error
	d.client, err = cloudapi.NewClient(cfg)
	require.NoError(t, err)
}

// track makes the tracker again. A Client that is not set is that of the desk.
func (d *syncBench) track(t *testing.T, cfg coexistence.Config) {
	t.Helper()
	cfg.Store = d.store
	if cfg.Client == nil {
		cfg.Client = func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
			d.asked.Add(1)
			return d.client, nil
		}
	}
	var err error
	d.tracker, err = coexistence.NewTracker(cfg)
	require.NoError(t, err)
}

func (d *syncBench) onboard(t *testing.T, phone cloudapitest.Phone) {
	t.Helper()
	require.NoError(t, d.tracker.Onboard(t.Context(), cloudapi.Onboarding{
		PhoneNumberID: phone.ID, WABAIDs: phone.WABAs, DisplayPhoneNumber: phone.PhoneNumber, OnboardedAt: time.Now(),
	}))
}

// add adds a number that is connected like the first.
func (d *syncBench) add(t *testing.T) cloudapitest.Phone {
	t.Helper()
	phone := d.srv.AddPhone(cloudapitest.Phone{})
	for _, waba := range phone.WABAs {
		require.NoError(t, d.client.WABAs.Subscribe(t.Context(), waba))
	}
	d.onboard(t, phone)
	return phone
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (d *syncBench) state(t *testing.T) coexistence.Number {
	t.Helper()
	st, err := d.store.Number(t.Context(), d.phone.ID)
	require.NoError(t, err)
	return st
}

func (d *syncBench) calls() int { return d.srv.Count("POST", syncPath) }

func TestContactsAreRequestedAndThenHistory(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	var order []cloudapi.SyncKind
	d.srv.OnSyncAppData(func(r cloudapitest.SyncRequest) { order = append(order, r.Kind) })
	result, err := d.tracker.RequestSync(t.Context(), d.phone.ID)
	require.NoError(t, err)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory}, result.Requested)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory}, order)
	require.True(t, result.Preflight.OK())
	st := d.state(t)
	require.Equal(t, result.Number, st)
	require.Equal(t, coexistence.StageSyncing, st.Stage)
	require.Equal(t, coexistence.PlacementBoth, st.Placement)
	for _, sync := range []coexistence.Sync{st.Contacts.Sync, st.History.Sync} {
		require.Equal(t, coexistence.SyncAccepted, sync.Status)
		require.NotEmpty(t, sync.RequestID)
		require.False(t, sync.RequestedAt.IsZero())
		require.False(t, sync.AcceptedAt.Before(sync.RequestedAt))
	}

	result, err = d.tracker.RequestSync(t.Context(), d.phone.ID)
	require.ErrorIs(t, err, coexistence.ErrSyncAlreadyRequested)
	require.Nil(t, result)
	require.Equal(t, 2, d.calls(), "a repeat calls nobody")
	e, ok := errors.AsType[*coexistence.SyncError](err)
	require.True(t, ok)
	require.Equal(t, cloudapi.SyncContacts, e.Kind)
}

func TestContactsAloneLeaveHistoryForLater(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	result, err := d.tracker.RequestSync(t.Context(), d.phone.ID, cloudapi.SyncContacts)
	require.NoError(t, err)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts}, result.Requested)
	require.Equal(t, coexistence.SyncSkipped, d.state(t).History.Status)
	require.Equal(t, coexistence.StageActive, d.state(t).Stage)
	require.Empty(t, d.state(t).Due(time.Now()))
	_, err = d.tracker.RequestSync(t.Context(), d.phone.ID, cloudapi.SyncContacts)
	require.ErrorIs(t, err, coexistence.ErrSyncAlreadyRequested)

	result, err = d.tracker.RequestSync(t.Context(), d.phone.ID)
	require.NoError(t, err)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncHistory}, result.Requested)
	require.Equal(t, coexistence.StageSyncing, d.state(t).Stage)
	require.Equal(t, 2, d.calls())
}

func TestAFailedPreflightBurnsNothingAndListsEverything(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	other := d.srv.AddWABA(cloudapitest.WABA{})
	require.NoError(t, d.tracker.Onboard(t.Context(),
		cloudapi.Onboarding{PhoneNumberID: d.phone.ID, WABAIDs: []graph.WABAID{other.ID}}))
	d.srv.Suspend(d.phone.ID, true)
	d.srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://example.com/webhook",
		Fields: []string{"messages", "history"}})
	before := d.state(t)
	result, err := d.tracker.RequestSync(t.Context(), d.phone.ID)
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
	client, err := cloudapi.NewClient(d.srv.ClientConfig())
	require.NoError(t, err)
	require.NoError(t, client.WABAs.Subscribe(t.Context(), other.ID))
	_, err = d.tracker.RequestSync(t.Context(), d.phone.ID)
	require.NoError(t, err)
	require.Equal(t, 2, d.calls())
}

func TestContactsNeedNoHistoryField(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	d.srv.Subscribe(cloudapitest.AppSubscription{
		CallbackURL: "https://example.com/webhook",
		Fields:      []string{"messages", "smb_message_echoes", "smb_app_state_sync", "account_update"},
	})
	_, err := d.tracker.RequestSync(t.Context(), d.phone.ID, cloudapi.SyncContacts)
	require.NoError(t, err)
	_, err = d.tracker.RequestSync(t.Context(), d.phone.ID)
	require.ErrorIs(t, err, coexistence.ErrPreflight)
	require.Equal(t, 1, d.calls())
}

func TestPreflightFindings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change   func(*testing.T, *syncBench)
		problems []coexistence.Check
		warnings []coexistence.Check
	}{
		"all is well": {change: func(*testing.T, *syncBench) {}},
		"the number cannot be read": {
			change: func(_ *testing.T, d *syncBench) {
				d.srv.Inject(cloudapitest.Fault{On: "GET /{phone-number-id}",
					Code: 200})
			},
			problems: []coexistence.Check{coexistence.CheckNumber},
		},
		"the subscribed apps cannot be read": {
			change: func(_ *testing.T, d *syncBench) {
				d.srv.Inject(cloudapitest.Fault{On: "GET /{waba-id}/subscribed_apps", Code: 200})
			},
			problems: []coexistence.Check{coexistence.CheckSubscription},
		},
		"the fields cannot be read": {
			change: func(_ *testing.T, d *syncBench) {
				d.srv.Inject(cloudapitest.Fault{On: "GET /{app-id}/subscriptions", Code: 200})
			},
			problems: []coexistence.Check{coexistence.CheckFields},
		},
		"Meta does not answer about the fields": {
			change: func(_ *testing.T, d *syncBench) {
				d.srv.Inject(cloudapitest.Fault{On: "GET /{app-id}/subscriptions", Code: 2, Status: 503, Times: 10})
			},
			problems: []coexistence.Check{coexistence.CheckFields},
		},
		"the client cannot ask for the fields": {
			change: func(t *testing.T, d *syncBench) {
				d.connect(t, func(cfg *cloudapi.Config) { cfg.AppSecret = "" })
			},
			problems: []coexistence.Check{coexistence.CheckFields},
		},
		"the app receives nothing at all": {
			change: func(_ *testing.T, d *syncBench) {
				d.srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://example.com/",
					Fields: coexistenceFields, Inactive: true})
			},
			problems: []coexistence.Check{coexistence.CheckFields},
		},
		"only another app is subscribed": {
			change: func(t *testing.T, d *syncBench) {
				d.connect(t, func(cfg *cloudapi.Config) { cfg.AppID = "999" })
			},
			problems: []coexistence.Check{coexistence.CheckSubscription, coexistence.CheckFields},
			warnings: []coexistence.Check{coexistence.CheckResponders},
		},
		"a former partner's app is still subscribed": {
			change: func(_ *testing.T, d *syncBench) {
				d.srv.Inject(cloudapitest.Fault{On: "GET /{waba-id}/subscribed_apps", Body: `{"data":[` +
					`{"whatsapp_business_api_data":{"id":"999","name":"Former"}},` +
					`{"whatsapp_business_api_data":{"id":"` + string(d.client.AppID()) + `","name":"Ours"}}]}`})
			},
			warnings: []coexistence.Check{coexistence.CheckResponders},
		},
		"which app is ours is unknown": {
			change: func(t *testing.T, d *syncBench) {
				d.connect(t, func(cfg *cloudapi.Config) { cfg.AppID = "" })
			},
			problems: []coexistence.Check{coexistence.CheckFields}, // they are found by the app's id
			warnings: []coexistence.Check{coexistence.CheckSubscription},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSyncBench(t)
			tt.change(t, d)
			p, err := d.tracker.Preflight(t.Context(), d.phone.ID)
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

// What Meta does not show is unknown, and neither a warning nor an all-clear.
func TestPreflightLooksAtThePaymentMethod(t *testing.T) {
	t.Parallel()
	partner := func(d *syncBench) { d.srv.AddCreditLine(d.srv.AddBusiness(cloudapitest.Business{}).ID) }
	tests := map[string]struct {
		change  func(*syncBench)
		warning string // a part of its text
		unknown error  // that the finding has
	}{
		"works, shown": {change: func(d *syncBench) { partner(d); d.srv.SetPaymentMethod(waba, true) }},
		"none, shown":  {change: partner, warning: "has no payment method"},
		"fails, shown": {
			change:  func(d *syncBench) { partner(d); d.srv.SetPaymentMethod(waba, false) },
			warning: "has no payment method",
		},
		"works, not shown": {
			change:  func(d *syncBench) { d.srv.SetPaymentMethod(waba, true) },
			unknown: graph.CodePermissionDenied,
		},
		"none, not shown": {change: func(*syncBench) {}, unknown: graph.CodePermissionDenied},
		"fails, not shown": {
			change:  func(d *syncBench) { d.srv.SetPaymentMethod(waba, false) },
			warning: "missing or fails",
		},
		"Meta does not answer": {
			change: func(d *syncBench) {
				d.srv.SetPaymentMethod(waba, false)
				d.srv.Inject(cloudapitest.Fault{On: "GET /{waba-id}", Code: 2, Status: 503, Times: 10})
			},
			unknown: graph.Code(2),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSyncBench(t)
			tt.change(d)
			p, err := d.tracker.Preflight(t.Context(), phone)
			require.NoError(t, err)
			require.True(t, p.OK(), p.Problems)
			if tt.warning == "" {
				require.Empty(t, p.Warnings)
			} else {
				require.Len(t, p.Warnings, 1)
				require.Contains(t, p.Warnings[0].Text, tt.warning)
				require.Contains(t, p.Warnings[0].Text, "131042")
			}
			if tt.unknown == nil {
				require.Empty(t, p.Unknown)
			} else {
				require.Len(t, p.Unknown, 1)
				require.ErrorIs(t, p.Unknown[0].Err, tt.unknown)
				require.Contains(t, p.Unknown[0].Text, "is unknown")
			}
			for _, f := range append(p.Warnings, p.Unknown...) {
				require.Equal(t, coexistence.CheckPayment, f.Check)
				require.Equal(t, waba, f.WABAID)
				require.Contains(t, f.Text, "WhatsApp Manager")
			}
		})
	}
}

// An override takes the data elsewhere, and account updates ignore it.
func TestAnOverrideIsAWarning(t *testing.T) {
	t.Parallel()
	const override = `"override_callback_uri":"http://tenant.test/",` +
		`"verify_token":"verify-token"` // the methods want https
	for name, set := range map[string]cloudapi.Request{
		"of the number": {
			Path: "/{phone-number-id}", IDs: []string{string(phone)},
			Body: json.RawMessage(`{"webhook_configuration":{` + override + `}}`),
		},
		"of the account": {Path: "/{waba-id}/subscribed_apps", IDs: []string{string(waba)},
			Body: json.RawMessage(`{` + override + `}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSyncBench(t)
			tenant := &http.Server{ReadHeaderTimeout: time.Minute,
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, r.FormValue("hub.challenge"))
				})}
			go func() { _ = tenant.Serve(d.network.Listen("tenant.test")) }()
			t.Cleanup(func() { require.NoError(t, tenant.Close()) })
			set.Method = http.MethodPost
			_, err := cloudapi.Do[struct{}](t.Context(), d.client, set)
			require.NoError(t, err)
			p, err := d.tracker.Preflight(t.Context(), phone)
			require.NoError(t, err)
			require.True(t, p.OK(), p.Problems)
			require.Equal(t, coexistence.CheckOverride, p.Warnings[0].Check)
			require.Contains(t, p.Warnings[0].String(), "account_update")
		})
	}
}

func TestAMissingFieldOfOtherRespondersIsAWarning(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	p, err := d.tracker.Preflight(t.Context(), phone)
	require.NoError(t, err)
	require.Empty(t, p.Warnings)
	d.srv.Subscribe(cloudapitest.AppSubscription{
		CallbackURL: "https://example.com/webhook", Fields: coexistenceFields[:5],
	})
	for _, ev := range decode(t, standbyStatus("wamid.1", ada, 0, "read")) {
		ev.(*webhook.StandbyStatus).At = time.Now()
		require.NoError(t, d.tracker.Handle(t.Context(), ev))
	}
	p, err = d.tracker.Preflight(t.Context(), phone)
	require.NoError(t, err)
	require.True(t, p.OK(), p.Problems)
	require.Len(t, p.Warnings, 2)
	require.Contains(t, p.Warnings[0].String(), "messaging_handovers, standby, user_preferences")
	require.Equal(t, coexistence.CheckResponders, p.Warnings[1].Check)
}

func TestASyncBeforeItsTime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(context.Context, *syncBench) error
		want   error
	}{
		"not onboarded": {func(_ context.Context, d *syncBench) error { d.phone.ID = "300"; return nil },
			coexistence.ErrNotOnboarded},
		"known from an echo only": {func(ctx context.Context, d *syncBench) error {
			d.phone.ID = "300"
			return d.tracker.Handle(ctx, &webhook.BusinessAppEcho{EventInfo: webhook.EventInfo{PhoneNumberID: "300"},
				ID: "wamid.1", To: ada.identity(), Content: &webhook.Text{}})
		}, coexistence.ErrNotOnboarded},
		"removed": {func(ctx context.Context, d *syncBench) error {
			ev := account(webhook.AccountPartnerRemoved, time.Now().Add(time.Hour))
			ev.WABAID = d.phone.WABAs[0]
			return d.tracker.Handle(ctx, ev)
		}, coexistence.ErrNotConnected},
		"suspended": {func(ctx context.Context, d *syncBench) error {
			ev := account(webhook.AccountOffboarded, time.Now().Add(time.Hour))
			ev.WABAID = d.phone.WABAs[0]
			return d.tracker.Handle(ctx, ev)
		}, coexistence.ErrNotConnected},
		"too late": {func(ctx context.Context, d *syncBench) error {
			_, err := d.store.UpdateNumber(ctx, d.phone.ID, func(s coexistence.Number) (coexistence.Number, error) {
				s.OnboardedAt = time.Now().Add(-coexistence.SyncWindow)
				return s, nil
			})
			return err
		}, coexistence.ErrSyncWindowClosed},
		"declined, and contacts used": {func(ctx context.Context, d *syncBench) error {
			if _, err := d.tracker.RequestSync(ctx, d.phone.ID, cloudapi.SyncContacts); err != nil {
				return err
			}
			ev := declined(2593109)
			ev.PhoneNumberID = d.phone.ID
			return d.tracker.Handle(ctx, ev)
		}, coexistence.ErrSyncDeclined},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSyncBench(t)
			require.NoError(t, tt.change(t.Context(), d))
			before := d.calls()
			result, err := d.tracker.RequestSync(t.Context(), d.phone.ID)
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
		again   bool // another RequestSync calls for contacts again
	}{
		"used, as code": {
			func(s *cloudapitest.Server) { s.Inject(cloudapitest.Fault{On: "POST " + syncPath, Code: 2593107}) },
			coexistence.ErrSyncAlreadyRequested, coexistence.SyncAlreadyRequested, coexistence.SyncAccepted, false,
		},
		"used, as a rate limit": {
			func(s *cloudapitest.Server) {
				s.Inject(cloudapitest.Fault{On: "POST " + syncPath, Code: 4, Subcode: 2593107})
			},
			coexistence.ErrSyncAlreadyRequested, coexistence.SyncAlreadyRequested, coexistence.SyncAccepted, false,
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
				s.Inject(cloudapitest.Fault{On: "POST " + syncPath, Status: 502, Body: "<html>Bad gateway</html>",
					Accept: true})
			},
			coexistence.ErrSyncOutcomeUnknown, coexistence.SyncUnknown, coexistence.SyncNone, false,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSyncBench(t)
			tt.fail(d.srv)
			result, err := d.tracker.RequestSync(t.Context(), d.phone.ID)
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
			result, err = d.tracker.RequestSync(t.Context(), d.phone.ID)
			asked := 0
			if result != nil {
				asked = len(result.Requested)
			}
			require.Equal(t, calls+asked, d.calls(), "%v", err)
			if tt.again {
				require.Equal(t, 2, asked)
				require.NoError(t, err)
			} else {
				require.Equal(t, before, d.srv.Synced(d.phone.ID, cloudapi.SyncContacts),
					"contacts are not asked for again")
			}
			if errors.Is(tt.want, coexistence.ErrSyncOutcomeUnknown) {
				require.NoError(t, err)
				require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncHistory}, result.Requested,
					"history is another request")
				_, err = d.tracker.RequestSync(t.Context(), d.phone.ID)
				require.ErrorIs(t, err, coexistence.ErrSyncOutcomeUnknown, "and then only the unknown one is left")
			}
		})
	}
}

func TestWebhooksSettleAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	_, err := d.tracker.RequestSync(t.Context(), d.phone.ID, cloudapi.SyncContacts)
	require.NoError(t, err)
	d.srv.Inject(cloudapitest.Fault{On: "POST " + syncPath, Drop: true, Accept: true})
	_, err = d.tracker.RequestSync(t.Context(), d.phone.ID)
	require.ErrorIs(t, err, coexistence.ErrSyncOutcomeUnknown)
	require.Equal(t, coexistence.SyncUnknown, d.state(t).HistoryStatus(time.Now().Add(100*time.Hour)))
	ev := chunk(0, 1, 10)
	ev.PhoneNumberID = d.phone.ID
	require.NoError(t, d.tracker.Handle(t.Context(), ev))
	require.Equal(t, coexistence.SyncStreaming, d.state(t).History.Status)
}

// onboard returns a tracker that only follows, with a number.
func onboard(t *testing.T, store coexistence.Store) *coexistence.Tracker {
	t.Helper()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	require.NoError(t, tracker.Onboard(t.Context(), cloudapi.Onboarding{
		PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, DisplayPhoneNumber: display, OnboardedAt: time.Now(),
	}))
	return tracker
}

func TestWithoutClientsATrackerOnlyFollows(t *testing.T) {
	t.Parallel()
	tracker := onboard(t, new(coexistence.MemStore))
	_, err1 := tracker.RequestSync(t.Context(), phone)
	_, err2 := tracker.Refresh(t.Context(), phone)
	_, err3 := tracker.Preflight(t.Context(), phone)
	_, err4 := tracker.Send(t.Context(), phone, cloudapi.Message{})
	_, err5 := tracker.Client(t.Context(), phone)
	for _, err := range []error{
		err1, err2, err3, err4, err5, tracker.Reconcile(t.Context(), phone), tracker.ReconcileAll(t.Context()),
	} {
		require.ErrorContains(t, err, "Config.Client is nil")
	}
	var log bytes.Buffer
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: new(coexistence.MemStore), Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	tracker.Run(t.Context()) // returns
	require.Contains(t, log.String(), "Config.Client is nil")
}

func TestAClientThatCannotBeHadIsNamed(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	sealed := errors.New("the token does not open")
	var err error
	d.track(t, coexistence.Config{Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client,
		error) {
		return nil, err
	}})
	for _, err = range []error{nil, sealed} {
		result, got := d.tracker.RequestSync(t.Context(), phone)
		require.Nil(t, result)
		require.ErrorContains(t, got, string(phone))
		if err != nil {
			require.ErrorIs(t, got, sealed)
		}
	}
}

func TestOnlyContactsAndHistoryAreRequested(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	_, err := d.tracker.RequestSync(t.Context(), phone, cloudapi.SyncHistory, "calls")
	require.ErrorContains(t, err, `"calls"`)
	require.Zero(t, d.calls())
	_, err = coexistence.NewTracker(coexistence.Config{Store: d.store, Syncs: []cloudapi.SyncKind{"calls"}})
	require.Error(t, err)
	result, err := d.tracker.RequestSync(t.Context(), phone, cloudapi.SyncHistory, cloudapi.SyncContacts,
		cloudapi.SyncHistory)
	require.NoError(t, err)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory}, result.Requested,
		"in our order, each once")
}

func TestConcurrentRequestsCallOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		d := newSyncBench(t)
		var asked atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				result, err := d.tracker.RequestSync(t.Context(), phone)
				if err != nil && !errors.Is(err, coexistence.ErrSyncAlreadyRequested) &&
					!errors.Is(err, coexistence.ErrSyncInProgress) {
					t.Errorf("got %v", err)
				}
				if result != nil {
					asked.Add(int64(len(result.Requested)))
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 2, asked.Load())
		require.Equal(t, 2, d.calls())
		require.Equal(t, coexistence.SyncAccepted, d.state(t).Contacts.Status)
		require.Equal(t, coexistence.SyncAccepted, d.state(t).History.Status)
	}
}

func TestWhileACallIsBeingMadeThereIsNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newSyncBench(t)
		d.onSync = func() { time.Sleep(30 * time.Second) }
		go func() { _, _ = d.tracker.RequestSync(t.Context(), phone) }()
		time.Sleep(time.Second)
		_, err := d.tracker.RequestSync(t.Context(), phone)
		require.ErrorIs(t, err, coexistence.ErrSyncInProgress)
		require.NoError(t, d.tracker.Reconcile(t.Context(), phone), "it is being done")
		require.Zero(t, d.calls(), "the first is on its way, and history waits for it")
		time.Sleep(time.Hour)
		_, err = d.tracker.RequestSync(t.Context(), phone)
		require.ErrorIs(t, err, coexistence.ErrSyncAlreadyRequested)
		require.Equal(t, 2, d.calls())
	})
}

// A process that dies between the intent and the answer leaves the intent behind. It is not known
// whether the call counted.
func TestACrashDuringTheCallLeavesAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newSyncBench(t)
		d.onSync = func() { panic("the process dies") }
		require.Panics(t, func() { _, _ = d.tracker.RequestSync(t.Context(), phone) })
		d.onSync = nil

		_, err := d.tracker.RequestSync(t.Context(), phone)
		require.ErrorIs(t, err, coexistence.ErrSyncInProgress, "it may still be under way")
		time.Sleep(time.Hour)
		require.Equal(t, coexistence.SyncUnknown, d.state(t).ContactsStatus(time.Now()))
		result, err := d.tracker.RequestSync(t.Context(), phone)
		require.NoError(t, err)
		require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncHistory}, result.Requested)
		require.Equal(t, 1, d.calls(), "none but the one for history")
		_, err = d.tracker.RequestSync(t.Context(), phone)
		require.ErrorIs(t, err, coexistence.ErrSyncOutcomeUnknown)
		require.Equal(t, 1, d.calls())
	})
}

// An answer that arrives after the business has signed up again belongs to the cycle that is over.
func TestALateAnswerLeavesTheNextCycleAlone(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	d.srv.OnSyncAppData(func(cloudapitest.SyncRequest) {
		err := d.tracker.Onboard(context.Background(), cloudapi.Onboarding{
			PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, OnboardedAt: time.Now().Add(time.Hour),
		})
		if err != nil {
			t.Error(err)
		}
	})
	_, err := d.tracker.RequestSync(t.Context(), phone, cloudapi.SyncContacts)
	require.NoError(t, err)
	require.Equal(t, 2, d.state(t).Cycle)
	require.Equal(t, coexistence.Sync{}, d.state(t).Contacts.Sync)
	require.Equal(t, coexistence.Sync{}, d.state(t).History.Sync)
}

func TestErrorsAboutSyncsHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	d.srv.Inject(cloudapitest.Fault{On: "POST " + syncPath, Drop: true, Accept: true})
	_, err := d.tracker.RequestSync(t.Context(), d.phone.ID)
	require.Error(t, err)
	require.NotContains(t, err.Error(), phonenumber.Digits(d.phone.PhoneNumber))
	require.NotContains(t, err.Error(), d.srv.SystemToken().Reveal())
}
