package cloudapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// meta plays the Graph API: it answers each path with one body, and with an error where the body is
// one.
func meta(bodies map[string]string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := bodies[strings.TrimPrefix(r.URL.Path, "/v25.0")]
		if strings.HasPrefix(body, `{"error"`) {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, body)
	}))
}

func exampleClient(srv *httptest.Server) *cloudapi.Client {
	client, err := cloudapi.NewClient(cloudapi.Config{
		AppID: "400000000000004", AppSecret: "app-secret", AccessToken: "business-token", BaseURL: srv.URL,
	})
	if err != nil {
		panic(err)
	}
	return client
}

func ExampleNewClient() {
	_, err := cloudapi.NewClient(cloudapi.Config{Version: "25", BaseURL: "http://graph.facebook.com"})
	fmt.Println(err)
	// Output:
	// cloudapi: Config.Version "25" does not look like "v25.0"
	// cloudapi: Config.BaseURL must be https: tokens would travel in the clear
}

// A SaaS has one client, and a copy of it for each business.
func ExampleClient_WithToken() {
	srv := meta(map[string]string{"/me": `{"client_business_id":"300000000000003","id":"1"}`})
	defer srv.Close()
	app := exampleClient(srv)

	business := app.WithToken("token-of-one-business")
	id, err := business.Businesses.Me(context.Background())
	fmt.Println(id, err)
	// Output: 300000000000003 <nil>
}

