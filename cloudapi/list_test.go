package cloudapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// pages serves three pages, the second of them empty, and offers a next URL that leads to a trap.
func pages(t *testing.T) (*script, *script) {
	trap := serve(t, reply(200, `{"data":[]}`))
	next := `,"next":"` + trap.URL + `/steal?access_token=x"}}`
	byCursor := map[string]string{
		"":   `{"data":[{"id":"1"},null,{"id":2}],"paging":{"cursors":{"before":"a","after":"c1"}` + next,
		"c1": `{"data":[],"paging":{"cursors":{"after":"c2"}` + next,
		"c2": `{"data":[{"id":"3"}],"paging":{"cursors":{"before":"b","after":"c3"}}}`,
	}
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		reply(200, byCursor[r.URL.Query().Get("after")])(w, r)
	})
	return srv, trap
}

func TestListWalksByCursorAndNeverFollowsNext(t *testing.T) {
	t.Parallel()
	srv, trap := pages(t)
	var ids []graph.PhoneNumberID
	for p, err := range srv.client(t).Phones.List(t.Context(), wabaID, cloudapi.PhoneListOptions{
		Limit: 2, Fields: []string{"id"},
	}) {
		require.NoError(t, err)
		require.Equal(t, 200, p.Response.Status)
		ids = append(ids, p.ID)
	}
	require.Equal(t, []graph.PhoneNumberID{"1", "2", "3"}, ids)
	got := srv.seen()
	require.Len(t, got, 3)
	for i, after := range []string{"", "c1", "c2"} {
		q := query(t, got[i])
		require.Equal(t, after, q.Get("after"))
		require.Equal(t, "2", q.Get("limit"), "every page asks for the same")
		require.Equal(t, "id", q.Get("fields"))
		require.Contains(t, got[i].target, "appsecret_proof="+proof(token))
	}
	require.Empty(t, trap.seen(), "next was followed")
}

func TestListStopsWhenTheLoopDoes(t *testing.T) {
	t.Parallel()
	srv, _ := pages(t)
	for range srv.client(t).Phones.List(t.Context(), wabaID, cloudapi.PhoneListOptions{}) {
		break
	}
	require.Len(t, srv.seen(), 1)
}

func TestListCanBeWalkedAgain(t *testing.T) {
	t.Parallel()
	srv, _ := pages(t)
	all := srv.client(t).Phones.List(t.Context(), wabaID, cloudapi.PhoneListOptions{})
	for range 2 {
		n := 0
		for _, err := range all {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, 3, n)
	}
}

func TestListEndsWithItsFirstError(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"data":[{"id":"1"}],"paging":{"cursors":{"after":"c1"},"next":"x"}}`),
		reply(400, graphError("131059", "")))
	var errs, items int
	for p, err := range srv.client(t).Phones.List(t.Context(), wabaID, cloudapi.PhoneListOptions{}) {
		if err != nil {
			require.Nil(t, p)
			require.ErrorIs(t, err, graph.Code(131059))
			errs++
			continue
		}
		items++
	}
	require.Equal(t, 1, errs)
	require.Equal(t, 1, items)
}

// A list that ends too early looks complete, which is worse than an error.
func TestListDoesNotEndQuietly(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no data":                   `{}`,
		"null":                      `null`,
		"data is an object":         `{"data":{}}`,
		"a next page, no cursor":    `{"data":[],"paging":{"next":"x"}}`,
		"cursors as an empty list":  `{"data":[],"paging":{"cursors":[],"next":"x"}}`,
		"a cursor that never moves": `{"data":[{"id":"1"}],"paging":{"cursors":{"after":"c1"},"next":"x"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(200, body))
			var last error
			for _, err := range srv.client(t).Businesses.OwnedWABAs(t.Context(), businessID) {
				last = err
			}
			require.Equal(t, "/{business-id}/owned_whatsapp_business_accounts", asError(t, last).PathTemplate)
			require.LessOrEqual(t, len(srv.seen()), 2)
		})
	}
}

// Cursors that go round would make a walk that never ends, of pages that never repeat one another.
func TestListEndsWhenItsCursorsGoRound(t *testing.T) {
	t.Parallel()
	next := map[string]string{"": "c1", "c1": "c2", "c2": "c3", "c3": "c1"}
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		after := next[r.URL.Query().Get("after")]
		reply(200, `{"data":[{"id":"1"}],"paging":{"cursors":{"after":"`+after+`"},"next":"x"}}`)(w, r)
	})
	var last error
	items := 0
	for _, err := range srv.client(t).Businesses.OwnedWABAs(t.Context(), businessID) {
		if last = err; err == nil {
			items++
		}
		require.Less(t, items, 100)
	}
	require.ErrorContains(t, last, "the answer's next page is one that was read before")
	require.Equal(t, 4, items)
}

func TestListWithoutPagesEnds(t *testing.T) {
	t.Parallel()
	for name, paging := range map[string]string{
		"no paging":     ``,
		"a list":        `,"paging":[]`,
		"an object":     `,"paging":{}`,
		"null":          `,"paging":null`,
		"a null cursor": `,"paging":{"cursors":{"after":"c"},"next":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(200, `{"data":[]`+paging+`}`))
			for _, err := range srv.client(t).Businesses.OwnedWABAs(t.Context(), businessID) {
				t.Fatal("an empty list yields nothing", err)
			}
			require.Len(t, srv.seen(), 1)
		})
	}
}
