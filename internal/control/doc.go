// Package control is the HTTP API of the simulator: what people do on the page, tests in any
// language do by these calls.
//
//	POST /control/v1/phones/15550100100/customers/15550100142/messages
//	{"from":"customer","type":"text","text":"Are you open?"}
//
//	201 {"id":"wamid.…"}
//
// The document openapi.yaml describes every call, and is served as /control/v1/openapi.yaml. A
// phone is named by the digits of its number, a customer by those or by the user id.
//
// # Errors
//
// An error is JSON with a real status: 400 for a request that cannot be understood, 403 for one
// that this API may not do, 404 for what is not there, 409 for what the world does not allow now,
// 502 for a host that does not answer as it must, 504 for what did not happen in time.
//
// # What is not there
//
// A world cannot be copied, so there is no snapshot and no restore: timers, popups and deliveries
// under way are parts of a running program. What stands in their place is
// the seed: a document that makes phones, customers, messages and templates, with the same ids each
// time, and a reset to it.
package control
