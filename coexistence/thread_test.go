package coexistence_test

import (
	"context"
	"errors"
	"fmt"
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

// Bodies about a number with several responders.

func standby(id string, from who, second int, content string) string {
	return body("standby", fmt.Sprintf(`"standby":{"contacts":[{"profile":{"name":"Ada"},%s"x":0}],"messages":[{%s`+
		`"id":%q,"timestamp":%q,%s}]}`,
		from.as("wa_id", "user_id"), from.as("from", "from_user_id"), id, unixSeconds(at(second)), content))
}

func standbyEcho(id string, to who, second int) string {
	return body("standby", fmt.Sprintf(`"standby":{"message_echoes":[{"id":%q,"timestamp":%q,"message":{`+
		`"messaging_product":"whatsapp",%s"type":"text","text":{"body":"Bot here"}}}]}`,
		id, unixSeconds(at(second)), to.as("to", "recipient")))
}

func standbyStatus(id string, to who, second int, code string) string {
	return body("standby", fmt.Sprintf(`"standby":{"statuses":[{%s"id":%q,"timestamp":%q,"status":%q}]}`,
		to.as("recipient_id", "recipient_user_id"), id, unixSeconds(at(second)), code))
}

// handover names the customer by phone number alone, as Meta does. members are those of the object.
func handover(kind string, of who, second int, members string) string {
	sender := ""
	if of.number != "" {
		sender = fmt.Sprintf(`"sender":{"phone_number":%q},`, of.number)
	}
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":`+
		`"messaging_handovers","value":{"messaging_product":"whatsapp",%s"recipient":{"phone_number_id":%q,`+
		`"display_phone_number":%q},"timestamp":%q,"type":%q,%q:{%s}}}]}]}`,
		waba, sender, phone, display, unixSeconds(at(second)), kind, kind, members)
}

func refusal(id string, to who, second int) string {
	return body("messages", fmt.Sprintf(`"statuses":[{%s"id":%q,"timestamp":%q,"status":"failed","errors":[{`+
		`"code":131070,"title":"Thread owned by another responder"}]}]`,
		to.as("recipient_id", "recipient_user_id"), id, unixSeconds(at(second))))
}

func preference(of who, second int, value string) string {
	return body("user_preferences", fmt.Sprintf(`"user_preferences":[{%s"timestamp":%q,"category":`+
		`"marketing_messages","value":%q}]`, of.as("wa_id", "user_id"), unixSeconds(at(second)), value))
}

const callPermission = `"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{` +
	`"response":"accept"}}`

// day is a day later, in seconds.
const day = 24 * 60 * 60

