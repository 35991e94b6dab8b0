package webhook

import "strings"

// readAccountUpdate reads an account update, also one that arrives under another label.
var readAccountUpdate = one(func(u *AccountUpdate) Event {
	if u.WABAInfo != nil {
		u.WABA = u.WABAInfo.WABA
	}
	if c := u.Certification; c != nil {
		for i, r := range c.RejectionReasons {
			c.RejectionReasons[i] = RejectionReason(strings.ReplaceAll(string(r), "_", " "))
		}
	}
	return u
})
