package coexistencetest

import (
	"encoding/json"
	"io"
	"net/http"
)

// popupHandler serves the steps of the popup as JSON, and the two pages that belong to one:
//
//	POST /popups               the launch options; opens a popup
//	POST /popups/{id}/{step}   {"value":"…"}; one thing that the business does
//	GET  /popups/{id}          the page again
//	GET  /popups/{id}/qr.png   the QR code that it shows
//	GET  /popups/{id}/phone    what the phone shows meanwhile
//	POST /popups/{id}/phone    its answer: share, keep or refuse
//
// Every answer is the page that is shown then.
func (w *World) popupHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /popups", func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 1<<20))
		if err != nil {
			answer(rw, http.StatusRequestEntityTooLarge,
				refusalPage("coexistencetest: the launch options are too long"))
			return
		}
		l, err := parseLaunch(body)
		if err != nil {
			answer(rw, http.StatusBadRequest, refusalPage(err.Error()))
			return
		}
		answer(rw, http.StatusCreated, w.openPopup(l))
	})
	// The page is asked for again while the popup waits for the phone.
	mux.HandleFunc("GET /popups/{id}", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		d := w.popups[r.PathValue("id")]
		if d == nil {
			answer(rw, http.StatusNotFound, refusalPage("coexistencetest: there is no such popup"))
			return
		}
		answer(rw, http.StatusOK, d.page(nil))
	})
	mux.HandleFunc("GET /popups/{id}/qr.png", w.serveQR)
	mux.HandleFunc("GET /popups/{id}/phone", w.servePhone)
	mux.HandleFunc("POST /popups/{id}/phone", w.servePhone)
	// Steps are what buttons and fields of the popup do. Which of them a screen has is decided in
	// World.step.
	mux.HandleFunc("POST /popups/{id}/{step}", func(rw http.ResponseWriter, r *http.Request) {
		var in struct {
			Value string `json:"value"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 1<<20)).Decode(&in); err != nil {
			answer(rw, http.StatusBadRequest, refusalPage(`coexistencetest: a step takes {"value":"…"}`))
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		d := w.popups[r.PathValue("id")]
		if d == nil {
			answer(rw, http.StatusNotFound, refusalPage("coexistencetest: there is no such popup"))
			return
		}
		answer(rw, http.StatusOK, w.step(d, r.PathValue("step"), in.Value))
	})
	return mux
}

// answer writes a page of the popup.
func answer(w http.ResponseWriter, status int, page []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(page)
}

// refusalPage is the answer to a step that is not possible. It is no page that Meta shows: a person
// could not have clicked there.
func refusalPage(reason string) []byte { return object(str("refusal", reason)) }
