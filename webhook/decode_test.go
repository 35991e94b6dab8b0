package webhook_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// decode decodes a body that is JSON.
func decode(t *testing.T, body string) []webhook.Event {
	t.Helper()
	events, err := webhook.Decode([]byte(body))
	require.NoError(t, err, body)
	require.NotEmpty(t, events, "a body that is JSON yields something")
	return events
}

// one decodes a body that holds a single event of a type.
func one[E webhook.Event](t *testing.T, body string) E {
	t.Helper()
	events := decode(t, body)
	require.Len(t, events, 1, "%s", kindsOf(events))
	require.IsType(t, *new(E), events[0])
	return events[0].(E)
}

func kindsOf(events []webhook.Event) string {
	var kinds []string
	for _, ev := range events {
		kinds = append(kinds, strings.TrimPrefix(fmt.Sprintf("%T", ev), "*webhook."))
	}
	return strings.Join(kinds, " ")
}

// inValue wraps the members of a value into a whole body.
func inValue(field, members string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"200000000000001","changes":[{"field":"` + field +
		`","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100100",` +
		`"phone_number_id":"300000000000001"},` +
		members + `}}]}]}`
}

func unknownPaths(info webhook.EventInfo) []string {
	var paths []string
	for _, m := range info.Unknown {
		paths = append(paths, m.Path+"="+string(m.Value))
	}
	return paths
}

func TestDecodeRefusesOnlyWhatIsNoJSONObject(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, ` `, `null`, `5`, `"x"`, `true`, `{`, `{}x`, `{"entry":[}`, `{"a":1,}`, "\xff", `{"a":"\x"}`,
		strings.Repeat(`[`, 65) + strings.Repeat(`]`, 65),
	} {
		_, err := webhook.Decode([]byte(body))
		require.ErrorIs(t, err, webhook.ErrNotJSON, body)
	}
	for body, want := range map[string]string{
		`{}`: "UnknownEvent", `[]`: "UnknownEvent", `[[]]`: "UndecodableEvent",
		`[1,{}]`: "UndecodableEvent UnknownEvent", `{"entry":[]}`: "UnknownEvent", `{"entry":5}`: "UndecodableEvent",
		`{"entry":[null]}`: "UnknownEvent", `{"entry":[{}]}`: "UnknownEvent", `{"entry":["x"]}`: "UndecodableEvent",
		`{"entry":[{"changes":{}}]}`: "UndecodableEvent",
		`{"entry":[{"changes":[]}]}`: "UnknownEvent", `{"entry":[{"changes":[null,{}]}]}`: "UnknownEvent",
		`{"entry":[{"id":{},"changes":[]}]}`:                          "UndecodableEvent",
		`{"entry":[{"changes":[{"field":"messages"}]}]}`:              "UnknownEvent",
		`{"entry":[{"changes":[{"field":"messages","value":null}]}]}`: "UnknownEvent",
		`{"entry":[{"changes":[{"field":"messages","value":[]}]}]}`:   "UndecodableEvent",
		`{"entry":[{"changes":[{"field":5,"value":[]}]}]}`:            "UnknownEvent",
		`{"entry":[{"changes":[{"field":"messages","value":{}}]}]}`:   "UnknownEvent",
		`{"field":"messages"}`:                                        "UnknownEvent",
		`{"value":5}`:                                                 "UnknownEvent",
	} {
		require.Equal(t, want, kindsOf(decode(t, body)), body)
	}
}

func TestUnknownKeepsTheChange(t *testing.T) {
	t.Parallel()
	change := `{"field":"brand_new","value":{"messages":[{"id":"1"}],"x":1}}`
	ev := one[*webhook.UnknownEvent](t,
		`{"object":"whatsapp_business_account","entry":[{"id":"7","time":1767225600,"changes":[`+change+`]}]}`)
	require.JSONEq(t, change, string(ev.Raw))
	require.Equal(t, webhook.Field("brand_new"), ev.Field)
	require.Equal(t, graph.WABAID("7"), ev.WABAID)
	require.Equal(t, "7", ev.EntryID)
	require.Equal(t, time.Unix(1767225600, 0).UTC(), ev.At)

	page := `{"object":"page","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[{"id":"1"}]}}]}]}`
	ev = one[*webhook.UnknownEvent](t, page)
	require.Equal(t, page, string(ev.Raw), "another product's body is kept whole")

	solution := one[*webhook.PartnerSolution](t,
		`{"entry":[{"id":"9","changes":[{"field":"partner_solutions","value":{"event":"SOLUTION_CREATED"}}]}]}`)
	require.Empty(t, solution.WABAID, "the entry is a portfolio")
	require.Equal(t, graph.BusinessID("9"), solution.Business())
}

func TestABadItemHarmsNothingElse(t *testing.T) {
	t.Parallel()
	good := `{"from":"15550100123","id":"wamid.%d","timestamp":"1767225600","type":"text","text":{"body":"good"}}`
	for name, tt := range map[string]struct{ bad, err string }{
		"content of the wrong kind": {`{"id":"b","type":"text","text":["private"]}`,
			"webhook: text: want an object, got an array"},
		"member of the wrong kind": {`{"id":"b","type":"text","text":{"body":{"private":1}}}`,
			"webhook: text.body: want a string, got an object"},
		"not an object":           {`"private"`, "webhook: want an object, got a string"},
		"an id of the wrong kind": {`{"id":["private"]}`, "webhook: id: want a string, got an array"},
		"errors of the wrong kind": {`{"id":"b","errors":[{"code":["private"]}]}`,
			"webhook: errors[0].code: want a string, got an array"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := decode(t,
				inValue("messages", `"messages":[`+fmt.Sprintf(good, 1)+`,`+tt.bad+`,`+fmt.Sprintf(good, 2)+`]`))
			require.Equal(t, "IncomingMessage UndecodableEvent IncomingMessage", kindsOf(events))
			bad := events[1].(*webhook.UndecodableEvent)
			require.Equal(t, tt.bad, string(bad.Raw))
			require.EqualError(t, bad.Err, tt.err)
			require.Equal(t, graph.PhoneNumberID("300000000000001"), bad.PhoneNumberID)
			require.NotEmpty(t, bad.DedupKey)
		})
	}
	events := decode(t, inValue("messages",
		`"contacts":[5,{"wa_id":"15550100123","profile":{"name":"A"}}],"statuses":[7,`+
			`{"id":"s","status":"sent"}],"messages":[`+fmt.Sprintf(good, 1)+`]`))
	require.Equal(t, "IncomingMessage UndecodableEvent MessageStatus", kindsOf(events))
	require.Equal(t, "A", events[0].(*webhook.IncomingMessage).ProfileName)
	require.Equal(t, []string{"value.contacts[0]=5"}, unknownPaths(events[0].Info()))

	events = decode(t, inValue("messages", `"metadata":"odd","messages":[`+fmt.Sprintf(good, 1)+`],"statuses":{}`))
	require.Equal(t, "IncomingMessage UndecodableEvent", kindsOf(events))
}

