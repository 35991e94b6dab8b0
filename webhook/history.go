package webhook

import (
	"iter"
)

// Messages walks over the chunk's messages, thread by thread, and decodes each when it is its turn.
// A chunk of thousands of messages so needs little more memory than its bytes.
//
//	for thread, m := range chunk.Messages() {
//		if m.Err != nil {
//			… // keep m.Raw; the others are not harmed
//		}
//	}
//
// Each message is a new one and can be kept; only those that are empty objects are one and the
// same. The thread is the same for all its messages. It can be walked as often as needed, also from
// several goroutines.
//
// It reads [EventInfo.Raw] only, so a chunk can be stored as that and walked later.
func (c *HistoryChunk) Messages() iter.Seq2[*HistoryThread, *HistoryMessage] {
	return func(yield func(*HistoryThread, *HistoryMessage) bool) {
		w := &historyWalker{yield: yield, ordered: c.ordered, texts: textSlab{size: slabSize}}
		w.s.Reset(c.Raw)
		w.chunk()
	}
}

// Threads returns the chunk's conversations with all their messages, and those without messages
// too. For a large chunk it needs several times the memory of the chunk; [HistoryChunk.Messages]
// does not.
func (c *HistoryChunk) Threads() []HistoryThread {
	var (
		all  = make([]*HistoryThread, 0, someThreads)
		ends = make([]int, 0, someThreads) // where the messages of each thread end
	)
	w := &historyWalker{ordered: c.ordered, tree: true, slab: make([]HistoryMessage, 0, c.messages)}
	w.texts = textSlab{free: make([]Text, c.texts), size: treeTexts}
	w.begin = func(t *HistoryThread) {
		all = append(all, t)
		ends = append(ends, len(w.slab))
	}
	w.yield = func(t *HistoryThread, m *HistoryMessage) bool {
		if len(all) == 0 || all[len(all)-1] != t {
			w.begin(t)
		}
		if n := len(w.slab); n == 0 || m != &w.slab[n-1] {
			w.slab = append(w.slab, *m)
		}
		ends[len(ends)-1] = len(w.slab)
		return true
	}
	w.s.Reset(c.Raw)
	w.s.Share(treeChunk)
	w.chunk()
	threads, start := make([]HistoryThread, len(all)), 0
	for i, t := range all {
		threads[i] = *t
		if end := ends[i]; end > start {
			threads[i].Messages = w.slab[start:end:end]
			start = end
		}
	}
	return threads
}

// someThreads is for how many threads a tree has room at first.
const someThreads = 64

// treeTexts is how many texts of a tree share an allocation, beyond those that were counted.
const treeTexts = 64

// treeChunk is how many bytes of text share an allocation in a tree, which is kept or dropped as a
// whole.
const treeChunk = 16 << 10
