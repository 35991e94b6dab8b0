package cloudapi_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

type (
	params     = []cloudapi.TemplateParameter
	components = []cloudapi.TemplateComponent
)

// sent returns the body that a message is sent as.
func sent(t *testing.T, m cloudapi.Message) string {
	t.Helper()
	srv := serve(t, reply(200, sentBody))
	_, err := srv.client(t).Messages.Send(t.Context(), phoneID, m)
	require.NoError(t, err)
	got := srv.seen()
	require.Len(t, got, 1)
	require.Equal(t, "application/json", got[0].header.Get("Content-Type"))
	require.True(t, json.Valid([]byte(got[0].body)), got[0].body)
	return got[0].body
}

func TestMessageOnTheWire(t *testing.T) {
	t.Parallel()
	const head = `"messaging_product":"whatsapp","recipient_type":"individual","to":"+15550100123",`
	template := func(components components) cloudapi.Content {
		return &cloudapi.Template{Name: "order_1", Language: "en_US", Components: components}
	}
	const templateHead = head + `"type":"template","template":{"name":"order_1","language":{"code":"en_US"}`
	header := func(param cloudapi.TemplateParameter) cloudapi.Content {
		return template(components{&cloudapi.TemplateHeader{Parameter: param}})
	}
	const headerHead = templateHead + `,"components":[{"type":"header","parameters":[`
	tests := map[string]struct {
		content cloudapi.Content
		want    string
	}{
		"text": {&cloudapi.Text{Body: "hi <b>&"}, head + `"type":"text","text":{"body":"hi <b>&"}`},
		"text, preview": {
			&cloudapi.Text{Body: "x", PreviewURL: new(true)},
			head + `"type":"text","text":{"body":"x","preview_url":true}`,
		},
		"text, none": {
			&cloudapi.Text{Body: "x", PreviewURL: new(false)},
			head + `"type":"text","text":{"body":"x","preview_url":false}`,
		},
		"reaction": {
			&cloudapi.Reaction{MessageID: wamid, Emoji: "😀"},
			head + `"type":"reaction","reaction":{"message_id":"` + string(wamid) + `","emoji":"😀"}`,
		},
		"reaction, taken": {
			&cloudapi.Reaction{MessageID: wamid},
			head + `"type":"reaction","reaction":{"message_id":"` + string(wamid) + `","emoji":""}`,
		},
		"raw": {
			&cloudapi.RawContent{Type: "sticker", JSON: []byte(`{"id":"7"}`)},
			head + `"type":"sticker","sticker":{"id":"7"}`,
		},
		"template": {template(nil), templateHead + `}`},
		"positional": {
			template(components{
				&cloudapi.TemplateBody{
					Parameters: params{&cloudapi.TextParameter{Text: "a"}, &cloudapi.TextParameter{Text: "b"}},
				},
			}),
			templateHead +
				`,"components":[{"type":"body","parameters":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}`,
		},
		"named": {
			template(components{
				&cloudapi.TemplateBody{
					Parameters: params{&cloudapi.TextParameter{Name: "first_name", Text: "Jessica"}},
				},
			}),
			templateHead +
				`,"components":[{"type":"body","parameters":[{"type":"text","parameter_name":"first_name",` +
				`"text":"Jessica"}]}]}`,
		},
		"money and date": {
			template(components{&cloudapi.TemplateBody{Parameters: params{
				&cloudapi.CurrencyParameter{Fallback: "$0", Code: "USD"},
				&cloudapi.DateTimeParameter{Fallback: "May 1"},
			}}}),
			templateHead +
				`,"components":[{"type":"body","parameters":[{"type":"currency","currency":{"fallback_value":"$0",` +
				`"code":"USD","amount_1000":0}},` +
				`{"type":"date_time","date_time":{"fallback_value":"May 1"}}]}]}`,
		},
		"text header": {header(&cloudapi.TextParameter{Text: "a"}), headerHead + `{"type":"text","text":"a"}]}]}`},
		"image": {
			header(&cloudapi.ImageParameter{MediaSource: cloudapi.MediaSource{ID: "7"}}),
			headerHead + `{"type":"image","image":{"id":"7"}}]}]}`,
		},
		"video": {
			header(&cloudapi.VideoParameter{MediaSource: cloudapi.MediaSource{Link: "https://example.com/a.mp4"}}),
			headerHead + `{"type":"video","video":{"link":"https://example.com/a.mp4"}}]}]}`,
		},
		"document": {
			header(&cloudapi.DocumentParameter{MediaSource: cloudapi.MediaSource{ID: "7"}, Filename: "a.pdf"}),
			headerHead + `{"type":"document","document":{"id":"7","filename":"a.pdf"}}]}]}`,
		},
		"place on the equator, without an exponent": {
			header(&cloudapi.LocationParameter{Longitude: 0.0000001, Name: "N", Address: "A"}),
			headerHead +
				`{"type":"location","location":{"latitude":"0","longitude":"0.0000001","name":"N","address":"A"}}]}]}`,
		},
		"buttons": {
			template(components{
				&cloudapi.TemplateButton{
					Type: cloudapi.ButtonQuickReply, Parameter: &cloudapi.PayloadParameter{Payload: "p"},
				},
				&cloudapi.TemplateButton{
					Type: cloudapi.ButtonURL, Index: 1, Parameter: &cloudapi.TextParameter{Text: "sk1"},
				},
				&cloudapi.TemplateButton{
					Type: cloudapi.ButtonCopyCode, Index: 2, Parameter: &cloudapi.CouponCodeParameter{Code: "SAVE"},
				},
				&cloudapi.TemplateButton{
					Type: "flow", Index: 3,
					Parameter: &cloudapi.RawParameter{JSON: []byte(`{"type":"action","action":{"flow_token":"t"}}`)},
				},
			}),
			templateHead +
				`,"components":[{"type":"button","sub_type":"quick_reply","index":"0",` +
				`"parameters":[{"type":"payload","payload":"p"}]},` +
				`{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"sk1"}]},` +
				`{"type":"button","sub_type":"copy_code","index":"2","parameters":[{"type":"coupon_code",` +
				`"coupon_code":"SAVE"}]},` +
				`{"type":"button","sub_type":"flow","index":"3","parameters":[{"type":"action",` +
				`"action":{"flow_token":"t"}}]}]}`,
		},
		"raw component": {
			template(components{
				&cloudapi.RawComponent{
					JSON: []byte(
						`{"type":"limited_time_offer","parameters":[{"type":"limited_time_offer",` +
							`"limited_time_offer":{"expiration_time_ms":1795000000000}}]}`,
					),
				},
			}),
			templateHead +
				`,"components":[{"type":"limited_time_offer","parameters":[{"type":"limited_time_offer",` +
				`"limited_time_offer":{"expiration_time_ms":1795000000000}}]}]}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.JSONEq(t, "{"+tt.want+"}",
				sent(t, cloudapi.Message{To: cloudapi.ToPhone(customer), Content: tt.content}))
		})
	}
}

func TestEnvelopeOnTheWire(t *testing.T) {
	t.Parallel()
	m := text()
	m.ReplyTo, m.CallbackData, m.IdentityKeyHash, m.MessagingAccount = wamid, "order-991", "hash+/=", "600000000000006"
	require.JSONEq(t, `{"messaging_product":"whatsapp","recipient_type":"individual","to":"+15550100123",`+
		`"context":{"message_id":"`+string(wamid)+`"},`+
		`"biz_opaque_callback_data":"order-991","recipient_identity_key_hash":"hash+/=",`+
		`"messaging_account_id":"600000000000006",`+
		`"type":"text","text":{"body":"Thanks!"}}`, sent(t, m))
}

func TestRecipientOnTheWire(t *testing.T) {
	t.Parallel()
	const bsuid = "US.13491208655302741918"
	tests := map[string]struct {
		to   cloudapi.Recipient
		want string
	}{
		"a phone": {
			cloudapi.ToPhone("15550100123"), `"recipient_type":"individual","to":"+15550100123"`,
		},
		"a user": {
			cloudapi.ToUser(bsuid), `"recipient_type":"individual","recipient":"` + bsuid + `"`,
		},
		"a user across portfolios": {
			cloudapi.ToUser("US.ENT.1a2B"), `"recipient_type":"individual","recipient":"US.ENT.1a2B"`,
		},
		"a group": {
			cloudapi.ToGroup("Y2FwaV9ncm91cDo+/="), `"recipient_type":"group","to":"Y2FwaV9ncm91cDo+/="`,
		},
		"an identity with both": {
			cloudapi.ToIdentity(graph.Identity{UserID: bsuid, WAID: "15550100123"}),
			`"recipient_type":"individual","recipient":"` + bsuid + `"`,
		},
		"an identity with a number": {
			cloudapi.ToIdentity(graph.Identity{WAID: "15550100123"}),
			`"recipient_type":"individual","to":"+15550100123"`,
		},
		"a number without the digit": {
			cloudapi.ToPhone("551100000123"), `"recipient_type":"individual","to":"+551100000123"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := text()
			m.To = tt.to
			require.JSONEq(t, `{"messaging_product":"whatsapp","type":"text","text":{"body":"Thanks!"},`+tt.want+`}`,
				sent(t, m))
		})
	}
}

