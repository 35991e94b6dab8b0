package coexistence_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// Each reason, and until when it holds. The event that is asked about is the last of the bodies.
func TestMayAnswer(t *testing.T) {
	t.Parallel()
	hi := inbound("wamid.9", ada, 100, text("hi"))
	tests := map[string]struct {
		before []string // handled before the event
		later  []string // and after it
		body   string
		now    int
		reason coexistence.AnswerReason
		until  time.Time
	}{
		"the usual case": {nil, nil, hi, 110, "", at(100 + 3600)},
		"a standby copy": {
			nil, nil, standby("wamid.9", ada, 100, text("hi")),
			110, coexistence.AnswerStandby, time.Time{},
		},
		"what another answered": {
			nil, nil, standbyEcho("wamid.9", ada, 100),
			110, coexistence.AnswerStandby, time.Time{},
		},
		"what the owner wrote": {
			nil, nil, echo("wamid.9", ada, 100, text("hi")),
			110, coexistence.AnswerKind, time.Time{},
		},
		"an answer about calls": {
			nil, nil, inbound("wamid.9", ada, 100, callPermission),
			110, coexistence.AnswerKind, time.Time{},
		},
		"a handover": {
			nil, nil, handover("control_passed", ada, 100, ""),
			110, coexistence.AnswerKind, time.Time{},
		},
		"a group": {
			nil, nil, inGroup("wamid.9", ada, 100, text("hi")),
			110, coexistence.AnswerKind, time.Time{},
		},
		"a message that is deleted": {
			nil, []string{inbound("wamid.10", ada, 105,
				`"type":"revoke","revoke":{"original_message_id":"wamid.9"}`)}, hi,
			110, coexistence.AnswerKind, time.Time{},
		},
		"a message that is old": {nil, nil, hi, 100 + 3600, coexistence.AnswerTooOld, time.Time{}},
		"a number that left": {
			nil, []string{accountUpdate("ACCOUNT_OFFBOARDED", 105, "")}, hi,
			110, coexistence.AnswerOffboarded, time.Time{},
		},
		"taken meanwhile": {
			nil, []string{handover("control_taken", ada, 105, "")}, hi,
			110, coexistence.AnswerOtherResponder, at(105 + day),
		},
		"refused meanwhile": {
			nil, []string{refusal("wamid.10", ada, 105)}, hi,
			110, coexistence.AnswerOtherResponder, at(105 + day),
		},
		"back to us": {
			[]string{standby("wamid.1", ada, 50, text("hi"))}, nil, hi,
			110, "", at(100 + 3600),
		},
		"a person is at it": {
			[]string{echo("wamid.1", ada, 50, text("hi"))}, nil, hi,
			110, coexistence.AnswerPersonActive, at(50 + 3600),
		},
		"a person came after it": {
			nil, []string{echo("wamid.1", ada, 105, text("hi"))}, hi,
			110, coexistence.AnswerPersonActive, at(105 + 3600),
		},
		"a person and another": {
			[]string{echo("wamid.1", ada, 50, text("hi"))}, []string{handover("control_taken", ada, 105, "")}, hi, 110,
			coexistence.AnswerOtherResponder, at(105 + day),
		},
		"stopped after it": {
			nil, []string{preference(ada, 105, "stop")}, hi,
			110, coexistence.AnswerStopped, time.Time{},
		},
		"stopped before it": {[]string{preference(ada, 50, "stop")}, nil, hi, 110, "", at(100 + 3600)},
		"stopped and resumed": {
			nil, []string{preference(ada, 105, "stop"), preference(ada, 106, "resume")}, hi,
			110, "", at(100 + 3600),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tracker := follows(t, 110, append(append(tt.before, tt.body), tt.later...)...)
				time.Sleep(time.Until(at(tt.now)))
				may, err := tracker.MayAnswer(t.Context(), decode(t, tt.body)[0])
				require.NoError(t, err)
				require.Equal(t, tt.reason, may.Reason)
				require.Equal(t, tt.reason == "", may.Allowed)
				require.True(t, tt.until.Equal(may.Until), "%s, not %s", tt.until, may.Until)
				require.NotEmpty(t, may.String())
				require.NotContains(t, may.String(), ada.number)
			})
		})
	}
}

