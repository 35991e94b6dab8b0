package readme

import (
	"context"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// connected is what a product keeps in its database.
var connected *signup.Connection

// signedInAs reads the session of a product.
func signedInAs(*http.Request) (string, error) { return "bakery", nil }

func storeConnection(_ context.Context, c *signup.Connection) error {
	connected = c
	return nil
}
