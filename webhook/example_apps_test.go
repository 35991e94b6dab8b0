package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

var errOtherApp = errors.New("the delivery is about a number or an account that is not this app's")

// onlyOf passes on deliveries that are about the numbers and accounts of one app alone. It looks at
// both, because the signer chooses both. The error makes Meta repeat the delivery, so that of a
// number that is being signed up comes again once that is known.
func onlyOf(
	numbers map[graph.PhoneNumberID]bool, accounts map[graph.WABAID]bool, next webhook.Receiver,
) webhook.Receiver {
	return webhook.ReceiverFunc(func(ctx context.Context, d webhook.Delivery) error {
		events, err := d.Events()
		if err != nil {
			return webhook.Permanent(err)
		}
		for _, ev := range events {
			info := ev.Info()
			if info.PhoneNumberID != "" && !numbers[info.PhoneNumberID] || info.WABAID != "" && !accounts[info.WABAID] {
				return errOtherApp
			}
		}
		return next.Receive(ctx, d)
	})
}

// Two apps of one host deliver into one inbox. Each has an endpoint of its own, at a path of its
// own, and its secret is believed for its own numbers only.
func ExampleNewEndpoint_severalApps() {
	received := webhook.ReceiverFunc(func(context.Context, webhook.Delivery) error { return nil }) // such as the inbox
	first := onlyOf(map[graph.PhoneNumberID]bool{"PHONE1": true}, map[graph.WABAID]bool{"WABA1": true}, received)
	second := onlyOf(map[graph.PhoneNumberID]bool{"PHONE2": true}, map[graph.WABAID]bool{"WABA2": true}, received)
	endpoints := map[graph.Secret]*webhook.Endpoint{}
	for secret, recv := range map[graph.Secret]webhook.Receiver{"first-secret": first, "second-secret": second} {
		endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: secret, VerifyToken: "verify-token"}, recv)
		if err != nil {
			fmt.Println(err)
			return
		}
		endpoints[secret] = endpoint
	}

	const text = `{"object":"whatsapp_business_account","entry":[{"id":"%s","changes":[{"field":"messages","value":` +
		`{"messaging_product":"whatsapp","metadata":{"phone_number_id":"%s"},"messages":[{"id":"wamid.1",` +
		`"from":"15550100101","timestamp":"1795168800","type":"text","text":{"body":"Hello"}}]}}]}]}`
	post := func(secret graph.Secret, waba graph.WABAID, phone graph.PhoneNumberID) {
		answer := httptest.NewRecorder()
		endpoints[secret].ServeHTTP(answer, webhooktest.NewRequest(fmt.Appendf(nil, text, waba, phone), secret))
		fmt.Println(answer.Code)
	}
	post("first-secret", "WABA1", "PHONE1")
	post("second-secret", "WABA2", "PHONE2")
	post("second-secret", "WABA1", "PHONE1") // with one secret, for a number of the other app
	post("second-secret", "WABA2", "PHONE1")
	// Output:
	// 200
	// 200
	// 500
	// 500
}
