package webhooktest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// answers stands for the place where a host notes what its bot has answered.
type answers struct {
	mu    sync.Mutex
	given map[graph.MessageID]int
}

func (a *answers) add(id graph.MessageID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.given == nil {
		a.given = make(map[graph.MessageID]int)
	}
	a.given[id]++
}

func (a *answers) Answered(_ context.Context, id graph.MessageID) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.given[id], nil
}

// answerable is the message that a bot should answer; empty if there is none.
func answerable(ev webhook.Event) graph.MessageID {
	if m, ok := ev.(*webhook.IncomingMessage); ok && coexistence.Answerable(m) {
		return m.ID
	}
	return ""
}

func ExampleConformance_bot() {
	var mu sync.Mutex
	answered := map[graph.MessageID]int{} // stands for the host's table of what its bot has answered
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		mu.Lock()
		defer mu.Unlock()
		answered[m.ID]++ // edits and reactions too, which is wrong
		return nil
	})
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"},
		webhook.Dispatch(&mux))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = webhooktest.Conformance(context.Background(), webhooktest.Target{
		Handler:     endpoint,
		AppSecret:   "app-secret",
		VerifyToken: "verify-token",
		Answered: func(_ context.Context, id graph.MessageID) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return answered[id], nil
		},
	})
	fmt.Println(strings.ReplaceAll(err.Error(), "; ", ";\n\t"))
	// Output:
	// webhooktest: an edit by a customer: got an answer to it, want none;
	// 	answer what a customer says, not what is done to a message: coexistence.Answerable tells
	// webhooktest: a deletion by a customer: got an answer to it, want none;
	// 	answer what a customer says, not what is done to a message: coexistence.Answerable tells
	// webhooktest: a reaction of a customer: got an answer to it, want none;
	// 	answer what a customer says, not what is done to a message: coexistence.Answerable tells
	// webhooktest: a notice that a customer has another number: got an answer to it, want none;
	// 	answer what a customer says, not what is done to a message: coexistence.Answerable tells
}

// answersTo is the flaw of answering the message that is picked from events of one type; none if
// that is "".
func answersTo[E webhook.Event](pick func(E) graph.MessageID) func(*answers, webhook.Event) {
	return func(a *answers, ev webhook.Event) {
		if e, ok := ev.(E); ok {
			if id := pick(e); id != "" {
				a.add(id)
			}
		}
	}
}

// answersHistory is the flaw of answering the messages that one side wrote in a history.
func answersHistory(outbound bool) func(*answers, webhook.Event) {
	return func(a *answers, ev webhook.Event) {
		if chunk, ok := ev.(*webhook.HistoryChunk); ok {
			for _, m := range chunk.Messages() {
				if m.Outbound == outbound {
					a.add(m.ID)
				}
			}
		}
	}
}

func onlyIf(yes bool, id graph.MessageID) graph.MessageID {
	if yes {
		return id
	}
	return ""
}

// edited returns the message that an edit changes; "" for any other content.
func edited(c webhook.Content) graph.MessageID {
	if e, ok := c.(*webhook.Edit); ok {
		return e.OriginalMessageID
	}
	return ""
}

