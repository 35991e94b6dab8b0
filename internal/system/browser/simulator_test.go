package browser_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/board"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
)

// A playground is the page of a simulator with a host that has sent one of everything.
type playground struct {
	*window
	api     *control.API
	send    func(cloudapi.Content) graph.MessageID
	streams atomic.Int32 // that are open
}

// newPlayground opens the page.
func newPlayground(t *testing.T) *playground {
	t.Helper()
	needBrowser(t)
	api, err := control.New(control.Config{
		NewWorld: func() (*coexistencetest.World, error) {
			return coexistencetest.NewWorld(coexistencetest.Config{
				Templates: []cloudapi.TemplateCreateParams{coexistencetest.HelloWorld(), offer()},
			}), nil
		},
		Seed: control.DefaultSeed("", "", 40),
	})
	require.NoError(t, err)
	t.Cleanup(api.Close)
	number := api.Phone("15550100100")
	cfg := api.World().ClientConfig()
	cfg.AccessToken = number.AccessToken()
	client, err := cloudapi.NewClient(cfg)
	require.NoError(t, err)
	number.Customers()[0].Send("Are you open?")
	p := &playground{api: api}
	routes := board.New(api, board.Config{}).Routes()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/events" {
			p.streams.Add(1)
			defer p.streams.Add(-1)
		}
		routes.ServeHTTP(w, r)
	}))
	t.Cleanup(page.Close)
	ctx, cancel := chromedp.NewContext(theStage.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p.window = &window{t, ctx}
	p.send = func(c cloudapi.Content) graph.MessageID {
		t.Helper()
		sent, err := client.Messages.Send(t.Context(), number.ID(), cloudapi.Message{
			To: cloudapi.ToPhone("+15550100142"), Content: c,
		})
		require.NoError(t, err)
		return sent.ID
	}
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(page.URL+"/?phone=15550100100#15550100142")))
	return p
}

// offer is a template with everything that a phone draws.
func offer() cloudapi.TemplateCreateParams {
	return cloudapi.TemplateCreateParams{
		Name: "offer", Language: "en_US", Category: graph.TemplateMarketing,
		Components: []cloudapi.ComponentDefinition{
			{Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderText, Text: "For {{1}}"},
			{Type: cloudapi.ComponentBody, Text: "Rye bread, fresh on {{1}}."},
			{Type: cloudapi.ComponentFooter, Text: "Ovenbird Bakery"},
			{Type: cloudapi.ComponentButtons, Buttons: []cloudapi.ButtonDefinition{
				{Type: cloudapi.ButtonDefinitionQuickReply, Text: "Keep one for me"},
				{Type: cloudapi.ButtonDefinitionURL, Text: "See", URL: "https://example.com/bread"},
			}},
		},
	}
}

// tappable finds what can be tapped in the chat by what it says.
func tappable(title string) string {
	return `[...document.querySelectorAll("#messages button")].find((b) => b.textContent.includes("` + title + `"))`
}

// Browsers keep pages that were left, with the connections that they hold, and have six to a server
// at most: a person who looks at some pages of a host with the phone beside them would wait.
func TestAPageOfTheSimulatorThatWasLeftHoldsNoConnection(t *testing.T) {
	t.Parallel()
	p := newPlayground(t)
	said := func(text string) string {
		return `document.querySelector("#messages").innerText.includes("` + text + `")`
	}
	p.await(said("Are you open?"))
	require.EqualValues(t, 1, p.streams.Load())
	leave := func(event string) {
		evaluate[bool](p.window, `dispatchEvent(new PageTransitionEvent("`+event+`", { persisted: true }))`)
	}
	leave("pagehide")
	require.Eventually(t, func() bool { return p.streams.Load() == 0 }, timeout, time.Millisecond)
	p.api.Phone("15550100100").Customers()[0].Send("And tomorrow?")
	leave("pageshow")
	p.await(said("And tomorrow?"))
}

// What a host sends is drawn as a phone draws it, on small and large screens, and what is tapped is
// an answer.
func TestAPersonTapsOnThePageOfTheSimulator(t *testing.T) {
	t.Parallel()
	p := newPlayground(t)
	p.send(&cloudapi.Template{
		Name: "offer", Language: "en_US", Components: []cloudapi.TemplateComponent{
			&cloudapi.TemplateHeader{Parameter: &cloudapi.TextParameter{Text: "Ada"}},
			&cloudapi.TemplateBody{Parameters: []cloudapi.TemplateParameter{&cloudapi.TextParameter{Text: "Friday"}}},
		},
	})
	p.send(&cloudapi.Interactive{
		Header: &cloudapi.Image{MediaSource: cloudapi.MediaSource{Link: "https://example.com/rye.jpg"}},
		Body:   "Rye?", Footer: "Warm",
		Action: &cloudapi.ReplyButtons{
			Buttons: []cloudapi.ReplyButton{{ID: "y", Title: "Yes"}, {ID: "n", Title: "No"}},
		},
	})
	p.send(&cloudapi.Interactive{
		Body: "Which one?", Action: &cloudapi.List{Button: "See all", Sections: []cloudapi.ListSection{
			{Title: "Bread", Rows: []cloudapi.ListRow{
				{ID: "1", Title: "Spelt", Description: "dark"}, {ID: "2", Title: "Oat"},
			}},
		}},
	})
	p.await(tappable("See all"))
	p.inEveryLook("60-simulator")
	p.click(tappable("See all"))
	p.await(tappable("Spelt"))
	p.inEveryLook("61-simulator-list")
	number := p.api.Phone("15550100100")
	for _, title := range []string{"Spelt", "Yes", "Keep one for me"} {
		before := len(number.Chat(number.Customers()[0]))
		p.click(tappable(title))
		p.await(`[...document.querySelectorAll("#messages .by-customer")].some(
			(b) => b.textContent.includes("` + title + `"))`)
		chat := number.Chat(number.Customers()[0])
		require.Len(t, chat, before+1)
		require.Equal(t, title, chat[before].Content.Text)
	}
	p.inEveryLook("62-simulator-answered")

	// A photo is seen.
	number.Customers()[0].SendContent(coexistencetest.Image("This one, please"))
	p.await(`[...document.querySelectorAll("#messages img")].some((i) => i.complete && i.naturalWidth > 0)`)
	evaluate[bool](p.window, `document.querySelector("#messages img").scrollIntoView() === undefined`)
	p.inEveryLook("63-simulator-photo")
}
