package coexistencetest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/memento/mementotest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A life does random things to a world in a bubble. The same seed does the same things to the same
// world.
type life struct {
	t       *testing.T
	world   *coexistencetest.World
	network *http.Client
	host    *listener
	rand    *rand.Rand
	heard   []string // what acts have returned
}

// note remembers what an act returned. Errors are results like any other. The next act begins when
// every delivery that is due has been tried.
func (l *life) note(format string, args ...any) {
	l.heard = append(l.heard, fmt.Sprintf(format, args...))
	synctest.Wait()
}

// post calls the Graph API as the host, without a client, which would wait by chance and try again.
func (l *life) post(path, body string) {
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.world.URL+"/v25.0/"+path,
		strings.NewReader(body))
	require.NoError(l.t, err)
	req.Header.Set("Authorization", "Bearer "+l.world.Graph().SystemToken().Reveal())
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.network.Do(req)
	if err != nil {
		l.note("POST %s: cut", path)
		return
	}
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	l.note("POST %s: %d %s %v", path, resp.StatusCode, b, err != nil)
}

// phone, customer and message choose one of those that there are.
func (l *life) phone() *coexistencetest.Phone {
	all := l.world.Phones()
	return all[l.rand.IntN(len(all))]
}

func (l *life) customer(p *coexistencetest.Phone) *coexistencetest.Customer {
	return p.Customer(fmt.Sprintf("+1 555-010-01%02d", 40+l.rand.IntN(8)))
}

func (l *life) message(p *coexistencetest.Phone, c *coexistencetest.Customer) graph.MessageID {
	if chat := p.Chat(c); len(chat) > 0 {
		return chat[l.rand.IntN(len(chat))].ID
	}
	return "wamid.none"
}

// contents are what people write.
func (l *life) content(reply graph.MessageID) coexistencetest.Content {
	return []coexistencetest.Content{
		coexistencetest.Text("Hello"), coexistencetest.Image("Look"), coexistencetest.Reaction(reply, "🎂"),
		coexistencetest.Text("Yes").Quoting(reply), coexistencetest.Location("Here", "", 1, 2),
	}[l.rand.IntN(5)]
}

// people are acts of the business and its customers.
func (l *life) people() {
	p := l.phone()
	c := l.customer(p)
	id := l.message(p, c)
	switch l.rand.IntN(9) {
	case 0, 1, 2:
		l.note("customer: %s", c.SendContent(l.content(id)))
	case 3:
		l.note("phone: %s", p.SendContent(c, l.content(id)))
	case 4:
		edit, err := c.Edit(id, "Hello again")
		l.note("edit: %s %v", edit, err)
	case 5:
		revoke, err := p.Revoke(id)
		l.note("revoke: %s %v", revoke, err)
	case 6:
		p.SaveContact(coexistencetest.Contact{
			FullName: fmt.Sprint("Ada ", l.rand.IntN(9)), PhoneNumber: c.PhoneNumber(),
		})
	case 7:
		l.note("renumbered: %s", c.ChangeNumber(fmt.Sprintf("+1 555-010-01%02d", 60+l.rand.IntN(30))))
	case 8:
		call, err := c.Call()
		l.note("call: %s %v", call, err)
	}
}

// business are acts in the life of a number.
func (l *life) business() {
	p := l.phone()
	switch l.rand.IntN(8) {
	case 0:
		p.ChangeDevice()
	case 1:
		p.Reconnect()
	case 2:
		p.Disconnect()
	case 3, 4:
		result, err := p.Connect(coexistencetest.HistorySharing(l.rand.IntN(2)))
		l.note("connected: %s %v", result.LoginResponse, err)
		for _, waba := range p.WABAs() {
			l.post(string(waba)+"/subscribed_apps", "")
		}
	case 5:
		l.note("added: %s", l.world.NewPhone(coexistencetest.PhoneConfig{
			History: coexistencetest.History{Messages: l.rand.IntN(30)},
		}).Business())
	case 6:
		l.note("number: %s", l.world.NewCloudNumber(coexistencetest.PhoneConfig{}).AccessToken().Reveal())
	case 7:
		r, err := p.AddResponder(coexistencetest.ResponderConfig{Reply: "I am the agent"})
		l.note("responder: %v %v", r != nil, err)
		l.note("routing: %v", p.SetRouting(coexistencetest.Routing{On: l.rand.IntN(2) == 0}))
	}
}

