package coexistence_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// optedOut is the status of a message that the customer had stopped.
func optedOut(id string, to who, second int) string {
	return strings.ReplaceAll(refusal(id, to, second), "131070", "131050")
}

// listens returns a tracker with words of the host's that has handled bodies, at 110 seconds.
func listens(t *testing.T, bodies ...string) *coexistence.Tracker {
	t.Helper()
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: new(coexistence.MemStore), StopWords: []string{"Stop", "PARAR"}, ResumeWords: []string{"Start"},
	})
	require.NoError(t, err)
	time.Sleep(time.Until(at(110)))
	for _, b := range bodies {
		for _, ev := range decode(t, b) {
			require.NoError(t, tracker.Handle(t.Context(), ev))
		}
	}
	return tracker
}

// What stops marketing messages and what resumes them, in both orders of arrival.
func TestAStopHoldsUntilTheCustomerResumes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		bodies []string
		second int // of the stop; 0 for none
		by     coexistence.StopSource
	}{
		"nothing":            {nil, 0, ""},
		"set in WhatsApp":    {[]string{preference(ada, 50, "stop")}, 50, coexistence.StopByPreference},
		"an unknown setting": {[]string{preference(ada, 50, "signup")}, 0, ""},
		"taken back":         {[]string{preference(ada, 50, "stop"), preference(ada, 60, "resume")}, 0, ""},
		"both in a second": {
			[]string{preference(ada, 50, "stop"), preference(ada, 50, "resume")}, 50, coexistence.StopByPreference,
		},
		"a word": {[]string{inbound("wamid.1", ada, 50, text("stop!"))}, 50, coexistence.StopByWord},
		"a word on a button": {
			[]string{inbound("wamid.1", ada, 50, `"type":"button","button":{"payload":"x","text":"Parar"}`)},
			50, coexistence.StopByWord,
		},
		"a word to another responder": {
			[]string{standby("wamid.1", ada, 50, text(" STOP "))}, 50, coexistence.StopByWord,
		},
		"a word among others":      {[]string{inbound("wamid.1", ada, 50, text("do not stop"))}, 0, ""},
		"a word in a group":        {[]string{inGroup("wamid.1", ada, 50, text("stop"))}, 0, ""},
		"what the business writes": {[]string{echo("wamid.1", ada, 50, text("stop"))}, 0, ""},
		"resumed with a word": {
			[]string{preference(ada, 50, "stop"), inbound("wamid.1", ada, 60, text("START"))}, 0, "",
		},
		"refused by Meta": {[]string{optedOut("wamid.1", ada, 50)}, 50, coexistence.StopByRefusal},
		"refused after a word": {
			[]string{inbound("wamid.1", ada, 40, text("stop")), optedOut("wamid.2", ada, 50)},
			40, coexistence.StopByWord,
		},
		"refused after a resumption": {
			[]string{
				preference(ada, 30, "stop"), inbound("wamid.1", ada, 40, text("start")), optedOut("wamid.2", ada, 50),
			}, 50, coexistence.StopByRefusal,
		},
		"resumed after a refusal": {[]string{optedOut("wamid.1", ada, 50), preference(ada, 60, "resume")}, 0, ""},
		"another person":          {[]string{preference(who{number: "15550100999"}, 50, "stop")}, 0, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				bodies := slices.Concat(tt.bodies, tt.bodies)
				for range 2 {
					thread, err := listens(t, bodies...).Thread(t.Context(), phone, ada.number)
					require.NoError(t, err)
					require.Equal(t, tt.by, thread.StoppedBy)
					require.Equal(t, tt.by == "", thread.StoppedAt.IsZero())
					if tt.by != "" {
						require.True(t, at(tt.second).Equal(thread.StoppedAt), "%s", thread.StoppedAt)
					}
					slices.Reverse(bodies)
				}
			})
		})
	}
}

