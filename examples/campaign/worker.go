package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// workerEnv holds a job. A process that has it is a worker.
const workerEnv = "CAMPAIGN_WORKER"

// A job is what a worker needs to know. It travels in the environment, because other users see the arguments of a process.
type job struct {
	BaseURL     string
	AppID       graph.AppID
	AppSecret   string
	AccessToken string
	Phone       graph.PhoneNumberID
	Rate        int
	Messages    int
	Outbox      string
}

// senders is how many requests are under way at most.
const senders = 64

// patience is how long no webhook must have come before the history is asked. Against Meta it would be hours: nobody promises
// how soon a status comes.
const patience = time.Second

// workerMain is main of a worker. It ends when there is nothing left to send.
func workerMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var j job
	err := json.Unmarshal([]byte(os.Getenv(workerEnv)), &j)
	if err == nil {
		err = work(ctx, j)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 1
	}
	return 0
}

// A worker sends what the outbox holds.
type worker struct {
	job
	client *cloudapi.Client
	box    *outbox
}

func work(ctx context.Context, j job) error {
	box, err := openOutbox(j.Outbox, "worker", j.Messages)
	if err != nil {
		return err
	}
	defer box.close()
	client, err := cloudapi.NewClient(cloudapi.Config{
		AppID: j.AppID, AppSecret: graph.Secret(j.AppSecret), AccessToken: graph.Secret(j.AccessToken), BaseURL: j.BaseURL,
		Limiter: noting{&cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return j.Rate }}, box},
		Observe: observe,
	})
	if err != nil {
		return err
	}
	w := &worker{job: j, client: client, box: box}

	// What the last worker was trying when it was killed may have been accepted.
	for _, i := range box.in(trying) {
		if err := box.write(line{Item: i, Do: doubt, Killed: true}); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		if err := box.refresh(); err != nil {
			return err
		}
		waiting, doubtful := box.in(queued), box.in(doubted)
		switch {
		case len(waiting) > 0:
			err = w.sendAll(ctx, waiting)
		case len(doubtful) > 0:
			err = w.settle(ctx)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (w *worker) sendAll(ctx context.Context, items []int) error {
	next := make(chan int)
	failed := make(chan error, senders)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	for range min(senders, len(items)) {
		all.Go(func() {
			for i := range next {
				if err := w.send(ctx, i); err != nil {
					failed <- err
					cancel()
					return
				}
			}
		})
	}
	for _, i := range items {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

// A noting limiter writes down that a message is about to leave. A limiter is asked before every attempt, and whoever passes it
// is on the way: that is as late as it can be, and whatever was noted before a crash is in doubt after it.
type noting struct {
	*cloudapi.MemLimiter
	box *outbox
}

func (n noting) Wait(ctx context.Context, t cloudapi.Turn) error {
	if err := n.MemLimiter.Wait(ctx, t); err != nil {
		return err
	}
	return n.box.write(line{Item: sendingOf(ctx).item, Do: try})
}

// A sending is what limiter and observer know of the message that a call is about.
type sending struct {
	item int
	took time.Duration // of the last attempt
}

type sendingKey struct{}

func sendingOf(ctx context.Context) *sending {
	if s, ok := ctx.Value(sendingKey{}).(*sending); ok {
		return s
	}
	return new(sending) // a call that sends nothing
}

// send sends one message and writes down what became of it.
func (w *worker) send(ctx context.Context, i int) error {
	now := &sending{item: i}
	s, err := w.client.Messages.Send(context.WithValue(ctx, sendingKey{}, now), w.Phone, cloudapi.Message{
		To:           cloudapi.ToPhone(customer(i)),
		CallbackData: callbackData(i),
		Priority:     cloudapi.PriorityCampaign,
		Content: &cloudapi.Template{Name: "winter_opening", Language: "en_US", Components: []cloudapi.TemplateComponent{
			&cloudapi.TemplateBody{Parameters: []cloudapi.TemplateParameter{&cloudapi.TextParameter{Text: fmt.Sprint("customer ", i+1)}}},
		}},
	})
	if err == nil {
		return w.box.write(line{Item: i, Do: done, ID: s.ID, Millis: float64(now.took) / float64(time.Millisecond)})
	}
	e, ok := errors.AsType[*cloudapi.Error](err)
	switch {
	case ok && (e.Outcome == cloudapi.OutcomeRefused || e.Outcome == cloudapi.OutcomeNotSent):
		return w.box.write(line{Item: i, Do: free})
	case ok:
		return w.box.write(line{Item: i, Do: doubt})
	}
	return err // the message itself is wrong
}

// settle waits until webhooks have told what they can about messages in doubt, and asks the history about the others. If it
// holds a message that nobody can account for, that is one of those in doubt, and none of them may be sent again yet.
func (w *worker) settle(ctx context.Context) error {
	before := -1
	for n := w.box.count().sent; n != before; n = w.box.count().sent {
		before = n
		if err := pause(ctx, patience); err != nil {
			return err
		}
		if err := w.box.refresh(); err != nil {
			return err
		}
	}
	doubtful := w.box.in(doubted)
	for h, err := range w.client.Messages.History(ctx, w.Phone, cloudapi.MessageHistoryOptions{Limit: 100}) {
		if err != nil {
			return err
		}
		if !w.box.accounts(h.Message) {
			return nil // its webhook is late: look again later
		}
	}
	for _, i := range doubtful {
		if err := w.box.write(line{Item: i, Do: free}); err != nil {
			return err
		}
	}
	return nil
}

// observe notes how long the last attempt of a call took.
func observe(ctx context.Context, c cloudapi.Call) { sendingOf(ctx).took = c.Duration }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// customer is a number that nobody has.
func customer(i int) string { return fmt.Sprintf("+1555010%05d", i) }

// callbackData names a message in everything that Meta says about it.
func callbackData(i int) string { return fmt.Sprint("campaign-", i) }
