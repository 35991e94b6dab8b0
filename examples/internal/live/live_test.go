package live_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/live"
)

// A page is one that tests change while streams show it.
type page struct {
	mu            sync.Mutex
	version, text string
	allowed, fail error
	renders       int
}

// set is what the page shows from now on, and a version for it.
func (p *page) set(text string) { p.change(func() { p.version, p.text = text, text }) }

func (p *page) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *page) rendered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.renders
}

// of is the page for a stream of a topic and a session.
func (p *page) of(topic, session string) live.Page {
	return live.Page{
		Topic: topic, Session: session,
		Allowed: func(context.Context) error { p.mu.Lock(); defer p.mu.Unlock(); return p.allowed },
		Version: func(context.Context) (string, error) { p.mu.Lock(); defer p.mu.Unlock(); return p.version, nil },
		Render: func(context.Context, string) (string, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.renders++
			return p.text, p.fail
		},
	}
}

// A listener is a browser with an open page, in a bubble.
type listener struct {
	cancel context.CancelFunc

	mu     sync.Mutex
	header http.Header
	status int
	body   strings.Builder
	ended  bool
	until  []time.Time // the deadlines of what is written
}

func (l *listener) Header() http.Header { return l.header }

func (l *listener) WriteHeader(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

func (l *listener) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.body.Write(b)
}

func (l *listener) Flush() {}

func (l *listener) SetWriteDeadline(at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = append(l.until, at)
	return nil
}

func listen(t *testing.T, news *live.News, p live.Page) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &listener{cancel: cancel, header: http.Header{}, status: http.StatusOK}
	go func() {
		news.Stream(l, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), p)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended = true
	}()
	synctest.Wait()
	return l
}

// got returns what came since the last call.
func (l *listener) got() string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.body.Reset()
	return l.body.String()
}

// over reports whether the stream has ended, and with which status.
func (l *listener) over() (bool, int) {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended, l.status
}

func requireOver(t *testing.T, l *listener) {
	t.Helper()
	over, _ := l.over()
	require.True(t, over, "the stream goes on")
}

func requireOpen(t *testing.T, l *listener) {
	t.Helper()
	over, status := l.over()
	require.False(t, over, "the stream has ended")
	require.Equal(t, http.StatusOK, status)
}

func TestAPageIsSentWhenItIsAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var news live.News
		p := &page{text: "one\n\"line\"", version: "1"}
		l := listen(t, &news, p.of("a", "s"))
		require.Equal(t, "data: \"one\\n\\\"line\\\"\"\n\n", l.got())
		p.change(func() { p.version = "2" }) // and the text is the same
		news.Tell("a")
		time.Sleep(live.Pause)
		require.Empty(t, l.got())
		p.set("three")
		news.Tell("a")
		require.Empty(t, l.got(), "there is no pause")
		time.Sleep(live.Pause)
		require.Equal(t, "data: \"three\"\n\n", l.got())
		p.set("four") // without a Tell, as by another process
		time.Sleep(live.Pause + live.Look)
		require.Equal(t, "data: \"four\"\n\n", l.got())
		p.change(func() { p.version, p.fail = "five", errors.New("it is broken") })
		time.Sleep(live.Pause + live.Look)
		require.Empty(t, l.got())
		requireOver(t, l)

		p.change(func() { p.fail = nil })
		l = listen(t, &news, p.of("a", "s"))
		require.NotEmpty(t, l.got())
		time.Sleep(live.Pause)
		news.Close()
		require.Empty(t, l.got())
		requireOver(t, l)
	})
}

// An open page that nothing happens to is not rendered again, and the news of one tenant is no news
// to another.
func TestAPageIsRenderedForItsOwnNewsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var news live.News
		mine, other := &page{text: "mine"}, &page{text: "other"}
		m, o := listen(t, &news, mine.of("mine", "s")), listen(t, &news, other.of("other", "t"))
		for range 20 {
			mine.change(func() { mine.version += "."; mine.text += "." })
			news.Tell("mine")
			time.Sleep(live.Pause)
			require.NotEmpty(t, m.got())
		}
		require.Equal(t, 21, mine.rendered())
		require.Equal(t, 1, other.rendered())
		require.Equal(t, "data: \"other\"\n\n", o.got())
		time.Sleep(live.Life / 2)
		require.Equal(t, 21, mine.rendered())
		m.cancel()
		o.cancel()
	})
}

// After the sign-out, nothing is written but that the session has ended: even if the sign-out comes
// while the page is rendered.
func TestAStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var news live.News
		p := &page{text: "one"}
		l := listen(t, &news, p.of("a", "s"))
		require.NotEmpty(t, l.got())
		slow := p.of("a", "s")
		render := slow.Render
		slow.Render = func(ctx context.Context, version string) (string, error) {
			time.Sleep(time.Second)
			return render(ctx, version)
		}
		rendering := listen(t, &news, slow)
		p.change(func() { p.version, p.text, p.allowed = "2", "a new customer", live.ErrEnded })
		news.Tell("a")
		time.Sleep(live.Look)
		for _, l := range []*listener{l, rendering} {
			require.Equal(t, "event: end\ndata:\n\n", l.got())
			requireOver(t, l)
		}

		p.change(func() { p.allowed = nil })
		l = listen(t, &news, p.of("a", "s"))
		require.NotEmpty(t, l.got())
		p.change(func() { p.allowed = live.ErrEnded }) // and nothing happens
		time.Sleep(live.Pause + live.Look)
		require.Equal(t, "event: end\ndata:\n\n", l.got())
		requireOver(t, l)
	})
}

func TestAStreamEndsAfterItsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var news live.News
		p := &page{text: "one"}
		end := time.Now().Add(live.Life)
		l := listen(t, &news, p.of("a", "s"))
		time.Sleep(live.Life - time.Nanosecond)
		over, _ := l.over()
		require.False(t, over)
		time.Sleep(time.Nanosecond)
		require.Equal(t, "data: \"one\"\n\n", l.got(), "and the browser asks again")
		requireOver(t, l)
		require.Equal(t, []time.Time{end, {}}, l.until, "a browser that reads nothing holds it no longer")
	})
}

func TestASessionHasSixStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var news live.News
		p := &page{text: "one"}
		var all []*listener
		for i := range live.PerSession {
			all = append(all, listen(t, &news, p.of(strings.Repeat("a", i), "s")))
			requireOpen(t, all[i])
		}
		_, status := listen(t, &news, p.of("a", "s")).over()
		require.Equal(t, http.StatusTooManyRequests, status)
		other := listen(t, &news, p.of("a", "another"))
		requireOpen(t, other)
		all[0].cancel()
		requireOver(t, all[0])
		all[0] = listen(t, &news, p.of("a", "s"))
		requireOpen(t, all[0])
		for _, l := range append(all, other) {
			l.cancel()
		}
	})
}
