package board

import (
	"net/http"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A Rack has a phone for everybody who plays, in one world, each on a board beside the page of a
// host.
type Rack struct {
	World *coexistencetest.World
	Hook  string // where the world's webhooks go

	// Phone describes the phone of a business.
	Phone func(business string) coexistencetest.PhoneConfig

	mu     sync.Mutex
	boards map[string]http.Handler
}

// Board returns the board of whoever key stands for, and gives them a phone with the first look.
func (r *Rack) Board(key, business string) (http.Handler, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.boards[key]; h != nil {
		return h, nil
	}
	b, err := New(r.World, r.World.NewPhone(r.Phone(business)), Config{Hook: r.Hook, Beside: true})
	if err != nil {
		return nil, err
	}
	if r.boards == nil {
		r.boards = map[string]http.Handler{}
	}
	r.boards[key] = b.Routes()
	return r.boards[key], nil
}
