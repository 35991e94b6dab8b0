package coexistence

import (
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// Aliases returns the names under which a person can be found, the best first: the business-scoped
// user id, the phone number as [graph.EquivalenceKey] has it, the parent user id. A username
// changes hands, so it counts only where there is nothing else; it begins with @. The result is
// empty for an identity of which nothing is known.
func Aliases(id graph.Identity) []string {
	var list []string
	add := func(s string) {
		if s = Alias(s); s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	add(string(id.UserID))
	if graph.IsUserID(id.WAID) { // seen in production: a user id where the number belongs
		add(id.WAID)
	} else {
		add(phonenumber.Digits(id.WAID))
	}
	add(string(id.ParentUserID))
	if len(list) == 0 && id.Username != "" {
		add("@" + id.Username)
	}
	return list
}

// Alias returns the alias that key stands for: a phone number in any spelling becomes the alias of
// that number, everything else (a [Contact].Key, an alias, [graph.Identity.Key]) is one already.
// Stores call it before they look for a person.
func Alias(key string) string {
	if strings.Trim(key, "+0123456789 -().") == "" {
		if number := graph.EquivalenceKey(key); number != "" {
			return number
		}
	}
	return key
}

// alias returns the best alias, or nothing.
func alias(id graph.Identity) string {
	if list := Aliases(id); len(list) > 0 {
		return list[0]
	}
	return ""
}
