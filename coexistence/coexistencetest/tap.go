package coexistencetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Tap makes the customer tap a button of a message that the host sent: a reply button, also one on
// a card of a carousel, or a quick reply of a template. The button is named by its id or payload,
// or by what it says. The host gets an answer that quotes the message: "interactive" with a
// button_reply, or "button" for a template. It is an error if the message has no such button.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/interactive
func (c *Customer) Tap(id graph.MessageID, button string) (graph.MessageID, error) {
	return c.answer(id, func(sent cloudapitest.SentMessage) (Content, error) {
		if sent.Type == "template" {
			return c.phone.quickReply(sent, button)
		}
		for _, b := range interactiveOf(sent).buttons() {
			if b.ID == button || b.Title == button {
				reply := object(str("id", b.ID), str("title", b.Title))
				return interactiveReply("button_reply", b.Title, reply), nil
			}
		}
		return Content{}, errNoButton
	})
}

// Choose makes the customer choose a row of a list that the host sent, by the id of the row or what
// it says. It is an error if the message has no such row.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/interactive
func (c *Customer) Choose(id graph.MessageID, row string) (graph.MessageID, error) {
	return c.answer(id, func(sent cloudapitest.SentMessage) (Content, error) {
		for _, section := range interactiveOf(sent).Action.Sections {
			for _, r := range section.Rows {
				if r.ID == row || r.Title == row {
					reply := object(str("id", r.ID), str("title", r.Title), str("description", r.Description))
					return interactiveReply("list_reply", r.Title, reply), nil
				}
			}
		}
		return Content{}, errors.New("coexistencetest: the message has no row of this id or title")
	})
}

