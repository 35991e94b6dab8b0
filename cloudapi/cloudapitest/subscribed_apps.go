package cloudapitest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// getSubscribedApps answers with the one app, if it is subscribed, and with the account's override.
func (s *Server) getSubscribedApps(c *call) reply {
	type app struct {
		ID   graph.AppID `json:"id"`
		Link string      `json:"link"`
		Name string      `json:"name"`
	}
	type subscribed struct {
		App      app    `json:"whatsapp_business_api_data"`
		Override string `json:"override_callback_uri,omitzero"`
	}
	data := []subscribed{}
	if c.waba.subscribed {
		link := "https://www.facebook.com/games/?app_id=" + string(s.app.ID)
		data = append(data, subscribed{app{s.app.ID, link, s.app.Name}, c.waba.override})
	}
	return ok(struct {
		Data []subscribed `json:"data"`
	}{data})
}

// postSubscribedApps subscribes the app, sets an override, or, without a body, removes the override
// again. An override can be set only when the app is subscribed already.
func (s *Server) postSubscribedApps(c *call) reply {
	var req struct {
		Callback string `json:"override_callback_uri"`
		Token    string `json:"verify_token"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if req.Callback != "" {
		if !c.waba.subscribed {
			return refuse(&graphError{
				Code: graph.CodeInvalidParameter,
				Message: "(#100) Before override the current callback uri, your app must be subscribed " +
					"to receive messages for WhatsApp Business Account",
			})
		}
		if err := s.checkOverride(req.Callback, req.Token); err != nil {
			return refuse(err)
		}
	}
	c.waba.subscribed, c.waba.override = true, req.Callback
	rep := success
	rep.after = s.subscribeHooks(c.waba.ID, true)
	return rep
}

// deleteSubscribedApps ends the subscription, and with it the override.
func (s *Server) deleteSubscribedApps(c *call) reply {
	c.waba.subscribed, c.waba.override = false, ""
	rep := success
	rep.after = s.subscribeHooks(c.waba.ID, false)
	return rep
}

// subscribeHooks are called once the lock is free.
func (s *Server) subscribeHooks(id graph.WABAID, subscribed bool) []func() {
	var after []func()
	for _, hook := range s.onSubscribe {
		after = append(after, func() { hook(id, subscribed) })
	}
	return after
}

// checkOverride checks an override of an account or a number, and asks the URL with the handshake.
func (s *Server) checkOverride(callback, token string) *graphError {
	switch {
	case len(callback) > 200:
		return invalid("override_callback_uri must be at most 200 characters long")
	case token == "":
		return missing("verify_token")
	}
	return s.verifyCallback(callback, token)
}

// callbackTimeout is how long Meta waits for the answer to the handshake, as seen in its error
// message.
const callbackTimeout = 6 * time.Second

// verifyCallback does the handshake. The caller must hold s.mu, which is released meanwhile,
// because the callback may well call back.
func (s *Server) verifyCallback(callback, token string) *graphError {
	s.mu.Unlock()
	err := s.VerifyCallback(callback, graph.Secret(token))
	s.mu.Lock()
	if err == nil {
		return nil
	}
	return &graphError{
		Code:    graph.CodeCallbackVerificationFailed,
		Message: "(#2200) Callback verification failed with the following errors: " + err.Error(),
	}
}

// VerifyCallback is [VerifyCallback], for a callback on the server's [Network] if it has one.
func (s *Server) VerifyCallback(callback string, verifyToken graph.Secret) error {
	if s.network != nil {
		return verifyCallback(s.network.Client(), callback, verifyToken)
	}
	return VerifyCallback(callback, verifyToken)
}

// VerifyCallback does the handshake by which Meta checks a callback URL: a GET with hub.mode,
// hub.challenge and hub.verify_token, which must be answered with 200 and nothing but the
// challenge, within six seconds.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
func VerifyCallback(callback string, verifyToken graph.Secret) error {
	return verifyCallback(&http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, callback, verifyToken)
}

// verifyCallback asks a callback with a challenge that was never used before. Its errors are those
// that a host sees when a callback is set, and hold neither the token nor the URL.
func verifyCallback(client *http.Client, callback string, verifyToken graph.Secret) error {
	u, err := url.Parse(callback)
	if err != nil || u.Host == "" {
		return errors.New("cloudapitest: the callback URL is not a URL with scheme and host")
	}
	challenge := rand.Text()
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.challenge", challenge)
	q.Set("hub.verify_token", verifyToken.Reveal())
	u.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(context.Background(), callbackTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return errors.New("cloudapitest: the callback URL cannot be asked")
	}
	resp, err := client.Do(req)
	if err != nil {
		return errors.New("cloudapitest: the callback URL does not answer the handshake; is the endpoint listening?")
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	switch {
	case err != nil:
		return errors.New("cloudapitest: the answer to the handshake cannot be read")
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("cloudapitest: the callback URL answered the handshake with status %d; "+
			"does it expect another verify token?", resp.StatusCode)
	case string(body) != challenge:
		return errors.New(
			"cloudapitest: the callback URL answered the handshake with something other than the challenge")
	}
	return nil
}
