package cloudapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

var (
	byID   = cloudapi.MediaSource{ID: "1013859600285441"}
	byLink = cloudapi.MediaSource{Link: "https://example.com/a"}
)

func order() cloudapi.OrderDetails {
	return cloudapi.OrderDetails{
		ReferenceID: "order-1", Goods: cloudapi.GoodsDigital, PaymentType: "br", Currency: "BRL",
		Payments: []cloudapi.PaymentSetting{
			{Type: "payment_link", Details: []byte(`{"uri":"https://example.com/pay"}`)},
		},
		Total: cloudapi.Amount{Value: 5000, Offset: 100},
		Order: cloudapi.Order{
			Status: cloudapi.OrderPending, Subtotal: cloudapi.Amount{Value: 4500, Offset: 100},
			Tax: &cloudapi.Amount{Value: 500, Offset: 100, Description: "tax"},
			Items: []cloudapi.OrderItem{
				{RetailerID: "1", Name: "Cake", Amount: cloudapi.Amount{Value: 4500, Offset: 100}, Quantity: 1},
			},
		},
	}
}

const orderJSON = `{"reference_id":"order-1","type":"digital-goods","payment_type":"br",` +
	`"payment_settings":[{"type":"payment_link",` +
	`"payment_link":{"uri":"https://example.com/pay"}}],"currency":"BRL","total_amount":{"value":5000,` +
	`"offset":100},"order":{"status":"pending",` +
	`"items":[{"retailer_id":"1","name":"Cake","amount":{"value":4500,"offset":100},"quantity":1}],` +
	`"subtotal":{"value":4500,"offset":100},` +
	`"tax":{"value":500,"offset":100,"description":"tax"}}}`

