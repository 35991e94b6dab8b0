package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/live"
)

// A stream is an open page of a visitor's.
type stream struct {
	t      *testing.T
	status int
	lines  *bufio.Scanner
}

func (v *visitor) stream(path string) *stream {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.url+path, nil)
	require.NoError(v.t, err)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := v.client.Do(req)
	require.NoError(v.t, err)
	v.t.Cleanup(func() { _ = resp.Body.Close() })
	s := &stream{v.t, resp.StatusCode, bufio.NewScanner(resp.Body)}
	s.lines.Buffer(nil, 1<<20)
	return s
}

// next returns the next page, or "" at the end of the stream.
func (s *stream) next() (page string) {
	s.t.Helper()
	for s.lines.Scan() {
		if data, ok := strings.CutPrefix(s.lines.Text(), "data: "); ok {
			require.NoError(s.t, json.Unmarshal([]byte(data), &page))
			return page
		}
	}
	return ""
}

// writes delivers a text of a customer.
func (a *app) writes(t *testing.T, phone, customer, text string) {
	t.Helper()
	a.receive(t, phone, fmt.Sprintf(`{"from":%q,"id":"wamid.%s","timestamp":"%d","type":"text","text":{"body":%q}}`,
		customer, customer+text, time.Now().Unix(), text))
}

func TestAnOpenPageShowsWhatComes(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	at := "/numbers/" + bread["phone"]
	for _, path := range []string{at + "/inbox", at + "/inbox/15550100177"} {
		a.writes(t, bread["phone"], "15550100177", "before "+path)
		s := baker.stream(path)
		page := s.next()
		require.NotEmpty(t, page)
		a.writes(t, bread["phone"], "15550100177", "after "+path)
		require.NotEqual(t, page, s.next(), path)
	}
}

// A customer who writes after the sign-out is not shown to who has signed out.
func TestAnOpenPageEndsAtTheSignOut(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	at := "/numbers/" + bread["phone"] + "/inbox"
	s := baker.stream(at)
	require.NotEmpty(t, s.next())
	status, _ := baker.post("/signout", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	a.writes(t, bread["phone"], "15550100188", "I am new here.")
	require.Empty(t, s.next())

	s = baker.stream(at) // as the browser asks again
	require.Equal(t, http.StatusOK, s.status)
	require.True(t, s.lines.Scan())
	require.Equal(t, "event: end", s.lines.Text())
}

func TestAMessageWakesThePagesOfItsNumber(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	_, bread := furnish(t, a, "bakery")
	_, meat := furnish(t, a, "butcher")
	count := func(ids map[string]string) int64 {
		n, err := a.changes.version(t.Context(), graph.PhoneNumberID(ids["phone"]))
		require.NoError(t, err)
		return n
	}
	// What was added before the first marker is counted before the second one is.
	for range 2 {
		marker := map[string]string{"phone": "marker"}
		before := count(marker)
		a.changes.add("marker")
		require.Eventually(t, func() bool { return count(marker) > before }, time.Minute, time.Millisecond)
	}
	before, other := count(bread), count(meat)
	a.writes(t, bread["phone"], "15550100177", "hello")
	require.Eventually(t, func() bool { return count(bread) > before }, time.Minute, time.Millisecond)
	require.Equal(t, other, count(meat))
}

func TestASessionHasFewOpenPages(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	at := "/numbers/" + bread["phone"] + "/inbox"
	for range live.PerSession {
		require.Equal(t, http.StatusOK, baker.stream(at).status)
	}
	require.Equal(t, http.StatusTooManyRequests, baker.stream(at).status)
	butcher, meat := furnish(t, a, "butcher")
	require.Equal(t, http.StatusOK, butcher.stream("/numbers/"+meat["phone"]+"/inbox").status)
}
