// Function shows a webhook in a lambda-like function, which gets a request as a value: only Verify
// and Decode are needed.
//
// It reads requests as JSON from standard input and writes the responses, as the runtime of such a
// platform would. Without input, start it with -demo: it makes its own.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func main() {
	demo := flag.Bool("demo", false, "handle a delivery, a forged one and a handshake that are made up")
	flag.Parse()
	f := &function{
		appSecret:   graph.Secret(setting("APP_SECRET", "made-up-app-secret")),
		verifyToken: graph.Secret(setting("VERIFY_TOKEN", "made-up-verify-token")),
		recv:        webhook.Dispatch(webhook.HandlerFunc(handle)),
	}
	in := io.Reader(os.Stdin)
	if *demo {
		in = strings.NewReader(demonstration(f))
	}
	if err := serve(context.Background(), f, in, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// handle handles one event. Meta delivers at least once, and a function forgets everything when its
// platform stops it: one that must not do its work twice has webhook.DispatchAll(webhook.Once(h,
// ledger)) with a webhook.DedupStore in a database in place of Dispatch.
func handle(_ context.Context, ev webhook.Event) error {
	log.Printf("number %s: %T", ev.Info().PhoneNumberID, ev)
	return nil
}

// serve answers one request after the other.
func serve(ctx context.Context, f *function, in io.Reader, out io.Writer) error {
	for requests, responses := json.NewDecoder(in), json.NewEncoder(out); ; {
		var req request
		if err := requests.Decode(&req); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("function: the input is not a list of requests: %w", err)
		}
		if err := responses.Encode(f.invoke(ctx, req)); err != nil {
			return err
		}
	}
}

// demonstration returns what the platform would pass to the function.
func demonstration(f *function) string {
	body := webhooktest.Sample("messages", "text")
	var out strings.Builder
	for _, req := range []request{
		signed(body, f.appSecret),
		signed(body, "guessed"), // anyone can send a POST; only Meta and the app know the secret
		{Method: "GET", Query: map[string]string{
			"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": f.verifyToken.Reveal(),
		}},
	} {
		_ = json.NewEncoder(&out).Encode(req) // strings and maps of strings always encode
	}
	return out.String()
}

// signed is a delivery as the platform passes it on, with names of headers in lower case.
func signed(body []byte, appSecret graph.Secret) request {
	signature := webhook.Sign(appSecret, body)
	return request{Method: "POST", Headers: map[string]string{"x-hub-signature-256": signature}, Body: string(body)}
}

// setting returns an environment variable, or a made-up value, which it prints, so that the program
// runs at once.
func setting(name, madeUp string) string {
	value := os.Getenv(name)
	if value == "" {
		value = madeUp
		log.Printf("%s is not set; it is %q for now", name, value)
	}
	return value
}
