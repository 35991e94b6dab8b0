package coexistencetest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func TestNothingIsDeliveredThatIsNotSubscribed(t *testing.T) {
	t.Parallel()
	world, h := newWorld(t, coexistencetest.Config{Fields: []webhook.Field{"messages", "account_update",
		"smb_app_state_sync"}})
	phone := world.NewPhone(coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 20}})
	result, err := openPopup(t, world).Complete(phone, coexistencetest.HistoryShared)
	require.NoError(t, err)
	token := exchange(t, world, result.Code)
	customer := phone.Customer("+1 555-010-0142")
	customer.Send("The account is not subscribed")
	status, _ := call(t, world, token, "POST", "/"+string(phone.WABA())+"/subscribed_apps", "")
	require.Equal(t, http.StatusOK, status)
	customer.Send("Now it is")
	phone.Send(customer, "The app has no such field")
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	wait(t, world)

	require.Len(t, h.of(t, "messages"), 1)
	require.Len(t, h.of(t, "account_update"), 2, "partner events need no subscription to the account")
	require.Empty(t, h.of(t, "smb_message_echoes"))
	require.Empty(t, h.of(t, "history"))
	reasons := map[webhook.Field]string{}
	for _, s := range world.Suppressed() {
		reasons[s.Field] = s.Reason
	}
	require.Equal(t, map[webhook.Field]string{
		"messages":           "the app is not subscribed to the account",
		"smb_message_echoes": "the app does not subscribe to the field",
		"history":            "the app does not subscribe to the field",
	}, reasons)
}

func TestDeliverToDoesTheHandshake(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	other := coexistencetest.NewWorld(coexistencetest.Config{VerifyToken: "another"})
	t.Cleanup(other.Close)
	h := newHost(t, world)
	require.NoError(t, world.DeliverTo(h.URL))
	require.ErrorContains(t, other.DeliverTo(h.URL), "403")
	require.Error(t, world.DeliverTo("http://127.0.0.1:1"))
	require.Error(t, world.DeliverTo("nonsense"))

	parrot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	t.Cleanup(parrot.Close)
	require.ErrorContains(t, world.DeliverTo(parrot.URL), "challenge")
}

func TestWhatIsNotAnsweredWith200ComesAgain(t *testing.T) {
	t.Parallel()
	delivery := coexistencetest.DeliveryConfig{Backoff: time.Millisecond}
	world, h, phone, _ := connected(t, coexistencetest.Config{Delivery: delivery}, coexistencetest.PhoneConfig{})
	wait(t, world)
	h.mu.Lock()
	answers := []int{500, 204, 302, 401, 200}
	first := h.seen
	h.status = func(n int) int { return answers[min(n-first, len(answers))-1] }
	h.mu.Unlock()
	phone.Customer("+1 555-010-0142").Send("Again")
	wait(t, world)
	require.Len(t, h.of(t, "messages"), 1)
	all := world.Deliveries()
	last := all[len(all)-1]
	require.Equal(t, coexistencetest.DeliveryAcknowledged, last.State)
	require.Equal(t, cloudapitest.LevelApp, last.Level)
	require.Equal(t, []webhook.Field{webhook.FieldMessages}, last.Fields)
	require.Equal(t, phone.ID(), last.PhoneNumberID)
	var statuses []int
	for _, a := range last.Attempts {
		statuses = append(statuses, a.Status)
	}
	require.Equal(t, answers, statuses)
}

func TestAHostThatWasDownGetsEverythingLater(t *testing.T) {
	t.Parallel()
	delivery := coexistencetest.DeliveryConfig{Backoff: time.Millisecond}
	world, h, phone, _ := connected(t, coexistencetest.Config{Delivery: delivery}, coexistencetest.PhoneConfig{})
	wait(t, world)
	h.Close()
	phone.Customer("+1 555-010-0142").Send("Anybody there?")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, world.WaitDelivered(ctx), context.DeadlineExceeded)
	open := world.Undelivered()
	require.Len(t, open, 1)
	require.Equal(t, coexistencetest.DeliveryWaiting, open[0].State)
	again := newHost(t, world)
	require.NoError(t, world.DeliverTo(again.URL), "at another address")
	wait(t, world)
	require.Len(t, again.of(t, "messages"), 1)
}

