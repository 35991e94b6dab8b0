package webhook

import (
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// accountUpdate emits the event of an account update. Its members are nobody else's, so it is read a second time as a
// whole.
func (d *decoder) accountUpdate(c change, field Field) {
	u := new(AccountUpdate)
	var s wire.Scanner
	s.Reset(c.value)
	it := s.BeginItem()
	accountDecoder.Decode(&s, u)
	raw, unknown, err := s.EndItem(it)
	info := EventInfo{Field: field, Raw: raw}
	for _, m := range unknown {
		// Two of Meta's samples have the change's label and the envelope's object in here.
		if m.Path == "field" || m.Path == "object" && strings.HasPrefix(string(m.Value), `"whatsapp`) {
			continue
		}
		info.Unknown = append(info.Unknown, Member{m.Path, m.Value})
	}
	if err != nil {
		d.events = append(d.events, &Undecodable{info, itemError(err)})
		return
	}
	u.EventInfo = info
	if u.WABAInfo != nil {
		u.WABA = u.WABAInfo.WABA
	}
	d.events = append(d.events, u)
}

var accountDecoder = wire.For[AccountUpdate]()
