package graph

import (
	"errors"
	"fmt"
	"log/slog"
)

// A Secret is an access token or another string that must not be printed. Every way of printing shows "[secret]": fmt with
// any verb, also inside another struct, and slog. Writing it as JSON or text is an error rather than a silent loss: store
// what [Secret.Reveal] returns, encrypted.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s == "" }

const hidden = "[secret]"

// Format implements [fmt.Formatter] for every verb.
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

// MarshalText refuses.
func (s Secret) MarshalText() ([]byte, error) { return nil, errSecretMarshal }
