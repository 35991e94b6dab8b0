package control

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// maxDescribed is how many events of a body are described.
const maxDescribed = 3

// Describe summarizes the body of a webhook in a line. It may contain names and numbers, because
// everyone in the simulator is made up.
func Describe(body []byte) string {
	events, err := webhook.Decode(body)
	if err != nil {
		return "not readable"
	}
	var lines []string
	for _, ev := range events[:min(len(events), maxDescribed)] {
		lines = append(lines, describe(ev))
	}
	if more := len(events) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "; ")
}

// person returns the name, number or id of a person.
func person(id graph.Identity) string { return cmp.Or(id.WAID, string(id.UserID), "a group") }

// describe summarizes an event.
func describe(ev webhook.Event) string {
	switch ev := ev.(type) { //nolint:gochecksumtype // for the others, the name of the field is enough
	case *webhook.IncomingMessage:
		return fmt.Sprintf("%s from %s", ev.Type, person(ev.From))
	case *webhook.MessageStatus:
		return fmt.Sprintf("%s: to %s", ev.Status, person(ev.Recipient))
	case *webhook.BusinessAppEcho:
		return fmt.Sprintf("%s written on the phone to %s", ev.Type, person(ev.To))
	case *webhook.HistoryChunk:
		return fmt.Sprintf("history, phase %d, %d %% done", ev.Phase, ev.Progress)
	case *webhook.AccountUpdate:
		return "account update " + string(ev.Event)
	}
	return strings.ReplaceAll(string(ev.Info().Field), "_", " ")
}
