package cloudapi

import (
	"cmp"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A Response describes an HTTP response of Meta's without its body: status, version, trace ids and
// usage. It is zero if there was none.
type Response struct {
	// Status is the HTTP status.
	Status int

	// Version is the Graph API version that really ran. Meta runs a newer one, silently, when the
	// one asked for has expired.
	Version string

	// TraceID and RequestID are what Meta's support asks for.
	TraceID   string
	RequestID string

	// AppUsage is how much of the app's own budget is spent, or nil if Meta did not say.
	AppUsage *Usage

	// BusinessUsage is the same for each business or WABA and kind of call, sorted by both. Empty
	// if Meta did not say.
	BusinessUsage []BusinessUsage

	// Attempts is how many requests the call took.
	Attempts int
}

// A Usage is the part of a rolling hour's budget that is spent, in percent. Calls are refused from
// 100 on.
type Usage struct {
	Calls   int
	CPUTime int
	Time    int
}

// Max returns the largest of the three.
func (u Usage) Max() int { return max(u.Calls, u.CPUTime, u.Time) }

// A BusinessUsage is the Usage of one kind of call on one business or WABA.
type BusinessUsage struct {
	// Object is the id of the business portfolio or WABA.
	Object string

	// Type is the kind of call, such as "whatsapp_business_management" or "whatsapp".
	Type string

	Usage

	// RegainAccess is how long calls will be refused. Zero if they are not. Meta counts it in
	// minutes.
	RegainAccess time.Duration
}

// Meta: https://developers.facebook.com/docs/graph-api/overview/rate-limiting
func parseMeta(status int, h http.Header) Response {
	return Response{
		Status:        status,
		Version:       h.Get("Facebook-Api-Version"),
		TraceID:       h.Get("X-Fb-Trace-Id"),
		RequestID:     h.Get("X-Fb-Request-Id"),
		AppUsage:      parseAppUsage(h.Get("X-App-Usage")),
		BusinessUsage: parseBusinessUsage(h.Get("X-Business-Use-Case-Usage")),
	}
}

type usageJSON struct {
	Type         string  `json:"type"`
	Calls        percent `json:"call_count"`
	CPUTime      percent `json:"total_cputime"`
	Time         percent `json:"total_time"`
	RegainAccess percent `json:"estimated_time_to_regain_access"`
}

func (u usageJSON) usage() Usage { return Usage{int(u.Calls), int(u.CPUTime), int(u.Time)} }

// parseAppUsage returns nil for what it cannot read: a strange header must not spoil an answer.
func parseAppUsage(header string) *Usage {
	var u *usageJSON
	if header == "" || json.Unmarshal([]byte(header), &u) != nil || u == nil {
		return nil
	}
	return new(u.usage())
}

func parseBusinessUsage(header string) []BusinessUsage {
	var objects map[string]json.RawMessage
	if header == "" || json.Unmarshal([]byte(header), &objects) != nil {
		return nil
	}
	var all []BusinessUsage
	for object, raw := range objects {
		var entries []usageJSON
		if json.Unmarshal(raw, &entries) != nil {
			continue
		}
		for _, e := range entries {
			regain := time.Duration(min(int(e.RegainAccess), 60*24*366)) * time.Minute
			all = append(all, BusinessUsage{Object: object, Type: e.Type, Usage: e.usage(), RegainAccess: regain})
		}
	}
	slices.SortStableFunc(all, func(a, b BusinessUsage) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Type, b.Type))
	})
	return all
}

// regainAccess is the longest wait any of the answer's budgets asks for.
func (m Response) regainAccess() time.Duration {
	var longest time.Duration
	for _, u := range m.BusinessUsage {
		longest = max(longest, u.RegainAccess)
	}
	return longest
}

// A percent is a number with or without a fraction, in a string or not, rounded up: a budget that
// is begun counts as spent. Anything else is 0.
type percent int

// UnmarshalJSON reads any JSON value.
func (p *percent) UnmarshalJSON(b []byte) error {
	*p = 0
	text, _ := wire.Scalar(b)
	if f, ok := wire.ParseFloat([]byte(text)); ok && f > 0 {
		*p = percent(math.Ceil(min(f, 1e9)))
	}
	return nil
}