// contents are messages of every type, with the JSON of Meta's pages.
func contents() map[string]struct {
	content cloudapi.Content
	want    string
} {
	type row = struct {
		content cloudapi.Content
		want    string
	}
	interactive := func(action cloudapi.Action, want string) row {
		return row{&cloudapi.Interactive{Body: "Choose", Action: action}, `{"body":{"text":"Choose"},` + want + `}`}
	}
	tpl := func(c cloudapi.TemplateComponent, want string) row {
		return row{
			&cloudapi.Template{Name: "t", Language: "en_US", Components: components{c}},
			`{"name":"t","language":{"code":"en_US"},"components":[` + want + `]}`,
		}
	}
	button := func(kind cloudapi.ButtonType, param cloudapi.TemplateParameter, want string) row {
		return tpl(&cloudapi.TemplateButton{Type: kind, Index: 1, Parameter: param},
			`{"type":"button","sub_type":"`+string(kind)+`","index":"1","parameters":[`+want+`]}`)
	}
	order := order()
	return map[string]row{
		"text": {
			&cloudapi.Text{Body: "See https://example.com", PreviewURL: new(true)},
			`{"preview_url":true,"body":"See https://example.com"}`,
		},
		"image": {&cloudapi.Image{MediaSource: byID, Caption: "c"}, `{"id":"1013859600285441","caption":"c"}`},
		"video": {
			&cloudapi.Video{MediaSource: byLink, Caption: "c"}, `{"link":"https://example.com/a","caption":"c"}`,
		},
		"audio, voice": {
			&cloudapi.Audio{MediaSource: byID, Voice: new(true)}, `{"id":"1013859600285441","voice":true}`,
		},
		"document": {
			&cloudapi.Document{MediaSource: byLink, Filename: "a.pdf", Caption: "c"},
			`{"link":"https://example.com/a","filename":"a.pdf","caption":"c"}`,
		},
		"sticker": {&cloudapi.Sticker{MediaSource: byID}, `{"id":"1013859600285441"}`},
		"location": {
			&cloudapi.Location{Latitude: 37.483307, Longitude: -122.148956, Name: "Pia", Address: "1071 5th Ave"},
			`{"latitude":"37.483307","longitude":"-122.148956","name":"Pia","address":"1071 5th Ave"}`,
		},
		"place of zero": {&cloudapi.Location{}, `{"latitude":"0","longitude":"0"}`},
		"contacts": {
			&cloudapi.Contacts{Cards: []graph.ContactCard{{
				Name: graph.ContactName{
					Formatted: "Barbara J. Johnson", First: "Barbara", Last: "Johnson", Middle: "Joana",
					Suffix: "Esq.", Prefix: "Dr.",
				},
				Phones: []graph.ContactPhone{{Phone: "+15550100123", Type: "Mobile", WAID: "15550100123"}},
				Emails: []graph.ContactEmail{{Email: "b@example.com", Type: "Work"}},
				Addresses: []graph.ContactAddress{
					{
						Street: "1 Lucky Way", City: "Menlo Park", State: "CA", ZIP: "94025",
						Country: "United States", CountryCode: "US", Type: "Home",
					},
				},
				Org:      graph.ContactOrg{Company: "Lucky Shrub", Department: "Legal", Title: "Counsel"},
				URLs:     []graph.ContactURL{{URL: "https://www.example.com", Type: "Company"}},
				Birthday: "1999-01-23",
			}}},
			`[{"name":{"formatted_name":"Barbara J. Johnson","first_name":"Barbara","last_name":"Johnson",` +
				`"middle_name":"Joana","suffix":"Esq.","prefix":"Dr."},` +
				`"phones":[{"phone":"+15550100123","type":"Mobile","wa_id":"15550100123"}],` +
				`"emails":[{"email":"b@example.com","type":"Work"}],` +
				`"addresses":[{"street":"1 Lucky Way","city":"Menlo Park","state":"CA","zip":"94025",` +
				`"country":"United States","country_code":"US","type":"Home"}],` +
				`"org":{"company":"Lucky Shrub","department":"Legal","title":"Counsel"},` +
				`"urls":[{"url":"https://www.example.com","type":"Company"}],"birthday":"1999-01-23"}]`,
		},
		"reaction": {
			&cloudapi.Reaction{MessageID: wamid, Emoji: "😀"}, `{"message_id":"` + string(wamid) + `","emoji":"😀"}`,
		},
		"pin": {
			&cloudapi.Pin{MessageID: wamid, Days: 7},
			`{"type":"pin","message_id":"` + string(wamid) + `","expiration_days":"7"}`,
		},
		"unpin": {
			&cloudapi.Pin{MessageID: wamid, Unpin: true}, `{"type":"unpin","message_id":"` + string(wamid) + `"}`,
		},
		"raw": {&cloudapi.RawContent{Type: "hologram", JSON: []byte(`{"id":"7"}`)}, `{"id":"7"}`},

		"buttons with everything around": {
			&cloudapi.Interactive{
				Header: &cloudapi.Image{MediaSource: byLink}, Body: "Choose", Footer: "small",
				Action: &cloudapi.ReplyButtons{
					Buttons: []cloudapi.ReplyButton{{ID: "a", Title: "A"}, {ID: "b", Title: "B"}},
				},
			},
			`{"type":"button","header":{"type":"image","image":{"link":"https://example.com/a"}},` +
				`"body":{"text":"Choose"},"footer":{"text":"small"},` +
				`"action":{"buttons":[{"type":"reply","reply":{"id":"a","title":"A"}},{"type":"reply",` +
				`"reply":{"id":"b","title":"B"}}]}}`,
		},
		"list": {
			&cloudapi.Interactive{Header: &cloudapi.TextHeader{Text: "H"}, Body: "Choose", Action: &cloudapi.List{
				Button: "Open",
				Sections: []cloudapi.ListSection{
					{Title: "S", Rows: []cloudapi.ListRow{{ID: "1", Title: "One", Description: "first"}}},
				},
			}},
			`{"type":"list","header":{"type":"text","text":"H"},"body":{"text":"Choose"},` +
				`"action":{"button":"Open","sections":[{"title":"S","rows":[{"id":"1","title":"One",` +
				`"description":"first"}]}]}}`,
		},
		"link": {
			&cloudapi.Interactive{
				Header: &cloudapi.Document{MediaSource: byID, Filename: "a.pdf"}, Body: "Choose",
				Action: &cloudapi.LinkButton{Text: "Go", URL: "https://example.com"},
			},
			`{"type":"cta_url","header":{"type":"document","document":{"id":"1013859600285441",` +
				`"filename":"a.pdf"}},"body":{"text":"Choose"},"action":{"name":"cta_url",` +
				`"parameters":{"display_text":"Go","url":"https://example.com"}}}`,
		},
		"flow": interactive(
			&cloudapi.FlowButton{
				FlowID: "1", Text: "Book", FlowToken: "tok", Mode: cloudapi.FlowDraft,
				Action: cloudapi.FlowNavigate, Screen: "FIRST", Data: []byte(`{"a":1}`), Version: "3",
			},
			`"type":"flow","action":{"name":"flow","parameters":{"flow_message_version":"3","flow_id":"1",`+
				`"flow_cta":"Book","flow_token":"tok","mode":"draft","flow_action":"navigate",`+
				`"flow_action_payload":{"screen":"FIRST","data":{"a":1}}}}`),
		"product": interactive(&cloudapi.Product{CatalogID: "1", RetailerID: "2"},
			`"type":"product","action":{"catalog_id":"1","product_retailer_id":"2"}`),
		"product list": {
			&cloudapi.Interactive{
				Header: &cloudapi.TextHeader{Text: "H"}, Body: "Choose",
				Action: &cloudapi.ProductList{CatalogID: "1", Sections: []cloudapi.ProductSection{
					{Title: "S", Products: []cloudapi.ProductItem{{RetailerID: "2"}}},
				}},
			},
			`{"type":"product_list","header":{"type":"text","text":"H"},"body":{"text":"Choose"},` +
				`"action":{"catalog_id":"1","sections":[{"title":"S","product_items":[{"product_retailer_id":"2"}]}]}}`,
		},
		"catalog": interactive(&cloudapi.CatalogButton{Thumbnail: "2"},
			`"type":"catalog_message","action":{"name":"catalog_message",`+
				`"parameters":{"thumbnail_product_retailer_id":"2"}}`),
		"bare catalog": interactive(&cloudapi.CatalogButton{},
			`"type":"catalog_message","action":{"name":"catalog_message"}`),
		"where are you": interactive(&cloudapi.LocationRequest{},
			`"type":"location_request_message","action":{"name":"send_location"}`),
		"who are you": interactive(&cloudapi.ContactInfoRequest{},
			`"type":"request_contact_info","action":{"name":"request_contact_info"}`),
		"may we call": interactive(&cloudapi.CallPermissionRequest{},
			`"type":"call_permission_request","action":{"name":"call_permission_request"}`),
		"call us": interactive(&cloudapi.CallButton{Text: "Call", TTLMinutes: 60, Payload: "p"},
			`"type":"voice_call","action":{"name":"voice_call","parameters":{"display_text":"Call",`+
				`"ttl_minutes":60,"payload":"p"}}`),
		"where to": interactive(
			&cloudapi.AddressRequest{
				Country: "IN", Values: map[string]string{"name": "A"},
				Errors: map[string]string{"in_pin_code": "no"},
				Saved:  []cloudapi.SavedAddress{{ID: "1", Value: map[string]string{"city": "B"}}},
			},
			`"type":"address_message","action":{"name":"address_message","parameters":{"country":"IN",`+
				`"values":{"name":"A"},"saved_addresses":[{"id":"1","value":{"city":"B"}}],`+
				`"validation_errors":{"in_pin_code":"no"}}}`,
		),
		"order details": interactive(&order,
			`"type":"order_details","action":{"name":"review_and_pay","parameters":`+orderJSON+`}`),
		"order status": interactive(
			&cloudapi.OrderStatus{
				ReferenceID: "order-1",
				Order:       cloudapi.OrderProgress{Status: cloudapi.OrderShipped, Description: "d"},
				Payment:     &cloudapi.OrderPayment{Status: "captured", Timestamp: 1795000000},
			},
			`"type":"order_status","action":{"name":"review_order","parameters":{"reference_id":"order-1",`+
				`"order":{"status":"shipped","description":"d"},"payment":{"status":"captured",`+
				`"timestamp":1795000000}}}`,
		),
		"raw interactive": interactive(&cloudapi.RawAction{Type: "dance", JSON: []byte(`{"name":"waltz"}`)},
			`"type":"dance","action":{"name":"waltz"}`),
		"carousel": interactive(
			&cloudapi.Carousel{Cards: []cloudapi.CarouselCard{
				{
					Header: &cloudapi.Image{MediaSource: byLink}, Body: "1",
					Link: &cloudapi.LinkButton{Text: "Buy", URL: "https://example.com/1"},
				},
				{
					Header: &cloudapi.Image{MediaSource: byLink},
					Link:   &cloudapi.LinkButton{Text: "Buy", URL: "https://example.com/2"},
				},
			}},
			`"type":"carousel","action":{"cards":[{"card_index":0,"type":"cta_url","header":{"type":"image",`+
				`"image":{"link":"https://example.com/a"}},"body":{"text":"1"},"action":{"name":"cta_url",`+
				`"parameters":{"display_text":"Buy","url":"https://example.com/1"}}},`+
				`{"card_index":1,"type":"cta_url","header":{"type":"image",`+
				`"image":{"link":"https://example.com/a"}},"action":{"name":"cta_url",`+
				`"parameters":{"display_text":"Buy","url":"https://example.com/2"}}}]}`),
		"carousel of replies": interactive(
			&cloudapi.Carousel{Cards: []cloudapi.CarouselCard{
				{Header: &cloudapi.Video{MediaSource: byID}, Replies: []cloudapi.ReplyButton{{ID: "a", Title: "More"}}},
				{Header: &cloudapi.Video{MediaSource: byID}, Replies: []cloudapi.ReplyButton{{ID: "b", Title: "More"}}},
			}},
			`"type":"carousel","action":{"cards":[{"card_index":0,"type":"cta_url","header":{"type":"video",`+
				`"video":{"id":"1013859600285441"}},"action":{"buttons":[{"type":"quick_reply",`+
				`"quick_reply":{"id":"a","title":"More"}}]}},`+
				`{"card_index":1,"type":"cta_url","header":{"type":"video","video":{"id":"1013859600285441"}},`+
				`"action":{"buttons":[{"type":"quick_reply","quick_reply":{"id":"b","title":"More"}}]}}]}`),
		"carousel of products": interactive(
			&cloudapi.Carousel{
				Cards: []cloudapi.CarouselCard{
					{Product: &cloudapi.Product{CatalogID: "1", RetailerID: "2"}},
					{Product: &cloudapi.Product{CatalogID: "1", RetailerID: "3"}},
				},
			},
			`"type":"carousel","action":{"cards":[{"card_index":0,"type":"product","action":{"catalog_id":"1",`+
				`"product_retailer_id":"2"}},{"card_index":1,"type":"product","action":{"catalog_id":"1",`+
				`"product_retailer_id":"3"}}]}`),

		"template header, product": tpl(
			&cloudapi.TemplateHeader{Parameter: &cloudapi.ProductParameter{CatalogID: "1", RetailerID: "2"}},
			`{"type":"header","parameters":[{"type":"product","product":{"catalog_id":"1",`+
				`"product_retailer_id":"2"}}]}`,
		),
		"template header, gif": tpl(
			&cloudapi.TemplateHeader{Parameter: &cloudapi.GIFParameter{MediaSource: byID}},
			`{"type":"header","parameters":[{"type":"gif","gif":{"id":"1013859600285441"}}]}`,
		),
		"template header, place": tpl(
			&cloudapi.TemplateHeader{Parameter: &cloudapi.LocationParameter{Latitude: 1, Name: "n"}},
			`{"type":"header","parameters":[{"type":"location","location":{"latitude":"1","longitude":"0",`+
				`"name":"n"}}]}`,
		),
		"template header, file": tpl(
			&cloudapi.TemplateHeader{Parameter: &cloudapi.DocumentParameter{MediaSource: byID, Filename: "f"}},
			`{"type":"header","parameters":[{"type":"document","document":{"id":"1013859600285441","filename":"f"}}]}`,
		),
		"template header, video": tpl(
			&cloudapi.TemplateHeader{Parameter: &cloudapi.VideoParameter{MediaSource: byID}},
			`{"type":"header","parameters":[{"type":"video","video":{"id":"1013859600285441"}}]}`,
		),
		"template header, image": tpl(
			&cloudapi.TemplateHeader{Parameter: &cloudapi.ImageParameter{MediaSource: byID}},
			`{"type":"header","parameters":[{"type":"image","image":{"id":"1013859600285441"}}]}`,
		),
		"template body": tpl(&cloudapi.TemplateBody{
			Parameters: params{
				&cloudapi.TextParameter{Name: "a", Text: "b"},
				&cloudapi.CurrencyParameter{Fallback: "$1", Code: "USD", Amount1000: 1000},
				&cloudapi.DateTimeParameter{Fallback: "May"}, &cloudapi.GroupParameter{GroupID: "Y2"},
			},
		},
			`{"type":"body","parameters":[{"type":"text","parameter_name":"a","text":"b"},{"type":"currency",`+
				`"currency":{"fallback_value":"$1","code":"USD","amount_1000":1000}},{"type":"date_time",`+
				`"date_time":{"fallback_value":"May"}},{"type":"group_id","group_id":"Y2"}]}`),
		"template reply": button(cloudapi.ButtonQuickReply, &cloudapi.PayloadParameter{Payload: "p"},
			`{"type":"payload","payload":"p"}`),
		"template link": button(cloudapi.ButtonURL, &cloudapi.TextParameter{Text: "p"},
			`{"type":"text","text":"p"}`),
		"template coupon": button(cloudapi.ButtonCopyCode, &cloudapi.CouponCodeParameter{Code: "p"},
			`{"type":"coupon_code","coupon_code":"p"}`),
		"template catalog": button(cloudapi.ButtonCatalog, &cloudapi.CatalogParameter{Thumbnail: "2"},
			`{"type":"action","action":{"thumbnail_product_retailer_id":"2"}}`),
		"template products": button(cloudapi.ButtonProducts,
			&cloudapi.ProductsParameter{
				Thumbnail: "2",
				Sections:  []cloudapi.ProductSection{{Products: []cloudapi.ProductItem{{RetailerID: "2"}}}},
			},
			`{"type":"action","action":{"thumbnail_product_retailer_id":"2",`+
				`"sections":[{"product_items":[{"product_retailer_id":"2"}]}]}}`),
		"template flow": button(cloudapi.ButtonFlow,
			&cloudapi.FlowParameter{FlowToken: "tok", Data: []byte(`{"a":1}`)},
			`{"type":"action","action":{"flow_token":"tok","flow_action_data":{"a":1}}}`),
		"template order details": button(cloudapi.ButtonOrderDetails, &cloudapi.OrderDetailsParameter{Order: order},
			`{"type":"action","action":{"order_details":`+orderJSON+`}}`),
		"template call": button(cloudapi.ButtonVoiceCall,
			&cloudapi.CallButtonParameter{TTLMinutes: 60, Payload: "p"},
			`{"type":"ttl_minutes","ttl_minutes":60},{"type":"payload","payload":"p"}`),
		"template raw button": button("dance", &cloudapi.RawParameter{JSON: []byte(`{"type":"step","step":1}`)},
			`{"type":"step","step":1}`),
		"template offer": tpl(&cloudapi.TemplateOffer{ExpiresAt: time.UnixMilli(1795000000123).UTC()},
			`{"type":"limited_time_offer","parameters":[{"type":"limited_time_offer",`+
				`"limited_time_offer":{"expiration_time_ms":1795000000123}}]}`),
		"template order status": tpl(
			&cloudapi.TemplateOrderStatus{
				ReferenceID: "1", Order: cloudapi.OrderProgress{Status: cloudapi.OrderShipped, Description: "d"},
			},
			`{"type":"order_status","parameters":[{"type":"order_status","order_status":{"reference_id":"1",`+
				`"order":{"status":"shipped","description":"d"}}}]}`,
		),
		"template tap target": tpl(&cloudapi.TemplateTapTarget{URL: "https://example.com", Title: "T"},
			`{"type":"tap_target_configuration","parameters":[{"type":"tap_target_configuration",`+
				`"tap_target_configuration":[{"url":"https://example.com","title":"T"}]}]}`),
		"template carousel": tpl(
			&cloudapi.TemplateCarousel{Cards: []cloudapi.TemplateCard{
				{&cloudapi.TemplateHeader{Parameter: &cloudapi.ImageParameter{MediaSource: byID}}},
				{
					&cloudapi.TemplateBody{Parameters: params{&cloudapi.TextParameter{Text: "x"}}},
					&cloudapi.TemplateButton{Type: cloudapi.ButtonURL, Parameter: &cloudapi.TextParameter{Text: "y"}},
				},
			}},
			`{"type":"carousel","cards":[{"card_index":0,"components":[{"type":"header",`+
				`"parameters":[{"type":"image","image":{"id":"1013859600285441"}}]}]},`+
				`{"card_index":1,"components":[{"type":"body","parameters":[{"type":"text","text":"x"}]},`+
				`{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"y"}]}]}]}`),
		"template raw component": tpl(&cloudapi.RawComponent{JSON: []byte(`{"type":"dance"}`)}, `{"type":"dance"}`),
	}
}