// Each row of the rule's table: what moves a conversation between responders, in every order and
// with repeats.
func TestEveryRowOfTheRule(t *testing.T) {
	t.Parallel()
	us, other, idle := coexistence.OwnerUs, coexistence.OwnerOther, coexistence.OwnerIdle
	passed := handover("control_passed", ada, 20, `"new_owner_role":"escalation"`)
	taken := handover("control_taken", ada, 20, `"new_owner_role":"escalation"`)
	hi := text("hi")
	tests := map[string]struct {
		bodies   []string
		after    int // seconds, at which is asked
		owner    coexistence.ThreadOwner
		role     graph.HandoverRole
		customer int // second of the customer's last message, -1 for none
	}{
		"1 a message is a claim": {
			[]string{standby("wamid.1", ada, 5, hi), inbound("wamid.2", ada, 10, hi)}, 30, us, "", 10,
		},
		"1 a message keeps the role": {
			[]string{passed, inbound("wamid.2", ada, 25, hi)}, 30, us, graph.RoleEscalation, 25,
		},
		"1a an answer to a call request is none": {
			[]string{standby("wamid.1", ada, 5, hi), inbound("wamid.2", ada, 10, callPermission)}, 30, other, "", 5,
		},
		"1b one responder": {[]string{inbound("wamid.1", ada, 10, hi)}, 30, coexistence.OwnerUnknown, "", 10},
		"1b one responder, a week later": {
			[]string{inbound("wamid.1", ada, 10, hi)}, 7 * day, coexistence.OwnerUnknown, "", 10,
		},
		"2 a standby message": {
			[]string{inbound("wamid.1", ada, 5, hi), standby("wamid.2", ada, 10, hi)}, 30, other, "", 10,
		},
		"3 a standby echo moves no customer time": {
			[]string{inbound("wamid.1", ada, 5, hi), standbyEcho("wamid.2", ada, 10)}, 30, other, "", 5,
		},
		"4 a standby status": {
			[]string{standby("wamid.1", ada, 5, hi), standbyStatus("wamid.2", ada, 10, "read")}, 30, other, "", 5,
		},
		"5 control passed opens no window": {
			[]string{inbound("wamid.1", ada, 5, hi), standby("wamid.2", ada, 10, hi), passed}, 30, us,
			graph.RoleEscalation, 10,
		},
		"6 control taken": {
			[]string{inbound("wamid.1", ada, 5, hi), taken}, 30, other, graph.RoleEscalation, 5,
		},
		"7 a handover of an unknown kind": {
			[]string{standby("wamid.1", ada, 5, hi), handover("control_lent", ada, 20, "")}, 30, other, "", 5,
		},
		"7 a handover without a customer": {
			[]string{
				standby("wamid.1", ada, 5, hi), handover("control_passed", who{}, 20, `"new_owner_role":"escalation"`),
			}, 30, other, "", 5,
		},
		"8 a refusal": {
			[]string{inbound("wamid.1", ada, 5, hi), refusal("wamid.2", ada, 10)}, 30, other, "", 5,
		},
		"8 a message after it": {
			[]string{refusal("wamid.2", ada, 10), inbound("wamid.1", ada, 15, hi)}, 30, us, "", 15,
		},
		"13 a day without the customer": {
			[]string{standby("wamid.1", ada, 5, hi), inbound("wamid.2", ada, 10, hi)}, day + 10, idle, "", 10,
		},
		"13 not a second earlier": {
			[]string{standby("wamid.1", ada, 5, hi), inbound("wamid.2", ada, 10, hi)}, day + 9, us, "", 10,
		},
		"14 an echo of the phone": {
			[]string{standby("wamid.1", ada, 5, hi), echo("wamid.2", ada, 10, hi)}, 30, other, "", 5,
		},
		"14 history": {
			[]string{standby("wamid.1", ada, 5, hi), history(0, 1, 50, ada, past("wamid.2", ada, 10, hi))},
			30, other, "", 5,
		},
		"same second: handover and copy": {
			[]string{standby("wamid.1", ada, 20, hi), passed}, 30, us, graph.RoleEscalation, 20,
		},
		"same second: taken and message": {
			[]string{inbound("wamid.1", ada, 20, hi), taken}, 30, other, graph.RoleEscalation, 20,
		},
		"same second: message and copy": {
			[]string{standby("wamid.1", ada, 20, hi), inbound("wamid.2", ada, 20, hi)}, 30, us, "", 20,
		},
		"the same message as copy and as message": {
			[]string{standby("wamid.1", ada, 20, hi), inbound("wamid.1", ada, 20, hi)}, 30, us, "", 20,
		},
		"passed by number, written by user id": {
			[]string{inbound("wamid.1", ada, 5, hi), standby("wamid.2", adaUser, 10, hi), passed}, 30, us,
			graph.RoleEscalation, 10,
		},
		"a handover of another person": {
			[]string{standby("wamid.1", grace, 5, hi), standby("wamid.2", ada, 10, hi),
				handover("control_passed", grace, 20, "")}, 30, other, "", 10,
		},
		"in a group there is no owner": {
			[]string{standby("wamid.0", grace, 1, hi), inGroup("wamid.1", ada, 5, hi)},
			30, coexistence.OwnerUnknown, "", -1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, order := range everyOrder(len(tt.bodies)) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(at(30)))
					store := new(coexistence.MemStore)
					tracker := following(t, store)
					for _, i := range order {
						for _, ev := range decode(t, tt.bodies[i]) {
							require.NoError(t, tracker.Handle(t.Context(), ev))
						}
					}
					time.Sleep(time.Until(at(tt.after)))
					thread, err := tracker.Thread(t.Context(), phone, ada.number)
					require.NoError(t, err)
					require.Equal(t, tt.owner, thread.Owner, "%v", order)
					require.Equal(t, tt.role, thread.Role, "%v", order)
					if tt.customer < 0 {
						require.Zero(t, thread.CustomerAt)
					} else {
						require.Equal(t, at(tt.customer), thread.CustomerAt, "%v", order)
					}
				})
			}
		})
	}
}

// everyOrder returns every order of n things, each with its first repeated at the end.
func everyOrder(n int) (all [][]int) {
	if n == 1 {
		return [][]int{{0, 0}}
	}
	var fill func(order []int)
	fill = func(order []int) {
		if len(order) == n {
			all = append(all, append(append([]int(nil), order...), order[0]))
			return
		}
	next:
		for i := range n {
			for _, j := range order {
				if i == j {
					continue next
				}
			}
			fill(append(order, i))
		}
	}
	fill(nil)
	return all
}

