package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func TestABusinessConnectsItsPhone(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{change: func(_ *host, c *signup.Config) { c.Page.Check = checkEligibility }})
	h.shows("check")
	h.judge("01-check")
	h.fill(inside("#number"), "+234 803 555 0101")
	h.fill(inside("#app_version"), "2.23.1")
	h.click(button("Check"))
	h.shows("refused")
	h.judge("02-refused")
	require.Zero(t, h.opened(), "nothing of Meta's opens for a number that cannot take part")

	h.fill(inside("#number"), h.phone.PhoneNumber())
	h.fill(inside("#app_version"), "2.24.17.79")
	h.click(button("Check"))
	h.shows("invite")
	h.judge("03-invite")
	evaluate[bool](h.window,
		`document.addEventListener("whatsapp-signup", e => { window.told = e.detail }) === undefined`)
	popup := h.start()
	popup.screen(coexistencetest.ScreenBusiness)
	popup.judge("04-popup-account")
	h.shows("popup")
	h.judge("05-waiting")
	require.Equal(t, "https://www.facebook.com", evaluate[string](popup, "location.origin"))
	popup.click(id("existing"))
	popup.screen(coexistencetest.ScreenNumber)
	popup.fill(id("number"), h.phone.PhoneNumber())
	popup.judge("06-popup-number")
	popup.click(id("next"))
	popup.screen(coexistencetest.ScreenVerify)
	popup.await(id("qr") + ".complete")
	popup.judge("07-popup-code")

	popup.click(id("phone"))
	phone := popup.open("/phone")
	phone.await(id("digits"))
	phone.judge("08-phone")
	popup.fill(id("code"), evaluate[string](phone, id("digits")+".textContent"))
	popup.click(id("verify"))
	popup.await(`document.querySelector("h1").textContent === "Confirm on your phone"`)
	popup.judge("09-popup-confirm")
	phone.click(id("share"))
	phone.await(id("nothing"))
	phone.judge("10-phone-confirmed")
	popup.screen(coexistencetest.ScreenReview)
	popup.judge("11-popup-review")
	popup.click(id("finish"))

	h.shows("done")
	h.judge("12-done")
	b := h.business()
	require.Equal(t, signup.OutcomeReady, b.Outcome)
	require.Equal(t, h.phone.ID(), b.Phone.ID)
	require.Equal(t, h.name, b.Tenant)
	require.True(t, h.phone.Coexists())
	require.Equal(t, "ready", evaluate[string](h.window, "window.told.outcome"))
	require.NoError(t, chromedp.Do(h.ctx, chromedp.Reload()))
	h.shows("done")
}

// As in examples/signup: everything on this machine, over http, with the simulator's own address
// for the SDK.
func TestASimulatorWithAnAddressOfItsOwn(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{plain: true})
	popup := h.start()
	require.Equal(t, theStage.world.URL, evaluate[string](popup, "location.origin"))
	h.complete(popup)
	h.shows("done")
	require.NotNil(t, h.business().Session)
}
