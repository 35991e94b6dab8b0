package cloudapi_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Made-up names of everything.
const (
	phoneID    graph.PhoneNumberID = "100000000000001"
	wabaID     graph.WABAID        = "200000000000002"
	businessID graph.BusinessID    = "300000000000003"
	appID      graph.AppID         = "400000000000004"
	appSecret  graph.Secret        = "app-secret-5f4dcc3b5aa765d61d83"
	token      graph.Secret        = "EAAtoken-9e107d9d372bb6826bd81d35"
	historyID                      = cloudapi.MessageHistoryID("500000000000005")
	customer                       = "+15550100123"
	wamid      graph.MessageID     = "wamid.HBgLMTU1NTAxMDAxMjMVAgARGBI"
	sentBody                       = `{"messaging_product":"whatsapp","contacts":[{"input":"+15550100123",` +
		`"wa_id":"15550100123"}],"messages":[{"id":"wamid.sent"}]}`
)

// A step answers one request.
type step func(http.ResponseWriter, *http.Request)

// A script is a server that answers each request with its next step, and the last one forever.
type script struct {
	*httptest.Server

	mu       sync.Mutex
	steps    []step
	requests []seen
	conns    map[string]bool
}

// A seen is a request as it arrived.
type seen struct {
	method string
	target string
	header http.Header
	body   string
}

func serve(t *testing.T, steps ...step) *script {
	t.Helper()
	s := &script{steps: steps, conns: map[string]bool{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, seen{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(body)})
	s.conns[r.RemoteAddr] = true
	next := s.steps[0]
	if len(s.steps) > 1 {
		s.steps = s.steps[1:]
	}
	s.mu.Unlock()
	next(w, r)
}

func (s *script) seen() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.requests...)
}

// client returns a client of the server that does not wait long.
func (s *script) client(t *testing.T, change ...func(*cloudapi.Config)) *cloudapi.Client {
	t.Helper()
	cfg := cloudapi.Config{
		AppID: appID, AppSecret: appSecret, AccessToken: token, BaseURL: s.URL, Limiter: cloudapi.Unlimited,
		Retry: cloudapi.RetryPolicy{MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond},
	}
	return newClient(t, cfg, change...)
}

func newClient(t *testing.T, cfg cloudapi.Config, change ...func(*cloudapi.Config)) *cloudapi.Client {
	t.Helper()
	for _, c := range change {
		c(&cfg)
	}
	c, err := cloudapi.NewClient(cfg)
	require.NoError(t, err)
	return c
}

// reply answers with a status and a JSON body; headers come in pairs.
func reply(status int, body string, headers ...string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// drop takes the request and cuts the connection.
func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// half announces more than it sends.
func half(body string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4096")
		_, _ = io.WriteString(w, body)
	}
}

// graphError is the body of an error with a code and, if not zero, a subcode.
func graphError(code, subcode string) string {
	s := `{"error":{"message":"(#` + code + `) made up","type":"OAuthException","code":` + code
	if subcode != "" {
		s += `,"error_subcode":` + subcode
	}
	return s + `,"fbtrace_id":"Atrace"}}`
}

func text() cloudapi.Message {
	return cloudapi.Message{To: cloudapi.ToPhone(customer), Content: &cloudapi.Text{Body: "Thanks!"}}
}

// A roundTripper is a transport in memory, for bubbles, in which there are no sockets.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answers is a transport that reads each request and answers with the next of the responses, the
// last one forever.
func answers(responses ...*http.Response) (roundTripper, *int) {
	n := new(int)
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
		}
		resp := *responses[min(*n, len(responses)-1)]
		*n++
		body, _ := resp.Request.GetBody()
		resp.Body = body
		return &resp, nil
	}, n
}

// response is an answer in memory.
func response(status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	again := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	return &http.Response{StatusCode: status, Header: h, Request: &http.Request{GetBody: again}}
}

func asError(t *testing.T, err error) *cloudapi.Error {
	t.Helper()
	e, ok := err.(*cloudapi.Error) //nolint:errorlint // a method returns the Error itself
	require.Truef(t, ok, "got %T (%v), want a *cloudapi.Error", err, err)
	return e
}

