package cloudapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An AnalyticsService counts messages, conversations, costs and calls. Numbers come late and may
// still change.
type AnalyticsService service

// An AnalyticsQuery selects what is counted. Start and End are required; empty lists select
// everything.
type AnalyticsQuery struct {
	// Start and End are the period. Meta cuts it into points of Granularity.
	Start, End time.Time

	// Granularity is the length of a point. If empty, a day.
	Granularity Granularity

	// Phones narrow to numbers, in the form of display_phone_number with digits only. Countries are
	// ISO 3166 codes.
	Phones    []string
	Countries []string

	// Dimensions split points, such as "COUNTRY", "PHONE", "PRICING_TYPE", "PRICING_CATEGORY" and
	// "TIER". Metrics are such as "COST" and "VOLUME"; if empty, all. Each kind of analytics knows
	// its own.
	Dimensions []string
	Metrics    []string

	// Filters narrow by other arguments of Meta's, such as {"pricing_categories": {"MARKETING"}}.
	Filters map[string][]string
}

// A Granularity is the length of a point. Each kind of analytics knows some. Meta may add values.
type Granularity string

const (
	GranularityHalfHour Granularity = "HALF_HOUR"
	GranularityDay      Granularity = "DAY"     // of messages
	GranularityDaily    Granularity = "DAILY"   // of conversations, prices and calls
	GranularityMonth    Granularity = "MONTH"   // of messages
	GranularityMonthly  Granularity = "MONTHLY" // of conversations, prices and calls
)

// unix writes a time as Meta expects it in a query.
func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// field writes the query as Meta expects it: not as parameters but as a field with calls, such as
// analytics.start(1).end(2).granularity(DAY), in one escaped value. day is what this kind of
// analytics calls a day. Values with punctuation are refused, since they could add calls.
func (q AnalyticsQuery) field(name string, day Granularity) (string, error) {
	var p problems
	if q.Start.IsZero() || q.End.IsZero() || !q.Start.Before(q.End) {
		p.add("AnalyticsQuery.Start is not before End")
	}
	if q.Granularity == "" {
		q.Granularity = day
	}
	var b strings.Builder
	b.WriteString(name + ".start(" + unix(q.Start) + ").end(" + unix(q.End) + ")")
	b.WriteString(".granularity(" + string(q.Granularity) + ")")
	lists := map[string][]string{
		"phone_numbers": q.Phones, "country_codes": q.Countries, "dimensions": q.Dimensions, "metric_types": q.Metrics,
	}
	order := []string{"phone_numbers", "country_codes", "dimensions", "metric_types"}
	for name, values := range q.Filters {
		if !wireNameRe.MatchString(name) || lists[name] != nil {
			p.add("AnalyticsQuery.Filters has a name that is no argument of Meta's")
		}
		lists[name] = values
		order = append(order, name)
	}
	for _, name := range order {
		if len(lists[name]) == 0 {
			continue
		}
		for _, v := range lists[name] {
			if strings.ContainsAny(v, `()",[]{}\`) {
				p.add("AnalyticsQuery has a value for %s that is none of Meta's", name)
			}
		}
		quoted, err := encode(lists[name])
		if err != nil {
			return "", err
		}
		b.WriteString("." + name + "(" + string(quoted) + ")")
	}
	return b.String(), p.err()
}

// An AnalyticsPoint holds the counts of one period, for one combination of the dimensions.
type AnalyticsPoint struct {
	Start graph.Timestamp `json:"start"`
	End   graph.Timestamp `json:"end"`

	// What was counted. Each method sets some of these, and zero can mean that Meta did not count.
	Sent          int64   `json:"sent"`             // of Messages
	Delivered     int64   `json:"delivered"`        // of Messages
	Conversations int64   `json:"conversation"`     // of Conversations
	Volume        int64   `json:"volume"`           // of Pricing: messages
	Count         int64   `json:"count"`            // of Calls
	Duration      float64 `json:"average_duration"` // of Calls, in seconds
	Cost          float64 `json:"cost"`             // absent where a partner's credit line pays

	// The dimensions that were asked for; the others are empty.
	PhoneNumber     string `json:"phone_number"`           // digits alone
	Country         string `json:"country"`                // ISO 3166 code
	Tier            string `json:"tier"`                   // of volume, such as "0:750000"
	PricingType     string `json:"pricing_type"`           // such as "REGULAR"
	PricingCategory string `json:"pricing_category"`       // such as "MARKETING"
	Category        string `json:"conversation_category"`  // of Conversations
	Direction       string `json:"conversation_direction"` // of Conversations
	Type            string `json:"conversation_type"`      // of Conversations
	CallDirection   string `json:"direction"`              // of Calls
}

// An analyticsSet is what lies under the name of a field: points, or sets of points.
type analyticsSet struct {
	Points []AnalyticsPoint `json:"data_points"`
	Data   []struct {
		Points []AnalyticsPoint `json:"data_points"`
	} `json:"data"`
	Resource
}

// read reads one kind of analytics, which is under its name in the account's node. A node without
// it is the answer of Meta's for a period in which nothing was counted. Only a node without an id
// is no answer.
func (s *AnalyticsService) read(
	ctx context.Context, waba graph.WABAID, name string, q AnalyticsQuery, day Granularity,
) ([]AnalyticsPoint, error) {
	field, err := q.field(name, day)
	if err != nil {
		return nil, err
	}
	r := request{
		method: http.MethodGet, path: "/{waba-id}", ids: []string{string(waba)}, query: url.Values{"fields": {field}},
		sensitive: q.Phones,
	}
	node, err := call[map[string]json.RawMessage](ctx, s.c, r)
	if err != nil {
		return nil, err
	}
	var id graph.WABAID
	if err := json.Unmarshal((*node)["id"], &id); err != nil || id == "" {
		return nil, r.broken(Response{}, "the answer has no id")
	}
	raw, ok := (*node)[name]
	if !ok {
		return nil, nil // nothing was counted
	}
	var set analyticsSet
	if err := decodeAnswer(raw, &set); err != nil {
		return nil, r.broken(Response{}, unreadable(raw, err))
	}
	for _, d := range set.Data {
		set.Points = append(set.Points, d.Points...)
	}
	return set.Points, nil
}

// Messages counts messages that were sent and delivered.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/analytics
//
// graph:GET /{waba-id} analytics
func (s *AnalyticsService) Messages(
	ctx context.Context, waba graph.WABAID, q AnalyticsQuery,
) ([]AnalyticsPoint, error) {
	return s.read(ctx, waba, "analytics", q, GranularityDay)
}

// Conversations counts conversations, as they were billed until July 2025.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/analytics
//
// graph:GET /{waba-id} conversation_analytics
func (s *AnalyticsService) Conversations(
	ctx context.Context, waba graph.WABAID, q AnalyticsQuery,
) ([]AnalyticsPoint, error) {
	return s.read(ctx, waba, "conversation_analytics", q, GranularityDaily)
}

// Pricing counts messages and what they cost.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/analytics
//
// graph:GET /{waba-id} pricing_analytics
func (s *AnalyticsService) Pricing(ctx context.Context, waba graph.WABAID, q AnalyticsQuery) ([]AnalyticsPoint, error) {
	return s.read(ctx, waba, "pricing_analytics", q, GranularityDaily)
}

// Calls counts calls, how long they were and what they cost.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/analytics
//
// graph:GET /{waba-id} call_analytics
func (s *AnalyticsService) Calls(ctx context.Context, waba graph.WABAID, q AnalyticsQuery) ([]AnalyticsPoint, error) {
	return s.read(ctx, waba, "call_analytics", q, GranularityDaily)
}
