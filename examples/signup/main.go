// Signup serves the page of a SaaS on which a business connects its WhatsApp Business app, for your
// browser: one tag, Meta's popup and a phone to confirm on. The other side is the simulator
// coexistencetest, so it needs no account and no network.
//
//	go run ./examples/signup
//
// Open the address that it prints, check the number that it prints, and follow the page. It speaks
// the language of your browser, if that is one of nine.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	named := flag.String("policy", "",
		`the rules to check numbers by: empty for the documented ones, a date or "today" for Meta's`)
	flag.Parse()
	policy, err := eligibility.ParsePolicy(*named)
	if err != nil {
		fmt.Fprintln(os.Stderr, "signup:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, policy); err != nil {
		fmt.Fprintln(os.Stderr, "signup:", err)
		os.Exit(1)
	}
}

// run plays Meta and the phone, and serves the host until ctx ends. Everything but newHost is there
// because no Meta is.
func run(ctx context.Context, addr string, policy func(time.Time) eligibility.Policy) error {
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	defer world.Close()
	phone := world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555 010 0199", Business: "Ovenbird Bakery"})
	connected := func(b *signup.Connection) {
		fmt.Printf("connected: number %s in account %s\n", b.Phone.ID, b.WABAID)
	}
	handler, err := newHost(world.ClientConfig(), world.ConfigurationID(), world.SDKURL(), policy, connected)
	if err != nil {
		return err
	}
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	fmt.Printf("Open http://%s/ and connect %s, version 2.24.17.79 (end with Ctrl-C).\n", addr, phone.PhoneNumber())
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}

// newHost is what a SaaS writes. Against Meta, sdk stays empty. The client needs the app's id and
// secret and no token: the signup brings one for each business.
func newHost(
	app cloudapi.Config, configuration, sdk string, policy func(time.Time) eligibility.Policy,
	connected func(*signup.Connection),
) (http.Handler, error) {
	client, err := cloudapi.NewClient(app)
	if err != nil {
		return nil, err
	}
	flow, err := signup.NewFlow(signup.Config{
		ConfigurationID: configuration, Client: client,
		Page: signup.PageConfig{
			Tenant: func(*http.Request) (string, error) { return "bakery", nil }, // who is signed in to the SaaS
			SDKURL: sdk, Check: eligibility.PageCheck(policy),
		},
		Connected: func(_ context.Context, b *signup.Connection) error {
			connected(b) // a real host stores b, its token encrypted, and asks for contacts and history
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/signup/", flow.Handler())
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		// Without these headers a browser may cut the popup off, or keep Meta's script from
		// loading.
		maps.Copy(w.Header(), flow.PageHeaders())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, page)
	})
	return mux, nil
}

// page is any page of the SaaS. The tag with the script is all that it takes.
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Settings of a SaaS</title>
<link rel="stylesheet" href="/signup/page.css">
<main>
<script src="/signup/connect.js" defer></script>
</main>`
