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
// # Snapshots
//
// POST /control/v1/snapshots keeps the world as it is, in memory, and POST
// /control/v1/snapshots/{snapshot}/restore puts it back: see [coexistencetest.World.Snapshot]. Both
// wait up to ten seconds for deliveries and calls that are under way, and answer 409 with the code
// in_flight if they do not end. A reset makes another world, and ends the snapshots of the one
// before; to begin each run of a program alike there is the seed.
package control