func ExampleMessagesService_Send() {
	srv := meta(map[string]string{
		"/100000000000001/messages": `{"contacts":[{"input":"+15550100123","wa_id":"15550100123"}],` +
			`"messages":[{"id":"wamid.1"}]}`,
	})
	defer srv.Close()
	client := exampleClient(srv)

	sent, err := client.Messages.Send(context.Background(), "100000000000001", cloudapi.Message{
		To:           cloudapi.ToPhone("+1 555 010 0123"),
		CallbackData: "order-991/confirmation", // comes back with every status
		Content:      &cloudapi.Text{Body: "Your order is on its way."},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(sent.ID, sent.To.WAID)
	// Output: wamid.1 15550100123
}

// More than a day after the customer wrote, only a template may be sent.
func ExampleMessagesService_Send_template() {
	srv := meta(map[string]string{
		"/100000000000001/messages": `{"messages":[{"id":"wamid.2","message_status":"accepted"}]}`,
	})
	defer srv.Close()
	client := exampleClient(srv)

	sent, err := client.Messages.Send(context.Background(), "100000000000001", cloudapi.Message{
		To: cloudapi.ToUser("US.13491208655302741918"),
		Content: &cloudapi.Template{
			Name:     "order_confirmation",
			Language: "en_US",
			Components: []cloudapi.TemplateComponent{
				&cloudapi.TemplateHeader{Parameter: &cloudapi.ImageParameter{
					MediaSource: cloudapi.MediaSource{Link: "https://example.com/order.jpg"},
				}},
				&cloudapi.TemplateBody{Parameters: []cloudapi.TemplateParameter{
					&cloudapi.TextParameter{Name: "first_name", Text: "Jessica"},
					&cloudapi.TextParameter{Name: "order", Text: "SK-1"},
				}},
				&cloudapi.TemplateButton{Type: cloudapi.ButtonURL, Parameter: &cloudapi.TextParameter{Text: "sk-1"}},
			},
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(sent.Status)
	// Output: accepted
}

func ExampleError() {
	srv := meta(map[string]string{
		"/100000000000001/messages": `{"error":{"message":"(#131047) Re-engagement message","code":131047,` +
			`"fbtrace_id":"AbC"}}`,
	})
	defer srv.Close()
	client := exampleClient(srv)

	_, err := client.Messages.Send(context.Background(), "100000000000001", cloudapi.Message{
		To:      cloudapi.ToPhone("+15550100123"),
		Content: &cloudapi.Text{Body: "Are you still there?"},
	})
	if errors.Is(err, graph.CodeReengagementMessage) {
		fmt.Println("the window is closed: send a template")
	}
	if e, ok := errors.AsType[*cloudapi.Error](err); ok {
		fmt.Println(e.Outcome, e.TraceID)
	}
	// Output:
	// the window is closed: send a template
	// refused AbC
}

// Every rule that a request breaks is told at once, and nothing is sent.
func ExampleMessage() {
	client, err := cloudapi.NewClient(cloudapi.Config{AccessToken: "business-token"})
	if err != nil {
		panic(err)
	}
	_, err = client.Messages.Send(context.Background(), "100000000000001", cloudapi.Message{
		To:      cloudapi.ToPhone("555"),
		Content: &cloudapi.Reaction{Emoji: "great"},
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, cloudapi.ErrValidation))
	// Output:
	// cloudapi: the request is not valid and was not sent
	// cloudapi: the message is for something that is not a phone number in international form (country code and number, 7 to 15 digits)
	// cloudapi: Reaction.MessageID is empty
	// cloudapi: Reaction.Emoji is not an emoji
	// true
}

// After a signup: see that the number coexists, then ask the app for its contacts. Both kinds work
// once, within a day.
func ExamplePhonesService_SyncAppData() {
	srv := meta(map[string]string{
		"/100000000000001":              `{"id":"100000000000001","is_on_biz_app":true,"platform_type":"CLOUD_API"}`,
		"/100000000000001/smb_app_data": `{"messaging_product":"whatsapp","request_id":"0A1B2C3D4E5F607182"}`,
	})
	defer srv.Close()
	client := exampleClient(srv)
	ctx := context.Background()

	phone, err := client.Phones.Get(ctx, "100000000000001", cloudapi.PhoneGetOptions{})
	if err != nil {
		panic(err)
	}
	if phone.Coexists() {
		request, err := client.Phones.SyncAppData(ctx, phone.ID, cloudapi.SyncContacts)
		fmt.Println(request, err)
	}
	// Output: 0A1B2C3D4E5F607182 <nil>
}

func ExamplePhonesService_List() {
	srv := meta(map[string]string{
		"/200000000000002/phone_numbers": `{"data":[{"id":"100000000000001","verified_name":"Shop",` +
			`"status":"CONNECTED"}]}`,
	})
	defer srv.Close()
	client := exampleClient(srv)

	for phone, err := range client.Phones.List(context.Background(), "200000000000002", cloudapi.PhoneListOptions{}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(phone.ID, phone.VerifiedName, phone.Status)
	}
	// Output: 100000000000001 Shop CONNECTED
}

func ExampleOAuthService_Exchange() {
	srv := meta(map[string]string{
		"/oauth/access_token": `{"access_token":"token-of-one-business","token_type":"bearer"}`,
	})
	defer srv.Close()
	app := exampleClient(srv)

	got, err := app.OAuth.Exchange(context.Background(), cloudapi.CodeExchangeParams{Code: "code-of-the-signup"})
	if err != nil {
		panic(err)
	}
	fmt.Println(got.Token) // it does not print itself; store got.Token.Reveal(), encrypted
	_ = app.WithToken(got.Token)
	// Output: [secret]
}

func ExampleWABAsService_Subscribe() {
	srv := meta(map[string]string{
		"/200000000000002/subscribed_apps": `{"data":[{"whatsapp_business_api_data":{"id":"400000000000004"}}]}`,
	})
	defer srv.Close()
	client := exampleClient(srv)

	fmt.Println(client.WABAs.Subscribe(context.Background(), "200000000000002"))
	// Output: <nil>
}

func ExampleDo() {
	srv := meta(map[string]string{
		"/100000000000001/whatsapp_business_profile": `{"data":[{"about":"Open from 9 to 5"}]}`,
	})
	defer srv.Close()
	client := exampleClient(srv)

	type profiles struct {
		Data []struct {
			About string `json:"about"`
		} `json:"data"`
	}
	got, err := cloudapi.Do[profiles](context.Background(), client, cloudapi.Request{
		Method: http.MethodGet,
		Path:   "/{phone-number-id}/whatsapp_business_profile",
		IDs:    []string{"100000000000001"},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(got.Data[0].About)
	// Output: Open from 9 to 5
}
