package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/board"
)

// A platform is Meta or a simulator.
type platform struct {
	app            cloudapi.Config
	configuration  string        // of Facebook Login for Business
	verifyToken    graph.Secret  // that the webhook answers the handshake with
	sdk            string        // where the page loads Meta's JavaScript SDK from; Meta's own if empty
	unknownTimeout time.Duration // how long a send of unknown outcome waits for its status
	hint           string        // what to print when the program starts
	simulator      *board.Rack   // nil with Meta
}

// newPlatform returns the platform of a kind. The real one is configured by environment variables,
// mostly those of signup/doctor:
//
//	META_APP_ID, META_APP_SECRET   of the app: App settings, Basic
//	META_CONFIGURATION_ID          of Facebook Login for Business: Configurations
//	WEBHOOK_VERIFY_TOKEN           a text of your choice, entered beside the callback URL https://…/webhook
//	META_GRAPH_VERSION             if not the default
//	ELIGIBILITY_POLICY             rules to check numbers by: unset for the documented ones, a date, "today"
//	META_GRAPH_URL, META_SDK_URL   of a simulator of its own: coexistence/simulator -bare
//	SAAS_KEYS                      what tokens are encrypted with: see signup.ParseKeyring
func newPlatform(kind, url string) (*platform, error) {
	switch kind {
	case "sim":
		return newSimulator(url), nil
	case "real":
	default:
		return nil, fmt.Errorf(`-meta is "sim" or "real", not %q`, kind)
	}
	var errs []error
	need := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			errs = append(errs, fmt.Errorf("%s is not set; see the comment of newPlatform", name))
		}
		return v
	}
	p := &platform{
		app: cloudapi.Config{
			AppID: graph.AppID(need("META_APP_ID")), AppSecret: graph.Secret(need("META_APP_SECRET")),
			Version: os.Getenv("META_GRAPH_VERSION"), BaseURL: os.Getenv("META_GRAPH_URL"),
		},
		configuration: need("META_CONFIGURATION_ID"), verifyToken: graph.Secret(need("WEBHOOK_VERIFY_TOKEN")),
		sdk: os.Getenv("META_SDK_URL"), unknownTimeout: time.Hour,
	}
	need("SAAS_KEYS")
	return p, errors.Join(errs...)
}
