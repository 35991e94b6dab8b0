package templates_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/templates"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const listing = "/{waba-id}/message_templates"

// A host has a fake Meta with one number, and a cache.
type host struct {
	*cloudapitest.Server

	t      *testing.T
	phone  cloudapitest.Phone
	client *cloudapi.Client
	cache  *templates.Cache
}

// open returns a host. It runs within a bubble, so its requests go through memory.
func open(t *testing.T, change func(*templates.Config)) *host {
	t.Helper()
	h := &host{Server: cloudapitest.NewServer(cloudapitest.Config{Network: new(cloudapitest.Network)}), t: t}
	t.Cleanup(h.Close)
	h.phone = h.AddPhone(cloudapitest.Phone{})
	setup := h.ClientConfig()
	setup.Retry = cloudapi.RetryPolicy{MaxAttempts: 1}
	var err error
	h.client, err = cloudapi.NewClient(setup)
	require.NoError(t, err)
	store := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	require.NoError(t, tracker.Onboard(t.Context(), cloudapi.Onboarding{
		PhoneNumberID: h.phone.ID, WABAIDs: h.phone.WABAs,
	}))
	cfg := templates.Config{
		Store:  store,
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return h.client, nil },
	}
	if change != nil {
		change(&cfg)
	}
	h.cache, err = templates.New(cfg)
	require.NoError(t, err)
	return h
}

// template adds an approved template of the category with these components.
func (h *host) template(
	name string, category graph.TemplateCategory, parts ...cloudapi.ComponentDefinition,
) cloudapitest.Template {
	t := cloudapitest.Template{WABAID: h.phone.WABAs[0]}
	t.Name, t.Language, t.Category, t.Status = name, "en_US", category, cloudapi.TemplateApproved
	t.Components = parts
	if len(parts) == 0 {
		t.Components = []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "News."}}
	}
	return h.AddTemplate(t)
}

// send sends a template with components.
func (h *host) send(name string, parts ...cloudapi.TemplateComponent) error {
	_, err := h.cache.Send(h.t.Context(), h.client, h.phone.ID, cloudapi.Message{
		To:      cloudapi.ToPhone("+15550100101"),
		Content: &cloudapi.Template{Name: name, Language: "en_US", Components: parts},
	})
	return err
}

// event tells the cache of a template.
func (h *host) event(
	at time.Time, t cloudapitest.Template, of func(webhook.EventInfo, webhook.Template) webhook.Event,
) {
	h.t.Helper()
	info := webhook.EventInfo{WABAID: t.WABAID, At: at}
	named := webhook.Template{TemplateID: t.ID, Name: t.Name, Language: "en-US"}
	require.NoError(h.t, h.cache.Handle(h.t.Context(), of(info, named)))
}

func statusOf(event webhook.TemplateEvent) func(webhook.EventInfo, webhook.Template) webhook.Event {
	return func(info webhook.EventInfo, of webhook.Template) webhook.Event {
		return &webhook.MessageTemplateStatusUpdate{EventInfo: info, Template: of, Event: event}
	}
}

func TestTemplatesAreListedOnceAndKeptTrueByWebhooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		news := h.template("news", graph.TemplateUtility)
		for range 3 {
			require.NoError(t, h.send("news"))
		}
		require.Equal(t, 1, h.Count("GET", listing))

		time.Sleep(2 * time.Second)
		category := func(info webhook.EventInfo, of webhook.Template) webhook.Event {
			return &webhook.TemplateCategoryUpdate{
				EventInfo: info, Template: of, Previous: graph.TemplateUtility, New: graph.TemplateMarketing,
			}
		}
		h.event(time.Now(), news, category)
		quality := func(info webhook.EventInfo, of webhook.Template) webhook.Event {
			return &webhook.MessageTemplateQualityUpdate{EventInfo: info, Template: of, New: graph.QualityRed}
		}
		h.event(time.Now(), news, quality)
		h.event(time.Now().Add(-time.Hour), news, statusOf(webhook.TemplateDisabled)) // older than the list
		h.event(time.Now(), news, statusOf(webhook.TemplateFlagged))
		found, err := h.cache.Find(t.Context(), h.phone.ID, "news", "en_US")
		require.NoError(t, err)
		require.Equal(t, graph.TemplateMarketing, found.Category)
		require.Equal(t, graph.QualityRed, found.Quality)
		require.Equal(t, cloudapi.TemplateApproved, found.Status)
		require.Equal(t, 1, h.Count("GET", listing))

		h.event(time.Now(), news, statusOf(webhook.TemplatePaused))
		err = h.send("news")
		status, ok := errors.AsType[*templates.StatusError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, cloudapi.TemplatePaused, status.Status)
		h.event(time.Now(), news, statusOf(webhook.TemplateReinstated))
		require.NoError(t, h.send("news"))
		require.Equal(t, 1, h.Count("GET", listing))

		components := func(info webhook.EventInfo, of webhook.Template) webhook.Event {
			return &webhook.MessageTemplateComponentsUpdate{EventInfo: info, Template: of, Body: "News!"}
		}
		h.event(time.Now(), news, components)
		require.NoError(t, h.send("news"))
		require.Equal(t, 2, h.Count("GET", listing), "an edited template is read again")
	})
}

