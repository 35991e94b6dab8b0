package sqliteinbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox"
)

// In a child that some messages crash, it names their customers.
const childCulprits = "COEXISTENCE_TEST_CHILD_CULPRITS"

// dieOf is the child. It handles what is in the file until nothing is left, and says what it
// begins. A message of a culprit ends it.
func dieOf(path string, culprits []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	in, err := sqliteinbox.Open(ctx, path, webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		m, _ := ev.(*webhook.IncomingMessage)
		fmt.Println(m.From.WAID)
		if slices.Contains(culprits, m.From.WAID) {
			os.Exit(3)
		}
		time.Sleep(time.Millisecond)
		return nil
	}), inbox.Config{})
	if err != nil {
		return err
	}
	return errors.Join(in.WaitIdle(ctx), in.Shutdown(ctx))
}

// An event of which the process dies takes with it, twice, what is in progress beside it. Then it
// is alone, and at last a dead letter. Nothing else becomes one, and everything else is handled,
// nearly all of it in the first two lives.
func TestAnEventThatEndsTheProcessIsFoundAndGivenUp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		conversations int
		culprits      []int
	}{
		"one":     {2000, []int{999}},
		"several": {500, []int{7, 8, 250, 499}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "inbox.db")
			var culprits []string
			for _, i := range tt.culprits {
				culprits = append(culprits, customer(i))
			}
			takeIn(t, path, tt.conversations)
			calls := liveOn(t, path, culprits, func(lives int, calls map[string]int) {
				if lives == 2 && len(culprits) == 1 {
					require.Greater(t, len(calls), tt.conversations-100, "the second life gets past the culprit")
				}
				require.LessOrEqual(t, lives, 5*len(culprits)+1, "each of them ends five lives at most")
			})
			for _, who := range culprits {
				// Beside another culprit it may be in progress when that one ends the process, and
				// not have begun: only the three lives in which it is alone are certain.
				require.LessOrEqual(t, calls[who], 5, "a culprit")
				require.GreaterOrEqual(t, calls[who], 3, "a culprit")
				if len(culprits) == 1 {
					require.Equal(t, 5, calls[who], "the only culprit")
				}
				delete(calls, who)
			}
			require.Len(t, calls, tt.conversations-len(culprits), "every event is handled")
			for _, n := range calls {
				require.LessOrEqual(t, n, 3, "in two lives that ended around it, and then alone")
			}
			require.ElementsMatch(t, culprits, deadIn(t, path))
		})
	}
}

// liveOn lets children live until one has nothing left to do, and returns how often each message
// was begun. It calls check after each life.
func liveOn(
	t *testing.T, path string, culprits []string, check func(lives int, calls map[string]int),
) (calls map[string]int) {
	t.Helper()
	calls = map[string]int{}
	for lives := 1; ; lives++ {
		begun, died := liveOnce(t, path, culprits)
		for _, who := range begun {
			calls[who]++
		}
		check(lives, calls)
		if !died {
			return calls
		}
	}
}

// deadIn returns whose messages are dead letters, all of them because the process died, and expects
// that nothing else is left.
func deadIn(t *testing.T, path string) (dead []string) {
	t.Helper()
	var l log
	in, err := sqliteinbox.Open(t.Context(), path, &l, inbox.Config{})
	require.NoError(t, err)
	for letter, err := range in.DeadLetters(t.Context(), inbox.Filter{}) {
		require.NoError(t, err)
		require.Contains(t, letter.Reason, "the process died 5 times while the event was handled, 3 of them with "+
			"nothing else in hand")
		ev, err := letter.Event()
		require.NoError(t, err)
		m, _ := ev.(*webhook.IncomingMessage)
		dead = append(dead, m.From.WAID)
	}
	require.NoError(t, in.WaitIdle(within(t)))
	require.Empty(t, l.all())
	require.NoError(t, in.Shutdown(t.Context()))
	return dead
}

// customer is the i-th one.
func customer(i int) string { return fmt.Sprintf("1555010%04d", i) }

// takeIn stores a message of each customer, in the order of the customers as nearly as 64 requests
// at a time keep it.
func takeIn(t *testing.T, path string, customers int) {
	t.Helper()
	store := open(t, path)
	in, err := inbox.New(store, new(log), inbox.Config{})
	require.NoError(t, err)
	var all sync.WaitGroup
	turns := make(chan int)
	for range 64 {
		all.Go(func() {
			for i := range turns {
				d := webhook.Delivery{Body: says(customer(i), 0), ReceivedAt: time.Now()}
				if err := in.Receive(t.Context(), d); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range customers {
		turns <- i
	}
	close(turns)
	all.Wait()
	require.NoError(t, in.Shutdown(t.Context()))
}

// liveOnce runs a child to its end. It returns whose messages were begun, and whether the child
// died of one.
func liveOnce(t *testing.T, path string, culprits []string) (begun []string, died bool) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(within(t), self)
	child.Env = append(os.Environ(), childPath+"="+path, childCulprits+"="+strings.Join(culprits, " "))
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		begun = append(begun, lines.Text())
	}
	if err := child.Wait(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		require.True(t, ok && exit.ExitCode() == 3, "the child ended with %v, and said at last: %v", err, begun)
		return begun, true
	}
	return begun, false
}
