package health_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const day = 24 * time.Hour

// What is stored of a number says this much about it, without a call.
func TestANumberSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	restricted := func(kind webhook.RestrictionType) func(*coexistence.Number) {
		return func(n *coexistence.Number) {
			n.Enforcement.Restrictions = []webhook.RestrictionInfo{{Type: kind}}
		}
	}
	tests := map[string]struct {
		change func(*coexistence.Number)
		part   health.PartName
		status health.Status
		code   health.Code
	}{
		"works": {func(*coexistence.Number) {}, health.PartConnection, health.StatusOK, ""},
		"just suspended": {func(n *coexistence.Number) {
			n.Stage, n.OffboardedAt = coexistence.StageOffboarded, now.Add(-time.Hour)
		}, health.PartConnection, health.StatusWarning, health.CodeSuspended},
		"suspended for long": {func(n *coexistence.Number) {
			n.Stage, n.OffboardedAt = coexistence.StageOffboarded, now.Add(-25*time.Hour)
		}, health.PartConnection, health.StatusBroken, health.CodeSuspended},
		"removed": {func(n *coexistence.Number) { n.Stage = coexistence.StageRemoved },
			health.PartConnection, health.StatusBroken, health.CodeRemoved},
		"sync not requested": {func(n *coexistence.Number) {
			n.Stage, n.History = coexistence.StageOnboarded, coexistence.HistorySync{}
			n.OnboardedAt = now.Add(-13 * time.Hour)
		}, health.PartSync, health.StatusWarning, health.CodeSyncDue},
		"sync about to be requested": {func(n *coexistence.Number) { n.History = coexistence.HistorySync{} },
			health.PartSync, health.StatusOK, ""},
		"sync expired": {func(n *coexistence.Number) {
			n.History = coexistence.HistorySync{}
			n.OnboardedAt = now.Add(-25 * time.Hour)
		}, health.PartSync, health.StatusWarning, health.CodeSyncExpired},
		"sync failed": {func(n *coexistence.Number) { n.History.Status = coexistence.SyncFailed },
			health.PartSync, health.StatusWarning, health.CodeSyncFailed},
		"sync declined": {func(n *coexistence.Number) { n.History.Status = coexistence.SyncDeclined },
			health.PartSync, health.StatusOK, ""},
		"sync failed long ago": {func(n *coexistence.Number) {
			n.History.Status, n.OnboardedAt = coexistence.SyncFailed, now.Add(-8*day)
		}, health.PartSync, health.StatusOK, ""},
		"sync stalled": {func(n *coexistence.Number) {
			n.History.Status = coexistence.SyncAccepted
			n.History.RequestedAt, n.History.AcceptedAt = now.Add(-2*time.Hour), now.Add(-2*time.Hour)
			n.OnboardedAt = now.Add(-3 * time.Hour)
		}, health.PartSync, health.StatusWarning, health.CodeSyncStalled},
		"banned": {func(n *coexistence.Number) { n.Enforcement.Ban = &webhook.BanInfo{State: webhook.BanInForce} },
			health.PartEnforcement, health.StatusBroken, health.CodeBanned},
		"ban scheduled": {func(n *coexistence.Number) {
			n.Enforcement.Ban = &webhook.BanInfo{State: webhook.BanScheduled}
		}, health.PartEnforcement, health.StatusWarning, health.CodeBanScheduled},
		"ban lifted": {func(n *coexistence.Number) { n.Enforcement.Ban = &webhook.BanInfo{State: webhook.BanLifted} },
			health.PartEnforcement, health.StatusOK, ""},
		"messages restricted": {restricted(webhook.RestrictedBusinessMessaging),
			health.PartEnforcement, health.StatusBroken, health.CodeRestricted},
		"calls restricted": {restricted(webhook.RestrictedCalling),
			health.PartEnforcement, health.StatusWarning, health.CodeRestricted},
		"restriction over": {func(n *coexistence.Number) {
			n.Enforcement.Restrictions = []webhook.RestrictionInfo{{
				Type: webhook.RestrictedBusinessMessaging, ExpiresAt: graph.Timestamp{Time: now.Add(-time.Minute)},
			}}
		}, health.PartEnforcement, health.StatusOK, ""},
		"violation": {func(n *coexistence.Number) {
			n.Enforcement.Violation, n.Enforcement.ViolationAt = &webhook.ViolationInfo{Type: "SPAM"}, now.Add(-day)
		}, health.PartEnforcement, health.StatusWarning, health.CodeViolation},
		"violation of last year": {func(n *coexistence.Number) {
			n.Enforcement.Violation, n.Enforcement.ViolationAt = &webhook.ViolationInfo{Type: "SPAM"}, now.Add(-31*day)
		}, health.PartEnforcement, health.StatusOK, ""},
		"other responder": {func(n *coexistence.Number) { n.OtherResponderAt = now },
			health.PartResponders, health.StatusOK, health.CodeOtherResponder},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, health.Config{})
			b.change(t, tt.change)
			h := b.health(t)
			wants(t, h, tt.part, tt.status, tt.code)
			require.Equal(t, tt.status, h.Status())
			require.Equal(t, tt.status == health.StatusBroken || tt.status == health.StatusWarning, len(h.Wrong()) == 1)
			require.Empty(t, b.srv.Requests(), "no one was called")
		})
	}
}

