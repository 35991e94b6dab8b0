package cloudapitest

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// analyticsFields are fields of an account that count something, each with arguments.
var analyticsFields = []string{"analytics", "conversation_analytics", "pricing_analytics", "call_analytics"}

// argumentRe finds the calls on a field. No argument of Meta's holds a parenthesis.
var argumentRe = regexp.MustCompile(`\.([a-z_]+)\(([^)]*)\)`)

// An analysis is what is to be counted. The server counts what was sent and called through it, by
// its own clock: all that does not fail was delivered, nothing was ever read, and nothing costs
// anything.
type analysis struct {
	start, end  time.Time
	granularity string
	args        map[string][]string
}

// parseAnalysis reads a field with calls, such as "analytics.start(1).end(2).granularity(DAY)".
func parseAnalysis(field string) (a analysis, err *graphError) {
	a.args = map[string][]string{}
	for _, m := range argumentRe.FindAllStringSubmatch(field, -1) {
		switch name, value := m[1], m[2]; name {
		case "start":
			a.start = unixTime(value)
		case "end":
			a.end = unixTime(value)
		case "granularity":
			a.granularity = value
		default:
			var list []string
			if json.Unmarshal([]byte(value), &list) != nil {
				return a, invalid("%s is not a list of strings", name)
			}
			a.args[name] = list
		}
	}
	return a, a.check()
}

// check refuses a period or a granularity that Meta would not count.
func (a analysis) check() *graphError {
	switch {
	case a.start.IsZero() || a.end.IsZero() || !a.start.Before(a.end):
		return invalid("start and end must be Unix times, start before end")
	case !slices.Contains([]string{"HALF_HOUR", "DAY", "DAILY", "daily", "MONTH", "MONTHLY"}, a.granularity):
		return invalid("granularity is not one of those documented")
	}
	return nil
}

// unixTime reads Unix seconds or a date; anything else is zero.
func unixTime(text string) time.Time {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0).UTC()
	}
	t, _ := time.Parse(time.DateOnly, text)
	return t
}

// period returns the point in which a time falls, and whether it is one that counts.
func (a analysis) period(at time.Time) (start, end time.Time, ok bool) {
	at = at.UTC()
	switch a.granularity {
	case "HALF_HOUR":
		start = at.Truncate(30 * time.Minute)
		end = start.Add(30 * time.Minute)
	case "MONTH", "MONTHLY":
		start = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		end = start.AddDate(0, 1, 0)
	default:
		start = at.Truncate(24 * time.Hour)
		end = start.Add(24 * time.Hour)
	}
	return start, end, !at.Before(a.start) && at.Before(a.end)
}

