//go:build unix

package main

import (
	"runtime"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
)

// allocated returns how many allocations f makes and of how many bytes, the smallest of several
// runs.
func allocated(f func()) (count, size float64) {
	var before, after runtime.MemStats
	for i := range 10 {
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		n, b := float64(after.Mallocs-before.Mallocs), float64(after.TotalAlloc-before.TotalAlloc)
		if i == 0 || n < count {
			count = n
		}
		if i == 0 || b < size {
			size = b
		}
	}
	return count, size
}

// memory measures P8 to P13: allocations, which are the same in every run, and what a chunk of
// history and the most expensive of bodies take.
func memory(r *report.Report) {
	if r.Wants("P8", "P9", "P10", "P11", "P12", "P13") {
		history := newContest(payload.History(3000, 40), 1)
		count, size := allocated(history.tree)
		r.AtMost("P8", "allocations per history message, tree", count/3000, 0.25, 0.12)
		r.AtMost("P10", "bytes allocated, 1 MB history, tree / body", size/float64(len(history.body)), 1.3, 1)
		count, _ = allocated(history.ours)
		r.AtMost("P9", "allocations per history message, iterator", count/3000, 2, 1.2)
		for name, body := range map[string][]byte{"text": payload.Text(), "status": payload.Status()} {
			count, size = allocated(newContest(body, 1).ours)
			r.AtMost("P11", "allocations, verify + decode one "+name, count, 12, 6)
			r.AtMost("P11", "bytes allocated, verify + decode one "+name, size, 2048, 0)
		}
		r.AtMost("P12", "live KiB over the body, iterating a 1 MB chunk", live(history), 128, 0)
		large := newContest(payload.History(9000, 40), 1)
		r.AtMost("P12", "live KiB over the body, iterating a 3 MB chunk", live(large), 128, 0)

		empty := newContest(payload.EmptyHistory(1_000_000), 40)
		_, size = allocated(empty.decode)
		took := empty.run(empty.decode)[0] / float64(time.Millisecond)
		r.AtMost("P13", "a million empty messages by the iterator, ms", took, 100, 0)
		r.AtMost("P13", "a million empty messages by the iterator, MB allocated", size/1e6, 8, 0)
	}
}

// live returns by how many KiB the live heap grows at most while the messages are walked over.
func live(c contest) float64 {
	// What is live does not depend on when the collector runs, as what is allocated at a moment
	// does.
	var stats runtime.MemStats
	heap := func() float64 {
		runtime.GC()
		runtime.GC() // empties the pools, too
		runtime.ReadMemStats(&stats)
		return float64(stats.HeapAlloc)
	}
	base, most, n := heap(), 0.0, 0
	for _, chunk := range c.events() {
		for range chunk.Messages() {
			if n++; n%900 == 0 { // each look collects the garbage, which is slow
				most = max(most, heap()-base)
			}
		}
	}
	runtime.KeepAlive(c)
	return most / 1024
}
