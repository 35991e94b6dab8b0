package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

const (
	childPath   = "COEXISTENCE_TEST_CHILD_PATH" // in a child: the file that it works on
	diedBetween = 3                             // the exit code of a child that was killed
)

// TestMain is where a child process begins.
func TestMain(m *testing.M) {
	path := os.Getenv(childPath)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := dieBetween(path); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A crashingTracker ends the process as soon as it has prepared something.
type crashingTracker struct{ *coexistence.Tracker }

func (t crashingTracker) Prepare(ctx context.Context, batch []webhook.Preparation) {
	t.Tracker.Prepare(ctx, batch)
	fmt.Println("prepared", len(batch))
	os.Exit(diedBetween)
}

// dieBetween is the child: it handles what is in the file, and says what, until nothing is left.
func dieBetween(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	db, err := sqlite.Open(ctx, sqlite.Config{Path: path})
	if err != nil {
		return err
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store()})
	if err != nil {
		return err
	}
	host := webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		fmt.Println("handled", ev.(*webhook.IncomingMessage).ID)
		return nil
	})
	in, err := db.Inbox(webhook.MultiHandler(crashingTracker{tracker}, host), inbox.Config{})
	if err != nil {
		return err
	}
	if err := in.Start(ctx); err != nil {
		return err
	}
	return errors.Join(in.WaitIdle(ctx), in.Shutdown(ctx), db.Close())
}

// A process that dies when it has prepared events, and before the host's handler has had any of
// them, has stored what they tell and handled none. The next one hands them to the handler: each of
// them, in the order of its conversation, and finds the messages stored once. What was in progress
// when it died is not prepared a second time, so it is not what ends the next process.
func TestAProcessThatDiesBetweenPreparingAndHandlingLosesNothing(t *testing.T) {
	t.Parallel()
	const people, texts = 8, 5
	path := filepath.Join(t.TempDir(), "whatsapp.db")
	store := open(t, path)
	in, err := store.Inbox(new(webhook.Mux), inbox.Config{})
	require.NoError(t, err)
	for n := range people * texts {
		require.NoError(t, in.Receive(t.Context(), says(n%people, n)))
	}
	require.NoError(t, store.Close())

	said, died := live(t, path)
	require.True(t, died)
	require.Len(t, said, 1, "nothing is handled yet")
	require.Contains(t, said[0], "prepared")
	require.NotEmpty(t, messages(t, path), "what was prepared is stored")

	var handled []string
	for lives := 1; died; lives++ {
		require.Less(t, lives, people*texts, "each life that ends leaves fewer that can end another")
		said, died = live(t, path)
		for _, line := range said {
			if id, ok := strings.CutPrefix(line, "handled "); ok {
				handled = append(handled, id)
			}
		}
	}
	last := map[int]int{}
	for _, id := range handled {
		var n int
		_, err := fmt.Sscanf(id, "wamid.%d", &n)
		require.NoError(t, err)
		require.GreaterOrEqual(t, n/people, last[n%people], "in the order of the conversation")
		require.LessOrEqual(t, n/people, last[n%people]+1, "and none is left out")
		last[n%people] = n / people
	}
	require.Len(t, last, people)
	for _, n := range last {
		require.Equal(t, texts-1, n)
	}
	require.Len(t, messages(t, path), people*texts)
}

// live lets a child live, and returns what it has said, and whether it died on the way.
func live(t *testing.T, path string) (said []string, died bool) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), childPath+"="+path)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	if err := child.Wait(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		require.True(t, ok && exit.ExitCode() == diedBetween, "the child ended with %v, and said: %v", err, said)
		return said, true
	}
	return said, false
}

const phone graph.PhoneNumberID = "106540352242922"

// says is the n-th text of all, by a person.
func says(person, n int) webhook.Delivery {
	return webhook.Delivery{ReceivedAt: time.Now(), Body: fmt.Appendf(nil, `{"object":"whatsapp_business_account",`+
		`"entry":[{"id":"102290129340398","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100199","phone_number_id":"%s"},`+
		`"contacts":[{"profile":{"name":"Ada"},"wa_id":"1555010%04d"}],"messages":[{"from":"1555010%04d",`+
		`"id":"wamid.%d","timestamp":"%d","type":"text","text":{"body":"Hi"}}]}}]}]}`,
		phone, person, person, n, 1795168800+n)}
}

// messages returns the ids of all texts that are stored in a file.
func messages(t *testing.T, path string) (ids []string) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.SQL().QueryContext(t.Context(), "SELECT id FROM coexistence_messages")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	return ids
}
