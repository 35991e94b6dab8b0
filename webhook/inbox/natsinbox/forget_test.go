package natsinbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

// onDisk reports whether a word is in any file of the server.
func (s *natsServer) onDisk(word string) bool {
	s.t.Helper()
	found := false
	err := filepath.WalkDir(filepath.Dir(s.file), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		found = found || bytes.Contains(text, []byte(word))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // the server has written it anew meanwhile
		}
		return err
	})
	require.NoError(s.t, err)
	return found
}

// textOf is a body with a word in it, of one of ten customers.
func textOf(serial int, word string) []byte {
	return bytes.ReplaceAll(body(serial, 10), []byte("rye bread"), []byte(word))
}

// forget forgets a customer of body.
func forget(t *testing.T, s *natsinbox.Store, number string) {
	t.Helper()
	require.NoError(t, inbox.Forget(t.Context(), s, inbox.ForgetRequest{
		PhoneNumberID: "106540352242922", People: []graph.Identity{{WAID: number}},
	}))
}

// handleAll is a process that handles everything and ends. Customers of whom refused is true become
// dead letters.
func handleAll(t *testing.T, cfg natsinbox.Config, refused func(graph.Identity) bool, bodies ...[]byte) {
	t.Helper()
	s, err := natsinbox.OpenStore(t.Context(), cfg)
	require.NoError(t, err)
	in, err := inbox.New(s, handler(func(_ context.Context, m *webhook.IncomingMessage) error {
		if refused(m.From) {
			return webhook.Permanent(errors.New("no"))
		}
		return nil
	}), inbox.Config{})
	require.NoError(t, err)
	for _, b := range bodies {
		require.NoError(t, in.Receive(t.Context(), webhook.Delivery{Body: b, ReceivedAt: time.Now()}))
	}
	require.NoError(t, in.Start(t.Context()))
	require.NoError(t, in.WaitIdle(within(t)))
	require.NoError(t, in.Shutdown(t.Context()))
}

// What waits, is dead, or shares a message with others is overwritten in the files of the server,
// and the others stay.
func TestNothingIsLeftInAnyFileOfWhatWasForgotten(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "")
	cfg := s.config()
	all := func(graph.Identity) bool { return true }
	handleAll(t, cfg, all, textOf(1, "heliotrope"), textOf(2, "sourdough"))
	store := s.open(cfg)
	var waiting []inbox.Record // in one message
	for i, word := range []string{"chrysanthemum", "pretzel", "baguette"} {
		waiting = append(waiting, inbox.Record{DedupKey: fmt.Sprint(i), Body: textOf(11+i, word)})
	}
	_, err := store.Append(t.Context(), waiting)
	require.NoError(t, err)
	for _, word := range []string{"heliotrope", "chrysanthemum", "15550100001"} {
		require.True(t, s.onDisk(word), "%s is stored", word)
	}
	forget(t, store, "15550100001")
	for _, word := range []string{"heliotrope", "chrysanthemum", "15550100001"} {
		require.False(t, s.onDisk(word), "%s is left", word)
	}
	for _, word := range []string{"sourdough", "pretzel", "baguette"} {
		require.True(t, s.onDisk(word), "%s is lost", word)
	}
	letters, err := store.DeadLetters(t.Context(), inbox.Filter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, letters, 1)
	require.Contains(t, string(letters[0].Body), "sourdough")
	n, err := store.DeleteDeadLetters(t.Context(), []inbox.ID{letters[0].ID})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, s.onDisk("sourdough"))
}

// What the package documentation says about bodies that were handled before their person is
// forgotten: they go with the file that they are in.
func TestWhatWasHandledGoesWithItsFile(t *testing.T) {
	t.Parallel()
	s := newServer(t, synced, "")
	cfg := s.config()
	second := func(who graph.Identity) bool { return who.WAID == "15550100002" }
	handleAll(t, cfg, second, textOf(1, "heliotrope"))
	require.Eventually(t, func() bool { return !s.onDisk("heliotrope") }, time.Minute, 10*time.Millisecond,
		"an inbox in which all is handled has no file")
	handleAll(t, cfg, second, textOf(2, "sourdough"), textOf(11, "chrysanthemum"))
	store := s.open(cfg)
	forget(t, store, "15550100001")
	require.True(t, s.onDisk("chrysanthemum"), "the file of a dead letter stays as it is")
	forget(t, store, "15550100002")
	require.Eventually(t, func() bool { return !s.onDisk("chrysanthemum") }, time.Minute, 10*time.Millisecond)
	require.False(t, s.onDisk("sourdough"))
}
