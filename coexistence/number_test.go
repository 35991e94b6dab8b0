package coexistence_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	phone   graph.PhoneNumberID = "100000000000001"
	waba    graph.WABAID        = "200000000000001"
	otherWA graph.WABAID        = "200000000000002"
	display                     = "15550100199"
)

var t0 = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// onboarded is a number whose business signed up at t0.
func onboarded() coexistence.Number {
	return coexistence.Number{}.Onboard(cloudapi.Onboarding{
		PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, DisplayPhoneNumber: display, OnboardedAt: t0,
	})
}

func asked(s coexistence.Number) coexistence.Number {
	sync := coexistence.Sync{Status: coexistence.SyncAccepted, RequestedAt: t0, AcceptedAt: t0, RequestID: "0A1B"}
	s.Contacts.Sync, s.History.Sync = sync, sync
	s.Stage = coexistence.StageSyncing
	return s
}

func chunk(phase webhook.HistoryPhase, order, progress int) *webhook.HistoryChunk {
	return &webhook.HistoryChunk{EventInfo: webhook.EventInfo{PhoneNumberID: phone, WABAID: waba}, Phase: phase,
		Order: order, Progress: progress}
}

func account(event webhook.AccountEvent, at time.Time) *webhook.AccountUpdate {
	return &webhook.AccountUpdate{EventInfo: webhook.EventInfo{WABAID: waba, At: at}, Event: event}
}

func removedFor(reason webhook.DisconnectionReason, by string, at time.Time) *webhook.AccountUpdate {
	ev := account(webhook.AccountPartnerRemoved, at)
	ev.Disconnection = &webhook.DisconnectionInfo{Reason: reason, InitiatedBy: by}
	return ev
}

func declined(code graph.Code) *webhook.HistoryFailure {
	return &webhook.HistoryFailure{EventInfo: webhook.EventInfo{PhoneNumberID: phone}, Err: webhook.Error{Code: code}}
}

func applied(s coexistence.Number, events ...webhook.Event) coexistence.Number {
	for _, ev := range events {
		s = s.Apply(ev)
	}
	return s
}

