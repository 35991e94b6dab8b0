package coexistence_test

import (
	"fmt"
	"testing"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A chunk of 3,000 messages in one conversation, into a store that has it already: the cost of a
// repeat, too.
func BenchmarkHistoryChunk(b *testing.B) {
	var list []string
	for i := range 3000 {
		list = append(list, past(fmt.Sprintf("wamid.%04d", i), ada, i,
			text("a message of ordinary length, as people write them")))
	}
	body := history(0, 1, 50, ada, list...)
	store := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	if err != nil {
		b.Fatal(err)
	}
	events := decode(b, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		for _, ev := range events {
			if err := tracker.Handle(b.Context(), ev); err != nil {
				b.Fatal(err)
			}
		}
	}
}
