package main

import (
	"net/http"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/board"
)

// A simulator is Meta and a phone for every tenant, for playing. Delete this file when you have the real ones.
type simulator struct {
	world *coexistencetest.World
	hook  string

	mu     sync.Mutex
	boards map[string]http.Handler // of tenants
}

// pastMessages is how many messages a phone holds, pastCustomers with how many people.
const pastMessages, pastCustomers = 5000, 300

func newSimulator(url string) *simulator {
	s := &simulator{hook: url + "/webhook", boards: map[string]http.Handler{}}
	s.world = coexistencetest.NewWorld(coexistencetest.Config{
		Delivery: coexistencetest.DeliveryConfig{MaxAttempts: 1 << 20},
		Graph:    []cloudapitest.Option{cloudapitest.EnforceLimits()},
	})
	// An account that a business connects has some templates already.
	known := map[graph.WABAID]bool{}
	s.world.Graph().OnSubscribe(func(waba graph.WABAID, _ bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if known[waba] {
			return
		}
		known[waba] = true
		for name, text := range map[string]string{
			"winter_opening": "Hello {{1}}, from December on we are open on Sundays, too.", "rye_is_back": "The rye loaf is back. See you soon!",
		} {
			t := cloudapi.NewTemplate{Name: name, Language: "en_US", Category: cloudapi.CategoryMarketing}
			t.Parts = []cloudapi.TemplatePart{{Type: cloudapi.PartBody, Text: text}}
			s.world.Graph().AddTemplate(cloudapitest.Template{WABA: waba, NewTemplate: t})
		}
	})
	return s
}

func (s *simulator) platform() *platform {
	return &platform{
		app: s.world.ClientConfig(), configuration: s.world.ConfigurationID(), verifyToken: graph.Secret(s.world.VerifyToken()),
		sdk: s.world.SDKURL(), patience: 3 * time.Second, simulator: s,
		hint: "\nMeta and the phone are simulated. Sign in as " + demoEmail + " with the password “" + demoPassword + "”, or create a business.",
	}
}

// board is the page on which the tenant's phone is played. A tenant gets its phone with the first look.
func (s *simulator) board(t *tenant) (http.Handler, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.boards[t.id]; h != nil {
		return h, nil
	}
	phone := s.world.NewPhone(coexistencetest.PhoneConfig{
		Business: t.Name, History: coexistencetest.History{Messages: pastMessages, Customers: pastCustomers},
	})
	b, err := board.New(s.world, phone, board.Config{Hook: s.hook, Beside: true})
	if err != nil {
		return nil, err
	}
	s.boards[t.id] = http.StripPrefix("/simulator", b.Routes())
	return s.boards[t.id], nil
}