// calls are calls of the host to the Graph API.
func (l *life) calls() {
	p := l.phone()
	c := l.customer(p)
	switch l.rand.IntN(6) {
	case 0, 1, 2:
		l.post(string(p.ID())+"/messages", `{"messaging_product":"whatsapp","to":"`+c.PhoneNumber()+
			`","type":"text","text":{"body":"From the host"}}`)
	case 3:
		l.post(string(p.ID())+"/smb_app_data", `{"messaging_product":"whatsapp","sync_type":"history"}`)
	case 4:
		l.post(string(p.WABA())+"/message_templates", fmt.Sprintf(`{"name":"made_up_%d","language":"en_US",`+
			`"category":"UTILITY","components":[{"type":"BODY","text":"Made up"}]}`, l.rand.IntN(9)))
		for _, t := range l.world.Graph().Templates(p.WABA()) {
			paused := coexistencetest.TemplateReview{Event: webhook.TemplatePaused}
			l.note("reviewed: %v", l.world.ReviewTemplate(t.ID, paused))
		}
	case 5:
		l.post(string(p.ID())+"/whatsapp_business_profile", `{"messaging_product":"whatsapp","about":"Made up"}`)
	}
}

// trouble is what goes wrong, and how time passes.
func (l *life) trouble() {
	switch l.rand.IntN(6) {
	case 0:
		l.host.answers([]int{http.StatusOK, http.StatusOK, http.StatusInternalServerError}[l.rand.IntN(3)])
	case 1:
		l.world.Graph().Inject(cloudapitest.Fault{Code: graph.CodeRateLimitHit, Times: 1 + l.rand.IntN(3)})
	case 2:
		l.world.Graph().Chaos(cloudapitest.Chaos{Rate: l.rand.Float64() / 2, Seed: l.rand.Uint64()})
	case 3:
		l.world.SetDelivery(coexistencetest.DeliveryConfig{
			DuplicatesPercent: l.rand.IntN(40), LostAnswersPercent: l.rand.IntN(40), Reorder: 1 + l.rand.IntN(3),
			Delay: time.Duration(l.rand.IntN(2)) * time.Minute, MaxAttempts: 3,
		})
	case 4:
		l.world.Advance(time.Duration(l.rand.Int64N(int64(30 * time.Hour))))
	case 5:
		time.Sleep(time.Duration(l.rand.Int64N(int64(2 * time.Minute))))
	}
}

// live does so many things with a seed, and returns all that came of it: what the acts returned,
// what the host heard, and the state of the whole simulator.
func (l *life) live(seed uint64, acts int) (heard []string, state string) {
	l.rand, l.heard = rand.New(rand.NewPCG(seed, 0)), nil
	l.host.mu.Lock()
	before := len(l.host.bodies)
	l.host.mu.Unlock()
	for range acts {
		[]func(){l.people, l.people, l.people, l.business, l.calls, l.calls, l.trouble}[l.rand.IntN(7)]()
		synctest.Wait() // until every delivery that is due has been tried
	}
	l.host.mu.Lock()
	defer l.host.mu.Unlock()
	return append(l.heard, l.host.bodies[before:]...), l.state()
}

// state is all that a snapshot has to bring back, with the time. It is read without locks while
// nothing happens. What a timer begins later takes one of the locks first, and so comes after the
// reading, for the race detector too.
func (l *life) state() string {
	state := fmt.Sprintln(l.world.Now().UnixNano()) + mementotest.Dump(mementotest.SimulatorRules(), l.world)
	_ = l.world.Phones()      // the world's lock
	_ = l.world.Undelivered() // the dispatcher's
	return state
}