// CompleteFlow makes the customer fill in the Flow of a message that the host sent. The answer is a
// JSON object with the members that the last screen of the Flow hands over; the token of the Flow
// is added. A Flow whose JSON has no such screen is ended by its endpoint, and takes any object. It
// is an error if the message has no Flow, the account no Flow of that id or name, or if the answer
// does not fit.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/responsemsgwebhook
func (c *Customer) CompleteFlow(id graph.MessageID, answer json.RawMessage) (graph.MessageID, error) {
	return c.answer(id, func(sent cloudapitest.SentMessage) (Content, error) {
		flow, token := c.phone.flowOf(sent)
		if flow == "" {
			return Content{}, errors.New("coexistencetest: the message has no Flow")
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(answer, &members) != nil || members == nil {
			return Content{}, errors.New("coexistencetest: the answer to a Flow is a JSON object")
		}
		text, ok := c.phone.world.graph.FlowJSON(c.phone.hookWABA(), flow)
		if !ok {
			return Content{},
				errors.New("coexistencetest: the account has no Flow of the message's flow_id or flow_name")
		}
		if err := fitsFlow(text, members); err != nil {
			return Content{}, err
		}
		quoted, err := json.Marshal(token)
		if err != nil {
			return Content{}, err
		}
		members["flow_token"] = quoted
		response, err := json.Marshal(members)
		if err != nil {
			return Content{}, err
		}
		reply := object(str("response_json", string(response)), str("body", "Sent"), str("name", "flow"))
		return interactiveReply("nfm_reply", "Sent", reply), nil
	})
}

// errNoButton is the error of a tap that hits nothing.
var errNoButton = errors.New("coexistencetest: the message has no button of this id, payload or title")

// answer makes the customer answer a message that the host sent to them, with what reply makes of
// it.
func (c *Customer) answer(
	id graph.MessageID, reply func(cloudapitest.SentMessage) (Content, error),
) (graph.MessageID, error) {
	p := c.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	m := p.byID[id]
	if m == nil || m.author != AuthorAPI || m.chat != c.chat {
		return "", errors.New("coexistencetest: the host sent this customer no message with this id")
	}
	content, err := reply(m.sent)
	if err != nil {
		return "", err
	}
	p.world.relied.on(relyTap)
	return c.sendContent(content.Quoting(id)), nil
}

// interactiveReply is an answer to an interactive message. The text is what the phone shows of it.
func interactiveReply(kind, text string, reply []byte) Content {
	return Content{
		Type: "interactive", Text: text, raw: string(object(str("type", kind), sub(kind, reply))),
	}
}

// A tapButton is a button, a tapRow a row of a list, as they are on the wire.
type (
	tapButton struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	tapRow struct {
		tapButton
		Description string `json:"description"`
	}
)

// A tapAction is the action of an interactive message, or of one card.
type tapAction struct {
	Buttons []struct {
		Reply      tapButton `json:"reply"`
		QuickReply tapButton `json:"quick_reply"`
	} `json:"buttons"`
	Sections []struct {
		Rows []tapRow `json:"rows"`
	} `json:"sections"`
	Cards []struct {
		Action tapAction `json:"action"`
	} `json:"cards"`
	Parameters struct {
		FlowID    string `json:"flow_id"`
		FlowName  string `json:"flow_name"`
		FlowToken string `json:"flow_token"`
	} `json:"parameters"`
}

// A tapInteractive is an interactive message.
type tapInteractive struct {
	Action tapAction `json:"action"`
}

// interactiveOf reads a message that was sent; one that is not interactive is empty.
func interactiveOf(sent cloudapitest.SentMessage) (i tapInteractive) {
	if sent.Type == "interactive" {
		_ = json.Unmarshal(sent.Content(), &i)
	}
	return i
}

// buttons returns the reply buttons, those of cards included.
func (i tapInteractive) buttons() []tapButton {
	var list []tapButton
	add := func(a tapAction) {
		for _, b := range a.Buttons {
			for _, b := range []tapButton{b.Reply, b.QuickReply} {
				if b.ID != "" {
					list = append(list, b)
				}
			}
		}
	}
	add(i.Action)
	for _, card := range i.Action.Cards {
		add(card.Action)
	}
	return list
}

// A tapTemplate is the template of a message, with what its buttons are filled in with.
type tapTemplate struct {
	Components []struct {
		Type       string          `json:"type"`
		Index      json.RawMessage `json:"index"` // a string or a number
		Parameters []struct {
			Payload string `json:"payload"`
			Action  struct {
				FlowToken string `json:"flow_token"`
			} `json:"action"`
		} `json:"parameters"`
	} `json:"components"`
}

// buttonsOf returns the buttons of the template that a message was made of, and for each what the
// message fills it in with. The caller must hold the world's mu.
func (p *Phone) buttonsOf(sent cloudapitest.SentMessage) (buttons []cloudapi.ButtonDefinition, payload,
	flowToken map[int]string) {
	var v tapTemplate
	_ = json.Unmarshal(sent.Content(), &v)
	name, language := sent.Template()
	payload, flowToken = map[int]string{}, map[int]string{}
	for _, id := range p.wabas {
		for _, t := range p.world.graph.Templates(id) {
			for _, part := range t.Components {
				if t.Name == name && t.Language == language {
					buttons = append(buttons, part.Buttons...)
				}
			}
		}
	}
	for _, c := range v.Components {
		i, err := strconv.Atoi(strings.Trim(string(c.Index), `"`))
		if err == nil && strings.EqualFold(c.Type, "button") && len(c.Parameters) > 0 {
			payload[i], flowToken[i] = c.Parameters[0].Payload, c.Parameters[0].Action.FlowToken
		}
	}
	return buttons, payload, flowToken
}

// quickReply is the answer to a quick reply of a template. That its payload is what the button says
// where the message gives none is assumed.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/button
func (p *Phone) quickReply(sent cloudapitest.SentMessage, button string) (Content, error) {
	buttons, payloads, _ := p.buttonsOf(sent)
	for i, b := range buttons {
		payload := payloads[i]
		if payload == "" {
			payload = b.Text
		}
		if b.Type == cloudapi.ButtonDefinitionQuickReply && (b.Text == button || payload == button) {
			raw := object(str("payload", payload), str("text", b.Text))
			return Content{Type: "button", Text: b.Text, raw: string(raw)}, nil
		}
	}
	return Content{}, errNoButton
}

// flowOf returns the id or name of the Flow of a message and its token, or nothing. Meta's default
// for the token is "unused".
func (p *Phone) flowOf(sent cloudapitest.SentMessage) (flow, token string) {
	parameters := interactiveOf(sent).Action.Parameters
	flow, token = parameters.FlowID+parameters.FlowName, parameters.FlowToken
	if sent.Type == "template" {
		buttons, _, tokens := p.buttonsOf(sent)
		for i, b := range buttons {
			if b.Type == cloudapi.ButtonDefinitionFlow {
				flow, token = b.FlowID+b.FlowName, tokens[i]
			}
		}
	}
	if token == "" {
		token = "unused"
	}
	return flow, token
}

// fitsFlow compares the members of an answer with what the actions named "complete" of a Flow hand
// over.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/flowjson
func fitsFlow(flow json.RawMessage, answer map[string]json.RawMessage) error {
	ends := flowEnds(flow)
	if len(ends) == 0 {
		return nil
	}
	have := slices.Sorted(maps.Keys(answer))
	var wanted []string
	for _, want := range ends {
		if slices.Equal(have, want) {
			return nil
		}
		wanted = append(wanted, "{"+strings.Join(want, ", ")+"}")
	}
	return fmt.Errorf("coexistencetest: the Flow hands over %s, and the answer has {%s}",
		strings.Join(wanted, " or "), strings.Join(have, ", "))
}

// flowEnds returns the names of the members that each action named "complete" hands over.
func flowEnds(value json.RawMessage) [][]string {
	var elements []json.RawMessage
	var members map[string]json.RawMessage
	var ends [][]string
	switch {
	case json.Unmarshal(value, &elements) == nil:
		for _, inner := range elements {
			ends = append(ends, flowEnds(inner)...)
		}
	case json.Unmarshal(value, &members) == nil:
		var payload map[string]json.RawMessage
		if string(members["name"]) == `"complete"` && json.Unmarshal(members["payload"], &payload) == nil {
			return [][]string{slices.Sorted(maps.Keys(payload))}
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			ends = append(ends, flowEnds(members[name])...)
		}
	}
	return ends
}