func TestADeliveryIsGivenUpInTheEnd(t *testing.T) {
	t.Parallel()
	world, h, phone, _ := connected(t, coexistencetest.Config{
		Delivery: coexistencetest.DeliveryConfig{Backoff: time.Millisecond, MaxAttempts: 3,
			Timeout: 300 * time.Millisecond},
	}, coexistencetest.PhoneConfig{})
	wait(t, world)
	release := make(chan struct{})
	h.mu.Lock()
	h.status = func(int) int { return http.StatusOK }
	h.mu.Unlock()
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			h.ServeHTTP(w, r)
			return
		}
		<-release
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	require.NoError(t, world.DeliverTo(slow.URL))
	phone.Customer("+1 555-010-0142").Send("Too slow")
	require.ErrorContains(t, world.WaitDelivered(t.Context()), "1 deliveries were never acknowledged")
	lost := world.Undelivered()
	require.Len(t, lost, 1)
	require.Equal(t, coexistencetest.DeliveryGivenUp, lost[0].State)
	require.Len(t, lost[0].Attempts, 3)
	require.Equal(t, "no answer in time", lost[0].Attempts[0].Problem)
}

func TestDuplicatesAndBatches(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{
		Delivery: coexistencetest.DeliveryConfig{DuplicatesPercent: 100, Batch: 50, Reorder: 5},
	}, coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 3000}})
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	wait(t, world)
	bodies := map[string]int{}
	for _, body := range h.received() {
		bodies[body]++
	}
	most := 0
	for _, d := range world.Deliveries() {
		require.Equal(t, 2, bodies[string(d.Body)])
		most = max(most, len(d.Fields))
	}
	require.Greater(t, most, 1)
	require.LessOrEqual(t, most, 50)
}

func TestOverridesTakeWhatTheyCover(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	wait(t, world)
	account, number := newHost(t, world), newHost(t, world)
	customer := phone.Customer("+1 555-010-0142")
	body := func(h *host) string {
		return `{"override_callback_uri":"` + h.URL + `","verify_token":"` + world.VerifyToken().Reveal() + `"}`
	}
	status, _ := call(t, world, token, "POST", "/"+string(phone.WABA())+"/subscribed_apps", body(account))
	require.Equal(t, http.StatusOK, status)
	customer.Send("to the account's")
	wait(t, world)
	status, _ = call(t, world, token, "POST", "/"+string(phone.ID()), `{"webhook_configuration":`+body(number)+`}`)
	require.Equal(t, http.StatusOK, status)
	phone.Send(customer, "to the number's")
	phone.ChangeDevice()
	wait(t, world)
	require.Len(t, account.of(t, "messages"), 1)
	require.Len(t, number.of(t, "smb_message_echoes"), 1)
	require.Len(t, h.of(t, "account_update"), 3, "lifecycle always goes to the app")
	require.Len(t, h.hooks(t), 3)
	_, v := call(t, world, token, "GET", "/"+string(phone.ID())+"?fields=webhook_configuration", "")
	require.JSONEq(t, `{"phone_number":"`+number.URL+`","whatsapp_business_account":"`+account.URL+`",`+
		`"application":"`+h.URL+`"}`,
		string(v["webhook_configuration"]))

	status, v = call(t, world, token, "POST", "/"+string(phone.WABA())+"/subscribed_apps",
		`{"override_callback_uri":"`+h.URL+`","verify_token":"wrong"}`)
	require.Equal(t, http.StatusBadRequest, status)
	code, _ := problem(t, v)
	require.EqualValues(t, 2200, code)
}

func TestBodiesAreEscapedAsMetaDoes(t *testing.T) {
	t.Parallel()
	world, h, phone, _ := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	phone.Customer("+1 555-010-0142").Send("Grüße/日本 🙏🏽 \"quoted\" \\ <b>&\n\u0001")
	wait(t, world)
	bodies := h.received()
	body := bodies[len(bodies)-1]
	require.Contains(t, body, `Gr\u00fc\u00dfe\/\u65e5\u672c \ud83d\ude4f\ud83c\udffd \"quoted\" \\ <b>&\n\u0001`)
	require.Equal(t, -1, strings.IndexFunc(body, func(r rune) bool { return r > 0x7e || r < 0x20 }))
	require.Zero(t, h.forged)
}

func TestAClosedWorldDeliversNothing(t *testing.T) {
	t.Parallel()
	delivery := coexistencetest.DeliveryConfig{Pace: time.Hour}
	world, h, phone, _ := connected(t, coexistencetest.Config{Delivery: delivery}, coexistencetest.PhoneConfig{})
	phone.Customer("+1 555-010-0142").Send("Never")
	world.Close()
	require.Empty(t, h.received())
	require.ErrorContains(t, world.WaitDelivered(t.Context()), "closed")
}
