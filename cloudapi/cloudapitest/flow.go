package cloudapitest

import (
	"encoding/json"

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
	problems   []cloudapi.FlowValidationError
}

// flowDefaults are the fields of a read that names none.
const flowDefaults = "id,name,status,categories,validation_errors"

// node is what a read shows of a Flow. The list of mistakes is there also when it is empty.
func (f *flow) node() node {
	problems := f.problems
	if problems == nil {
		problems = []cloudapi.FlowValidationError{}
	}
	preview := "https://business.facebook.com/wa/manage/flows/" + f.id + "/preview/?token=made-up"
	return node{
		"id": raw(f.id), "name": raw(f.name), "status": raw(f.status), "categories": f.categories,
		"validation_errors": raw(problems), "json_version": raw("6.0"), "data_api_version": nil,
		"endpoint_uri": raw(f.endpoint), "preview": raw(map[string]string{"preview_url": preview}),
		"health_status": health("FLOW", f.id), "application": nil, "whatsapp_business_account": nil,
	}
}

// listFlows answers with the Flows of an account.
func (s *Server) listFlows(c *call) reply {
	var nodes []node
	for _, f := range all[flow](s, kindFlow, func(o *object) bool { return o.waba == c.waba }) {
		n, err := f.node().pick(c.query.Get("fields"), flowDefaults, "WhatsAppFlow")
		if err != nil {
			return refuse(err)
		}
		nodes = append(nodes, n)
	}
	return s.page(c, nodes)
}

// getFlow reads one Flow.
func (s *Server) getFlow(c *call) reply {
	n, err := valueOf[flow](c).node().pick(c.query.Get("fields"), flowDefaults, "WhatsAppFlow")
	if err != nil {
		return refuse(err)
	}
	return ok(n)
}

// postFlow makes a Flow, whose name no other Flow of the account may have. JSON with mistakes is
// stored, and the mistakes come with status 200; such a Flow is not published even if that was
// asked for. A copy of another Flow (clone_flow_id) is not made.
func (s *Server) postFlow(c *call) reply {
	values, _, err := c.form()
	if err != nil {
		return refuse(err)
	}
	f := &flow{
		id: s.newID(), name: values.Get("name"), status: graph.FlowDraft, endpoint: values.Get("endpoint_uri"),
		categories: json.RawMessage(values.Get("categories")),
	}
	switch {
	case f.name == "":
		return refuse(missing("name"))
	case !json.Valid(f.categories):
		return refuse(missing("categories"))
	}
	for _, other := range all[flow](s, kindFlow, func(o *object) bool { return o.waba == c.waba }) {
		if other.name == f.name {
			return refuse(invalid("A Flow of this name exists already"))
		}
	}
	if text := values.Get("flow_json"); text != "" {
		f.take([]byte(text))
	}
	if values.Get("publish") == "true" && len(f.problems) == 0 && f.json != nil {
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
	f.json, f.problems = text, nil
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
	values, _, err := c.form()
	if err != nil {
		return refuse(err)
	}
	f := valueOf[flow](c)
	if v := values.Get("name"); v != "" {
		f.name = v
	}
	if v := values.Get("endpoint_uri"); v != "" {
		f.endpoint = v
	}
	if v := values.Get("categories"); v != "" {
		f.categories = json.RawMessage(v)
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
	_, files, err := c.form()
	if err != nil {
		return refuse(err)
	}
	f := valueOf[flow](c)
	if f.status != graph.FlowDraft {
		return refuse(&graphError{Code: graph.CodeFlowCannotBeUpdated})
	}
	upload, found := files["file"]
	if !found || upload.mimeType != "application/json" {
		return refuse(invalid("file must be a file of type application/json"))
	}
	f.take(upload.body)
	problems := f.problems
	if problems == nil {
		problems = []cloudapi.FlowValidationError{}
	}
	return ok(struct {
		Success  bool                           `json:"success"`
		Problems []cloudapi.FlowValidationError `json:"validation_errors"`
	}{true, problems})
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