// An analyticsPoint is one point of any analysis.
type analyticsPoint struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`

	Sent          *int     `json:"sent,omitzero"`
	Delivered     *int     `json:"delivered,omitzero"`
	Read          *int     `json:"read,omitzero"`
	Conversations *int     `json:"conversation,omitzero"`
	Volume        *int     `json:"volume,omitzero"`
	Count         *int     `json:"count,omitzero"`
	Joined        *int     `json:"joined,omitzero"`
	Left          *int     `json:"left,omitzero"`
	Duration      *float64 `json:"average_duration,omitzero"`
	Cost          *float64 `json:"cost,omitzero"`

	pointKey
}

// A pointKey is what points are split by. Dimensions that were not asked for are empty.
type pointKey struct {
	Phone         string           `json:"phone_number,omitzero"`
	Category      string           `json:"pricing_category,omitzero"`
	Type          string           `json:"pricing_type,omitzero"`
	Direction     string           `json:"direction,omitzero"`
	Template      graph.TemplateID `json:"template_id,omitzero"`
	TemplateGroup string           `json:"template_group_id,omitzero"`
	Group         graph.GroupID    `json:"group_id,omitzero"`
}

// points collects points by period and key, named so that they sort by time.
type points map[string]*analyticsPoint

// at returns the point of a time, or nil if it does not count.
func (p points) at(a analysis, t time.Time, key pointKey) *analyticsPoint {
	start, end, ok := a.period(t)
	if !ok {
		return nil
	}
	name := start.Format(time.RFC3339) + string(raw(key))
	if p[name] == nil {
		p[name] = &analyticsPoint{Start: start.Unix(), End: end.Unix(), pointKey: key}
	}
	return p[name]
}

// list returns the points in the order of their periods.
func (p points) list() []*analyticsPoint {
	list := make([]*analyticsPoint, 0, len(p))
	for _, name := range slices.Sorted(maps.Keys(p)) {
		list = append(list, p[name])
	}
	return list
}

// add counts. A counter that is nil is left out of the answer; to add zero makes it appear.
func add(n **int, by int) {
	if *n == nil {
		*n = new(int)
	}
	**n += by
}

// delivered is 1 for a message that would arrive, else 0.
func delivered(m SentMessage) int {
	if m.Fails != 0 {
		return 0
	}
	return 1
}

// sentBy returns the messages of an account's numbers, narrowed to some where the analysis names
// them.
func (s *Server) sentBy(w *waba, a analysis) []SentMessage {
	return slices.DeleteFunc(slices.Clone(s.sent), func(m SentMessage) bool {
		p := s.phone(m.From)
		return p == nil || !slices.Contains(p.WABAs, w.ID) || !a.wants(p)
	})
}

// wants reports whether a number is one of those that the analysis is narrowed to.
func (a analysis) wants(p *phone) bool {
	numbers := a.args["phone_numbers"]
	return len(numbers) == 0 || slices.Contains(numbers, digits(p.PhoneNumber))
}

// analyze answers one of analyticsFields. Messages are counted as points of the account as a whole;
// a conversation is a person who was written to in a period; prices are counted by message. Meta
// wraps the points of all but the first into one more list.
func (s *Server) analyze(w *waba, name string, a analysis) json.RawMessage {
	found := points{}
	switch name {
	case "analytics":
		for _, m := range s.sentBy(w, a) {
			if p := found.at(a, m.At, pointKey{}); p != nil {
				add(&p.Sent, 1)
				add(&p.Delivered, delivered(m))
			}
		}
		return raw(pointSet{Granularity: a.granularity, Points: found.list()})
	case "conversation_analytics":
		seen := map[string]bool{}
		for _, m := range s.sentBy(w, a) {
			p := found.at(a, m.At, pointKey{})
			if p == nil {
				continue
			}
			p.Cost = new(float64)
			who := strconv.FormatInt(p.Start, 10) + " " + string(m.From) + " " + cmp.Or(m.To.Key(), m.Input)
			if !seen[who] {
				seen[who] = true
				add(&p.Conversations, 1)
			}
		}
	case "pricing_analytics":
		for _, m := range s.sentBy(w, a) {
			if p := found.at(a, m.At, s.priceKey(m, a)); p != nil {
				add(&p.Volume, delivered(m))
				p.Cost = new(float64)
			}
		}
	case "call_analytics":
		s.analyzeCalls(w, a, found)
	}
	return raw(struct {
		Data []pointSet `json:"data"`
	}{[]pointSet{{Points: found.list()}}})
}

// A pointSet is how Meta packs points. Some answers have one at the top, others a list of one.
type pointSet struct {
	Granularity string            `json:"granularity,omitzero"`
	ProductType string            `json:"product_type,omitzero"`
	Points      []*analyticsPoint `json:"data_points"`
}

// priceKey splits messages by what they would be billed as, where that was asked for.
func (s *Server) priceKey(m SentMessage, a analysis) (key pointKey) {
	for _, dimension := range a.args["dimensions"] {
		switch dimension {
		case "PHONE":
			key.Phone = digits(s.phone(m.From).PhoneNumber)
		case "PRICING_TYPE":
			key.Type = "REGULAR"
		case "PRICING_CATEGORY":
			key.Category = "SERVICE"
			if t := s.templateOf(m); t != nil {
				key.Category = string(t.Category)
			}
		}
	}
	return key
}

// templateOf returns the template that a message is made of, if it is one of the account's.
func (s *Server) templateOf(m SentMessage) *Template {
	name, language := m.Template()
	for _, id := range s.phone(m.From).WABAs {
		for _, t := range s.templates(id) {
			if name != "" && t.Name == name && t.Language == language {
				return t
			}
		}
	}
	return nil
}

// analyzeCalls counts calls, and how long they were on average. A call that was not accepted counts
// as one of no length.
func (s *Server) analyzeCalls(w *waba, a analysis, found points) {
	seconds := map[*analyticsPoint]float64{}
	for _, p := range s.phones {
		if !slices.Contains(p.WABAs, w.ID) || !a.wants(p) {
			continue
		}
		for _, v := range s.voiceCalls(p.ID) {
			var key pointKey
			if slices.Contains(a.args["dimensions"], "DIRECTION") {
				key.Direction = map[bool]string{true: "BUSINESS_INITIATED", false: "USER_INITIATED"}[v.Outgoing]
			}
			if point := found.at(a, v.At, key); point != nil {
				add(&point.Count, 1)
				point.Cost = new(float64)
				if !v.AcceptedAt.IsZero() && v.EndedAt.After(v.AcceptedAt) {
					seconds[point] += v.EndedAt.Sub(v.AcceptedAt).Seconds()
				}
				point.Duration = new(seconds[point] / float64(*point.Count))
			}
		}
	}
}

// daily reads the query of an analysis by days, which all but analyticsFields are.
func (c *call) daily(ids string) (analysis, []string, *graphError) {
	a := analysis{
		start: unixTime(c.get("start")), end: unixTime(c.get("end")),
		granularity: c.get("granularity"),
	}
	if c.yes("use_waba_timezone") {
		a.end = a.end.Add(24 * time.Hour) // dates, and the last day counts
	}
	if a.granularity != "" && !strings.EqualFold(a.granularity, "daily") {
		return a, nil, invalid("granularity must be daily")
	}
	a.granularity = "daily"
	if err := a.check(); err != nil {
		return a, nil, err
	}
	list := strings.FieldsFunc(c.get(ids), func(r rune) bool { return strings.ContainsRune(`[]", `, r) })
	if len(list) == 0 {
		return a, nil, missing(ids)
	}
	return a, list, nil
}

