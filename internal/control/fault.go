package control

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A faultParams is a pending failure of the Graph API as JSON: [cloudapitest.Fault].
type faultParams struct {
	On         string     `json:"on"`
	Times      int        `json:"times"`
	Accept     bool       `json:"accept"`
	Code       graph.Code `json:"code"`
	Subcode    int        `json:"subcode"`
	Details    string     `json:"details"`
	Status     int        `json:"status"`
	Body       string     `json:"body"`
	RetryAfter string     `json:"retry_after"`
	Delay      string     `json:"delay"`
	Drop       bool       `json:"drop"`
	Half       bool       `json:"half"`
	Garble     bool       `json:"garble"`
	Reset      bool       `json:"reset"`
}

// A faultsView counts pending failures.
type faultsView struct {
	Waiting int `json:"waiting"`
}

func (a *API) getFaults(*http.Request) (int, any, error) {
	return 0, faultsView{a.World().Graph().Faults()}, nil
}

// addFault makes the next requests of a route fail.
func (a *API) addFault(r *http.Request) (int, any, error) {
	in, err := read[faultParams](r)
	if err != nil {
		return 0, nil, err
	}
	f := cloudapitest.Fault{
		On: in.On, Times: in.Times, Accept: in.Accept, Code: in.Code, Subcode: in.Subcode, Details: in.Details,
		Status: in.Status, Body: in.Body, Drop: in.Drop, Half: in.Half, Garble: in.Garble, Reset: in.Reset,
	}
	switch {
	case f.On != "" && !isRoute(f.On):
		return 0, nil, invalid(`on is a route, such as "POST /{phone-number-id}/messages"`)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return 0, nil, invalid("status is an HTTP status from 200 to 599")
	case f.Times < 0:
		return 0, nil, invalid("times is how many requests fail, 1 or more")
	}
	for _, d := range []struct {
		name, text string
		to         *time.Duration
	}{{"delay", in.Delay, &f.Delay}, {"retry_after", in.RetryAfter, &f.RetryAfter}} {
		if d.text == "" {
			continue
		}
		if *d.to, err = duration(d.name, d.text); err != nil {
			return 0, nil, err
		}
	}
	a.World().Graph().Inject(f)
	return http.StatusCreated, faultsView{a.World().Graph().Faults()}, nil
}

// isRoute reports whether s is a method and a path.
func isRoute(text string) bool {
	method, path, ok := strings.Cut(text, " ")
	return ok && slices.Contains([]string{"GET", "POST", "DELETE"}, method) && strings.HasPrefix(path, "/")
}

// clearFaults removes pending failures and random ones.
func (a *API) clearFaults(*http.Request) (int, any, error) {
	a.World().Graph().ClearFaults()
	a.World().Graph().Chaos(cloudapitest.Chaos{})
	return 0, nil, nil
}

// A chaosParams is the random failure of requests as JSON: [cloudapitest.Chaos].
type chaosParams struct {
	Rate  float64  `json:"rate"`
	Seed  uint64   `json:"seed"`
	On    []string `json:"on,omitzero"`
	Kinds []string `json:"kinds,omitzero"`
	Late  string   `json:"late,omitzero"`
}

// putChaos starts, changes or ends random failures.
func (a *API) putChaos(r *http.Request) (int, any, error) {
	in, err := read[chaosParams](r)
	if err != nil {
		return 0, nil, err
	}
	c := cloudapitest.Chaos{Rate: in.Rate, Seed: in.Seed, On: in.On, Kinds: in.Kinds}
	if in.Rate < 0 || in.Rate > 1 {
		return 0, nil, invalid("rate is the share of requests that fail, from 0 to 1")
	}
	for _, on := range in.On {
		if !isRoute(on) {
			return 0, nil, invalid(`on holds routes, such as "POST /{phone-number-id}/messages"`)
		}
	}
	for _, kind := range in.Kinds {
		if !slices.Contains(cloudapitest.ChaosKinds(), kind) {
			return 0, nil, invalid("%q is not a kind of fault; there are: %s", kind,
				strings.Join(cloudapitest.ChaosKinds(), "; "))
		}
	}
	if in.Late != "" {
		if c.Late, err = duration("late", in.Late); err != nil {
			return 0, nil, err
		}
	}
	if len(in.Kinds) == 1 && in.Kinds[0] == "accepted, late" && c.Late == 0 {
		return 0, nil, invalid("late is missing: the delay of late answers")
	}
	a.World().Graph().Chaos(c)
	return 0, in, nil
}