func TestMessageThatBreaksARuleIsNotSent(t *testing.T) {
	t.Parallel()
	content := func(c cloudapi.Content) func(*cloudapi.Message) { return func(m *cloudapi.Message) { m.Content = c } }
	template := func(change func(*cloudapi.Template)) func(*cloudapi.Message) {
		tpl := &cloudapi.Template{Name: "order_1", Language: "en_US"}
		change(tpl)
		return content(tpl)
	}
	with := func(c ...cloudapi.TemplateComponent) func(*cloudapi.Message) {
		return template(func(tpl *cloudapi.Template) { tpl.Components = c })
	}
	header := func(p cloudapi.TemplateParameter) func(*cloudapi.Message) {
		return with(&cloudapi.TemplateHeader{Parameter: p})
	}
	body := func(p ...cloudapi.TemplateParameter) func(*cloudapi.Message) {
		return with(&cloudapi.TemplateBody{Parameters: p})
	}
	button := func(typ cloudapi.ButtonType, p cloudapi.TemplateParameter) func(*cloudapi.Message) {
		return with(&cloudapi.TemplateButton{Type: typ, Parameter: p})
	}
	image := func(id graph.MediaID, link string) func(*cloudapi.Message) {
		return header(&cloudapi.ImageParameter{MediaSource: cloudapi.MediaSource{ID: id, Link: link}})
	}
	a := &cloudapi.TextParameter{Text: "a"}
	limit := true // a limit of Meta's, which SkipValidation leaves to Meta
	tests := map[string]struct {
		change func(*cloudapi.Message)
		want   string
		limit  bool
	}{
		"nobody": {func(m *cloudapi.Message) { m.To = cloudapi.Recipient{} }, "no recipient", false},
		"no phone number": {
			func(m *cloudapi.Message) { m.To = cloudapi.ToPhone("call me") }, "not a phone number", false,
		},
		"user id as number": {
			func(m *cloudapi.Message) { m.To = cloudapi.ToPhone("US.1349") }, "use ToUser", false,
		},
		"number as user id": {
			func(m *cloudapi.Message) { m.To = cloudapi.ToUser("15550100123") }, "use ToPhone", false,
		},
		"no group": {func(m *cloudapi.Message) { m.To = cloudapi.ToGroup("") }, "group without id", false},
		"unknown identity": {
			func(m *cloudapi.Message) { m.To = cloudapi.ToIdentity(graph.Identity{Username: "x"}) },
			"neither a user id nor", false,
		},
		"callback data": {
			func(m *cloudapi.Message) { m.CallbackData = strings.Repeat("ä", 513) },
			"CallbackData has 513 characters; Meta accepts 512", limit,
		},
		"callback data, UTF-8": {
			func(m *cloudapi.Message) { m.CallbackData = "\xff" }, "CallbackData is not valid UTF-8", false,
		},
		"nothing":      {content(nil), "no Content", false},
		"nil text":     {content((*cloudapi.Text)(nil)), "Text is nil", false},
		"nil template": {content((*cloudapi.Template)(nil)), "Template is nil", false},
		"nil reaction": {content((*cloudapi.Reaction)(nil)), "Reaction is nil", false},
		"nil raw":      {content((*cloudapi.RawContent)(nil)), "RawContent is nil", false},
		"empty text":   {content(&cloudapi.Text{}), "Text.Body is empty", limit},
		"long text": {
			content(&cloudapi.Text{Body: strings.Repeat("ä", 4097)}),
			"Text.Body has 4097 characters; Meta accepts 4096", limit,
		},
		"text, UTF-8":         {content(&cloudapi.Text{Body: "\xff"}), "Text.Body is not valid UTF-8", false},
		"reaction to nothing": {content(&cloudapi.Reaction{Emoji: "😀"}), "Reaction.MessageID is empty", false},
		"reaction in words":   {content(&cloudapi.Reaction{MessageID: wamid, Emoji: "great"}), "not an emoji", limit},
		"emoji and words": {
			content(&cloudapi.Reaction{MessageID: wamid, Emoji: "😀 yes"}), "more than an emoji", limit,
		},
		"many emojis": {
			content(&cloudapi.Reaction{MessageID: wamid, Emoji: strings.Repeat("😀", 17)}), "more than one emoji",
			limit,
		},
		"reaction, UTF-8": {content(&cloudapi.Reaction{MessageID: wamid, Emoji: "\xff"}), "valid UTF-8", false},
		"reaction that replies": {
			func(m *cloudapi.Message) { m.Content, m.ReplyTo = &cloudapi.Reaction{MessageID: wamid}, wamid },
			"no ReplyTo", limit,
		},
		"raw without type": {content(&cloudapi.RawContent{JSON: []byte(`{}`)}), "not a message type", false},
		"raw over the envelope": {
			content(&cloudapi.RawContent{Type: "to", JSON: []byte(`"+15550100199"`)}), "not a message type", false,
		},
		"raw, broken": {
			content(&cloudapi.RawContent{Type: "text", JSON: []byte(`{},"to":"x"`)}), "not valid JSON", false,
		},

		"no name": {
			template(func(tpl *cloudapi.Template) { tpl.Name = "" }), "Template.Name must be", limit,
		},
		"name in capitals": {
			template(func(tpl *cloudapi.Template) { tpl.Name = "Order" }), "Template.Name must be", limit,
		},
		"long name": {
			template(func(tpl *cloudapi.Template) { tpl.Name = strings.Repeat("a", 513) }), "Template.Name has 513",
			limit,
		},
		"no language": {
			template(func(tpl *cloudapi.Template) { tpl.Language = "" }), "Template.Language is empty", false,
		},
		"odd language":  {template(func(tpl *cloudapi.Template) { tpl.Language = "English" }), `"en_US"`, limit},
		"nil component": {with(nil), "Components[0] is nil", false},
		"two headers": {
			with(&cloudapi.TemplateHeader{Parameter: a}, &cloudapi.TemplateHeader{Parameter: a}),
			"one header, not 2", limit,
		},
		"two bodies": {
			with(&cloudapi.TemplateBody{Parameters: params{a}}, &cloudapi.TemplateBody{Parameters: params{a}}),
			"one body, not 2", limit,
		},
		"one button twice": {
			with(&cloudapi.TemplateButton{Type: "url", Parameter: a}, &cloudapi.TemplateButton{
				Type: "url", Parameter: a,
			}),
			"button 0 a second time", limit,
		},
		"nil header":    {with((*cloudapi.TemplateHeader)(nil)), "header without parameter", false},
		"empty header":  {header(nil), "header without parameter", false},
		"nil in header": {header((*cloudapi.TextParameter)(nil)), "header without parameter", false},
		"money as header": {
			header(&cloudapi.CurrencyParameter{Fallback: "$1", Code: "USD"}), "does not belong there", limit,
		},
		"nil body":    {with((*cloudapi.TemplateBody)(nil)), "body without parameters", false},
		"empty body":  {body(), "body without parameters", false},
		"nil in body": {body(a, nil), "Parameters[1] is nil", false},
		"image in body": {
			body(&cloudapi.ImageParameter{MediaSource: cloudapi.MediaSource{ID: "1"}}), "does not belong in a body",
			limit,
		},
		"names in part": {
			body(a, &cloudapi.TextParameter{Name: "b", Text: "b"}), "either all have a Name or none", limit,
		},
		"one name twice": {
			body(&cloudapi.TextParameter{Name: "b", Text: "b"}, &cloudapi.TextParameter{Name: "b", Text: "c"}),
			"name of an earlier one", limit,
		},
		"name with a space": {
			body(&cloudapi.TextParameter{Name: "first name", Text: "b"}), "Name must be lower-case", limit,
		},
		"empty variable": {body(&cloudapi.TextParameter{}), "Text is empty", limit},
		"line break": {
			body(&cloudapi.TextParameter{Text: "a\nb"}), "line break, a tab or more than four spaces", limit,
		},
		"tab": {
			body(&cloudapi.TextParameter{Text: "a\tb"}), "line break, a tab or more than four spaces", limit,
		},
		"five spaces": {
			body(&cloudapi.TextParameter{Text: "a     b"}), "line break, a tab or more than four spaces", limit,
		},
		"long variable": {
			header(&cloudapi.TextParameter{Text: strings.Repeat("ä", 1025)}),
			"has 1025 characters; Meta accepts 1024", limit,
		},
		"long body": {
			body(&cloudapi.TextParameter{Text: strings.Repeat("ä", 600)}, &cloudapi.TextParameter{
				Text: strings.Repeat("ä", 600),
			}),
			"1200 characters in all", limit,
		},
		"variable, UTF-8":    {body(&cloudapi.TextParameter{Text: "\xff"}), "not valid UTF-8", false},
		"money without text": {body(&cloudapi.CurrencyParameter{Code: "USD"}), "Fallback is empty", limit},
		"money without code": {
			body(&cloudapi.CurrencyParameter{Fallback: "$1", Code: "dollar"}), "not a currency code", limit,
		},
		"date without text": {body(&cloudapi.DateTimeParameter{}), "Fallback is empty", limit},
		"no image":          {image("", ""), "neither ID nor Link", false},
		"two images":        {image("1", "https://example.com/a.jpg"), "both ID and Link", false},
		"image on a disk":   {image("", "file:///tmp/a.jpg"), "not an http or https URL", limit},
		"beyond the pole":   {header(&cloudapi.LocationParameter{Latitude: 90.1}), "Latitude is not between", false},
		"no number": {
			header(&cloudapi.LocationParameter{Longitude: math.NaN()}), "Longitude is not between", false,
		},
		"nil button":          {with((*cloudapi.TemplateButton)(nil)), "button without parameter", false},
		"button without type": {button("", a), "not a button type", false},
		"button -1": {
			with(&cloudapi.TemplateButton{Type: "url", Index: -1, Parameter: a}), "Index is -1", limit,
		},
		"button 10": {
			with(&cloudapi.TemplateButton{Type: "url", Index: 10, Parameter: a}), "Index is 10", limit,
		},
		"text of a reply": {
			button(cloudapi.ButtonQuickReply, a), `does not belong to a button of type "quick_reply"`, limit,
		},
		"payload of a link": {
			button(cloudapi.ButtonURL, &cloudapi.PayloadParameter{Payload: "p"}),
			`does not belong to a button of type "url"`, limit,
		},
		"coupon of a link": {
			button(cloudapi.ButtonURL, &cloudapi.CouponCodeParameter{Code: "p"}),
			`does not belong to a button of type "url"`, limit,
		},
		"image of a link": {
			button(cloudapi.ButtonURL, &cloudapi.ImageParameter{MediaSource: cloudapi.MediaSource{ID: "1"}}),
			`does not belong`, limit,
		},
		"named link": {
			button(cloudapi.ButtonURL, &cloudapi.TextParameter{Name: "n", Text: "p"}),
			`only header and body know names`, limit,
		},
		"empty payload": {
			button(cloudapi.ButtonQuickReply, &cloudapi.PayloadParameter{}), "Payload is empty", limit,
		},
		"long payload": {
			button(cloudapi.ButtonQuickReply, &cloudapi.PayloadParameter{Payload: strings.Repeat("p", 257)}),
			"Meta accepts 256", limit,
		},
		"empty coupon": {
			button(cloudapi.ButtonCopyCode, &cloudapi.CouponCodeParameter{}), "Code is empty", limit,
		},
		"long coupon": {
			button(cloudapi.ButtonCopyCode, &cloudapi.CouponCodeParameter{Code: strings.Repeat("p", 21)}),
			"Meta accepts 20", limit,
		},
		"broken component":   {with(&cloudapi.RawComponent{JSON: []byte(`{`)}), "not valid JSON", false},
		"nil component, raw": {with((*cloudapi.RawComponent)(nil)), "not valid JSON", false},
		"broken parameter":   {header(&cloudapi.RawParameter{JSON: []byte(`{`)}), "not valid JSON", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(200, sentBody))
			client := srv.client(t)
			m := text()
			tt.change(&m)
			_, err := client.Messages.Send(t.Context(), phoneID, m)
			require.ErrorIs(t, err, cloudapi.ErrValidation)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "15550100123")
			require.Empty(t, srv.seen())

			m.SkipValidation = true
			_, err = client.Messages.Send(t.Context(), phoneID, m)
			if tt.limit {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.want)
			}
		})
	}
}