func TestMemberOrderNeverMatters(t *testing.T) {
	t.Parallel()
	straight := one[*webhook.IncomingMessage](t, `{"object":"whatsapp_business_account","entry":[{"id":"2","time":5,
		"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"3"},
		"contacts":[{"wa_id":"15550100123","profile":{"name":"A"}}],"messages":[{"type":"text","id":"m",
		"from":"15550100123","text":{"body":"x"}}]}}]}]}`)
	reversed := one[*webhook.IncomingMessage](t, `{"entry":[{"changes":[{"value":{"messages":[{"text":{"body":"x"},
		"from":"15550100123","id":"m","type":"text"}],
		"contacts":[{"profile":{"name":"A"},"wa_id":"15550100123"}],"metadata":{"phone_number_id":"3"}},
		"field":"messages"}],"time":5,"id":"2"}],"object":"whatsapp_business_account"}`)
	straight.Raw, reversed.Raw = nil, nil
	require.Equal(t, straight, reversed)
	require.NotEmpty(t, straight.DedupKey)
}

func TestMisplacedAndMissingLabels(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"label in the entry": `{"entry":[{"id":"2","changes":[{"value":{"event":"ACCOUNT_DELETED"}}],` +
			`"field":"account_update","object":"whatsapp_business_account"}]}`,
		"entry's label first": `{"entry":[{"field":"account_update","id":"2",` +
			`"changes":[{"value":{"event":"ACCOUNT_DELETED"}}]}]}`,
		"label in the value": `{"entry":[{"id":"2","changes":[{"value":{"event":"ACCOUNT_DELETED",` +
			`"field":"account_update","object":"whatsapp_business_account"}}]}]}`,
		"no label": `{"entry":[{"id":"2","changes":[{"value":{"event":"ACCOUNT_DELETED"}}]}]}`,
		"wrong label": `{"entry":[{"id":"2","changes":[{"field":"messages",` +
			`"value":{"event":"ACCOUNT_DELETED"}}]}]}`,
		"no changes around it": `{"entry":[{"id":"2","field":"account_update","value":{"event":"ACCOUNT_DELETED"}}]}`,
		"top-level array": `[{"entry":[{"id":"2","changes":[{"field":"account_update",` +
			`"value":{"event":"ACCOUNT_DELETED"}}]}]}]`,
		"no object, string time": `{"entry":[{"id":"2","time":"1767225600","changes":[{"field":"account_update",` +
			`"value":{"event":"ACCOUNT_DELETED"}}]}]}`,
	} {
		ev := one[*webhook.AccountUpdate](t, body)
		require.Equal(t, webhook.AccountDeleted, ev.Event, name)
		require.Equal(t, graph.WABAID("2"), ev.WABAID, name)
		require.Empty(t, ev.Unknown, name)
		require.NotEmpty(t, ev.DedupKey, name)
	}
	lone := one[*webhook.IncomingMessage](t,
		`{"field":"messages","value":{"messages":[{"id":"m","text":{"body":"x"}}]}}`)
	require.Equal(t, webhook.FieldMessages, lone.Field)
	media := one[*webhook.HistoryMedia](t,
		`{"entry":[{"id":"2","changes":[{"value":{"messages":[{"id":"m","image":{"id":"1"}}]}}],"field":"history"}]}`)
	require.Equal(t, webhook.FieldHistory, media.Field, "the entry's label says what the list means")
	shaped := one[*webhook.BusinessAppEcho](t, `{"entry":[{"changes":[{"value":{"message_echoes":[{"id":"m"}]}}]}]}`)
	require.Equal(t, webhook.FieldSMBMessageEchoes, shaped.Field)
	echo := one[*webhook.BusinessAppEcho](t, inValue("messages", `"message_echoes":[{"id":"m","to":"15550100123"}]`))
	require.Equal(t, webhook.FieldMessages, echo.Field)
	state := one[*webhook.AppStateSync](t, inValue("account_update", `"state_sync":[{"type":"contact"}]`))
	require.Equal(t, webhook.FieldAccountUpdate, state.Field)
}

