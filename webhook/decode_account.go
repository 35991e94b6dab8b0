package webhook

import "strings"

// readAccountUpdate reads an account update, also one that arrives under another label.
var readAccountUpdate = one(func(u *AccountUpdate) Event {
	if u.WABAInfo != nil {
		u.WABAID = u.WABAInfo.WABAID
	}
	if c := u.Certification; c != nil {
		for i, r := range c.RejectionReasons {
			c.RejectionReasons[i] = RejectionReason(strings.ReplaceAll(string(r), "_", " "))
		}
	}
	return u
})
