package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A webhookView is a delivery as JSON.
type webhookView struct {
	Number        int             `json:"number"`
	Fields        []webhook.Field `json:"fields"`
	Summary       string          `json:"summary"` // in words
	State         string          `json:"state"`   // waiting, acknowledged, given_up
	Duplicate     bool            `json:"duplicate,omitzero"`
	WABAID        string          `json:"waba_id,omitzero"`
	PhoneNumberID string          `json:"phone_number_id,omitzero"`
	Bytes         int             `json:"bytes"`
	Attempts      []attemptView   `json:"attempts"`
	Body          json.RawMessage `json:"body,omitzero"` // only if a single webhook is requested
}

// An attemptView is one attempt to deliver. Status is 0 without a response.
type attemptView struct {
	At      time.Time `json:"at"`
	Status  int       `json:"status"`
	Problem string    `json:"problem,omitzero"`
}

// states names the states of deliveries.
var states = map[coexistencetest.DeliveryState]string{
	coexistencetest.DeliveryWaiting:      "waiting",
	coexistencetest.DeliveryAcknowledged: "acknowledged",
	coexistencetest.DeliveryGivenUp:      "given_up",
}

// viewWebhook returns a delivery as JSON, without its body.
func viewWebhook(d coexistencetest.Delivery) webhookView {
	v := webhookView{
		Number: d.Number, Fields: d.Fields, Summary: Describe(d.Body), State: states[d.State], Duplicate: d.Duplicate,
		WABAID: string(d.WABAID), PhoneNumberID: string(d.PhoneNumberID), Bytes: len(d.Body), Attempts: []attemptView{},
	}
	for _, t := range d.Attempts {
		v.Attempts = append(v.Attempts, attemptView{t.At, t.Status, t.Problem})
	}
	return v
}

// listWebhooks lists the latest matching deliveries in the order of their numbers, and counts what
// was not delivered because a subscription is missing.
func (a *API) listWebhooks(r *http.Request) (int, any, error) {
	f, err := webhookFilter(r)
	if err != nil {
		return 0, nil, err
	}
	w := a.World()
	found, total := w.FindDeliveries(f)
	list := struct {
		Data       []webhookView    `json:"data"`
		Total      int              `json:"total"`
		Suppressed []SuppressedView `json:"suppressed"`
	}{[]webhookView{}, total, Suppressed(w)}
	for _, d := range found {
		list.Data = append(list.Data, viewWebhook(d))
	}
	return 0, list, nil
}

// webhookFilter parses the filter of a list of webhooks.
func webhookFilter(r *http.Request) (f coexistencetest.DeliveryFilter, err error) {
	q := r.URL.Query()
	f.Field = webhook.Field(q.Get("field"))
	if f.Last, err = limit(r, 100); err != nil {
		return f, err
	}
	if text := q.Get("after"); text != "" {
		if f.After, err = strconv.Atoi(text); err != nil || f.After < 0 {
			return f, invalid("after is the number of a webhook")
		}
	}
	for state, word := range states {
		if word == q.Get("state") {
			f.State = state
		}
	}
	if q.Get("state") != "" && f.State == "" {
		return f, invalid("state is waiting, acknowledged or given_up")
	}
	return f, nil
}

// A SuppressedView counts webhooks of a field that Meta would not have sent, for one reason.
type SuppressedView struct {
	Field  webhook.Field `json:"field"`
	Reason string        `json:"reason"`
	Times  int           `json:"times"`
}

// Suppressed counts what was not delivered because a subscription is missing.
func Suppressed(w *coexistencetest.World) []SuppressedView {
	list := []SuppressedView{}
	at := map[[2]string]int{}
	for _, s := range w.Suppressed() {
		key := [2]string{string(s.Field), s.Reason}
		if _, ok := at[key]; !ok {
			at[key] = len(list)
			list = append(list, SuppressedView{Field: s.Field, Reason: s.Reason})
		}
		list[at[key]].Times++
	}
	return list
}

// webhookNumber parses the number of the delivery in a path.
func (a *API) webhookNumber(r *http.Request) (int, error) {
	n, err := strconv.Atoi(r.PathValue("number"))
	if err == nil {
		_, err = a.World().FindDelivery(n)
	}
	if err != nil {
		return 0, missing("there is no webhook %s, or it is too old", r.PathValue("number"))
	}
	return n, nil
}

// getWebhook returns a delivery with its body.
func (a *API) getWebhook(r *http.Request) (int, any, error) {
	n, err := a.webhookNumber(r)
	if err != nil {
		return 0, nil, err
	}
	d, err := a.World().FindDelivery(n)
	if err != nil {
		return 0, nil, err
	}
	v := viewWebhook(d)
	v.Body = d.Body
	return 0, v, nil
}

// resendWebhook repeats a delivery.
func (a *API) resendWebhook(r *http.Request) (int, any, error) {
	n, err := a.webhookNumber(r)
	if err != nil {
		return 0, nil, err
	}
	d, err := a.World().Resend(n)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusAccepted, viewWebhook(d), nil
}

// streamPause is how often a stream polls for new webhooks.
const streamPause = 100 * time.Millisecond

// streamWebhooks sends each new webhook as a server-sent event, once it is in progress or settled.
// The stream ends with the request or at a reset. It continues after a snapshot is restored: later
// webhooks are sent although their numbers repeat.
func (a *API) streamWebhooks(w http.ResponseWriter, r *http.Request) {
	world, before := a.World(), a.restored()
	_, seen := world.FindDeliveries(coexistencetest.DeliveryFilter{Last: 1})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	if _, err := fmt.Fprint(w, ": webhooks from now on\n\n"); err != nil || flush.Flush() != nil {
		return
	}
	for {
		found, _ := world.FindDeliveries(coexistencetest.DeliveryFilter{After: seen})
		switch now := a.restored(); {
		case now.underWay > 0:
			found = nil // from before or after the restore
		case now.done != before.done:
			before, seen = now, now.webhooks
			continue
		}
		for _, d := range found {
			v := viewWebhook(d)
			v.Body = d.Body
			b, err := json.Marshal(v)
			if err != nil {
				return
			}
			if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", d.Number, b); err != nil {
				return
			}
			seen = d.Number
		}
		if len(found) > 0 && flush.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(streamPause):
		}
		if a.World() != world {
			return
		}
	}
}
