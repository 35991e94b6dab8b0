//go:build unix

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const secret = "an app secret for benchmarks"

// A contest is about one body.
type contest struct {
	body, forged []byte       // forged has one byte more
	signature    string       // of body
	check        func([]byte) // an HMAC with a state that is reused: the yardstick
	repeats      int          // of a contestant in its turn, so that a turn takes long enough to measure
	rounds       int
}

// newContest prepares a contest over a body, in which each contestant has so many turns. Small
// bodies need more of them: what a turn takes differs by more.
func newContest(body []byte, rounds int) contest {
	mac := hmac.New(sha256.New, []byte(secret))
	var sum [sha256.Size]byte
	want := [sha256.Size]byte{}
	forged := append(body[:len(body):len(body)], ' ') // a copy: body is shared with the other contestants
	return contest{
		body: body, forged: forged, signature: webhook.Sign(secret, body),
		repeats: 1 + 50_000/len(body), rounds: rounds,
		check: func(body []byte) {
			mac.Reset()
			mac.Write(body)
			hmac.Equal(mac.Sum(sum[:0]), want[:])
		},
	}
}

// run lets the contestants take turns and returns the smallest time of each.
//
// Their order changes from round to round. In a fixed one the garbage collector would come to run
// in the turn of the same contestant each time, and to clear away what the one before him left.
func (c contest) run(contestants ...func()) []float64 {
	best := make([]float64, len(contestants))
	order := rand.New(rand.NewPCG(1, uint64(len(c.body)))) // the same in every run
	for range c.rounds {
		for _, i := range order.Perm(len(contestants)) {
			start := time.Now()
			for range c.repeats {
				contestants[i]()
			}
			if took := float64(time.Since(start)) / float64(c.repeats); best[i] == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	return best
}

// hmac is the yardstick: what no handler can do without.
func (c contest) hmac() { c.check(c.body) }

func (c contest) verify() { must(webhook.Verify(c.body, c.signature, secret)) }

// ours verifies, decodes, and walks over the messages of a chunk.
func (c contest) ours() {
	c.verify()
	c.decode()
}

// decode is what ours does behind the signature.
func (c contest) decode() {
	for _, chunk := range c.events() {
		for _, m := range chunk.Messages() {
			must(m.Err)
		}
	}
}

// events decodes and returns the chunks.
func (c contest) events() (chunks []*webhook.HistoryChunk) {
	events, err := webhook.Decode(c.body)
	must(err)
	for _, ev := range events {
		if chunk, ok := ev.(*webhook.HistoryChunk); ok {
			chunks = append(chunks, chunk)
		}
	}
	return chunks
}

// tree is ours with all messages at once, as a host has them that sorts before it stores.
func (c contest) tree() {
	c.verify()
	for _, chunk := range c.events() {
		chunk.Threads()
	}
}

// v1 is the handler that one would write with encoding/json, with the yardstick for its signature.
func (c contest) v1() {
	c.check(c.body)
	must(json.Unmarshal(c.body, new(payload.Delivery)))
}

// valid looks at the syntax of the body and no more: what any decoder costs at least, if it is made
// of encoding/json.
func (c contest) valid() {
	c.check(c.body)
	if !json.Valid(c.body) {
		panic("a body that is not JSON")
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// decoding measures P1 to P7 and P17: what it costs to verify and decode a body, beside the HMAC
// alone and encoding/json. The bars are those of the performance budget; each line names what it
// divides by what.
func decoding(r *report.Report) {
	if r.Wants("P1", "P2", "P3", "P5", "P6", "P7", "P17") {
		history := newContest(payload.History(3000, 40), 400)
		t := history.run(history.hmac, history.ours, history.v1, history.tree, history.decode, history.valid)
		r.AtMost("P1", "verify + decode 1 MB history, iterator / HMAC", t[1]/t[0], 3.5, 3)
		r.AtMost("P1", "verify + decode 1 MB history, tree / HMAC", t[3]/t[0], 3.5, 3)
		r.AtLeast("P3", "v1 / ours, verify + decode 1 MB history", t[2]/t[1], 5, 6)
		r.Info("P1", "decode alone / HMAC", t[4]/t[0])
		r.Info("P1", "verify + json.Valid / HMAC", t[5]/t[0])

		large := newContest(payload.History(9000, 40), 200)
		t = large.run(large.hmac, large.ours)
		r.AtMost("P2", "verify + decode 3 MB history / HMAC", t[1]/t[0], 3.6, 3.1)

		text := newContest(payload.Text(), 1500)
		t = text.run(text.hmac, text.ours, text.v1, text.decode)
		r.AtMost("P5", "verify + decode one text / HMAC", t[1]/t[0], 3.2, 0)
		r.AtLeast("P6", "v1 / ours, one text", t[2]/t[1], 4, 5)
		r.Info("P5", "decode alone, one text / HMAC", t[3]/t[0])
		status := newContest(payload.Status(), 1500)
		t = status.run(status.hmac, status.ours, status.v1)
		r.AtLeast("P6", "v1 / ours, one status", t[2]/t[1], 4, 5)

		batch := newContest(payload.Batch(100), 600)
		t = batch.run(batch.hmac, batch.ours, batch.v1)
		r.AtMost("P7", "verify + decode 100 mixed changes / HMAC", t[1]/t[0], 4, 3.2)
		r.AtLeast("P7", "v1 / ours, 100 mixed changes", t[2]/t[1], 4.3, 5)

		// A signature of the wrong form must cost nothing, or it would be a way to keep a server
		// busy.
		malformed := strings.TrimPrefix(history.signature, "sha256=")
		t = history.run(history.hmac,
			func() { _ = webhook.Verify(history.forged, history.signature, secret) },
			func() { _ = webhook.Verify(history.body, malformed, secret) })
		r.AtMost("P17", "forged signature, 1 MB / HMAC", t[1]/t[0], 1.2, 0)
		r.AtMost("P17", "malformed header, 1 MB / HMAC", t[2]/t[0], 0.01, 0)
	}
}