func TestApplyFollowsTheStages(t *testing.T) {
	t.Parallel()
	const (
		none, onboardedStage = coexistence.StageNone, coexistence.StageOnboarded
		syncing, active      = coexistence.StageSyncing, coexistence.StageActive
		offboarded, removed  = coexistence.StageOffboarded, coexistence.StageRemoved
	)
	later := t0.Add(time.Hour)
	full := []webhook.Event{chunk(0, 1, 8), chunk(1, 2, 60), chunk(1, 1, 35), chunk(2, 1, 100)}
	off := account(webhook.AccountOffboarded, later)
	back := account(webhook.AccountReconnected, later.Add(3*time.Minute))
	gone := removedFor(webhook.DisconnectedPrimaryInactivity, "SYSTEM", later)
	tests := map[string]struct {
		state  coexistence.Number
		events []webhook.Event
		want   coexistence.Stage
	}{
		"nothing yet": {coexistence.Number{}, nil, none},
		"shared with us": {coexistence.Number{PhoneNumberID: phone},
			[]webhook.Event{account(webhook.AccountPartnerAdded, t0)}, onboardedStage},
		"shared, but which number": {coexistence.Number{},
			[]webhook.Event{account(webhook.AccountPartnerAdded, t0)}, none},
		"signed up": {onboarded(), nil, onboardedStage},
		"shared, heard after signup": {onboarded(), []webhook.Event{account(webhook.AccountPartnerAdded, t0)},
			onboardedStage},
		"first chunk":          {asked(onboarded()), full[:1], syncing},
		"first chunk, unasked": {onboarded(), full[:1], syncing},
		"all chunks":           {asked(onboarded()), full, active},
		"all chunks, the last one first": {asked(onboarded()), []webhook.Event{full[3], full[1], full[0], full[2]},
			active},
		"empty last chunk alone":       {asked(onboarded()), []webhook.Event{chunk(2, 9, 100)}, active},
		"chunk repeated after the end": {asked(onboarded()), append(full, full[0]), active},
		"declined":                     {asked(onboarded()), []webhook.Event{declined(2593109)}, active},
		"failed with another code":     {asked(onboarded()), []webhook.Event{declined(131000)}, active},
		"declined, heard after a chunk": {asked(onboarded()), []webhook.Event{full[0], declined(2593109)},
			syncing},
		"phone change":                      {onboarded(), []webhook.Event{off}, offboarded},
		"phone change and back":             {onboarded(), []webhook.Event{off, back}, onboardedStage},
		"phone change and back during sync": {asked(onboarded()), []webhook.Event{full[0], off, back}, syncing},
		"phone change and back after sync":  {asked(onboarded()), append(full, off, back), active},
		"back heard before phone change":    {onboarded(), []webhook.Event{back, off}, onboardedStage},
		"phone change repeated afterwards":  {onboarded(), []webhook.Event{off, back, off}, onboardedStage},
		"another phone change": {onboarded(),
			[]webhook.Event{off, back, account(webhook.AccountOffboarded, later.Add(time.Hour))}, offboarded},
		"phone change without a time": {onboarded(),
			[]webhook.Event{account(webhook.AccountOffboarded, time.Time{})}, offboarded},
		"phone change and back without time": {onboarded(),
			[]webhook.Event{account(webhook.AccountOffboarded, time.Time{}),
				account(webhook.AccountReconnected, time.Time{})}, onboardedStage},
		"late chunk while suspended":     {asked(onboarded()), []webhook.Event{off, full[3]}, offboarded},
		"and back after it":              {asked(onboarded()), []webhook.Event{off, full[3], back}, active},
		"disconnected":                   {onboarded(), []webhook.Event{gone}, removed},
		"late chunk after disconnection": {asked(onboarded()), []webhook.Event{gone, full[3]}, removed},
		"back after disconnection":       {onboarded(), []webhook.Event{gone, back}, removed},
		"phone change after disconnection": {onboarded(),
			[]webhook.Event{gone, account(webhook.AccountOffboarded, later.Add(time.Hour))}, removed},
		"disconnected while suspended": {onboarded(), []webhook.Event{off, gone}, removed},
		"app uninstalled": {onboarded(),
			[]webhook.Event{account(webhook.AccountPartnerAppRemoved, later)}, removed},
		"account deleted": {onboarded(), []webhook.Event{account(webhook.AccountDeleted, later)},
			removed},
		"shared again, heard late": {onboarded(),
			[]webhook.Event{gone, account(webhook.AccountPartnerAdded, t0)}, removed},
		"disconnection of an earlier cycle": {onboarded(),
			[]webhook.Event{removedFor("CHANGE_NUMBER", "USER", t0.Add(-time.Hour))}, onboardedStage},
		"phone change of an earlier cycle": {onboarded(),
			[]webhook.Event{account(webhook.AccountOffboarded, t0.Add(-time.Hour))}, onboardedStage},
		"restricted": {onboarded(), []webhook.Event{account(webhook.AccountRestriction, later)},
			onboardedStage},
		"banned": {onboarded(),
			[]webhook.Event{account(webhook.AccountDisabledUpdate, later)}, onboardedStage},
		"something else about the account": {onboarded(), []webhook.Event{account("SOMETHING_NEW", later)},
			onboardedStage},
		"an ordinary message": {onboarded(), []webhook.Event{&webhook.IncomingMessage{}},
			onboardedStage},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := applied(tt.state, tt.events...)
			require.Equal(t, tt.want, got.Stage)
			require.Equal(t, tt.want, applied(got, tt.events...).Stage, "a repeat of everything changes nothing")
		})
	}
}

// Meta's own samples give the reconnection the earlier time, by one second.
func TestReconnectionDatedBeforeItsOffboardingCounts(t *testing.T) {
	t.Parallel()
	off := account(webhook.AccountOffboarded, t0.Add(time.Hour))
	back := account(webhook.AccountReconnected, t0.Add(time.Hour-time.Second))
	for name, events := range map[string][]webhook.Event{
		"in the order of what happened": {off, back},
		"in the order of the times":     {back, off},
		"with repeats":                  {off, back, off, back, off},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, coexistence.StageOnboarded, applied(onboarded(), events...).Stage)
		})
	}
}