func TestAPhoneThatIsNotUsedIsAWarning(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{MaxSilence: 365 * day})
	b.change(t, func(n *coexistence.Number) {
		n.OnboardedAt = time.Now().Add(-30 * day)
		n.PhoneSeenAt = time.Now().Add(-11 * day)
	})
	wants(t, b.health(t), health.PartPhone, health.StatusWarning, health.CodePhoneIdle)
}

func TestANumberThatIsNotKnownIsAnError(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	_, err := b.monitor.Health(t.Context(), "another number")
	require.ErrorIs(t, err, coexistence.ErrNotOnboarded)
	_, err = b.monitor.Read(t.Context(), "another number")
	require.ErrorIs(t, err, coexistence.ErrNotOnboarded)
}

// stored is for Config.Token.
func stored(info storage.TokenInfo, err error) func(context.Context, graph.PhoneNumberID) (storage.TokenInfo, error) {
	return func(context.Context, graph.PhoneNumberID) (storage.TokenInfo, error) { return info, err }
}

func TestTheTokenOfANumber(t *testing.T) {
	t.Parallel()
	until := func(d time.Duration) storage.TokenInfo { return storage.TokenInfo{ExpiresAt: time.Now().Add(d)} }
	tests := map[string]struct {
		info   storage.TokenInfo
		err    error
		status health.Status
		code   health.Code
	}{
		"never ends": {storage.TokenInfo{}, nil, health.StatusOK, ""},
		"lasts":      {until(15 * day), nil, health.StatusOK, ""},
		"ends soon":  {until(13 * day), nil, health.StatusWarning, health.CodeTokenExpiring},
		"has ended":  {until(-time.Second), nil, health.StatusBroken, health.CodeTokenExpired},
		"missing":    {storage.TokenInfo{}, storage.ErrNoToken, health.StatusBroken, health.CodeTokenMissing},
		"unreadable": {storage.TokenInfo{}, errors.New("disk"), health.StatusUnknown, health.CodeUnreadable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, health.Config{Token: stored(tt.info, tt.err)})
			h, err := b.monitor.Health(t.Context(), phone)
			require.Equal(t, tt.status == health.StatusUnknown, err != nil)
			wants(t, h, health.PartToken, tt.status, tt.code)
			require.Equal(t, tt.info.ExpiresAt, h.Token.ExpiresAt)

			b.change(t, func(n *coexistence.Number) { n.Stage = coexistence.StageRemoved })
			h, _ = b.monitor.Health(t.Context(), phone)
			wants(t, h, health.PartConnection, health.StatusBroken, health.CodeRemoved)
		})
	}
}

