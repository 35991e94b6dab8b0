// Package wire reads JSON the way Meta writes it: in one pass over the bytes, without unsafe
// memory, and so that one odd value spoils nothing around it. It imports nothing of ours; webhook,
// cloudapi and graph read their scalars with it, so that all three mean the same by a number.
//
// It differs from encoding/json on purpose:
//
//   - Names match exactly, with their case. A later duplicate replaces an earlier one and never
//     merges with it. So no other reader of the same signed bytes sees other values because of
//     folding or merging.
//   - Strings and numbers stand for each other where Meta has been seen mixing them. null means
//     absent.
//   - Invalid UTF-8 and lone surrogates become U+FFFD: a name cut in the middle of an emoji must
//     not reject a body.
//   - A value of the wrong kind is skipped and reported with its path, never with the value itself.
//     A member that has no place in the Go type is reported as unknown, with its path and its raw
//     bytes.
//   - Nesting ends at 64. Meta's bodies stay below 15.
//
// Skipped values are checked in full: a text that was read to its end without an error is valid
// JSON.
//
// There are two ways to read. [Scanner] is the reader itself: a loop over members with a case for
// each name, for objects of which Meta has several spellings. [For] makes a decoder for a struct
// from its json tags, for all plain objects. [Scalar], [ParseInt], [ParseBool] and [ParseTime] are
// the rules for scalars only, for callers that hold the bytes of one value.
package wire
