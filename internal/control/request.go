package control

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A RequestView is a Graph call of the host, as JSON.
type RequestView struct {
	Method        string    `json:"method"`
	Path          string    `json:"path"`
	Status        int       `json:"status"`
	Code          int       `json:"code,omitzero"`
	Meaning       string    `json:"meaning,omitzero"` // of the code
	Advice        string    `json:"advice,omitzero"`  // what to do about it
	PhoneNumberID string    `json:"phone_number_id,omitzero"`
	Dropped       bool      `json:"dropped,omitzero"`
	Fault         string    `json:"fault,omitzero"`
	At            time.Time `json:"at"`
}

// ViewRequest returns a Graph call as JSON. The meaning of an error code is in our own words.
func ViewRequest(r cloudapitest.LoggedRequest) RequestView {
	v := RequestView{
		Method: r.Method, Path: r.Path, Status: r.Status, Code: int(r.Code), PhoneNumberID: string(r.PhoneNumberID),
		Dropped: r.Dropped, Fault: r.Fault, At: r.At,
	}
	if info, ok := graph.Lookup(r.Code, 0); ok && r.Code != 0 {
		v.Meaning, v.Advice = info.Meaning, info.Advice
	}
	return v
}

// listRequests lists the latest Graph calls, oldest first.
func (a *API) listRequests(r *http.Request) (int, any, error) {
	n, err := limit(r, 100)
	if err != nil {
		return 0, nil, err
	}
	q := r.URL.Query()
	if failed := q.Get("failed"); failed != "" && failed != "true" && failed != "false" {
		return 0, nil, invalid("failed is true or false")
	}
	all := a.World().Graph().Requests()
	list := struct {
		Data []RequestView `json:"data"`
	}{[]RequestView{}}
	for _, req := range slices.Backward(all) {
		if len(list.Data) == n {
			break
		}
		if q.Get("failed") == "true" && req.Status < 400 && !req.Dropped ||
			q.Get("path") != "" && !strings.Contains(req.Path, q.Get("path")) ||
			q.Get("method") != "" && req.Method != q.Get("method") {
			continue
		}
		list.Data = append(list.Data, ViewRequest(req))
	}
	slices.Reverse(list.Data)
	return 0, list, nil
}
