package usage

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// FreeServiceMessages is how many delivered service messages are free per number and calendar
// month, since 2026-10-01.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
const FreeServiceMessages = 1000

// ErrNoRate says that a [RateFunc] has no price for some messages.
var ErrNoRate = errors.New("usage: there is no rate for some messages; add it to your table")

// A Month is what the messages of a number are billed as that were delivered in a calendar month.
type Month struct {
	PhoneNumberID graph.PhoneNumberID

	// Begin and End are the first moment of the month and that of the next one, in
	// Config.Location. Begin.AddDate(0, -1, 0) is in the month before.
	Begin, End time.Time

	// Lines are ordered by category, type, subtype and market. None if nothing was delivered.
	Lines []Line
}

// A Line counts messages that are billed alike.
type Line struct {
	Category webhook.PricingCategory
	Type     webhook.PricingType
	Subtype  webhook.PricingSubtype // mostly empty
	Market   string                 // see Config.Market
	Messages int64
}

// Free reports whether the messages cost nothing: see [webhook.Pricing.Free].
func (l Line) Free() bool {
	p := webhook.Pricing{Type: l.Type, Subtype: l.Subtype}
	return p.Free()
}

// FreeServiceLeft estimates how many service messages are free for the rest of the month. It is 0
// as soon as Meta has billed one, whatever was counted: the count misses what was delivered before
// there was a meter. For months before October 2026 it has no meaning.
func (m *Month) FreeServiceLeft() int {
	left := int64(FreeServiceMessages)
	for _, l := range m.Lines {
		service := l.Category == webhook.PricingService || l.Category == webhook.PricingGroupService
		switch {
		case l.Type == webhook.PricingFreeService, l.Type == webhook.PricingFreeGroupService:
			left -= l.Messages
		case service && l.Type == webhook.PricingRegular: // also if it is exempt
			return 0
		}
	}
	return int(max(left, 0))
}

// Cost returns what the messages of the month cost by a table of rates. An error that matches
// [ErrNoRate] names what the table lacks; then the result is the cost of all else. Rates of two
// currencies and negative ones are errors too.
func (m *Month) Cost(rate RateFunc) (Money, error) {
	var sum Money
	var missing []error
	for _, l := range m.Lines {
		if l.Free() || l.Messages == 0 {
			continue
		}
		price, ok := rate(l)
		switch {
		case !ok:
			missing = append(missing, fmt.Errorf("%w: category %q, market %q", ErrNoRate, l.Category, l.Market))
			continue
		case price.Micros < 0:
			return Money{}, fmt.Errorf("usage: the rate of category %q, market %q is negative", l.Category, l.Market)
		case price.Micros > (math.MaxInt64-sum.Micros)/l.Messages:
			return Money{}, fmt.Errorf("usage: the cost is too large; is the rate of category %q, market %q in "+
				"millionths?", l.Category, l.Market)
		case sum.Currency != "" && sum.Currency != price.Currency:
			return Money{}, fmt.Errorf("usage: the table has rates in %s and %s; give all in one currency",
				sum.Currency, price.Currency)
		}
		sum.Currency = price.Currency
		sum.Micros += price.Micros * l.Messages
	}
	return sum, errors.Join(missing...)
}