func TestLimitsThemselvesAreAllowed(t *testing.T) {
	t.Parallel()
	m := text()
	m.CallbackData = strings.Repeat("ä", 512)
	m.Content = &cloudapi.Text{Body: strings.Repeat("ä", 4096)}
	sent(t, m)
	for _, emoji := range []string{"👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "👍🏽", "❤️", "🇩🇪", "©"} {
		m.Content = &cloudapi.Reaction{MessageID: wamid, Emoji: emoji}
		sent(t, m)
	}
	for _, language := range []string{"en", "en_US", "fil", "pt_BR", "zh_CN"} {
		m.Content = &cloudapi.Template{Name: strings.Repeat("a", 512), Language: language}
		sent(t, m)
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, sentBody))
	_, err := srv.client(t).Messages.Send(t.Context(), "", cloudapi.Message{
		To: cloudapi.ToPhone("x"), CallbackData: strings.Repeat("x", 513),
		Content: &cloudapi.Template{Name: "A", Components: components{
			&cloudapi.TemplateBody{Parameters: params{&cloudapi.TextParameter{Text: "\n"}, &cloudapi.TextParameter{}}},
			&cloudapi.TemplateButton{Type: "url", Index: 12, Parameter: &cloudapi.PayloadParameter{}},
		}},
	})
	require.Len(t, strings.Split(err.Error(), "\n"), 11, "%v", err)
}

