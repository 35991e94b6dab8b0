package cloudapitest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// post sends a message made of the given members.
func post(t *testing.T, srv *cloudapitest.Server, phone cloudapitest.Phone, members string) answer {
	t.Helper()
	return ask(t, srv, srv.SystemToken(), "POST", "/"+string(phone.ID)+"/messages",
		`{"messaging_product":"whatsapp",`+members+`}`)
}

const hello = `"type":"text","text":{"body":"Hello"}`

func TestAnAcceptedMessageIsRecorded(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.AddUser(graph.Identity{UserID: "US.1555", WAID: "15550100142"})
	hooked := make(chan cloudapitest.SentMessage, 1)
	srv.OnMessage(func(m cloudapitest.SentMessage) { hooked <- m })

	a := post(t, srv, phone,
		`"to":"+1 (555) 010-0142",`+hello+`,"context":{"message_id":"wamid.1"},"biz_opaque_callback_data":"order-1"`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "+1 (555) 010-0142", a.Contacts[0].Input)
	require.Equal(t, "15550100142", a.Contacts[0].WAID)
	require.Equal(t, graph.UserID("US.1555"), a.Contacts[0].UserID)

	sent := srv.Sent()
	require.Len(t, sent, 1)
	require.Equal(t, sent[0], <-hooked)
	m := sent[0]
	require.Equal(t, a.Messages[0].ID, m.ID)
	require.Equal(t, phone.ID, m.From)
	require.Equal(t, "text", m.Type)
	require.Equal(t, "Hello", m.Text())
	require.Equal(t, graph.MessageID("wamid.1"), m.ReplyTo)
	require.Equal(t, "order-1", m.CallbackData)
	require.Equal(t, graph.Identity{UserID: "US.1555", WAID: "15550100142"}, m.To)
	require.JSONEq(t, `{"body":"Hello"}`, string(m.Content()))
}

func TestASendToAUserIDIsAnsweredWithoutPhoneNumber(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.AddUser(graph.Identity{UserID: "US.1555", WAID: "15550100142"})
	a := post(t, srv, phone, `"recipient":"US.1555",`+hello)
	require.Equal(t, graph.UserID("US.1555"), a.Contacts[0].UserID)
	require.Empty(t, a.Contacts[0].WAID)
	require.Equal(t, "15550100142", srv.Sent()[0].To.WAID, "the server knows who it is")
}

// addTemplate gives the account of a number an approved template without variables.
func addTemplate(srv *cloudapitest.Server, phone cloudapitest.Phone, name string) cloudapitest.Template {
	return srv.AddTemplate(cloudapitest.Template{
		WABAID: phone.WABAs[0], TemplateCreateParams: cloudapi.TemplateCreateParams{
			Name: name, Language: "en_US", Category: graph.TemplateMarketing,
			Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "Fresh bread."}},
		},
	})
}