func TestApplyDoesNotDependOnTheOrder(t *testing.T) {
	t.Parallel()
	at := func(m int) time.Time { return t0.Add(time.Duration(m) * time.Minute) }
	echo := &webhook.BusinessAppEcho{EventInfo: webhook.EventInfo{PhoneNumberID: phone, WABAID: waba,
		DisplayPhoneNumber: display, At: at(70)}}
	restricted := account(webhook.AccountRestriction, at(12))
	restricted.Restrictions = []webhook.RestrictionInfo{{Type: "RESTRICTED_UTILITY_TEMPLATES"}}
	events := []webhook.Event{
		chunk(0, 1, 8), chunk(1, 2, 60), chunk(1, 1, 35), chunk(1, 4, 70), chunk(2, 1, 90), echo, declined(2593109),
		restricted,
		account(webhook.AccountOffboarded, at(100)), account(webhook.AccountReconnected, at(99)),
		account(webhook.AccountOffboarded, at(200)), account(webhook.AccountReconnected, at(205)),
	}
	want := applied(asked(onboarded()), events...)
	require.Equal(t, coexistence.StageSyncing, want.Stage)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		shuffled := append([]webhook.Event{}, events...)
		shuffled = append(shuffled, events[r.IntN(len(events))], events[r.IntN(len(events))])
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		require.Equal(t, want, applied(asked(onboarded()), shuffled...), "seed %d", seed)
	}
}

func TestApplyLeavesItsReceiverAlone(t *testing.T) {
	t.Parallel()
	before := applied(asked(onboarded()), chunk(1, 1, 10), chunk(1, 3, 20))
	copied := before.Clone()
	applied(before, chunk(1, 2, 30), chunk(0, 1, 40), account(webhook.AccountOffboarded, t0.Add(time.Hour)))
	require.Equal(t, copied, before)
}

func TestHistoryRemembersWhichChunksCame(t *testing.T) {
	t.Parallel()
	s := applied(asked(onboarded()), chunk(1, 5, 50), chunk(1, 1, 10), chunk(0, 1, 5), chunk(1, 2, 20), chunk(1, 2, 20))
	require.Equal(t, 50, s.History.Progress)
	require.Equal(t, []coexistence.PhaseSync{
		{Phase: 0, Chunks: coexistence.Ranges{{First: 1, Last: 1}}},
		{Phase: 1, Chunks: coexistence.Ranges{{First: 1, Last: 2}, {First: 5, Last: 5}}},
	}, s.History.Phases)
	require.Equal(t, []coexistence.PhaseSync{{Phase: 1, Chunks: coexistence.Ranges{{First: 3, Last: 4}}}},
		s.History.Gaps())
	s = applied(s, chunk(1, 3, 30), chunk(1, 4, 40))
	require.Empty(t, s.History.Gaps())
	require.Equal(t, coexistence.SyncStreaming, s.History.Status)
}

func TestOnboardingAgainBeginsANewCycle(t *testing.T) {
	t.Parallel()
	done := applied(asked(onboarded()), chunk(2, 1, 100),
		removedFor("BUSINESS_DOWNGRADE", "USER", t0.Add(48*time.Hour)))
	again := func(d time.Duration) coexistence.Number {
		return done.Onboard(cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{otherWA},
			OnboardedAt: t0.Add(d)})
	}
	fresh := again(50 * time.Hour)
	require.Equal(t, coexistence.StageOnboarded, fresh.Stage)
	require.Equal(t, 2, fresh.Cycle)
	require.Equal(t, coexistence.HistorySync{}, fresh.History)
	require.Equal(t, coexistence.ContactSync{}, fresh.Contacts)
	require.Nil(t, fresh.Disconnection)
	require.Equal(t, []graph.WABAID{otherWA}, fresh.WABAs)

	repeat := again(30 * time.Second)
	require.Equal(t, coexistence.StageRemoved, repeat.Stage, "the signup that is over already")
	require.Equal(t, 1, repeat.Cycle)
	require.Equal(t, []graph.WABAID{waba, otherWA}, repeat.WABAs)
}

// A reconnection is no onboarding: what was used stays used.
func TestReconnectionKeepsTheSyncs(t *testing.T) {
	t.Parallel()
	before := applied(asked(onboarded()), chunk(0, 1, 30))
	after := applied(before, account(webhook.AccountOffboarded, t0.Add(time.Hour)),
		account(webhook.AccountReconnected, t0.Add(2*time.Hour)))
	require.Equal(t, before.History, after.History)
	require.Equal(t, before.Contacts, after.Contacts)
	require.Equal(t, before.Cycle, after.Cycle)
	require.False(t, after.CanRequestSync(t0.Add(3*time.Hour)))
}