func TestMessagesUnderTheLabelOfEchoesAreNotGuessedAt(t *testing.T) {
	t.Parallel()
	one[*webhook.UnknownEvent](t,
		inValue("smb_message_echoes", `"messages":[{"id":"m","from":"15550100100","text":{"body":"x"}}]`))
	events := decode(t, inValue("smb_message_echoes", `"message_echoes":[{"id":"e"}],"messages":[{"id":"m"}]`))
	require.Equal(t, "BusinessAppEcho UnknownEvent", kindsOf(events))
	require.Equal(t, []string{`value.messages=[{"id":"m"}]`}, unknownPaths(events[1].Info()))
}

func TestMembersWithoutAPlaceAreListed(t *testing.T) {
	t.Parallel()
	events := decode(t, `{"object":"whatsapp_business_account","v":2,"entry":[{"id":"2","uid":"x",
		"changes":[{"extra":1,"field":"messages","value":{
		"messaging_product":"other","metadata":{"phone_number_id":"3","zone":"eu"},"future":{"a":1},
		"polls":[{"id":"p"}],
		"contacts":[{"wa_id":"15550100123","age":5,"profile":{"name":"A","mood":"ok"}},{"wa_id":"15550100999"}],
		"messages":[{"id":"m","from":"15550100123","to":"15550100100","type":"text","text":{"body":"x","format":"md"},
		"image":{"id":"9"},"new":{"b":[2]}}]}}]}]}`)
	require.Equal(t, "IncomingMessage UnknownEvent", kindsOf(events))
	require.ElementsMatch(t, []string{
		`text.format="md"`, `image={"id":"9"}`, `new={"b":[2]}`, `to="15550100100"`,
		`value.contacts[0].age=5`, `value.contacts[0].profile.mood="ok"`, `value.contacts[1]={"wa_id":"15550100999"}`,
		`value.messaging_product="other"`, `value.metadata.zone="eu"`, `value.future={"a":1}`,
		`change.extra=1`, `entry.uid="x"`, `body.v=2`,
	}, unknownPaths(events[0].Info()))
	require.Equal(t, []string{`value.polls=[{"id":"p"}]`}, unknownPaths(events[1].Info()),
		"a list that nobody reads is an event of its own")
}

