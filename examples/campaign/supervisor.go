package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// A supervisor runs one worker after the other until everything is sent, and kills some of them.
type supervisor struct {
	meta     *meta
	box      *outbox
	options  options
	progress *progress

	began time.Time
	took  time.Duration
	kills []time.Duration // since the beginning
	slows []time.Duration // when Meta throttled the number
}

// throttles is how often Meta finds the number too fast: after a tenth of the messages, and after six.
const throttles = 2

func (s *supervisor) run(ctx context.Context) error {
	s.began = time.Now()
	defer func() { s.took = time.Since(s.began) }()
	for {
		killed, err := s.runWorker(ctx)
		if err != nil || !killed {
			return err
		}
		s.kills = append(s.kills, time.Since(s.began))
		if err := pause(ctx, 300*time.Millisecond); err != nil { // a supervisor notices, and starts another one
			return err
		}
	}
}

// runWorker runs a worker to its end, or kills it when its time has come. SIGKILL leaves it no time to tidy up.
func (s *supervisor) runWorker(ctx context.Context) (killed bool, err error) {
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	app := s.meta.srv.App()
	j, err := json.Marshal(job{
		BaseURL: s.meta.srv.URL, AppID: app.ID, AppSecret: app.Secret.Reveal(), AccessToken: s.meta.srv.SystemToken().Reveal(),
		Phone: s.meta.phone.ID, Rate: s.options.rate, Messages: s.options.messages, Outbox: s.options.outbox,
	})
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, self) //nolint:gosec // G204: it starts itself
	cmd.Env = append(os.Environ(), workerEnv+"="+string(j))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		return false, err
	}
	s.progress.worker(len(s.kills) + 1)
	type end struct{ err error }
	ended := make(chan end, 1)
	go func() { ended <- end{cmd.Wait()} }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case e := <-ended:
			if e.err == nil {
				return false, s.show()
			}
			return false, errors.Join(ctx.Err(), fmt.Errorf("the worker ended: %w: %s", e.err, complaints.String()))
		case <-tick.C:
		}
		if err := s.show(); err != nil {
			return false, err
		}
		if n := len(s.slows); n < throttles && 10*s.box.count().sent > (1+5*n)*s.options.messages {
			s.slows = append(s.slows, time.Since(s.began))
			s.meta.throttle()
		}
		if s.dueToDie() {
			_ = cmd.Process.Kill()
			<-ended
			return true, s.show()
		}
	}
}

// dueToDie spreads the crashes over the campaign.
func (s *supervisor) dueToDie() bool {
	n := len(s.kills)
	return n < s.options.crashes && s.box.count().sent > (n+1)*s.options.messages/(s.options.crashes+1)
}

func (s *supervisor) show() error {
	err := s.box.refresh()
	s.progress.set(s.box.count(), len(s.box.in(doubted)))
	return err
}
