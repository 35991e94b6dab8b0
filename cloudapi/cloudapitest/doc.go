// Package cloudapitest is a fake of WhatsApp's Cloud API for tests: a server that speaks real HTTP
// on the loopback interface, keeps real state and can be told to fail. It is to package cloudapi
// what net/http/httptest is to net/http.
//
//	srv := cloudapitest.NewServer(cloudapitest.Config{})
//	defer srv.Close()
//	phone := srv.AddPhone(cloudapitest.Phone{})
//
//	client, err := cloudapi.NewClient(srv.ClientConfig())
//	…
//	_, err = client.Messages.Send(ctx, phone.ID, message)
//	…
//	fmt.Println(srv.Sent()[0].Text())
//
// # Requests
//
// A request is taken as the Graph API takes it, so that any client in any language works unchanged.
// Parameters are one bag, whether they come in the query, a form, a form with files or a JSON body;
// an object or a list may be JSON within a string, a number a string. The token may be in the
// header, the query or the body. A path without a version is answered by the oldest one that is in
// use, as are retired versions; one that does not exist yet is an unknown path. A read takes edges
// as fields, and paging.next can be followed. [LoggedRequest].Warning names what Meta accepts and a
// host should change.
//
// # State
//
// The server knows one Meta app and as many portfolios, accounts, numbers and tokens as
// [Server.AddBusiness], [Server.AddWABA], [Server.AddPhone] and [Server.AddToken] give it; each
// fills in what is left zero. A call sees what its token may see, authorization codes work once and
// for 30 seconds, a sync can be asked for once per kind and onboarding, and so on, as Meta
// documents it. [Config].Strict adds rules whose breach Meta lets pass or punishes later.
//
// Files that are uploaded can be sent, found and downloaded; templates are made, reviewed by
// [Server.SetTemplateStatus], edited and deleted; Flows, profiles, settings, block lists, QR codes
// and the rest of what a number has stay as they were set. [Server.AddMedia] and
// [Server.AddTemplate] begin with some; [Server.DeleteMedia] ends a file. Messages and templates
// are checked by the rules that package cloudapi checks before it sends, and answered with Meta's
// codes and the names that a request has on the wire. A message with a template needs one that is
// approved in that language, and values that fit it; one with a file, a file of that number.
//
// Groups are made by ordinary numbers ([Phone].CloudAPIOnly), joined with [Server.JoinGroup], and
// refuse messages while no person is in them. Calls need calling switched on in the settings and,
// to call a person, [Server.PermitCalls]; [Server.AddCall] is a person who calls, and
// [Server.SetCallState] a person who answers or hangs up. [Server.AddCreditLine] gives a partner a
// line to share, and [Server.SetPaymentMethod] an account a payment method, or one that fails.
//
// # Time
//
// The server lives by its own clock, which follows the real one. [Server.Advance] moves it on: past
// the life of a code, past the day in which a sync can be asked for.
//
// # Set up once
//
// [Server.Snapshot] keeps the server as it is, and [Server.Restore] puts it back before each test.
//
// # Failures
//
// [Server.Inject] makes a request fail: with any of Meta's codes, with any body at all, or by an
// answer that is lost on its way. With Fault{Drop: true, Accept: true} the server does what was
// asked and cuts the connection, which is how a message gets sent twice by a program that repeats
// it. [Server.Chaos] does all of this at random, with a seed. [Server.Requests] lists what was
// asked, without tokens and bodies.
//
// # What it does not do
//
// It has every call that package cloudapi has a method for. It sends no webhooks and has no popup:
// package coexistencetest builds those on top of it. Tests ask the server for what a webhook would
// report: [Server.Groups] has the ids of groups, [Server.Calls] of calls. Analytics count what was
// sent and called through it; no message is ever read, and nothing costs anything. A path that it
// does not have is answered as Meta answers one that does not exist; the request log has it as
// "unknown".
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/testing.md
package cloudapitest
