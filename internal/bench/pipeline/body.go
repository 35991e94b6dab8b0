//go:build unix

package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	secret = "made-up"

	// people is how many customers write to a number.
	people = 500

	// tenantA and tenantB are two numbers.
	tenantA, tenantB = graph.PhoneNumberID("106540352242922"), graph.PhoneNumberID("106540352242923")
)

// text is the request of a text, the n-th to a number, written now by one of its customers. The id
// of the message ends with n.
func text(phone graph.PhoneNumberID, n int) []byte {
	person := n * 7919 % people // prime, so that all people take part
	return request(phone, fmt.Appendf(nil, `"contacts":[{"profile":{"name":"Ada Example"},"wa_id":"1555010%04d"}],`+
		`"messages":[{"from":"1555010%04d","id":"%s","timestamp":"%d",`+
		`"text":{"body":"Do you have rye bread today, and until when are you open?"},"type":"text"}]`,
		person, person, messageID(phone, n), time.Now().Unix()))
}

// status is the request of a status: that the n-th message to a customer was delivered.
func status(phone graph.PhoneNumberID, n int) []byte {
	return request(phone, fmt.Appendf(nil, `"statuses":[{"id":"%s","status":"delivered","timestamp":"%d",`+
		`"recipient_id":"1555010%04d","pricing":{"billable":true,"pricing_model":"PMP","category":"service",`+
		`"type":"regular"}}]`, messageID(phone, n), time.Now().Unix(), n*7919%people))
}

// messageID is an id of the length that Meta's have.
func messageID(phone graph.PhoneNumberID, n int) string {
	return fmt.Sprintf("wamid.HBgLMTU1NTAxMDAxMjMVAgASGBQzQTA%s%08d", phone, n)
}

// number is the opposite of messageID.
func number(id graph.MessageID) (int, error) {
	const digits = 8
	return strconv.Atoi(string(id[max(0, len(id)-digits):]))
}

// request is a signed POST of one change.
func request(phone graph.PhoneNumberID, members []byte) []byte {
	body := fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[`+
		`{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100199",`+
		`"phone_number_id":"%s"},%s},"field":"messages"}]}]}`, phone, members)
	head := fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s: %s\r\n"+
		"Content-Length: %d\r\n\r\n", webhook.SignatureHeader, webhook.Sign(secret, body), len(body))
	return append(head, body...)
}