func TestEveryContentOnTheWireAndBack(t *testing.T) {
	t.Parallel()
	for name, tt := range contents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := text()
			m.Content = tt.content
			if tt.content.MessageType() == "pin" {
				m.To = cloudapi.ToGroup("Y2FwaV9ncm91cDo")
			}
			m.ReplyTo, m.CallbackData, m.IdentityKeyHash, m.MessagingAccount = "wamid.quoted", "order-1", "hash", "7"
			if tt.content.MessageType() == "reaction" {
				m.ReplyTo = ""
			}
			body := sent(t, m)
			var members map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(body), &members))
			require.JSONEq(t, tt.want, string(members[tt.content.MessageType()]))

			var again cloudapi.Message
			require.NoError(t, json.Unmarshal([]byte(body), &again))
			require.Equal(t, m, again)
			kept, err := json.Marshal(m)
			require.NoError(t, err)
			require.JSONEq(t, body, string(kept))
		})
	}
}

// A type that is in no row is one that no test covers.
func TestContentsHaveARowForEveryType(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, tt := range contents() {
		seen[tt.content.MessageType()] = true
		if i, ok := tt.content.(*cloudapi.Interactive); ok {
			seen[i.Action.InteractiveType()] = true
		}
	}
	for want := range strings.FieldsSeq(`
		text image video audio document sticker location contacts reaction interactive template pin
		button list cta_url flow product product_list catalog_message location_request_message address_message
		call_permission_request voice_call carousel request_contact_info order_details order_status`) {
		require.True(t, seen[want], want)
	}
}

