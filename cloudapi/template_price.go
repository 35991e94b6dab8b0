package cloudapi

// An OptimizationSpec is the max price of a marketing template: the most that one of its messages
// may cost. Such a template is sent with [MessagesService.SendMarketing] alone (code 131061), to
// phone numbers alone (131062), and to the countries that offer it (131065).
//
// The business, or the partner for its clients, signs an agreement with Meta before: POST and GET
// /{business-id}/max_price_agreements, through [Do]. Meta announced an open beta for 2026-10-01,
// and max price as required in eligible markets for the second quarter of 2027. Its page was not
// readable in November 2026; this is what clients send that follow its change log.
type OptimizationSpec struct {
	// BidStrategy is [BidLowestCostWithCap].
	BidStrategy BidStrategy `json:"bid_strategy"`

	// BidAmount is the price times 1,000, in the smallest unit of the account's currency: 25000 is
	// 0.25 of a currency with cents. If zero, the rate card.
	BidAmount int64 `json:"bid_amount,omitzero"`
}

// A BidStrategy is the way in which a price is found. Meta may add values.
type BidStrategy string

// BidLowestCostWithCap pays as little as possible, and at most OptimizationSpec.BidAmount.
const BidLowestCostWithCap BidStrategy = "LOWEST_COST_WITH_BID_CAP"

func (o *OptimizationSpec) check(p *problems, at string) {
	if o == nil {
		return
	}
	p.needs(at+".BidStrategy", string(o.BidStrategy))
	if o.BidAmount < 0 {
		p.add("%s.BidAmount is negative", at)
	}
}

// A BidSpec changes the max price for one message, since 2026-09-11: make that of the template
// high, and lower it where a message is worth less.
type BidSpec struct {
	// PerMessageBidMultiplier multiplies the max price of the template. It is greater than 0.
	PerMessageBidMultiplier float64 `json:"per_message_bid_multiplier"`
}

func (b *BidSpec) check(p *problems) {
	if b != nil && b.PerMessageBidMultiplier <= 0 {
		p.limit("BidSpec.PerMessageBidMultiplier must be greater than 0")
	}
}
