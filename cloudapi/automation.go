package cloudapi

import (
	"context"
	"net/http"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An AutomationService sets what helps people to begin a conversation: ice breakers and commands.
type AutomationService service

// An Automation is the set of helps in an empty chat: a welcome event, ice breakers and commands.
type Automation struct {
	// Welcome made a webhook arrive (request_welcome) when someone opened the chat for the first
	// time. Meta removed it on 2026-03-27: leave it false.
	Welcome bool `json:"enable_welcome_message"`

	// Prompts are the ice breakers, at most 4 of 80 characters.
	Prompts []string `json:"prompts"`

	// Commands are the entries of the menu "/", at most 30.
	Commands []AutomationCommand `json:"commands"`
}

// An AutomationCommand is one command.
type AutomationCommand struct {
	Name        string `json:"command_name"`        // at most 32 characters
	Description string `json:"command_description"` // at most 256
}

// check checks the limits of Meta's newest page: four prompts, where its OpenAPI file still has
// three.
func (a Automation) check() error {
	var p problems
	p.count("Automation.Prompts", len(a.Prompts), 0, 4)
	p.count("Automation.Commands", len(a.Commands), 0, 30)
	for i, prompt := range a.Prompts {
		p.text("Automation.Prompts["+strconv.Itoa(i)+"]", prompt, 80)
	}
	for i, c := range a.Commands {
		at := "Automation.Commands[" + strconv.Itoa(i) + "]"
		p.text(at+".Name", c.Name, 32)
		p.text(at+".Description", c.Description, 256)
	}
	return p.err()
}

type automationResponse struct {
	ID         graph.PhoneNumberID `json:"id"`
	Automation Automation          `json:"conversational_automation"`
	Resource
}

func (a *automationResponse) incomplete() string { return withoutID(a.ID) }

// Get reads what is set.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/conversational-components
//
// graph:GET /{phone-number-id} conversational_automation
func (s *AutomationService) Get(ctx context.Context, phone graph.PhoneNumberID) (*Automation, error) {
	resp, err := call[automationResponse](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}", ids: []string{string(phone)}, phone: phone,
		options: fieldsOption{[]string{"conversational_automation"}},
	})
	if err != nil {
		return nil, err
	}
	return &resp.Automation, nil
}

// Set replaces what is set as a whole.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/conversational-components
//
// graph:POST /{phone-number-id}/conversational_automation
func (s *AutomationService) Set(ctx context.Context, phone graph.PhoneNumberID, a Automation) error {
	if err := a.check(); err != nil {
		return err
	}
	if a.Prompts == nil {
		a.Prompts = []string{}
	}
	if a.Commands == nil {
		a.Commands = []AutomationCommand{}
	}
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/conversational_automation", ids: []string{string(phone)},
		phone: phone, replay: RetryIdempotent,
	}, a)
}