func TestAccountsThatStopSharingOneByOne(t *testing.T) {
	t.Parallel()
	both := coexistence.Number{}.Onboard(cloudapi.Onboarding{PhoneNumberID: phone,
		WABAIDs: []graph.WABAID{waba, otherWA}, OnboardedAt: t0})
	one := applied(both, account(webhook.AccountPartnerRemoved, t0.Add(time.Hour)))
	require.Equal(t, coexistence.StageOnboarded, one.Stage)
	require.Equal(t, []graph.WABAID{otherWA}, one.WABAs)
	require.Equal(t, otherWA, one.WABAID)
	last := account(webhook.AccountPartnerRemoved, t0.Add(2*time.Hour))
	last.WABAID = otherWA
	require.Equal(t, coexistence.StageRemoved, applied(one, last).Stage)
	require.Equal(t, coexistence.StageRemoved,
		applied(both, removedFor("CHANGE_NUMBER", "USER", t0.Add(time.Hour))).Stage,
		"the number itself was disconnected")
}

// Each account of a number says that it left, and neither has to say it twice, whenever the signup
// and a reading of the number come between.
func TestWhenAllAccountsHaveLeftTheNumberIsRemoved(t *testing.T) {
	t.Parallel()
	signup := cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba, otherWA}, OnboardedAt: t0}
	one := account(webhook.AccountPartnerRemoved, t0.Add(time.Hour))
	other := account(webhook.AccountPartnerRemoved, t0.Add(time.Hour))
	other.WABAID = otherWA
	number := coexistence.Number{}.Onboard(signup)

	t.Run("the signup is told again in between", func(t *testing.T) {
		t.Parallel()
		again := applied(number, one).Onboard(signup)
		require.Equal(t, []graph.WABAID{otherWA}, again.WABAs)
		require.Equal(t, coexistence.StageOnboarded, applied(again, one).Stage, "a repeat")
		require.Equal(t, coexistence.StageRemoved, applied(again, other).Stage)
	})
	t.Run("the next signup is told afterwards", func(t *testing.T) {
		t.Parallel()
		next := signup
		next.OnboardedAt = t0.Add(time.Minute * 30)
		early := applied(number, one).Onboard(next)
		require.Equal(t, coexistence.StageOnboarded, early.Stage)
		require.Equal(t, []graph.WABAID{otherWA}, early.WABAs)
		require.Equal(t, coexistence.StageRemoved, applied(early, other).Stage)
		require.Equal(t, coexistence.StageRemoved, applied(number, one, other).Onboard(next).Stage)
		next.WABAIDs = []graph.WABAID{waba}
		require.Equal(t, coexistence.StageRemoved, applied(number, one).Onboard(next).Stage, "the only one has left")
		next.OnboardedAt = t0.Add(2 * time.Hour)
		back := applied(number, one).Onboard(next)
		require.Equal(t, coexistence.StageOnboarded, back.Stage)
		require.Nil(t, back.AccountsLeft, "it left before")
	})
	// Meta's times are whole seconds, so a reading can be dated after an update that it did not
	// see.
	t.Run("the number is read in the same second", func(t *testing.T) {
		t.Parallel()
		both := &cloudapi.Phone{IsOnBizApp: true, PlatformType: cloudapi.PlatformCloudAPI}
		read := number.ApplyReading(both, t0.Add(time.Hour+time.Second/2))
		require.Equal(t, coexistence.PlacementBoth, read.Placement)
		require.Equal(t, coexistence.StageRemoved, applied(read, one, other).Stage)
		require.Equal(t, coexistence.StageRemoved, applied(read, other, one).Stage)
	})
}

func TestEveryEndingHasARemedy(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, reason := range []webhook.DisconnectionReason{
		webhook.DisconnectedPrimaryInactivity, webhook.DisconnectedCompanionInactivity,
		webhook.DisconnectedBusinessDowngrade,
		webhook.DisconnectedChangeNumber, webhook.DisconnectedReRegistered, webhook.DisconnectedAccount,
		"SOMETHING_NEW", "",
	} {
		s := applied(onboarded(), removedFor(reason, "USER", t0.Add(time.Hour)))
		require.Equal(t, reason, s.Disconnection.Reason)
		require.Equal(t, "USER", s.Disconnection.InitiatedBy)
		require.False(t, s.Disconnection.Temporary())
		require.NotEmpty(t, s.Remedy())
		seen[s.Remedy()] = true
	}
	require.Len(t, seen, 7, "one for each known reason, one for all others")
	for _, event := range []webhook.AccountEvent{webhook.AccountDeleted, webhook.AccountPartnerAppRemoved} {
		seen[applied(onboarded(), account(event, t0.Add(time.Hour))).Remedy()] = true
	}
	require.Len(t, seen, 9)
	suspended := applied(onboarded(), account(webhook.AccountOffboarded, t0.Add(time.Hour)))
	require.True(t, suspended.Disconnection.Temporary())
	require.NotEmpty(t, suspended.Remedy())
	require.Empty(t, onboarded().Remedy())
}

