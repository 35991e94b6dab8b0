package cloudapitest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A flow is a Flow of an account.
type flow struct {
	id         string
	name       string
	status     graph.FlowStatus
	categories json.RawMessage
	endpoint   string
	json       []byte
	problems   []cloudapi.FlowValidationError // never nil, so that reads have a list
}

// flowType is the node's type as Meta's errors name it, flowDefaults the fields of a read that
// names none.
const (
	flowType     = "WhatsAppFlow"
	flowDefaults = "id,name,status,categories,validation_errors"
)

// node is what a read shows of a Flow.
func (f *flow) node() node {
	preview := "https://business.facebook.com/wa/manage/flows/" + f.id + "/preview/?token=made-up"
	return node{
		"id": raw(f.id), "name": raw(f.name), "status": raw(f.status), "categories": f.categories,
		"validation_errors": raw(f.problems), "json_version": f.version(),
		"endpoint_uri": raw(f.endpoint), "preview": raw(map[string]string{"preview_url": preview}),
		"health_status": health("FLOW", f.id),
	}
}

// version is the version that the uploaded JSON names, or nothing.
func (f *flow) version() json.RawMessage {
	var v struct {
		Version json.RawMessage `json:"version"`
	}
	_ = json.Unmarshal(f.json, &v)
	return v.Version
}

// FlowJSON returns the JSON of a Flow of an account, by the Flow's id or name, and whether there is
// such a Flow. One whose JSON was never uploaded has none.
func (s *Server) FlowJSON(waba graph.WABAID, idOrName string) (json.RawMessage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range all[flow](s, kindFlow, func(o *object) bool { return o.waba != nil && o.waba.ID == waba }) {
		if f.id == idOrName || f.name == idOrName {
			return slices.Clone(f.json), true
		}
	}
	return nil, false
}

// listFlows answers with the Flows of an account.
func (s *Server) listFlows(c *call) reply {
	var nodes []node
	for _, f := range all[flow](s, kindFlow, func(o *object) bool { return o.waba == c.waba }) {
		nodes = append(nodes, f.node())
	}
	return s.showAll(c, nodes, flowDefaults, flowType)
}

// getFlow reads one Flow.
func (s *Server) getFlow(c *call) reply {
	return s.show(c, valueOf[flow](c).node(), flowDefaults, flowType)
}

// postFlow makes a Flow, whose name no other Flow of the account may have. JSON with mistakes is
// stored, and the mistakes come with status 200; such a Flow is not published even if that was
// asked for. A copy of another Flow (clone_flow_id) is not made.
func (s *Server) postFlow(c *call) reply {
	f := &flow{
		id: s.newID(), problems: []cloudapi.FlowValidationError{}, name: c.get("name"), status: graph.FlowDraft,
		endpoint:   c.get("endpoint_uri"),
		categories: coerce(c.values["categories"], rawMessageType),
	}
	switch {
	case f.name == "":
		return refuse(missing("name"))
	case !strings.HasPrefix(string(f.categories), "["):
		return refuse(missing("categories"))
	}
	for _, other := range all[flow](s, kindFlow, func(o *object) bool { return o.waba == c.waba }) {
		if other.name == f.name {
			return refuse(invalid("A Flow of this name exists already"))
		}
	}
	if text := c.get("flow_json"); text != "" {
		f.take([]byte(text))
	}
	if c.yes("publish") && len(f.problems) == 0 && f.json != nil {
		f.status = graph.FlowPublished
	}
	s.put(&object{id: f.id, kind: kindFlow, waba: c.waba, value: f})
	return ok(struct {
		ID       graph.FlowID                   `json:"id"`
		Success  bool                           `json:"success"`
		Problems []cloudapi.FlowValidationError `json:"validation_errors"`
	}{graph.FlowID(f.id), true, f.problems})
}

// take stores the JSON of a Flow and looks for the mistakes that can be seen from afar.
func (f *flow) take(text []byte) {
	f.json, f.problems = text, []cloudapi.FlowValidationError{}
	var v struct {
		Version string            `json:"version"`
		Screens []json.RawMessage `json:"screens"`
	}
	wrong := func(code, message string) {
		f.problems = append(f.problems, cloudapi.FlowValidationError{
			Code: code, Type: "FLOW_JSON_ERROR", Message: message,
			LineStart: 1, LineEnd: 1, ColumnStart: 1, ColumnEnd: 1,
		})
	}
	switch {
	case json.Unmarshal(text, &v) != nil:
		wrong("INVALID_JSON", "The Flow is not valid JSON.")
	case v.Version == "":
		wrong("REQUIRED_PROPERTY_MISSING", "Property 'version' is missing.")
	case len(v.Screens) == 0:
		wrong("REQUIRED_PROPERTY_MISSING", "Property 'screens' is missing.")
	}
}

// editFlow changes what a Flow is called and where its endpoint is. Members that are not given
// stay.
func (s *Server) editFlow(c *call) reply {
	f := valueOf[flow](c)
	if v := c.get("name"); v != "" {
		f.name = v
	}
	if v := c.get("endpoint_uri"); v != "" {
		f.endpoint = v
	}
	if v := c.get("categories"); v != "" {
		f.categories = coerce(c.values["categories"], rawMessageType)
	}
	return success
}

// deleteFlow removes a draft. A Flow that was published can only be deprecated.
func (s *Server) deleteFlow(c *call) reply {
	if valueOf[flow](c).status != graph.FlowDraft {
		return refuse(&graphError{Code: graph.CodeFlowCannotBeDeleted})
	}
	s.drop(c.id)
	return success
}

// flowAssets lists the one file of a Flow, if it has one. Nothing is served at its URL.
func (s *Server) flowAssets(c *call) reply {
	f := valueOf[flow](c)
	var nodes []node
	if f.json != nil {
		nodes = append(nodes, node{
			"name": raw("flow.json"), "asset_type": raw("FLOW_JSON"),
			"download_url": raw(s.URL + "/made-up-flow/" + f.id),
		})
	}
	return s.page(c, nodes)
}

// postFlowAsset replaces the JSON of a draft, which comes as a file. Its part must say that it is
// JSON.
func (s *Server) postFlowAsset(c *call) reply {
	f := valueOf[flow](c)
	if f.status != graph.FlowDraft {
		return refuse(&graphError{Code: graph.CodeFlowCannotBeUpdated})
	}
	upload, found := c.files["file"]
	if !found || upload.mimeType != "application/json" {
		return refuse(invalid("file must be a file of type application/json"))
	}
	f.take(upload.body)
	return ok(struct {
		Success  bool                           `json:"success"`
		Problems []cloudapi.FlowValidationError `json:"validation_errors"`
	}{true, f.problems})
}

// publishFlow makes a draft without mistakes final.
func (s *Server) publishFlow(c *call) reply {
	f := valueOf[flow](c)
	if f.status != graph.FlowDraft || f.json == nil || len(f.problems) > 0 {
		return refuse(&graphError{Code: graph.CodeFlowCannotBePublished})
	}
	f.status = graph.FlowPublished
	return success
}

// deprecateFlow ends a published Flow, for good.
func (s *Server) deprecateFlow(c *call) reply {
	f := valueOf[flow](c)
	if f.status != graph.FlowPublished {
		return refuse(&graphError{Code: graph.CodeFlowCannotBeDeprecated})
	}
	f.status = graph.FlowDeprecated
	return success
}
