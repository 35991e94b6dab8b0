package main

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The hosts that are tortured are processes of this program, here of the test.
func TestMain(m *testing.M) {
	playPart()
	os.Exit(m.Run())
}

// seed differs from run to run, and a failure says it: run the program with it to see the same
// deliveries and kills again.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := uint64(time.Now().UnixNano())
	t.Logf("-seed %d", s)
	return s
}

// unlessMissing skips a test if the machine lacks something.
func unlessMissing(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, errMissing) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

func short(t *testing.T, engineName string, deliveries int, settings ...string) *trial {
	t.Helper()
	tr, err := newTrial(t.Context(), t.Output(), engineName, seed(t), deliveries, settings...)
	unlessMissing(t, err)
	t.Cleanup(tr.close)
	return tr
}

// enginesUnderTest are those that have to stand everything.
var enginesUnderTest = []string{"sqlite", "postgres", "nats"}

func TestNothingIsLostTwiceOrOutOfOrderWhenProcessesAreKilled(t *testing.T) {
	t.Parallel()
	for _, name := range enginesUnderTest {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := short(t, name, 1000)
			v, err := torture(t.Context(), tr, 12)
			require.NoError(t, err)
			require.Positive(t, v.decided, "no order was put to the test")
		})
	}
}

// The torture is worth something only if it finds what is wrong.
func TestMistakesAreFound(t *testing.T) {
	t.Parallel()
	for mistake, finds := range map[fault]func(verdict) int{
		faultEarly: func(v verdict) int { return v.missing },
		faultApart: func(v verdict) int { return v.twice },
		faultLanes: func(v verdict) int { return v.disordered },
	} {
		t.Run(string(mistake), func(t *testing.T) {
			t.Parallel()
			n := 500
			if mistake == faultApart {
				n = 300 // each effect is a commit, which others wait for
			}
			// A kill may meet a moment in which the mistake does no harm.
			var err error
			for range 5 {
				tr := short(t, "sqlite", n)
				tr.order.Fault = mistake
				var v verdict
				v, err = torture(t.Context(), tr, 8)
				t.Logf("%d found: %v", finds(v), v)
				if finds(v) > 0 {
					require.Error(t, err)
					return
				}
			}
			t.Errorf("the mistake was never found, %v", err)
		})
	}
}

func TestPowerCutsTakeNothingThatWasAccepted(t *testing.T) {
	t.Parallel()
	for _, name := range enginesUnderTest {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := cutPower(t.Context(), t.Output(), name, seed(t), 2)
			unlessMissing(t, err)
			require.NoError(t, c.wrong)
			require.Zero(t, c.lost)

			// A setting that forgets has to be caught, or these cuts prove nothing.
			for range 30 {
				lazy, err := cutPower(t.Context(), t.Output(), name+"-lazy", seed(t), 1)
				require.NoError(t, err)
				if lazy.lost > 0 {
					return
				}
			}
			t.Error("the engine with the lazy setting lost nothing")
		})
	}
}

func TestNothingIsLostWhenTheSurroundingsFail(t *testing.T) {
	t.Parallel()
	for _, name := range enginesUnderTest {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unlessMissing(t, runFaults(t.Context(), t.Output(), name, options{seed: seed(t)}))
		})
	}
}

// wholeTests are trials of whole hosts that are short enough for tests.
var wholeTests = options{entries: 60, rate: 40, soak: 8 * time.Second}

func TestEveryAnswerIsSentOnceAndInOrderWhenHostsAreKilled(t *testing.T) {
	t.Parallel()
	for _, name := range wholeEngines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := wholeTests
			o.seed = seed(t)
			unlessMissing(t, runOutbox(t.Context(), t.Output(), name, o))
		})
	}
}

// A host that is built wrongly sends twice, or out of order, and that has to be found.
func TestMistakesOfHostsAreFound(t *testing.T) {
	t.Parallel()
	for mistake, finds := range map[fault]func(verdict) int{
		faultUnnamed:   func(v verdict) int { return v.twice },
		faultScattered: func(v verdict) int { return v.disordered },
	} {
		t.Run(string(mistake), func(t *testing.T) {
			t.Parallel()
			var w wholeVerdict
			for range 5 { // a kill may meet a moment in which the mistake does no harm
				tr, err := newWholeTrial(t.Context(), t.Output(), "sqlite", seed(t), size{
					messages: 60, conversations: 10, numbers: 2, answers: 1,
				})
				require.NoError(t, err)
				t.Cleanup(tr.close)
				tr.order.Fault = mistake
				tr.meta.misbehave(0.3, 0)
				w, err = tortureWhole(t.Context(), tr, 6)
				t.Logf("%d found: %v", finds(w.answers), w)
				if finds(w.answers) > 0 {
					require.Error(t, err)
					return
				}
			}
			t.Errorf("the mistake was never found: %v", w)
		})
	}
}

func TestAFullDiskUnderTrackerAndOutboxLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for _, name := range wholeEngines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unlessMissing(t, runDisk(t.Context(), t.Output(), name, options{seed: seed(t)}))
		})
	}
}

func TestAWrongClockOfTheServerLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	o := wholeTests
	o.seed = seed(t)
	unlessMissing(t, runWrongClock(t.Context(), t.Output(), "postgres", o, time.Hour))
}

func TestAWholeHostUsesNoMoreAndMore(t *testing.T) {
	t.Parallel()
	o := wholeTests
	o.seed = seed(t)
	_, err := soak(t.Context(), t.Output(), "postgres", o)
	unlessMissing(t, err)
}

func TestAFloodOfHistoryArrivesWholeWhileCustomersWrite(t *testing.T) {
	t.Parallel()
	for _, name := range enginesUnderTest {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := flood(t.Context(), t.Output(), name, seed(t), 12)
			unlessMissing(t, err)
			require.Positive(t, f.live, "no live message was written")
			require.Positive(t, f.live99)
		})
	}
}
