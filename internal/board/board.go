package board

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
)

// A Board is the page of a simulator. It shows one of the phones at a time; what its buttons do is
// done by the control API.
type Board struct {
	api *control.API
	cfg Config
}

// A Config says what the board is for. The zero Config is for a board that stands by itself.
type Config struct {
	// Beside is for a board that stands beside the page of a host: the popup and the syncs are the
	// host's.
	Beside bool

	// Hook is the URL that webhooks go to, for a board that stands beside a host's page. It is only
	// shown. Another board asks the control API.
	Hook string
}

// New returns the page of an API.
func New(api *control.API, cfg Config) *Board { return &Board{api: api, cfg: cfg} }

// phone returns the phone that a page shows: the one with an id, or the first that has an app, or
// the first of all. It is nil in an empty world.
func (b *Board) phone(id string) *coexistencetest.Phone {
	if p := b.api.Phone(id); p != nil {
		return p
	}
	phones := b.api.Phones()
	for _, p := range phones {
		if !p.CloudAPIOnly() {
			return p
		}
	}
	if len(phones) > 0 {
		return phones[0]
	}
	return nil
}
