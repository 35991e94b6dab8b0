package coexistence_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Each scenario is delivered in every possible order, and once more with everything twice.
func TestMessagesEndTheSameInEveryOrder(t *testing.T) {
	t.Parallel()
	revoke, edit := fmt.Sprintf(revokeOf, "wamid.1"), fmt.Sprintf(editOf, "wamid.1", text("corrected"))
	react := func(emoji string) string { return fmt.Sprintf(reactionTo, "wamid.1", emoji) }
	tests := map[string]struct {
		bodies []string
		check  func(*testing.T, coexistence.Message)
	}{
		"a customer's message, edited twice": {
			[]string{
				inbound("wamid.1", ada, 1, text("frist")), inbound("wamid.2", ada, 2, edit),
				inbound("wamid.3", ada, 3, fmt.Sprintf(editOf, "wamid.1", text("right"))),
			},
			func(t *testing.T, m coexistence.Message) {
				require.Equal(t, "right", m.Text)
				require.Equal(t, "frist", m.Original.Text)
				require.True(t, m.Edited())
				require.Equal(t, at(3), m.EditedAt)
				require.Equal(t, at(1), m.At)
				require.Equal(t, coexistence.OriginCustomer, m.Origin)
				require.True(t, m.Answerable())
			},
		},
		"a caption, edited": {
			[]string{
				echo("wamid.1", ada, 1, image("3001", "old")),
				echo("wamid.2", ada, 2, fmt.Sprintf(editOf, "wamid.1", image("3002", "new"))),
			},
			func(t *testing.T, m coexistence.Message) {
				require.Equal(t, "new", m.Text)
				require.Equal(t, graph.MediaID("3002"), m.Media.ID)
				require.Equal(t, graph.MediaID("3001"), m.Original.Media.ID)
				require.Equal(t, coexistence.OriginApp, m.Origin)
				require.Equal(t, at(2), m.HumanAt())
			},
		},
		"a customer's message, revoked": {
			[]string{inbound("wamid.1", ada, 1, text("oops")), inbound("wamid.2", ada, 2, revoke)},
			func(t *testing.T, m coexistence.Message) {
				require.True(t, m.Revoked())
				require.Equal(t, at(2), m.RevokedAt)
				require.Equal(t, "oops", m.Text)
				require.False(t, m.Answerable())
			},
		},
		"edited and then revoked from the app": {
			[]string{echo("wamid.1", ada, 1, text("a")), echo("wamid.2", ada, 2, edit),
				echo("wamid.3", ada, 3, revoke)},
			func(t *testing.T, m coexistence.Message) {
				require.True(t, m.Revoked())
				require.Equal(t, "corrected", m.Text)
				require.Equal(t, at(3), m.HumanAt())
			},
		},
		"reactions of both sides, changed and taken away": {
			[]string{
				inbound("wamid.1", ada, 1, text("hi")), echo("wamid.2", ada, 2, react("A")),
				echo("wamid.3", ada, 3, react("B")),
				inbound("wamid.4", adaUser, 4, react("C")), inbound("wamid.5", adaNumber, 5, react("")),
			},
			func(t *testing.T, m coexistence.Message) {
				require.Equal(t, []coexistence.Reaction{
					{Emoji: "", At: at(5), ID: "wamid.5"}, {Outbound: true, Emoji: "B", At: at(3), ID: "wamid.3"},
				}, m.Reactions)
				require.Equal(t, at(3), m.HumanAt())
				require.Equal(t, "hi", m.Text)
			},
		},
		"statuses of an echo, and of nothing we know": {
			[]string{
				status("wamid.1", ada, 2, "sent"), status("wamid.1", ada, 3, "delivered"),
				status("wamid.1", ada, 4, "read"),
				echo("wamid.1", ada, 1, text("hi")),
			},
			func(t *testing.T, m coexistence.Message) {
				require.Equal(t, webhook.StatusRead, m.Status)
				require.Len(t, m.Receipts, 3)
				require.Equal(t, at(1), m.At)
				require.Equal(t, coexistence.OriginApp, m.Origin)
			},
		},
		"a failure after delivery, unknown statuses": {
			[]string{
				status("wamid.1", ada, 2, "sent"), status("wamid.1", ada, 3, "failed"),
				status("wamid.1", ada, 3, "delivered"),
				status("wamid.1", ada, 4, "pondered"), status("wamid.1", ada, 5, "abandoned"),
			},
			func(t *testing.T, m coexistence.Message) {
				require.Equal(t, webhook.StatusFailed, m.Status)
				require.Len(t, m.Receipts, 5)
				require.False(t, m.Visible(), "nobody knows what it said")
			},
		},
		"placeholder 131060 and the real message": {
			[]string{inbound("wamid.1", ada, 1, ghost), inbound("wamid.1", ada, 1, text("Can I get more info?"))},
			func(t *testing.T, m coexistence.Message) {
				require.Equal(t, "Can I get more info?", m.Text)
				require.Equal(t, webhook.TypeText, m.Type)
				require.True(t, m.Answerable())
			},
		},
		"placeholder 131060 whose content comes with history": {
			[]string{inbound("wamid.1", ada, 1, ghost), history(0, 1, 5, ada, past("wamid.1", ada, 1, text("found")))},
			func(t *testing.T, m coexistence.Message) {
				require.Equal(t, "found", m.Text)
				require.Equal(t, coexistence.OriginCustomer, m.Origin)
				require.False(t, m.Imported())
				require.False(t, m.Answerable(), "what is said was imported")
			},
		},
		"media of the customer joins its placeholder": {
			[]string{
				history(0, 1, 5, ada, past("wamid.1", ada, 100, mediaGone)),
				historyMedia("wamid.1", grace, 50, image("3001", "look")),
			},
			func(t *testing.T, m coexistence.Message) {
				require.Equal(t, "look", m.Text)
				require.Equal(t, graph.MediaID("3001"), m.Media.ID)
				require.Equal(t, at(100), m.At, "the placeholder's time")
				require.Equal(t, "US.1001", m.Person, "the placeholder's thread")
				require.False(t, m.Outbound)
				require.Equal(t, webhook.StatusRead, m.Status, "the placeholder's status")
				require.True(t, m.Imported())
			},
		},
		"media of the business joins its placeholder": {
			[]string{
				history(0, 1, 5, adaNumber, past("wamid.1", business, 100, mediaGone)),
				historyMediaEcho("wamid.1", ada, 50, image("3001", "")),
			},
			func(t *testing.T, m coexistence.Message) {
				require.True(t, m.Outbound)
				require.Equal(t, "15550100101", m.Person)
				require.Equal(t, at(100), m.At)
			},
		},
		"history repeats what was live": {
			[]string{
				inbound("wamid.1", ada, 1, text("live")),
				history(0, 1, 5, adaNumber, past("wamid.1", adaNumber, 9, text("past"))),
			},
			func(t *testing.T, m coexistence.Message) {
				require.Equal(t, "live", m.Text)
				require.Equal(t, at(1), m.At)
				require.False(t, m.Imported())
				require.True(t, m.Answerable())
			},
		},
		"an edit without the message": {
			[]string{inbound("wamid.2", ada, 2, edit), inbound("wamid.3", ada, 3, react("A"))},
			func(t *testing.T, m coexistence.Message) {
				require.True(t, m.Visible(), "what it says now is known")
				require.Equal(t, "corrected", m.Text)
				require.Empty(t, m.Original.Type)
				require.Equal(t, at(2), m.At)
				require.False(t, m.Outbound)
				require.False(t, m.Answerable())
				require.Equal(t, coexistence.OriginUnknown, m.Origin)
			},
		},
		"a revocation without the message": {
			[]string{inbound("wamid.2", ada, 2, revoke)},
			func(t *testing.T, m coexistence.Message) {
				require.True(t, m.Revoked())
				require.False(t, m.Visible())
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := func(bodies ...string) coexistence.Message {
				m := message(t, delivered(t, bodies...), "wamid.1")
				require.Regexp(t, "^conv_[0-9]+$", m.ConversationID)
				m.ConversationID = "" // is that of the one that happened to be made first
				return m
			}
			want := after(tt.bodies...)
			tt.check(t, want)
			orders(tt.bodies, func(bodies []string) {
				require.Equal(t, want, after(bodies...))
				require.Equal(t, want, after(append(bodies, bodies...)...), "twice")
			})
		})
	}
}