func TestSentTellsWhatMetaTold(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want cloudapi.SentMessage
	}{
		"to a number": {
			`{"contacts":[{"input":"+15550100123","wa_id":"15550100123","user_id":"US.1"}],` +
				`"messages":[{"id":"wamid.1","message_status":"held_for_quality_assessment"}]}`,
			cloudapi.SentMessage{
				ID: "wamid.1", Status: cloudapi.SentHeld,
				To: cloudapi.SentContact{Input: "+15550100123", WAID: "15550100123", UserID: "US.1"},
			},
		},
		"to a user": {
			`{"contacts":[{"input":"US.1","user_id":"US.1","parent_user_id":"US.ENT.2"}],` +
				`"messages":[{"id":"wamid.1"}]}`,
			cloudapi.SentMessage{
				ID: "wamid.1", To: cloudapi.SentContact{Input: "US.1", UserID: "US.1", ParentUserID: "US.ENT.2"},
			},
		},
		"to a group": {
			`{"messages":[{"id":"wamid.1","group_id":"Y2Fw"}]}`,
			cloudapi.SentMessage{ID: "wamid.1", GroupID: "Y2Fw"},
		},
		"a number as number, a status of tomorrow": {
			`{"contacts":[{"input":15550100123,"wa_id":15550100123}],"messages":[{"id":"wamid.1",` +
				`"message_status":"blessed"}]}`,
			cloudapi.SentMessage{
				ID: "wamid.1", Status: "blessed",
				To: cloudapi.SentContact{Input: "15550100123", WAID: "15550100123"},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(200, tt.body))
			got, err := srv.client(t).Messages.Send(t.Context(), phoneID, text())
			require.NoError(t, err)
			require.Equal(t, 200, got.Response.Status)
			require.WithinDuration(t, time.Now(), got.At, time.Minute)
			got.Response, got.At = cloudapi.Response{}, time.Time{}
			require.Equal(t, &tt.want, got)
			require.Equal(t,
				graph.Identity{UserID: tt.want.To.UserID, ParentUserID: tt.want.To.ParentUserID, WAID: tt.want.To.WAID},
				got.To.Identity())
		})
	}
}

func TestReadAndTypingOnTheWire(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"success":true}`))
	client := srv.client(t)
	require.NoError(t, client.Messages.MarkRead(t.Context(), phoneID, wamid))
	require.NoError(t, client.Messages.ShowTyping(t.Context(), phoneID, wamid))
	got := srv.seen()
	require.JSONEq(t, `{"messaging_product":"whatsapp","status":"read","message_id":"`+string(wamid)+`"}`, got[0].body)
	require.JSONEq(t,
		`{"messaging_product":"whatsapp","status":"read",`+
			`"message_id":"`+string(wamid)+`","typing_indicator":{"type":"text"}}`,
		got[1].body)
	require.ErrorIs(t, client.Messages.MarkRead(t.Context(), phoneID, ""), cloudapi.ErrValidation)
	require.ErrorIs(t, client.Messages.ShowTyping(t.Context(), "", wamid), cloudapi.ErrValidation)
	require.Len(t, srv.seen(), 2)
}
