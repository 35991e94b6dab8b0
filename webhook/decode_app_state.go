package webhook

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// readAppState reads an element of state_sync.
func readAppState(s *wire.Scanner) Event {
	a := new(AppStateSync)
	if a.readAhead(lookAhead(s)) || !s.Object() {
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

// readAhead reads a contact that was added or changed.
func (a *AppStateSync) readAhead(l ahead) bool {
	l.want(`{"type":"contact","contact":{"full_name":"`)
	full := l.text()
	l.want(`","first_name":"`)
	first := l.text()
	l.want(`","phone_number":"`)
	number := l.phone()
	l.want(`"},"action":"add","metadata":{"timestamp":"`)
	at := l.seconds()
	l.want(`"}}`)
	if l.read() == nil {
		return false
	}
	a.Type, a.Action, a.At = AppStateContact, AppStateAdd, at.Time
	a.Contact.FullName, a.Contact.FirstName, a.Contact.PhoneNumber = full, first, number
	return true
}

func (a *AppStateSync) readMetadata(s *wire.Scanner) {
	a.At = time.Time{}
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
