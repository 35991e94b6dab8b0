package coexistencetest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

func TestNewAccountsHaveTheTemplatesOfTheWorld(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{Templates: []cloudapi.TemplateCreateParams{{
		Name: "rye_is_back", Language: "en_US", Category: graph.TemplateMarketing,
		Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "The rye loaf is back."}},
	}}})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	result, err := phone.Connect(coexistencetest.HistoryShared)
	require.NoError(t, err)
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(t, err)
	token, err := client.OAuth.Exchange(t.Context(), cloudapi.CodeExchangeParams{Code: result.Code})
	require.NoError(t, err)
	for tpl, err := range client.WithToken(token.Token).Templates.List(t.Context(), phone.WABA(),
		cloudapi.TemplateListOptions{}) {
		require.NoError(t, err)
		require.Equal(t, "rye_is_back", tpl.Name)
		require.Equal(t, cloudapi.TemplateApproved, tpl.Status)
		return
	}
	t.Fatal("there is no template")
}
