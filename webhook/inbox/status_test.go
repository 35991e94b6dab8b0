package inbox_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

func page(t *testing.T, in *inbox.Inbox, method string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	in.StatusPage().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/", nil))
	return w
}

func TestTheStatusPageShowsWhatThereIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{then: func(_ context.Context, name string) error {
			switch name {
			case "given up":
				return webhook.Permanent(errors.New("<no such customer>"))
			case "later":
				return errors.New("busy")
			}
			return nil
		}}
		in := start(t, new(inbox.MemStore), r, inbox.Config{
			WorkerID: "test", Backoff: func(int) time.Duration { return time.Hour },
		})
		require.Contains(t, page(t, in, http.MethodGet).Body.String(), "Nothing to do.")
		receive(t, in, says("15550100101", "given up", "fine"), says("15550100102", "later", "behind"))
		pass(90 * time.Second)
		w := page(t, in, http.MethodGet)
		require.Equal(t, http.StatusOK, w.Code)
		text := w.Body.String()
		for _, want := range []string{
			"2 to do, the oldest for 1m30s", "1 given up", "&lt;no such customer&gt;", "messages", "106540352242922",
			"of test",
		} {
			require.Contains(t, text, want)
		}
		require.NotContains(t, text, "15550100101", "customers' numbers are nobody's business here")
		require.NotContains(t, text, "hello")
	})
}

func TestTheStatusPageRunsNoScripts(t *testing.T) {
	t.Parallel()
	in, err := inbox.New(new(inbox.MemStore), new(recorder), inbox.Config{})
	require.NoError(t, err)
	w := page(t, in, http.MethodGet)
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	require.Equal(t, "5", w.Header().Get("Refresh"), "it stays up to date")
	require.NotContains(t, w.Body.String(), "http-equiv", "axe-core rejects it")
	again := page(t, in, http.MethodGet)
	require.NotEqual(t, nonce(t, w.Body.String()), nonce(t, again.Body.String()))
	require.Equal(t, http.StatusMethodNotAllowed, page(t, in, http.MethodPost).Code)
}

func TestTheStatusPageSaysThatTheStoreIsDown(t *testing.T) {
	t.Parallel()
	in, err := inbox.New(&brokenStats{new(inbox.MemStore), errDown}, new(recorder), inbox.Config{})
	require.NoError(t, err)
	w := page(t, in, http.MethodGet)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), "the store is down")
}

func nonce(t *testing.T, text string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, `nonce="`)
	require.True(t, found)
	n, _, _ := strings.Cut(rest, `"`)
	return n
}

type brokenStats struct {
	inbox.Store
	err error
}

func (s *brokenStats) Stats(ctx context.Context) (inbox.Stats, error) {
	if s.err != nil {
		return inbox.Stats{}, s.err
	}
	return s.Store.Stats(ctx)
}
