package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/board"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// newSimulator returns a simulated platform: Meta, and for every tenant a phone with five thousand
// messages.
func newSimulator(url string) *platform {
	template := func(name, text string) cloudapi.TemplateCreateParams {
		body := cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, Text: text}
		return cloudapi.TemplateCreateParams{
			Name: name, Language: "en_US", Category: graph.TemplateMarketing,
			Components: []cloudapi.ComponentDefinition{body},
		}
	}
	world := coexistencetest.NewWorld(coexistencetest.Config{
		Delivery: coexistencetest.DeliveryConfig{MaxAttempts: 1 << 20},
		Fields: slices.Concat(coexistence.Fields(), coexistence.OptionalFields(), []webhook.Field{
			webhook.FieldMessageTemplateStatusUpdate, webhook.FieldTemplateCategoryUpdate,
			webhook.FieldMessageTemplateComponentsUpdate, webhook.FieldMessageTemplateQualityUpdate,
		}),
		Graph: cloudapitest.Config{EnforceLimits: true},
		Templates: []cloudapi.TemplateCreateParams{
			template("winter_opening", "Hello {{1}}, from December on we are open on Sundays, too."),
			template("rye_is_back", "The rye loaf is back. See you soon!"),
		},
	})
	return &platform{
		app: world.ClientConfig(), configuration: world.ConfigurationID(), verifyToken: world.VerifyToken(),
		sdk: world.SDKURL(), unknownTimeout: 5 * time.Second,
		hint: "\nMeta and the phone are simulated. Sign in as " + demoEmail + " with the password “" + demoPassword +
			"”, or create a business.",
		simulator: &board.Rack{World: world, Hook: url + "/webhook", Phone: phoneOf},
	}
}

// phoneOf is the phone of a business that signs up.
func phoneOf(business string) coexistencetest.PhoneConfig {
	history := coexistencetest.History{Messages: 5000, Customers: 300}
	return coexistencetest.PhoneConfig{Business: business, History: history}
}

// serveSimulator serves the simulated phone of a tenant.
func (a *app) serveSimulator(w http.ResponseWriter, r *http.Request, t *tenant, _ *number) error {
	h, err := a.meta.simulator.Board(t.id, t.Name)
	if err == nil {
		http.StripPrefix("/simulator", h).ServeHTTP(w, r)
	}
	return err
}