func TestNoMarketingIsSentToThoseWhoStoppedIt(t *testing.T) {
	t.Parallel()
	to := cloudapi.ToPhone(ada.number)
	template := func(name string, p cloudapi.Priority) cloudapi.Message {
		return cloudapi.Message{To: to, Priority: p, Content: &cloudapi.Template{Name: name, Language: "en_US"}}
	}
	hello := &cloudapi.Text{Body: "hello"}
	tests := map[string]struct {
		m       cloudapi.Message
		allowed bool
	}{
		"a marketing template":         {template("news", cloudapi.PriorityReply), false},
		"a code for a sign-in":         {template("code", cloudapi.PriorityReply), true},
		"a receipt in a campaign":      {template("code", cloudapi.PriorityCampaign), true},
		"a template that is not known": {template("other", cloudapi.PriorityReply), true},
		"an unknown one of a campaign": {template("other", cloudapi.PriorityCampaign), false},
		"an answer":                    {cloudapi.Message{To: to, Content: hello}, true},
		"a text of a campaign": {
			cloudapi.Message{To: to, Content: hello, Priority: cloudapi.PriorityCampaign}, false,
		},
		"a direct receipt of a campaign": {
			cloudapi.Message{
				To: to, Content: hello, Priority: cloudapi.PriorityCampaign,
				Direct: &cloudapi.DirectSend{Category: cloudapi.DirectUtility},
			}, true,
		},
		"a group": {
			cloudapi.Message{To: cloudapi.ToGroup("g1"), Content: hello, Priority: cloudapi.PriorityCampaign}, true,
		},
	}
	categories := map[string]graph.TemplateCategory{
		"news": graph.TemplateMarketing, "code": graph.TemplateAuthentication,
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tracker, err := coexistence.NewTracker(coexistence.Config{
					Store: new(coexistence.MemStore),
					TemplateCategory: func(
						_ context.Context, _ graph.PhoneNumberID, t *cloudapi.Template,
					) (graph.TemplateCategory, error) {
						return categories[t.Name], nil
					},
				})
				require.NoError(t, err)
				time.Sleep(time.Until(at(110)))
				for _, ev := range decode(t, inbound("wamid.1", ada, 100, text("hi"))) {
					require.NoError(t, tracker.Handle(t.Context(), ev))
				}
				require.NoError(t, tracker.StopMarketing(t.Context(), phone, ada.number))
				may, err := tracker.MaySend(t.Context(), phone, ada.number, tt.m)
				require.NoError(t, err)
				require.Equal(t, tt.allowed, may.Allowed)
				if !tt.allowed {
					require.Equal(t, coexistence.AnswerStopped, may.Reason)
				}
				require.Equal(t, coexistence.StopByHost, may.Thread.StoppedBy)
				time.Sleep(time.Second)
				require.NoError(t, tracker.ResumeMarketing(t.Context(), phone, ada.number))
				may, err = tracker.MaySend(t.Context(), phone, ada.number, tt.m)
				require.NoError(t, err)
				require.True(t, may.Allowed)
			})
		})
	}
}

// A refusal proves a stop, and not that it came after what the customer wrote.
func TestAMessageIsAnsweredThoughMarketingIsRefusedAfterIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hi := inbound("wamid.1", ada, 100, text("hi"))
		tracker := listens(t, hi)
		news := cloudapi.Message{To: cloudapi.ToPhone(ada.number), Content: &cloudapi.Template{Name: "news"}}
		require.NoError(t, tracker.RecordRefused(t.Context(), phone, news,
			fmt.Errorf("send: %w", graph.CodeUserStoppedMarketing)))
		may, err := tracker.MayAnswer(t.Context(), decode(t, hi)[0])
		require.NoError(t, err)
		require.True(t, may.Allowed)
		require.Equal(t, coexistence.StopByRefusal, may.Thread.StoppedBy)
	})
}

func TestAStopIsForgottenWithThePersonAndNotWithWhatIsOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracker := listens(t, inbound("wamid.1", ada, 50, text("stop")), preference(ada, 60, "stop"))
		store, ok := tracker.Store().(coexistence.Forgetter)
		require.True(t, ok)
		stopped := func() bool {
			thread, err := tracker.Thread(t.Context(), phone, ada.number)
			require.NoError(t, err)
			return !thread.StoppedAt.IsZero()
		}
		old := coexistence.ForgetRequest{PhoneNumberID: phone, Before: at(100)}
		require.NoError(t, store.Forget(t.Context(), old))
		require.True(t, stopped())
		var out bytes.Buffer
		require.NoError(t, coexistence.Export(t.Context(), store, phone, ada.number, &out))
		require.Contains(t, out.String(), `"stopped_by":"preference"`)

		person := coexistence.ForgetRequest{PhoneNumberID: phone, Person: ada.number}
		require.NoError(t, store.Forget(t.Context(), person))
		require.False(t, stopped())
		require.ErrorIs(t, coexistence.Export(t.Context(), store, phone, ada.number, &out), coexistence.ErrNotFound)
	})
}