func TestContentIsFoundByLabelOrShape(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		message string
		want    webhook.Content
		unknown []string
	}{
		"type and object":     {`"type":"text","text":{"body":"x"}`, &webhook.Text{Body: "x"}, nil},
		"object before type":  {`"text":{"body":"x"},"type":"text"`, &webhook.Text{Body: "x"}, nil},
		"no type":             {`"text":{"body":"x"}`, &webhook.Text{Body: "x"}, nil},
		"type without object": {`"type":"image"`, &webhook.UnknownContent{Name: "image"}, nil},
		"object is null":      {`"type":"image","image":null`, &webhook.UnknownContent{Name: "image"}, nil},
		"neither":             {`"x":null`, &webhook.UnknownContent{}, []string{"x=null"}},
		"type disagrees":      {`"type":"image","text":{"body":"x"}`, &webhook.Text{Body: "x"}, nil},
		"two objects": {`"image":{"id":"1"},"text":{"body":"x"},"type":"text"`, &webhook.Text{Body: "x"},
			[]string{`image={"id":"1"}`}},
		"a later object replaces": {`"type":"text","text":{"body":"old"},"text":{}`, &webhook.Text{}, nil},
		"unsupported, bare":       {`"type":"unsupported"`, &webhook.UnsupportedContent{}, nil},
		"welcome":                 {`"type":"request_welcome"`, &webhook.RequestWelcome{}, nil},
		"welcome with an object": {`"type":"request_welcome","request_welcome":{"a":1}`, &webhook.RequestWelcome{},
			[]string{`request_welcome={"a":1}`}},
		"unknown type": {`"hologram":{"a":1},"type":"hologram"`,
			&webhook.UnknownContent{Name: "hologram", Raw: json.RawMessage(`{"a":1}`)}, nil},
		"unknown type, bare": {`"type":"ephemeral"`, &webhook.UnknownContent{Name: "ephemeral"}, nil},
		"escaped names":      {`"\u0074ype":"text","te\u0078t":{"bod\u0079":"x"}`, &webhook.Text{Body: "x"}, nil},
		"names in another case": {`"type":"text","Text":{"body":"x"}`, &webhook.UnknownContent{Name: "text"},
			[]string{`Text={"body":"x"}`}},
		"numbers for strings": {`"type":"text","text":{"body":5}`, &webhook.Text{Body: "5"}, nil},
		"lone surrogate":      {`"type":"text","text":{"body":"a\ud83d"}`, &webhook.Text{Body: "a\ufffd"}, nil},
		"interactive, bare": {`"type":"interactive","interactive":{}`,
			&webhook.Interactive{Reply: &webhook.UnknownReply{}}, nil},
		"interactive, unknown": {
			`"type":"interactive","interactive":{"type":"wave","wave":{"a":1},"b":2}`,
			&webhook.Interactive{Kind: "wave",
				Reply: &webhook.UnknownReply{Raw: json.RawMessage(`{"a":1}`)}}, []string{"interactive.b=2"},
		},
		"interactive, several": {
			`"type":"interactive","interactive":{"button_reply":{"id":"1"},"list_reply":{"id":"2"},` +
				`"nfm_reply":{"name":"x"},"type":"list_reply"}`,
			&webhook.Interactive{Kind: "list_reply", Reply: &webhook.ListReply{ID: "2"}},
			[]string{`interactive.button_reply={"id":"1"}`, `interactive.nfm_reply={"name":"x"}`},
		},
		"interactive, one twice": {
			`"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"1"},` +
				`"button_reply":{"id":"2"}}`,
			&webhook.Interactive{Kind: "button_reply",
				Reply: &webhook.ButtonReply{ID: "2"}}, []string{`interactive.button_reply={"id":"1"}`},
		},
		"interactive, mislabelled": {
			`"type":"interactive","interactive":{"type":"interactive","timestamp":"1767225600",` +
				`"nfm_reply":{"name":"address_message"}}`,
			&webhook.Interactive{Kind: "interactive", At: graph.NewTimestamp(time.Unix(1767225600, 0)),
				Reply: &webhook.FlowReply{Name: "address_message"}}, nil,
		},
		"contacts": {`"type":"contacts","contacts":[{"name":{"formatted_name":"B"}}]`,
			&webhook.Contacts{Cards: []graph.ContactCard{{Name: graph.ContactName{Formatted: "B"}}}}, nil},
		"price keeps its digits": {
			`"type":"order","order":{"product_items":[{"quantity":"2","item_price":7.990}]}`,
			&webhook.Order{Items: []webhook.OrderItem{{Quantity: 2, Price: "7.990"}}}, nil,
		},
		"edit": {
			`"type":"edit","edit":{"message":{"image":{"id":"1","caption":"new"},"type":"image",` +
				`"context":{"id":"M0"},"x":1},"original_message_id":"o"}`,
			&webhook.Edit{OriginalMessageID: "o", Type: "image",
				Content: &webhook.Image{Media: webhook.Media{ID: "1"},
					Caption: "new"}, Context: &webhook.MessageContext{ID: "M0"}},
			[]string{"edit.message.x=1"},
		},
		"edit without a message": {`"type":"edit","edit":{"original_message_id":"o"}`,
			&webhook.Edit{OriginalMessageID: "o", Content: &webhook.UnknownContent{}}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, list := range []struct{ field, name string }{{"messages", "messages"},
				{"smb_message_echoes", "message_echoes"}} {
				events := decode(t, inValue(list.field, `"`+list.name+`":[{"id":"m",`+tt.message+`}]`))
				require.Len(t, events, 1)
				var content webhook.Content
				switch ev := events[0].(type) {
				case *webhook.IncomingMessage:
					content = ev.Content
				case *webhook.BusinessAppEcho:
					content = ev.Content
				}
				require.Equal(t, tt.want, content)
				require.ElementsMatch(t, tt.unknown, unknownPaths(events[0].Info()))
			}
		})
	}
}

