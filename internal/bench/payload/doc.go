// Package payload makes webhook bodies for benchmarks, always the same ones: compact, with text
// escaped as Meta escapes it (\u with lower-case digits, \/), and with made-up people only.
//
// [Delivery] is what encoding/json decodes them into, to compare with.
package payload
