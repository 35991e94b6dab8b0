package sqlinbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// E6 of the performance budget: a page of 1,000 dead letters, of all numbers and of one, costs the
// same however many there are. The metric is the median of pages spread over the first quarter.
func BenchmarkDeadLetters(b *testing.B) {
	const page = 1000
	for _, n := range []int{4 * page, 1000 * page} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			onEngines(b, func(b *testing.B, e engine) {
				body := make([]byte, 600)
				// Every tenth is a whole delivery.
				e.run(b, "INSERT INTO webhook_deliveries (bulk, state, received_at, size, body, left_open) "+
					"SELECT 0, CASE WHEN i % 10 = 0 THEN 2 ELSE 1 END, i, 600, ?, 1 FROM "+e.series(n), body)
				e.run(b, "INSERT INTO webhook_events "+
					"(delivery, place, record_key, lane, bulk, phone_number_id, state) "+
					"SELECT i, 0, 'key ' || i, 'chat ' || i, 0, '106540' || (i % 2), 2 FROM "+e.series(n)+
					" WHERE i % 10 > 0")
				for name, f := range map[string]inbox.Filter{"all": {}, "number": {PhoneNumberID: "1065401"}} {
					b.Run(name, func(b *testing.B) {
						var times []time.Duration
						for after := inbox.ID(0); b.Loop(); {
							begin := time.Now()
							letters, err := e.DeadLetters(b.Context(), f, after, page)
							times = append(times, time.Since(begin))
							require.NoError(b, err)
							require.Len(b, letters, page)
							after = (after + inbox.ID(n/8)) % inbox.ID(n/2)
						}
						reportMedian(b, times, "ms/page")
					})
				}
			})
		})
	}
}
