package main

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"
)

// maxForm is how large a form may be, in bytes: a campaign for all people that its page shows is a
// tenth of it.
const maxForm = 1 << 20

// formTime is how long a form may take to arrive. The server has no ReadTimeout, which would end
// the pages' streams of news too.
const formTime = 30 * time.Second

// forms parses posted forms before any handler runs and before the visitor is known. Then
// r.PostForm has the values. No form of the product has a file, so a form with one is refused:
// net/http would write files of any size to disk, also for a stranger. Handlers read r.PostForm and
// never call r.PostFormValue, which parses such forms. What has another type, like the JSON of the
// simulated phone, is left to its handler, with the same limit.
func forms(next http.Handler) http.Handler {
	return http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if strings.HasPrefix(kind, "multipart/") {
			http.Error(w, "Send the form as application/x-www-form-urlencoded.", http.StatusUnsupportedMediaType)
			return
		}
		conn := http.NewResponseController(w)
		if r.Method == http.MethodPost {
			_ = conn.SetReadDeadline(time.Now().Add(formTime)) // a test's recorder has none
		}
		var err error = &http.MaxBytesError{Limit: maxForm}
		if r.ContentLength <= maxForm { // otherwise nothing of it is read
			err = r.ParseForm()
		}
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			http.Error(w, "The form is too large.", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "The form cannot be read.", http.StatusBadRequest)
			return
		}
		if r.Method == http.MethodPost {
			_ = conn.SetReadDeadline(time.Time{})
		}
		next.ServeHTTP(w, r)
	}), maxForm)
}
