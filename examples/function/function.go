package main

import (
	"context"
	"encoding/base64"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A request is what a platform for functions passes on. The names are those of AWS Lambda behind
// API Gateway; others differ in names only.
type request struct {
	Method  string            `json:"httpMethod"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"queryStringParameters"`
	Body    string            `json:"body"`
	Base64  bool              `json:"isBase64Encoded"`
}

// A response is what the platform makes an HTTP response of.
type response struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

// A function is everything behind the callback URL.
type function struct {
	appSecret   graph.Secret
	verifyToken graph.Secret

	// recv handles a delivery. An error asks Meta to deliver again.
	recv webhook.Receiver
}

// invoke answers one request. Nothing survives it: the platform may stop the process right after.
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
	query := make(url.Values)
	for name, value := range req.Query {
		query.Set(name, value)
	}
	challenge, ok := webhook.Handshake(query, f.verifyToken) // in constant time: the token is a secret
	if !ok {
		return response{Status: http.StatusForbidden}
	}
	return response{
		Status:  http.StatusOK,
		Headers: map[string]string{"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"},
		Body:    challenge,
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
	err := f.recv.Receive(ctx, webhook.Delivery{Body: body, ReceivedAt: time.Now()})
	switch {
	case err == nil:
		return http.StatusOK
	case webhook.IsPermanent(err): // an error would bring it again for seven days, to no end
		log.Printf("acknowledged, because no repeat can help: %v", err)
		return http.StatusOK
	}
	log.Printf("Meta will deliver it again: %v", err)
	return http.StatusInternalServerError
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
