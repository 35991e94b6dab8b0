package coexistencetest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A follower is a host with a tracker on a number with several responders, in a bubble. It keeps
// the events behind the tracker.
type follower struct {
	t       *testing.T
	world   *coexistencetest.World
	phone   *coexistencetest.Phone
	ada     *coexistencetest.Customer
	tracker *coexistence.Tracker
	client  *cloudapi.Client

	mu     sync.Mutex
	events []webhook.Event
}

// follow plays fn in a bubble with a host that follows a connected number.
func follow(t *testing.T, fn func(f *follower)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := new(cloudapitest.Network)
		world := coexistencetest.NewWorld(coexistencetest.Config{
			Network: network, Templates: []cloudapi.TemplateCreateParams{coexistencetest.HelloWorld()},
			Fields:   append(coexistence.Fields(), coexistence.OptionalFields()...),
			Delivery: coexistencetest.DeliveryConfig{Parallel: 1},
		})
		defer world.Close()
		f := &follower{t: t, world: world, phone: world.NewPhone(coexistencetest.PhoneConfig{})}
		_, err := f.phone.Connect(coexistencetest.HistoryShared)
		require.NoError(t, err)
		world.Graph().SubscribeWABA(f.phone.WABA())
		f.client, err = cloudapi.NewClient(world.ClientConfig())
		require.NoError(t, err)
		f.tracker, err = coexistence.NewTracker(coexistence.Config{
			Store:  new(coexistence.MemStore),
			Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return f.client, nil },
		})
		require.NoError(t, err)
		require.NoError(t, f.tracker.Onboard(t.Context(), cloudapi.Onboarding{
			PhoneNumberID: f.phone.ID(), WABAIDs: f.phone.WABAs(), DisplayPhoneNumber: f.phone.PhoneNumber(),
			OnboardedAt: time.Now(),
		}))
		keep := webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.events = append(f.events, ev)
			return nil
		})
		endpoint, err := webhook.NewEndpoint(world.WebhookConfig(),
			webhook.Dispatch(webhook.MultiHandler(f.tracker, keep)))
		require.NoError(t, err)
		server := &http.Server{Handler: endpoint, ReadHeaderTimeout: time.Minute}
		defer server.Close()
		listen := network.Listen("host.test")
		go func() { _ = server.Serve(listen) }()
		require.NoError(t, world.DeliverTo("http://host.test/"))
		f.ada = f.phone.Customer("+1 555-010-0142")
		fn(f)
	})
}

// take returns the events since the last call.
func (f *follower) take() []webhook.Event {
	f.t.Helper()
	require.NoError(f.t, f.world.WaitDelivered(f.t.Context()))
	f.mu.Lock()
	defer f.mu.Unlock()
	events := f.events
	f.events = nil
	return events
}

// writes has the customer write, and returns whether the host may answer what it got of that.
func (f *follower) writes(text string) coexistence.Answer {
	f.t.Helper()
	f.take()
	time.Sleep(time.Second)
	f.ada.Send(text)
	events := f.take()
	require.NotEmpty(f.t, events)
	may, err := f.tracker.MayAnswer(f.t.Context(), events[0])
	require.NoError(f.t, err)
	return may
}

// send has the host send a text.
func (f *follower) send(text string) error {
	m := cloudapi.Message{To: cloudapi.ToPhone(f.ada.PhoneNumber()), Content: &cloudapi.Text{Body: text}}
	_, err := f.client.Messages.Send(f.t.Context(), f.phone.ID(), m)
	return err
}

func (f *follower) owner() coexistence.ThreadOwner {
	f.t.Helper()
	require.NoError(f.t, f.world.WaitDelivered(f.t.Context()))
	thread, err := f.tracker.Thread(f.t.Context(), f.phone.ID(), f.ada.WAID())
	require.NoError(f.t, err)
	return thread.Owner
}

