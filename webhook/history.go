package webhook

import (
	"iter"
	"slices"
	"sync"
)

// Messages walks over the chunk's messages, thread by thread, and decodes each when it is its turn. A chunk of
// thousands of messages so needs little more memory than its bytes.
//
//	for thread, m := range chunk.Messages() {
//		if m.Err != nil {
//			… // keep m.Raw; the others are not harmed
//		}
//	}
//
// Each message is a new one and can be kept; only those that are empty objects are one and the same. The thread is the same for all its messages. It can be walked as often as
// needed, also from several goroutines.
//
// It reads [EventInfo.Raw] alone, so a chunk can be stored as that and walked later.
func (c *HistoryChunk) Messages() iter.Seq2[*HistoryThread, *HistoryMessage] {
	return func(yield func(*HistoryThread, *HistoryMessage) bool) {
		w := &historyWalker{yield: yield, ordered: c.ordered, texts: textSlab{size: slabSize}}
		w.s.Reset(c.Raw)
		w.chunk()
	}
}

// Threads returns the chunk's conversations with all their messages, and those without messages too. For a large chunk
// it needs several times the memory of the chunk; [HistoryChunk.Messages] does not.
func (c *HistoryChunk) Threads() []HistoryThread {
	var (
		all   []*HistoryThread
		batch = threadBatches.Get().(*[]HistoryMessage) // of the last thread, until their number is known
		room  = *batch
	)
	finish := func() {
		if len(all) > 0 && len(room) > 0 {
			all[len(all)-1].Messages = slices.Clone(room)
		}
		clear(room)
		room = room[:0]
	}
	w := &historyWalker{ordered: c.ordered, tree: true, texts: textSlab{size: maxBatch}}
	w.begin = func(t *HistoryThread) {
		finish()
		all = append(all, t)
	}
	w.yield = func(t *HistoryThread, m *HistoryMessage) bool {
		if len(all) == 0 || all[len(all)-1] != t {
			w.begin(t)
		}
		room = append(room, *m)
		return true
	}
	w.s.Reset(c.Raw)
	w.s.Share(treeChunk)
	w.chunk()
	finish()
	if cap(room) <= maxBatch {
		*batch = room
		threadBatches.Put(batch)
	}
	threads := make([]HistoryThread, len(all))
	for i, t := range all {
		threads[i] = *t
	}
	return threads
}

// threadBatches keeps memory for the messages of one thread. maxBatch is how many are worth keeping.
var threadBatches = sync.Pool{New: func() any { return new([]HistoryMessage) }}

const maxBatch = 1024

// treeChunk is how many bytes of text share an allocation in a tree, which is kept or dropped as a whole.
const treeChunk = 16 << 10