// Only the message itself has a record: an edit, a revocation or a reaction is none.
func TestWhatChangesAMessageIsNoMessage(t *testing.T) {
	t.Parallel()
	store := delivered(t, inbound("wamid.1", ada, 1, text("hi")),
		inbound("wamid.2", ada, 2, fmt.Sprintf(revokeOf, "wamid.1")))
	_, err := store.Message(t.Context(), phone, "wamid.2")
	require.ErrorIs(t, err, coexistence.ErrNotFound)
	require.Equal(t, []string{"hi"}, texts(t, store, "US.1001"))
}

func TestOnlyLiveContentOfTheCustomerIsAnswerable(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want bool
	}{
		"text":   {inbound("wamid.1", ada, 1, text("hi")), true},
		"image":  {inbound("wamid.1", ada, 1, image("3001", "")), true},
		"button": {inbound("wamid.1", ada, 1, `"type":"button","button":{"payload":"p","text":"Yes"}`), true},
		"location": {inbound("wamid.1", ada, 1, `"type":"location","location":{"latitude":1.5,"longitude":2.5}`),
			true},
		"edit":        {inbound("wamid.2", ada, 1, fmt.Sprintf(editOf, "wamid.1", text("x"))), false},
		"revocation":  {inbound("wamid.2", ada, 1, fmt.Sprintf(revokeOf, "wamid.1")), false},
		"reaction":    {inbound("wamid.2", ada, 1, fmt.Sprintf(reactionTo, "wamid.1", "A")), false},
		"unavailable": {inbound("wamid.1", ada, 1, ghost), false},
		"unsupported": {inbound("wamid.1", ada, 1,
			`"type":"unsupported","unsupported":{"type":"poll_creation"},"errors":[{"code":131051,"title":"x"}]`),
			false},
		"system": {inbound("wamid.1", ada, 1,
			`"type":"system","system":{"type":"user_changed_number","wa_id":"15550100109"}`), false},
		"welcome request": {inbound("wamid.1", ada, 1, `"type":"request_welcome"`), false},
		"a type to come":  {inbound("wamid.1", ada, 1, `"type":"hologram","hologram":{"a":1}`), false},
		"echo":            {echo("wamid.1", ada, 1, text("hi")), false},
		"history":         {history(0, 1, 5, ada, past("wamid.1", ada, 1, text("hi"))), false},
		"history media":   {historyMedia("wamid.1", ada, 1, image("3001", "")), false},
		"in a group":      {inGroup("wamid.1", ada, 1, text("hi")), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, coexistence.Answerable(decode(t, tt.body)[0]), "the event")
			require.Equal(t, tt.want, message(t, delivered(t, tt.body), "wamid.1").Answerable(), "the message")
		})
	}
}

