package cloudapitest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A node is an object of the graph, as a read shows it. A member that is known but not set here is
// nil and left out.
type node map[string]json.RawMessage

// pick returns the fields that were asked for and the id, which Meta always adds. One unknown field
// fails the whole call.
func (n node) pick(fields, defaults, typeName string) (node, *graphError) {
	if fields == "" {
		fields = defaults
	}
	picked := node{"id": n["id"]}
	for _, name := range splitFields(fields) {
		value, ok := n[name]
		if !ok {
			return nil, &graphError{
				Code:    graph.CodeInvalidParameter,
				Message: fmt.Sprintf("(#100) Tried accessing nonexisting field (%s) on node type (%s)", name, typeName),
			}
		}
		if value != nil {
			picked[name] = value
		}
	}
	return picked, nil
}

// splitFields splits at the commas outside of braces and parentheses, and cuts off what is in them:
// "id,phone_numbers{id}" names id and phone_numbers.
func splitFields(fields string) []string {
	var names []string
	for _, field := range splitTop(fields) {
		name, _, _ := strings.Cut(field, "{")
		name, _, _ = strings.Cut(name, "(")
		name, _, _ = strings.Cut(name, ".")
		if name != "" {
			names = append(names, name)
		}
	}
	return names
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
