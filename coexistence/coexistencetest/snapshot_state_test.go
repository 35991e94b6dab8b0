package coexistencetest

import (
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/memento/mementotest"
)

// populated is a world in a bubble, with something of everything and a dispatcher that is held.
func populated(t *testing.T) *World {
	t.Helper()
	network := new(cloudapitest.Network)
	w := NewWorld(Config{
		Network: network, KeepLast: 1000, ReviewAfter: time.Hour, Delivery: DeliveryConfig{Parallel: 1},
		Templates: []cloudapi.TemplateCreateParams{HelloWorld()},
	})
	t.Cleanup(w.Close)
	var down atomic.Bool
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(
		func(rw http.ResponseWriter, r *http.Request) {
			if down.Load() {
				rw.WriteHeader(http.StatusInternalServerError)
			}
			_, _ = io.WriteString(rw, r.URL.Query().Get("hub.challenge"))
		})}
	t.Cleanup(func() { _ = server.Close() })
	listen := network.Listen("host.test")
	go func() { _ = server.Serve(listen) }()

	number := w.NewCloudNumber(PhoneConfig{})
	phone := w.NewPhone(PhoneConfig{History: History{Messages: 20}})
	_, err := phone.Connect(HistoryShared) // suppressed: no callback yet
	require.NoError(t, err)
	w.graph.SubscribeWABA(phone.WABA())
	require.NoError(t, w.DeliverTo("http://host.test/"))
	agent, err := number.AddResponder(ResponderConfig{Reply: "I am the agent"})
	require.NoError(t, err)
	require.NoError(t, number.SetRouting(Routing{On: true}))
	number.Customer("+1 555-010-0142").Send("Hello")
	require.NotEmpty(t, agent.Events())
	ada := phone.Customer("+1 555-010-0142")
	id := ada.Send("Hello")
	phone.SendContent(ada, Reaction(id, "👍"))
	phone.SaveContact(Contact{FullName: "Ada Example", PhoneNumber: "+1 555-010-0142"})
	require.NoError(t, w.WaitDelivered(t.Context()))
	down.Store(true)
	ada.Send("Are you there?") // tried, and to be tried again
	synctest.Wait()
	w.SetDelivery(DeliveryConfig{Delay: time.Hour})
	ada.Send("I am late")
	synctest.Wait()

	l, err := parseLaunch([]byte(`{"config_id":"` + w.ConfigurationID() + `","extras":{"featureType":"` +
		featureCoexistence + `"}}`))
	require.NoError(t, err)
	other := w.NewPhone(PhoneConfig{})
	var opened popupView
	require.NoError(t, json.Unmarshal(w.openPopup(l), &opened))
	w.mu.Lock()
	w.step(w.popups[opened.ID], "existing", "")
	w.step(w.popups[opened.ID], "number", other.number)
	w.mu.Unlock()
	require.NotEmpty(t, other.LastCode())
	w.templateChanged(cloudapitest.Template{ID: "1", Status: cloudapi.TemplatePending}, cloudapitest.TemplateCreated)

	require.NoError(t, w.dispatcher.hold(t.Context())) // what is spoilt must not be delivered
	mementotest.Fill(mementotest.SimulatorRules(), w)
	for name, n := range map[string]int{
		"phones": len(w.phones), "popups": len(w.popups), "reviews": len(w.reviews), "live": len(w.live),
		"queue": len(w.dispatcher.queue), "retries": len(w.dispatcher.retries), "posts": len(w.dispatcher.posts),
		"suppressed": len(w.dispatcher.suppressed), "events": len(agent.events),
	} {
		require.NotZero(t, n, name)
	}
	return w
}

// Everything that can be reached is changed in place, and is back after a restore. A member that a
// snapshot forgets, or shares with the world, fails here; so does one that is added later.
func TestARestoredWorldIsAsItWas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, rules := populated(t), mementotest.SimulatorRules()
		phone, customer := w.phones[1], w.phones[1].customers[0]
		was := mementotest.Dump(rules, w)
		snap, err := w.Snapshot(t.Context())
		require.NoError(t, err)
		for range 2 { // the second restore is of a snapshot that was restored before
			mementotest.Spoil(rules, w)
			require.NotEqual(t, was, mementotest.Dump(rules, w))
			require.NoError(t, w.Restore(t.Context(), snap))
			require.Equal(t, was, mementotest.Dump(rules, w))
			require.Same(t, phone, w.phones[1], "pointers stay good")
			require.Same(t, customer, w.phones[1].customers[0])
		}
	})
}

// Ids to come are made of what comes back; one that is not would be a state of its own.
func TestIdsToComeAreTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := populated(t)
		snap, err := w.Snapshot(t.Context())
		require.NoError(t, err)
		next := func() []string {
			p := w.NewCloudNumber(PhoneConfig{PhoneNumber: "+1 555-010-0133"})
			return []string{
				w.newID(), w.newCode(), string(newMessageID(w.rand, "1")), w.seededID("business", "made up"),
				string(p.ID()), string(p.Customer("+1 555-010-0144").UserID()),
				string(p.Customer("+1 555-010-0145").Send("a")),
				w.graph.AddToken(cloudapitest.Token{}).Reveal(), string(w.graph.AddMedia(cloudapitest.Media{}).ID),
				string(w.graph.AddCall(cloudapitest.Call{Person: graph.Identity{}}).ID),
			}
		}
		first := next()
		require.NotEqual(t, first, next())
		require.NoError(t, w.Restore(t.Context(), snap))
		require.Equal(t, first, next())
	})
}