func TestBodiesTellTheirText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		content string
		text    string
		kind    webhook.MessageType
		raw     bool
	}{
		"text":  {text("hi"), "hi", webhook.TypeText, false},
		"image": {image("3001", "look"), "look", webhook.TypeImage, false},
		"video": {`"type":"video","video":{"id":"1","caption":"c"}`, "c", webhook.TypeVideo, false},
		"voice": {`"type":"audio","audio":{"id":"1","voice":true}`, "", webhook.TypeAudio, false},
		"document": {`"type":"document","document":{"id":"1","filename":"a.pdf","caption":"c"}`, "c",
			webhook.TypeDocument, false},
		"sticker": {`"type":"sticker","sticker":{"id":"1","animated":true}`, "", webhook.TypeSticker, false},
		"place": {`"type":"location","location":{"latitude":1,"longitude":2,"name":"Shop","address":"1 Road"}`,
			"Shop", webhook.TypeLocation, true},
		"address": {`"type":"location","location":{"latitude":1,"longitude":2,"address":"1 Road"}`, "1 Road",
			webhook.TypeLocation, true},
		"cards": {`"type":"contacts","contacts":[{"name":{"formatted_name":"A"}},{"name":{"formatted_name":"B"}}]`,
			"A, B", webhook.TypeContacts, true},
		"button": {`"type":"button","button":{"payload":"p","text":"Yes"}`, "Yes", webhook.TypeButton, true},
		"reply": {`"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"1",` +
			`"title":"Yes"}}`, "Yes", webhook.TypeInteractive, true},
		"list": {`"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"1","title":"Row"}}`,
			"Row", webhook.TypeInteractive, true},
		"order": {`"type":"order","order":{"catalog_id":"1","text":"please","product_items":[]}`, "please",
			webhook.TypeOrder, true},
		"future":   {`"type":"hologram","hologram":{"a":1}`, "", "hologram", true},
		"typeless": {`"hologram":{"a":1}`, "", "unknown", true},
		"unsupport": {`"type":"unsupported","unsupported":{"type":"poll_creation"},"errors":[{"code":131051,` +
			`"title":"x"}]`, "", webhook.TypeUnsupported, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := delivered(t, inbound("wamid.1", ada, 1, tt.content))
			m := message(t, store, "wamid.1")
			require.Equal(t, tt.text, m.Text)
			require.Equal(t, tt.kind, m.Type)
			require.Equal(t, tt.raw, m.Raw != nil)
			require.True(t, m.Visible())
			require.Equal(t, idOf(t, store, "US.1001"), m.ConversationID)
		})
	}
	m := message(t, delivered(t, inbound("wamid.1", ada, 1, `"type":"audio","audio":{"id":"1","voice":true}`)),
		"wamid.1")
	require.True(t, m.Media.Voice)
	m = message(t, delivered(t, inbound("wamid.1", ada, 1,
		`"type":"document","document":{"id":"1","filename":"a.pdf"}`)), "wamid.1")
	require.Equal(t, "a.pdf", m.Media.Filename)
}