// A pause that another process was told of ends: nothing is refused by an old list.
func TestNothingIsRefusedByAnOldList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		news := h.template("news", graph.TemplateUtility)
		h.SetTemplateStatus(news.ID, cloudapi.TemplatePaused)
		require.Error(t, h.send("news"))
		require.ErrorIs(t, h.send("later"), templates.ErrUnknown)
		require.Equal(t, 1, h.Count("GET", listing), "a list that is younger than a minute decides")
		require.Empty(t, h.Sent())
		time.Sleep(2 * time.Minute)
		h.SetTemplateStatus(news.ID, cloudapi.TemplateApproved)
		h.template("later", graph.TemplateUtility)
		require.NoError(t, h.send("news"))
		require.NoError(t, h.send("later"))
		require.Equal(t, 2, h.Count("GET", listing))
	})
}

func TestMetaDecidesWhileTheListCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		h.template("news", graph.TemplateUtility)
		h.Inject(cloudapitest.Fault{On: "GET " + listing, Status: http.StatusInternalServerError, Body: "busy"})
		require.NoError(t, h.send("news"))
		require.Len(t, h.Sent(), 1)
	})
}

func TestMarketingGoesWhereMetaTakesIt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		marketing      bool                   // Config.Marketing
		listed, now    graph.TemplateCategory // the category when it was listed, and now
		off            bool                   // marketing is off on Cloud API
		cloudAPI, lite int                    // calls of each
	}{
		"marketing":               {true, graph.TemplateMarketing, graph.TemplateMarketing, false, 0, 1},
		"marketing, by Cloud API": {false, graph.TemplateMarketing, graph.TemplateMarketing, false, 1, 0},
		"utility":                 {true, graph.TemplateUtility, graph.TemplateUtility, false, 1, 0},
		"became marketing":        {true, graph.TemplateUtility, graph.TemplateMarketing, true, 1, 1},
		"was marketing":           {true, graph.TemplateMarketing, graph.TemplateUtility, true, 1, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := open(t, func(c *templates.Config) {
					if tt.marketing {
						c.Marketing = new(cloudapi.MarketingOptions)
					}
				})
				news := h.template("news", tt.listed)
				_, err := h.cache.Find(t.Context(), h.phone.ID, "news", "en_US")
				require.NoError(t, err)
				_, ok := h.UpdateTemplate(news.ID, func(t *cloudapitest.Template) { t.Category = tt.now })
				require.True(t, ok)
				if tt.off {
					require.NoError(t, h.client.WABAs.Update(t.Context(), h.phone.WABAs[0],
						cloudapi.WABAUpdateParams{DisableMarketing: new(true)}))
				}
				require.NoError(t, h.send("news"))
				require.Equal(t, tt.cloudAPI, h.Count("POST", "/{phone-number-id}/messages"))
				require.Equal(t, tt.lite, h.Count("POST", "/{phone-number-id}/marketing_messages"))
				require.Len(t, h.Sent(), 1)
				if tt.listed != tt.now {
					require.NoError(t, h.send("news"))
					require.Equal(t, tt.cloudAPI+tt.lite+1, h.Count("POST", "/{phone-number-id}/messages")+
						h.Count("POST", "/{phone-number-id}/marketing_messages"), "the second goes right at once")
				}
			})
		})
	}
}

