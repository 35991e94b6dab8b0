package health

import (
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A Health is how one number is. It is a value; what it points to must not be changed.
type Health struct {
	// PhoneNumberID is the number's id.
	PhoneNumberID graph.PhoneNumberID

	// At is when it was looked at.
	At time.Time

	// ReadAt is when this process last read the number from Meta, zero if it did not since it
	// began. Quality, Limits, Webhooks and Payment are of that moment.
	ReadAt time.Time

	// Number is what the tracker's store knows, with all details.
	Number coexistence.Number

	// Connection, Sync, Enforcement, Phone and Responders follow from Number.
	Connection  Connection
	Sync        Sync
	Enforcement Enforcement
	Phone       Phone
	Responders  Responders

	// Quality, Limits, Webhooks and Payment come from Meta.
	Quality  Quality
	Limits   Limits
	Webhooks Webhooks
	Payment  Payment

	// Token is what is stored of the token, and whether Meta took it at ReadAt.
	Token Token

	// Delivery and Drift come from Config.Arrivals and the store, DeadLetters and Backlog from
	// Config.Inbox, Sends from Config.Outbox.
	Delivery    Delivery
	Drift       Drift
	DeadLetters DeadLetters
	Backlog     Backlog
	Sends       Sends
}

// Parts returns all parts in short, always in the same order.
func (h Health) Parts() []Part {
	return []Part{
		{PartConnection, string(h.Connection.Stage), h.Connection.Verdict},
		{PartSync, "", h.Sync.Verdict},
		{PartQuality, string(h.Quality.Rating), h.Quality.Verdict},
		{PartLimits, h.Limits.MessagingLimit, h.Limits.Verdict},
		{PartEnforcement, strings.Join(h.Enforcement.words(), " "), h.Enforcement.Verdict},
		{PartToken, "", h.Token.Verdict},
		{PartPhone, "", h.Phone.Verdict},
		{PartWebhooks, "", h.Webhooks.Verdict},
		{PartPayment, "", h.Payment.Verdict},
		{PartDelivery, "", h.Delivery.Verdict},
		{PartDrift, "", h.Drift.Verdict},
		{PartDeadLetters, "", h.DeadLetters.Verdict},
		h.Backlog.part(),
		{PartSends, "", h.Sends.Verdict},
		{PartResponders, "", h.Responders.Verdict},
	}
}

// Status returns the worst status of all parts. What is unknown does not count, unless nothing is
// known.
func (h Health) Status() Status {
	worst := StatusUnknown
	for _, p := range h.Parts() {
		if p.Status.rank() > worst.rank() {
			worst = p.Status
		}
	}
	return worst
}

// Wrong returns the parts that need attention: warnings and what is broken.
func (h Health) Wrong() []Part {
	var wrong []Part
	for _, p := range h.Parts() {
		if p.Wrong() {
			wrong = append(wrong, p)
		}
	}
	return wrong
}