// A file is fetched with all that lets the client see that it is the right one.
func TestAMessageSaysHowToFetchItsFile(t *testing.T) {
	t.Parallel()
	store := delivered(t, inbound("wamid.1", ada, 1, image("3001", "look")),
		inbound("wamid.2", ada, 2, text("no file")))
	require.Equal(t, cloudapi.MediaDownload{ID: "3001", PhoneNumberID: phone, SHA256: "c2hh"},
		message(t, store, "wamid.1").MediaDownload())
	require.Zero(t, message(t, store, "wamid.2").MediaDownload())
}

// What is kept must not change, or keep megabytes alive, with the delivery that it came from.
func TestMessagesDoNotAliasTheDelivery(t *testing.T) {
	t.Parallel()
	store := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	b := []byte(inbound("wamid.1", ada, 1, `"type":"location","location":{"latitude":1,"longitude":2,"name":"Shop"}`))
	events, err := webhook.Decode(b)
	require.NoError(t, err)
	require.NoError(t, tracker.Handle(t.Context(), events[0]))
	want := string(message(t, store, "wamid.1").Raw)
	clear(b)
	require.Equal(t, want, string(message(t, store, "wamid.1").Raw))
}

func TestMediaIsExpectedForFourteenDays(t *testing.T) {
	t.Parallel()
	store := delivered(t, history(0, 1, 5, ada, past("wamid.1", ada, 0, mediaGone),
		past("wamid.2", ada, 0, text("hi"))))
	placeholder := message(t, store, "wamid.1")
	require.True(t, placeholder.MediaExpected(t0.Add(14*24*time.Hour-time.Second)))
	require.False(t, placeholder.MediaExpected(t0.Add(14*24*time.Hour)))
	require.False(t, message(t, store, "wamid.2").MediaExpected(t0))
	deliver(t, store, historyMedia("wamid.1", ada, 0, image("3001", "")))
	require.False(t, message(t, store, "wamid.1").MediaExpected(t0))
}

