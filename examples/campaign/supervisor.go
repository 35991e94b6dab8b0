package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A supervisor owns Meta, and runs one worker after the other until everything is sent.
type supervisor struct {
	options
	world    *coexistencetest.World
	job      job
	progress *progress

	began, ended time.Time
	kills        []time.Time
	slows        []time.Time // when Meta throttled the number
	cutOff       int         // messages that were under way when a worker was killed
	last         report
}

// throttles is how often Meta throttles the number: after a tenth of the messages, and after six.
const throttles = 2

// newSupervisor starts Meta and connects a number to the app. What goes wrong is decided by the
// seed, so that a run that failed can be seen again.
func newSupervisor(ctx context.Context, out *os.File, o options) (*supervisor, error) {
	template := cloudapi.TemplateCreateParams{
		Name: "winter_opening", Language: "en_US", Category: graph.TemplateMarketing,
		Components: []cloudapi.ComponentDefinition{
			{Type: cloudapi.ComponentBody, Text: "Dear {{1}}, we are open all winter."},
		},
	}
	cfg := coexistencetest.Config{Seed: o.seed, Delivery: coexistencetest.DeliveryConfig{
		// Statuses come late, out of order, several at a time and some of them twice.
		Delay: time.Second, Batch: 20, DuplicatesPercent: 3, MaxAttempts: 1 << 20,
	}, Templates: []cloudapi.TemplateCreateParams{template}}
	if o.rate == cloudapi.CoexistenceRate {
		cfg.Graph.EnforceLimits = true
	}
	world := coexistencetest.NewWorld(cfg)
	business, err := connect(ctx, world)
	if err != nil {
		world.Close()
		return nil, err
	}
	world.Graph().Delay(30 * time.Millisecond)
	world.Graph().Chaos(cloudapitest.Chaos{
		Rate: o.faults, Seed: o.seed, Late: time.Second,
		// A refusal would fail a message for good, and throttles come in bursts: see throttle.
		Kinds: slices.DeleteFunc(cloudapitest.ChaosKinds(), func(kind string) bool {
			return kind == "refused" || strings.HasPrefix(kind, "throttled")
		}),
	})
	return &supervisor{options: o, world: world, progress: newProgress(out, o.messages), job: job{
		BaseURL: world.URL, AppID: world.AppID(), Phone: business.Phone.ID,
		AppSecret: world.AppSecret().Reveal(), VerifyToken: world.VerifyToken().Reveal(),
		AccessToken: business.Token.Reveal(), Rate: o.rate, Messages: o.messages, DB: o.db,
	}}, nil
}

// connect takes a business through Embedded Signup, in one call: the simulator plays the popup and
// the phone.
func connect(ctx context.Context, world *coexistencetest.World) (*signup.Connection, error) {
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		return nil, err
	}
	flow, err := signup.NewFlow(signup.Config{ConfigurationID: world.ConfigurationID(), Client: client})
	if err != nil {
		return nil, err
	}
	phone := world.NewPhone(coexistencetest.PhoneConfig{Business: "Lakeside Bakery"})
	return coexistencetest.SignUp(ctx, flow, phone, coexistencetest.HistoryShared)
}

// run runs workers until one has sent everything. Each continues with what is in the SQLite file.
func (s *supervisor) run(ctx context.Context) error {
	s.began = time.Now()
	defer s.progress.done()
	for {
		killed, err := s.runWorker(ctx)
		if s.ended = time.Now(); err != nil || !killed {
			return err
		}
		s.kills = append(s.kills, s.ended)
	}
}

// runWorker runs a worker to its end, or kills it when its time has come: SIGKILL leaves it no time
// to tidy up. What the worker prints is all that is known of its progress, because the SQLite file
// belongs to one process at a time. The deaths are spread evenly over the campaign.
//
// A worker ends by itself when its stdin ends, so that none outlives this process.
func (s *supervisor) runWorker(ctx context.Context) (killed bool, err error) {
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	text, err := json.Marshal(s.job) //nolint:gosec // G117: the worker needs it, and reads it from its environment
	if err != nil {
		return false, err
	}
	cmd := exec.CommandContext(ctx, self) //nolint:gosec // G204: it starts itself
	cmd.Env = append(os.Environ(), workerEnv+"="+string(text))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	for reports, ending := json.NewDecoder(stdout), false; err == nil; {
		var r report
		if reports.Decode(&r) != nil {
			break // the worker has ended
		}
		s.last = r
		s.progress.show(r.Counts, len(s.kills)+1)
		switch due := (len(s.kills) + 1) * s.messages / (s.crashes + 1); {
		case r.URL != "":
			s.cutOff += r.Counts.Sending
			err = s.begin(r.URL, stdin)
		case ending:
		case len(s.kills) < s.crashes && r.Counts.Sent >= due:
			killed, ending = true, true
			err = cmd.Process.Kill()
		case r.Counts.Done():
			ending = true
			err = errors.Join(s.settle(ctx), stdin.Close())
		default:
			s.throttle(r.Counts.Sent)
		}
	}
	if err != nil {
		_ = cmd.Process.Kill()
	}
	if ended := cmd.Wait(); ended != nil && !killed {
		err = errors.Join(ctx.Err(), err, fmt.Errorf("the worker ended: %w: %s", ended, complaints.String()))
	}
	return killed, err
}

// begin has Meta deliver to a new worker, and lets it send.
func (s *supervisor) begin(url string, stdin io.Writer) error {
	if err := s.world.DeliverTo(url); err != nil {
		return err
	}
	_, err := stdin.Write([]byte{'\n'})
	return err
}

// throttle makes Meta refuse a burst of messages, as when many customers write at the same time.
func (s *supervisor) throttle(sent int) {
	if n := len(s.slows); n < throttles && 10*sent > (1+5*n)*s.messages {
		s.slows = append(s.slows, time.Now())
		s.world.Graph().Inject(cloudapitest.Fault{
			On: "POST /{phone-number-id}/messages", Code: graph.CodeRateLimitHit, Times: max(3, s.rate/25),
		})
	}
}

// settle waits for the statuses that are still on their way. Meta delivers for seven days what is
// not acknowledged, so that a worker that was down has missed none.
func (s *supervisor) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return s.world.WaitDelivered(ctx)
}
