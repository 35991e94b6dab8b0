package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/relay"
)

// relayConfig reads where deliveries go on to, besides to this product: to staging, or to a second
// product. An app has one callback URL at Meta.
//
//	SAAS_RELAY_URL       the receiver's callback URL; if unset, nothing goes on
//	SAAS_RELAY_SECRET    what the receiver verifies with; a secret of its own, never that of the app
//	SAAS_RELAY_FIELDS    webhook fields that go on, such as messages,account_update; if unset, all
//	SAAS_RELAY_NUMBERS   ids of the numbers whose changes go on, and then nothing that is of an
//	                     account; if unset, everything
//
// The URL stands in the environment and not among the flags, since a part of it may be a secret.
func relayConfig() relay.Config {
	fields := strings.FieldsFunc(os.Getenv("SAAS_RELAY_FIELDS"), separator)
	numbers := strings.FieldsFunc(os.Getenv("SAAS_RELAY_NUMBERS"), separator)
	return relay.Config{
		URL: os.Getenv("SAAS_RELAY_URL"), AppSecret: graph.Secret(os.Getenv("SAAS_RELAY_SECRET")),
		Keep: func(c relay.Change) bool {
			return among(fields, string(c.Field)) && among(numbers, string(c.PhoneNumberID))
		},
	}
}

func separator(r rune) bool { return r == ',' || r == ' ' }

// among reports whether a list has a name, or is empty.
func among(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }

// openRelay returns a receiver that stores what goes on in a queue, and then hands the delivery to
// main; without another receiver, main itself. Meta has its 200 once both are stored, so a receiver
// that is down delays no conversation, and gets everything later.
func (a *app) openRelay(ctx context.Context, main webhook.Receiver) (webhook.Receiver, error) {
	if a.relay.URL == "" {
		return main, nil
	}
	forward, err := relay.New(a.relay)
	if err != nil {
		return nil, fmt.Errorf("SAAS_RELAY_URL and SAAS_RELAY_SECRET cannot be used: %w", err)
	}
	if a.relayed, err = a.openQueue(ctx, "relay", forward, inbox.Config{}); err != nil {
		return nil, err
	}
	return forward.Split(main, a.relayed), nil
}