// Random acts, a snapshot, random acts, a restore: then the same acts give the same webhooks, ids
// and state as the first time.
func TestALifeAfterARestoreIsTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			cfg := coexistencetest.Config{
				Seed: seed + 1, ReviewAfter: time.Minute, KeepLast: []int{0, 20}[seed%2],
				Fields: []webhook.Field{
					webhook.FieldMessages, webhook.FieldSMBMessageEchoes, webhook.FieldAppStateSync,
					webhook.FieldHistory, webhook.FieldAccountUpdate, webhook.FieldStandby,
					webhook.FieldMessageTemplateStatusUpdate,
				},
			}
			bubble(t, cfg, func(t *testing.T, w *coexistencetest.World, host *listener, _ *coexistencetest.Phone) {
				l := &life{t: t, world: w, network: w.ClientConfig().HTTPClient, host: host}
				l.live(seed, 60)
				first, answer, was := l.snapshot()
				heard, state := l.live(seed+100, 60)
				require.NotEqual(t, was, state)
				second, answerThen, wasThen := l.snapshot()
				l.live(seed+200, 40)

				l.restore(first, answer, was)
				heardAgain, stateAgain := l.live(seed+100, 60)
				require.Equal(t, heard, heardAgain)
				require.Equal(t, state, stateAgain)
				l.live(seed+300, 20)
				l.restore(second, answerThen, wasThen) // of a time that the first restore undid
				l.restore(first, answer, was)
				heardAgain, stateAgain = l.live(seed+100, 60)
				require.Equal(t, heard, heardAgain)
				require.Equal(t, state, stateAgain)
			})
		})
	}
}

// snapshot takes one, and returns how the host answers and what the state is then.
func (l *life) snapshot() (s *coexistencetest.Snapshot, answer int, state string) {
	s, err := l.world.Snapshot(l.t.Context())
	require.NoError(l.t, err)
	l.host.mu.Lock()
	defer l.host.mu.Unlock()
	return s, l.host.answer, l.state()
}

// restore restores one, and the answers of the host, which are its own.
func (l *life) restore(s *coexistencetest.Snapshot, answer int, state string) {
	l.host.answers(answer)
	require.NoError(l.t, l.world.Restore(l.t.Context(), s))
	require.Equal(l.t, state, l.state())
}

func TestASnapshotWaitsForDeliveriesUnderWay(t *testing.T) {
	t.Parallel()
	bubble(t, coexistencetest.Config{}, func(t *testing.T, w *coexistencetest.World, host *listener,
		phone *coexistencetest.Phone) {
		quiet, err := w.Snapshot(t.Context())
		require.NoError(t, err)
		host.mu.Lock()
		host.slow = 10 * time.Second
		before := len(host.bodies)
		host.mu.Unlock()
		ada := phone.Customer("+1 555-010-0142")
		ada.Send("one")
		synctest.Wait() // is under way
		ada.Send("two")
		ada.Send("three")
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = w.Snapshot(short)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "1 deliveries are under way")
		require.ErrorContains(t, w.Restore(short, quiet), "1 deliveries are under way")
		require.Len(t, phone.Chat(ada), 3, "nothing is restored")

		s, err := w.Snapshot(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, s.Waiting, "no other POST has begun meanwhile")
		require.Equal(t, 3, s.Messages)
		require.NoError(t, w.WaitDelivered(t.Context()))
		first := slices.Clone(host.bodies[before:])
		require.Len(t, first, 3)

		require.NoError(t, w.Restore(t.Context(), s))
		require.Len(t, w.Undelivered(), 2)
		require.NoError(t, w.WaitDelivered(t.Context()))
		require.Equal(t, first[1:], host.bodies[before+3:], "what waited then is delivered again")
	})
}

// The clock, the timers and what waits for a time are as they were.
func TestTimeGoesOnFromTheSnapshot(t *testing.T) {
	t.Parallel()
	cfg := coexistencetest.Config{Delivery: coexistencetest.DeliveryConfig{Backoff: time.Hour, MaxBackoff: time.Hour}}
	bubble(t, cfg, func(t *testing.T, w *coexistencetest.World, host *listener, phone *coexistencetest.Phone) {
		host.answers(http.StatusInternalServerError)
		phone.Open()
		phone.Customer("+1 555-010-0142").Send("Hello")
		synctest.Wait()
		time.Sleep(20 * time.Minute)
		s, err := w.Snapshot(t.Context())
		require.NoError(t, err)
		require.Equal(t, w.Now(), s.At)
		for range 2 {
			time.Sleep(15 * 24 * time.Hour)
			require.False(t, phone.Coexists(), "the phone was not used for two weeks")
			host.answers(http.StatusOK)
			require.NoError(t, w.Restore(t.Context(), s))
			require.Equal(t, s.At, w.Now())
			require.True(t, phone.Coexists())
			time.Sleep(39 * time.Minute)
			synctest.Wait()
			require.Len(t, w.Undelivered(), 1)
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			require.Empty(t, w.Undelivered())
		}
	})
}