func TestIdentitiesAreJoinedWithContacts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		contacts, message string
		from              graph.Identity
		name, waID        string
	}{
		"by number": {
			`{"wa_id":"15550100999","profile":{"name":"B"}},` +
				`{"wa_id":"15550100123","user_id":"US.1","profile":{"name":"A","username":"@alma"}}`,
			`"from":"15550100123"`, graph.Identity{UserID: "US.1", WAID: "15550100123", Username: "alma"}, "A", "",
		},
		"by user id": {
			`{"user_id":"US.2","profile":{"name":"B"}},` +
				`{"user_id":"US.1","parent_user_id":"US.ENT.1","profile":{"name":"A","username":"alma"}}`,
			`"from_user_id":"US.1"`, graph.Identity{UserID: "US.1", ParentUserID: "US.ENT.1",
				Username: "alma"}, "A", "",
		},
		"the only one": {`{"user_id":"US.1","profile":{"name":"A"}}`, `"from":"15550100123"`,
			graph.Identity{UserID: "US.1", WAID: "15550100123"}, "A", ""},
		"Brazilian spellings": {
			`{"wa_id":"551187654321","profile":{"name":"A"}},{"wa_id":"15550100999","profile":{"name":"B"}}`,
			`"from":"5511987654321"`, graph.Identity{WAID: "5511987654321"}, "A", "551187654321",
		},
		"never by position": {`{"wa_id":"15550100998","profile":{"name":"B"}},` +
			`{"wa_id":"15550100999","profile":{"name":"C"}}`, `"from":"15550100123"`,
			graph.Identity{WAID: "15550100123"}, "", ""},
		"somebody else": {`{"wa_id":"15550100999","user_id":"US.9","profile":{"name":"B"}}`,
			`"from":"15550100123","from_user_id":"US.1"`, graph.Identity{UserID: "US.1", WAID: "15550100123"}, "", ""},
		"no contacts": {``, `"from":"15550100123"`, graph.Identity{WAID: "15550100123"}, "", ""},
		"no profile": {`{"wa_id":"15550100123"}`, `"from":"15550100123"`, graph.Identity{WAID: "15550100123"},
			"", ""},
		"profile is null": {`{"wa_id":"15550100123","profile":null}`, `"from":"15550100123"`,
			graph.Identity{WAID: "15550100123"}, "", ""},
		"user id as number": {`{"wa_id":"US.1","profile":{"name":"A"}}`, `"from":"US.1"`,
			graph.Identity{UserID: "US.1"}, "A", ""},
		"numbers as numbers": {`{"wa_id":15550100123,"profile":{"name":"A"}}`, `"from":15550100123`,
			graph.Identity{WAID: "15550100123"}, "A", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := one[*webhook.IncomingMessage](t,
				inValue("messages",
					`"contacts":[`+tt.contacts+`],"messages":[{"id":"m",`+tt.message+`,"text":{"body":"x"}}]`))
			require.Equal(t, tt.from, m.From)
			require.Equal(t, tt.name, m.ProfileName)
			require.Equal(t, tt.waID, m.ContactWAID)
		})
	}
}

