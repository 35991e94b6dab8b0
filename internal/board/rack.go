package board

import (
	"net/http"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
)

// A Rack has a phone for each visitor of a host's page, all in one world, each on a board beside
// that page.
type Rack struct {
	// World is the world of the phones.
	World *coexistencetest.World

	// Hook is the URL that receives the world's webhooks. It is only shown.
	Hook string

	// Phone returns the configuration of a visitor's phone, at the first visit.
	Phone func(business string) coexistencetest.PhoneConfig

	mu     sync.Mutex
	boards map[string]http.Handler // by visitor; they are never removed
}

// Board returns the board of the visitor with a key. The first call for a key makes the phone.
func (r *Rack) Board(key, business string) (http.Handler, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.boards[key]; h != nil {
		return h, nil
	}
	api, err := control.ForPhone(r.World, r.World.NewPhone(r.Phone(business)), true)
	if err != nil {
		return nil, err
	}
	if r.boards == nil {
		r.boards = map[string]http.Handler{}
	}
	r.boards[key] = New(api, Config{Hook: r.Hook, Beside: true}).Routes()
	return r.boards[key], nil
}