func TestWhatCameLaterIsGone(t *testing.T) {
	t.Parallel()
	w := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(w.Close)
	phone := w.NewPhone(coexistencetest.PhoneConfig{})
	_, err := phone.Connect(coexistencetest.HistoryShared)
	require.NoError(t, err)
	ada := phone.Customer("+1 555-010-0142")
	s, err := w.Snapshot(t.Context())
	require.NoError(t, err)
	w.NewPhone(coexistencetest.PhoneConfig{})
	phone.Customer("+1 555-010-0143").Send("Hello")
	ada.ChangeNumber("+1 555-010-0144")
	require.NoError(t, w.Restore(t.Context(), s))
	require.Equal(t, []*coexistencetest.Phone{phone}, w.Phones())
	require.Equal(t, []*coexistencetest.Customer{ada}, phone.Customers())
	require.Equal(t, "+1 555-010-0142", ada.PhoneNumber())
	require.NotEmpty(t, w.Evidence(), "what a test has relied on stays true")

	other := coexistencetest.NewWorld(coexistencetest.Config{})
	require.ErrorContains(t, other.Restore(t.Context(), s), "another world")
	other.Close()
	_, err = other.Snapshot(t.Context())
	require.ErrorContains(t, err, "closed")
}

// A popup that was open is open again, with the page and the code that it had.
func TestAnOpenPopupIsKept(t *testing.T) {
	t.Parallel()
	w := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(w.Close)
	phone := w.NewPhone(coexistencetest.PhoneConfig{})
	popup, err := w.OpenSignup(json.RawMessage(`{"config_id":"` + w.ConfigurationID() + `","response_type":"code",
		"override_default_response_type":true,"extras":{"featureType":"whatsapp_business_app_onboarding"}}`))
	require.NoError(t, err)
	require.NoError(t, popup.ChooseExistingAccount())
	require.NoError(t, popup.EnterNumber(phone.PhoneNumber()))
	s, err := w.Snapshot(t.Context())
	require.NoError(t, err)
	var results []coexistencetest.SignupResult
	for range 2 {
		require.Equal(t, coexistencetest.ScreenVerify, popup.Screen())
		prompt, asked := phone.Prompt()
		require.True(t, asked)
		require.False(t, prompt.Confirmed)
		require.NoError(t, phone.Confirm(coexistencetest.HistoryShared))
		require.NoError(t, popup.VerifyCode(phone.LastCode()))
		result, err := popup.Finish()
		require.NoError(t, err)
		results = append(results, result)
		require.True(t, phone.Coexists())
		require.NoError(t, w.Restore(t.Context(), s))
		require.False(t, phone.Coexists())
	}
	require.Equal(t, results[0], results[1])
}

// Pages look while tests restore.
func TestAWorldIsReadWhileItIsRestored(t *testing.T) {
	t.Parallel()
	w := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(w.Close)
	number := w.NewCloudNumber(coexistencetest.PhoneConfig{})
	require.NoError(t, w.DeliverTo(acknowledges(t)))
	ada := number.Customer("+1 555-010-0142")
	s, err := w.Snapshot(t.Context())
	require.NoError(t, err)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, p := range w.Phones() {
					_, _, _ = p.CloudAPIOnly(), p.Business(), p.AccessToken()
					for _, c := range p.Chats() {
						_, _, _ = c.Customer.Name(), c.Customer.Identity(), c.Last.Status
					}
				}
				_, _ = w.Deliveries(), w.Graph().Requests()
			}
		})
	}
	for i := range 100 {
		ada.Send("Hello")
		ada.ChangeNumber(fmt.Sprintf("+1 555-010-01%02d", i%40))
		require.NoError(t, w.Restore(t.Context(), s))
		require.Empty(t, number.Chat(ada))
	}
	close(done)
	readers.Wait()
}