func TestWrongAnswersAreFound(t *testing.T) {
	t.Parallel()
	const owner = "got an answer to it, want none; answer customers alone"
	tests := map[string]struct {
		flaw func(*answers, webhook.Event)
		want []string
	}{
		"none": {func(*answers, webhook.Event) {}, nil},
		"answers the owner": {
			answersTo(func(e *webhook.BusinessAppEcho) graph.MessageID { return e.ID }),
			[]string{
				"a message written on the business's phone: " + owner, "an edit on the business's phone: " + owner,
				"a deletion on the business's phone: " + owner, "a reaction on the business's phone: " + owner,
			},
		},
		"answers what the owner changed": {
			answersTo(func(e *webhook.BusinessAppEcho) graph.MessageID { return edited(e.Content) }),
			[]string{"an edit on the business's phone: " + owner},
		},
		"answers other apps": {
			answersTo(func(e *webhook.OtherAppEcho) graph.MessageID { return e.ID }),
			[]string{"a message that another app sent for the business: " + owner},
		},
		"answers history": {
			answersHistory(false), []string{"a chunk of history: got an answer to it, want none; import history"},
		},
		"answers the owner of old": {
			answersHistory(true), []string{"a chunk of history: got an answer to it, want none; import history"},
		},
		"answers media of history": {
			answersTo(func(m *webhook.HistoryMedia) graph.MessageID { return onlyIf(!m.Outbound, m.ID) }),
			[]string{"media of a history: got an answer to it, want none; import history"},
		},
		"answers media that the owner sent of old": {
			answersTo(func(m *webhook.HistoryMedia) graph.MessageID { return onlyIf(m.Outbound, m.ID) }),
			[]string{"media of a history: got an answer to it, want none; import history"},
		},
		"answers all that customers do": {
			answersTo(func(m *webhook.IncomingMessage) graph.MessageID {
				return onlyIf(!coexistence.Answerable(m), m.ID)
			}),
			[]string{
				"an edit by a customer: got an answer to it, want none; answer what a customer says",
				"a deletion by a customer: got an answer", "a reaction of a customer: got an answer",
				"a notice that a customer has another number: got an answer",
			},
		},
		"answers anew after an edit": {
			answersTo(func(m *webhook.IncomingMessage) graph.MessageID { return edited(m.Content) }),
			[]string{"an edit by a customer: got a message answered 2 times, want once at most; remember " +
				"EventInfo.DedupKey of what was answered"},
		},
		"answers statuses": {
			answersTo(func(s *webhook.MessageStatus) graph.MessageID { return s.ID }),
			[]string{"a status: got an answer to it, want none; a status tells"},
		},
		"answers for another": {
			answersTo(func(m *webhook.StandbyMessage) graph.MessageID { return m.Message.ID }),
			[]string{"a customer who writes while something else has the conversation: got an answer to it, want " +
				"none; leave a StandbyMessage"},
		},
		"answers placeholders": {
			answersTo(func(m *webhook.UnavailableMessage) graph.MessageID { return m.ID }),
			[]string{"a message that only the phone can show: got an answer to it, want none; show a placeholder"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, recorder := new(answers), new(webhooktest.Recorder)
			bot := webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
				if id := answerable(ev); id != "" {
					a.add(id)
				}
				tt.flaw(a, ev)
				return nil
			})
			err := tried(t, webhook.Once(webhook.MultiHandler(recorder, bot), new(webhook.MemDedupStore)), recorder,
				a.Answered)
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			for _, want := range tt.want {
				require.ErrorContains(t, err, "webhooktest: "+want)
			}
			require.Len(t, strings.Split(err.Error(), "\n"), len(tt.want), err)
		})
	}
}

func tried(t *testing.T, h webhook.Handler, recorder *webhooktest.Recorder,
	answered func(context.Context, graph.MessageID) (int, error)) error {
	t.Helper()
	endpoint, err := webhook.NewEndpoint(config, webhook.DispatchAll(h))
	require.NoError(t, err)
	tgt := target(endpoint, recorder)
	tgt.Answered = answered
	return webhooktest.Conformance(t.Context(), tgt)
}

// A host that stores every message once can still answer it twice.
func TestSecondAnswersAreFound(t *testing.T) {
	t.Parallel()
	a, recorder := new(answers), new(webhooktest.Recorder)
	forgetful := webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		if id := answerable(ev); id != "" {
			a.add(id)
		}
		return nil
	})
	err := tried(t, webhook.MultiHandler(webhook.Once(recorder, new(webhook.MemDedupStore)), forgetful), recorder,
		a.Answered)
	require.ErrorContains(t, err, "the same delivery three times: got a message answered 3 times, want once at "+
		"most; remember EventInfo.DedupKey of what was answered")
	require.ErrorContains(t, err, "a message in a second delivery: got a message answered 2 times")
}

