// Package wire reads JSON the way webhooks need it: in one pass over the bytes, without unsafe
// memory, and so that one odd value spoils nothing around it.
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
//     A member that nobody reads is reported with its path and its raw bytes.
//   - Nesting ends at 64. Meta's bodies stay below 15.
//
// Whatever is skipped is checked in full, so that a text read to its end without an error is valid
// JSON.
//
// [Scanner] is the reader; hot types are read with it by hand. [For] makes a decoder for a struct
// from its json tags, for the many types that are small or rare.
package wire
