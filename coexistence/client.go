package coexistence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ClientFunc returns the client that calls with the token of the business that owns a number. The
// host stores the tokens, and returns client.WithToken(token), where client is the one of the app.
// It is called before every call to Meta, from several goroutines. An error means that the number
// cannot be called for now.
type ClientFunc func(ctx context.Context, phone graph.PhoneNumberID) (*cloudapi.Client, error)

// errNoClient is what every call to Meta returns if the tracker only follows.
var errNoClient = errors.New("coexistence: Config.Client is nil; set it to a function that returns the client " +
	"with the token of the business that owns a number")

// Client returns the client of the business that owns a number: what [Config].Client returns. It
// fails if that is nil.
func (t *Tracker) Client(ctx context.Context, phone graph.PhoneNumberID) (*cloudapi.Client, error) {
	if t.cfg.Client == nil {
		return nil, errNoClient
	}
	c, err := t.cfg.Client(ctx, phone)
	if err == nil && c == nil {
		err = errors.New("the function of Config.Client returned none")
	}
	if err != nil {
		return nil, fmt.Errorf("coexistence: number %s has no client: %w", phone, err)
	}
	return c, nil
}

// A clientInfo is what the handling of events needs to know of a number's client: the app, and the
// limiter that counts what arrives.
type clientInfo struct {
	id      graph.AppID
	inbound cloudapi.InboundRecorder // nil if the limiter counts nothing

	// unknownUntil is set if the client could not be had, and is when to ask again.
	unknownUntil time.Time
}

// describe returns the clientInfo of a client, zero if there is none.
func describe(c *cloudapi.Client) clientInfo {
	if c == nil {
		return clientInfo{}
	}
	recorder, _ := c.Limiter().(cloudapi.InboundRecorder)
	return clientInfo{id: c.AppID(), inbound: recorder}
}

// Events do not wait for tokens: a lookup of a client gets appLookupTime, and one that failed is
// not repeated before appLookupPause is over.
const appLookupTime, appLookupPause = 2 * time.Second, time.Minute

// app returns the app of a number's client, which is remembered for the life of the process: a
// token is not read for every message. It is zero if there is no client, or none can be had for
// now; then it is asked for again after a pause.
func (t *Tracker) app(ctx context.Context, phone graph.PhoneNumberID) clientInfo {
	if t.cfg.Client == nil {
		return clientInfo{}
	}
	if known, ok := t.apps.Load(phone); ok {
		app, _ := known.(clientInfo)
		if app.unknownUntil.IsZero() || time.Now().Before(app.unknownUntil) {
			return app
		}
	}
	ctx, cancel := context.WithTimeout(ctx, appLookupTime)
	defer cancel()
	c, err := t.Client(ctx, phone)
	app := describe(c)
	if err != nil {
		app.unknownUntil = time.Now().Add(appLookupPause)
	}
	t.apps.Store(phone, app)
	return app
}
