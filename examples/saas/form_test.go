package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// An upload is a form with a file of any size. At its end it notes what the server has written to
// disk meanwhile; the server deletes that when it has answered.
type upload struct {
	io.Reader

	sent  int64
	files []string
}

const boundary = "a-made-up-boundary"

func newUpload(size int64) *upload {
	head := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\r\n"
	file := io.LimitReader(zeros{}, size)
	return &upload{Reader: io.MultiReader(strings.NewReader(head), file, strings.NewReader("\r\n--"+boundary+"--\r\n"))}
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	u.sent += int64(n)
	if err == io.EOF {
		u.files, _ = filepath.Glob(filepath.Join(os.TempDir(), "multipart-*"))
	}
	return n, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Nothing that is sent without a session reaches the disk, and no more of it is read than the
// largest webhook has bytes.
func TestStrangersUploadNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	a, _ := newTestApp(t)
	patterns := []string{
		"/webhook", "/signin", "/signout", "/static/app.css", "/signup/begin", "/signup/check", "/signup/status",
		"/signup/finish", "/signup/connect.js", "/not-there",
	}
	for pattern := range a.pages() {
		_, path, ok := strings.Cut(pattern, " ")
		if !ok {
			path = pattern
		}
		patterns = append(patterns, strings.NewReplacer("{$}", "", "{", "", "}", "").Replace(path))
	}
	for _, path := range patterns {
		for _, size := range []int64{10 << 20, 80 << 20} { // with 32 MB, net/http begins to write files
			for _, length := range []int64{size, -1} {
				name := fmt.Sprintf("%s, %d MB, length %d", path, size>>20, length)
				body := newUpload(size)
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, body)
				r.ContentLength = length
				r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
				w := httptest.NewRecorder()
				a.routes().ServeHTTP(w, r)
				require.Empty(t, body.files, name)
				require.LessOrEqual(t, body.sent, int64(5<<20), name)
				require.Contains(t, []int{
					http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed,
					http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
				}, w.Code, name)
			}
		}
	}
}

// Those who are signed in post forms of a megabyte at most, and files nowhere.
func TestFormsAreLimited(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	at := a.url + "/numbers/" + bread["phone"] + "/inbox/" + bread["chat"]
	const form = "application/x-www-form-urlencoded"
	long := strings.Repeat("a", 1<<20)
	for name, tt := range map[string]struct {
		kind, text string
		want       int
	}{
		"a reply":      {form, "text=hello&nonce=1", http.StatusSeeOther},
		"a long one":   {form, "nonce=2&text=" + long, http.StatusRequestEntityTooLarge},
		"a broken one": {form, "text=%", http.StatusBadRequest},
		"a file": {
			"multipart/form-data; boundary=" + boundary,
			"--" + boundary + "\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhello\r\n" +
				"--" + boundary + "--\r\n",
			http.StatusUnsupportedMediaType,
		},
	} {
		resp, err := baker.client.Post(at, tt.kind, strings.NewReader(tt.text))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, tt.want, resp.StatusCode, name)
	}
	status, _ := baker.post("/signin", url.Values{"email": {"bakery@example.com"}, "password": {long}})
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
}

// A connection is a recorder with the deadline for reading that a server's connection has.
type connection struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (c *connection) SetReadDeadline(t time.Time) error {
	c.deadline = t
	return nil
}

// Read is the body of a form of which no more comes.
func (c *connection) Read([]byte) (int, error) {
	if c.deadline.IsZero() {
		return 0, errors.New("it would wait for ever")
	}
	time.Sleep(time.Until(c.deadline))
	return 0, os.ErrDeadlineExceeded
}

func TestAFormThatDoesNotArriveIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		c := &connection{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/signin", c)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		forms(http.NotFoundHandler()).ServeHTTP(c, r)
		require.Equal(t, http.StatusBadRequest, c.Code)
		require.Equal(t, formTime, time.Since(begin))
	})
}

// The deadline is for the form alone: a handler may take as long as it likes.
func TestTheDeadlineOfAFormEndsWithIt(t *testing.T) {
	t.Parallel()
	c := &connection{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/signin", strings.NewReader("email=a"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var email string
	var deadline time.Time
	forms(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		email, deadline = r.PostForm.Get("email"), c.deadline
	})).ServeHTTP(c, r)
	require.Equal(t, "a", email)
	require.Zero(t, deadline)
}
