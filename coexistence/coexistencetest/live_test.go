package coexistencetest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// connected returns a world with a number that coexists, whose host hears everything in order.
func connected(
	t *testing.T, cfg coexistencetest.Config, phone coexistencetest.PhoneConfig,
) (*coexistencetest.World, *host, *coexistencetest.Phone, graph.Secret) {
	t.Helper()
	if cfg.Delivery.Parallel == 0 {
		cfg.Delivery.Parallel = 1
	}
	if cfg.Templates == nil {
		cfg.Templates = []cloudapi.TemplateCreateParams{{
			Name: "hello", Language: "en", Category: graph.TemplateUtility,
			Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "Fresh bread."}},
		}}
	}
	world, h := newWorld(t, cfg)
	p := world.NewPhone(phone)
	token := onboard(t, world, p, coexistencetest.HistoryShared)
	return world, h, p, token
}

func send(
	t *testing.T, world *coexistencetest.World, token graph.Secret, phone *coexistencetest.Phone, to, kind string,
) graph.MessageID {
	t.Helper()
	body := `{"messaging_product":"whatsapp",` + to +
		`,"type":"text","text":{"body":"From the host"},"biz_opaque_callback_data":"order-1"}`
	if kind == "template" {
		body = `{"messaging_product":"whatsapp",` + to +
			`,"type":"template","template":{"name":"hello","language":{"code":"en"}}}`
	}
	status, v := call(t, world, token, "POST", "/"+string(phone.ID())+"/messages", body)
	require.Equal(t, http.StatusOK, status, string(v["error"]))
	var messages []struct {
		ID graph.MessageID `json:"id"`
	}
	decodeInto(t, v["messages"], &messages)
	return messages[0].ID
}

func TestPartnersAreNotifiedOfAFinishedSignup(t *testing.T) {
	t.Parallel()
	world, h, phone, _ := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	wait(t, world)
	updates := h.of(t, "account_update")
	require.Len(t, updates, 2)
	require.Equal(t, "PARTNER_ADDED", updates[0].Value.Event)
	require.Equal(t, "PARTNER_APP_INSTALLED", updates[1].Value.Event)
	for _, u := range updates {
		require.Equal(t, string(world.Partner()), u.entry, "the entry is the partner's portfolio")
		require.Equal(t, string(phone.WABA()), u.Value.WABAInfo.ID)
	}
	require.Equal(t, updates[0].time+9, updates[1].time)
}

func TestACustomerWritesEditsReactsAndRevokes(t *testing.T) {
	t.Parallel()
	world, h, phone, _ := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	customer := phone.Customer("+1 555-010-0142")
	id := customer.Send("Open 2day? 👨‍👩‍👧‍👦")
	edit, err := customer.Edit(id, "Open today?")
	require.NoError(t, err)
	reaction := customer.SendContent(coexistencetest.Reaction(id, "👍"))
	revoke, err := customer.Revoke(id)
	require.NoError(t, err)
	picture := customer.SendContent(coexistencetest.Image("Like this one"))
	wait(t, world)

	messages := h.of(t, "messages")
	require.Len(t, messages, 5)
	first := messages[0].Value
	require.Equal(t, phonenumber.Digits(phone.PhoneNumber()), first.Metadata.Display)
	require.Equal(t, "15550100142", first.Messages[0].From)
	require.Equal(t, string(customer.Identity().UserID), first.Messages[0].FromUser)
	require.Equal(t, "Open 2day? 👨‍👩‍👧‍👦", first.Messages[0].Text.Body)
	require.Equal(t, id, first.Messages[0].ID)
	require.Equal(t, "15550100142", first.Contacts[0].WAID)
	require.Equal(t, edit, messages[1].Value.Messages[0].ID)
	require.Equal(t, id, messages[1].Value.Messages[0].Edit.Original)
	require.Equal(t, "Open today?", messages[1].Value.Messages[0].Edit.Message.Text.Body)
	require.Equal(t, reaction, messages[2].Value.Messages[0].ID)
	require.Equal(t, id, messages[2].Value.Messages[0].Reaction.Message)
	require.Equal(t, revoke, messages[3].Value.Messages[0].ID)
	require.Equal(t, id, messages[3].Value.Messages[0].Revoke.Original)
	require.Equal(t, picture, messages[4].Value.Messages[0].ID)
	require.NotEmpty(t, messages[4].Value.Messages[0].Image.ID)

	chat := phone.Chat(customer)
	require.Len(t, chat, 2)
	require.True(t, chat[0].Edited)
	require.True(t, chat[0].Revoked)
	require.Equal(t, []string{"👍"}, chat[0].Reactions)

	_, err = customer.Edit(id, "again")
	require.Error(t, err, "it was deleted")
	world.Advance(16 * time.Minute)
	_, err = customer.Edit(picture, "too late")
	require.ErrorContains(t, err, "15m")
}

