package coexistence

import (
	"cmp"
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

// IdentityOf returns the identity that has an alias: a user id, a username behind an @, or else a
// number.
func IdentityOf(alias string) graph.Identity {
	switch {
	case graph.IsUserID(alias):
		return graph.Identity{UserID: graph.UserID(alias)}
	case len(alias) > 1 && alias[0] == '@':
		return graph.Identity{Username: alias[1:]}
	default:
		return graph.Identity{WAID: alias}
	}
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

// bestAlias returns the first of the [Aliases], or "" if there is none.
func bestAlias(id graph.Identity) string {
	if list := Aliases(id); len(list) > 0 {
		return list[0]
	}
	return ""
}

// normalizeIdentity brings an identity into one spelling: digits for numbers, and a user id in
// UserID, even where Meta wrote it in place of the number.
func normalizeIdentity(id graph.Identity) graph.Identity {
	if !graph.IsUserID(id.WAID) {
		id.WAID = phonenumber.Digits(id.WAID)
		return id
	}
	if id.UserID == "" {
		id.UserID = graph.UserID(id.WAID)
	}
	id.WAID = ""
	return id
}

// compareIdentities orders identities. The order means nothing; it makes choices among equals the
// same on every machine.
func compareIdentities(a, b graph.Identity) int {
	return cmp.Or(
		cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.WAID, b.WAID),
		cmp.Compare(a.ParentUserID, b.ParentUserID), cmp.Compare(a.Username, b.Username),
	)
}
