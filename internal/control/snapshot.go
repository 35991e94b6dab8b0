package control

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A snapshot is a saved world with the state of the API.
type snapshot struct {
	name     string
	world    *coexistencetest.Snapshot
	signups  map[*coexistencetest.Phone]signup
	callback callbackView
}

// A snapshotView is a snapshot as JSON. Webhooks counts those sent so far, Waiting those that were
// not acknowledged.
type snapshotView struct {
	Name      string    `json:"name"`
	Now       time.Time `json:"now"` // the world's time then
	Phones    int       `json:"phones"`
	Customers int       `json:"customers"`
	Messages  int       `json:"messages"`
	Webhooks  int       `json:"webhooks"`
	Waiting   int       `json:"waiting"`
}

func (s *snapshot) view() snapshotView {
	w := s.world
	return snapshotView{s.name, w.At, w.Phones, w.Customers, w.Messages, w.Deliveries, w.Waiting}
}

// snapshotNames are names that need no escape in a path.
var snapshotNames = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// takeSnapshot saves the world under the given name or, without one, a number.
func (a *API) takeSnapshot(r *http.Request) (int, any, error) {
	in, err := read[struct {
		Name string `json:"name"`
		waitParams
	}](r)
	if err != nil {
		return 0, nil, err
	}
	if in.Name != "" && !snapshotNames.MatchString(in.Name) {
		return 0, nil, invalid("name has 1 to 64 letters, digits, - and _")
	}
	if a.findSnapshot(in.Name) != nil {
		return 0, nil, errSnapshotTaken
	}
	ctx, cancel, err := in.context(r)
	if err != nil {
		return 0, nil, err
	}
	defer cancel()
	world := a.World()
	was, err := world.Snapshot(ctx)
	if err != nil {
		return 0, nil, inFlight(ctx, err)
	}
	s := &snapshot{name: in.Name, world: was, signups: map[*coexistencetest.Phone]signup{}}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.world != world {
		return 0, nil, errWasReset
	}
	for number := 1; s.name == ""; number++ {
		if name := fmt.Sprint(number); a.snapshotIndex(name) < 0 {
			s.name = name
		}
	}
	if a.snapshotIndex(s.name) >= 0 {
		return 0, nil, errSnapshotTaken
	}
	for p, known := range a.signups {
		s.signups[p] = *known
	}
	s.callback = a.callback.view()
	a.snapshots = append(a.snapshots, s)
	return http.StatusCreated, s.view(), nil
}

var (
	errSnapshotTaken = conflict("a snapshot with this name exists; delete it, or choose another name")
	errWasReset      = conflict("the world was reset meanwhile, which deletes all snapshots")
)

// inFlight returns the error of a call that waited too long for what is in progress.
func inFlight(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return &Error{Status: http.StatusConflict, Code: "in_flight", Message: err.Error()}
}

// snapshotIndex returns the index of a snapshot, or -1. The caller must hold a.mu.
func (a *API) snapshotIndex(name string) int {
	return slices.IndexFunc(a.snapshots, func(s *snapshot) bool { return s.name == name })
}

// findSnapshot returns a snapshot, or nil.
func (a *API) findSnapshot(name string) *snapshot {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := a.snapshotIndex(name); i >= 0 {
		return a.snapshots[i]
	}
	return nil
}

func (a *API) listSnapshots(*http.Request) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := struct {
		Data []snapshotView `json:"data"`
	}{[]snapshotView{}}
	for _, s := range a.snapshots {
		list.Data = append(list.Data, s.view())
	}
	return 0, list, nil
}

// deleteSnapshot deletes a snapshot and frees its memory.
func (a *API) deleteSnapshot(r *http.Request) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := a.snapshotIndex(r.PathValue("snapshot"))
	if i < 0 {
		return 0, nil, missing("there is no snapshot %q", r.PathValue("snapshot"))
	}
	a.snapshots = slices.Delete(a.snapshots, i, i+1)
	return 0, nil, nil
}

// restoreSnapshot restores the world and its callback. A handshake that had succeeded is not
// repeated; one that had not is retried from now on.
func (a *API) restoreSnapshot(r *http.Request) (int, any, error) {
	in, err := read[waitParams](r)
	if err != nil {
		return 0, nil, err
	}
	s := a.findSnapshot(r.PathValue("snapshot"))
	if s == nil {
		return 0, nil, missing("there is no snapshot %q", r.PathValue("snapshot"))
	}
	ctx, cancel, err := in.context(r)
	if err != nil {
		return 0, nil, err
	}
	defer cancel()
	a.mu.Lock()
	world, asked := a.world, a.callback
	a.restores.underWay++
	a.mu.Unlock()
	err = asked.finish(ctx) // otherwise its handshake could succeed in the restored world
	if err == nil {
		err = world.Restore(ctx, s.world)
	}
	a.mu.Lock()
	a.restores.underWay--
	switch {
	case a.world != world:
		err = errWasReset
	case err != nil:
		a.askAgain(asked)
	default:
		a.adopt(s)
	}
	a.mu.Unlock()
	if err != nil {
		return 0, nil, inFlight(ctx, err)
	}
	return 0, a.view(), nil
}

// adopt restores the state of the API. The caller must hold a.mu.
func (a *API) adopt(s *snapshot) {
	a.restores.done++
	a.restores.webhooks = s.world.Deliveries
	a.signups = map[*coexistencetest.Phone]*signup{}
	for p, known := range s.signups {
		a.signups[p] = &known
	}
	a.callback.end()
	if s.callback.State == callbackWaiting {
		a.callback = a.await(a.world, s.callback.URL)
		return
	}
	a.callback = &callback{url: s.callback.URL, verified: s.callback.State == callbackVerified}
}

// askAgain resumes the retries of a callback, unless another has replaced it. The caller must hold
// a.mu.
func (a *API) askAgain(cb *callback) {
	if a.callback == cb && cb.view().State == callbackWaiting {
		a.callback = a.await(a.world, cb.url)
	}
}

// A restoreCount tells the streams of webhooks that a restore has reset their numbers.
type restoreCount struct {
	underWay int // restores started
	done     int // restores completed
	webhooks int // number of the latest webhook after the last restore
}

// restored returns the current count.
func (a *API) restored() restoreCount {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.restores
}
