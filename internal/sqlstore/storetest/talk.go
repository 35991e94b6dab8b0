package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Talk stores messages of a customer under the given ids, all of the same moment, so that they are
// shown in the order of their ids. It goes around the tracker, for tests that are about pages and
// order.
func Talk(ctx context.Context, store coexistence.Store, customer string, ids ...string) error {
	names := make([]graph.MessageID, len(ids))
	for i, id := range ids {
		names[i] = graph.MessageID(id)
	}
	slices.Sort(names)
	return store.UpdateMessages(ctx, Phone, names, func(m *coexistence.Message) {
		m.Person, m.Origin, m.At = customer, coexistence.OriginCustomer, time.Unix(start, 0).UTC()
		m.Type, m.Text = webhook.TypeText, string(m.ID)
	})
}
