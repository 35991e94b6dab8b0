package cloudapitest_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

const sending = "/{phone-number-id}/messages"

func TestAFailureTakesTheFirstRequestThatItFits(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.Inject(cloudapitest.Fault{
		On: "POST " + sending, Code: graph.CodePairRateLimitHit, Times: 2, Details: "Slow down",
		RetryAfter: 3 * time.Second, Transient: true,
	})
	srv.Inject(cloudapitest.Fault{Code: graph.CodeAPIMethod})

	a := get(t, srv, "/"+string(phone.ID))
	require.Equal(t, graph.CodeAPIMethod, a.Error.Code)
	require.Equal(t, http.StatusInternalServerError, a.status, "as documented for the code")
	for range 2 {
		a = post(t, srv, phone, `"to":"+15550100142",`+hello)
		require.Equal(t, graph.CodePairRateLimitHit, a.Error.Code)
		require.Equal(t, "Slow down", a.Error.Data.Details)
		require.Equal(t, "3", a.header.Get("Retry-After"))
		require.Contains(t, a.body, `"is_transient":true`)
	}
	require.Equal(t, http.StatusOK, post(t, srv, phone, `"to":"+15550100142",`+hello).status)
	require.Len(t, srv.Sent(), 1)
	require.Equal(t, 3, srv.Count("POST", sending))
}

func TestEveryCodeCanBeProvoked(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	for _, info := range graph.Codes() {
		if info.Code == graph.CodeAuthException {
			continue // 0, the zero value: below
		}
		srv.Inject(cloudapitest.Fault{Code: info.Code, Subcode: info.Subcode})
		a := get(t, srv, "/me")
		require.Equal(t, info.Code, a.Error.Code)
		require.Equal(t, info.Subcode, a.Error.Subcode)
		require.True(t, a.status >= 400 || info.Code == graph.CodeGroupPartialSuccess, info.Code)
		require.Equal(t, "OAuthException", a.Error.Type)
		require.NotEmpty(t, a.Error.Message)
	}
	srv.Inject(cloudapitest.Fault{Status: 401, Body: `{"error":{"message":"m","code":0}}`})
	require.Equal(t, 401, get(t, srv, "/me").status)
}

func TestABodyOfYourOwn(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.Inject(cloudapitest.Fault{Status: http.StatusBadGateway, Body: "<html>Sorry</html>"})
	a := get(t, srv, "/me")
	require.Equal(t, http.StatusBadGateway, a.status)
	require.Equal(t, "<html>Sorry</html>", a.body)
	require.Contains(t, a.header.Get("Content-Type"), "text/html")

	srv.Inject(cloudapitest.Fault{Status: http.StatusInternalServerError, Accept: true})
	require.Equal(t, http.StatusInternalServerError, post(t, srv, phone, `"to":"+15550100142",`+hello).status)
	require.Len(t, srv.Sent(), 1, "it was done all the same")

	srv.Inject(cloudapitest.Fault{
		Code: graph.CodeRateLimitIssues, RegainAccess: 7 * time.Minute, Status: 429, UserTitle: "Too fast",
		UserMessage: "Come back later",
	})
	a = get(t, srv, "/"+string(phone.ID))
	require.Equal(t, 429, a.status)
	require.Contains(t, a.body, `"error_user_title":"Too fast","error_user_msg":"Come back later"`)
}

func TestADroppedRequestMayHaveCounted(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	var hooked atomic.Int32
	srv.OnMessage(func(cloudapitest.SentMessage) { hooked.Add(1) })
	body := `{"messaging_product":"whatsapp","to":"+15550100142",` + hello + `}`

	srv.Inject(cloudapitest.Fault{On: "POST " + sending, Drop: true, Accept: true})
	_, err := try(t, srv, srv.SystemToken(), "POST", "/"+string(phone.ID)+"/messages", body)
	require.Error(t, err)
	require.Len(t, srv.Sent(), 1)
	require.EqualValues(t, 1, hooked.Load())

	srv.Inject(cloudapitest.Fault{Drop: true})
	_, err = try(t, srv, srv.SystemToken(), "POST", "/"+string(phone.ID)+"/messages", body)
	require.Error(t, err)
	require.Len(t, srv.Sent(), 1)

	for _, r := range srv.Requests() {
		require.True(t, r.Dropped)
	}
}

func TestTheLedgerHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	get(t, srv, "/debug_token?input_token="+srv.SystemToken().Reveal())
	get(t, srv, "/"+string(phone.ID))
	get(t, srv, "/"+string(phone.WABAs[0])+"/phone_numbers")
	get(t, srv, "/1234")
	var paths []string
	for _, r := range srv.Requests() {
		paths = append(paths, r.Method+" "+r.Path)
	}
	require.Equal(t,
		[]string{"GET /debug_token", "GET /{phone-number-id}", "GET /{waba-id}/phone_numbers", "GET /{id}"}, paths)
}

func TestAClockOfYourOwn(t *testing.T) {
	t.Parallel()
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	srv := newServer(t, cloudapitest.Config{Clock: func() time.Time { return start }})
	require.Equal(t, start, srv.Now())
	srv.Advance(time.Hour)
	require.Equal(t, start.Add(time.Hour), srv.Now())
}

func TestTheSameSeedMakesTheSameIDs(t *testing.T) {
	t.Parallel()
	a, b, c := newServer(
		t, cloudapitest.Config{Seed: 5},
	), newServer(t, cloudapitest.Config{Seed: 5}), newServer(t, cloudapitest.Config{Seed: 6})
	phone := a.AddPhone(cloudapitest.Phone{})
	require.Equal(t, phone.ID, b.AddPhone(cloudapitest.Phone{}).ID)
	require.NotEqual(t, phone.ID, c.AddPhone(cloudapitest.Phone{}).ID)
	require.Equal(t, a.SystemToken(), b.SystemToken())
}

func TestDelay(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.Delay(30 * time.Millisecond)
	began := time.Now()
	get(t, srv, "/me")
	require.GreaterOrEqual(t, time.Since(began), 30*time.Millisecond)
	srv.Delay(0)
}
