// Connect serves the page on which a business connects its number, at /signup/.
package main

import (
	"cmp"
	"context"
	"errors"
	"log"
	"net/http"
	"os"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func main() {
	// The app's id and secret are all that the signup needs; each business gets a token of its own.
	client, err1 := cloudapi.NewClient(cloudapi.Config{
		AppID: graph.AppID(os.Getenv("META_APP_ID")), AppSecret: graph.Secret(os.Getenv("META_APP_SECRET")),
		BaseURL: os.Getenv("META_GRAPH_URL"), // empty for Meta, as META_SDK_URL
	})
	rules, err2 := eligibility.ParsePolicy(os.Getenv("ELIGIBILITY_POLICY")) // empty, a date or "today"
	flow, err3 := signup.NewFlow(signup.Config{
		ConfigurationID: os.Getenv("META_CONFIGURATION_ID"), Client: client,
		Page: signup.PageConfig{Tenant: tenant, Check: eligibility.PageCheck(rules), SDKURL: os.Getenv("META_SDK_URL")},
		Connected: func(_ context.Context, b *signup.Connection) error {
			log.Println(b.Tenant, "connected number", b.Phone.ID) // store b here, its token encrypted
			return nil
		},
	})
	if err := errors.Join(err1, err2, err3); err != nil {
		log.Fatal(err)
	}
	http.Handle("/signup/", flow.Handler())
	log.Fatal((&http.Server{Addr: cmp.Or(os.Getenv("ADDR"), "localhost:8080"), ReadTimeout: 60e9}).ListenAndServe())
}

func tenant(*http.Request) (string, error) { return "bakery", nil } // who is signed in to your product
