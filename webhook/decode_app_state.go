package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"

// readAppState reads an element of state_sync.
func readAppState(s *wire.Scanner) Event {
	a := new(AppStateSync)
	if !s.Object() {
		return a
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "type":
			a.Type = AppStateType(s.Text())
		case "action":
			a.Action = AppStateAction(s.Text())
		case "contact":
			readAppContact(s, &a.Contact)
			a.Contact.Username = username(a.Contact.Username)
		case "metadata":
			a.readMetadata(s)
		default:
			s.Unknown()
		}
	}
	return a
}

func (a *AppStateSync) readMetadata(s *wire.Scanner) {
	if !s.Object() {
		return
	}
	for s.NextMember() {
		if string(s.Name()) == "timestamp" {
			a.At = s.Time().Time
		} else {
			s.Unknown()
		}
	}
}
