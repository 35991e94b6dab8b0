package coexistence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

const (
	// reconcileEvery is how often Run looks at all numbers.
	reconcileEvery = 5 * time.Minute

	// reconcileAtOnce is how many numbers are worked on at a time, and reconcileTime how long one
	// may take. A number whose calls hang takes one place for that long, and the others go on in
	// the rest.
	reconcileAtOnce = 16
	reconcileTime   = 2 * time.Minute
)

// Reconcile does what is due for a number, and nothing if nothing is: it reads the number if
// [Number.NeedsRefresh], and requests the syncs that [Number.Due] names, as [Tracker.RequestSync]
// does. [Tracker.Run] does so for all numbers; call it for one that should not wait, such as right
// after [Tracker.Onboard]. Several processes may do so at once. An error means that it is to be
// tried again, which Run does.
func (t *Tracker) Reconcile(ctx context.Context, phone graph.PhoneNumberID) error {
	s, err := t.onboardedNumber(ctx, phone)
	if err != nil {
		return err
	}
	return t.reconcile(ctx, s)
}

// due returns which syncs are to be requested for a number: those that can be asked for and that
// the host wants.
func (t *Tracker) due(s Number) []cloudapi.SyncKind {
	return slices.DeleteFunc(s.Due(time.Now()),
		func(kind cloudapi.SyncKind) bool { return !slices.Contains(t.cfg.Syncs, kind) })
}

// needs reports whether anything is due for a number. One that never went through signup is not the
// host's.
func (t *Tracker) needs(s Number) bool {
	return s.Stage != StageNone && (s.NeedsRefresh() || len(t.due(s)) > 0)
}

// reconcile does what is due for a number. The reading comes first, since it decides whether the
// number is connected. Another goroutine or process that is faster is no error: the request was
// made.
func (t *Tracker) reconcile(ctx context.Context, s Number) error {
	if s.NeedsRefresh() {
		read, err := t.reread(ctx, s)
		if err != nil {
			return err
		}
		s = read
	}
	kinds := t.due(s)
	if len(kinds) == 0 {
		return nil
	}
	result, err := t.requestSync(ctx, s.PhoneNumberID, kinds, !slices.Contains(t.cfg.Syncs, cloudapi.SyncHistory))
	if errors.Is(err, ErrSyncInProgress) || result == nil && errors.Is(err, ErrSyncAlreadyRequested) {
		return nil // another goroutine or process was faster
	}
	return err
}

// reread reads a number that needs it. A removed one that cannot be read any more, because its
// token has ended or the host has deleted it, is what it is taken for: it counts as read, or it
// would be read again and again forever.
func (t *Tracker) reread(ctx context.Context, s Number) (Number, error) {
	c, err := t.Client(ctx, s.PhoneNumberID)
	if err != nil {
		if s.Stage == StageRemoved {
			return s, nil
		}
		return s, err
	}
	at := time.Now().UTC()
	read, err := t.refresh(ctx, c, s.PhoneNumberID)
	if err == nil {
		return read, nil
	}
	if s.Stage != StageRemoved ||
		!errors.Is(err, graph.ErrAccessLost) && !errors.Is(err, graph.ErrAuth) && !errors.Is(err, graph.ErrPermission) {
		return s, err
	}
	return t.cfg.Store.UpdateNumber(ctx, s.PhoneNumberID, func(s Number) (Number, error) {
		if s.Stage == StageRemoved {
			s.RefreshedAt = later(s.RefreshedAt, at)
		}
		return s, nil
	})
}

// Run does what is due for all numbers that the store knows, at once and then every few minutes,
// until ctx ends: see [Tracker.Reconcile]. Start it with the process. Every process may run it.
// Numbers do not wait for each other, and what fails is logged and tried again. It returns when ctx
// has ended and so has what it began, or at once, with a line in the log, if Config.Client is nil.
func (t *Tracker) Run(ctx context.Context) {
	if t.cfg.Client == nil {
		t.cfg.Logger.ErrorContext(ctx, "nothing is done for any number", "err", errNoClient)
		return
	}
	var working sync.WaitGroup
	defer working.Wait()
	places := make(chan struct{}, reconcileAtOnce)
	tick := time.NewTicker(reconcileEvery)
	defer tick.Stop()
	for {
		if err := t.finishForgetting(ctx); err != nil && ctx.Err() == nil {
			t.cfg.Logger.WarnContext(ctx, "not all could be forgotten that is to be; it is tried again", "err", err)
		}
		err := t.reconcileAll(ctx, places, &working, func(phone graph.PhoneNumberID, err error) {
			if ctx.Err() == nil {
				t.cfg.Logger.WarnContext(ctx, "not all that is due for a number could be done; it is tried again",
					"phone", phone, "err", err)
			}
		})
		if err != nil && ctx.Err() == nil {
			t.cfg.Logger.WarnContext(ctx, "the numbers could not be listed; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ReconcileAll does once what [Tracker.Run] does, for hosts that are called by a timer, such as
// functions in a cloud. It returns when it is done, with the errors of all numbers.
func (t *Tracker) ReconcileAll(ctx context.Context) error {
	if t.cfg.Client == nil {
		return errNoClient
	}
	var (
		working sync.WaitGroup
		mu      sync.Mutex
		errs    []error
	)
	unfinished := t.finishForgetting(ctx)
	err := t.reconcileAll(ctx, make(chan struct{}, reconcileAtOnce), &working,
		func(phone graph.PhoneNumberID, err error) {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("number %s: %w", phone, err))
		})
	working.Wait()
	return errors.Join(append(errs, unfinished, err)...)
}

// reconcileInTime does what is due for a number, if something is, and gives up after a while.
func (t *Tracker) reconcileInTime(ctx context.Context, s Number) error {
	if !t.needs(s) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reconcileTime)
	defer cancel()
	return t.reconcile(ctx, s)
}

// reconcileAll starts a goroutine for each number for which something is due, once it has a place,
// and does not wait for them. A number that is being worked on already is left out, so a call that
// hangs does not pile up others. failed is called by the goroutines. The error is that of the list.
func (t *Tracker) reconcileAll(
	ctx context.Context, places chan struct{}, working *sync.WaitGroup, failed func(graph.PhoneNumberID, error),
) error {
	for s, err := range t.cfg.Store.Numbers(ctx) {
		if err != nil {
			return err
		}
		if !t.needs(s) && !t.retentionDue(s.PhoneNumberID) {
			continue
		}
		if _, busy := t.busy.LoadOrStore(s.PhoneNumberID, true); busy {
			continue
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			t.busy.Delete(s.PhoneNumberID)
			return ctx.Err()
		}
		working.Go(func() {
			defer func() { t.busy.Delete(s.PhoneNumberID); <-places }()
			if err := t.reconcileInTime(ctx, s); err != nil {
				failed(s.PhoneNumberID, err)
			}
			// It takes as long as there is much to forget.
			if err := t.applyRetention(ctx, s.PhoneNumberID); err != nil {
				failed(s.PhoneNumberID, err)
			}
		})
	}
	return nil
}