func TestManyContactsAreJoinedAlike(t *testing.T) {
	t.Parallel()
	var contacts, messages []string
	for i := range 300 {
		contacts = append(contacts,
			fmt.Sprintf(`{"wa_id":"5511%08d","user_id":"BR.%d","profile":{"name":"%d"}}`, 60000000+i, i, i))
		from := fmt.Sprintf(`"from":"5511%08d"`, 60000000+i)
		switch i % 3 {
		case 1:
			from = fmt.Sprintf(`"from_user_id":"BR.%d"`, i)
		case 2:
			from = fmt.Sprintf(`"from":"55119%08d"`, 60000000+i)
		}
		messages = append(messages, fmt.Sprintf(`{"id":"%d",%s}`, i, from))
	}
	messages = append(messages, `{"id":"stranger","from":"15550100123"}`)
	events := decode(t, inValue("messages",
		`"messages":[`+strings.Join(messages, ",")+`],"contacts":[`+strings.Join(contacts, ",")+`]`))
	require.Len(t, events, 301)
	for _, ev := range events[:300] {
		m := ev.(*webhook.IncomingMessage)
		require.Equal(t, string(m.ID), m.ProfileName)
		require.Empty(t, m.EventInfo.Unknown)
	}
	require.Empty(t, events[300].(*webhook.IncomingMessage).ProfileName)
}

