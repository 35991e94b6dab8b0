package cloudapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
)

// An exchange is a call of autumn 2026: what goes to Meta, and what comes back.
type exchange struct {
	Request struct {
		Method string          `json:"method"`
		Path   string          `json:"path"`
		Body   json.RawMessage `json:"body"`
	} `json:"request"`
	Response struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	} `json:"response"`
}

// plainSend sends a text to the person of the exchanges.
func plainSend(ctx context.Context, c *cloudapi.Client) error {
	return only(c.Messages.Send(ctx, "106540352242900", cloudapi.Message{
		To: cloudapi.ToPhone("+15555550142"), Content: &cloudapi.Text{Body: "Hello"},
	}))
}

// The requests that this package makes are those of the sources, and the answers mean what the
// sources say.
func TestCallsOfAutumn2026(t *testing.T) {
	t.Parallel()
	dir := payloads.Folder("api-send-131070.json")
	if dir == "" {
		t.Skip("COEXISTENCE_PAYLOADS names no folder with the bodies of autumn 2026")
	}
	price := func(amount int64) *cloudapi.OptimizationSpec {
		return &cloudapi.OptimizationSpec{BidStrategy: cloudapi.BidLowestCostWithCap, BidAmount: amount}
	}
	agreement := func(method string, body json.RawMessage) callFunc {
		return func(ctx context.Context, c *cloudapi.Client) error {
			type agreement struct {
				Status string `json:"status"`
			}
			got, err := cloudapi.Do[agreement](ctx, c, cloudapi.Request{
				Method: method, Path: "/{business-id}/max_price_agreements", IDs: []string{"700000000000100"},
				Body: body,
			})
			if err == nil {
				require.NotEmpty(t, got.Status)
			}
			return err
		}
	}
	tests := map[string]struct {
		call callFunc
		want []error
	}{
		"api-send-131070": {plainSend, []error{graph.CodeThreadOwnedByOther, graph.ErrNotOwner}},
		"api-template-max-price-create": {func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Templates.Create(ctx, "102290129340300", cloudapi.TemplateCreateParams{
				Name: "autumn_sale", Language: "en_US", Category: graph.TemplateMarketing, Optimization: price(25000),
				Components: []cloudapi.ComponentDefinition{
					{Type: cloudapi.ComponentBody, Text: "Our sale starts today."},
				},
			}))
		}, nil},
		"api-template-max-price-edit": {func(ctx context.Context, c *cloudapi.Client) error {
			return c.Templates.Update(ctx, "900000000000142", cloudapi.TemplateUpdateParams{Optimization: price(40000)})
		}, nil},
		"api-marketing-send-multiplier": {func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Messages.SendMarketing(ctx, "106540352242900", cloudapi.Message{
				To:      cloudapi.ToPhone("+15555550142"),
				Content: &cloudapi.Template{Name: "autumn_sale", Language: "en_US"},
			}, cloudapi.MarketingOptions{Bid: &cloudapi.BidSpec{PerMessageBidMultiplier: 0.5}}))
		}, nil},
		"api-max-price-agreement-sign": {agreement(http.MethodPost,
			[]byte(`{"signer_name":"Ana Example","signer_email":"ana@example.test"}`)), nil},
		"api-thread-pass-targeted": {func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Threads.Pass(ctx, "106540352242900", graph.RoleCustomerService,
				cloudapi.ThreadParams{To: cloudapi.ToUser("US.13491208655302740142")}))
		}, nil},
		"api-thread-pass-untargeted": {func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Threads.Pass(ctx, "106540352242900", "",
				cloudapi.ThreadParams{To: cloudapi.ToPhone("15555550142"), Metadata: "customer asks for a person"}))
		}, nil},
		"api-thread-release": {func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Threads.Release(ctx, "106540352242900",
				cloudapi.ThreadParams{To: cloudapi.ToPhone("15555550142")}))
		}, nil},
		"api-thread-take": {func(ctx context.Context, c *cloudapi.Client) error {
			got, err := c.Threads.Take(ctx, "106540352242900", cloudapi.ThreadParams{
				To: cloudapi.ToUser("US.13491208655302740142"), Metadata: "a colleague steps in",
			})
			if err == nil {
				require.Equal(t, "AbCdEf0142", got.RequestID)
			}
			return err
		}, nil},
		"api-thread-take-refused": {func(ctx context.Context, c *cloudapi.Client) error {
			return only(c.Threads.Take(ctx, "106540352242900",
				cloudapi.ThreadParams{To: cloudapi.ToPhone("15555550142")}))
		}, []error{graph.CodeThreadTakeNotPermitted}},
		"api-max-price-agreement-status": {agreement(http.MethodGet, nil), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := os.ReadFile(filepath.Join(dir, name+".json"))
			require.NoError(t, err)
			var x exchange
			require.NoError(t, json.Unmarshal(file, &x))
			meta := serve(t, reply(x.Response.Status, string(x.Response.Body)))
			err = tt.call(t.Context(), meta.client(t))
			sent := meta.seen()[0]
			target, _, _ := strings.Cut(sent.target, "?")
			require.Equal(t, x.Request.Method+" "+x.Request.Path, sent.method+" "+target)
			if x.Request.Body != nil {
				requireMembers(t, x.Request.Body, []byte(sent.body))
			}
			if tt.want == nil {
				require.NoError(t, err)
			}
			for _, want := range tt.want {
				require.ErrorIs(t, err, want)
			}
		})
	}
}

// Every exchange can be made with Do, and its answer is read: also those without a method here, for
// which the sources disagree.
func TestEveryCallOfAutumn2026CanBeMadeWithDo(t *testing.T) {
	t.Parallel()
	dir := payloads.Folder("api-send-131070.json")
	if dir == "" {
		t.Skip("COEXISTENCE_PAYLOADS names no folder with the bodies of autumn 2026")
	}
	names, err := filepath.Glob(filepath.Join(dir, "api-*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			file, err := os.ReadFile(name)
			require.NoError(t, err)
			var x exchange
			require.NoError(t, json.Unmarshal(file, &x))
			client := serve(t, reply(x.Response.Status, string(x.Response.Body))).client(t)
			got, err := cloudapi.Do[json.RawMessage](t.Context(), client, cloudapi.Request{
				Method: x.Request.Method, Path: "/{id}/edge", IDs: []string{"1"}, Body: x.Request.Body,
			})
			if x.Response.Status == http.StatusOK {
				require.NoError(t, err)
				require.JSONEq(t, string(x.Response.Body), string(*got))
				return
			}
			info, known := graph.Lookup(asError(t, err).Code, asError(t, err).Subcode)
			require.True(t, known)
			require.NotEmpty(t, info.Advice)
		})
	}
}

// requireMembers requires that got has what want has, phone numbers with or without a plus.
func requireMembers(t *testing.T, want, got []byte) {
	t.Helper()
	var w, g map[string]any
	require.NoError(t, json.Unmarshal(want, &w))
	require.NoError(t, json.Unmarshal(got, &g))
	if to, ok := w["to"].(string); ok {
		w["to"] = "+" + to
	}
	for name, value := range w {
		require.Equal(t, value, g[name], name)
	}
}
