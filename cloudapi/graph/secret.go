package graph

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
)

// A Secret is an access token or another string that must not be printed. It shows as "[secret]" in
// fmt, also inside structs, slices and maps, and in slog. Writing it as JSON or text, with gob or
// into a database is an error rather than a leak or a silent loss: store what [Secret.Reveal]
// returns, encrypted. Reading it from JSON or a database works as for any string.
//
// Some printing never asks the type, and shows the text: a struct's unexported field, %p and %w, a
// verb other than %v that meets a pointer inside a struct, and a map's key in JSON. So a struct
// that keeps a Secret for long does well to have a Format method of its own.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s == "" }

const hidden = "[secret]"

// Format implements [fmt.Formatter]: whatever verb, width and flags, it writes "[secret]", or
// nothing if there is none.
func (s Secret) Format(f fmt.State, _ rune) {
	if s != "" {
		_, _ = f.Write([]byte(hidden))
	}
}

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value {
	if s == "" {
		return slog.StringValue("")
	}
	return slog.StringValue(hidden)
}

var errSecretMarshal = errors.New("graph: a Secret does not write itself; store what Reveal returns, encrypted")

// MarshalText refuses, and with it encoding/json. Leave an absent Secret out with omitzero.
func (s Secret) MarshalText() ([]byte, error) { return nil, errSecretMarshal }

// Value refuses, and with it database/sql: a secret that is an argument of a statement would be
// stored in the clear.
func (s Secret) Value() (driver.Value, error) { return nil, errSecretMarshal }

// GobEncode refuses, and with it encoding/gob.
func (s Secret) GobEncode() ([]byte, error) { return nil, errSecretMarshal }

// GobDecode refuses too: nothing that encoding/gob has written holds a Secret.
func (s *Secret) GobDecode([]byte) error { return errSecretMarshal }