func TestAReasonIsNotLostToALaterUpdateWithoutOne(t *testing.T) {
	t.Parallel()
	with := removedFor("CHANGE_NUMBER", "USER", t0.Add(2*time.Hour))
	without := account(webhook.AccountPartnerAppRemoved, t0.Add(time.Hour))
	require.Equal(t, webhook.DisconnectedChangeNumber, applied(onboarded(), with, without).Disconnection.Reason)
	require.Equal(t, applied(onboarded(), with, without), applied(onboarded(), without, with))
}

func TestEnforcementIsNotedAndLatestWins(t *testing.T) {
	t.Parallel()
	restricted := func(kind webhook.RestrictionType, at, until time.Time) *webhook.AccountUpdate {
		ev := account(webhook.AccountRestriction, at)
		ev.Restrictions = []webhook.RestrictionInfo{{Type: kind, ExpiresAt: graph.NewTimestamp(until)}}
		return ev
	}
	ban := func(state webhook.BanState, at time.Time) *webhook.AccountUpdate {
		ev := account(webhook.AccountDisabledUpdate, at)
		ev.Ban = &webhook.BanInfo{State: state}
		return ev
	}
	violation := account(webhook.AccountViolation, t0)
	violation.Violation = &webhook.ViolationInfo{Type: "ADULT"}
	s := applied(onboarded(), restricted("B", t0.Add(2*time.Hour), t0.Add(4*time.Hour)),
		restricted("A", t0.Add(time.Hour), t0.Add(9*time.Hour)),
		ban("DISABLE", t0.Add(time.Hour)), violation)
	require.Equal(t, webhook.RestrictionType("B"), s.Enforcement.Active(t0.Add(3 * time.Hour))[0].Type)
	require.Empty(t, s.Enforcement.Active(t0.Add(4*time.Hour)))
	require.True(t, s.Enforcement.Banned())
	require.Equal(t, "ADULT", s.Enforcement.Violation.Type)
	require.False(t, applied(s, ban("REINSTATE", t0.Add(2*time.Hour)),
		ban("DISABLE", t0.Add(time.Hour))).Enforcement.Banned())
}

func TestConfirmDecides(t *testing.T) {
	t.Parallel()
	both := &cloudapi.Phone{IsOnBizApp: true, PlatformType: cloudapi.PlatformCloudAPI}
	apiOnly := &cloudapi.Phone{PlatformType: cloudapi.PlatformCloudAPI}
	appOnly := &cloudapi.Phone{IsOnBizApp: true, PlatformType: cloudapi.PlatformNotApplicable}
	nowhere := &cloudapi.Phone{PlatformType: cloudapi.PlatformNotApplicable}
	at := func(h int) time.Time { return t0.Add(time.Duration(h) * time.Hour) }
	off, back := account(webhook.AccountOffboarded, at(2)), account(webhook.AccountReconnected, at(4))
	gone := removedFor("CHANGE_NUMBER", "USER", at(2))
	tests := map[string]struct {
		state coexistence.Number
		phone *cloudapi.Phone
		at    time.Time
		want  coexistence.Stage
	}{
		"connected and is":              {onboarded(), both, at(3), coexistence.StageOnboarded},
		"connected and fell back":       {onboarded(), apiOnly, at(3), coexistence.StageOffboarded},
		"connected and only in the app": {onboarded(), appOnly, at(3), coexistence.StageOffboarded},
		"connected and nowhere":         {onboarded(), nowhere, at(3), coexistence.StageOffboarded},
		"suspended and is back":         {applied(onboarded(), off), both, at(3), coexistence.StageOnboarded},
		"suspended and is away":         {applied(onboarded(), off), appOnly, at(3), coexistence.StageOffboarded},
		"suspended, read before":        {applied(onboarded(), off), both, at(1), coexistence.StageOffboarded},
		"removed but lives":             {applied(onboarded(), gone), both, at(3), coexistence.StageOnboarded},
		"removed but lives, mid-sync":   {applied(asked(onboarded()), gone), both, at(3), coexistence.StageSyncing},
		"removed, read before":          {applied(onboarded(), gone), both, at(1), coexistence.StageRemoved},
		"removed and gone":              {applied(onboarded(), gone), nowhere, at(3), coexistence.StageRemoved},
		"not onboarded": {
			coexistence.Number{PhoneNumberID: phone}, both, at(3), coexistence.StageNone,
		},
		"nothing was read": {applied(onboarded(), off), nil, at(3), coexistence.StageOffboarded},
		"an update that the reading saw": {applied(onboarded().ApplyReading(both, at(3)), off), nil, at(3),
			coexistence.StageOnboarded},
		"a removal the reading saw": {applied(onboarded().ApplyReading(both, at(3)), gone), nil, at(3),
			coexistence.StageOnboarded},
		"an update after the reading": {applied(onboarded().ApplyReading(both, at(1)), off), nil, at(1),
			coexistence.StageOffboarded},
		"away, then an update says back": {applied(onboarded().ApplyReading(appOnly, at(3)), back), nil, at(3),
			coexistence.StageOnboarded},
		"an older reading comes later": {onboarded().ApplyReading(both, at(3)), appOnly, at(2),
			coexistence.StageOnboarded},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, tt.state.ApplyReading(tt.phone, tt.at).Stage)
		})
	}
}

