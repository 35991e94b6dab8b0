package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func TestMuxCallsTheFunctionForTheType(t *testing.T) {
	t.Parallel()
	var mux webhook.Mux
	require.NoError(t, mux.Handle(t.Context(), new(webhook.IncomingMessage)), "the zero Mux acknowledges")
	require.Empty(t, mux.Fields())

	var got []string
	webhook.On(&mux, func(_ context.Context, ev *webhook.BusinessAppEcho) error {
		got = append(got, "echo")
		return nil
	})
	webhook.On(&mux, func(_ context.Context, ev *webhook.MessageStatus) error { return errors.New("status") })
	webhook.On(&mux, func(_ context.Context, ev *webhook.IncomingMessage) error { return nil })
	webhook.On(&mux, func(_ context.Context, ev *webhook.UnknownEvent) error { return nil })
	require.NoError(t, mux.Handle(t.Context(), new(webhook.BusinessAppEcho)))
	require.EqualError(t, mux.Handle(t.Context(), new(webhook.MessageStatus)), "status")
	require.NoError(t, mux.Handle(t.Context(), new(webhook.HistoryChunk)))
	mux.Default(func(_ context.Context, ev webhook.Event) error {
		got = append(got, fmt.Sprintf("%T", ev))
		return nil
	})
	require.NoError(t, mux.Handle(t.Context(), new(webhook.HistoryChunk)))
	require.Equal(t, []string{"echo", "*webhook.HistoryChunk"}, got)
	require.Equal(t, []webhook.Field{webhook.FieldMessages, webhook.FieldSMBMessageEchoes}, mux.Fields())
}

func TestMuxPanicsOnMistakes(t *testing.T) {
	t.Parallel()
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.BusinessAppEcho) error { return nil })
	require.Panics(t, func() { webhook.On(&mux, func(context.Context, *webhook.BusinessAppEcho) error { return nil }) })
	require.Panics(t, func() { webhook.On(&mux, func(context.Context, webhook.Event) error { return nil }) })
	require.Panics(t, func() { webhook.On[*webhook.UnknownEvent](&mux, nil) })
	require.Panics(t, func() { mux.Default(nil) })
	mux.Default(func(context.Context, webhook.Event) error { return nil })
	require.Panics(t, func() { mux.Default(func(context.Context, webhook.Event) error { return nil }) })
}

func TestDispatchIsolatesEvents(t *testing.T) {
	t.Parallel()
	body := webhooktest.Sample("messages", "batch")
	boom := errors.New("boom")
	var seen []string
	h := webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		seen = append(seen, fmt.Sprintf("%T", ev))
		switch len(seen) {
		case 1:
			panic("at the first")
		case 2:
			return boom
		case 3:
			return webhook.Permanent(errors.New("refused"))
		}
		return nil
	})
	err := webhook.Dispatch(h).Receive(t.Context(), webhook.Delivery{Body: body})
	require.Equal(t, []string{
		"*webhook.IncomingMessage", "*webhook.IncomingMessage", "*webhook.MessageStatus", "*webhook.AccountUpdate",
	}, seen)
	require.ErrorIs(t, err, boom)
	require.ErrorContains(t, err, "refused")
	panicked, ok := errors.AsType[*webhook.PanicError](err)
	require.True(t, ok)
	require.Equal(t, "string", panicked.Type)
	require.Contains(t, string(panicked.Stack), "mux_test.go")
	require.NotContains(t, err.Error(), "at the first")
	const pattern = `^webhook: IncomingMessage message:[0-9a-f]{32}: webhook: panic with a string at mux_test\.go:\d+; `
	require.Regexp(t, pattern, err.Error())
	require.Contains(t, err.Error(), "webhook: MessageStatus status:", "whose error it is can be told")
	require.False(t, webhook.IsPermanent(err))
}

func TestAPanicNamesItsPlace(t *testing.T) {
	t.Parallel()
	var nobody *webhook.IncomingMessage
	var none []error
	for name, h := range map[string]func() error{
		"by hand":        func() error { panic("x") },
		"of the runtime": func() error { return errors.New(nobody.ProfileName) },
		"out of range":   func() error { return none[3] },
	} {
		err := webhook.Dispatch(webhook.HandlerFunc(func(context.Context, webhook.Event) error { return h() })).
			Receive(t.Context(), webhook.Delivery{Body: webhooktest.Sample("messages", "text")})
		require.ErrorContains(t, err, " at mux_test.go:", name)
	}
	require.NotContains(t, (&webhook.PanicError{Type: "string", Stack: []byte("nonsense")}).Error(), " at ")
}

func TestDispatchHandsOverWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	recorder := new(webhooktest.Recorder)
	d := webhook.Delivery{Body: []byte(`{"entry":`)}
	err := webhook.Dispatch(recorder).Receive(t.Context(), d)
	require.ErrorIs(t, err, webhook.ErrNotJSON)
	require.True(t, webhook.IsPermanent(err))
	ev := recorder.Events()[0].(*webhook.UndecodableEvent)
	require.Equal(t, string(d.Body), string(ev.Raw))
	require.ErrorIs(t, ev.Err, webhook.ErrNotJSON)
	require.NotEmpty(t, ev.DedupKey)

	recorder.Fail(errors.New("database down"))
	require.False(t, webhook.IsPermanent(webhook.Dispatch(recorder).Receive(t.Context(), d)),
		"it could not be kept, so it has to come again")
}

func TestDispatchHandlesARepeatOnce(t *testing.T) {
	t.Parallel()
	body := webhooktest.Sample("messages", "batch")
	for name, tt := range map[string]struct {
		dispatch func(webhook.Handler) webhook.Receiver
		want     int
	}{
		"Dispatch":    {webhook.Dispatch, 1},
		"DispatchAll": {webhook.DispatchAll, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := new(webhooktest.Recorder)
			recv := tt.dispatch(recorder)
			for range 3 {
				require.NoError(t, recv.Receive(t.Context(), webhook.Delivery{Body: slices.Clone(body)}))
			}
			require.Len(t, recorder.Events(), tt.want*4)
		})
	}
}

func TestDispatchHandlesAgainOnlyWhatFailed(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	recv := webhook.Dispatch(webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		key := ev.Info().DedupKey
		if seen[key]++; len(seen) == 2 && seen[key] == 1 {
			return errors.New("the store is down")
		}
		return nil
	}))
	d := webhook.Delivery{Body: webhooktest.Sample("messages", "batch")}
	require.ErrorContains(t, recv.Receive(t.Context(), d), "the store is down")
	require.NoError(t, recv.Receive(t.Context(), d))
	require.NoError(t, recv.Receive(t.Context(), d))
	require.ElementsMatch(t, []int{1, 2, 1, 1}, slices.Collect(maps.Values(seen)))
}

func TestDispatchRepeatsEventsWithoutKey(t *testing.T) {
	t.Parallel()
	recorder := new(webhooktest.Recorder)
	recv := webhook.Dispatch(recorder)
	for range 2 {
		require.NoError(t,
			recv.Receive(t.Context(), webhook.Delivery{Body: webhooktest.Sample("messages", "number-problem")}))
	}
	require.Len(t, recorder.Events(), 2)
}

func TestMultiHandlerStopsAtAnErrorThatARepeatCanCure(t *testing.T) {
	t.Parallel()
	var got []int
	handler := func(n int, err error) webhook.Handler {
		return webhook.HandlerFunc(func(context.Context, webhook.Event) error {
			got = append(got, n)
			return err
		})
	}
	boom, refused := errors.New("boom"), webhook.Permanent(errors.New("refused"))
	err := webhook.MultiHandler(handler(1, nil), handler(2, refused), handler(3, boom),
		handler(4, nil)).Handle(t.Context(), new(webhook.UnknownEvent))
	require.Equal(t, []int{1, 2, 3}, got)
	require.ErrorIs(t, err, boom)
	require.ErrorIs(t, err, refused)
	require.NoError(t, webhook.MultiHandler().Handle(t.Context(), new(webhook.UnknownEvent)))
	require.NoError(t, webhook.Permanent(nil))
	require.False(t, webhook.IsPermanent(nil))
}

func TestStatusesNeverMoveBack(t *testing.T) {
	t.Parallel()
	order := []webhook.DeliveryStatus{webhook.StatusSent, webhook.StatusDelivered, webhook.StatusRead,
		webhook.StatusPlayed}
	for i, older := range order {
		require.True(t, older.Supersedes(""))
		require.True(t, older.Supersedes(older))
		require.False(t, webhook.DeliveryStatus("").Supersedes(older))
		for _, newer := range order[i+1:] {
			require.True(t, newer.Supersedes(older), "%s after %s", newer, older)
			require.False(t, older.Supersedes(newer), "%s after %s", older, newer)
		}
	}
	require.True(t, webhook.StatusFailed.Supersedes(webhook.StatusSent))
	require.True(t, webhook.StatusFailed.Supersedes(webhook.StatusDelivered))
	require.False(t, webhook.StatusSent.Supersedes(webhook.StatusFailed))
	require.False(t, webhook.StatusDelivered.Supersedes(webhook.StatusFailed))
	require.True(t, webhook.StatusRead.Supersedes(webhook.StatusFailed))
	require.True(t, webhook.StatusCaptured.Supersedes(webhook.StatusPending))
	require.False(t, webhook.StatusPending.Supersedes(webhook.StatusCaptured))
	require.False(t, webhook.DeliveryStatus("teleported").Supersedes(webhook.StatusRead))
	require.True(t, webhook.DeliveryStatus("teleported").Supersedes(""))
	require.True(t, webhook.StatusRead.Supersedes("teleported"), "an unknown status must not stay for ever")
}
