package coexistencetest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func decodeInto[T any](t *testing.T, b json.RawMessage, v *T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(b, v))
}

func problem(t *testing.T, v map[string]json.RawMessage) (code graph.Code, subcode int) {
	t.Helper()
	var e struct {
		Code    graph.Code `json:"code"`
		Subcode int        `json:"error_subcode"`
	}
	decodeInto(t, v["error"], &e)
	return e.Code, e.Subcode
}

func TestMovingToAnotherPhone(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	customer := phone.Customer("+1 555-010-0142")
	phone.ChangeDevice()
	customer.Send("Lost in the gap")
	phone.Send(customer, "As is this")
	status, v := call(t, world, token, "POST", "/"+string(phone.ID())+"/messages",
		`{"messaging_product":"whatsapp","to":"+15550100142","type":"text","text":{"body":"No"}}`)
	require.Equal(t, http.StatusBadRequest, status)
	code, _ := problem(t, v)
	require.Equal(t, graph.CodePhoneNotRegistered, code)
	status, _ = call(t, world, token, "GET", "/"+string(phone.ID()), "")
	require.Equal(t, http.StatusOK, status, "it is not gone")

	phone.Reconnect()
	customer.Send("Here again")
	wait(t, world)
	updates := h.of(t, "account_update")[2:]
	require.Equal(t, "ACCOUNT_OFFBOARDED", updates[0].Value.Event)
	require.Equal(t, "ACCOUNT_RECONNECTED", updates[1].Value.Event)
	require.Equal(t, string(phone.WABA()), updates[0].entry)
	require.Less(t, updates[1].time, updates[0].time, "as in Meta's samples")
	require.Len(t, h.of(t, "messages"), 1)
	require.Empty(t, h.of(t, "smb_message_echoes"))
	require.Len(t, phone.Chat(customer), 3)
	require.True(t, phone.Coexists())
}

func TestDisconnectingAndComingBack(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{},
		coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 30}})
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	wait(t, world)
	before, id := len(h.of(t, "history")), phone.ID()
	phone.Disconnect()
	phone.Disconnect()
	phone.Customer("+1 555-010-0142").Send("Nobody hears me")
	wait(t, world)
	updates := h.of(t, "account_update")
	last := updates[len(updates)-1]
	require.Len(t, updates, 3)
	require.Equal(t, "PARTNER_REMOVED", last.Value.Event)
	require.Equal(t, "ACCOUNT_DISCONNECTED", last.Value.Disconnection.Reason)
	require.Equal(t, string(world.Partner()), last.entry)
	require.Empty(t, h.of(t, "messages"))

	for _, path := range []string{"/" + string(id), "/" + string(phone.WABA()) + "/phone_numbers"} {
		status, v := call(t, world, token, "GET", path, "")
		require.Equal(t, http.StatusBadRequest, status)
		code, subcode := problem(t, v)
		require.Equal(t, graph.CodeInvalidParameter, code)
		require.Equal(t, 33, subcode)
	}

	popup := openPopup(t, world)
	require.NoError(t, popup.ChooseExistingAccount())
	require.ErrorIs(t, popup.EnterNumber(phone.PhoneNumber()), graph.CodeSignupAlreadyConnected, "it takes 15 minutes")
	world.Advance(16 * time.Minute)
	token = onboard(t, world, phone, coexistencetest.HistoryShared)
	require.Equal(t, id, phone.ID())
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"), "a new onboarding, a new request")
	wait(t, world)
	require.Greater(t, len(h.of(t, "history")), before)
	require.ErrorIs(t, openAndEnter(t, world, phone), graph.CodeSignupAlreadyConnected)
}

func openAndEnter(t *testing.T, world *coexistencetest.World, phone *coexistencetest.Phone) error {
	t.Helper()
	popup := openPopup(t, world)
	require.NoError(t, popup.ChooseExistingAccount())
	return popup.EnterNumber(phone.PhoneNumber())
}

func TestOneOfTwoNumbersLeavesAnAccount(t *testing.T) {
	t.Parallel()
	world, h, stays, _ := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	leaves := world.NewPhone(coexistencetest.PhoneConfig{BusinessID: stays.Business()})
	popup := openPopup(t, world)
	require.NoError(t, popup.ChooseAccount(stays.WABA()))
	result, err := popup.Complete(leaves, coexistencetest.HistoryShared)
	require.NoError(t, err)
	token := exchange(t, world, result.Code)
	require.Equal(t, stays.WABA(), leaves.WABA())
	leaves.Disconnect()
	stays.Customer("+1 555-010-0142").Send("Still here?")
	wait(t, world)
	updates := h.of(t, "account_update")
	last := updates[len(updates)-1]
	require.Equal(t, "PARTNER_REMOVED", last.Value.Event)
	require.Equal(t, string(stays.WABA()), last.entry)
	require.Empty(t, last.Value.WABAInfo.ID)
	require.Equal(t, phonenumber.Digits(leaves.PhoneNumber()), last.Value.PhoneNumber)
	require.Len(t, h.of(t, "messages"), 1)
	status, v := call(t, world, token, "GET", "/"+string(stays.WABA())+"/phone_numbers?fields=id", "")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `[{"id":"`+string(stays.ID())+`"}]`, string(v["data"]))
	status, _ = call(t, world, token, "GET", "/"+string(leaves.ID()), "")
	require.Equal(t, http.StatusBadRequest, status)
}

func TestOtherWaysOut(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	phone.RemoveApp()
	status, v := call(t, world, token, "GET", "/"+string(phone.ID()), "")
	require.Equal(t, http.StatusUnauthorized, status)
	code, _ := problem(t, v)
	require.Equal(t, graph.CodeAccessTokenExpired, code)
	phone.EndCoexistence(webhook.DisconnectedPrimaryInactivity, "SYSTEM")
	wait(t, world)
	updates := h.of(t, "account_update")[2:]
	require.Equal(t, "PARTNER_APP_UNINSTALLED", updates[0].Value.Event)
	require.Equal(t, "PRIMARY_INACTIVITY", updates[1].Value.Disconnection.Reason)
}

func TestOneSyncPerKindAndOnboarding(t *testing.T) {
	t.Parallel()
	world, _, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	require.Equal(t, http.StatusBadRequest, requestSync(t, world, token, phone, "history"))
	phone.ChangeDevice()
	phone.Reconnect()
	require.Equal(t, http.StatusBadRequest, requestSync(t, world, token, phone, "history"),
		"a reconnect is no onboarding")
	world.Advance(24 * time.Hour)
	_, v := call(t, world, token, "POST", "/"+string(phone.ID())+"/smb_app_data",
		`{"messaging_product":"whatsapp","sync_type":"smb_app_state_sync"}`)
	code, _ := problem(t, v)
	require.Equal(t, graph.CodeSyncWindowClosed, code)
}