// A bot that thinks for a while answers after everything was handled. This one holds its answers
// back until they are asked for.
func TestLateAnswersAreFound(t *testing.T) {
	t.Parallel()
	for name, counts := range map[string]bool{"with Handled": true, "without it": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, recorder := new(answers), new(webhooktest.Recorder)
			queue, asked := make(chan graph.MessageID, 10_000), make(chan struct{})
			var bot sync.WaitGroup
			bot.Go(func() {
				<-asked
				for id := range queue {
					a.add(id)
				}
			})
			handler := webhook.MultiHandler(recorder,
				webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
					id := answerable(ev)
					if e, ok := ev.(*webhook.BusinessAppEcho); ok {
						id = e.ID
					}
					if id != "" {
						queue <- id
					}
					return nil
				}))
			endpoint, err := webhook.NewEndpoint(config, webhook.Dispatch(handler))
			require.NoError(t, err)
			tgt := target(endpoint, recorder)
			if !counts {
				tgt.Handled = nil
			}
			first := sync.OnceFunc(func() { close(asked) })
			tgt.Answered = func(ctx context.Context, id graph.MessageID) (int, error) {
				defer first()
				return a.Answered(ctx, id)
			}
			err = webhooktest.Conformance(t.Context(), tgt)
			require.ErrorContains(t, err, "a message written on the business's phone: got an answer to it, want none")
			close(queue)
			bot.Wait()
		})
	}
}

// A bot that falls silent once a person writes on the phone, works through the inbox, and never
// answers an echo.
func TestABotBehindAnInboxConforms(t *testing.T) {
	t.Parallel()
	a, recorder := new(answers), new(webhooktest.Recorder)
	var silent sync.Map
	in, err := inbox.New(new(inbox.MemStore), webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
		if e, ok := ev.(*webhook.BusinessAppEcho); ok {
			silent.Store(e.To.Key(), true)
		}
		if id := answerable(ev); id != "" {
			if _, quiet := silent.Load(ev.(*webhook.IncomingMessage).From.Key()); !quiet {
				a.add(id)
			}
		}
		return recorder.Handle(ctx, ev)
	}), inbox.Config{})
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	endpoint, err := webhook.NewEndpoint(config, in)
	require.NoError(t, err)
	tgt := target(endpoint, recorder)
	tgt.Answered = a.Answered
	require.NoError(t, webhooktest.Conformance(t.Context(), tgt))
	require.NoError(t, in.Shutdown(t.Context()))
}

func TestAHostWithoutABotConforms(t *testing.T) {
	t.Parallel()
	recorder := new(webhooktest.Recorder)
	endpoint, err := webhook.NewEndpoint(config, webhook.Dispatch(recorder))
	require.NoError(t, err)
	tgt := target(endpoint, recorder)
	tgt.Answered, tgt.HandleTimeout = new(answers).Answered, 500*time.Millisecond
	require.NoError(t, webhooktest.Conformance(t.Context(), tgt))
}

func TestAnErrorOfTheHostsAnswersIsReported(t *testing.T) {
	t.Parallel()
	down := errors.New("host: the database is down")
	recorder := new(webhooktest.Recorder)
	err := tried(t, webhook.Once(recorder, new(webhook.MemDedupStore)), recorder,
		func(context.Context, graph.MessageID) (int, error) { return 0, down })
	require.ErrorIs(t, err, down)
	require.Equal(t, "webhooktest: an ordinary message after all that: Target.Answered: host: the database is down",
		err.Error())
}

// What needs no answer has to be acknowledged, and must not keep what follows in its conversation
// from being handled.
func TestAHostThatFailsOnEchoesIsFound(t *testing.T) {
	t.Parallel()
	recorder := new(webhooktest.Recorder)
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.BusinessAppEcho) error { return errors.New("host: who is this?") })
	mux.Default(recorder.Handle)
	err := tried(t, &mux, recorder, nil)
	require.ErrorContains(t, err,
		"a message written on the business's phone: got 500, want 200; acknowledge it, whatever you make of it")
}
