package signup_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A flow for the numbers of the WhatsApp Business app. All mistakes of a Config are told at once.
func ExampleNewFlow() {
	_, err := signup.NewFlow(signup.Config{})
	fmt.Println(err != nil)
	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	flow, err := signup.NewFlow(signup.Config{ConfigurationID: "900000000000001", Client: client})
	fmt.Println(flow != nil, err)
	// Output:
	// true
	// true <nil>
}

// A page that shows how far a signup has come.
func ExampleFlow_Status() {
	flow, err := newFlow("")
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	attempt, err := flow.StartAttempt(ctx, "tenant-1")
	if err != nil {
		log.Fatal(err)
	}
	status, err := flow.Status(ctx, attempt.State, "tenant-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.Phase)
	_, err = flow.Status(ctx, attempt.State, "tenant-2")
	if e, ok := errors.AsType[*signup.Error](err); ok {
		fmt.Println(e.Outcome)
	}
	// Output:
	// open
	// wrong_tenant
}

// Attempts that wait for something, for a page of support.
func ExampleFlow_Attempts() {
	srv := httptest.NewServer(happy()) // stands for Meta
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
	_, err = flow.Finish(ctx, signup.Submission{State: attempt.State, Tenant: "tenant-1", Code: "AQB…"})
	if err != nil {
		log.Fatal(err)
	}
	attempts, err := flow.Attempts(ctx, "tenant-1")
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range attempts {
		fmt.Println(a.Tenant, a.Phase)
	}
	// Output: tenant-1 ended
}

// The steps of a progress display.
func ExampleFlow_Steps() {
	flow, err := newFlow("")
	if err != nil {
		log.Fatal(err)
	}
	steps := flow.Steps()
	fmt.Println(steps[0], steps[len(steps)-1])
	// Output: state ready
}

// A business leaves, and its data with it.
func ExampleFlow_Forget() {
	flow, err := newFlow("")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(flow.Forget(context.Background(), "400000000000001"))
	// Output: <nil>
}

// Headers of the page with the signup: the popup may talk to it, and little else is loaded.
func ExampleFlow_PageHeaders() {
	flow, err := newFlow("")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(flow.PageHeaders().Get("Cross-Origin-Opener-Policy"))
	// Output: same-origin-allow-popups
}

// Which versions of the popup still work on a day?
func ExampleVersions() {
	today := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for _, v := range signup.Versions() {
		if v.Until.IsZero() || today.Before(v.Until) {
			fmt.Println(v.Version)
		}
	}
	// Output:
	// v4-public-preview
	// v4
}
