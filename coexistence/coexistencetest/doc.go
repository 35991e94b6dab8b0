// Package coexistencetest simulates Meta and a WhatsApp Business phone, so that a host can play the whole life of a
// coexistence number on its own machine: the popup, the calls, the history, both sides of the talk, and the end of it.
//
//	world := coexistencetest.NewWorld(coexistencetest.Config{})
//	defer world.Close()
//	phone := world.NewPhone(coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 3000}})
//
//	client, err := cloudapi.NewClient(world.ClientConfig())
//	…                                           // the host's endpoint, with world.AppSecret() and world.VerifyToken()
//	err = world.DeliverTo(endpoint.URL)         // the handshake, then signed POSTs
//
//	popup, err := world.OpenSignup(launch)      // what the host's page gives to FB.login
//	result, err := popup.Complete(phone, true)  // result.Message and result.Code go to the host's server
//	…                                           // the host exchanges, subscribes, asks for contacts and history
//	err = world.Wait(ctx)                       // until everything was acknowledged
//
//	customer := phone.Customer("+1 555-010-0142")
//	customer.Sends("Are you open?")             // a webhook
//	phone.Send(customer, "Until six.")          // an echo
//
// Everything travels over real HTTP on the loopback interface, and the host runs the same code as in production.
//
// # What is true of it
//
// Where Meta documents a behaviour, the simulator follows the documentation; where only the field has reported one, it follows
// that; the rest is assumed. [Fidelity] lists which is which. A test that passes here says that a host does the right thing
// if Meta does what it says.
//
// # Silence
//
// Meta delivers only what the app subscribes to, at the level of the app and of the account, and says nothing about the rest.
// Here [World.Silenced] tells what was left out and why. It is the first thing to print when nothing arrives.
//
// # Chance
//
// [Config.Seed] decides ids, made-up conversations and the order of deliveries, and [World.String] prints it. What several
// goroutines of a host do at once still differs from run to run.
//
// # Stores
//
// The package also holds the contract that every store of package coexistence has to keep, as a function that any test can
// call.
package coexistencetest