func TestLifecycleUpdatesAskForAReading(t *testing.T) {
	t.Parallel()
	s := onboarded()
	require.False(t, s.NeedsRefresh())
	s = applied(s, account(webhook.AccountOffboarded, t0.Add(time.Hour)))
	require.True(t, s.NeedsRefresh())
	s = s.ApplyReading(&cloudapi.Phone{}, t0.Add(2*time.Hour))
	require.False(t, s.NeedsRefresh())
}

func TestSyncWindowCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := coexistence.Number{Stage: coexistence.StageOnboarded, OnboardedAt: time.Now()}
		time.Sleep(coexistence.SyncWindow - time.Second)
		require.Equal(t, time.Second, s.Remaining(time.Now()))
		require.True(t, s.CanRequestSync(time.Now()))
		require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory}, s.Due(time.Now()))
		require.Equal(t, coexistence.SyncNone, s.HistoryStatus(time.Now()))
		time.Sleep(time.Second)
		require.Zero(t, s.Remaining(time.Now()))
		require.False(t, s.CanRequestSync(time.Now()))
		require.Empty(t, s.Due(time.Now()))
		require.Equal(t, coexistence.SyncExpired, s.HistoryStatus(time.Now()))
		require.Equal(t, coexistence.SyncExpired, s.ContactsStatus(time.Now()))
	})
}

func TestDue(t *testing.T) {
	t.Parallel()
	const contacts, history = cloudapi.SyncContacts, cloudapi.SyncHistory
	half := onboarded()
	half.Contacts.Status, half.Contacts.RequestedAt = coexistence.SyncAccepted, t0
	skipped := half
	skipped.History.Status = coexistence.SyncSkipped
	unknown := half
	unknown.History.Status, unknown.History.RequestedAt = coexistence.SyncUnknown, t0
	tests := map[string]struct {
		state coexistence.Number
		want  []cloudapi.SyncKind
	}{
		"not onboarded":              {coexistence.Number{}, nil},
		"nothing asked":              {onboarded(), []cloudapi.SyncKind{contacts, history}},
		"contacts asked":             {half, []cloudapi.SyncKind{history}},
		"history skipped":            {skipped, nil},
		"history of unknown outcome": {unknown, nil},
		"both asked":                 {asked(onboarded()), nil},
		"a straggler of another cycle": {applied(onboarded(), chunk(0, 1, 100)),
			[]cloudapi.SyncKind{contacts, history}},
		"declined": {applied(onboarded(), declined(2593109)), []cloudapi.SyncKind{contacts}},
		"suspended": {applied(onboarded(), account(webhook.AccountOffboarded, t0.Add(time.Minute))),
			nil},
		"removed": {applied(onboarded(), removedFor("", "", t0.Add(time.Minute))), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, tt.state.Due(t0.Add(time.Hour)))
		})
	}
}

