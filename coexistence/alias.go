package coexistence

import (
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Aliases returns the names under which a person can be found, the best first: the business-scoped user id, the phone number as
// [graph.EquivalenceKey] has it, the parent user id. A username changes hands, so it counts only where there is nothing else; it
// begins with @. The result is empty for an identity of which nothing is known.
func Aliases(id graph.Identity) []string {
	var list []string
	add := func(s string) {
		if s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	add(string(id.UserID))
	if graph.IsUserID(id.WAID) { // seen in production: a user id where the number belongs
		add(id.WAID)
	} else {
		add(graph.EquivalenceKey(id.WAID))
	}
	add(string(id.ParentUserID))
	if len(list) == 0 && id.Username != "" {
		add("@" + id.Username)
	}
	return list
}

// alias returns the best alias, or nothing.
func alias(id graph.Identity) string {
	if list := Aliases(id); len(list) > 0 {
		return list[0]
	}
	return ""
}