func TestAPhoneWritesEditsAndRevokes(t *testing.T) {
	t.Parallel()
	world, h, phone, _ := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	customer := phone.AddCustomer(coexistencetest.CustomerConfig{Username: "@madeup"})
	id := phone.Send(customer, "We are open")
	_, err := phone.Edit(id, "We are closed")
	require.NoError(t, err)
	_, err = phone.Revoke(id)
	require.NoError(t, err)
	_, err = customer.Revoke(id)
	require.Error(t, err, "it is not theirs")
	wait(t, world)

	echoes := h.of(t, "smb_message_echoes")
	require.Len(t, echoes, 3)
	first := echoes[0].Value.Echoes[0]
	require.Equal(t, phonenumber.Digits(phone.PhoneNumber()), first.From)
	require.Empty(t, first.To, "the customer has no number to show")
	require.Equal(t, string(customer.Identity().UserID), first.ToUser)
	require.Equal(t, id, echoes[1].Value.Echoes[0].Edit.Original)
	require.Equal(t, "We are closed", echoes[1].Value.Echoes[0].Edit.Message.Text.Body)
	require.Equal(t, id, echoes[2].Value.Echoes[0].Revoke.Original)
	require.Empty(t, h.of(t, "messages"), "an echo is no message")
}

func TestAnUnavailableMessageComesAgainUnderItsID(t *testing.T) {
	t.Parallel()
	world, h, phone, _ := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	customer := phone.Customer("+1 555-010-0142")
	id := customer.SendUnavailable("I saw your ad")
	require.NoError(t, customer.ResolveUnavailable(id))
	require.Error(t, customer.ResolveUnavailable("wamid.unknown"))
	wait(t, world)
	messages := h.of(t, "messages")
	require.Len(t, messages, 2)
	require.Equal(t, "unsupported", messages[0].Value.Messages[0].Type)
	require.Equal(t, 131060, messages[0].Value.Messages[0].Errors[0].Code)
	require.Equal(t, "I saw your ad", messages[1].Value.Messages[0].Text.Body)
	require.Equal(t, messages[0].Value.Messages[0].ID, messages[1].Value.Messages[0].ID)
	require.Equal(t, messages[0].Value.Messages[0].Timestamp, messages[1].Value.Messages[0].Timestamp)
}

