package control

import (
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// serveMedia serves a file of a chat, in a sandbox, because a host may have uploaded anything.
func (a *API) serveMedia(w http.ResponseWriter, r *http.Request) {
	_, err := a.phone(r)
	mimeType, body, found := a.World().MediaFile(graph.MediaID(r.PathValue("media")))
	if err == nil && !found {
		err = missing("there is no file %q", r.PathValue("media"))
	}
	if err != nil {
		e := asError(err)
		writeJSON(w, e.Status, errorBody{e})
		return
	}
	h := w.Header()
	h.Set("Content-Type", mimeType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	_, _ = w.Write(body) //nolint:gosec // in a sandbox
}
