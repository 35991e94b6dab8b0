package httpbody_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/httpbody"
)

func TestRead(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	for name, size := range map[string]int{
		"empty": 0, "one byte": 1, "the first room": 4 << 10, "a byte less": 4<<10 - 1, "a byte more": 4<<10 + 1,
		"twice": 8 << 10, "the limit": limit,
	} {
		for form, announced := range map[string]int64{
			"announced": int64(size), "not announced": -1, "less announced": int64(size / 2), "more announced": limit,
		} {
			t.Run(name+", "+form, func(t *testing.T) {
				t.Parallel()
				want := bytes.Repeat([]byte("x"), size)
				for _, from := range []io.Reader{
					bytes.NewReader(want),
					iotest.DataErrReader(bytes.NewReader(want)),
					iotest.HalfReader(bytes.NewReader(want)),
				} {
					r := httptest.NewRequest(http.MethodPost, "/", from)
					r.ContentLength = announced
					got, err := httpbody.Read(httptest.NewRecorder(), r, limit)
					require.NoError(t, err)
					require.Equal(t, string(want), string(got))
				}
			})
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	broken := errors.New("the line is cut")
	tests := map[string]struct {
		body      io.Reader
		announced int64
		want      error
	}{
		"more than the limit is announced":  {strings.NewReader("x"), 11, new(http.MaxBytesError)},
		"more than the limit comes":         {strings.NewReader("01234567890"), -1, new(http.MaxBytesError)},
		"more than the limit and announced": {strings.NewReader("01234567890"), 5, new(http.MaxBytesError)},
		"the line is cut":                   {iotest.ErrReader(broken), 5, broken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", tt.body)
			r.ContentLength = tt.announced
			_, err := httpbody.Read(httptest.NewRecorder(), r, 10)
			if _, tooLarge := errors.AsType[*http.MaxBytesError](tt.want); tooLarge {
				require.ErrorAs(t, err, new(*http.MaxBytesError))
				return
			}
			require.ErrorIs(t, err, tt.want)
		})
	}
}
