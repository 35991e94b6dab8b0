package control

import (
	"net/http"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A responderParams describes another responder to be added: [coexistencetest.ResponderConfig].
type responderParams struct {
	Role   graph.HandoverRole `json:"role"`
	Name   string             `json:"name"`
	Reply  string             `json:"reply"`
	PassOn string             `json:"pass_on"`
}

// A responderView is another responder as JSON, with the events that it received, latest last.
type responderView struct {
	Role   graph.HandoverRole   `json:"role"`
	Name   string               `json:"name"`
	Events []responderEventView `json:"events"`
}

// A responderEventView is an event that another responder received.
type responderEventView struct {
	Type      coexistencetest.ResponderEventType `json:"type"`
	Customer  string                             `json:"customer"`
	MessageID graph.MessageID                    `json:"message_id,omitzero"`
	Metadata  string                             `json:"metadata,omitzero"`
	At        time.Time                          `json:"at"`
}

// viewResponder returns a responder as JSON, with the latest events that it received.
func viewResponder(r *coexistencetest.Responder) responderView {
	v := responderView{r.Role(), r.Name(), []responderEventView{}}
	events := r.Events()
	for _, e := range events[max(0, len(events)-100):] {
		v.Events = append(v.Events, responderEventView{e.Type, CustomerID(e.Customer), e.MessageID, e.Metadata, e.At})
	}
	return v
}

func (a *API) listResponders(r *http.Request) (int, any, error) {
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	list := struct {
		Data []responderView `json:"data"`
	}{[]responderView{}}
	for _, other := range p.Responders() {
		list.Data = append(list.Data, viewResponder(other))
	}
	return 0, list, nil
}

// addResponder lets another responder answer on a number.
func (a *API) addResponder(r *http.Request) (int, any, error) {
	in, err := read[responderParams](r)
	if err != nil {
		return 0, nil, err
	}
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	if err := knownRole(in.Role); err != nil {
		return 0, nil, err
	}
	other, err := p.AddResponder(coexistencetest.ResponderConfig{
		Role: in.Role, Name: in.Name, Reply: in.Reply, PassOn: in.PassOn,
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, viewResponder(other), nil
}

// roles are the roles that a call accepts; empty stands for a default.
var roles = []graph.HandoverRole{
	"", graph.RoleAIAgent, graph.RoleClickToWhatsApp, graph.RoleCustomerService, graph.RoleEscalation,
	graph.RoleMarketing, graph.RoleUtility,
}

// knownRole refuses an unknown role, which most often is misspelled.
func knownRole(role graph.HandoverRole) error {
	if !slices.Contains(roles, role) {
		return invalid("%q is not a role; there are %q", role, roles[1:])
	}
	return nil
}

// A routingView is how a number is routed, as JSON.
type routingView struct {
	On       bool               `json:"on"`
	HostRole graph.HandoverRole `json:"host_role"`
}

func (a *API) getRouting(r *http.Request) (int, any, error) {
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	now := p.Routing()
	return 0, routingView{now.On, now.HostRole}, nil
}

// putRouting switches the routing of a number on or off, and gives the host a role.
func (a *API) putRouting(r *http.Request) (int, any, error) {
	in, err := read[routingView](r)
	if err != nil {
		return 0, nil, err
	}
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	if err := knownRole(in.HostRole); err != nil {
		return 0, nil, err
	}
	if err := p.SetRouting(coexistencetest.Routing{On: in.On, HostRole: in.HostRole}); err != nil {
		return 0, nil, err
	}
	return a.getRouting(r)
}

// findResponder returns the responder with a role or, if role is empty, the only one.
func findResponder(p *coexistencetest.Phone, role graph.HandoverRole) (*coexistencetest.Responder, error) {
	all := p.Responders()
	if role == "" && len(all) == 1 {
		return all[0], nil
	}
	for _, r := range all {
		if r.Role() == role {
			return r, nil
		}
	}
	if len(all) == 0 {
		return nil, conflict("the number has no other responder; POST …/responders adds one")
	}
	return nil, invalid("responder is the role of one of the number's other responders")
}

// A ThreadView is the owner of a conversation as JSON: "host", "idle", the role of another
// responder, or "" where conversations are not routed.
type ThreadView struct {
	Owner string `json:"owner"`
	Name  string `json:"name,omitzero"` // of another responder
}

// ThreadOf returns the owner of the conversation with a customer.
func ThreadOf(c *coexistencetest.Customer) ThreadView {
	switch o := c.ThreadOwner(); {
	case !o.Routed:
		return ThreadView{}
	case o.Idle:
		return ThreadView{Owner: "idle"}
	case o.Responder == nil:
		return ThreadView{Owner: "host"}
	default:
		return ThreadView{Owner: string(o.Responder.Role()), Name: o.Responder.Name()}
	}
}

func (a *API) getThread(r *http.Request) (int, any, error) {
	_, c, err := a.customer(r)
	if err != nil {
		return 0, nil, err
	}
	return 0, ThreadOf(c), nil
}

// postThread has another responder pass, release or take a conversation. The host does the same
// with a call of the Graph API.
func (a *API) postThread(r *http.Request) (int, any, error) {
	in, err := read[struct {
		Action    string             `json:"action"`
		Responder graph.HandoverRole `json:"responder"`
		To        graph.HandoverRole `json:"to"`
		Metadata  string             `json:"metadata"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	p, c, err := a.customer(r)
	if err != nil {
		return 0, nil, err
	}
	if err := knownRole(in.To); err != nil {
		return 0, nil, err
	}
	other, err := findResponder(p, in.Responder)
	if err != nil {
		return 0, nil, err
	}
	switch in.Action {
	case "pass":
		err = other.Pass(c, in.To, in.Metadata)
	case "release":
		err = other.Release(c)
	case "take":
		err = other.Take(c, in.Metadata)
	default:
		return 0, nil, invalid("action is pass, release or take")
	}
	if err != nil {
		return 0, nil, err
	}
	return 0, ThreadOf(c), nil
}

// respondAs lets another responder write: a text, or a template named by text and language.
func respondAs(
	p *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams,
) (graph.MessageID, error) {
	r, err := findResponder(p, in.Responder)
	switch {
	case err != nil:
		return "", err
	case in.Text == "":
		return "", invalid("text is missing")
	case in.Type == "" || in.Type == "text":
		return r.Send(c, in.Text)
	case in.Type == "template":
		return r.SendTemplate(c, in.Text, in.Language)
	}
	return "", invalid("another responder writes messages of type text or template")
}