// TestAliases has a line for each spelling of which Meta has used several.
func TestAliases(t *testing.T) {
	t.Parallel()
	status := func(members string) *webhook.MessageStatus {
		return one[*webhook.MessageStatus](t,
			inValue("messages", `"statuses":[{"id":"s","status":"delivered",`+members+`}]`))
	}
	for _, name := range []string{"recipient_parent_user_id", "parent_recipient_user_id", "parent_user_id"} {
		require.Equal(t, graph.UserID("US.ENT.1"), status(`"`+name+`":"US.ENT.1"`).Recipient.ParentUserID, name)
	}
	both := status(`"parent_user_id":"US.ENT.old","recipient_parent_user_id":"US.ENT.new",` +
		`"parent_recipient_user_id":"US.ENT.mid"`)
	require.Equal(t, graph.UserID("US.ENT.new"), both.Recipient.ParentUserID)
	require.ElementsMatch(t, []string{`parent_user_id="US.ENT.old"`, `parent_recipient_user_id="US.ENT.mid"`},
		unknownPaths(both.Info()))
	for _, name := range []string{"recipient_participant_id", "participant_recipient_id"} {
		st := status(`"recipient_type":"group","recipient_id":"group-1","` + name + `":"15550100123"`)
		require.Equal(t, graph.Identity{WAID: "15550100123"}, st.Participant, name)
		require.Equal(t, graph.GroupID("group-1"), st.GroupID)
		require.True(t, st.Recipient.IsZero())
		require.Equal(t, "15550100123", st.Customer().Key())
	}
	pricing := &webhook.Pricing{Model: "PMP", Category: "service"}
	require.Equal(t, pricing, status(`"pricing":{"pricing_model":"PMP","category":"service"}`).Pricing)
	require.Equal(t, pricing,
		status(`"conversation":{"id":"c","pricing":{"pricing_model":"PMP","category":"service"}}`).Pricing)
	require.Equal(t, "15550100123", status(`"message":{"recipient_id":"15550100123"},"type":"message"`).Recipient.WAID)
	require.Equal(t, graph.UserID("US.1"), status(`"recipient_id":"US.1"`).Recipient.UserID)
	require.Equal(t, graph.TemplateID("12345678901234567890"), status(`"template_id":12345678901234567890`).TemplateID)

	failed := status(`"errors":[{"code":"131026","title":"t","details":"old place"}]`)
	require.Equal(t, []webhook.Error{{Code: 131026, Title: "t", Details: "old place"}}, failed.Errors)
	require.ErrorIs(t, failed.Errors[0], graph.Code(131026))
	require.NotContains(t, failed.Errors[0].Error(), "old place")
	twice := status(`"errors":[{"code":1,"details":"old","error_data":{"details":"new"}}]`)
	require.Equal(t, "new", twice.Errors[0].Details)
	require.Equal(t, []string{`errors[0].details="old"`}, unknownPaths(twice.Info()))

	reply := func(expires string) webhook.InteractiveReply {
		m := one[*webhook.IncomingMessage](t,
			inValue("messages", `"messages":[{"interactive":{"type":"call_permission_reply",`+
				`"call_permission_reply":{"response":"accept","expiration_timestamp":`+expires+`}}}]`))
		return m.Content.(*webhook.Interactive).Reply
	}
	require.Equal(t, reply(`1767225600`), reply(`"1767225600"`))
	linked := one[*webhook.AccountUpdate](t,
		inValue("account_update", `"event":"AD_ACCOUNT_LINKED","waba_info":{"waba_id":5,"ad_account_id":"9"}`))
	require.Equal(t, &webhook.WABAInfo{WABAID: "5", AdAccountID: "9"}, linked.WABAInfo)
}

func TestUnavailableMessages(t *testing.T) {
	t.Parallel()
	placeholder := one[*webhook.UnavailableMessage](t, inValue("messages", `
		"contacts":[{"wa_id":"15550100123","profile":{"name":"A"}}],
		"messages":[{"from":"15550100123","id":"wamid.1","timestamp":"1767225600","type":"unsupported",
		"unsupported":{"type":"unknown"},"errors":[{"code":131060}]}]`))
	complete := one[*webhook.IncomingMessage](t,
		inValue("messages", `"messages":[{"from":"15550100123","id":"wamid.1","type":"text","text":{"body":"x"}}]`))
	require.Equal(t, "A", placeholder.ProfileName)
	require.Equal(t, "unknown", placeholder.Unsupported.Type)
	require.Equal(t, placeholder.ID, complete.ID)
	require.NotEqual(t, placeholder.DedupKey, complete.DedupKey, "the complete message must not be taken for a repeat")
	bare := one[*webhook.UnavailableMessage](t,
		inValue("messages", `"messages":[{"id":"wamid.1","type":"unsupported","errors":[{"code":"131060"}]}]`))
	require.Equal(t, placeholder.DedupKey, bare.DedupKey)
	one[*webhook.IncomingMessage](t,
		inValue("messages", `"messages":[{"id":"wamid.1","type":"unsupported","errors":[{"code":131051}]}]`))
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := func(members string) time.Time {
		return one[*webhook.IncomingMessage](t, `{"entry":[{"id":"1","time":1767225600,`+
			`"changes":[{"field":"messages","value":{"messages":[{"id":"m"`+members+`}]}}]}]}`).At
	}
	require.Equal(t, time.Unix(1767225700, 0).UTC(), at(`,"timestamp":"1767225700"`))
	require.Equal(t, time.Unix(1767225700, 0).UTC(), at(`,"timestamp":1767225700`))
	require.Equal(t, time.Unix(1767225600, 0).UTC(), at(``), "the entry's time stands in")
	odd := one[*webhook.IncomingMessage](t, inValue("messages", `"messages":[{"id":"m","timestamp":"soon"}]`))
	require.True(t, odd.At.IsZero())
	require.Equal(t, []string{`timestamp="soon"`}, unknownPaths(odd.Info()))
}
