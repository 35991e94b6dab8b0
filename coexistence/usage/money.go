package usage

import (
	"fmt"
	"strings"
)

// Money is an amount in millionths of a currency. The zero Money is nothing, in no currency.
type Money struct {
	Currency string // ISO 4217, such as "USD"
	Micros   int64  // 3,400 is 0.0034
}

// String returns the amount with two decimals, or as many as it has, and the currency: "12.50 USD",
// "0.0034 USD".
func (m Money) String() string {
	sign, micros := "", uint64(m.Micros)
	if m.Micros < 0 {
		sign, micros = "-", -micros
	}
	decimals := strings.TrimRight(fmt.Sprintf("%06d", micros%1e6), "0")
	for len(decimals) < 2 {
		decimals += "0"
	}
	return strings.TrimSpace(fmt.Sprintf("%s%d.%s %s", sign, micros/1e6, decimals, m.Currency))
}

// A RateFunc returns the price of one message of a line, and whether there is one. Look it up by
// Line.Category and Line.Market. It is not asked for what is free, and has to be quick.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
type RateFunc func(l Line) (price Money, ok bool)
