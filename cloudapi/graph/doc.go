// Package graph defines the ids, identities, secrets, timestamps and error codes of the WhatsApp
// Cloud API, shared by calls and webhooks.
//
// # Ids
//
// Meta's ids are strings of digits, and mixing them up is the classic mistake: a WABA id passed
// where a phone number id belongs answers "code 100, subcode 33". Here each kind is its own type,
// so that the compiler finds it. Literals need no conversion; convert at the edge (environment,
// database) and nowhere else. All ids are opaque: never parse, sort or shorten one.
//
// # People
//
// A WhatsApp user may hide the phone number since 2026. [Identity] holds whatever Meta sent, and
// [Identity.Key] is the key to store a person under.
//
// # Errors
//
// A [Code] is an error, like syscall.Errno, so that a caller matches it with what it knows:
//
//	if errors.Is(err, graph.CodeReengagementMessage) { … }  // one code
//	if errors.Is(err, graph.ErrThrottled) { … }             // a class of codes
//
// [Lookup] says what a code means, whether a repeat can help, who must act and what to do.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/send.md
package graph