func TestHistoryStatuses(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]webhook.DeliveryStatus{
		"SENT": "sent", "DELIVERED": "delivered", "READ": "read", "read": "read", "PLAYED": "played", "ERROR": "failed",
		"PENDING": "", "": "", "NEW_ONE": "new_one",
	} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			b := history(0, 1, 5, ada, fmt.Sprintf(`{"from":%q,"id":"wamid.1","timestamp":"1","type":"text",`+
				`"text":{"body":"x"},"history_context":{"status":%q}}`, display, given))
			require.Equal(t, want, message(t, delivered(t, b), "wamid.1").Status)
		})
	}
}

// A message that was sent through the API may be reported by its status, by an echo and by the
// response, in any order. It is never a person.
func TestOwnMessagesAreNoEchoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		const send = "send"
		var want *coexistence.Message
		orders([]string{send, echo("wamid.1", ada, 1, text("echoed")), status("wamid.1", ada, 2, "delivered")},
			func(steps []string) {
				store := new(coexistence.MemStore)
				tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
				require.NoError(t, err)
				for _, step := range steps {
					if step == send {
						require.NoError(t, tracker.RecordSent(ctx, phone,
							&cloudapi.SentMessage{ID: "wamid.1", To: cloudapi.SentContact{Input: "+15550100101",
								WAID: "15550100101", UserID: "US.1001"}},
							cloudapi.Message{To: cloudapi.ToPhone("+15550100101"), ReplyTo: "wamid.0",
								CallbackData: "order-1", Content: &cloudapi.Text{Body: "Thanks!"}}))
						continue
					}
					deliver(t, store, step)
				}
				got := message(t, store, "wamid.1")
				if want == nil {
					want = &got
				}
				require.Equal(t, *want, got)
				c, err := store.Conversation(ctx, phone, "15550100101")
				require.NoError(t, err)
				require.False(t, c.HumanActive(24*time.Hour, time.Now()))
			})
		msg := want
		require.Equal(t, coexistence.OriginAPI, msg.Origin)
		require.Equal(t, "Thanks!", msg.Text)
		require.WithinDuration(t, time.Now(), msg.At, 0)
		require.Equal(t, webhook.StatusDelivered, msg.Status)
		require.Equal(t, graph.MessageID("wamid.0"), msg.ReplyTo)
		require.Equal(t, "order-1", msg.CallbackData)
		require.True(t, msg.Outbound)
	})
}

