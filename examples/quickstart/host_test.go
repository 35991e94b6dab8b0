package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// The first event of a customer may be about a message that the host does not have, because it is
// older than the shared history. Whatever it is, the customer's next message is answered at once.
func TestNothingThatComesFirstKeepsACustomerWaiting(t *testing.T) {
	t.Parallel()
	s := connected(t)
	for name, first := range map[string]string{
		"a reaction": `"type":"reaction","reaction":{"message_id":"wamid.GONE","emoji":"👍"}`,
		"a deletion": `"type":"revoke","revoke":{"original_message_id":"wamid.GONE"}`,
		"an edit": `"type":"edit","edit":{"original_message_id":"wamid.GONE",
			"message":{"type":"text","text":{"body":"rye"}}}`,
		"a type to come":    `"type":"hologram","hologram":{"id":"1"}`,
		"a welcome request": `"type":"request_welcome"`,
		"a poll": `"type":"unsupported","unsupported":{"type":"poll_creation"},
			"errors":[{"code":131051,"title":"Unsupported"}]`,
		"a group's message":  `"group_id":"g1","type":"text","text":{"body":"hello all"}`,
		"a change of number": `"type":"system","system":{"type":"user_changed_number","wa_id":"15550100188"}`,
	} {
		t.Run(name, func(t *testing.T) { // one after the other: they share the number
			customer := s.phone.AddCustomer(coexistencetest.CustomerConfig{Name: name})
			s.deliver(t, customer, first)
			require.Empty(t, s.answers(customer))
			customer.Send("Are you open?")
			s.handled(t)
			require.Len(t, s.answers(customer), 1)
		})
	}
}

// Someone whom the tracker files under no name, such as the business itself, has no conversation.
func TestACustomerWithoutAConversationIsNoError(t *testing.T) {
	t.Parallel()
	s := connected(t)
	for name, from := range map[string]graph.Identity{
		"no name":      {},
		"the business": {WAID: graph.EquivalenceKey(s.phone.PhoneNumber())},
		"a stranger":   {UserID: "US.1001"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, s.host.answer(t.Context(), s.hello(from)))
		})
	}
}

// hello is a text that just came.
func (s *story) hello(from graph.Identity) *webhook.IncomingMessage {
	return &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: s.number, At: time.Now()},
		ID:        "wamid.1", From: from, Content: &webhook.Text{Body: "hello"},
	}
}

// What Meta refuses for good would be refused again for hours, while the customer waits.
func TestARefusedAnswerDoesNotKeepACustomerWaiting(t *testing.T) {
	t.Parallel()
	s := connected(t)
	s.world.Graph().Inject(cloudapitest.Fault{Code: graph.CodeMessageUndeliverable})
	s.ada.Send("Are you open?")
	s.idle(t)
	require.Empty(t, s.answers(s.ada))
	s.ada.Send("Hello?")
	s.idle(t)
	require.Len(t, s.answers(s.ada), 1)
}

// What Meta did not do for a reason that passes, a later try does.
func TestAnAnswerThatMetaPutsOffIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := connected(t)
	s.world.Graph().Inject(cloudapitest.Fault{Code: graph.CodeRateLimitHit, Times: 100})
	err := s.host.answer(t.Context(), s.hello(s.ada.Identity()))
	require.ErrorIs(t, err, graph.CodeRateLimitHit)
	require.False(t, webhook.IsPermanent(err))
}

// What was sent and could not be filed must not be sent again.
func TestAnAnswerThatCannotBeFiledIsGivenOnce(t *testing.T) {
	t.Parallel()
	s := connected(t)
	var err error
	s.host.tracker, err = coexistence.NewTracker(coexistence.Config{
		Store: full{s.store}, Client: s.host.tracker.Client,
	})
	require.NoError(t, err)
	s.ada.Send("Are you open?")
	s.idle(t)
	require.Len(t, s.answers(s.ada), 1)
}

// A full store takes no messages.
type full struct{ coexistence.Store }

func (full) UpdateMessages(context.Context, graph.PhoneNumberID, []graph.MessageID, func(*coexistence.Message)) error {
	return errors.New("the disk is full")
}

// connected returns a story in which the number is connected and its history has arrived.
func connected(t *testing.T) *story {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, out.Close()) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := newStory(ctx, out, 1, 20, documented(t))
	require.NoError(t, err)
	t.Cleanup(s.close)
	require.NoError(t, s.signup(ctx))
	require.NoError(t, s.sync(ctx))
	return s
}

// deliver brings the host a message of a customer that the simulator would not make.
func (s *story) deliver(t *testing.T, from *coexistencetest.Customer, content string) {
	t.Helper()
	body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{
		"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100199","phone_number_id":%q},
		"contacts":[{"profile":{"name":"x"},"user_id":%q}],
		"messages":[{"from_user_id":%[3]q,"id":"wamid.%[3]s","timestamp":"%[4]d",%[5]s}]}}]}]}`,
		s.phone.WABA(), s.number, from.Identity().UserID, time.Now().Unix(), content)
	r := webhooktest.NewRequest([]byte(body), s.world.AppSecret())
	r.RequestURI, r.URL.Host = "", s.server.Listener.Addr().String()
	resp, err := s.server.Client().Do(r.WithContext(t.Context()))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	s.handled(t)
}

// handled waits until the host is done with everything, and sees that nothing took it a second try.
func (s *story) handled(t *testing.T) {
	t.Helper()
	s.idle(t)
	m, err := s.host.inbox.Metrics(t.Context())
	require.NoError(t, err)
	require.Zero(t, m.Retried+m.DeadLettered, "an event failed")
}

// idle waits until nothing is left to do. A customer who waits for the tries of an event is not
// patient.
func (s *story) idle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, s.arrive(ctx), "an event waits for another try")
}

// answers returns what a customer got through Cloud API.
func (s *story) answers(c *coexistencetest.Customer) []string {
	var list []string
	for _, m := range s.phone.Chat(c) {
		if m.Author == coexistencetest.AuthorAPI {
			list = append(list, m.Content.Text)
		}
	}
	return list
}
