// Package coexistencetest simulates Meta and a WhatsApp Business phone for tests, over real HTTP. A
// host plays the whole life of a coexistence number on its own machine: the popup, the calls, the
// history, both sides of the talk, and the end of it.
//
//	world := coexistencetest.NewWorld(coexistencetest.Config{})
//	defer world.Close()
//	past := coexistencetest.History{Messages: 3000}
//	phone := world.NewPhone(coexistencetest.PhoneConfig{History: past})
//
//	client, err := cloudapi.NewClient(world.ClientConfig())
//	endpoint, err := webhook.NewEndpoint(world.WebhookConfig(), receiver)
//	…                                           // served at a URL
//	err = world.DeliverTo(url)                  // the handshake, then signed POSTs
//
//	flow, err := signup.NewFlow(signup.Config{
//		ConfigurationID: world.ConfigurationID(), Client: client,
//	})
//	business, err := coexistencetest.SignUp(ctx, flow, phone, coexistencetest.HistoryShared)
//	…                                           // the host asks for contacts and history
//	err = world.WaitDelivered(ctx)              // until everything was acknowledged
//
//	customer := phone.Customer("+1 555-010-0142")
//	customer.Send("Are you open?")              // a webhook
//	phone.Send(customer, "Until six.")         // an echo
//
// Everything travels over real HTTP on the loopback interface, and the host runs the same code as
// in production.
//
// # What a host gets
//
// What happens in a world reaches the host by webhook, and never in another way. While the number
// does not coexist it does not reach the host at all, then or later, unless a history brings it.
//
//	Customer.Send, SendContent             messages
//	Customer.Tap, Choose, CompleteFlow     messages: an answer to what the host has sent
//	Customer.Call, HangUp                  calls
//	Customer.Edit, Revoke                  messages: a notice with an id of its own
//	Customer.SendUnavailable               messages: unsupported, with code 131060
//	Customer.ResolveUnavailable            messages: the real one, under the same id
//	Customer.ChangeNumber                  messages: a system message with old and new ids
//	Phone.Send, SendContent, Edit, Revoke  smb_message_echoes
//	Phone.SaveContact, RemoveContact       smb_app_state_sync
//	Popup.Finish, SignUp, Phone.Connect    account_update: PARTNER_ADDED, PARTNER_APP_INSTALLED
//	Phone.ChangeDevice                     account_update: ACCOUNT_OFFBOARDED
//	Phone.Reconnect                        account_update: ACCOUNT_RECONNECTED
//	Phone.Disconnect, EndCoexistence       account_update: PARTNER_REMOVED, for each account
//	Phone.RemoveApp                        account_update: PARTNER_APP_UNINSTALLED
//	Responder.Send, Pass, Take             standby, messaging_handovers: see below
//	World.ReviewTemplate                   message_template_status_update
//	World.SetTemplateCategory, Announce…   template_category_update
//	World.SetTemplateQuality               message_template_quality_update
//	Phone.Notify                           any other field, with a value of yours
//
// The host's own calls have consequences too. Messages.Send brings the statuses sent, delivered and
// read, or failed. Phones.SyncAppData brings the address book as smb_app_state_sync, or the past as
// history: chunks first, then a webhook for each recent file, or one error if the business does not
// share its chats. Templates.Create makes a template that waits for [World.ReviewTemplate], or for
// [Config].ReviewAfter; Templates.Update brings a message_template_components_update.
//
// # Other responders
//
// Since autumn 2026 other partners and Meta's Business Agent can answer on a number too.
// [Phone.AddResponder] adds one, and [Phone.SetRouting] gives the number a routing configuration:
//
//	agent, err := phone.AddResponder(coexistencetest.ResponderConfig{Reply: "We open at 7.", PassOn: "person"})
//	err = phone.SetRouting(coexistencetest.Routing{On: true})
//	customer.Send("Are you open?")    // standby: a copy, the agent's answer and its statuses
//	…                                 // a service message of the host is refused: 131070
//	customer.Send("I want a person") // messaging_handovers: control_passed; now the host may answer
//
// [Responder.Events] is what it was told, such as what the host has passed to it. The webhooks come
// to apps that subscribe to [coexistence.OptionalFields].
//
// # What is true of it
//
// Where Meta documents a behavior, the simulator follows the documentation; where only the field
// has reported one, it follows that; the rest is assumed. [Fidelity] lists which is which, and
// [World.Evidence] what a test has relied on. A test that passes here says that a host does the
// right thing if Meta does what it says.
//
// # Suppressed deliveries
//
// Meta delivers only what the app subscribes to, at the level of the app and of the account, and
// says nothing about the rest. Here [World.Suppressed] tells what was left out and why. It is the
// first thing to print when nothing arrives.
//
// # Faults
//
// A host is tested by what goes wrong. [DeliveryConfig] makes deliveries come twice, late, out of
// order and in batches, and loses answers of the host, so that it hears again of what it has done.
// [World.Graph] makes calls fail: Inject answers with an error, Chaos does so at random, Delay
// slows all of them down. [PhoneConfig] has the faults of a number, such as StallHistory, and
// [Config].Session and HideTargets those of a signup.
//
// The host itself is made to fail by the test: answer a POST with 500 or not at all, and it comes
// again with the same bytes, up to [DeliveryConfig].MaxAttempts times.
//
// # Time
//
// [World.Advance] moves the clock: deliveries that failed are tried again, codes and sync windows
// expire, and a phone that is not used for two weeks is disconnected. In a bubble of
// testing/synctest, with [Config.Network], host and world share the bubble's clock, and a week
// takes milliseconds:
//
//	synctest.Test(t, func(t *testing.T) {
//		network := new(cloudapitest.Network)
//		world := coexistencetest.NewWorld(coexistencetest.Config{Network: network})
//		defer world.Close()
//		listener := network.Listen("host.test")
//		go server.Serve(listener) // the host, which calls through world.ClientConfig()
//		err := world.DeliverTo("http://host.test/webhook")
//		…
//		time.Sleep(15 * 24 * time.Hour) // the phone lay idle: PARTNER_REMOVED, PRIMARY_INACTIVITY
//
// There [SignUp] and [Phone.Connect] stand for the popup, which needs a socket.
//
// # Set up once
//
// [World.Snapshot] keeps the world as it is, and [World.Restore] puts it back before each test, so
// that numbers are connected and histories synced once. The same acts then have the same results.
//
// # The popup
//
// [World.OpenSignup] takes what the host's page gives to FB.login and opens the popup, step by step
// or all at once:
//
//	popup, err := world.OpenSignup(launch)
//	result, err := popup.Complete(phone, coexistencetest.HistoryShared)
//	… // result.Message and result.Code go to the host's server
//
// # For people
//
// coexistence/simulator runs a world as a program, for hosts in any language, with a page on which
// people type as the business and its customers.
//
// # In a browser
//
// [World.SDKURL] is a stand-in for Meta's JavaScript SDK. A page that loads it opens the popup as
// HTML pages, with a QR code that can be scanned and a page for the phone's part; package signup
// takes the address as PageConfig.SDKURL. "go run ./examples/signup" shows it.
//
// # Several numbers
//
// A world holds any number of phones. Each belongs to a portfolio of its own, unless
// [PhoneConfig].BusinessID names one, and its signup makes an account of its own, unless the
// business shares one that it has ([Popup.ChooseAccount]). Two numbers in one account are the case
// that account updates cannot tell apart: an ACCOUNT_OFFBOARDED names the account alone, and a
// PARTNER_REMOVED names the number only as long as the other one stays.
//
// # When a test fails
//
// [World.String] has the seed and the knobs with which the same world can be made again.
// [World.Deliveries] shows what was posted and what the host answered, attempt by attempt;
// [World.Undelivered] what is still to come, or was given up; [World.Suppressed] what was never
// sent for want of a subscription. [Phone.Chat] is what the host should know of a conversation, and
// [World.Evidence] says what the test has relied on so far: if something of that is assumed, the
// simulator may be wrong and not the host.
//
// # Concurrency
//
// A World and everything that it returns can be used from several goroutines. A method that makes
// something happen returns once it has happened on the phone; its webhooks are then queued and not
// yet delivered, and [World.WaitDelivered] waits for them. A webhook can arrive before the method
// that caused it has returned.
//
// # Chance
//
// [Config.Seed] decides ids, made-up conversations and the order of deliveries, and [World.String]
// prints it. What several goroutines of a host do at once still differs from run to run.
//
// # Stores
//
// [TestStore] is the contract that every store of package coexistence has to keep, as a function
// that any test can call. It does not need a world, and checks what a tracker rests on:
//
//   - an update is one step: concurrent ones are not lost, and what fn refuses is not stored
//   - what was stored comes back whole, the bookkeeping of later events included
//   - people known under a common alias become one, and their messages one conversation
//   - lists are in the order that the interfaces promise, and can be left early
//   - numbers are strangers to each other
//
// A store that passes it, also with -race, serves a tracker. Whether it survives a crash or a loss
// of power is for tests of its own.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/testing.md
package coexistencetest
