package cloudapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Whatever an error body holds, reading it does not fail, and nothing that Meta documents for one
// shape is lost in another.
func FuzzErrorBody(f *testing.F) {
	for _, s := range []string{
		`{"error":{"message":"m","type":"OAuthException","code":130429,"error_subcode":2494055,` +
			`"is_transient":false,"error_data":{"messaging_product":"whatsapp","details":"d"},"fbtrace_id":"A"}}`,
		`{"error":{"code":"100","error_subcode":"2593107","error_data":"{\"details\":\"d\"}",` +
			`"error_user_title":"t","error_user_msg":"m"}}`,
		`{"error":{"code":4.0,"error_data":"d"}}`, `{"error":{"error_data":[]}}`, `{"error":"x"}`, `{"error":null}`,
		`{"error":[]}`,
		`{"error":{"code":1e400,"is_transient":"TRUE"}}`, `[]`, ``, `<html>`, "\xff",
		`{"error":{"code":99999999999999999999}}`,
		`{"error":{"error_data":"{\"details\":\"{\\\"details\\\":1}\"}"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var e Error
		found := e.decodeError(body)
		var probe struct {
			Error *struct {
				Code json.Number `json:"code"`
			} `json:"error"`
		}
		readable := json.Unmarshal(body, &probe) == nil && probe.Error != nil
		if readable && !found {
			t.Fatalf("an error was not found in %q", body)
		}
		if !found && (e.coded || e.Message != "") {
			t.Fatalf("%q is no error and left traces: %#v", body, e)
		}
		if found && !json.Valid(body) {
			t.Fatalf("an error was found in %q, which is not JSON", body)
		}
		if readable {
			if n, err := probe.Error.Code.Int64(); err == nil && (!e.coded || int64(e.Code) != n) {
				t.Fatalf("code %d became %d in %q", n, e.Code, body)
			}
		}
		_ = e.Error()
		_ = e.outcomeOf()
		if e.isSyncRefusal() && mayReplay(RetryIdempotent, &e) {
			t.Fatalf("a spent synchronisation would be repeated: %q", body)
		}
		if mayReplay(RetryNever, &e) {
			t.Fatal("never is never")
		}
	})
}

func FuzzUsageHeaders(f *testing.F) {
	f.Add(`{"call_count":28,"total_cputime":25,"total_time":25}`,
		`{"1":[{"type":"whatsapp","call_count":1,"total_cputime":1,"total_time":1,`+
			`"estimated_time_to_regain_access":2}]}`,
		"7")
	f.Add(`null`, `{"1":null,"2":[null],"3":[{"estimated_time_to_regain_access":"19"}]}`,
		"Fri, 31 Dec 1999 23:59:59 GMT")
	f.Add(`{"call_count":"x"}`, `{"1":[{"call_count":-1,"estimated_time_to_regain_access":1e300}],"2":{}}`, "-1")
	f.Add(``, `[]`, "99999999999999999999")
	f.Fuzz(func(t *testing.T, app, business, retry string) {
		h := http.Header{}
		h.Set("X-App-Usage", app)
		h.Set("X-Business-Use-Case-Usage", business)
		m := parseMeta(200, h)
		if u := m.AppUsage; u != nil && min(u.Calls, u.CPUTime, u.Time) < 0 {
			t.Fatalf("%q is negative: %+v", app, u)
		}
		for _, u := range m.BusinessUsage {
			if min(u.Calls, u.CPUTime, u.Time) < 0 || u.RegainAccess < 0 || u.RegainAccess > 366*24*time.Hour {
				t.Fatalf("%q has strange numbers: %+v", business, u)
			}
		}
		if !slices.EqualFunc(m.BusinessUsage, parseMeta(200, h).BusinessUsage, func(a, b BusinessUsage) bool {
			return a == b
		}) {
			t.Fatalf("%q reads differently each time", business)
		}
		wait := retryAfter(retry)
		if wait < 0 {
			t.Fatalf("%q asks for %v", retry, wait)
		}
		for _, code := range []graph.Code{graph.CodeRateLimitHit, graph.CodePairRateLimitHit, graph.CodeAppRateLimit} {
			s := Attempt{Response: m, Err: &Error{Code: code, coded: true, RetryAfter: wait}}.Throttle()
			if max(
				s.Pause, s.PausePair,
			) > time.Hour || min(s.Pause, s.PausePair) < 0 || s.RateShare < 0 || s.RateShare > 1 {
				t.Fatalf("%q and %q stop a number for too long: %+v", business, retry, s)
			}
		}
	})
}

// Whatever an entry of the message history holds, what it says under one of its shapes is not lost
// under another.
func FuzzMessageHistory(f *testing.F) {
	for _, s := range []string{
		`{"id":"1","message_id":"wamid.A","events":{"data":[{"id":"2","delivery_status":"SENT",` +
			`"timestamp":1640995200}]}}`,
		`{"id":1,"events":{"data":[{"node":{"id":2,"delivery_status":"READ","occurrence_timestamp":"1640995200"}}]}}`,
		`{"events":[]}`, `{"events":null}`, `{"events":{"data":null}}`, `null`, `[]`,
		`{"events":{"data":[null,1,"x"]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var h MessageHistory
		if json.Unmarshal(body, &h) != nil {
			return
		}
		for _, ev := range h.Events {
			wrapped := fmt.Appendf(nil, `{"node":{"id":%q,"delivery_status":%q}}`, "1", "SENT")
			if err := json.Unmarshal(
				wrapped, &ev,
			); err != nil || ev.ID != "1" || ev.Status != DeliverySent || !ev.At.IsZero() {
				t.Fatalf("an event remembers what it was before: %+v, %v", ev, err)
			}
		}
	})
}
