// Package control is the HTTP API of the simulator: tests in any language do by these calls what
// people do on the page.
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
// An error is JSON with its HTTP status: 400 for an invalid request, 403 for one that this API does
// not allow, 404 for something unknown, 409 for something that is not possible in the current state
// of the world, 502 for a wrong answer of the host, 504 for a timeout.
//
// # Snapshots
//
// POST /control/v1/snapshots saves the world in memory, and POST
// /control/v1/snapshots/{snapshot}/restore restores it: see [coexistencetest.World.Snapshot]. Both
// wait up to ten seconds for deliveries and calls in progress, and answer 409 with the code
// in_flight if they do not end. A reset makes another world and deletes the snapshots of the
// previous one. For runs of a program that begin alike, use the seed.
package control
