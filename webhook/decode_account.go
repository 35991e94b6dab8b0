package webhook

// readAccountUpdate reads an account update, also one that arrives under another label.
var readAccountUpdate = one(func(u *AccountUpdate) Event {
	if u.WABAInfo != nil {
		u.WABA = u.WABAInfo.WABA
	}
	return u
})