func TestStatusAtAMoment(t *testing.T) {
	t.Parallel()
	at := func(m int) time.Time { return t0.Add(time.Duration(m) * time.Minute) }
	sync := func(status coexistence.SyncStatus, requested, accepted, active int) coexistence.Number {
		s := onboarded()
		s.History.Sync = coexistence.Sync{Status: status, RequestedAt: at(requested), AcceptedAt: at(accepted),
			ActiveAt: at(active)}
		s.Contacts.Sync = s.History.Sync
		return s
	}
	intent := onboarded()
	intent.History.Sync = coexistence.Sync{Status: coexistence.SyncRequested, RequestedAt: at(10)}
	emptyBook := sync(coexistence.SyncAccepted, 1, 1, 1)
	emptyBook.History.Status = coexistence.SyncComplete
	tests := map[string]struct {
		state    coexistence.Number
		now      time.Time
		contacts coexistence.SyncStatus
		history  coexistence.SyncStatus
	}{
		"the call is being made": {intent, at(11), coexistence.SyncNone, coexistence.SyncRequested},
		"whoever made it died":   {intent, at(20), coexistence.SyncNone, coexistence.SyncUnknown},
		"accepted": {sync(coexistence.SyncAccepted, 1, 1, 1), at(60), coexistence.SyncAccepted,
			coexistence.SyncAccepted},
		"accepted, then silence": {sync(coexistence.SyncAccepted, 1, 1, 1), at(61), coexistence.SyncStalled,
			coexistence.SyncStalled},
		"arriving": {sync(coexistence.SyncStreaming, 1, 1, 30), at(35), coexistence.SyncStreaming,
			coexistence.SyncStreaming},
		"contacts quieten": {sync(coexistence.SyncStreaming, 1, 1, 30), at(40), coexistence.SyncComplete,
			coexistence.SyncStreaming},
		"history stops half-way": {sync(coexistence.SyncStreaming, 1, 1, 30), at(90), coexistence.SyncComplete,
			coexistence.SyncStalled},
		"an address book is empty": {emptyBook, at(90), coexistence.SyncComplete, coexistence.SyncComplete},
		"complete": {sync(coexistence.SyncComplete, 1, 1, 30), at(9999), coexistence.SyncComplete,
			coexistence.SyncComplete},
		"declined": {sync(coexistence.SyncDeclined, 1, 1, 30), at(9999), coexistence.SyncDeclined,
			coexistence.SyncDeclined},
		"the outcome is unknown": {sync(coexistence.SyncUnknown, 1, 1, 1), at(9999), coexistence.SyncUnknown,
			coexistence.SyncUnknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.contacts, tt.state.ContactsStatus(tt.now))
			require.Equal(t, tt.history, tt.state.HistoryStatus(tt.now))
		})
	}
}

func TestAStalledSyncHasAChecklist(t *testing.T) {
	t.Parallel()
	s := asked(onboarded())
	require.Empty(t, s.Checklist(t0.Add(time.Minute)))
	list := s.Checklist(t0.Add(2 * time.Hour))
	require.Contains(t, fmt.Sprint(list), "0A1B", "the request id for support")
	require.Contains(t, fmt.Sprint(list), "share its chats")
	require.Empty(t, applied(s, chunk(2, 1, 100)).Checklist(t0.Add(2*time.Hour)))
}

func TestIdleWarning(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	echo := func(at time.Time) webhook.Event {
		return &webhook.BusinessAppEcho{EventInfo: webhook.EventInfo{PhoneNumberID: phone, At: at}}
	}
	tests := map[string]struct {
		state coexistence.Number
		now   time.Time
		want  bool
	}{
		"day 9":              {onboarded(), t0.Add(10*day - time.Second), false},
		"day 10":             {onboarded(), t0.Add(10 * day), true},
		"an echo on day 5":   {applied(onboarded(), echo(t0.Add(5*day))), t0.Add(10 * day), false},
		"and then ten days":  {applied(onboarded(), echo(t0.Add(5*day))), t0.Add(15 * day), true},
		"an old echo, late":  {applied(onboarded(), echo(t0.Add(5*day)), echo(t0)), t0.Add(14 * day), false},
		"removed":            {applied(onboarded(), removedFor("", "", t0.Add(day))), t0.Add(20 * day), false},
		"nothing ever known": {coexistence.Number{Stage: coexistence.StageActive}, t0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, tt.state.IdleWarning(tt.now))
		})
	}
}