// With Meta's agent and a routing configuration, the host hears what the agent says, may not
// answer, and may again once the conversation is passed to it.
func TestAnAgentAnswersAndPassesOn(t *testing.T) {
	t.Parallel()
	follow(t, func(f *follower) {
		t := f.t
		agent, err := f.phone.AddResponder(coexistencetest.ResponderConfig{Reply: "We open at 7.", PassOn: "person"})
		require.NoError(t, err)
		require.NoError(t, f.phone.SetRouting(coexistencetest.Routing{On: true}))

		may := f.writes("Are you open?")
		require.Equal(t, coexistence.AnswerStandby, may.Reason)
		require.Equal(t, coexistence.OwnerOther, f.owner())
		require.ErrorIs(t, f.send("hello"), graph.ErrNotOwner)
		chat := f.phone.Chat(f.ada)
		last := chat[len(chat)-1]
		require.Equal(t, coexistencetest.AuthorResponder, last.Author)
		require.Equal(t, agent, last.Responder)
		stored, err := f.tracker.Store().Message(t.Context(), f.phone.ID(), last.ID)
		require.NoError(t, err)
		require.Equal(t, "We open at 7.", stored.Text)
		require.Equal(t, coexistence.OriginOther, stored.Origin)
		require.Equal(t, webhook.StatusRead, stored.Status)

		time.Sleep(time.Second)
		f.ada.Send("I want a person")
		events := f.take()
		require.IsType(t, &webhook.StandbyMessage{}, events[0])
		passed, ok := events[1].(*webhook.MessagingHandover)
		require.True(t, ok)
		require.Equal(t, webhook.HandoverControlPassed, passed.Type)
		require.Equal(t, graph.RoleAIAgent, passed.Passed.PreviousOwnerRole)
		require.Equal(t, graph.RoleCustomerService, passed.Passed.NewOwnerRole)
		require.Equal(t, coexistence.OwnerUs, f.owner())
		require.NoError(t, f.send("How can I help?"))
		require.True(t, f.writes("It is me again").Allowed)
		require.Len(t, agent.Events(), 2, "what is not its own it does not hear")

		// The host passes it back, and takes nothing: it is not the escalation partner.
		_, err = f.tracker.Pass(t.Context(), f.phone.ID(), graph.RoleAIAgent, cloudapi.ThreadParams{
			To: cloudapi.ToPhone(f.ada.PhoneNumber()), Metadata: "done",
		})
		require.NoError(t, err)
		require.Equal(t, coexistencetest.ResponderPassed, agent.Events()[2].Type)
		require.Equal(t, "done", agent.Events()[2].Metadata)
		require.Equal(t, coexistence.AnswerStandby, f.writes("Thanks").Reason)

		// A day without the customer, and the conversation is no one's; the agent is the first
		// again.
		time.Sleep(24 * time.Hour)
		require.Equal(t, coexistence.OwnerIdle, f.owner())
		require.True(t, f.ada.ThreadOwner().Idle)
		require.ErrorIs(t, f.send("hello"), graph.ErrNotOwner)
		require.Equal(t, coexistence.AnswerStandby, f.writes("Good morning").Reason)
	})
}

// A partner takes what is the host's, by a call and by sending, if it is the escalation partner.
func TestAPartnerTakesAConversation(t *testing.T) {
	t.Parallel()
	follow(t, func(f *follower) {
		t := f.t
		partner, err := f.phone.AddResponder(coexistencetest.ResponderConfig{Role: graph.RoleEscalation})
		require.NoError(t, err)
		require.NoError(t, f.phone.SetRouting(coexistencetest.Routing{On: true}))
		require.True(t, f.writes("Hello").Allowed, "the host has the entry point")

		require.NoError(t, partner.Take(f.ada, "a colleague steps in"))
		taken, ok := f.take()[0].(*webhook.MessagingHandover)
		require.True(t, ok)
		require.Equal(t, webhook.HandoverControlTaken, taken.Type)
		require.Equal(t, "a colleague steps in", taken.Taken.Metadata)
		require.Equal(t, coexistence.OwnerOther, f.owner())
		require.ErrorIs(t, f.send("hello"), graph.ErrNotOwner)

		// Released: idle, and no webhook says so. A template goes anyway.
		require.NoError(t, partner.Release(f.ada))
		require.Empty(t, f.take())
		require.ErrorIs(t, f.send("hello"), graph.ErrNotOwner)
		_, err = f.client.Messages.Send(t.Context(), f.phone.ID(), cloudapi.Message{
			To:      cloudapi.ToPhone(f.ada.PhoneNumber()),
			Content: &cloudapi.Template{Name: "hello_world", Language: "en_US"},
		})
		require.NoError(t, err)
		require.True(t, f.writes("And now?").Allowed, "what is no one's goes to the entry point")
		require.Equal(t, coexistence.OwnerUs, f.owner())

		f.take()
		_, err = partner.Send(f.ada, "I am a colleague")
		require.NoError(t, err)
		events := f.take()
		taken, ok = events[0].(*webhook.MessagingHandover)
		require.True(t, ok)
		require.Equal(t, "Control taken via service message", taken.Taken.Metadata)
		echo, ok := events[1].(*webhook.StandbyEcho)
		require.True(t, ok)
		require.Equal(t, f.ada.WAID(), echo.To.WAID)
		require.IsType(t, &webhook.StandbyStatus{}, events[2])
		_, err = partner.SendTemplate(f.ada, "hello_world", "en_US")
		require.NoError(t, err)
		require.IsType(t, &webhook.StandbyEcho{}, f.take()[0])

		time.Sleep(time.Second) // of two handovers in one second, taken counts
		require.NoError(t, partner.Pass(f.ada, graph.RoleCustomerService, ""))
		require.Equal(t, coexistence.OwnerUs, f.owner())
		require.Error(t, partner.Pass(f.ada, graph.RoleCustomerService, ""), "it is not its own any more")
	})
}

