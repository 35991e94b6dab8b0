package cloudapi_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestADirectMessageStartsAConversation(t *testing.T) {
	t.Parallel()
	srv := cloudapitest.NewServer(cloudapitest.Config{Strict: true})
	t.Cleanup(srv.Close)
	phone := srv.AddPhone(cloudapitest.Phone{})
	client := newClient(t, srv.ClientConfig())
	m := text()
	_, err := client.Messages.Send(t.Context(), phone.ID, m)
	require.ErrorIs(t, err, graph.CodeReengagementMessage, "the window is closed")

	m.Direct = &cloudapi.DirectSend{Category: cloudapi.DirectUtility, TTL: time.Hour, TemplateName: "order_ready"}
	_, err = client.Messages.Send(t.Context(), phone.ID, m)
	require.NoError(t, err)
	var body map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(srv.Sent()[0].Body, &body))
	require.JSONEq(t, `"utility"`, string(body["category"]))
	require.JSONEq(t, `3600`, string(body["ttl_seconds"]))
	require.JSONEq(t, `{"template_name":"order_ready"}`, string(body["direct_send_config"]))

	var kept cloudapi.Message
	require.NoError(t, json.Unmarshal(srv.Sent()[0].Body, &kept))
	require.Equal(t, m, kept, "an outbox can keep it")
}

func TestDirectMessagesKeepToMetasLimits(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		direct  cloudapi.DirectSend
		content cloudapi.Content
		want    string // "" for none
	}{
		"good":        {cloudapi.DirectSend{Category: cloudapi.DirectService}, nil, ""},
		"no category": {cloudapi.DirectSend{}, nil, "DirectSend.Category is empty"},
		"too short": {
			cloudapi.DirectSend{Category: cloudapi.DirectUtility, TTL: 29 * time.Second}, nil,
			"from 30 s to 12h0m0s",
		},
		"too long": {
			cloudapi.DirectSend{Category: cloudapi.DirectUtility, TTL: 13 * time.Hour}, nil, "from 30 s to 12h0m0s",
		},
		"too long for a code": {
			cloudapi.DirectSend{Category: cloudapi.DirectAuthentication, TTL: time.Hour}, nil, "from 30 s to 15m0s",
		},
		"half a second": {
			cloudapi.DirectSend{Category: cloudapi.DirectUtility, TTL: time.Minute + time.Second/2}, nil,
			"whole seconds",
		},
		"a template's name": {
			cloudapi.DirectSend{Category: cloudapi.DirectUtility, TemplateName: "Order ready"}, nil,
			"DirectSend.TemplateName",
		},
		"a text of 1025": {
			cloudapi.DirectSend{Category: cloudapi.DirectUtility}, &cloudapi.Text{Body: strings.Repeat("x", 1025)},
			"1024",
		},
		"a template": {
			cloudapi.DirectSend{Category: cloudapi.DirectUtility}, &cloudapi.Template{Name: "t", Language: "en"},
			"needs no DirectSend",
		},
		"a category of the future": {cloudapi.DirectSend{Category: "marketing"}, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := text()
			m.Direct = &tt.direct
			if tt.content != nil {
				m.Content = tt.content
			}
			if err := m.Check(); tt.want != "" {
				require.ErrorIs(t, err, cloudapi.ErrValidation)
				require.ErrorContains(t, err, tt.want)
			} else {
				require.NoError(t, err)
			}
		})
	}
}
