package control

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// Config configures an [API] for a world that it makes itself. NewWorld is required.
type Config struct {
	// NewWorld returns a new world. It is called at the start and at each reset, which then closes
	// the previous world.
	NewWorld func() (*coexistencetest.World, error)

	// Seed is loaded into each new world. The zero Seed is empty.
	Seed Seed

	// Callback is the URL that receives webhooks. If empty, none are sent until a call sets it.
	Callback string

	// Bare leaves the exchange of the code and the subscription to the host. If false, [API] does
	// both when a signup ends.
	Bare bool

	// Changed is called with a line for people when the result of the callback's handshake changes.
	// If nil, nothing is called.
	Changed func(line string)
}

// An API controls a world. It is safe for concurrent use. Close it when done.
type API struct {
	cfg  Config
	only *coexistencetest.Phone // the phone that may be controlled; nil for all

	mu       sync.Mutex
	world    *coexistencetest.World
	client   *cloudapi.Client
	signups  map[*coexistencetest.Phone]*signup
	callback *callback

	snapshots []*snapshot // of this world, oldest first
	restores  restoreCount
}

// New makes the world, loads the seed and starts the handshake with the callback.
func New(cfg Config) (*API, error) {
	a := &API{cfg: cfg, callback: &callback{url: cfg.Callback}}
	if err := a.begin(); err != nil {
		return nil, err
	}
	return a, nil
}

// ForPhone returns an API for one phone of the caller's world. It does not see other phones, cannot
// reset the world and shows no secrets. The clock is shared with the whole world.
func ForPhone(world *coexistencetest.World, phone *coexistencetest.Phone, bare bool) (*API, error) {
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		return nil, err
	}
	return &API{
		cfg: Config{Bare: bare}, only: phone, world: world, client: client,
		signups: map[*coexistencetest.Phone]*signup{}, callback: &callback{},
	}, nil
}

// begin replaces the current world by a new one. The caller must hold a.mu, except for the first
// world.
func (a *API) begin() error {
	world, err := a.cfg.NewWorld()
	if err != nil {
		return err
	}
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		world.Close()
		return err
	}
	a.world, a.client, a.signups = world, client, map[*coexistencetest.Phone]*signup{}
	a.snapshots = nil
	if _, err := a.sow(world, a.cfg.Seed); err != nil {
		world.Close()
		return err
	}
	a.callback = a.await(world, a.callback.url)
	return nil
}

// Close ends the world, if New made it.
func (a *API) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.callback.end()
	if a.cfg.NewWorld != nil {
		a.world.Close()
	}
}

// World returns the current world. A reset replaces it.
func (a *API) World() *coexistencetest.World {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.world
}

// maxBody limits the body of a call; a seed is the longest.
const maxBody = 8 << 20

// A handler answers one call. The status is 200 if it is zero.
type handler func(r *http.Request) (status int, body any, err error)

// Routes returns the handler of all calls, below /control/v1. Calls that change something are
// refused if a page of another origin makes them.
func (a *API) Routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range a.calls() {
		mux.Handle(pattern, respond(h))
	}
	mux.HandleFunc("GET /control/v1/openapi.yaml", serveOpenAPI)
	mux.HandleFunc("GET /control/v1/webhooks/stream", a.streamWebhooks)
	mux.HandleFunc("GET /control/v1/phones/{phone}/media/{media}", a.serveMedia)
	return http.NewCrossOriginProtection().Handler(plainErrors(mux))
}

