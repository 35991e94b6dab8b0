package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A person at the page adds Meta's agent, sees what it answers, passes the chat to the host, and
// judges a template.
func TestAPersonPlaysTheAgentAndMetasReview(t *testing.T) {
	t.Parallel()
	p := newPlayground(t)
	number := p.api.Phone("15550100100")
	ada := number.Customers()[0]
	desktop := func() { require.NoError(t, chromedp.Do(p.ctx, chromedp.EmulateViewport(1440, 860))) }
	desktop()
	p.await(`view && view.chat`)
	p.click(`document.querySelector("[data-form=responder] button")`)
	p.await(`document.querySelector("#responders li")`)
	p.click(`document.querySelector("#routing [name=on]")`)
	p.await(`view.routing.on`)
	require.True(t, number.Routing().On)
	ada.Send("Where is my order?")
	p.await(`document.querySelector("#messages .by-responder")`)
	p.await(`document.querySelector("#owner").textContent === "Business Agent has this conversation"`)
	evaluate[bool](p.window, `document.querySelector("#responders").scrollIntoView() === undefined`)
	p.inEveryLook("64-simulator-agent")
	desktop()
	p.click(`document.querySelector("#thread [data-do=pass]")`)
	p.await(`document.querySelector("#owner").textContent.startsWith("Your host")`)
	require.Equal(t, coexistencetest.ThreadOwner{Routed: true}, ada.ThreadOwner())
	p.send(&cloudapi.Text{Body: "It left this morning."})

	evaluate[bool](p.window, `(() => {
		const menu = document.querySelector("#templates select");
		menu.value = "PAUSED";
		menu.dispatchEvent(new Event("change", { bubbles: true }));
		return true;
	})()`)
	p.await(`document.querySelector("#templates small").textContent.includes("PAUSED")`)
	paused := p.api.World().Graph().Templates(number.WABA())[0]
	require.Equal(t, cloudapi.TemplatePaused, paused.Status)
	evaluate[bool](p.window, `document.querySelector("#templates").scrollIntoView() === undefined`)
	p.inEveryLook("65-simulator-templates")
	require.Equal(t, graph.TemplateUtility, paused.Category)
}
