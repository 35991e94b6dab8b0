package cloudapitest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A node is an object of the graph, as a read shows it. A member that is nil is left out.
type node map[string]json.RawMessage

// emptyFields are documented fields that have no value here, by the type of the node: to ask for
// one is no error, and it is left out of the answer.
var emptyFields = map[string][]string{
	phoneType: {
		"certificate", "country_code", "country_dial_code", "eligibility_for_api_business_global_search",
		"host_platform",
		"messaging_limit_tier", "new_certificate", "new_display_name", "official_business_account", "quality_score",
		"unified_cert_status", "username",
	},
	wabaType: {
		"auth_international_rate_eligibility", "dcc_config", "is_shared_with_partners", "linked_commerce_account",
		"marketing_messages_lite_api_status", "marketing_messages_onboarding_status", "on_behalf_of_business_info",
		"owner_business", "primary_business_location", "purchase_order_number",
		"whatsapp_business_manager_messaging_limit",
	},
	templateType: {
		"correct_category", "cta_url_link_tracking_opted_out", "degrees_of_freedom_spec", "display_format",
		"is_primary_device_delivery_only", "last_updated_time", "library_template_name", "previous_category", "source",
		"sub_category",
	},
	flowType: {
		"application", "data_api_version", "data_channel_uri", "updated_at", "whatsapp_business_account",
	},
}

// show answers with the fields of a node that a read asks for.
func (s *Server) show(c *call, n node, defaults, typeName string) reply {
	picked, err := s.pick(c, n, cmp.Or(c.get("fields"), defaults), typeName)
	if err != nil {
		return refuse(err)
	}
	return ok(picked)
}

// showAll answers with a page of nodes, like show.
func (s *Server) showAll(c *call, nodes []node, defaults, typeName string) reply {
	start, end, err := window(c, len(nodes))
	if err != nil {
		return refuse(err)
	}
	for i, n := range nodes[start:end] {
		picked, err := s.pick(c, n, cmp.Or(c.get("fields"), defaults), typeName)
		if err != nil {
			return refuse(err)
		}
		nodes[start+i] = picked
	}
	return s.page(c, nodes)
}

// pick returns the fields that were asked for and the id, which Meta always adds. An edge can be
// asked for like a field, with fields of its own. One unknown field fails the whole call.
//
// Meta: https://developers.facebook.com/docs/graph-api/guides/field-expansion
func (s *Server) pick(c *call, n node, fields, typeName string) (node, *graphError) {
	picked := node{"id": n["id"]}
	for _, f := range parseFields(fields) {
		if typeName == wabaType && f.name == "primary_funding_id" && !s.seesFunding() {
			return nil, &graphError{Code: graph.CodePermissionDenied} // as reported, October 2026
		}
		value, known := n[f.name]
		known = known || slices.Contains(emptyFields[typeName], f.name)
		if !known {
			var err *graphError
			if value, known, err = s.expand(c, n, f); err != nil {
				return nil, err
			}
		}
		if !known {
			return nil, &graphError{
				Code: graph.CodeInvalidParameter,
				Message: fmt.Sprintf("(#100) Tried accessing nonexisting field (%s) on node type (%s)", f.name,
					typeName),
			}
		}
		if value != nil {
			picked[f.name] = value
		}
	}
	return picked, nil
}

// expand reads an edge that is asked for as a field, with the rights that a call of the edge would
// have. That an empty list is left out is how the Graph API shows a field without a value.
func (s *Server) expand(c *call, n node, f field) (value json.RawMessage, known bool, err *graphError) {
	var id string
	_ = json.Unmarshal(n["id"], &id)
	i := slices.IndexFunc(s.edges, func(rt route) bool {
		return rt.method == http.MethodGet && rt.edge == f.name && rt.node != kindNone && rt.node == s.kindOf(id)
	})
	if i < 0 {
		return nil, false, nil
	}
	inner := &call{
		method: http.MethodGet, version: c.version, id: id, path: id + "/" + f.name, header: c.header, token: c.token,
	}
	inner.params, _ = readParams("", f.args, nil)
	if err := s.load(s.edges[i], inner); err != nil {
		return nil, true, err
	}
	rep := s.edges[i].handle(s, inner)
	if string(rep.body) == `{"data":[]}` {
		return nil, true, nil
	}
	return rep.body, true, rep.err
}

// A field is a field that a read asks for, such as phone_numbers.limit(5){id}: args has the
// arguments, and the fields in braces under the name fields.
type field struct {
	name string
	args url.Values
}

// parseFields reads the fields of a read.
func parseFields(fields string) []field {
	var list []field
	for _, text := range splitTop(fields) {
		head, inner, _ := strings.Cut(text, "{")
		name, _, _ := strings.Cut(head, ".")
		name, _, _ = strings.Cut(name, "(")
		if name == "" {
			continue
		}
		f := field{strings.TrimSpace(name), url.Values{}}
		for _, m := range argumentRe.FindAllStringSubmatch(head, -1) {
			f.args.Set(m[1], m[2])
		}
		if inner = strings.TrimSuffix(strings.TrimSpace(inner), "}"); inner != "" {
			f.args.Set("fields", inner)
		}
		list = append(list, f)
	}
	return list
}

// splitTop splits at the commas outside of braces and parentheses.
func splitTop(fields string) []string {
	var list []string
	depth, start := 0, 0
	for i := range len(fields) {
		switch fields[i] {
		case '{', '(':
			depth++
		case '}', ')':
			depth--
		case ',':
			if depth == 0 {
				list = append(list, strings.TrimSpace(fields[start:i]))
				start = i + 1
			}
		}
	}
	return append(list, strings.TrimSpace(fields[start:]))
}
