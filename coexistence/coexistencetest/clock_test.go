package coexistencetest_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A listener answers what it is told to, inside of a bubble.
type listener struct {
	mu     sync.Mutex
	answer int
	at     []time.Time
	bodies []string
	slow   time.Duration
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		return
	}
	body, _ := io.ReadAll(r.Body)
	time.Sleep(l.slow)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = append(l.at, time.Now())
	l.bodies = append(l.bodies, string(body))
	w.WriteHeader(l.answer)
}

func (l *listener) answers(status int) (before int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = status
	return len(l.at)
}

// bubble plays fn in a world whose clock is the bubble's, with a phone that is connected and
// subscribed.
func bubble(
	t *testing.T, cfg coexistencetest.Config,
	fn func(t *testing.T, world *coexistencetest.World, l *listener, phone *coexistencetest.Phone),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := new(cloudapitest.Network)
		cfg.Network = network
		if cfg.Delivery.Parallel == 0 {
			cfg.Delivery.Parallel = 1
		}
		world := coexistencetest.NewWorld(cfg)
		defer world.Close()
		l := &listener{answer: http.StatusOK}
		server := &http.Server{Handler: l, ReadHeaderTimeout: time.Minute}
		defer server.Close()
		listen := network.Listen("host.test")
		go func() { _ = server.Serve(listen) }()
		require.NoError(t, world.DeliverTo("http://host.test/"))
		phone := world.NewPhone(coexistencetest.PhoneConfig{})
		result, err := phone.Connect(coexistencetest.HistoryShared)
		require.NoError(t, err)
		require.NotEmpty(t, result.Code.Reveal())
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			world.URL+"/v25.0/"+string(phone.WABA())+"/subscribed_apps", strings.NewReader(""))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+world.Graph().SystemToken().Reveal())
		resp, err := network.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.NoError(t, world.WaitDelivered(t.Context()))
		fn(t, world, l, phone)
	})
}

func TestRepeatsGoOnForSevenDays(t *testing.T) {
	t.Parallel()
	cfg := coexistencetest.Config{Delivery: coexistencetest.DeliveryConfig{Backoff: 10 * time.Second,
		MaxBackoff: 12 * time.Hour}}
	bubble(t, cfg, func(t *testing.T, world *coexistencetest.World, l *listener, phone *coexistencetest.Phone) {
		first := l.answers(http.StatusInternalServerError)
		began := time.Now()
		phone.Customer("+1 555-010-0142").Send("Hello")
		require.ErrorContains(t, world.WaitDelivered(t.Context()), "given up")
		took := time.Since(began)
		require.Greater(t, took, 7*24*time.Hour)
		require.Less(t, took, 8*24*time.Hour)
		for i := first + 2; i < len(l.at); i++ {
			require.GreaterOrEqual(t, l.at[i].Sub(l.at[i-1]), min(l.at[i-1].Sub(l.at[i-2]), 12*time.Hour),
				"the pauses grow")
		}
		require.Equal(t, coexistencetest.DeliveryGivenUp, world.Undelivered()[0].State)
	})
}

func TestDeliveriesComeLateAndInAnotherOrder(t *testing.T) {
	t.Parallel()
	cfg := coexistencetest.Config{Delivery: coexistencetest.DeliveryConfig{Delay: 4 * time.Hour, Parallel: 1}}
	bubble(t, cfg, func(t *testing.T, world *coexistencetest.World, l *listener, phone *coexistencetest.Phone) {
		first, began := l.answers(http.StatusOK), time.Now()
		for range 20 {
			phone.Customer("+1 555-010-0142").Send("Hello")
			time.Sleep(time.Second)
		}
		require.NoError(t, world.WaitDelivered(t.Context()))
		require.Len(t, l.at[first:], 20)
		require.Less(t, l.at[len(l.at)-1].Sub(began), 4*time.Hour+time.Minute)
		require.Greater(t, l.at[len(l.at)-1].Sub(l.at[first]), time.Hour)
		inOrder := true
		for _, d := range world.Deliveries()[first:] {
			inOrder = inOrder && strings.Contains(string(d.Body), "Hello") && d.Number == first+1
		}
		require.False(t, inOrder)
	})
}

// The host has handled the delivery, and gets it again.
func TestAnswersGetLost(t *testing.T) {
	t.Parallel()
	cfg := coexistencetest.Config{Seed: 7, Delivery: coexistencetest.DeliveryConfig{LostAnswersPercent: 50}}
	bubble(t, cfg, func(t *testing.T, world *coexistencetest.World, l *listener, phone *coexistencetest.Phone) {
		for range 20 {
			phone.Customer("+1 555-010-0142").Send("Hello")
		}
		require.NoError(t, world.WaitDelivered(t.Context()))
		lost, attempts := 0, 0
		for _, d := range world.Deliveries() {
			require.Equal(t, coexistencetest.DeliveryAcknowledged, d.State)
			for _, a := range d.Attempts {
				attempts++
				if a.Problem == "the answer got lost" {
					lost++
				}
			}
		}
		require.Positive(t, lost)
		require.Len(t, l.at, attempts)
	})
}