func TestWhatASentMessageSays(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.AddMedia(cloudapitest.Media{ID: "1", PhoneNumberID: phone.ID})
	addTemplate(srv, phone, "hello")
	tests := map[string]struct{ members, want string }{
		"caption":  {`"type":"image","image":{"id":"1","caption":"A picture"}`, "A picture"},
		"emoji":    {`"type":"reaction","reaction":{"message_id":"wamid.1","emoji":"👍"}`, "👍"},
		"template": {`"type":"template","template":{"name":"hello","language":{"code":"en_US"}}`, "hello"},
		"interactive": {
			`"type":"interactive","interactive":{"type":"button","body":{"text":"Choose"},` +
				`"action":{"buttons":[{"type":"reply","reply":{"id":"a","title":"A"}}]}}`,
			"Choose",
		},
		"nothing": {`"type":"sticker","sticker":{"id":"1"}`, ""},
		"no type": {`"text":{"body":"as in old samples"}`, "as in old samples"},
	}
	for name, tt := range tests {
		a := post(t, srv, phone, `"to":"+15550100142",`+tt.members)
		require.Equal(t, http.StatusOK, a.status, a.body)
		sent := srv.Sent()
		m := sent[len(sent)-1]
		require.Equal(t, tt.want, m.Text(), name)
		switch name {
		case "emoji":
			to, emoji := m.Reaction()
			require.Equal(t, graph.MessageID("wamid.1"), to)
			require.Equal(t, "👍", emoji)
		case "template":
			require.Equal(t, "accepted", a.Messages[0].Status)
			template, language := m.Template()
			require.Equal(t, "hello", template)
			require.Equal(t, "en_US", language)
		default:
			require.Empty(t, a.Messages[0].Status, "only templates have one")
		}
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		members string
		code    graph.Code
	}{
		"as it should be":    {`"to":"+15550100142",` + hello, 0},
		"no recipient":       {hello, 100},
		"no number":          {`"to":"12",` + hello, 131009},
		"own number":         {`"to":"+1 555 010 0100",` + hello, 131021},
		"no user id":         {`"recipient":"someone",` + hello, 100},
		"recipient type":     {`"to":"+15550100142","recipient_type":"team",` + hello, 100},
		"a group":            {`"to":"Y2FwaQ==","recipient_type":"group",` + hello, 131215},
		"unknown type":       {`"to":"+15550100142","type":"hologram","hologram":{}`, 100},
		"no object":          {`"to":"+15550100142","type":"text"`, 131008},
		"no body":            {`"to":"+15550100142","type":"text","text":{}`, 131008},
		"blank body":         {`"to":"+15550100142","type":"text","text":{"body":"  "}`, 131008},
		"body is a number":   {`"to":"+15550100142","type":"text","text":{"body":5}`, 100},
		"object is a string": {`"to":"+15550100142","type":"text","text":"hi"`, 100},
		"long body": {
			`"to":"+15550100142","type":"text","text":{"body":"` + strings.Repeat("é", 4097) + `"}`, 100,
		},
		"longest body": {
			`"to":"+15550100142","type":"text","text":{"body":"` + strings.Repeat("é", 4096) + `"}`, 0,
		},
		"long caption": {
			`"to":"+15550100142","type":"image","image":{"id":"1","caption":"` + strings.Repeat("x", 1025) + `"}`,
			100,
		},
		"id and link": {
			`"to":"+15550100142","type":"image","image":{"id":"1","link":"https://example.com/a.png"}`, 100,
		},
		"neither id nor link": {`"to":"+15550100142","type":"image","image":{}`, 131008},
		"no cards":            {`"to":"+15550100142","type":"contacts","contacts":[]`, 100},
		"template, no name":   {`"to":"+15550100142","type":"template","template":{"language":{"code":"en"}}`, 131008},
		"template, no code":   {`"to":"+15550100142","type":"template","template":{"name":"hello"}`, 131008},
		"reaction as answer": {
			`"to":"+15550100142","type":"reaction","reaction":{"message_id":"wamid.1"},` +
				`"context":{"message_id":"wamid.1"}`,
			100,
		},
		"long callback data": {
			`"to":"+15550100142",` + hello + `,"biz_opaque_callback_data":"` + strings.Repeat("x", 513) + `"`, 100,
		},
		"four buttons": {
			`"to":"+15550100142","type":"interactive","interactive":{"type":"button","body":{"text":"b"},` +
				`"action":{"buttons":[{"type":"reply","reply":{"id":"1","title":"1"}},{"type":"reply",` +
				`"reply":{"id":"2","title":"2"}},{"type":"reply","reply":{"id":"3","title":"3"}},{"type":"reply",` +
				`"reply":{"id":"4","title":"4"}}]}}`,
			131009,
		},
		"a list without body": {
			`"to":"+15550100142","type":"interactive","interactive":{"type":"list","action":{"button":"b",` +
				`"sections":[{"rows":[{"id":"1","title":"t"}]}]}}`,
			131008,
		},
		"line break in value": {
			`"to":"+15550100142","type":"template","template":{"name":"hello","language":{"code":"en"},` +
				`"components":[{"type":"body","parameters":[{"type":"text","text":"a\nb"}]}]}`,
			132018,
		},
		"no place":             {`"to":"+15550100142","type":"location","location":{"name":"here"}`, 100},
		"lenient about a plus": {`"to":"15550100142",` + hello, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			phone := srv.AddPhone(cloudapitest.Phone{})
			a := post(t, srv, phone, tt.members)
			require.Equal(t, tt.code, a.Error.Code, a.body)
			require.Len(t, srv.Sent(), map[bool]int{true: 1, false: 0}[tt.code == 0])
			if tt.code != 0 {
				require.Equal(t, http.StatusBadRequest, a.status)
				require.NotEmpty(t, a.Error.Trace)
			}
		})
	}
}