// following returns a tracker of the number, which was onboarded a day before t0.
func following(t *testing.T, store coexistence.Store) *coexistence.Tracker {
	t.Helper()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	require.NoError(t, tracker.Onboard(t.Context(), cloudapi.Onboarding{
		PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, DisplayPhoneNumber: display, OnboardedAt: at(-day),
	}))
	return tracker
}

// follows hands bodies to a tracker and returns it, at a moment some seconds after t0.
func follows(t *testing.T, second int, bodies ...string) *coexistence.Tracker {
	t.Helper()
	time.Sleep(time.Until(at(second)))
	tracker := following(t, new(coexistence.MemStore))
	for _, b := range bodies {
		for _, ev := range decode(t, b) {
			require.NoError(t, tracker.Handle(t.Context(), ev))
		}
	}
	return tracker
}

func thread(t *testing.T, tracker *coexistence.Tracker, of who) coexistence.Thread {
	t.Helper()
	got, err := tracker.Thread(t.Context(), phone, of.number)
	require.NoError(t, err)
	return got
}

func TestAStandbyStatusAloneSaysNothingOfAConversation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracker := follows(t, 30, standbyStatus("wamid.2", ada, 10, "read"))
		require.Equal(t, coexistence.OwnerUnknown, thread(t, tracker, ada).Owner)
		n, err := tracker.Store().Number(t.Context(), phone)
		require.NoError(t, err)
		require.False(t, n.OtherResponderAt.IsZero(), "the number has another responder")
	})
}

func TestAnEventOlderThanADayMovesNothingButTheTimeline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracker := follows(t, 2*day, standby("wamid.1", ada, 5, text("hi")))
		require.Equal(t, coexistence.OwnerUnknown, thread(t, tracker, ada).Owner)
		m := message(t, tracker.Store(), "wamid.1")
		require.True(t, m.Visible())
		require.Equal(t, coexistence.OriginOther, m.Origin)
	})
}

// Rows 9, 9a and 15, and 8 on a conversation that is idle.
func TestOurOwnMessagesProveWhoseTheConversationIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracker := follows(t, 30, standby("wamid.1", ada, 5, text("hi")))
		record := func(id graph.MessageID, c cloudapi.Content) {
			require.NoError(t, tracker.RecordSent(t.Context(), phone, &cloudapi.SentMessage{
				ID: id, To: cloudapi.SentContact{WAID: ada.number},
			}, cloudapi.Message{To: cloudapi.ToPhone(ada.number), Content: c}))
		}
		record("wamid.3", &cloudapi.Template{Name: "news", Language: "en_US"})
		require.Equal(t, coexistence.OwnerOther, thread(t, tracker, ada).Owner, "a template needs no ownership")
		record("wamid.4", &cloudapi.Text{Body: "hello"})
		require.Equal(t, coexistence.OwnerUs, thread(t, tracker, ada).Owner)

		time.Sleep(time.Minute)
		hello := cloudapi.Message{To: cloudapi.ToPhone(ada.number), Content: &cloudapi.Text{Body: "hello"}}
		require.NoError(t, tracker.RecordRefused(t.Context(), phone, hello, errors.New("another error")))
		require.Equal(t, coexistence.OwnerUs, thread(t, tracker, ada).Owner)
		require.NoError(t, tracker.RecordRefused(t.Context(), phone, hello, graph.CodeThreadOwnedByOther))
		require.Equal(t, coexistence.OwnerOther, thread(t, tracker, ada).Owner)

		time.Sleep(24 * time.Hour)
		require.NoError(t, tracker.RecordRefused(t.Context(), phone, hello, graph.CodeThreadOwnedByOther))
		time.Sleep(time.Second)
		require.NotEqual(t, coexistence.OwnerUs, thread(t, tracker, ada).Owner)

		for _, ev := range decode(t, accountUpdate("ACCOUNT_OFFBOARDED", day+3600, "")) {
			require.NoError(t, tracker.Handle(t.Context(), ev))
		}
		require.Equal(t, coexistence.OwnerUnknown, thread(t, tracker, ada).Owner, "what was before is forgotten")
	})
}