// What Meta says is remembered, with the time, and nothing is taken for it before.
func TestWhatMetaSays(t *testing.T) {
	t.Parallel()
	const onePhone = "GET /{phone-number-id}"
	says := func(members string) func(*bench) {
		return func(b *bench) {
			b.srv.Inject(cloudapitest.Fault{On: onePhone, Body: `{"id":"` + string(phone) + `","is_on_biz_app":true,` +
				`"platform_type":"CLOUD_API",` + members + `}`})
		}
	}
	tests := map[string]struct {
		change func(*bench)
		part   health.PartName
		status health.Status
		code   health.Code
	}{
		"all is well": {func(*bench) {}, health.PartWebhooks, health.StatusOK, ""},
		"green":       {says(`"quality_rating":"GREEN"`), health.PartQuality, health.StatusOK, ""},
		"yellow": {says(`"quality_rating":"YELLOW"`),
			health.PartQuality, health.StatusWarning, health.CodeQualityMedium},
		"red": {says(`"quality_rating":"RED"`), health.PartQuality, health.StatusWarning, health.CodeQualityLow},
		"flagged": {says(`"quality_rating":"GREEN","status":"FLAGGED"`),
			health.PartQuality, health.StatusWarning, health.CodeFlagged},
		"limit reached": {says(`"status":"RESTRICTED"`),
			health.PartLimits, health.StatusBroken, health.CodeLimitReached},
		"rate limited": {says(`"status":"RATE_LIMITED"`),
			health.PartLimits, health.StatusWarning, health.CodeRateLimited},
		"banned": {says(`"status":"BANNED"`), health.PartEnforcement, health.StatusBroken, health.CodeBanned},
		"not subscribed": {func(b *bench) {
			b.srv.Inject(cloudapitest.Fault{
				On: "GET /{waba-id}/subscribed_apps", Body: `{"data":[]}`,
			})
		}, health.PartWebhooks, health.StatusBroken, health.CodeNotSubscribed},
		"a field is missing": {func(b *bench) { b.subscribe(coexistence.Fields()[1:]) },
			health.PartWebhooks, health.StatusBroken, health.CodeFieldsMissing},
		"an optional field is missing": {func(b *bench) { b.subscribe(coexistence.Fields()) },
			health.PartWebhooks, health.StatusWarning, health.CodeOptionalFieldsMissing},
		"an override": {says(`"webhook_configuration":{"phone_number":"https://example.org/"}`),
			health.PartWebhooks, health.StatusWarning, health.CodeOverride},
		"fields that cannot be read": {func(b *bench) {
			b.srv.Inject(cloudapitest.Fault{On: "GET /{app-id}/subscriptions", Status: 502, Body: "busy"})
		}, health.PartWebhooks, health.StatusUnknown, health.CodeUnreadable},
		"what pays is not shown": {func(*bench) {}, health.PartPayment, health.StatusUnknown, health.CodeNotShown},
		"what pays cannot be read": {func(b *bench) {
			b.srv.Inject(cloudapitest.Fault{On: "GET /{waba-id}", Status: 502, Body: "busy"})
		}, health.PartPayment, health.StatusUnknown, health.CodeUnreadable},
		"something pays": {func(b *bench) {
			b.srv.AddCreditLine("")
			b.srv.SetPaymentMethod(waba, true)
		}, health.PartPayment, health.StatusOK, ""},
		"the payment method fails": {func(b *bench) { b.srv.SetPaymentMethod(waba, false) },
			health.PartPayment, health.StatusWarning, health.CodePaymentMissing},
		"the token is refused": {func(b *bench) { b.srv.Inject(cloudapitest.Fault{On: onePhone, Code: 190}) },
			health.PartToken, health.StatusBroken, health.CodeTokenRefused},
		"the number was taken away": {func(b *bench) { b.srv.DetachWABA(waba) },
			health.PartToken, health.StatusBroken, health.CodeTokenRefused},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, health.Config{Token: stored(storage.TokenInfo{}, nil)})
			before := b.health(t)
			require.Zero(t, before.ReadAt)
			for _, p := range []health.Verdict{before.Quality.Verdict, before.Limits.Verdict, before.Webhooks.Verdict} {
				require.Equal(t, health.CodeNotRead, p.Code)
			}
			tt.change(b)
			h, err := b.monitor.Read(t.Context(), phone)
			require.NoError(t, err)
			require.WithinDuration(t, time.Now(), h.ReadAt, time.Minute)
			wants(t, h, tt.part, tt.status, tt.code)
			again := b.health(t)
			wants(t, again, tt.part, tt.status, tt.code)
			require.Equal(t, h.ReadAt, again.ReadAt)
		})
	}
}

func TestLimitsAndPlacementAreRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	h, err := b.monitor.Read(t.Context(), phone)
	require.NoError(t, err)
	require.Equal(t, "TIER_250", h.Limits.MessagingLimit)
	require.Equal(t, cloudapi.CoexistenceRate, h.Limits.MessagesPerSecond)
	require.Equal(t, graph.QualityGreen, h.Quality.Rating)
	require.Equal(t, coexistence.PlacementBoth, h.Connection.Placement)
	require.Equal(t, coexistence.PlacementBoth, b.health(t).Number.Placement, "it is stored")

	// An older version knows no limit, and the rest is read all the same.
	b.srv.Inject(cloudapitest.Fault{On: "GET /{phone-number-id}"}) // passes
	b.srv.Inject(cloudapitest.Fault{On: "GET /{phone-number-id}", Code: graph.CodeInvalidParameter})
	h, err = b.monitor.Read(t.Context(), phone)
	require.NoError(t, err)
	require.Empty(t, h.Limits.MessagingLimit)
	require.Equal(t, graph.QualityGreen, h.Quality.Rating)
}

// What was read holds until Meta says something else.
func TestAReadingThatFailsLeavesTheOneBefore(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	first, err := b.monitor.Read(t.Context(), phone)
	require.NoError(t, err)
	b.srv.Inject(cloudapitest.Fault{On: "GET /{phone-number-id}", Status: 502, Body: "busy"})
	h, err := b.monitor.Read(t.Context(), phone)
	require.Error(t, err)
	require.Equal(t, first.ReadAt, h.ReadAt)
	require.Equal(t, first.Quality, h.Quality)
	require.Equal(t, health.StatusOK, h.Status())
}

// A message with an unknown outcome is a warning once Meta's history has not settled it either.
func TestAMessageInDoubtIsAWarning(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: t.TempDir() + "/wa.db"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	b := newBench(t, health.Config{})
	box, err := db.Outbox(outbox.Config{Tracker: b.tracker})
	require.NoError(t, err)
	b.watch(t, health.Config{Outbox: box})
	_, err = box.Enqueue(t.Context(), outbox.Message{
		ID: "an order", PhoneNumberID: phone,
		Payload: cloudapi.Message{To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "ready"}},
	})
	require.NoError(t, err)
	wants(t, b.health(t), health.PartSends, health.StatusOK, "")
	for age, status := range map[time.Duration]health.Status{
		time.Hour: health.StatusOK, 3 * time.Hour: health.StatusWarning,
	} {
		_, err = db.SQL().ExecContext(t.Context(), "UPDATE outbox_entries SET state = 'unknown', tried_at = ?",
			time.Now().Add(-age).UnixMilli())
		require.NoError(t, err)
		h := b.health(t)
		require.Equal(t, status, h.Sends.Status)
		require.Equal(t, 1, h.Sends.Unknown)
		require.WithinDuration(t, time.Now().Add(-age), h.Sends.OldestAt, time.Minute)
	}
}

func TestAConfigSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	_, err := health.New(health.Config{MaxSilence: -1})
	require.ErrorContains(t, err, "Config.Tracker is nil")
	require.ErrorContains(t, err, "negative")
}