// Without a configuration a message of the host takes over from Meta's agent.
func TestWithoutRoutingSendingTakesOver(t *testing.T) {
	t.Parallel()
	follow(t, func(f *follower) {
		agent, err := f.phone.AddResponder(coexistencetest.ResponderConfig{})
		require.NoError(f.t, err)
		require.Equal(f.t, coexistence.AnswerStandby, f.writes("Hello").Reason)
		require.NoError(f.t, f.send("Hello!"))
		require.Equal(f.t, coexistencetest.ThreadOwner{Routed: true}, f.ada.ThreadOwner())
		require.True(f.t, f.writes("You again?").Allowed)
		_, err = agent.Send(f.ada, "Hello")
		require.ErrorIs(f.t, err, graph.CodeThreadOwnedByOther)
		events := agent.Events()
		require.Equal(f.t, coexistencetest.ResponderTaken, events[len(events)-1].Type)
	})
}

// Two partners without a configuration both get everything, and neither gets the other's messages.
func TestTwoPartnersWithoutRoutingBothGetEverything(t *testing.T) {
	t.Parallel()
	follow(t, func(f *follower) {
		partner, err := f.phone.AddResponder(coexistencetest.ResponderConfig{Role: graph.RoleMarketing, Reply: "Hi"})
		require.NoError(f.t, err)
		require.True(f.t, f.writes("Hello").Allowed)
		require.Len(f.t, partner.Events(), 1)
		require.Len(f.t, f.phone.Chat(f.ada), 2)
		require.Empty(f.t, f.take(), "no copy")
		require.Equal(f.t, coexistencetest.ThreadOwner{}, f.ada.ThreadOwner())
		require.Error(f.t, partner.Take(f.ada, ""))
	})
}

// The outbox holds what it may not send, without trying, and lets it go when the agent passes the
// conversation to the host.
func TestTheOutboxWaitsForAnAgent(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{
		Fields: append(coexistence.Fields(), coexistence.OptionalFields()...),
	})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	_, err := phone.Connect(coexistencetest.HistoryShared)
	require.NoError(t, err)
	world.Graph().SubscribeWABA(phone.WABA())
	agent, err := phone.AddResponder(coexistencetest.ResponderConfig{})
	require.NoError(t, err)
	require.NoError(t, phone.SetRouting(coexistencetest.Routing{On: true}))
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(t, err)
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "host.db")})
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store:  db.Store(),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	require.NoError(t, err)
	box, err := db.Outbox(outbox.Config{Tracker: tracker})
	require.NoError(t, err)
	require.NoError(t, box.Start(t.Context()))
	t.Cleanup(func() { _ = box.Shutdown(context.Background()) })
	endpoint, err := webhook.NewEndpoint(world.WebhookConfig(), webhook.Dispatch(webhook.MultiHandler(tracker, box)))
	require.NoError(t, err)
	host := httptest.NewServer(endpoint)
	t.Cleanup(host.Close)
	require.NoError(t, world.DeliverTo(host.URL))
	require.NoError(t, tracker.Onboard(t.Context(), cloudapi.Onboarding{
		PhoneNumberID: phone.ID(), WABAIDs: phone.WABAs(), DisplayPhoneNumber: phone.PhoneNumber(),
		OnboardedAt: time.Now(),
	}))
	ada := phone.Customer("+1 555-010-0142")
	ada.Send("Where is my order?")
	require.NoError(t, world.WaitDelivered(t.Context()))

	becomes := func(done func(outbox.Entry) bool) (e outbox.Entry) {
		t.Helper()
		require.Eventually(t, func() bool {
			e, err = box.Get(t.Context(), "answer")
			return err == nil && done(e)
		}, 10*time.Second, 5*time.Millisecond)
		return e
	}
	_, err = box.Enqueue(t.Context(), outbox.Message{
		ID: "answer", PhoneNumberID: phone.ID(),
		Payload: cloudapi.Message{To: cloudapi.ToIdentity(ada.Identity()), Content: &cloudapi.Text{Body: "It left."}},
	})
	require.NoError(t, err)
	held := becomes(func(e outbox.Entry) bool { return e.State == outbox.StateQueued && e.Reason != "" })
	require.Equal(t, coexistence.AnswerOtherResponder.Text(), held.Reason)
	require.Zero(t, held.Attempts)
	require.Empty(t, world.Graph().Sent())
	require.NoError(t, agent.Pass(ada, "", "asks for a person"))
	becomes(func(e outbox.Entry) bool { return e.State == outbox.StateSent })
	require.NoError(t, world.WaitDelivered(t.Context()))
}

func TestARoleIsHeldOnce(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	_, err := phone.AddResponder(coexistencetest.ResponderConfig{Role: graph.RoleCustomerService})
	require.Error(t, err, "it is the host's")
	agent, err := phone.AddResponder(coexistencetest.ResponderConfig{})
	require.NoError(t, err)
	_, err = phone.AddResponder(coexistencetest.ResponderConfig{})
	require.Error(t, err)
	require.Error(t, phone.SetRouting(coexistencetest.Routing{HostRole: graph.RoleAIAgent}))
	_, err = agent.Send(phone.Customer("+1 555-010-0142"), "Hello")
	require.Error(t, err, "the number is not connected")
	require.NotErrorIs(t, err, graph.CodeThreadOwnedByOther)
}
