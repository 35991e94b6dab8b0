// Doctor looks at the settings that a signup needs, of your Meta app and of your webhook endpoint,
// and says what to fix, in order.
//
// It reads them from the environment, changes nothing, and exits with 1 if a signup cannot succeed:
//
//	META_APP_ID             the app
//	META_APP_SECRET         its secret
//	META_CONFIGURATION_ID   the Facebook Login for Business configuration
//	META_SYSTEM_TOKEN       a system user's token (optional)
//	META_PARTNER_BUSINESS   your own portfolio (optional)
//	META_GRAPH_VERSION      such as v25.0 (optional)
//	WEBHOOK_VERIFY_TOKEN    what your endpoint expects in the handshake (optional)
//	WEBHOOK_URL             where it is, if the app dashboard does not know yet (optional)
//
// Without META_APP_ID, or with -demo, it looks at a simulated app in which three things are wrong,
// and then again when they are fixed: no account, no network.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/start.md
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func main() {
	onlyDemo := flag.Bool("demo", false, "look at a simulated app")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if *onlyDemo || os.Getenv("META_APP_ID") == "" {
		text, err := demo(ctx)
		fmt.Print(text)
		if err != nil {
			fmt.Fprintln(os.Stderr, "doctor:", err)
			os.Exit(1)
		}
		return
	}
	d, err := examine(ctx, cloudapi.Config{
		AppID:       graph.AppID(os.Getenv("META_APP_ID")),
		AppSecret:   graph.Secret(os.Getenv("META_APP_SECRET")),
		AccessToken: graph.Secret(os.Getenv("META_SYSTEM_TOKEN")),
		Version:     os.Getenv("META_GRAPH_VERSION"),
	}, os.Getenv("META_CONFIGURATION_ID"), graph.BusinessID(os.Getenv("META_PARTNER_BUSINESS")),
		graph.Secret(os.Getenv("WEBHOOK_VERIFY_TOKEN")), os.Getenv("WEBHOOK_URL"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(1)
	}
	fmt.Print(d)
	if !d.OK() {
		os.Exit(1)
	}
}

// examine asks package signup, which does all the looking. The error is one of the settings; what
// is wrong at Meta, or at the endpoint, stands in the Diagnosis.
func examine(
	ctx context.Context, app cloudapi.Config, configuration string, partner graph.BusinessID,
	verify graph.Secret, url string,
) (signup.Diagnosis, error) {
	client, err := cloudapi.NewClient(app)
	if err != nil {
		return nil, err
	}
	return signup.Diagnose(ctx,
		signup.Config{ConfigurationID: configuration, Client: client, PartnerBusinessID: partner},
		signup.DiagnoseOptions{SystemToken: app.AccessToken, VerifyToken: verify, CallbackURL: url},
	), nil
}

// demo makes an app with three typical mistakes, and mends them: the webhook has one field of five,
// the token is a person's and ends, and the verify token is a different one than the endpoint's.
// The endpoint is a real one on this machine; Meta is the fake of package cloudapitest. It returns
// what it would print, and an error if the Diagnosis was not the expected one, so that a test can
// run it.
func demo(ctx context.Context) (string, error) {
	var out strings.Builder
	meta := cloudapitest.NewServer(cloudapitest.Config{})
	defer meta.Close()
	endpoint, err := webhook.NewEndpoint(webhook.Config{ //nolint:gosec // G101: made up
		AppSecret: meta.App().Secret, VerifyToken: "made-up-verify-token",
	}, webhook.Dispatch(new(webhook.Mux)))
	if err != nil {
		return out.String(), err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return out.String(), err
	}
	server := &http.Server{Handler: endpoint, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	defer server.Close()
	go func() { _ = server.Serve(listener) }() // until it is closed
	app, configuration := meta.ClientConfig(), "900000000000001"

	fmt.Fprint(&out, "A simulated app, as a developer has it on the first day.\n\n")
	callback := "http://" + listener.Addr().String()
	meta.Subscribe(cloudapitest.AppSubscription{CallbackURL: callback, Fields: []string{"messages"}})
	app.AccessToken = meta.AddToken(cloudapitest.Token{Type: cloudapitest.TokenUser, Lifetime: 30 * 24 * time.Hour})
	before, err := examine(ctx, app, configuration, "", "another-verify-token", "")
	if err != nil {
		return out.String(), err
	}
	fmt.Fprint(&out, before)

	fmt.Fprint(&out, "\nThe same app when all of that is done.\n\n")
	meta.Subscribe(cloudapitest.AppSubscription{CallbackURL: callback, Fields: []string{
		"messages", "account_update", "history", "smb_app_state_sync", "smb_message_echoes",
	}})
	app.AccessToken = meta.SystemToken()
	after, err := examine(ctx, app, configuration, "", "made-up-verify-token", "")
	if err != nil {
		return out.String(), err
	}
	fmt.Fprint(&out, after)
	if before.OK() || !after.OK() {
		return out.String(), errors.New("the demo did not show what it should")
	}
	return out.String(), nil
}
