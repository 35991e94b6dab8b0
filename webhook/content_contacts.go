package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// Contacts holds the contact cards that were shared.
type Contacts struct {
	Cards []graph.ContactCard
}
