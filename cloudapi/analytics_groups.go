package cloudapi

import (
	"context"
	"iter"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// GroupAnalytics holds the counts of a group of people.
type GroupAnalytics struct {
	Granularity string                `json:"granularity"` // "DAILY"
	Points      []GroupAnalyticsPoint `json:"data_points"`
	Resource
}

// A GroupAnalyticsPoint holds the counts of one group in one day.
type GroupAnalyticsPoint struct {
	GroupID graph.GroupID `json:"group_id"`

	// Start and End are the day that was counted.
	Start graph.Timestamp `json:"start"`
	End   graph.Timestamp `json:"end"`

	// Sent counts messages of the business; Delivered and Read count each participant that one
	// reached.
	Sent      int64 `json:"sent"`
	Delivered int64 `json:"delivered"`
	Read      int64 `json:"read"`

	// Joined and Left count participants.
	Joined int64 `json:"joined"`
	Left   int64 `json:"left"`
}

// A GroupAnalyticsQuery selects what is counted.
type GroupAnalyticsQuery struct {
	Start, End time.Time       // at most 90 days back
	Groups     []graph.GroupID // 1; Meta takes no more for now

	// Metrics are "SENT", "DELIVERED", "READ", "PARTICIPANTS_JOINED" and "PARTICIPANTS_LEFT". If
	// empty, all.
	Metrics []string
}

// groupMetrics are all there are. Meta requires some.
var groupMetrics = []string{"SENT", "DELIVERED", "READ", "PARTICIPANTS_JOINED", "PARTICIPANTS_LEFT"}

// Groups counts the messages of a group of people, and who joined and left it, by day.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/analytics#group-analytics
//
// graph:GET /{waba-id}/group_analytics
func (s *AnalyticsService) Groups(
	ctx context.Context, waba graph.WABAID, q GroupAnalyticsQuery,
) iter.Seq2[*GroupAnalytics, error] {
	var p problems
	p.count("GroupAnalyticsQuery.Groups", len(q.Groups), 1, 1)
	v := p.days("GroupAnalyticsQuery", q.Start, q.End, false)
	if len(q.Metrics) == 0 {
		q.Metrics = groupMetrics
	}
	v.Set("group_ids", quotedList(q.Groups))
	v.Set("metric_types", quotedList(q.Metrics))
	return analyze[GroupAnalytics](ctx, s, p, "/{waba-id}/group_analytics", waba, v)
}

// quotedList writes texts as Meta expects them in a query.
func quotedList[T ~string](texts []T) string {
	b, err := encode(texts)
	if err != nil {
		return "[]" // strings always encode
	}
	return string(b)
}
