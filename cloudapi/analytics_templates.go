package cloudapi

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// TemplateAnalytics holds the counts of templates.
type TemplateAnalytics struct {
	Granularity string                   `json:"granularity"`
	ProductType string                   `json:"product_type"`
	Timezone    string                   `json:"waba_timezone"` // such as "America/Los_Angeles"; empty for UTC
	Points      []TemplateAnalyticsPoint `json:"data_points"`
	Resource
}

// A TemplateAnalyticsPoint holds the counts of one template in one day.
type TemplateAnalyticsPoint struct {
	TemplateID graph.TemplateID `json:"template_id"`

	// Start and End are the day that was counted.
	Start graph.Timestamp `json:"start"`
	End   graph.Timestamp `json:"end"`

	// Metrics that were not asked for are zero.
	Sent      int64             `json:"sent"`
	Delivered int64             `json:"delivered"`
	Read      int64             `json:"read"`
	Replied   int64             `json:"replied"`
	Clicked   []AnalyticsClicks `json:"clicked"` // of marketing and utility templates
	Cost      []AnalyticsCost   `json:"cost"`    // absent where a partner's credit line pays
}

// AnalyticsClicks counts the taps on one button.
type AnalyticsClicks struct {
	Type    string `json:"type"`           // of button, such as "quick_reply_button"
	Content string `json:"button_content"` // what it says
	Count   int64  `json:"count"`
}

// An AnalyticsCost is one kind of cost.
type AnalyticsCost struct {
	// Type is the kind, such as "amount_spent" or "cost_per_delivered".
	Type string `json:"type"`

	// Value is an amount of money. Zero can mean that Meta gave none.
	Value float64 `json:"value"`
}

// A TemplateAnalyticsQuery selects what is counted.
type TemplateAnalyticsQuery struct {
	Start, End time.Time          // at most 90 days back
	Templates  []graph.TemplateID // 1 to 10

	// Metrics are such as "SENT", "DELIVERED", "READ", "CLICKED" and "COST". If empty, all.
	Metrics []string

	// ProductType is "CLOUD_API" or "MARKETING_MESSAGES_API_FOR_WHATSAPP". If empty, Meta's choice.
	ProductType string

	// InTimezone counts the days of the account's time zone, from the date of Start to that of End,
	// as they are written in their own locations. Otherwise days are those of UTC.
	InTimezone bool
}

// days writes the period of an analysis that Meta makes by days. In the time zone of the account it
// wants dates.
func (p *problems) days(what string, start, end time.Time, local bool) url.Values {
	if start.IsZero() || end.IsZero() || end.Before(start) {
		p.add("%s.Start and End are no period", what)
	}
	if !local {
		return url.Values{"start": {unix(start)}, "end": {unix(end)}, "granularity": {"daily"}}
	}
	return url.Values{
		"start": {start.Format(time.DateOnly)}, "end": {end.Format(time.DateOnly)},
		"granularity": {"daily"}, "use_waba_timezone": {"true"},
	}
}

// analyze walks through the sets of an analysis, or says what is wrong with the query.
func analyze[T any](
	ctx context.Context, s *AnalyticsService, p problems, path string, waba graph.WABAID, v url.Values,
) iter.Seq2[*T, error] {
	if err := p.err(); err != nil {
		return func(yield func(*T, error) bool) { yield(nil, err) }
	}
	return list[T](ctx, s.c, request{method: http.MethodGet, path: path, ids: []string{string(waba)}, query: v})
}

// Templates counts what became of the messages of templates, by day. The account must have insights
// switched on, once, see [WABAUpdateParams].Insights.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/analytics
//
// graph:GET /{waba-id}/template_analytics
func (s *AnalyticsService) Templates(
	ctx context.Context, waba graph.WABAID, q TemplateAnalyticsQuery,
) iter.Seq2[*TemplateAnalytics, error] {
	var p problems
	p.count("TemplateAnalyticsQuery.Templates", len(q.Templates), 1, 10)
	v := p.days("TemplateAnalyticsQuery", q.Start, q.End, q.InTimezone)
	v.Set("template_ids", idList(q.Templates))
	if len(q.Metrics) > 0 {
		v.Set("metric_types", strings.Join(q.Metrics, ","))
	}
	if q.ProductType != "" {
		v.Set("product_type", q.ProductType)
	}
	return analyze[TemplateAnalytics](ctx, s, p, "/{waba-id}/template_analytics", waba, v)
}

// idList writes ids of digits as Meta expects them in a query.
func idList[T ~string](ids []T) string {
	list := make([]string, 0, len(ids))
	for _, id := range ids {
		list = append(list, string(id))
	}
	return "[" + strings.Join(list, ",") + "]"
}

// TemplateGroupAnalytics holds the counts of groups of templates.
type TemplateGroupAnalytics struct {
	Granularity string                        `json:"granularity"`
	ProductType string                        `json:"product_type"`
	Timezone    string                        `json:"waba_timezone"` // such as "America/Los_Angeles"; empty for UTC
	Points      []TemplateGroupAnalyticsPoint `json:"data_points"`
	Resource
}

// A TemplateGroupAnalyticsPoint holds the counts of one group of templates in one day.
type TemplateGroupAnalyticsPoint struct {
	TemplateGroupID TemplateGroupID `json:"template_group_id"`

	// Start and End are the day that was counted.
	Start graph.Timestamp `json:"start"`
	End   graph.Timestamp `json:"end"`

	// Metrics that were not asked for are zero.
	Sent      int64             `json:"sent"`
	Delivered int64             `json:"delivered"`
	Read      int64             `json:"read"`
	Replied   int64             `json:"replied"`
	Clicked   []AnalyticsClicks `json:"clicked"` // of marketing and utility templates
	Cost      []AnalyticsCost   `json:"cost"`    // absent where a partner's credit line pays
}

// A TemplateGroupAnalyticsQuery selects what is counted.
type TemplateGroupAnalyticsQuery struct {
	Start, End time.Time         // at most 90 days back
	Groups     []TemplateGroupID // 1 to 10

	// Metrics are such as "SENT", "DELIVERED", "READ", "CLICKED" and "COST". If empty, all.
	Metrics []string

	// InTimezone counts the days of the account's time zone, from the date of Start to that of End,
	// as they are written in their own locations. Otherwise days are those of UTC.
	InTimezone bool
}

// TemplateGroups counts what became of the messages of all templates of a group together, by day. A
// template that was removed from its group still counts for the time before. The account must have
// insights switched on, once, see [WABAUpdateParams].Insights.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/analytics#template-group-analytics
//
// graph:GET /{waba-id}/template_group_analytics
func (s *AnalyticsService) TemplateGroups(
	ctx context.Context, waba graph.WABAID, q TemplateGroupAnalyticsQuery,
) iter.Seq2[*TemplateGroupAnalytics, error] {
	var p problems
	p.count("TemplateGroupAnalyticsQuery.Groups", len(q.Groups), 1, 10)
	v := p.days("TemplateGroupAnalyticsQuery", q.Start, q.End, q.InTimezone)
	v.Set("template_group_ids", idList(q.Groups))
	if len(q.Metrics) > 0 {
		v.Set("metric_types", strings.Join(q.Metrics, ","))
	}
	return analyze[TemplateGroupAnalytics](ctx, s, p, "/{waba-id}/template_group_analytics", waba, v)
}
