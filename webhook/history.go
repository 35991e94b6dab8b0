package webhook

import "iter"

// Messages walks the chunk's messages.
func (c *HistoryChunk) Messages() iter.Seq2[*HistoryThread, *HistoryMessage] {
	return func(func(*HistoryThread, *HistoryMessage) bool) {}
}

// Threads returns the chunk's conversations with all their messages.
func (c *HistoryChunk) Threads() []HistoryThread { return nil }
