// Package appsecret finds secrets in a configuration that can verify nothing.
package appsecret

import (
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Check returns an error if a secret is blank, or has white space around it, as what was read from
// a file has. field is its name in the configuration; ifEmpty says what to do about a blank one,
// and may be empty.
func Check(field string, s graph.Secret, ifEmpty string) error {
	switch trimmed := strings.TrimSpace(s.Reveal()); {
	case trimmed == "" && ifEmpty != "":
		return fmt.Errorf("%s is empty; %s", field, ifEmpty)
	case trimmed == "":
		return fmt.Errorf("%s is empty", field)
	case trimmed != s.Reveal():
		return fmt.Errorf("%s begins or ends with white space; trim what was read from a file", field)
	}
	return nil
}
