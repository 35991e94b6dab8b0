// Package relay forwards WhatsApp webhooks: verified deliveries go on to further receivers, such as
// a staging system or a second product, which get them as if Meta had posted them there.
//
//	staging, err := relay.New(relay.Config{URL: "https://staging.example.com/webhook", AppSecret: secret})
//	…
//	queue, err := sqliteinbox.Open(ctx, "data/staging.db", staging, inbox.Config{})
//	endpoint, err := webhook.NewEndpoint(cfg, staging.Split(in, queue))
//
// in is the inbox that the host has already. An app has one callback URL at Meta, so everything
// else that has to see its webhooks needs a relay.
//
// # What is promised
//
// The queue is an inbox of its own, and as durable: Meta gets its 200 when the delivery is stored
// in both, and 503 if one of them takes nothing. A receiver that is down delays nothing but itself.
// It is tried again, with the pauses and for as long as the queue's [inbox.Config] says: about
// eight hours by default, after which a delivery is a dead letter.
//
//	status 2xx                                  done
//	no answer, 408, 425, 429, 5xx               again, after a pause
//	any other status                            a dead letter at once
//
// A dead letter stays until [inbox.Inbox.ReplayDeadLetters] sends it again or
// [inbox.Inbox.DeleteDeadLetters] deletes it. Redirects are not followed: they could lead anywhere,
// with customers' messages.
//
// # Order and repeats
//
// Deliveries that are about one number are sent one after the other, in the order in which they
// arrived; only a delivery of history or contacts may be overtaken. A delivery that fails holds up
// those of its number, and of no other one. Deliveries that are about an account, or about several
// numbers, are in order with those of the account.
//
// A receiver gets a delivery at least once: what Meta repeats within 8 days is sent once, but a
// delivery whose answer was lost is sent again. Receivers drop repeats by
// [webhook.EventInfo.DedupKey], as they have to with Meta.
//
// # What is sent
//
// The body goes on byte for byte, without white space around it, and with a signature that is made
// with the receiver's secret ([webhook.Sign]). The one of the app never leaves the host. If
// [Config].Keep leaves out a part of a body, the body is rewritten around the changes that stay,
// which are unchanged. The queue does not store what is left out.
//
// The receiver learns everything that is in a delivery: numbers, names, texts. Send it what it
// needs and no more. Media it can download only with a token of the same app's.
//
// # Forgetting
//
// What waits in a queue, and its dead letters, are about people. Call [inbox.Inbox.Forget] of each
// queue where the host forgets a person. A delivery that waits goes on without them; in a list, an
// empty object can stand in the place of what was theirs. What was sent before, the receiver has to
// forget.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/receive.md
package relay
