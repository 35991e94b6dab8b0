package eligibility

import "time"

// notes returns what is worth knowing, without what a fact rules out. None of it comes from a call
// to Meta: there is none.
func notes(c Candidate, n number) []Note {
	var all []Note
	add := func(code NoteCode, text string) { all = append(all, Note{code, text}) }
	if n.unusual {
		add(NoteUnusualNumber, "The number does not look like one that is in use. Check its digits.")
	}
	if n.region == "RU" || n.region == "UA" {
		add(NoteSanctionedAreas, "The WhatsApp Business Platform is not available in Crimea, Donetsk and Luhansk.")
	}
	add(NoteActivity, "Meta may ask for more activity in the WhatsApp Business app. It decides so during the "+
		"connection, "+
		"and cannot be asked before.")
	if c.UsedFor < 7*24*time.Hour {
		add(NoteNewNumber, "Partners report that a number should have been used in the WhatsApp Business app for "+
			"about 7 "+
			"days. Meta's documentation does not ask for it.")
	}
	if c.OnCloudAPI != No {
		// That the app asks for the PIN is assumed: Meta's pages say it of the next registration.
		add(NoteOnCloudAPI, "A number that is on Cloud API already cannot be switched directly: change its PIN for "+
			"two-step verification in WhatsApp Manager if you do not know it, remove the number from its WhatsApp "+
			"Business Account, register it in the WhatsApp Business app, then connect it.")
	}
	if c.FormerPartner != No {
		add(NoteFormerPartner, "A number that is connected through another partner has to be disconnected first: in "+
			"the WhatsApp Business app, choose Settings, Account, Business Platform. Wait 15 minutes, then connect it "+
			"here.")
		add(NoteCreditLine, "If a former partner still shares a credit line with the business, the connection may "+
			"fail: back up the chats, disconnect the business in the app, reconnect it there, then start again.")
	}
	add(NotePaymentMethod, "Messages from the app stay free; those through Cloud API can be billed to the "+
		"WhatsApp Business Account. Unless your provider pays for them, add a payment method in WhatsApp Manager "+
		"after connecting: without one, sending can fail.")
	if c.HasBadge != No {
		add(NoteBadge, "Partners report that an Official Business Account or a Meta Verified badge may be lost on "+
			"connecting, "+
			"and that buying it again may end the connection. Meta has not confirmed it.")
	}
	return all
}
