package board

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
)

// A Board is the page of a simulator. It shows one of the phones at a time; its buttons call the
// control API.
type Board struct {
	api *control.API
	cfg Config
}

// Config configures a Board. The zero Config is for a board on a page of its own.
type Config struct {
	// Beside is true for a board beside the page of a host, which has the popup and asks for the
	// syncs.
	Beside bool

	// Hook is the URL that receives webhooks, for a board beside a host's page. It is only shown.
	// Other boards ask the control API.
	Hook string
}

// New returns the board of an API.
func New(api *control.API, cfg Config) *Board { return &Board{api: api, cfg: cfg} }

// phone returns the phone that a page shows: the one with the id or, if there is none, the first
// with an app or the first of all. It is nil in an empty world.
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
