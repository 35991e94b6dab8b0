package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// workerEnv holds a job as JSON. A process that has it is a worker.
const workerEnv = "CAMPAIGN_WORKER"

// A job is what a worker needs to know. It travels in the environment, because other users see the
// arguments of a process.
type job struct {
	BaseURL                             string // of Meta
	AppID                               graph.AppID
	AppSecret, AccessToken, VerifyToken string // text: a graph.Secret refuses to be written as JSON
	Phone                               graph.PhoneNumberID
	Rate, Messages                      int
	DB                                  string // path of the SQLite file
}

// A report is what a worker prints, as a line of JSON: first with its URL, then ten times a second,
// and in the end with the CampaignSeries.
type report struct {
	URL      string // of the worker's endpoint; empty in all reports but the first
	Counts   outbox.Counts
	Series   *outbox.Series // nil in all reports but the last
	Repeated int            // entries that were tried more than once
}

// campaignID names the campaign in the outbox.
const campaignID = "winter"

// steps is how finely the course of the campaign is divided.
const steps = 64

// unknownTimeout is how long the outbox waits for the status of a message in doubt, before Meta's
// history decides. Against Meta it would be an hour.
const unknownTimeout = 3 * time.Second

// lease is short, so that a successor soon goes on. Against Meta the defaults would do.
const lease = 2 * time.Second

// A worker is what a host builds from the SDK: the outbox sends, the inbox takes the statuses.
type worker struct {
	job
	db       *sqlite.DB
	outbox   *outbox.Outbox
	inbox    *inbox.Inbox
	endpoint *webhook.Endpoint
}

// workerMain is main of a worker. It sends after a byte on stdin and ends with the end of stdin, so
// that it never outlives its supervisor.
func workerMain(ctx context.Context, text string) (err error) {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Path: j.DB})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	w, err := newWorker(j, db)
	if err != nil {
		return err
	}
	return w.run(ctx, os.Stdin, json.NewEncoder(os.Stdout))
}

// newWorker makes the parts of a host that sends. The outbox sends through the tracker, which files
// what was sent into the conversations. What Meta reports goes to both: the tracker keeps the
// status of a message, the outbox settles what is in doubt. Errors alone are logged: stderr is read
// by the supervisor once the worker has ended.
func newWorker(j job, db *sqlite.DB) (*worker, error) {
	w := &worker{job: j, db: db}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	client, err1 := cloudapi.NewClient(cloudapi.Config{
		AppID: j.AppID, AppSecret: graph.Secret(j.AppSecret), AccessToken: graph.Secret(j.AccessToken),
		BaseURL: j.BaseURL, Limiter: &cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return j.Rate }},
	})
	tracker, err2 := coexistence.NewTracker(coexistence.Config{
		Store: db.Store(), Logger: log,
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	var err error
	w.outbox, err = db.Outbox(outbox.Config{
		Tracker: tracker, UnknownTimeout: unknownTimeout, LeaseDuration: lease,
		MaxConcurrentSends: max(8, j.Rate/8), Logger: log,
	})
	if err != nil {
		return nil, err
	}
	statuses := webhook.MultiHandler(tracker, w.outbox)
	if w.inbox, err = db.Inbox(statuses, inbox.Config{LeaseDuration: lease, Logger: log}); err != nil {
		return nil, err
	}
	w.endpoint, err = webhook.NewEndpoint(webhook.Config{
		AppSecret: graph.Secret(j.AppSecret), VerifyToken: graph.Secret(j.VerifyToken), Logger: log,
	}, w.inbox)
	return w, err
}

// run puts the campaign in, which adds nothing if a predecessor did it, and works until stdin ends.
// It starts to handle webhooks before it sends: a status of what a predecessor sent settles an
// entry that would otherwise stay in doubt.
func (w *worker) run(ctx context.Context, stdin io.Reader, stdout *json.Encoder) error {
	if _, err := w.outbox.Enqueue(ctx, w.messages()...); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: w.endpoint, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	err = errors.Join(w.inbox.Start(ctx), w.tell(ctx, stdout, report{URL: "http://" + listener.Addr().String()}))
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(stdin, make([]byte, 1)); err != nil {
		return err
	}
	if err := w.outbox.Start(ctx); err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	go func() {
		defer stop()
		_, _ = io.Copy(io.Discard, stdin)
	}()
	for working.Err() == nil && err == nil {
		select {
		case <-working.Done():
		case <-time.After(100 * time.Millisecond):
			err = w.tell(ctx, stdout, report{})
		}
	}
	return errors.Join(err, w.end(ctx, server, stdout))
}

// end stops what comes in, handles what came, and prints the last report. In this order: after the
// server nothing arrives, after the inbox nothing changes an entry.
func (w *worker) end(ctx context.Context, server *http.Server, stdout *json.Encoder) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := errors.Join(server.Shutdown(ctx), w.inbox.WaitIdle(ctx), w.inbox.Shutdown(ctx), w.outbox.Shutdown(ctx))
	series, err1 := w.outbox.CampaignSeries(ctx, campaignID, steps)
	last := report{Series: &series}
	for e, err2 := range w.outbox.List(ctx, outbox.Filter{Campaign: campaignID}) {
		err1 = errors.Join(err1, err2)
		if e.Attempts > 1 {
			last.Repeated++
		}
	}
	return errors.Join(err, err1, w.tell(ctx, stdout, last))
}

// tell prints a report with the counts of now.
func (w *worker) tell(ctx context.Context, stdout *json.Encoder, r report) (err error) {
	if r.Counts, err = w.outbox.CampaignCounts(ctx, campaignID); err != nil {
		return err
	}
	return stdout.Encode(r)
}

// messages is the campaign. An id makes a message the same each time that it is put in, and
// Campaign is what it is counted, paused and listed by.
func (w *worker) messages() []outbox.Message {
	all := make([]outbox.Message, w.Messages)
	for i := range all {
		name := &cloudapi.TextParameter{Text: fmt.Sprint("customer ", i+1)}
		body := &cloudapi.TemplateBody{Parameters: []cloudapi.TemplateParameter{name}}
		all[i] = outbox.Message{ID: entryID(i), PhoneNumberID: w.Phone, Campaign: campaignID, Payload: cloudapi.Message{
			To: cloudapi.ToPhone(fmt.Sprintf("+1555010%05d", i)), // assigned to no person
			Content: &cloudapi.Template{
				Name: "winter_opening", Language: "en_US", Components: []cloudapi.TemplateComponent{body},
			},
		}}
	}
	return all
}

// entryID names a message in the outbox, and in everything that Meta says about it.
func entryID(i int) string { return fmt.Sprint(campaignID, "-", i) }
