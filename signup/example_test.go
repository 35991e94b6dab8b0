package signup_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func ExampleParseSessionInfo() {
	s, err := signup.ParseSessionInfo([]byte(`{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING",
		"data":{"waba_id":"500000000000001"}}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Kind(), s.WABAID, s.PhoneNumberID == "")

	s, err = signup.ParseSessionInfo([]byte(`{"type":"WA_EMBEDDED_SIGNUP","event":"CANCEL",
		"data":{"current_step":"PHONE_NUMBER_SETUP"}}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Kind(), s.CurrentStep)

	_, err = signup.ParseSessionInfo([]byte(`"cb=f1&origin=https%3A%2F%2Fapp.example.com"`)) // the SDK talks to itself
	fmt.Println(errors.Is(err, signup.ErrNotSessionInfo))
	// Output:
	// coexistence 500000000000001 true
	// canceled PHONE_NUMBER_SETUP
	// true
}

func ExampleParseLoginResponse() {
	c, err := signup.ParseLoginResponse([]byte(`{"status":"connected","authResponse":{
		"code":"AQB…","userID":null,"expiresIn":null}}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Status, c.Code, c.Err())
	// Output: connected [secret] <nil>
}

func ExampleParseRedirect() {
	r, err := signup.ParseRedirect("error=access_denied&error_reason=user_denied&state=the-nonce")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.State.Reveal())
	fmt.Println(r.Err())
	// Output:
	// the-nonce
	// signup: session: canceled: The signup was not finished. Start again at any time
}

func newFlow(baseURL string) (*signup.Flow, error) {
	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: "app-secret", BaseURL: baseURL})
	if err != nil {
		return nil, err
	}
	return signup.NewFlow(signup.Config{ConfigurationID: "900000000000001", Client: client})
}

func ExampleFlow_Launch() {
	flow, err := newFlow("")
	if err != nil {
		log.Fatal(err)
	}
	launch, err := flow.Launch(signup.LaunchOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("FB.init version:", launch.Init.Version)
	fmt.Println("feature type:", *launch.Login.Extras.FeatureType)

	u, err := launch.RedirectURL("the-nonce", "https://app.example.com/whatsapp/back") // for pages without Meta's SDK
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(u[:len("https://www.facebook.com/v25.0/dialog/oauth")])
	// Output:
	// FB.init version: v25.0
	// feature type: whatsapp_business_app_onboarding
	// https://www.facebook.com/v25.0/dialog/oauth
}

func ExampleFlow_Finish() {
	srv := httptest.NewServer(happy()) // stands for Meta
	defer srv.Close()
	flow, err := newFlow(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	attempt, err := flow.StartAttempt(ctx, "tenant-1") // when the page is rendered
	if err != nil {
		log.Fatal(err)
	}

	// The page sends back what the popup gave.
	message := `{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING",
		"data":{"waba_id":"500000000000001"}}`
	session, err := signup.ParseSessionInfo([]byte(message))
	if err != nil {
		log.Fatal(err)
	}
	business, err := flow.Finish(ctx, signup.Submission{
		State: attempt.State, Tenant: "tenant-1", Code: "AQB…", Session: session,
	})
	if e, ok := errors.AsType[*signup.Error](err); ok {
		fmt.Println(e.Outcome, e.Advice()) // and business, if not nil, waits to be resumed
		return
	}
	fmt.Println(business.Outcome, business.WABAIDs, business.Phone.ID, business.Phone.Coexists())
	// Output: ready [500000000000001] 400000000000001 true
}

func ExampleFlow_ResumeConnection() {
	srv := httptest.NewServer(newMeta(map[string][]number{
		"500000000000001": {
			coexisting("400000000000001", "+1 555 010 0199"), coexisting("400000000000002", "+1 555 010 0198"),
		},
	}))
	defer srv.Close()
	flow, err := newFlow(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	attempt, err := flow.StartAttempt(ctx, "tenant-1")
	if err != nil {
		log.Fatal(err)
	}
	business, err := flow.Finish(ctx, signup.Submission{State: attempt.State, Tenant: "tenant-1", Code: "AQB…"})
	if e, ok := errors.AsType[*signup.Error](err); ok && e.Outcome == signup.OutcomeChooseNumber {
		fmt.Println(e.Advice())
		business, err = flow.ResumeConnection(ctx, business, business.Numbers[1].Phone.ID)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(business.Outcome, business.Phone.ID)
	// Output:
	// Several numbers can be connected. Choose one.
	// ready 400000000000002
}

func ExampleFlow_Handler() {
	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	taken := map[graph.PhoneNumberID]string{} // the host's database
	flow, err := signup.NewFlow(signup.Config{
		ConfigurationID: "900000000000001", Client: client,
		Page: signup.PageConfig{
			Prefix: "/whatsapp/signup/",
			Tenant: func(r *http.Request) (string, error) { return "tenant-1", nil }, // from the host's own session
		},
		Reserve: func(_ context.Context, tenant string, _ graph.WABAID, phone graph.PhoneNumberID) error {
			if other, ok := taken[phone]; ok && other != tenant {
				return signup.ErrTaken
			}
			return nil
		},
		Connected: func(_ context.Context, b *signup.Connection) error {
			taken[b.Phone.ID] = b.Tenant // store b.Token encrypted, then request contacts and history
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/whatsapp/signup/", flow.Handler())

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/whatsapp/signup/begin", nil))
	fmt.Println(w.Code, w.Header().Get("Cache-Control"))
	// Output: 200 no-store
}
