package control

import (
	"net/http"
	"time"
)

// A deliveryView is the delivery settings of webhooks as JSON. In a change, an omitted member keeps
// its value.
type deliveryView struct {
	DuplicatesPercent  *int    `json:"duplicates_percent,omitzero"`
	Reorder            *int    `json:"reorder,omitzero"`
	Batch              *int    `json:"batch,omitzero"`
	LostAnswersPercent *int    `json:"lost_answers_percent,omitzero"`
	Delay              *string `json:"delay,omitzero"`
}

func (a *API) getDelivery(*http.Request) (int, any, error) {
	d := a.World().Delivery()
	return 0, deliveryView{
		&d.DuplicatesPercent, &d.Reorder, &d.Batch, &d.LostAnswersPercent, new(d.Delay.String()),
	}, nil
}

// patchDelivery changes the delivery settings of later webhooks.
func (a *API) patchDelivery(r *http.Request) (int, any, error) {
	in, err := read[deliveryView](r)
	if err != nil {
		return 0, nil, err
	}
	w := a.World()
	d := w.Delivery()
	for _, m := range []struct {
		name     string
		from, to *int
		min, max int
	}{
		{"duplicates_percent", in.DuplicatesPercent, &d.DuplicatesPercent, 0, 100},
		{"lost_answers_percent", in.LostAnswersPercent, &d.LostAnswersPercent, 0, 99},
		{"reorder", in.Reorder, &d.Reorder, 1, 1000},
		{"batch", in.Batch, &d.Batch, 1, 1000},
	} {
		switch {
		case m.from == nil:
		case *m.from < m.min || *m.from > m.max:
			return 0, nil, invalid("%s is a number from %d to %d", m.name, m.min, m.max)
		default:
			*m.to = *m.from
		}
	}
	if in.Delay != nil {
		var delay time.Duration
		if delay, err = duration("delay", *in.Delay); err != nil {
			return 0, nil, err
		}
		d.Delay = delay
	}
	w.SetDelivery(d)
	return a.getDelivery(r)
}