func TestAnotherRespondersMessagesAreOnTheTimeline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracker := follows(t, 30, standby("wamid.1", ada, 5, text("hi")), standbyEcho("wamid.2", ada, 10),
			standbyStatus("wamid.2", ada, 11, "read"))
		in, out := message(t, tracker.Store(), "wamid.1"), message(t, tracker.Store(), "wamid.2")
		require.False(t, in.Outbound)
		require.False(t, in.Answerable())
		require.True(t, out.Outbound)
		require.Equal(t, "Bot here", out.Text)
		require.Equal(t, webhook.StatusRead, out.Status)
		for _, m := range []coexistence.Message{in, out} {
			require.Equal(t, coexistence.OriginOther, m.Origin)
			require.Zero(t, m.HumanAt(), "it is no person of ours")
		}
		chat, err := tracker.Store().Conversation(t.Context(), phone, ada.number)
		require.NoError(t, err)
		require.Equal(t, 2, chat.MessageCount)
		require.Zero(t, chat.CustomerAt, "it was not written to us")

		// The same message may come as both after a race: then it was written to us.
		for _, ev := range decode(t, inbound("wamid.1", ada, 5, text("hi"))) {
			require.NoError(t, tracker.Handle(t.Context(), ev))
		}
		require.True(t, message(t, tracker.Store(), "wamid.1").Answerable())
	})
}

// Rows 10 to 12a: no webhook tells of our own calls, so their answers are booked.
func TestOurOwnHandoversAreBookedFromTheAnswers(t *testing.T) {
	t.Parallel()
	customer := cloudapi.ThreadParams{To: cloudapi.ToPhone(ada.number)}
	type tracker = *coexistence.Tracker
	tests := map[string]struct {
		call  func(tracker) error
		fault *cloudapitest.Fault
		owner coexistence.ThreadOwner
		role  graph.HandoverRole
		doubt bool
	}{
		"pass": {func(t tracker) error {
			_, err := t.Pass(context.Background(), phone, graph.RoleAIAgent, customer)
			return err
		}, nil, coexistence.OwnerOther, graph.RoleAIAgent, false},
		"pass to whoever escalates": {func(t tracker) error {
			_, err := t.Pass(context.Background(), phone, "", customer)
			return err
		}, nil, coexistence.OwnerOther, graph.RoleEscalation, false},
		"release": {func(t tracker) error {
			_, err := t.Release(context.Background(), phone, customer)
			return err
		}, nil, coexistence.OwnerIdle, "", false},
		"take": {func(t tracker) error {
			_, err := t.Take(context.Background(), phone, customer)
			return err
		}, nil, coexistence.OwnerUs, graph.RoleEscalation, false},
		"a take that is refused": {func(t tracker) error {
			_, err := t.Take(context.Background(), phone, customer)
			return err
		}, &cloudapitest.Fault{Code: graph.CodeInvalidParameter}, coexistence.OwnerUs, "", false},
		"an answer that is lost": {func(t tracker) error {
			_, err := t.Release(context.Background(), phone, customer)
			return err
		}, &cloudapitest.Fault{Drop: true}, coexistence.OwnerUs, "", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSyncBench(t)
			d.srv.SetRouting(phone, cloudapitest.Routing{
				On: true, Escalation: tt.owner == coexistence.OwnerUs && tt.role != "",
				Roles: []graph.HandoverRole{graph.RoleAIAgent, graph.RoleEscalation},
			})
			d.srv.SetThread(phone, graph.Identity{WAID: ada.number}, cloudapitest.OwnerUs)
			for _, ev := range decode(t, standby("wamid.1", ada, 0, text("hi"))) {
				ev.(*webhook.StandbyMessage).At = time.Now().Truncate(time.Second)
				require.NoError(t, d.tracker.Handle(t.Context(), ev))
			}
			for _, ev := range decode(t, inbound("wamid.2", ada, 0, text("hi"))) {
				ev.(*webhook.IncomingMessage).At = time.Now().Truncate(time.Second)
				require.NoError(t, d.tracker.Handle(t.Context(), ev))
			}
			require.Equal(t, coexistence.OwnerUs, thread(t, d.tracker, ada).Owner)
			if tt.fault != nil {
				tt.fault.On = "POST /{phone-number-id}/thread_control"
				d.srv.Inject(*tt.fault)
			}
			err := tt.call(d.tracker)
			require.Equal(t, tt.fault != nil, err != nil, "%v", err)
			require.Equal(t, err != nil, webhook.IsPermanent(err), "never repeated by itself")
			got := thread(t, d.tracker, ada)
			require.Equal(t, tt.owner, got.Owner)
			require.Equal(t, tt.role, got.Role)
			require.Equal(t, tt.doubt, got.Doubt)
		})
	}
}
