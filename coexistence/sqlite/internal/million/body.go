//go:build unix

package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
)

const (
	waba    = "200000000000001"
	number  = "300000000000001"
	display = "15550100100"
)

// A history makes up chunks, in the order of their age. Each chunk holds a stretch of a few
// conversations, and a conversation continues in later chunks. The bodies are written by hand,
// because composing them must cost little beside what is measured.
type history struct {
	rand            *rand.Rand
	messages, chunk int
	threads         int // conversations in all
	phase, order    int
	body            []byte
}

// newHistory begins a history of so many messages, chunk of them in a POST. The number of
// conversations grows with it, as it does for a business.
func newHistory(messages, chunk int) *history {
	r := rand.New(rand.NewPCG(1, 20261122)) //nolint:gosec // the same bodies in every run
	return &history{rand: r, messages: messages, chunk: chunk, threads: max(1, messages/400)}
}

// perThread is how many messages of a conversation a chunk holds.
const perThread = 75

// next composes the chunk that begins with a message. The bytes are good until the next call.
// Phases and chunks are counted as Meta counts them, and the last chunk has progress 100, so the
// state of the number ends up complete.
func (h *history) next(first int) (body []byte, n int) {
	n = min(h.chunk, h.messages-first)
	phase := min(2, first*3/h.messages)
	if phase != h.phase {
		h.phase, h.order = phase, 0
	}
	h.order++
	progress := (first + n) * 100 / h.messages
	b := append(h.body[:0], `{"object":"whatsapp_business_account","entry":[{"id":"`+waba+`",`+
		`"changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"`+display+`","phone_number_id":"`+number+`"},"history":[{"metadata":`...)
	b = fmt.Appendf(b, `{"phase":%d,"chunk_order":%d,"progress":%d},"threads":[`, phase, h.order, progress)
	for i := 0; i < n; i += perThread {
		if i > 0 {
			b = append(b, ',')
		}
		customer := h.rand.IntN(h.threads)
		wa := fmt.Sprintf("155501%05d", customer)
		b = fmt.Appendf(b, `{"id":"%s","context":{"wa_id":"%s","user_id":"US.4000000000000%05d"},"messages":[`, wa, wa,
			customer)
		for j := i; j < min(i+perThread, n); j++ {
			if j > i {
				b = append(b, ',')
			}
			b = h.message(b, wa, 1767225600-first-j)
		}
		b = append(b, `]}`...)
	}
	h.body = append(b, `]}]},"field":"history"}]}]}`...)
	return h.body, n
}

// says are texts as Meta writes them: escaped, in several scripts, short and long.
var says = []string{
	`Buenos d\u00edas, \u00bftienen disponible el modelo azul? \ud83d\ude0a`,
	`Yes, until 6 pm. Shall I keep one for you?`, `Ok`,
	`\u0646\u0639\u0645\u060c \u0627\u0644\u0637\u0644\u0628 \u062c\u0627\u0647\u0632`,
	`Great, I'll take it. Can you deliver it to 12 Made-up Street tomorrow?`,
	`\u3054\u6ce8\u6587\u306e\u6e96\u5099\u304c\u3067\u304d\u307e\u3057\u305f`, `https:\/\/example.com\/orders\/4711`,
}

// message appends a past message of a conversation, which either side wrote. One in ten is the
// placeholder of a file. The id is random, as Meta's are, so that rows do not arrive in the order
// of the index.
func (h *history) message(b []byte, customer string, at int) []byte {
	var id [24]byte
	for i := range id {
		id[i] = byte(h.rand.Uint32())
	}
	raw := append([]byte{0x1c, 0x18, 0x0b}, customer...)
	raw = fmt.Appendf(raw, "\x15\x02\x00\x12\x18\x20%X", id[:10])
	wamid := "wamid." + base64.StdEncoding.EncodeToString(raw)
	b = append(b, `{"from":"`...)
	if h.rand.IntN(2) == 0 {
		b = append(b, display+`","to":"`+customer...)
	} else {
		b = append(b, customer...)
	}
	b = append(b, `","id":"`+wamid+`","timestamp":"`...)
	b = strconv.AppendInt(b, int64(at), 10)
	if h.rand.IntN(100) < 10 {
		return append(b, `","type":"media_placeholder","history_context":{"status":"READ"}}`...)
	}
	b = append(b, `","type":"text","text":{"body":"`...)
	b = append(b, says[h.rand.IntN(len(says))]...)
	return append(b, `"},"history_context":{"status":"READ"}}`...)
}