func TestABatchStaysBelowMetasLimit(t *testing.T) {
	t.Parallel()
	cfg := coexistencetest.Config{Delivery: coexistencetest.DeliveryConfig{Batch: 1000, Parallel: 1}}
	bubble(t, cfg, func(t *testing.T, world *coexistencetest.World, l *listener, phone *coexistencetest.Phone) {
		first := l.answers(http.StatusOK)
		l.slow = 10 * time.Second // meanwhile the others wait
		customer := phone.Customer("+1 555-010-0142")
		for range 200 {
			customer.Send(strings.Repeat("long ", 8000))
		}
		require.NoError(t, world.WaitDelivered(t.Context()))
		largest, most := 0, 0
		for _, d := range world.Deliveries()[first:] {
			largest, most = max(largest, len(d.Body)), max(most, len(d.Fields))
		}
		require.LessOrEqual(t, largest, 3<<20)
		require.Greater(t, most, 1)
	})
}

func TestAnUnusedPhoneIsDisconnected(t *testing.T) {
	t.Parallel()
	bubble(t, coexistencetest.Config{}, func(
		t *testing.T, world *coexistencetest.World, l *listener, phone *coexistencetest.Phone,
	) {
		time.Sleep(13 * 24 * time.Hour)
		phone.Open()
		time.Sleep(13 * 24 * time.Hour)
		require.True(t, phone.Coexists(), "it was opened in between")
		phone.Customer("+1 555-010-0142").Send("Customers do not count")
		time.Sleep(25 * time.Hour)
		require.False(t, phone.Coexists())
		require.NoError(t, world.WaitDelivered(t.Context()))
		require.Contains(t, l.bodies[len(l.bodies)-1], `"reason":"PRIMARY_INACTIVITY","initiated_by":"SYSTEM"`)
	})
}

// The same with a clock that is moved by hand, over the loopback interface.
func TestAdvanceMakesAPhoneIdleAndRepeatsDue(t *testing.T) {
	t.Parallel()
	world, h, phone, _ := connected(t, coexistencetest.Config{
		Delivery: coexistencetest.DeliveryConfig{Backoff: time.Hour, MaxBackoff: time.Hour},
	}, coexistencetest.PhoneConfig{})
	wait(t, world)
	h.mu.Lock()
	first := h.seen
	h.status = func(n int) int {
		if n == first+1 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	}
	h.mu.Unlock()
	phone.Customer("+1 555-010-0142").Send("Once more, please")
	require.Eventually(t, func() bool { u := world.Undelivered(); return len(u) == 1 && len(u[0].Attempts) == 1 },
		10*time.Second, time.Millisecond)
	world.Advance(time.Hour)
	wait(t, world)
	require.Len(t, h.of(t, "messages"), 1)
	world.Advance(14 * 24 * time.Hour)
	require.False(t, phone.Coexists())
}

func TestAnotherAppOrNumberEndsIt(t *testing.T) {
	t.Parallel()
	bubble(t, coexistencetest.Config{}, func(
		t *testing.T, world *coexistencetest.World, l *listener, phone *coexistencetest.Phone,
	) {
		id := phone.ID()
		phone.UseApp(coexistencetest.AppConsumer)
		require.False(t, phone.Coexists())
		require.NoError(t, world.WaitDelivered(t.Context()))
		require.Contains(t, l.bodies[len(l.bodies)-1], `BUSINESS_DOWNGRADE`)
		time.Sleep(time.Hour)
		_, err := phone.Connect(coexistencetest.HistoryShared)
		require.ErrorIs(t, err, graph.CodeSignupNumberNotOnBusinessApp)
		phone.UseApp(coexistencetest.AppBusiness)
		phone.UpdateApp("2.20.1")
		_, err = phone.Connect(coexistencetest.HistoryShared)
		require.ErrorIs(t, err, graph.CodeSignupUpdateApp)
		phone.UpdateApp("2.26.41.1")
		_, err = phone.Connect(coexistencetest.HistoryShared)
		require.NoError(t, err)
		require.Equal(t, id, phone.ID())

		phone.ChangeNumber("+1 555-010-0177")
		require.NoError(t, world.WaitDelivered(t.Context()))
		require.Contains(t, l.bodies[len(l.bodies)-1], `CHANGE_NUMBER`)
		_, err = phone.Connect(coexistencetest.HistoryShared)
		require.NoError(t, err)
		require.NotEqual(t, id, phone.ID(), "another number is another number")
		require.Equal(t, "+1 555-010-0177", phone.PhoneNumber())
	})
}

func TestAReportSaysWhatATestReliedOn(t *testing.T) {
	t.Parallel()
	bubble(t, coexistencetest.Config{}, func(
		t *testing.T, world *coexistencetest.World, _ *listener, phone *coexistencetest.Phone,
	) {
		before := world.Evidence()
		names := func(r coexistencetest.EvidenceReport) string { return r.String() }
		require.NotContains(t, names(before), "echoes of what is written")
		phone.Send(phone.Customer("+1 555-010-0142"), "Hello")
		require.Contains(t, names(world.Evidence()), "echoes of what is written")
		require.Contains(t, names(world.Evidence()), "assumed")
		require.NotEmpty(t, world.Evidence().Assumed())
		for _, x := range world.Evidence().Assumed() {
			require.True(t, x.Behavior.Assumed)
			require.Positive(t, x.Times)
		}
	})
	for _, b := range coexistencetest.Fidelity() {
		require.NotEmpty(t, b.What)
		require.NotEqual(t, b.Assumed, b.Source != "", "%s: either somebody has said it, or it is assumed", b.What)
	}
}
