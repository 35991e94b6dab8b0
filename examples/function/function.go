package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A request is what a platform for functions passes on. The names are those of AWS Lambda behind API Gateway; others differ in
// names only.
type request struct {
	Method  string            `json:"httpMethod"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"queryStringParameters"`
	Body    string            `json:"body"`
	Base64  bool              `json:"isBase64Encoded"`
}

type response struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

// A function is everything behind the callback URL.
type function struct {
	appSecret, verifyToken string

	// handle handles one event. An error asks Meta to deliver again.
	handle func(context.Context, webhook.Event) error
}

func (f *function) invoke(ctx context.Context, req request) response {
	switch req.Method {
	case http.MethodGet:
		return f.handshake(req)
	case http.MethodPost:
		return response{Status: f.receive(ctx, req)}
	}
	return response{Status: http.StatusMethodNotAllowed, Headers: map[string]string{"allow": "GET, POST"}}
}

// handshake shows Meta that the callback URL is ours.
func (f *function) handshake(req request) response {
	given, want := sha256.Sum256([]byte(req.Query["hub.verify_token"])), sha256.Sum256([]byte(f.verifyToken))
	if f.verifyToken == "" || req.Query["hub.mode"] != "subscribe" || subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		return response{Status: http.StatusForbidden}
	}
	return response{
		Status:  http.StatusOK,
		Headers: map[string]string{"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"},
		Body:    req.Query["hub.challenge"],
	}
}

// receive verifies the bytes as they came, and answers before a stranger's JSON was looked at.
func (f *function) receive(ctx context.Context, req request) (status int) {
	body := []byte(req.Body)
	if req.Base64 {
		var err error
		if body, err = base64.StdEncoding.DecodeString(req.Body); err != nil {
			return http.StatusBadRequest
		}
	}
	if err := webhook.Verify(body, req.header(webhook.SignatureHeader), f.appSecret); err != nil {
		return http.StatusUnauthorized
	}
	events, err := webhook.Decode(body)
	if err != nil {
		return http.StatusOK // no repeat makes it JSON; a host keeps the bytes
	}
	var errs []error
	for _, ev := range events {
		errs = append(errs, f.handle(ctx, ev))
	}
	if err := errors.Join(errs...); err != nil && !webhook.IsPermanent(err) {
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

// header finds a header in any case: some platforms write them all in lower case.
func (r request) header(name string) string {
	for key, value := range r.Headers {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}
