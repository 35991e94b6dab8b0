package coexistencetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A product is a host made of this module, which fails now and then.
type product struct {
	*httptest.Server
	client  *cloudapi.Client
	tracker *coexistence.Tracker
	now     func() time.Time

	mu       sync.Mutex
	rand     *rand.Rand
	trouble  int // how many of a hundred deliveries it answers with 500, half of them after doing the work
	business *signup.Connection
}

func newProduct(t *testing.T, world *coexistencetest.World, seed uint64, trouble int) *product {
	t.Helper()
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(t, err)
	p := &product{client: client, now: world.Now, rand: rand.New(rand.NewPCG(seed, 99)), trouble: trouble}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: new(coexistence.MemStore), Client: p.clientOf})
	require.NoError(t, err)
	endpoint, err := webhook.NewEndpoint(world.WebhookConfig(), webhook.DispatchAll(tracker))
	require.NoError(t, err)
	p.tracker = tracker
	flow, err := signup.NewFlow(signup.Config{
		ConfigurationID: world.ConfigurationID(), Client: client, Connected: p.onboarded,
		Page: signup.PageConfig{Tenant: func(*http.Request) (string, error) { return "tenant-1", nil }},
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/signup/", flow.Handler())
	mux.HandleFunc("/webhook", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		fails, late := p.rand.IntN(100) < p.trouble, p.rand.IntN(2) == 0
		p.mu.Unlock()
		switch {
		case r.Method != http.MethodPost || !fails:
			endpoint.ServeHTTP(w, r)
		case late:
			endpoint.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	require.NoError(t, world.DeliverTo(p.URL+"/webhook"))
	return p
}

func (p *product) onboarded(ctx context.Context, b *signup.Connection) error {
	p.mu.Lock()
	p.business = b
	p.mu.Unlock()
	o := b.Onboarding
	o.OnboardedAt = p.now() // not the host's clock: this world's may have been moved on
	return p.tracker.Onboard(ctx, o)
}

func (p *product) clientOf(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.business == nil {
		return nil, errors.New("the number is not connected")
	}
	return p.client.WithToken(p.business.Token), nil
}

// signUp plays the page: begin, the popup, finish. It returns what the page is told.
func (p *product) signUp(
	t *testing.T, world *coexistencetest.World, play func(*coexistencetest.Popup) (coexistencetest.SignupResult, error),
) (outcome string) {
	t.Helper()
	var begun struct {
		State  string          `json:"state"`
		Launch json.RawMessage `json:"launch"`
	}
	p.ask(t, "/signup/begin", "", &begun)
	popup, err := world.OpenSignup(begun.Launch)
	require.NoError(t, err)
	result, err := play(popup)
	require.NoError(t, err)
	type submission struct {
		State    string          `json:"state"`
		Session  json.RawMessage `json:"session,omitzero"`
		Callback json.RawMessage `json:"callback"`
	}
	in := submission{State: begun.State, Callback: result.LoginResponse}
	if result.Message != nil {
		text, err := json.Marshal(string(result.Message)) // the page passes on the string that it got
		require.NoError(t, err)
		in.Session = text
	}
	body, err := json.Marshal(in)
	require.NoError(t, err)
	var out struct {
		Outcome string `json:"outcome"`
	}
	p.ask(t, "/signup/finish", string(body), &out)
	return out.Outcome
}

func (p *product) ask(t *testing.T, path, body string, v any) {
	t.Helper()
	resp, err := http.Post(p.URL+path, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, v), string(b))
}

// Whatever the order, the repeats, the batches and the failures: in the end the host knows what the
// phone shows.
func TestInTheEndTheHostKnowsWhatThePhoneShows(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		seed++
		world := coexistencetest.NewWorld(coexistencetest.Config{
			Seed: seed,
			Session: []coexistencetest.SessionVariant{coexistencetest.SessionDocumented,
				coexistencetest.SessionWithPhone, coexistencetest.SessionLoginUser,
				coexistencetest.SessionLost}[seed-1],
			Delivery: coexistencetest.DeliveryConfig{
				Parallel: 6, DuplicatesPercent: 30, Reorder: 40, Batch: 5, Backoff: time.Millisecond,
				MaxBackoff: 20 * time.Millisecond,
			},
			History: coexistencetest.HistoryConfig{ChunkSize: 40, ContactBatch: 5},
		})
		t.Cleanup(world.Close)
		phone := world.NewPhone(coexistencetest.PhoneConfig{
			History: coexistencetest.History{Messages: 600, MediaPercent: 15}, SecondAccount: seed%2 == 0,
		})
		p := newProduct(t, world, seed, 15)
		outcome := p.signUp(t, world, func(popup *coexistencetest.Popup) (coexistencetest.SignupResult, error) {
			return popup.Complete(phone, coexistencetest.HistoryShared)
		})
		require.Equal(t, "ready", outcome, world)

		result, err := p.tracker.RequestSync(t.Context(), phone.ID())
		require.NoError(t, err, world)
		require.Len(t, result.Requested, 2)
		live(t, world, phone, p, seed)
		wait(t, world)
		require.Empty(t, world.Suppressed(), world)
		compare(t, world, phone, p)

		st, err := p.tracker.Store().Number(t.Context(), phone.ID())
		require.NoError(t, err)
		require.Equal(t, coexistence.StageActive, st.Stage, world)
		require.Equal(t, coexistence.SyncComplete, st.HistoryStatus(world.Now()), world)
	}
}

// live lets customers, the phone and the host write at random, while history still arrives.
func live(t *testing.T, world *coexistencetest.World, phone *coexistencetest.Phone, p *product, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	customers := phone.Customers()
	var theirs, ours []graph.MessageID
	author := map[graph.MessageID]*coexistencetest.Customer{}
	pick := func(ids []graph.MessageID) graph.MessageID { return ids[r.IntN(len(ids))] }
	for range 150 {
		c := customers[r.IntN(len(customers))]
		switch n := r.IntN(11); {
		case n < 3 || len(theirs) == 0:
			id := c.Send("Hello 👋🏽")
			theirs, author[id] = append(theirs, id), c
		case n < 5 || len(ours) == 0:
			ours = append(ours, phone.Send(c, "Hello from the phone"))
		case n == 5:
			id := pick(theirs)
			_, _ = author[id].Edit(id, "edited")
		case n == 6:
			_, _ = phone.Edit(pick(ours), "edited on the phone")
		case n == 7:
			id := pick(theirs)
			_, _ = author[id].Revoke(id)
		case n == 8:
			id := pick(theirs)
			author[id].SendContent(coexistencetest.Reaction(id, "🎂"))
		case n == 9:
			id := c.SendUnavailable("the real thing")
			require.NoError(t, c.ResolveUnavailable(id))
			theirs, author[id] = append(theirs, id), c
		default:
			c.Send("May I?")
			message := cloudapi.Message{To: cloudapi.ToIdentity(c.Identity()),
				Content: &cloudapi.Text{Body: "From the host"}}
			_, err := p.tracker.Send(t.Context(), phone.ID(), message)
			require.NoError(t, err)
		}
	}
}

// compare checks that the host knows exactly what the phone shows, and nothing else.
func compare(t *testing.T, world *coexistencetest.World, phone *coexistencetest.Phone, p *product) {
	t.Helper()
	store := p.tracker.Store()
	shown := 0
	for _, c := range phone.Customers() {
		chat := phone.Chat(c)
		shown += len(chat)
		for _, want := range chat {
			got, err := store.Message(t.Context(), phone.ID(), want.ID)
			require.NoError(t, err, world)
			compareMessage(t, world, want, got)
			compareContent(t, world, want, got)
		}
	}
	require.Equal(t, shown, countStored(t, store, phone), "%v: something other than the chats was stored", world)
	require.Len(t, phone.Contacts(), countNamed(t, store, phone), world)
}

// compareMessage checks all of a message but its content.
func compareMessage(
	t *testing.T, world *coexistencetest.World, want coexistencetest.ChatMessage, got coexistence.Message,
) {
	t.Helper()
	byAPI := want.Author == coexistencetest.AuthorAPI
	require.Equal(t, want.Author != coexistencetest.AuthorCustomer, got.Outbound, world)
	require.Equal(t, byAPI, got.Origin == coexistence.OriginAPI, world)
	if byAPI {
		require.WithinDuration(t, want.At, got.At, 2*time.Second, world) // the host's clock and Meta's
		require.Equal(t, webhook.StatusRead, got.Status, world)
	} else {
		require.Equal(t, want.At.Unix(), got.At.Unix(), world)
	}
	require.Equal(t, want.Revoked, got.Revoked(), world)
	if !want.LiveAt.IsZero() { // history holds the latest text and says nothing of edits
		require.Equal(t, want.Edited, got.Edited(), world)
	}
	var emoji []string
	for _, reaction := range got.Reactions {
		if reaction.Emoji != "" {
			emoji = append(emoji, reaction.Emoji)
		}
	}
	require.ElementsMatch(t, want.Reactions, emoji, world)
}

// compareContent checks the content of a message that was not deleted. A file that is older than
// two weeks stays a placeholder; around that age either is right, since the onboarding was a while
// ago.
func compareContent(
	t *testing.T, world *coexistencetest.World, want coexistencetest.ChatMessage, got coexistence.Message,
) {
	t.Helper()
	kind, text := webhook.MessageType(want.Content.Type), want.Content.Text
	age := world.Now().Sub(want.At)
	switch file := want.Content.MIMEType != ""; {
	case want.Revoked:
	case file && age > coexistence.MediaWindow+time.Hour:
		require.Equal(t, webhook.TypeMediaPlaceholder, got.Type, world)
	case file && age > coexistence.MediaWindow-time.Hour:
		require.Contains(t, []webhook.MessageType{kind, webhook.TypeMediaPlaceholder}, got.Type, world)
	case kind == webhook.TypeLocation, kind == webhook.TypeContacts:
		require.Equal(t, kind, got.Type, world)
	default:
		require.Equal(t, kind, got.Type, world)
		require.Equal(t, text, got.Text, world)
	}
}

// countStored counts the messages of all conversations, each of which is with one person.
func countStored(t *testing.T, store coexistence.Store, phone *coexistencetest.Phone) int {
	t.Helper()
	stored := 0
	for conv, err := range store.Conversations(t.Context(), phone.ID()) {
		require.NoError(t, err)
		for m, err := range store.Messages(t.Context(), phone.ID(), conv.ID) {
			require.NoError(t, err)
			require.Equal(t, conv.ID, m.ConversationID)
			stored++
		}
	}
	return stored
}

// countNamed counts the contacts that have a name from the address book.
func countNamed(t *testing.T, store coexistence.Store, phone *coexistencetest.Phone) int {
	t.Helper()
	named := 0
	for contact, err := range store.Contacts(t.Context(), phone.ID()) {
		require.NoError(t, err)
		if contact.Name != "" {
			named++
		}
	}
	return named
}

func TestALifeFromSignupToDisconnectAndBack(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 60}})
	p := newProduct(t, world, 1, 0)
	stage := func() coexistence.Stage {
		wait(t, world)
		st, err := p.tracker.Store().Number(t.Context(), phone.ID())
		require.NoError(t, err)
		return st.Stage
	}
	complete := func(sharing coexistencetest.HistorySharing) func(*coexistencetest.Popup) (coexistencetest.SignupResult,
		error) {
		return func(popup *coexistencetest.Popup) (coexistencetest.SignupResult, error) {
			return popup.Complete(phone, sharing)
		}
	}

	require.Equal(t, "canceled", p.signUp(t, world, (*coexistencetest.Popup).Cancel))
	require.Equal(t, "ready", p.signUp(t, world, complete(coexistencetest.HistoryDeclined)))
	require.Equal(t, coexistence.StageOnboarded, stage())
	_, err := p.tracker.RequestSync(t.Context(), phone.ID())
	require.NoError(t, err)
	require.Equal(t, coexistence.StageActive, stage())
	st, err := p.tracker.Store().Number(t.Context(), phone.ID())
	require.NoError(t, err)
	require.Equal(t, coexistence.SyncDeclined, st.History.Status)

	world.Advance(time.Minute) // Meta dates these in whole seconds
	phone.ChangeDevice()
	require.Equal(t, coexistence.StageOffboarded, stage())
	world.Advance(time.Minute)
	phone.Reconnect()
	require.Equal(t, coexistence.StageActive, stage())
	world.Advance(time.Minute)
	phone.Disconnect()
	require.Equal(t, coexistence.StageRemoved, stage())

	world.Advance(20 * time.Minute)
	require.Equal(t, "ready", p.signUp(t, world, complete(coexistencetest.HistoryShared)))
	require.Equal(t, coexistence.StageOnboarded, stage())
	_, err = p.tracker.RequestSync(t.Context(), phone.ID())
	require.NoError(t, err)
	require.Equal(t, coexistence.StageActive, stage())
	_, err = p.tracker.RequestSync(t.Context(), phone.ID())
	require.ErrorIs(t, err, coexistence.ErrSyncAlreadyRequested)
	require.Equal(t, 4, world.Graph().Count("POST", "/{phone-number-id}/smb_app_data"))
}

