// Package coexistencetest simulates Meta and a WhatsApp Business phone for tests, over real HTTP. A
// host plays the whole life of a coexistence number on its own machine: the popup, the calls, the
// history, both sides of the talk, and the end of it.
//
//	world := coexistencetest.NewWorld(coexistencetest.Config{})
//	defer world.Close()
//	phone := world.NewPhone(coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 3000}})
//
//	client, err := cloudapi.NewClient(world.ClientConfig())
//	endpoint, err := webhook.NewEndpoint(world.WebhookConfig(), receiver)
//	…                                           // served at a URL
//	err = world.DeliverTo(url)                  // the handshake, then signed POSTs
//
//	flow, err := signup.NewFlow(signup.Config{ConfigurationID: world.ConfigurationID(), Client: client})
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
//		go server.Serve(listener)               // the host; world.ClientConfig() holds a client for the network
//		err := world.DeliverTo("http://host.test/webhook")
//		…
//		time.Sleep(15 * 24 * time.Hour)         // the phone lay idle: PARTNER_REMOVED, PRIMARY_INACTIVITY
//
// There [SignUp] and [Phone.Connect] stand for the popup, which needs a socket.
//
// # The popup
//
// [World.OpenSignup] takes what the host's page gives to FB.login and opens the popup, step by step
// or all at once:
//
//	popup, err := world.OpenSignup(launch)
//	result, err := popup.Complete(phone, coexistencetest.HistoryShared)
//	…                                           // result.Message and result.Code go to the host's server
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
// # Chance
//
// [Config.Seed] decides ids, made-up conversations and the order of deliveries, and [World.String]
// prints it. What several goroutines of a host do at once still differs from run to run.
//
// # Stores
//
// The package also holds the contract that every store of package coexistence has to keep, as a
// function that any test can call.
package coexistencetest
