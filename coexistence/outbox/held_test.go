package outbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A refusal because of another responder is about one conversation: what waits there is held, and
// goes when the conversation is ours. Neither the number nor anyone else waits for it.
func TestWhatAnotherResponderHasIsHeldUntilItIsOurs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{})
		news := cloudapitest.Template{WABAID: p.phone.WABAs[0]}
		news.Name, news.Language, news.Category = "news", "en_US", graph.TemplateMarketing
		news.Components = []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "News."}}
		p.AddTemplate(news)
		one := graph.Identity{WAID: "15550100001"}
		p.SetRouting(p.phone.ID, cloudapitest.Routing{On: true})
		p.SetThread(p.phone.ID, one, cloudapitest.OwnerOther)
		p.SetThread(p.phone.ID, graph.Identity{WAID: "15550100002"}, cloudapitest.OwnerUs)

		template := p.text("template", 1)
		template.Payload.Content = &cloudapi.Template{Name: "news", Language: "en_US"}
		late := p.text("late", 1)
		late.ExpiresAt = time.Now().Add(3 * time.Second)
		h.put(p.text("first", 1))
		h.put(p.text("second", 1), late, template, p.text("other", 2))
		h.becomes("other", outbox.StateSent)
		h.becomes("template", outbox.StateSent)
		require.Contains(t, h.becomes("late", outbox.StateFailed).Reason, "too late")
		for _, id := range []string{"first", "second"} {
			got := h.becomes(id, outbox.StateQueued)
			require.NotEmpty(t, got.Reason)
			require.Zero(t, got.Attempts, "it was not tried")
		}
		require.Len(t, p.Sent(), 2)
		thread, err := h.tracker.Thread(t.Context(), p.phone.ID, one.WAID)
		require.NoError(t, err)
		require.Equal(t, coexistence.OwnerOther, thread.Owner, "the refusal is booked")

		p.SetThread(p.phone.ID, one, cloudapitest.OwnerUs)
		passed := &webhook.MessagingHandover{
			EventInfo: webhook.EventInfo{
				Field: webhook.FieldMessagingHandovers, PhoneNumberID: p.phone.ID, At: time.Now().Add(time.Second),
			},
			Type: webhook.HandoverControlPassed, Sender: one,
		}
		require.NoError(t, h.tracker.Handle(t.Context(), passed))
		require.NoError(t, h.Handle(t.Context(), passed))
		h.becomes("first", outbox.StateSent)
		h.becomes("second", outbox.StateSent)
		var order []string
		for _, m := range p.Sent()[2:] {
			order = append(order, m.CallbackData)
		}
		require.Equal(t, []string{"first", "second"}, order, fmt.Sprint(order))
	})
}

// Meta may also take a message and fail it later because of another responder: it was not
// delivered, and waits like one that was refused at once. Late and repeated statuses change
// nothing.
func TestAMessageThatFailsBecauseOfAnotherResponderIsHeld(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{})
		h.put(p.text("answer", 1))
		h.becomes("answer", outbox.StateSent)
		first := p.Sent()[0]
		notOurs := webhook.Error{Code: graph.CodeThreadOwnedByOther, Title: "Thread owned by another responder"}
		fail := func() { require.NoError(t, h.deliver(t.Context(), first, webhook.StatusFailed, notOurs)) }
		fail()
		held := h.becomes("answer", outbox.StateQueued)
		require.Equal(t, graph.CodeThreadOwnedByOther, held.Code)
		require.NotEmpty(t, held.Reason)
		fail()
		require.NoError(t, h.deliver(t.Context(), first, webhook.StatusSent))
		h.becomes("answer", outbox.StateQueued)
		require.Len(t, p.Sent(), 1)

		passed := &webhook.MessagingHandover{
			EventInfo: webhook.EventInfo{
				Field: webhook.FieldMessagingHandovers, PhoneNumberID: p.phone.ID, At: time.Now().Add(2 * time.Second),
			},
			Type: webhook.HandoverControlPassed, Sender: first.To,
		}
		require.NoError(t, h.tracker.Handle(t.Context(), passed))
		require.NoError(t, h.Handle(t.Context(), passed))
		got := h.becomes("answer", outbox.StateSent)
		require.Len(t, p.Sent(), 2)
		require.Equal(t, p.Sent()[1].ID, got.MessageID)
		fail()
		require.NoError(t, h.deliver(t.Context(), p.Sent()[1], webhook.StatusDelivered))
		got = h.becomes("answer", outbox.StateSent)
		require.False(t, got.DeliveredAt.IsZero())
		require.Zero(t, got.FailedAt)
	})
}

// A program's message waits while a person is in the conversation, or while bots are paused in it;
// a person's message and a template do not.
func TestAProgramsMessageWaitsForThePerson(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{})
		news := cloudapitest.Template{WABAID: p.phone.WABAs[0]}
		news.Name, news.Language, news.Category = "news", "en_US", graph.TemplateMarketing
		news.Components = []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "News."}}
		p.AddTemplate(news)
		one := graph.Identity{WAID: "15550100001"}
		h.sees(p.phone.ID, "wamid.1", one)
		until := time.Now().Add(2 * time.Second)
		require.NoError(t, h.tracker.Pause(t.Context(), p.phone.ID, one.WAID, coexistence.Pause{Until: until}))
		bot, person, template := p.text("bot", 1), p.text("person", 1), p.text("template", 1)
		person.Payload.ByPerson = true
		template.Payload.Content = &cloudapi.Template{Name: "news", Language: "en_US"}
		h.put(bot, template)
		h.becomes("template", outbox.StateSent)
		got := h.becomes("bot", outbox.StateSent) // when the pause has ended
		require.Equal(t, "bot", p.Sent()[1].CallbackData)
		require.False(t, got.SentAt.Before(until.Add(-time.Second)))

		// What a colleague sends makes bots silent, and is not kept by it.
		h.put(person)
		h.becomes("person", outbox.StateSent)
		h.put(p.text("late bot", 1), p.text("other", 2))
		h.becomes("other", outbox.StateSent)
		held := h.becomes("late bot", outbox.StateQueued)
		require.Equal(t, coexistence.AnswerPersonActive.Text(), held.Reason)
		require.Zero(t, held.Attempts)
		again := person
		again.ID, again.Payload.CallbackData = "another", ""
		h.put(again)
		h.becomes("another", outbox.StateSent)
	})
}