func TestWrongParametersAreRefusedBefore(t *testing.T) {
	t.Parallel()
	text := func(name string) cloudapi.TemplateParameter { return &cloudapi.TextParameter{Name: name, Text: "Ada"} }
	body := func(params ...cloudapi.TemplateParameter) cloudapi.TemplateComponent {
		return &cloudapi.TemplateBody{Parameters: params}
	}
	header := &cloudapi.TemplateHeader{Parameter: text("")}
	link := &cloudapi.TemplateButton{Type: cloudapi.ButtonURL, Parameter: text("")}
	said := cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, Text: "Hi {{1}}, about {{2}} and {{1}}."}
	named := cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, Text: "Hi {{first_name}}."}
	titled := cloudapi.ComponentDefinition{
		Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderText, Text: "For {{1}}",
	}
	pictured := cloudapi.ComponentDefinition{Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderImage}
	linked := cloudapi.ComponentDefinition{Type: cloudapi.ComponentButtons, Buttons: []cloudapi.ButtonDefinition{
		{Type: cloudapi.ButtonDefinitionURL, Text: "Open", URL: "https://example.com/{{1}}"},
	}}
	plain := cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, Text: "News."}
	parts := func(list ...cloudapi.ComponentDefinition) []cloudapi.ComponentDefinition { return list }
	fills := func(list ...cloudapi.TemplateComponent) []cloudapi.TemplateComponent { return list }
	tests := map[string]struct {
		has     []cloudapi.ComponentDefinition
		format  cloudapi.ParameterFormat
		filled  []cloudapi.TemplateComponent
		problem string
	}{
		"as it is":            {parts(said), "", fills(body(text(""), text(""))), ""},
		"too few":             {parts(said), "", fills(body(text(""))), "2 variables"},
		"too many":            {parts(plain), "", fills(body(text(""))), "0 variables"},
		"none":                {parts(said), "", nil, "2 variables"},
		"named":               {parts(named), cloudapi.ParametersNamed, fills(body(text("first_name"))), ""},
		"another name":        {parts(named), cloudapi.ParametersNamed, fills(body(text("name"))), "first_name"},
		"no header":           {parts(titled, plain), "", nil, "header"},
		"a header":            {parts(titled, plain), "", fills(header), ""},
		"a header it has not": {parts(plain), "", nil, ""},
		"no picture":          {parts(pictured, plain), "", nil, "IMAGE"},
		"no link":             {parts(plain, linked), "", nil, "button 0"},
		"a link":              {parts(plain, linked), "", fills(link), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := open(t, nil)
				added := cloudapitest.Template{WABAID: h.phone.WABAs[0]}
				added.Name, added.Language, added.Category = "news", "en_US", graph.TemplateUtility
				added.Status, added.Components, added.ParameterFormat = cloudapi.TemplateApproved, tt.has, tt.format
				h.AddTemplate(added)
				err := h.send("news", tt.filled...)
				if tt.problem == "" {
					require.NoError(t, err, "Meta takes it as well")
					return
				}
				wrong, ok := errors.AsType[*templates.ParameterError](err)
				require.True(t, ok, "%v", err)
				require.Contains(t, wrong.Error(), tt.problem)
				require.NotContains(t, wrong.Error(), "Ada")
				require.Empty(t, h.Sent())
			})
		})
	}
}

func TestTheCategoryOfAnUnknownTemplateIsNotKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		h.template("news", graph.TemplateMarketing)
		for name, want := range map[string]graph.TemplateCategory{"news": graph.TemplateMarketing, "other": ""} {
			got, err := h.cache.Category(t.Context(), h.phone.ID, &cloudapi.Template{Name: name, Language: "en_US"})
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

// A page offers what can be sent, and says of the rest why not.
func ExampleCache_List() {
	ctx := context.Background()
	meta := cloudapitest.NewServer(cloudapitest.Config{})
	defer meta.Close()
	phone := meta.AddPhone(cloudapitest.Phone{})
	for name, status := range map[string]cloudapi.TemplateStatus{
		"news": cloudapi.TemplateApproved, "offer": cloudapi.TemplatePaused,
	} {
		t := cloudapitest.Template{WABAID: phone.WABAs[0]}
		t.Name, t.Language, t.Status = name, "en_US", status
		meta.AddTemplate(t)
	}
	client, err := cloudapi.NewClient(meta.ClientConfig())
	if err != nil {
		log.Fatal(err)
	}
	store := new(coexistence.MemStore)
	cache, err := templates.New(templates.Config{
		Store:  store,
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	err = tracker.Onboard(ctx, cloudapi.Onboarding{PhoneNumberID: phone.ID, WABAIDs: phone.WABAs})
	if err != nil {
		log.Fatal(err)
	}

	list, err := cache.List(ctx, phone.ID)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range list {
		fmt.Println(t.Name, t.Status)
	}
	fmt.Println(cache.Check(ctx, phone.ID, &cloudapi.Template{Name: "offer", Language: "en_US"}))
	// Output:
	// news APPROVED
	// offer PAUSED
	// templates: offer in en_US is PAUSED: its quality is low, and Meta ends the pause by itself; send another one until then
}

// A template that Meta has paused is refused with advice, and nothing is sent.
func ExampleCache_Send() {
	ctx := context.Background()
	meta := cloudapitest.NewServer(cloudapitest.Config{})
	defer meta.Close()
	phone := meta.AddPhone(cloudapitest.Phone{})
	news := cloudapitest.Template{WABAID: phone.WABAs[0]}
	news.Name, news.Language, news.Category = "news", "en_US", graph.TemplateMarketing
	news.Status = cloudapi.TemplatePaused
	meta.AddTemplate(news)

	client, err := cloudapi.NewClient(meta.ClientConfig())
	if err != nil {
		log.Fatal(err)
	}
	clients := func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil }
	store := new(coexistence.MemStore)
	cache, err := templates.New(templates.Config{Store: store, Client: clients})
	if err != nil {
		log.Fatal(err)
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: store, Client: clients, Send: cache.Send, TemplateCategory: cache.Category,
	})
	if err != nil {
		log.Fatal(err)
	}
	err = tracker.Onboard(ctx, cloudapi.Onboarding{PhoneNumberID: phone.ID, WABAIDs: phone.WABAs})
	if err != nil {
		log.Fatal(err)
	}
	_, err = tracker.Send(ctx, phone.ID, cloudapi.Message{
		To: cloudapi.ToPhone("+15550100101"), Content: &cloudapi.Template{Name: "news", Language: "en_US"},
	})
	if refused, ok := errors.AsType[*templates.StatusError](err); ok {
		fmt.Println(refused.Name, refused.Status)
	}
	// Output: news PAUSED
}
