package browser_test

import (
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/board"
)

// visitAt opens an address in a browser of its own.
func visitAt(t *testing.T, address string) *window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(theStage.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 860), chromedp.Navigate(address)))
	return &window{t, ctx}
}

// The phone beside a host's page is a page of its own, in a frame.
func TestThePhoneBesideAPageIsAccessible(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	rack := &board.Rack{World: world, Phone: func(business string) coexistencetest.PhoneConfig {
		history := coexistencetest.History{Messages: 20, Customers: 3}
		return coexistencetest.PhoneConfig{Business: business, History: history}
	}}
	h, err := rack.Board("one", "Ovenbird Bakery")
	require.NoError(t, err)
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	w := visitAt(t, srv.URL)
	w.await(`document.querySelector("#chats button") !== null`)
	w.judge("71-phone-chats")
	evaluate[bool](w, `document.querySelector("#chats button").click() === undefined`)
	w.await(`document.querySelector("#messages .bubble") !== null`)
	w.judge("72-phone-chat")
}