func TestEveryStageAndStatusHasAdvice(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range []coexistence.Stage{
		coexistence.StageNone, coexistence.StageOnboarded, coexistence.StageSyncing, coexistence.StageActive,
		coexistence.StageOffboarded, coexistence.StageRemoved, "new",
	} {
		seen[s.Advice()] = true
	}
	require.Len(t, seen, 7)
	clear(seen)
	for _, s := range []coexistence.SyncStatus{
		coexistence.SyncNone, coexistence.SyncSkipped, coexistence.SyncRequested, coexistence.SyncUnknown,
		coexistence.SyncAccepted,
		coexistence.SyncStalled, coexistence.SyncExpired, coexistence.SyncAlreadyRequested, coexistence.SyncDeclined,
		coexistence.SyncFailed,
		coexistence.SyncStreaming, coexistence.SyncComplete, "new",
	} {
		seen[s.Advice()] = true
	}
	require.Len(t, seen, 13)
}

func TestStateSurvivesJSON(t *testing.T) {
	t.Parallel()
	restricted := account(webhook.AccountRestriction, t0)
	restricted.Restrictions = []webhook.RestrictionInfo{{Type: "RESTRICTED_UTILITY_TEMPLATES",
		ExpiresAt: graph.NewTimestamp(t0)}}
	want := applied(asked(onboarded()), chunk(1, 3, 30), restricted,
		removedFor("CHANGE_NUMBER", "USER", t0.Add(time.Hour)))
	b, err := json.Marshal(want)
	require.NoError(t, err)
	var got coexistence.Number
	require.NoError(t, json.Unmarshal(b, &got))
	require.Equal(t, want, got)
}

// A host that was down gets the end of a cycle before it records its beginning.
func TestWhatHappenedAfterASignupHoldsIfTheSignupIsToldLater(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return t0.Add(time.Duration(n) * 24 * time.Hour) }
	removedOnce := applied(onboarded(), removedFor("CHANGE_NUMBER", "USER", day(1)))
	second := cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, OnboardedAt: day(2)}
	tests := map[string]struct {
		events []webhook.Event
		want   coexistence.Stage
	}{
		"nothing": {nil, coexistence.StageOnboarded},
		"removed": {[]webhook.Event{removedFor("BUSINESS_DOWNGRADE", "USER", day(3))},
			coexistence.StageRemoved},
		"removed, silent": {[]webhook.Event{account(webhook.AccountPartnerRemoved, day(3))}, coexistence.StageRemoved},
		"suspended":       {[]webhook.Event{account(webhook.AccountOffboarded, day(3))}, coexistence.StageOffboarded},
		"suspended and back": {
			[]webhook.Event{account(webhook.AccountOffboarded, day(3)),
				account(webhook.AccountReconnected, day(3).Add(-time.Second))},
			coexistence.StageOnboarded,
		},
		"suspended, then removed": {
			[]webhook.Event{account(webhook.AccountOffboarded, day(3)), account(webhook.AccountPartnerRemoved, day(4))},
			coexistence.StageRemoved,
		},
		"a repeat from before": {[]webhook.Event{removedFor("CHANGE_NUMBER", "USER", day(1))},
			coexistence.StageOnboarded},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for before, s := range map[string]coexistence.Number{
				"told late":           applied(removedOnce, tt.events...).Onboard(second),
				"told at once":        applied(removedOnce.Onboard(second), tt.events...),
				"the end was unknown": applied(onboarded(), tt.events...).Onboard(second),
			} {
				t.Run(before, func(t *testing.T) {
					t.Parallel()
					require.Equal(t, tt.want, s.Stage)
					require.Equal(t, 2, s.Cycle)
					require.Equal(t, tt.want.Connected(), s.Remedy() == "")
					require.Equal(t, tt.want.Connected(), s.Disconnection == nil)
					require.Equal(t, len(tt.events) > 0 && name != "a repeat from before", s.NeedsRefresh())
				})
			}
		})
	}
}

// Chunks do not say to which onboarding they belong, and some come days late.
func TestHistoryOfAnEarlierOnboardingIsNotThatOfThisOne(t *testing.T) {
	t.Parallel()
	again := asked(onboarded()).Onboard(cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba},
		OnboardedAt: t0.Add(time.Hour)})
	s := applied(again, chunk(0, 1, 100), declined(2593109))
	require.Equal(t, coexistence.SyncNone, s.HistoryStatus(t0.Add(2*time.Hour)))
	require.Len(t, s.Due(t0.Add(2*time.Hour)), 2)
	require.Equal(t, coexistence.StageOnboarded, s.Stage)
	require.Empty(t, s.History.Phases)
	require.Equal(t, coexistence.SyncComplete, applied(asked(again), chunk(0, 1, 100)).History.Status)
	require.Equal(t, coexistence.SyncComplete, applied(onboarded(), chunk(0, 1, 100)).History.Status,
		"somebody else asked")
}
