package usage_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/usage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// line makes a line of any market.
func line(c webhook.PricingCategory, p webhook.PricingType, s webhook.PricingSubtype, n int64) usage.Line {
	return usage.Line{Category: c, Type: p, Subtype: s, Market: "BR", Messages: n}
}

func TestFreeServiceLeft(t *testing.T) {
	t.Parallel()
	const service, group, utility = webhook.PricingService, webhook.PricingGroupService, webhook.PricingUtility
	free := line(service, webhook.PricingFreeService, "", 300)
	exempt := line(service, webhook.PricingRegular, webhook.PricingPaidExempt, 1)
	tests := map[string]struct {
		lines []usage.Line
		want  int
	}{
		"nothing":             {nil, 1000},
		"some":                {[]usage.Line{free}, 700},
		"groups share it":     {[]usage.Line{free, line(group, webhook.PricingFreeGroupService, "", 300)}, 400},
		"markets share it":    {[]usage.Line{free, free}, 400},
		"other free messages": {[]usage.Line{free, line(service, webhook.PricingFreeEntryPoint, "", 900)}, 700},
		"templates":           {[]usage.Line{free, line(utility, webhook.PricingRegular, "", 900)}, 700},
		"used up":             {[]usage.Line{line(service, webhook.PricingFreeService, "", 1000)}, 0},
		"counted too many":    {[]usage.Line{line(service, webhook.PricingFreeService, "", 1100)}, 0},
		"counted too few":     {[]usage.Line{free, line(service, webhook.PricingRegular, "", 1)}, 0},
		"too few in a group":  {[]usage.Line{free, line(group, webhook.PricingRegular, "", 1)}, 0},
		"beyond, but exempt":  {[]usage.Line{free, exempt}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := usage.Month{Lines: tt.lines}
			require.Equal(t, tt.want, m.FreeServiceLeft())
		})
	}
}

// flat is a table with one price for all.
func flat(currency string, micros int64) usage.RateFunc {
	return func(usage.Line) (usage.Money, bool) { return usage.Money{Currency: currency, Micros: micros}, true }
}

func TestCost(t *testing.T) {
	t.Parallel()
	m := &usage.Month{Lines: []usage.Line{
		line(webhook.PricingMarketing, webhook.PricingRegular, "", 3),
		line(webhook.PricingService, webhook.PricingFreeService, "", 900),
		line(webhook.PricingService, webhook.PricingRegular, webhook.PricingPaidExempt, 5),
		line(webhook.PricingUtility, webhook.PricingRegular, "", 10),
		line("invented", "invented", "", 1),
	}}
	rates := map[webhook.PricingCategory]usage.Money{
		webhook.PricingMarketing: {Currency: "USD", Micros: 62_500},
		webhook.PricingUtility:   {Currency: "USD", Micros: 6_800},
		"invented":               {Currency: "USD", Micros: 1},
	}
	table := func(l usage.Line) (usage.Money, bool) {
		require.False(t, l.Free(), "what is free has no price")
		price, ok := rates[l.Category]
		return price, ok
	}
	cost, err := m.Cost(table)
	require.NoError(t, err)
	require.Equal(t, usage.Money{Currency: "USD", Micros: 3*62_500 + 10*6_800 + 1}, cost)

	delete(rates, "invented")
	cost, err = m.Cost(table)
	require.ErrorIs(t, err, usage.ErrNoRate)
	require.ErrorContains(t, err, `category "invented", market "BR"`)
	require.Equal(t, usage.Money{Currency: "USD", Micros: 3*62_500 + 10*6_800}, cost, "all else")

	rates["invented"] = usage.Money{Currency: "EUR", Micros: 1}
	_, err = m.Cost(table)
	require.ErrorContains(t, err, "rates in USD and EUR")
	_, err = m.Cost(flat("USD", -1))
	require.ErrorContains(t, err, "negative")
	_, err = m.Cost(flat("USD", math.MaxInt64/4))
	require.ErrorContains(t, err, "too large")
	cost, err = new(usage.Month).Cost(flat("USD", 1))
	require.NoError(t, err)
	require.Zero(t, cost)
}

func TestMoneyIsShown(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]usage.Money{
		"12.50 USD":                 {Currency: "USD", Micros: 12_500_000},
		"0.0034 USD":                {Currency: "USD", Micros: 3_400},
		"-0.000001 EUR":             {Currency: "EUR", Micros: -1},
		"7.00 BRL":                  {Currency: "BRL", Micros: 7_000_000},
		"0.00":                      {},
		"-9223372036854.775808 INR": {Currency: "INR", Micros: math.MinInt64},
	} {
		require.Equal(t, want, m.String())
	}
}

func TestCountry(t *testing.T) {
	t.Parallel()
	for want, id := range map[string]graph.Identity{
		"BR": {UserID: "BR.1001", WAID: "15550100142"},
		"PT": {ParentUserID: "PT.ENT.1001"},
		"":   {WAID: "15550100142"},
	} {
		require.Equal(t, want, usage.Country(id))
	}
}