func TestASendIsMirroredAndFollowedByStatuses(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	customer := phone.Customer("+1 555-010-0142")
	hidden := phone.AddCustomer(coexistencetest.CustomerConfig{Username: "madeup", NoReceipts: true})
	customer.Send("Hello")
	hidden.Send("Hello")
	id := send(t, world, token, phone, `"to":"+15550100142"`, "text")
	send(t, world, token, phone, `"recipient":"`+string(hidden.Identity().UserID)+`"`, "text")
	wait(t, world)

	var statuses []string
	for _, one := range h.of(t, "messages") {
		for _, s := range one.Value.Statuses {
			statuses = append(statuses, s.Status)
		}
	}
	require.Equal(t, []string{"sent", "delivered", "read", "sent", "delivered"}, statuses)
	chat := phone.Chat(customer)
	require.Len(t, chat, 2)
	require.Equal(t, id, chat[1].ID)
	require.Equal(t, coexistencetest.AuthorAPI, chat[1].Author)
	require.Equal(t, "From the host", chat[1].Content.Text)
	require.Equal(t, "read", chat[1].Status)
	require.Empty(t, h.of(t, "smb_message_echoes"), "what the host sends is no echo")
	require.Contains(t, h.received()[len(h.received())-4], "order-1")
}

func TestSendsThatFailLater(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		customer coexistencetest.CustomerConfig
		writes   bool
		pause    time.Duration
		kind     string
		code     int
	}{
		"window never opened":    {coexistencetest.CustomerConfig{}, false, 0, "text", 131047},
		"window closed":          {coexistencetest.CustomerConfig{}, true, 25 * time.Hour, "text", 131047},
		"window open":            {coexistencetest.CustomerConfig{}, true, 23 * time.Hour, "text", 0},
		"template needs no open": {coexistencetest.CustomerConfig{}, false, 0, "template", 0},
		"unreachable":            {coexistencetest.CustomerConfig{Unreachable: true}, true, 0, "text", 131026},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world, h, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
			tt.customer.PhoneNumber = "+1 555-010-0142"
			customer := phone.AddCustomer(tt.customer)
			if tt.writes {
				customer.Send("Hello")
			}
			world.Advance(tt.pause)
			send(t, world, token, phone, `"to":"+15550100142"`, tt.kind)
			wait(t, world)
			hooks := h.of(t, "messages")
			last := hooks[len(hooks)-1].Value.Statuses[0]
			if tt.code == 0 {
				require.Equal(t, "read", last.Status)
				return
			}
			require.Equal(t, "failed", last.Status)
			require.Equal(t, tt.code, last.Errors[0].Code)
		})
	}
}

func TestWhatHappenedBeforeTheSignupOpensNoWindow(t *testing.T) {
	t.Parallel()
	world, h := newWorld(t, coexistencetest.Config{Delivery: coexistencetest.DeliveryConfig{Parallel: 1}})
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	phone.Customer("+1 555-010-0142").Send("A minute too early")
	token := onboard(t, world, phone, coexistencetest.HistoryShared)
	send(t, world, token, phone, `"to":"+15550100142"`, "text")
	wait(t, world)
	hooks := h.of(t, "messages")
	require.Len(t, hooks, 1, "the early message is history")
	require.Equal(t, "failed", hooks[0].Value.Statuses[0].Status)
}

func TestTheAddressBookChanges(t *testing.T) {
	t.Parallel()
	world, h, phone, _ := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{})
	phone.SaveContact(coexistencetest.Contact{
		FullName: "Ada Example", FirstName: "Ada", PhoneNumber: "+1 555-010-0142",
	})
	phone.SaveContact(coexistencetest.Contact{FullName: "Ada Sample", PhoneNumber: "+1 555-010-0142"})
	phone.RemoveContact(coexistencetest.Contact{PhoneNumber: "15550100142"})
	phone.RemoveContact(coexistencetest.Contact{PhoneNumber: "15550100142"})
	wait(t, world)
	states := h.of(t, "smb_app_state_sync")
	require.Len(t, states, 3)
	require.Equal(t, "add", states[1].Value.States[0].Action)
	require.Equal(t, "Ada Sample", states[1].Value.States[0].Contact.FullName)
	require.Equal(t, "remove", states[2].Value.States[0].Action)
	require.Empty(t, states[2].Value.States[0].Contact.FullName)
	require.Equal(t, "15550100142", states[2].Value.States[0].Contact.Phone)
	require.Empty(t, phone.Contacts())
}
