package coexistencetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A Behavior is something that the simulator does because Meta does it, or because it had to do
// something.
type Behavior struct {
	// What it is.
	What string

	// Source is Meta's page, or who reported it. Empty if it is assumed.
	Source string

	// Date is the revision or the day of the report, as far as it is known.
	Date string

	// Assumed means that no source tells it, and that the truth may differ. A test that requires
	// [EvidenceReport.Assumed] to be empty does not rest on it.
	Assumed bool

	id reliance
}

// String is one line.
func (b Behavior) String() string {
	switch {
	case b.Assumed:
		return b.What + " (assumed)"
	case b.Date == "":
		return b.What + " (" + b.Source + ")"
	}
	return b.What + " (" + b.Source + ", " + b.Date + ")"
}

// Fidelity says for each simulated behavior how it is known. Look here before you believe a test;
// [World.Evidence] says on which of them a test has relied.
func Fidelity() []Behavior { return slices.Clone(behaviours) }

// An EvidenceUse is a behaviour that made a difference in a world, and how often.
type EvidenceUse struct {
	Behavior

	// Times is how often it made a difference, 1 or more.
	Times int
}

// An EvidenceReport lists what a test has relied on, in the order of [Fidelity].
type EvidenceReport []EvidenceUse

// Assumed returns what was relied on without a source. Where a test must not rest on such things,
// it requires this to be empty.
func (r EvidenceReport) Assumed() EvidenceReport {
	return slices.DeleteFunc(slices.Clone(r), func(x EvidenceUse) bool { return !x.Behavior.Assumed })
}

// String lists everything, with what is assumed first.
func (r EvidenceReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "relied on %d behaviours, %d of them assumed\n", len(r), len(r.Assumed()))
	for _, assumed := range []bool{true, false} {
		for _, x := range r {
			if x.Behavior.Assumed == assumed {
				fmt.Fprintf(&b, "%6d × %s\n", x.Times, x.Behavior)
			}
		}
	}
	return b.String()
}

// Evidence returns what has made a difference in this world so far. Print it where a test passes,
// to know what it has proved: a test that rests on nothing assumed proves more than one that does.
// Several behaviours can stand for one thing that happened.
func (w *World) Evidence() EvidenceReport {
	w.relied.mu.Lock()
	defer w.relied.mu.Unlock()
	var r EvidenceReport
	for _, b := range behaviours {
		if n := w.relied.times[b.id]; n > 0 {
			r = append(r, EvidenceUse{b, n})
		}
	}
	return r
}

// A reckoning counts how often each behaviour made a difference in a world. It has a lock of its
// own, since the dispatcher counts without the world's.
type reckoning struct {
	mu    sync.Mutex
	times [relyCount]int
}

// on counts a use of each behaviour.
func (r *reckoning) on(ids ...reliance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		r.times[id]++
	}
}
