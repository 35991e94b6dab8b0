package webhook_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A preparer hands each event what it knows of it, and notes what it was asked.
type preparer struct {
	name     string
	batches  [][]webhook.Event
	handled  []string // what the preparer passed on for each event
	panicked bool
}

type preparerKey string

func (p *preparer) Prepare(ctx context.Context, batch []webhook.Preparation) {
	var events []webhook.Event
	for i := range batch {
		events = append(events, batch[i].Event)
		key := preparerKey(p.name)
		batch[i].Context = context.WithValue(batch[i].Context, key, fmt.Sprint(p.name, i))
	}
	p.batches = append(p.batches, events)
	if p.panicked {
		panic("a bug")
	}
}

func (p *preparer) Handle(ctx context.Context, _ webhook.Event) error {
	handed, _ := ctx.Value(preparerKey(p.name)).(string)
	p.handled = append(p.handled, handed)
	return nil
}

const twoTexts = `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":` +
	`{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100100","phone_number_id":"3"},` +
	`"messages":[{"from":"15550100101","id":"wamid.1","timestamp":"1","type":"text","text":{"body":"a"}},` +
	`{"from":"15550100102","id":"wamid.2","timestamp":"2","type":"text","text":{"body":"b"}}]}}]}]}`

// The events of a delivery are prepared together, by all preparers behind wrappers of ours, and
// each handler gets what they have passed on.
func TestADeliveryIsPreparedAsAWhole(t *testing.T) {
	t.Parallel()
	first, second := &preparer{name: "first"}, &preparer{name: "second"}
	var seen []string
	last := webhook.HandlerFunc(func(ctx context.Context, _ webhook.Event) error {
		seen = append(seen, fmt.Sprint(ctx.Value(preparerKey("first")), ctx.Value(preparerKey("second"))))
		return nil
	})
	recv := webhook.Dispatch(webhook.MultiHandler(last, first, webhook.MultiHandler(second)))
	require.NoError(t, recv.Receive(t.Context(), webhook.Delivery{Body: []byte(twoTexts)}))
	for _, p := range []*preparer{first, second} {
		require.Len(t, p.batches, 1)
		require.Len(t, p.batches[0], 2)
		require.Equal(t, []string{p.name + "0", p.name + "1"}, p.handled)
	}
	require.Equal(t, []string{"first0second0", "first1second1"}, seen)
}

func TestHandlersWithoutPreparersAreNone(t *testing.T) {
	t.Parallel()
	var mux webhook.Mux
	for _, h := range []webhook.Handler{
		webhook.MultiHandler(&mux, &mux), webhook.Once(&mux, new(webhook.MemDedupStore)), webhook.MultiHandler(),
	} {
		_, ok := h.(webhook.Preparer)
		require.False(t, ok)
	}
}

func TestEventsAreHandledAfterAPanicWhilePreparing(t *testing.T) {
	t.Parallel()
	p := &preparer{name: "first", panicked: true}
	recv := webhook.DispatchAll(p)
	require.NoError(t, recv.Receive(t.Context(), webhook.Delivery{Body: []byte(twoTexts)}))
	require.Len(t, p.handled, 2)
}