// calls maps patterns to handlers. An API for one phone lacks the calls about the world as a whole.
func (a *API) calls() map[string]handler {
	const v1, phone = "/control/v1", "/control/v1/phones/{phone}"
	const customer = phone + "/customers/{customer}"
	const call = customer + "/calls/{call}"
	all := map[string]handler{
		"GET " + v1 + "/clock":                a.getClock,
		"POST " + v1 + "/clock":               a.postClock,
		"POST " + v1 + "/wait":                a.postWait,
		"GET " + v1 + "/webhooks":             a.listWebhooks,
		"GET " + v1 + "/webhooks/{number}":    a.getWebhook,
		"GET " + v1 + "/phones":               a.listPhones,
		"GET " + phone:                        a.getPhone,
		"POST " + phone + "/open":             a.life(openApp),
		"POST " + phone + "/device":           a.life(changeDevice),
		"POST " + phone + "/reconnect":        a.life(reconnect),
		"POST " + phone + "/disconnect":       a.life(disconnect),
		"POST " + phone + "/downgrade":        a.life(downgrade),
		"POST " + phone + "/idle":             a.life(lieIdle),
		"POST " + phone + "/remove-app":       a.life(removeApp),
		"POST " + phone + "/renumber":         a.renumber,
		"POST " + phone + "/confirm":          a.confirm,
		"POST " + phone + "/refuse":           a.life((*coexistencetest.Phone).Refuse),
		"POST " + phone + "/scan":             a.life(scan),
		"POST " + phone + "/connect":          a.connect,
		"POST " + phone + "/signup":           a.openSignup,
		"GET " + phone + "/signup":            a.getSignup,
		"POST " + phone + "/signup/number":    a.enterNumber,
		"POST " + phone + "/signup/code":      a.enterCode,
		"POST " + phone + "/signup/finish":    a.finishSignup,
		"DELETE " + phone + "/signup":         a.cancelSignup,
		"POST " + phone + "/sync":             a.sync,
		"GET " + phone + "/contacts":          a.listContacts,
		"POST " + phone + "/contacts":         a.saveContact,
		"DELETE " + phone + "/contacts/{who}": a.removeContact,
		"GET " + phone + "/responders":        a.listResponders,
		"POST " + phone + "/responders":       a.addResponder,
		"GET " + phone + "/routing":           a.getRouting,
		"PUT " + phone + "/routing":           a.putRouting,
		"GET " + phone + "/customers":         a.listCustomers,
		"POST " + phone + "/customers":        a.addCustomer,
		"GET " + customer:                     a.getCustomer,
		"POST " + customer + "/renumber":      a.renumberCustomer,
		"GET " + customer + "/messages":       a.listMessages,
		"POST " + customer + "/messages":      a.postMessage,
		"GET " + customer + "/thread":         a.getThread,
		"POST " + customer + "/thread":        a.postThread,
		"GET " + customer + "/calls":          a.listCalls,
		"POST " + customer + "/calls":         a.postCall,
		"POST " + call + "/hang-up":           a.hangUp,
	}
	if a.only != nil {
		return all
	}
	for pattern, h := range map[string]handler{
		"GET /world":                         a.getWorld,
		"POST /reset":                        a.reset,
		"POST /seed":                         a.postSeed,
		"GET /snapshots":                     a.listSnapshots,
		"POST /snapshots":                    a.takeSnapshot,
		"DELETE /snapshots/{snapshot}":       a.deleteSnapshot,
		"POST /snapshots/{snapshot}/restore": a.restoreSnapshot,
		"GET /callback":                      a.getCallback,
		"PUT /callback":                      a.putCallback,
		"POST /phones":                       a.addPhone,
		"POST /webhooks/{number}/resend":     a.resendWebhook,
		"GET /delivery":                      a.getDelivery,
		"PATCH /delivery":                    a.patchDelivery,
		"GET /requests":                      a.listRequests,
		"GET /faults":                        a.getFaults,
		"POST /faults":                       a.addFault,
		"DELETE /faults":                     a.clearFaults,
		"PUT /chaos":                         a.putChaos,
		"GET /templates":                     a.listTemplates,
		"PATCH /templates/{template}":        a.patchTemplate,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		all[method+" "+v1+path] = h
	}
	return all
}

// respond writes a handler's result as JSON.
func respond(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		status, body, err := h(r)
		if err != nil {
			e := asError(err)
			status, body = e.Status, errorBody{e}
		}
		if status == 0 {
			status = http.StatusOK
		}
		writeJSON(w, status, body)
	})
}

// writeJSON writes an answer. Without a body, its status is 204.
func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Cache-Control", "no-store")
	if body == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body)
}

// read decodes the body of a call. Without a body, every member has its default. An undocumented
// member is an error, because most often it is misspelled.
func read[T any](r *http.Request) (v T, err error) {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err = dec.Decode(&v); errors.Is(err, io.EOF) {
		return v, nil
	}
	if err != nil {
		return v, invalid("the body does not fit this call: %v", err)
	}
	return v, nil
}

// duration parses a duration, such as "90m" or "24h".
func duration(name, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, invalid(`%s is a duration such as "90s", "15m" or "24h"`, name)
	}
	return d, nil
}

//go:embed openapi.yaml
var openAPI []byte

// serveOpenAPI serves the document that describes the API.
func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI)
}