func TestTheHostFindsOutThatItGotAnOrdinaryNumber(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(t, err)
	flow, err := signup.NewFlow(signup.Config{ConfigurationID: world.ConfigurationID(), Client: client})
	require.NoError(t, err)
	attempt, err := flow.StartAttempt(t.Context(), "tenant-1")
	require.NoError(t, err)
	popup, err := world.OpenSignup(json.RawMessage(`{"config_id":"` + world.ConfigurationID() +
		`","response_type":"code","override_default_response_type":true,` +
		`"extras":{"setup":{}}}`)) // a page of the host's own
	require.NoError(t, err)
	result, err := popup.Complete(phone, coexistencetest.HistoryShared)
	require.NoError(t, err)
	session, err := signup.ParseSessionInfo(result.Message)
	require.NoError(t, err)
	_, err = flow.Finish(t.Context(), signup.Submission{State: attempt.State, Tenant: "tenant-1", Code: result.Code,
		Session: session})
	failed, ok := errors.AsType[*signup.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, signup.OutcomeFellBack, failed.Outcome)
	require.Zero(t, world.Graph().Count("POST", "/{phone-number-id}/register"))
}

// The simulator composes bodies on its own. Whatever it sends, the decoder has a place for every
// member.
func TestTheDecoderKnowsEverythingThatIsSent(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t, coexistencetest.Config{}, coexistencetest.PhoneConfig{
		History:       coexistencetest.History{Messages: 500, MediaPercent: 20},
		Conversations: pastWith(time.Hour, day, 20*day),
	})
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "smb_app_state_sync"))
	customer := phone.AddCustomer(coexistencetest.CustomerConfig{PhoneNumber: "+1 555-010-0142", Name: "Ada",
		Username: "madeup"})
	for _, content := range []coexistencetest.Content{
		coexistencetest.Text("text"), coexistencetest.Image("image"), coexistencetest.Video(""),
		coexistencetest.Voice(),
		coexistencetest.Document("a.pdf", "caption"), coexistencetest.Sticker(),
		coexistencetest.Location("here", "street", 0, -122.5),
		coexistencetest.ContactCard("Ben", "+1 555-010-0143"), coexistencetest.Text("answer").Quoting("wamid.1"),
		coexistencetest.Reaction("wamid.1", "👍"), coexistencetest.Reaction("wamid.1", ""),
	} {
		theirs, ours := customer.SendContent(content), phone.SendContent(customer, content)
		editable := slices.Contains([]string{"text", "image", "video", "document"}, content.Type)
		_, err := customer.Edit(theirs, "edited")
		require.Equal(t, editable, err == nil, content.Type)
		_, err = phone.Edit(ours, "edited")
		require.Equal(t, editable, err == nil, content.Type)
	}
	require.NoError(t, customer.ResolveUnavailable(customer.SendUnavailable("later")))
	send(t, world, token, phone, `"to":"+15550100142"`, "text")
	send(t, world, token, phone, `"to":"+15550100149"`, "text") // its window is closed
	phone.ChangeDevice()
	phone.Reconnect()
	phone.RemoveApp()
	phone.EndCoexistence(webhook.DisconnectedChangeNumber, "USER")
	wait(t, world)

	seen := map[string]int{}
	for _, body := range h.received() {
		events, err := webhook.Decode([]byte(body))
		require.NoError(t, err)
		require.NotEmpty(t, events)
		for _, ev := range events {
			require.Empty(t, ev.Info().Unknown, "%T: %s", ev, ev.Info().Raw)
			switch ev := ev.(type) {
			case *webhook.UnknownEvent, *webhook.UndecodableEvent:
				t.Fatalf("%T: %s", ev, ev.Info().Raw)
			case *webhook.HistoryChunk:
				for _, m := range ev.Messages() {
					require.NotEmpty(t, m.ID)
					seen["history "+string(m.Content.MessageType())]++
				}
			}
			seen[fmt.Sprintf("%T", ev)]++
		}
	}
	for _, kind := range []string{
		"*webhook.IncomingMessage", "*webhook.UnavailableMessage", "*webhook.MessageStatus", "*webhook.BusinessAppEcho",
		"*webhook.HistoryChunk", "*webhook.HistoryMedia", "*webhook.AppStateSync", "*webhook.AccountUpdate",
		"history text", "history media_placeholder", "history reaction",
	} {
		require.Positive(t, seen[kind], "%s in %v", kind, seen)
	}
}

func TestManyMessagesTakeSeconds(t *testing.T) {
	t.Parallel()
	world, h, phone, token := connected(t,
		coexistencetest.Config{Delivery: coexistencetest.DeliveryConfig{Parallel: 4}},
		coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 6000}})
	began := time.Now()
	require.Equal(t, http.StatusOK, requestSync(t, world, token, phone, "history"))
	wait(t, world)
	t.Logf("6,000 messages in %d POSTs took %v", len(h.received()), time.Since(began))
	require.Greater(t, len(h.of(t, "history")), 24)
}