// calls are all methods that ask Meta, each with made-up arguments.
func calls() map[string]func(context.Context, *cloudapi.Client) error {
	all := managementCalls()
	maps.Copy(all, sendingCalls())
	return all
}

func sendingCalls() map[string]func(context.Context, *cloudapi.Client) error {
	return map[string]func(context.Context, *cloudapi.Client) error{
		"Messages.Send": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := c.Messages.Send(ctx, phoneID, text())
			return err
		},
		"Messages.MarkRead": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Messages.MarkRead(ctx, phoneID, wamid)
		},
		"Messages.ShowTyping": func(ctx context.Context, c *cloudapi.Client) error {
			return c.Messages.ShowTyping(ctx, phoneID, wamid)
		},
		"Messages.History": func(ctx context.Context, c *cloudapi.Client) error {
			for _, err := range c.Messages.History(ctx, phoneID, cloudapi.MessageHistoryOptions{MessageID: wamid}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Messages.HistoryEvents": func(ctx context.Context, c *cloudapi.Client) error {
			for _, err := range c.Messages.HistoryEvents(ctx, historyID, cloudapi.MessageHistoryEventOptions{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Phones.Get": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := c.Phones.Get(ctx, phoneID, cloudapi.PhoneGetOptions{})
			return err
		},
		"Phones.List": func(ctx context.Context, c *cloudapi.Client) error {
			for _, err := range c.Phones.List(ctx, wabaID, cloudapi.PhoneListOptions{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Phones.SyncAppData": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := c.Phones.SyncAppData(ctx, phoneID, cloudapi.SyncHistory)
			return err
		},
		"WABAs.Get": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := c.WABAs.Get(ctx, wabaID, cloudapi.WABAGetOptions{})
			return err
		},
		"WABAs.Subscribe": func(ctx context.Context, c *cloudapi.Client) error {
			return c.WABAs.Subscribe(ctx, wabaID)
		},
		"WABAs.SetWebhook": func(ctx context.Context, c *cloudapi.Client) error {
			return c.WABAs.SetWebhook(ctx, wabaID, cloudapi.WebhookOverride{
				CallbackURL: "https://example.com/webhook", VerifyToken: "verify-token-1b2c3d",
			})
		},
		"WABAs.Unsubscribe": func(ctx context.Context, c *cloudapi.Client) error {
			return c.WABAs.Unsubscribe(ctx, wabaID)
		},
		"WABAs.SubscribedApps": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := c.WABAs.SubscribedApps(ctx, wabaID)
			return err
		},
		"OAuth.Exchange": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := c.OAuth.Exchange(ctx, cloudapi.CodeExchangeParams{Code: "AQcode/7c4a8d09+ca3762af61e5"})
			return err
		},
		"OAuth.DebugToken": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := c.OAuth.DebugToken(ctx, "IGinspected/d41d8cd9+8f00b204")
			return err
		},
		"Apps.Subscriptions": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := c.Apps.Subscriptions(ctx)
			return err
		},
		"Businesses.Me": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := c.Businesses.Me(ctx)
			return err
		},
		"Businesses.OwnedWABAs": func(ctx context.Context, c *cloudapi.Client) error {
			for _, err := range c.Businesses.OwnedWABAs(ctx, businessID) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Businesses.ClientWABAs": func(ctx context.Context, c *cloudapi.Client) error {
			for _, err := range c.Businesses.ClientWABAs(ctx, businessID, cloudapi.WABAListOptions{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Do": func(ctx context.Context, c *cloudapi.Client) error {
			_, err := cloudapi.Do[struct {
				ID string `json:"id"`
			}](ctx, c, cloudapi.Request{
				Method: http.MethodPost, Path: "/{phone-number-id}/block_users", IDs: []string{string(phoneID)},
				Body: []byte(`{"messaging_product":"whatsapp","block_users":[{"user":"+15550100199"}]}`),
			})
			return err
		},
	}
}
