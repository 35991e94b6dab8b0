package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A line is one delivery in a file of recorded ones, which has a JSON object in each line.
type line struct {
	ReceivedAt time.Time       `json:"received_at"`
	Body       json.RawMessage `json:"body"`
}

// A recorder is a [webhook.Receiver] that writes deliveries down, disguised.
type recorder struct {
	mu       sync.Mutex // guards the following
	out      io.Writer
	disguise *disguise
}

func newRecorder(out io.Writer) *recorder { return &recorder{out: out, disguise: newDisguise()} }

// Receive writes one delivery down. What is not JSON could not be disguised, and is left out.
func (r *recorder) Receive(_ context.Context, d webhook.Delivery) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := r.disguise.body(d.Body)
	if err != nil {
		return webhook.Permanent(err)
	}
	text, err := json.Marshal(line{d.ReceivedAt.UTC().Truncate(time.Second), body})
	if err != nil {
		return webhook.Permanent(errors.New("replay: the delivery cannot be written as JSON"))
	}
	_, err = r.out.Write(append(text, '\n'))
	return err
}

// maxLine is more than a delivery can have: Meta sends up to 3 MB, which can grow when it is
// written.
const maxLine = 32 << 20

// play hands the events of a recording to h, delivery by delivery, in the order in which they came,
// and each event once, as an inbox does. It goes on after an error of the handler; all of them are
// returned in the end, with their line. An error of the file ends it.
func play(ctx context.Context, file io.Reader, h webhook.Handler) error {
	receiver := webhook.Dispatch(h)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	var errs []error
	n := 0
	for lines.Scan() && ctx.Err() == nil {
		n++
		if len(lines.Bytes()) == 0 {
			continue
		}
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil || len(l.Body) == 0 {
			return errors.Join(append(errs, fmt.Errorf("replay: line %d is not a recorded delivery", n))...)
		}
		// Events keep parts of the body, so each delivery has its own.
		if err := receiver.Receive(ctx, webhook.Delivery{Body: l.Body, ReceivedAt: l.ReceivedAt}); err != nil {
			errs = append(errs, fmt.Errorf("replay: line %d: %w", n, err))
		}
	}
	return errors.Join(append(errs, lines.Err(), ctx.Err())...)
}
