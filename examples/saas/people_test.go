package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// People are found by the store, and a page shows no more than a hundred of them.
func TestPeopleAreSearched(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery") // with a customer of its own, who has just written
	a.fill(t, bread["phone"], 250)          // each wrote an hour before the one before
	for query, want := range map[string]int{
		"":                        100,
		"?q=customer":             100,
		"?q=CUSTOMER+004":         10,
		"?q=0042":                 1,
		"?q=%2B1+555-020-0042":    1,
		"?q=no+such+person":       0,
		"?days=1":                 25, // those of 0 to 23 hours ago, and the one of its own
		"?days=7":                 100,
		"?days=2":                 49,
		"?days=1&q=customer+000":  10,
		"?days=1&q=customer+0200": 0,
		"?days=many":              100,
	} {
		status, body := baker.get("/numbers/" + bread["phone"] + "/campaigns" + query)
		require.Equal(t, http.StatusOK, status)
		require.Len(t, personBox.FindAllString(body, -1), want, query)
		if query == "" {
			require.Contains(t, body, "100 people; there are more")
			for _, more := range []int{100, 51} {
				next := link(body, `class="more" rel="next"`)
				_, body = baker.get("/numbers/" + bread["phone"] + "/campaigns" + next)
				require.Len(t, personBox.FindAllString(body, -1), more)
			}
		}
	}
}