// insights refuses analytics of templates as long as the account has not switched them on, which is
// for good.
func (c *call) insights() *graphError {
	if c.waba.insights {
		return nil
	}
	return &graphError{Code: graph.CodeTemplateInsightsNotEnabled}
}

// counted packs the points of an analysis by days.
func counted(found points) reply {
	return listed(pointSet{Granularity: "DAILY", ProductType: "CLOUD_API", Points: found.list()})
}

// templateAnalytics counts the messages of single templates. Insights must be on.
func (s *Server) templateAnalytics(c *call) reply {
	a, ids, err := c.daily("template_ids")
	if err == nil {
		err = c.insights()
	}
	if err != nil {
		return refuse(err)
	}
	found := points{}
	for _, m := range s.sentBy(c.waba, a) {
		if t := s.templateOf(m); t != nil && slices.Contains(ids, string(t.ID)) {
			found.message(a, m, pointKey{Template: t.ID})
		}
	}
	return counted(found)
}

// templateGroupAnalytics counts the messages of all templates that are in a group now. Meta counts
// those that have left it, too, for the time before; this server does not remember them.
func (s *Server) templateGroupAnalytics(c *call) reply {
	a, ids, err := c.daily("template_group_ids")
	if err == nil {
		err = c.insights()
	}
	if err != nil {
		return refuse(err)
	}
	found := points{}
	for _, m := range s.sentBy(c.waba, a) {
		t := s.templateOf(m)
		for _, g := range s.templateGroups(c.waba) {
			if t != nil && slices.Contains(ids, g.id) && slices.Contains(g.templates, t.ID) {
				found.message(a, m, pointKey{TemplateGroup: g.id})
			}
		}
	}
	return counted(found)
}

// message counts one message under a key. It adds zero to the reads, so that the member is there.
func (p points) message(a analysis, m SentMessage, key pointKey) {
	if point := p.at(a, m.At, key); point != nil {
		add(&point.Sent, 1)
		add(&point.Delivered, delivered(m))
		add(&point.Read, 0)
	}
}

// groupAnalytics counts messages to groups of people, and who joined and left them. Groups of all
// numbers of the account may be asked about.
func (s *Server) groupAnalytics(c *call) reply {
	a, ids, err := c.daily("group_ids")
	if err != nil {
		return refuse(err)
	}
	found := points{}
	for _, id := range ids {
		o := s.object(id)
		if o == nil || o.kind != kindGroup || !slices.Contains(o.phone.WABAs, c.waba.ID) {
			return refuse(&graphError{Code: graph.CodeGroupUnknown})
		}
		g := o.value.(*group)
		key := pointKey{Group: g.ID}
		for _, m := range s.sent {
			if m.GroupID == g.ID {
				found.message(a, m, key)
			}
		}
		for _, at := range g.joined {
			if p := found.at(a, at, key); p != nil {
				add(&p.Joined, 1)
			}
		}
		for _, at := range g.left {
			if p := found.at(a, at, key); p != nil {
				add(&p.Left, 1)
			}
		}
	}
	return listed(pointSet{Granularity: "DAILY", Points: found.list()})
}

// countFields answers the fields of an account that count something, and returns the others, which
// the node answers.
func (s *Server) countFields(w *waba, fields string) (rest string, counts node, err *graphError) {
	counts = node{}
	var others []string
	for _, field := range splitTop(fields) {
		name, _, _ := strings.Cut(field, ".")
		if !slices.Contains(analyticsFields, name) {
			others = append(others, field)
			continue
		}
		a, err := parseAnalysis(field)
		if err != nil {
			return "", nil, err
		}
		counts[name] = s.analyze(w, name, a)
	}
	return strings.Join(others, ","), counts, nil
}
