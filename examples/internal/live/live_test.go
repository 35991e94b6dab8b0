package live_test

import (
	"bufio"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/live"
)

func TestAPageIsSentWhenItIsAnother(t *testing.T) {
	t.Parallel()
	var news live.News
	var page atomic.Value
	page.Store("one\n\"line\"")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		news.Stream(w, r, func() (string, error) {
			if page.Load() == "broken" {
				return "", errors.New("it is broken")
			}
			return page.Load().(string), nil
		})
	}))
	t.Cleanup(srv.Close)
	listen := func() *bufio.Scanner {
		resp, err := http.Get(srv.URL)
		require.NoError(t, err)
		t.Cleanup(func() { _ = resp.Body.Close() })
		return bufio.NewScanner(resp.Body)
	}
	next := func(s *bufio.Scanner) string {
		for s.Scan() {
			if data, ok := strings.CutPrefix(s.Text(), "data: "); ok {
				return data
			}
		}
		return "the end"
	}
	s := listen()
	require.Equal(t, `"one\n\"line\""`, next(s))
	news.Tell() // nothing is new
	page.Store("two")
	begun := time.Now()
	news.Tell()
	require.Equal(t, `"two"`, next(s))
	require.Less(t, time.Since(begun), 30*time.Second)
	page.Store("three") // without a Tell
	require.Equal(t, `"three"`, next(s))
	page.Store("broken")
	news.Tell()
	require.Equal(t, "the end", next(s))

	page.Store("four")
	s = listen()
	require.Equal(t, `"four"`, next(s))
	news.Close()
	require.Equal(t, "the end", next(s))
}
