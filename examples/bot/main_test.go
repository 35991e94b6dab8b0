package main

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// The program runs for as long as the test's process does.
func TestTheBotAnswersACustomer(t *testing.T) {
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	phone := world.NewCloudNumber(coexistencetest.PhoneConfig{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	t.Setenv("ADDR", addr)
	t.Setenv("APP_SECRET", world.AppSecret().Reveal())
	t.Setenv("VERIFY_TOKEN", world.VerifyToken().Reveal())
	t.Setenv("GRAPH_URL", world.ClientConfig().BaseURL)
	t.Setenv("ACCESS_TOKEN", phone.AccessToken().Reveal())
	go main()
	require.Eventually(t, func() bool { return world.DeliverTo("http://"+addr) == nil }, time.Minute, 10*time.Millisecond)

	customer := phone.Customer("+1 555 010 0142")
	customer.Send("Are you open?")
	require.NoError(t, world.WaitDelivered(t.Context()))
	chat := phone.Chat(customer)
	require.Len(t, chat, 2)
	require.Equal(t, "You wrote: Are you open?", chat[1].Content.Text)
}