func TestAPauseHoldsUntilItEndsOrTheHostResumes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hi := inbound("wamid.9", ada, 100, text("hi"))
		tracker := follows(t, 110, hi)
		ask := func() coexistence.Answer {
			may, err := tracker.MayAnswer(t.Context(), decode(t, hi)[0])
			require.NoError(t, err)
			return may
		}
		require.True(t, ask().Allowed)
		until := time.Now().Add(10 * time.Minute)
		require.NoError(t, tracker.Pause(t.Context(), phone, ada.number, coexistence.Pause{
			By: "Grace", Reason: "a refund", Until: until,
		}))
		may := ask()
		require.Equal(t, coexistence.AnswerPaused, may.Reason)
		require.True(t, until.Equal(may.Until))
		require.Equal(t, "Grace", may.Thread.Pause.By)
		require.Equal(t, "a refund", may.Thread.Pause.Reason)
		require.NoError(t, tracker.RecordSent(t.Context(), phone, &cloudapi.SentMessage{
			ID: "wamid.10", To: cloudapi.SentContact{WAID: ada.number},
		}, cloudapi.Message{Content: &cloudapi.Text{Body: "from the bot"}}))
		time.Sleep(time.Until(until))
		require.True(t, ask().Allowed, "the pause has ended, and the bot's own message paused nothing")

		require.NoError(t, tracker.Pause(t.Context(), phone, "US.1001", coexistence.Pause{}))
		require.Equal(t, coexistence.AnswerPaused, ask().Reason, "under any alias")
		require.NoError(t, tracker.Resume(t.Context(), phone, ada.number))
		require.True(t, ask().Allowed)

		time.Sleep(time.Minute)
		for _, ev := range decode(t, echo("wamid.11", ada, 760, text("hi"))) {
			require.NoError(t, tracker.Handle(t.Context(), ev))
		}
		require.Equal(t, coexistence.AnswerPersonActive, ask().Reason)
		require.NoError(t, tracker.Resume(t.Context(), phone, ada.number))
		require.True(t, ask().Allowed, "the person has said so")
	})
}

func TestMaySend(t *testing.T) {
	t.Parallel()
	hello := cloudapi.Message{To: cloudapi.ToPhone(ada.number), Content: &cloudapi.Text{Body: "hello"}}
	news := cloudapi.Message{To: hello.To, Content: &cloudapi.Template{Name: "news", Language: "en_US"}}
	code, talk := hello, hello
	code.Direct = &cloudapi.DirectSend{Category: cloudapi.DirectAuthentication}
	talk.Direct = &cloudapi.DirectSend{Category: cloudapi.DirectService}
	tests := map[string]struct {
		bodies []string
		now    int
		reason coexistence.AnswerReason // of a service message
	}{
		"nothing is known":   {nil, 110, ""},
		"the window is open": {[]string{inbound("wamid.1", ada, 100, text("hi"))}, 110, ""},
		"the window is closed": {
			[]string{inbound("wamid.1", ada, 100, text("hi"))},
			100 + day, coexistence.AnswerWindowClosed,
		},
		"another responder": {
			[]string{standby("wamid.1", ada, 100, text("hi"))},
			110, coexistence.AnswerOtherResponder,
		},
		"idle": {[]string{standby("wamid.1", ada, 100, text("hi"))}, 100 + day, coexistence.AnswerIdle},
		"a person is at it": {
			[]string{echo("wamid.1", ada, 100, text("hi"))}, 110, coexistence.AnswerPersonActive,
		},
		"passed, and the window may have been opened unseen": {
			[]string{handover("control_passed", ada, 105, "")}, 110, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tracker := follows(t, 110, tt.bodies...)
				time.Sleep(time.Until(at(tt.now)))
				for _, m := range []cloudapi.Message{hello, talk, news, code} {
					may, err := tracker.MaySend(t.Context(), phone, ada.number, m)
					require.NoError(t, err)
					service := m.Content == hello.Content && (m.Direct == nil || m.Direct == talk.Direct)
					require.Equal(t, !service || tt.reason == "", may.Allowed)
					if service {
						require.Equal(t, tt.reason, may.Reason)
					}
				}
				byPerson := hello
				byPerson.ByPerson = true
				may, err := tracker.MaySend(t.Context(), phone, ada.number, byPerson)
				require.NoError(t, err)
				require.Equal(t, tt.reason == "" || tt.reason == coexistence.AnswerPersonActive, may.Allowed,
					"no one keeps a person from it")
			})
		})
	}
}