func TestOtherBodiesAreRefused(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	for _, body := range []string{"", "[]", "null", "{", `{"to":"+15550100142",` + hello + `}`} {
		a := ask(t, srv, srv.SystemToken(), "POST", "/"+string(phone.ID)+"/messages", body)
		require.Equal(t, graph.CodeInvalidParameter, a.Error.Code, body)
	}
}

func TestStrictRefusesWhatMetaLetsPass(t *testing.T) {
	t.Parallel()
	srv := newServer(t, cloudapitest.Config{Strict: true})
	phone := srv.AddPhone(cloudapitest.Phone{})
	addTemplate(srv, phone, "a")
	customer := graph.Identity{WAID: "15550100142", UserID: "US.1555"}
	require.Equal(t, graph.CodeReengagementMessage, post(t, srv, phone, `"to":"+15550100142",`+hello).Error.Code)
	require.False(t, srv.WindowOpen(phone.ID, customer))
	srv.RecordInbound(phone.ID, customer, "wamid.in")
	require.True(t, srv.WindowOpen(phone.ID, customer))
	for members, code := range map[string]graph.Code{
		`"to":"+15550100142",` + hello: 0,
		`"to":"15550100142",` +
			hello: graph.CodeInvalidParameter,
		`"to":"+15550100142","recipient":"US.1555",` +
			hello: graph.CodeInvalidParameter,
		`"to":"+15550100142","surprise":1,` +
			hello: graph.CodeInvalidParameter,
		`"to":"+15550100142","type":"text","text":{"body":"a",` +
			`"bold":true}`: graph.CodeInvalidParameter,
		`"status":"read","message_id":"wamid.in"`: 0,
		`"status":"read",` +
			`"message_id":"wamid.another"`: graph.CodeInvalidParameter,
		`"to":"+15550100143","type":"template","template":{"name":"a","language":{"code":"en_US"}}`: 0,
	} {
		require.Equal(t, code, post(t, srv, phone, members).Error.Code, members)
	}
	srv.Advance(24 * time.Hour)
	require.Equal(t, graph.CodeReengagementMessage, post(t, srv, phone, `"to":"+15550100142",`+hello).Error.Code)
}

func TestAUserIDInToIsAcceptedAndLost(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	require.Equal(t, http.StatusOK, post(t, srv, phone, `"to":"US.1555",`+hello).status)
	require.Equal(t, graph.CodeMessageUndeliverable, srv.Sent()[0].Fails)
}

func TestReadAndTyping(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	hooked := make(chan cloudapitest.ReadReceipt, 2)
	srv.OnRead(func(r cloudapitest.ReadReceipt) { hooked <- r })
	require.True(t, post(t, srv, phone, `"status":"read","message_id":"wamid.1"`).Success)
	require.True(t,
		post(t, srv, phone, `"status":"read","message_id":"wamid.2","typing_indicator":{"type":"text"}`).Success)
	require.Equal(t, graph.CodeMissingParameter, post(t, srv, phone, `"status":"read"`).Error.Code)
	require.Equal(t, graph.CodeInvalidParameter,
		post(t, srv, phone, `"status":"seen","message_id":"wamid.1"`).Error.Code)
	reads := srv.Reads()
	require.Len(t, reads, 2)
	require.Len(t, hooked, 2)
	require.False(t, reads[0].Typing)
	require.True(t, reads[1].Typing)
	require.Empty(t, srv.Sent())
}

func TestLimits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	srv := newServer(t, cloudapitest.Config{EnforceLimits: true, Clock: func() time.Time { return now }})
	phone := srv.AddPhone(cloudapitest.Phone{})
	code := func(to string) graph.Code { return post(t, srv, phone, `"to":"+155501001`+to+`",`+hello).Error.Code }
	for i := range 45 {
		require.Zero(t, code("42"))
		if i%10 == 9 {
			srv.Advance(time.Second)
		}
	}
	require.Equal(t, graph.CodePairRateLimitHit, code("42"), "a burst of 45")
	srv.Advance(6 * time.Second)
	require.Zero(t, code("42"), "and one more after six seconds")
	srv.Advance(time.Second)
	for range 20 {
		require.Zero(t, code("43"))
	}
	require.Equal(t, graph.CodeRateLimitHit, code("44"), "twenty a second")
	srv.Advance(time.Second)
	srv.RecordInbound(phone.ID, graph.Identity{WAID: "15550100144"}, "wamid.in")
	for range 19 {
		require.Zero(t, code("45"))
	}
	require.Equal(t, graph.CodeRateLimitHit, code("46"), "what comes in counts")
}