func TestSummariesAreWhatPeopleRead(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for name, tt := range contents() {
		got[name] = tt.content.Summary()
	}
	for name, want := range map[string]string{
		"text": "See https://example.com", "image": "c", "video": "c", "document": "c", "sticker": "",
		"audio, voice": "", "location": "Pia",
		"contacts": "Barbara J. Johnson", "reaction": "😀", "pin": "", "list": "Choose", "template flow": "t", "raw": "",
	} {
		require.Equal(t, want, got[name], name)
	}
	require.Equal(t, "1071 5th Ave", (&cloudapi.Location{Address: "1071 5th Ave"}).Summary())
}

func TestContentThatBreaksARule(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("ä", n) }
	act := func(a cloudapi.Action) cloudapi.Content { return &cloudapi.Interactive{Body: "b", Action: a} }
	buttons := func(b ...cloudapi.ReplyButton) cloudapi.Content { return act(&cloudapi.ReplyButtons{Buttons: b}) }
	rows := func(n int) []cloudapi.ListRow {
		var list []cloudapi.ListRow
		for i := range n {
			list = append(list, cloudapi.ListRow{ID: string(rune('a' + i)), Title: "t"})
		}
		return list
	}
	list := func(s ...cloudapi.ListSection) cloudapi.Content { return act(&cloudapi.List{Button: "b", Sections: s}) }
	ok := &cloudapi.ReplyButtons{Buttons: []cloudapi.ReplyButton{{ID: "a", Title: "A"}}}
	card := cloudapi.CarouselCard{
		Header: &cloudapi.Image{MediaSource: byID},
		Link:   &cloudapi.LinkButton{Text: "t", URL: "https://example.com"},
	}
	cards := func(change func(*cloudapi.CarouselCard)) cloudapi.Content {
		second := card
		change(&second)
		return act(&cloudapi.Carousel{Cards: []cloudapi.CarouselCard{card, second}})
	}
	wrongSum := order()
	wrongSum.Total.Value = 1
	part := func(c cloudapi.TemplateComponent) cloudapi.Content {
		return &cloudapi.Template{Name: "t", Language: "en", Components: components{c}}
	}
	tests := map[string]struct {
		content cloudapi.Content
		want    string
	}{
		"nil image":       {(*cloudapi.Image)(nil), "Image is nil"},
		"nil video":       {(*cloudapi.Video)(nil), "Video is nil"},
		"nil audio":       {(*cloudapi.Audio)(nil), "Audio is nil"},
		"nil document":    {(*cloudapi.Document)(nil), "Document is nil"},
		"nil sticker":     {(*cloudapi.Sticker)(nil), "Sticker is nil"},
		"nil location":    {(*cloudapi.Location)(nil), "Location is nil"},
		"nil contacts":    {(*cloudapi.Contacts)(nil), "Contacts are nil"},
		"nil pin":         {(*cloudapi.Pin)(nil), "Pin is nil"},
		"nil interactive": {(*cloudapi.Interactive)(nil), "Interactive is nil"},
		"no source":       {&cloudapi.Sticker{}, "neither ID nor Link"},
		"two sources": {
			&cloudapi.Image{MediaSource: cloudapi.MediaSource{ID: "1", Link: "https://example.com"}},
			"both ID and Link",
		},
		"caption": {
			&cloudapi.Video{MediaSource: byID, Caption: long(1025)},
			"Video.Caption has 1025 characters; Meta accepts 1024",
		},
		"pole":     {&cloudapi.Location{Latitude: 91}, "Latitude is not between"},
		"no cards": {&cloudapi.Contacts{}, "Contacts.Cards is empty"},
		"258 cards": {
			&cloudapi.Contacts{Cards: make([]graph.ContactCard, 258)}, "258 elements; Meta accepts 257",
		},
		"nameless card": {&cloudapi.Contacts{Cards: make([]graph.ContactCard, 1)}, "Name.Formatted is empty"},
		"half a name": {
			&cloudapi.Contacts{Cards: []graph.ContactCard{{Name: graph.ContactName{Formatted: "A"}}}},
			"has only Formatted",
		},
		"pin for ever": {&cloudapi.Pin{MessageID: wamid, Days: 31}, "Days is 31"},
		"no action":    {&cloudapi.Interactive{Body: "b"}, "Action is nil"},
		"nil action":   {act((*cloudapi.List)(nil)), "Action is nil"},
		"no body":      {&cloudapi.Interactive{Action: ok}, "Body is empty"},
		"long body":    {&cloudapi.Interactive{Body: long(1025), Action: ok}, "Body has 1025 characters"},
		"long footer": {
			&cloudapi.Interactive{Body: "b", Footer: long(61), Action: ok}, "Footer has 61 characters",
		},
		"footer too many": {
			&cloudapi.Interactive{Body: "b", Footer: "f", Action: &cloudapi.LocationRequest{}}, "Footer is set",
		},
		"long header": {
			&cloudapi.Interactive{Header: &cloudapi.TextHeader{Text: long(61)}, Body: "b", Action: ok},
			"Header.Text has 61",
		},
		"header too many": {
			&cloudapi.Interactive{
				Header: &cloudapi.TextHeader{Text: "h"}, Body: "b",
				Action: &cloudapi.Product{CatalogID: "1", RetailerID: "2"},
			},
			`Header is one of type "text"`,
		},
		"video of a list": {
			&cloudapi.Interactive{Header: &cloudapi.Video{MediaSource: byID}, Body: "b", Action: &cloudapi.List{}},
			`Header is one of type "video"`,
		},
		"caption of a header": {
			&cloudapi.Interactive{Header: &cloudapi.Image{MediaSource: byID, Caption: "c"}, Body: "b", Action: ok},
			"has a Caption",
		},
		"nil inside": {
			&cloudapi.Interactive{Header: (*cloudapi.Image)(nil), Body: "b", Action: ok}, "Header is nil inside",
		},
		"no header":  {act(&cloudapi.ProductList{CatalogID: "1"}), "needs one with text"},
		"no buttons": {buttons(), "Buttons is empty"},
		"four buttons": {
			act(&cloudapi.ReplyButtons{Buttons: make([]cloudapi.ReplyButton, 4)}), "4 elements; Meta accepts 3",
		},
		"long title": {
			buttons(cloudapi.ReplyButton{ID: "a", Title: long(21)}), "Title has 21 characters; Meta accepts 20",
		},
		"long id": {buttons(cloudapi.ReplyButton{ID: long(257), Title: "t"}), "ID has 257"},
		"same title": {
			buttons(cloudapi.ReplyButton{ID: "a", Title: "t"}, cloudapi.ReplyButton{ID: "b", Title: "t"}),
			"Title is that of an earlier one",
		},
		"eleven rows in all": {
			list(cloudapi.ListSection{Title: "1", Rows: rows(6)}, cloudapi.ListSection{Title: "2", Rows: rows(5)}),
			"11 rows in all",
		},
		"untitled section": {
			list(cloudapi.ListSection{Rows: rows(1)}, cloudapi.ListSection{Title: "2", Rows: rows(1)}),
			"Sections[0].Title is empty",
		},
		"empty section": {list(cloudapi.ListSection{}), "Rows is empty"},
		"long description": {
			list(cloudapi.ListSection{Rows: []cloudapi.ListRow{{ID: "1", Title: "t", Description: long(73)}}}),
			"Description has 73",
		},
		"no web page": {
			act(&cloudapi.LinkButton{Text: "t", URL: "example.com"}), "URL is not an http or https URL",
		},
		"two flows": {
			act(&cloudapi.FlowButton{FlowID: "1", FlowName: "n", Text: "t"}), "one of FlowID and FlowName",
		},
		"no flow": {act(&cloudapi.FlowButton{Text: "t"}), "one of FlowID and FlowName"},
		"empty data": {
			act(&cloudapi.FlowButton{FlowID: "1", Text: "t", Data: []byte(`{}`)}), "object with members",
		},
		"data of the endpoint": {
			act(&cloudapi.FlowButton{FlowID: "1", Text: "t", Action: cloudapi.FlowDataExchange, Screen: "S"}),
			"for FlowNavigate",
		},
		"31 products": {
			&cloudapi.Interactive{
				Header: &cloudapi.TextHeader{Text: "h"}, Body: "b",
				Action: &cloudapi.ProductList{
					CatalogID: "1",
					Sections:  []cloudapi.ProductSection{{Products: make([]cloudapi.ProductItem, 31)}},
				},
			},
			"31 products",
		},
		"call for ever": {act(&cloudapi.CallButton{TTLMinutes: 43201}), "TTLMinutes is 43201"},
		"one card": {
			act(&cloudapi.Carousel{Cards: []cloudapi.CarouselCard{card}}), "1 elements; Meta wants at least 2",
		},
		"another header": {
			cards(func(c *cloudapi.CarouselCard) { c.Header = &cloudapi.Video{MediaSource: byID} }),
			"made differently",
		},
		"text header of card": {
			cards(func(c *cloudapi.CarouselCard) { c.Header = &cloudapi.TextHeader{Text: "t"} }),
			"no Image or Video",
		},
		"link and replies": {
			cards(func(c *cloudapi.CarouselCard) { c.Replies = []cloudapi.ReplyButton{{ID: "a", Title: "t"}} }),
			"one of Link, Replies and Product",
		},
		"three line breaks": {cards(func(c *cloudapi.CarouselCard) { c.Body = "\n\n\n" }), "3 line breaks"},
		"wrong sum":         {act(&wrongSum), "Total is not subtotal"},
		"no reference":      {act(&cloudapi.OrderStatus{}), "ReferenceID is empty"},
		"raw action":        {act(&cloudapi.RawAction{Type: "x", JSON: []byte("{")}), "not valid JSON"},
		"one template card": {
			part(&cloudapi.TemplateCarousel{Cards: make([]cloudapi.TemplateCard, 1)}), "wants at least 2",
		},
		"offer on a card": {
			part(&cloudapi.TemplateCarousel{
				Cards: []cloudapi.TemplateCard{{&cloudapi.TemplateOffer{ExpiresAt: time.Now()}}, {}},
			}),
			"does not belong on a card",
		},
		"offer without end": {part(&cloudapi.TemplateOffer{}), "without ExpiresAt"},
		"flow of a catalog": {
			part(&cloudapi.TemplateButton{Type: cloudapi.ButtonCatalog, Parameter: &cloudapi.FlowParameter{}}),
			`does not belong to a button of type "catalog"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := text()
			m.Content = tt.content
			err := m.Check()
			require.ErrorIs(t, err, cloudapi.ErrValidation)
			require.ErrorContains(t, err, tt.want)
			require.NotEmpty(t, cloudapi.ValidationErrors(err))
		})
	}
}

func TestProblemsSayWhatKindTheyAre(t *testing.T) {
	t.Parallel()
	m := cloudapi.Message{Content: &cloudapi.Text{Body: strings.Repeat("x", 4097)}}
	got := cloudapi.ValidationErrors(m.Check())
	require.Len(t, got, 2)
	require.True(t, got[0].Missing && !got[0].Limit)
	require.True(t, got[1].Limit && !got[1].Missing)
	require.Nil(t, cloudapi.ValidationErrors(nil))
}

func TestGroupsTakeLess(t *testing.T) {
	t.Parallel()
	m := text()
	m.To = cloudapi.ToGroup("Y2FwaV9ncm91cDo")
	require.NoError(t, m.Check())
	m.Content = contents()["list"].content
	require.ErrorContains(t, m.Check(), "a group takes no interactive message")
	m = text()
	m.Content = contents()["pin"].content
	require.ErrorContains(t, m.Check(), "only a group has pins")
}

// Whatever may be in a request body, decoding ends with an error or with a message that encodes.
func FuzzMessage(f *testing.F) {
	for _, name := range slices.Sorted(maps.Keys(contents())) {
		m := text()
		m.Content = contents()[name].content
		b, err := json.Marshal(m)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte(
		`{"to":"x","type":"template","template":{"components":[{"type":"button","sub_type":"voice_call",` +
			`"parameters":[{}]}]}}`,
	))
	f.Fuzz(func(t *testing.T, body []byte) {
		var m cloudapi.Message
		if json.Unmarshal(body, &m) != nil || m.Check() != nil {
			return
		}
		again, err := json.Marshal(m)
		require.NoError(t, err)
		var second cloudapi.Message
		require.NoError(t, json.Unmarshal(again, &second))
		third, err := json.Marshal(second)
		require.NoError(t, err)
		require.JSONEq(t, string(again), string(third))
	})
}

// Meta documents neither the origin nor the vCard nor user ids for cards that are sent.
func TestReceivedCardIsForwardedAsItIs(t *testing.T) {
	t.Parallel()
	received := `{"name":{"formatted_name":"Barbara J.","first_name":"Barbara"},"phones":[{"phone":"+15550100123",` +
		`"wa_id":"15550100123","user_id":"US.1"}],` +
		`"org":{"company":"Lucky Shrub"},"birthday":"1999-01-23","origin":"other","vcard":"BEGIN:VCARD"}`
	var card graph.ContactCard
	require.NoError(t, json.Unmarshal([]byte(received), &card))
	cards := []graph.ContactCard{card}
	sent, err := json.Marshal(&cloudapi.Contacts{Cards: cards})
	require.NoError(t, err)
	require.JSONEq(t, `[{"name":{"formatted_name":"Barbara J.","first_name":"Barbara"},`+
		`"phones":[{"phone":"+15550100123","wa_id":"15550100123"}],`+
		`"org":{"company":"Lucky Shrub"},"birthday":"1999-01-23"}]`, string(sent))
	require.Equal(t, graph.UserID("US.1"), cards[0].Phones[0].UserID, "the host's card is left alone")
}