// What is sent is known like what arrives: by its type, its words and its file, and as JSON where
// those do not tell it in full.
func TestSentKnowsWhatWasSent(t *testing.T) {
	t.Parallel()
	file := cloudapi.MediaSource{ID: "7"}
	link := cloudapi.MediaSource{Link: "https://example.com/a.png"}
	tests := map[string]struct {
		sent cloudapi.Content
		want coexistence.Content
		raw  []string // what the JSON holds
	}{
		"template": {
			&cloudapi.Template{Name: "order_ready", Language: "en_US"},
			coexistence.Content{Type: "template", Text: "order_ready"}, []string{"order_ready", "en_US"},
		},
		"raw": {
			&cloudapi.RawContent{Type: "location", JSON: json.RawMessage(`{"latitude":1}`)},
			coexistence.Content{Type: webhook.TypeLocation}, []string{`{"latitude":1}`},
		},
		"file": {
			&cloudapi.Document{MediaSource: file, Caption: "c", Filename: "f.pdf"},
			coexistence.Content{
				Type: webhook.TypeDocument, Text: "c", Media: &coexistence.Media{ID: "7", Filename: "f.pdf"},
			}, nil,
		},
		"link": {
			&cloudapi.Image{MediaSource: link, Caption: "linked"},
			coexistence.Content{Type: webhook.TypeImage, Text: "linked", Media: &coexistence.Media{}},
			[]string{"https://example.com/a.png", "linked"},
		},
		"interactive": {
			&cloudapi.Interactive{Body: "Where?", Action: &cloudapi.LocationRequest{}},
			coexistence.Content{Type: webhook.TypeInteractive, Text: "Where?"}, []string{"send_location"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := new(coexistence.MemStore)
			recordSent(t, store, "wamid.1", tt.sent)
			got := message(t, store, "wamid.1")
			require.Equal(t, idOf(t, store, "US.1001"), got.ConversationID)
			for _, part := range tt.raw {
				require.Contains(t, string(got.Raw), part)
			}
			if tt.raw == nil {
				require.Empty(t, got.Raw)
			}
			got.Raw = nil
			require.Equal(t, tt.want, got.Content)
		})
	}
}

func TestASentReactionIsNoMessage(t *testing.T) {
	t.Parallel()
	store := delivered(t, inbound("wamid.1", adaUser, 1, text("hi")))
	recordSent(t, store, "wamid.2", &cloudapi.Reaction{MessageID: "wamid.1", Emoji: "A"})
	_, err := store.Message(t.Context(), phone, "wamid.2")
	require.ErrorIs(t, err, coexistence.ErrNotFound)
	reactions := message(t, store, "wamid.1").Reactions
	require.Len(t, reactions, 1)
	require.Equal(t, "A", reactions[0].Emoji)
	require.True(t, reactions[0].Outbound)
}

func TestNothingIsRecordedWithoutWhatSendReturned(t *testing.T) {
	t.Parallel()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: new(coexistence.MemStore)})
	require.NoError(t, err)
	require.Error(t, tracker.RecordSent(t.Context(), phone, nil, cloudapi.Message{}))
}

// recordSent registers what was sent to US.1001.
func recordSent(t *testing.T, store coexistence.Store, id graph.MessageID, content cloudapi.Content) {
	t.Helper()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	sent := &cloudapi.SentMessage{ID: id, To: cloudapi.SentContact{Input: "US.1001"}}
	require.NoError(t, tracker.RecordSent(t.Context(), phone, sent, cloudapi.Message{Content: content}))
}

func TestMessageSurvivesJSON(t *testing.T) {
	t.Parallel()
	store := delivered(t,
		inbound("wamid.1", ada, 1, `"type":"location","location":{"latitude":1,"longitude":2,"name":"Shop"},`+
			`"context":{"id":"wamid.0","forwarded":true}`),
		inbound("wamid.2", ada, 2, fmt.Sprintf(editOf, "wamid.1", text("x"))),
		inbound("wamid.3", ada, 3, fmt.Sprintf(revokeOf, "wamid.1")),
		echo("wamid.4", ada, 4, fmt.Sprintf(reactionTo, "wamid.1", "A")), status("wamid.1", ada, 5, "read"),
	)
	want := message(t, store, "wamid.1")
	b, err := json.Marshal(want)
	require.NoError(t, err)
	var got coexistence.Message
	require.NoError(t, json.Unmarshal(b, &got))
	got.ConversationID = want.ConversationID // not a fact about the message
	require.Equal(t, want, got)
}

func TestProvenanceThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`""`, `"12"`, `"1234"`, `"12x"`, `"-12"`, `123`, `{}`} {
		require.Error(t, json.Unmarshal([]byte(`{"provenance":`+text+`}`), new(coexistence.Message)), text)
	}
	require.NoError(t, json.Unmarshal([]byte(`{"provenance":"123"}`), new(coexistence.Message)))
}
