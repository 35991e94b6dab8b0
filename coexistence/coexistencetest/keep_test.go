package coexistencetest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// acknowledges is a host that answers 200 to everything, and does the handshake.
func acknowledges(t *testing.T) string {
	t.Helper()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(host.Close)
	return host.URL
}

func TestANumberOnCloudAPIAloneTalksAtOnce(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{
		Templates: []cloudapi.TemplateCreateParams{coexistencetest.HelloWorld()},
	})
	t.Cleanup(world.Close)
	number := world.NewCloudNumber(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0100"})
	require.NoError(t, world.DeliverTo(acknowledges(t)))
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(t, err)
	client = client.WithToken(number.AccessToken())
	ada := number.Customer("+1 555-010-0142")
	_, err = client.Messages.Send(t.Context(), number.ID(), cloudapi.Message{
		To: cloudapi.ToPhone("+15550100142"), Content: &cloudapi.Template{Name: "hello_world", Language: "en_US"},
	})
	require.NoError(t, err)
	ada.Send("Hello back")
	require.NoError(t, world.WaitDelivered(t.Context()))
	list, total := world.FindDeliveries(coexistencetest.DeliveryFilter{Field: webhook.FieldMessages})
	require.Len(t, list, 4, "sent, delivered, read, and the answer")
	require.Equal(t, 4, total)
	require.Len(t, number.Chat(ada), 2)
	read, err := client.Phones.Get(t.Context(), number.ID(), cloudapi.PhoneGetOptions{
		Fields: []string{"is_on_biz_app", "platform_type"},
	})
	require.NoError(t, err)
	require.False(t, read.IsOnBizApp)
	require.False(t, number.Coexists())

	// No app is behind it: nothing of a phone's life ends it, and nothing is echoed.
	number.Disconnect()
	number.ChangeDevice()
	number.ChangeNumber("+1 555-010-0111")
	number.LieIdle()
	number.Send(ada, "from where?")
	require.NoError(t, world.WaitDelivered(t.Context()))
	_, total = world.FindDeliveries(coexistencetest.DeliveryFilter{})
	require.Equal(t, 4, total)
	require.Equal(t, "+1 555-010-0100", number.PhoneNumber())
}

// A host keeps ids in its settings, so they are the same in the next run, whatever was done before.
func TestIdsDependOnSeedAndNumberAlone(t *testing.T) {
	t.Parallel()
	ids := func(seed uint64, busy bool) []string {
		world := coexistencetest.NewWorld(coexistencetest.Config{Seed: seed})
		defer world.Close()
		if busy {
			other := world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0188"})
			_, err := other.Connect(coexistencetest.HistoryShared)
			require.NoError(t, err)
			other.Customer("+1 555-010-0142").Send("first")
		}
		number := world.NewCloudNumber(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0100"})
		phone := world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0199"})
		_, err := phone.Connect(coexistencetest.HistoryShared)
		require.NoError(t, err)
		customer := phone.Customer("+1 555-010-0142")
		return []string{
			string(number.ID()), string(number.WABA()), string(number.Business()), number.AccessToken().Reveal(),
			string(phone.ID()), string(phone.WABA()), string(phone.Business()), string(customer.UserID()),
		}
	}
	calm := ids(7, false)
	require.Equal(t, calm, ids(7, true))
	other := ids(8, false)
	seen := map[string]bool{}
	for i, id := range calm {
		require.NotEqual(t, id, other[i], "another seed, another id")
		require.False(t, seen[id], "ids are different: %s", id)
		seen[id] = true
	}
}

func TestAWorldThatRunsForDaysForgets(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{KeepLast: 20})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 40}})
	_, err := phone.Connect(coexistencetest.HistoryShared)
	require.NoError(t, err)
	world.Graph().SubscribeWABA(phone.WABA())
	ada := phone.Customer("+1 555-010-0142")
	for i := range 100 {
		ada.Send(fmt.Sprint("lost ", i)) // no callback yet
	}
	require.LessOrEqual(t, len(world.Suppressed()), 25)
	require.NoError(t, world.DeliverTo(acknowledges(t)))
	var last graph.MessageID
	for i := range 200 {
		last = ada.Send(fmt.Sprint(i))
	}
	require.NoError(t, world.WaitDelivered(t.Context()))
	chat := phone.Chat(ada)
	require.LessOrEqual(t, len(chat), 25)
	require.Equal(t, last, chat[len(chat)-1].ID)
	_, err = ada.Edit(chat[0].ID, "older ones are gone, this one is there")
	require.NoError(t, err)
	require.NoError(t, world.WaitDelivered(t.Context()))

	kept, total := world.FindDeliveries(coexistencetest.DeliveryFilter{})
	require.Equal(t, 201, total)
	require.LessOrEqual(t, len(kept), 26)
	_, err = world.FindDelivery(1)
	require.ErrorIs(t, err, coexistencetest.ErrNoDelivery)
	d, err := world.FindDelivery(kept[0].Number)
	require.NoError(t, err)
	require.Equal(t, kept[0].Body, d.Body)
	past := 0
	for _, s := range phone.Chats() {
		if s.Customer != ada {
			past += s.Count
		}
	}
	require.Greater(t, past, 30, "what the phone had before stays")
}

func TestADeliveryIsSentAgain(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	heard := make(chan []byte, 10)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPost {
			heard <- body
		}
		if down.Load() && r.Method == http.MethodPost {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(host.Close)
	world := coexistencetest.NewWorld(coexistencetest.Config{Delivery: coexistencetest.DeliveryConfig{MaxAttempts: 1}})
	t.Cleanup(world.Close)
	number := world.NewCloudNumber(coexistencetest.PhoneConfig{})
	require.NoError(t, world.DeliverTo(host.URL))
	number.Customer("+1 555-010-0142").Send("Hello")
	require.NoError(t, world.WaitDelivered(t.Context()))
	again, err := world.Resend(1)
	require.NoError(t, err)
	require.Equal(t, 2, again.Number)
	require.True(t, again.Duplicate)
	require.NoError(t, world.WaitDelivered(t.Context()))
	first, second := <-heard, <-heard
	require.Equal(t, first, second)

	down.Store(true)
	number.Customer("+1 555-010-0142").Send("Are you there?")
	require.ErrorContains(t, world.WaitDelivered(t.Context()), "given up")
	<-heard
	down.Store(false)
	again, err = world.Resend(3)
	require.NoError(t, err)
	require.Equal(t, 3, again.Number, "what the host never had is the same delivery")
	require.NoError(t, world.WaitDelivered(t.Context()))
	<-heard

	cfg := world.Delivery()
	cfg.DuplicatesPercent = 100
	world.SetDelivery(cfg)
	number.Customer("+1 555-010-0142").Send("twice")
	require.NoError(t, world.WaitDelivered(t.Context()))
	_, total := world.FindDeliveries(coexistencetest.DeliveryFilter{})
	require.Equal(t, 5, total)
	_, err = world.Resend(99)
	require.ErrorIs(t, err, coexistencetest.ErrNoDelivery)
}
