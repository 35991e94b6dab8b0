package graph_test

import (
	"bytes"
	"database/sql/driver"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

const canary = graph.Secret("canary-3f9c1d")

// requireHidden fails if s shows the canary in the clear, in hexadecimal or in part.
func requireHidden(t *testing.T, s, how string) {
	t.Helper()
	for _, form := range []string{"canary", "3f9c1d", "63616e617279", "63616E617279", "99 97 110"} {
		require.NotContains(t, s, form, how)
	}
}

// carrier is a host's configuration, with secrets where hosts put them.
type carrier struct {
	Token  graph.Secret
	Old    []graph.Secret
	ByName map[string]graph.Secret
	Inner  struct{ Token graph.Secret }
	Any    any
}

func carriers() map[string]any {
	c := carrier{Token: canary, Old: []graph.Secret{canary}, ByName: map[string]graph.Secret{"a": canary}, Any: canary}
	c.Inner.Token = canary
	return map[string]any{
		"itself": canary, "pointer": new(canary), "slice": []graph.Secret{canary}, "array": [1]graph.Secret{canary},
		"map": map[string]graph.Secret{"a": canary}, "struct": c, "pointer to struct": &c,
		"struct in a slice": []carrier{c},
	}
}

func TestSecretIsHiddenFromEveryVerb(t *testing.T) {
	t.Parallel()
	for name, v := range carriers() {
		for verb := rune('A'); verb <= 'z'; verb++ {
			// fmt answers for %p and %w without asking the type; go vet refuses them on a string.
			if verb == 'p' || verb == 'w' || verb > 'Z' && verb < 'a' {
				continue
			}
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "40", ".3", "+#40.3"} {
				format := "%" + flags + string(verb)
				requireHidden(t, fmt.Sprintf(format, v), format+" of "+name)
			}
		}
		requireHidden(t, fmt.Sprint(v), "Sprint of "+name)
		requireHidden(t, fmt.Errorf("token %v refused", v).Error(), "Errorf of "+name)
	}
	require.Equal(t, "[secret]", fmt.Sprintf("%#v", canary))
	require.Equal(t, "[secret]", fmt.Sprintf("%q", canary))
	require.Empty(t, fmt.Sprint(graph.Secret("")), "an absent secret shows that it is absent")
}

func TestSecretIsHiddenFromLogs(t *testing.T) {
	t.Parallel()
	for handler, build := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		for name, v := range carriers() {
			var out bytes.Buffer
			log := slog.New(build(&out))
			log.InfoContext(t.Context(), "test", "value", v, slog.Group("group", "value", v))
			log.With("value", v).InfoContext(t.Context(), "test")
			requireHidden(t, out.String(), handler+" handler, "+name)
		}
		var out bytes.Buffer
		slog.New(build(&out)).InfoContext(t.Context(), "test", "token", canary, "none", graph.Secret(""))
		require.Contains(t, out.String(), "[secret]", handler)
	}
}

func TestSecretRefusesToBeWritten(t *testing.T) {
	t.Parallel()
	for name, v := range carriers() {
		b, err := json.Marshal(v)
		require.ErrorContains(t, err, "Reveal", name)
		require.Empty(t, b, name)
		requireHidden(t, err.Error(), name)
	}
	b, err := xml.Marshal(canary)
	require.Error(t, err)
	requireHidden(t, string(b)+err.Error(), "XML")

	b, err = json.Marshal(struct {
		Token graph.Secret `json:"token,omitzero"`
	}{})
	require.NoError(t, err)
	require.JSONEq(t, `{}`, string(b))
}

func TestSecretIsNoArgumentOfAStatement(t *testing.T) {
	t.Parallel()
	v, err := driver.DefaultParameterConverter.ConvertValue(canary)
	require.ErrorContains(t, err, "Reveal")
	require.Nil(t, v)
}

func TestSecretRefusesGob(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := gob.NewEncoder(&out).Encode(struct{ Token graph.Secret }{canary})
	require.ErrorContains(t, err, "Reveal")
	requireHidden(t, out.String(), "gob")
}

func TestSecretIsReadAndRevealed(t *testing.T) {
	t.Parallel()
	var answer struct {
		AccessToken graph.Secret `json:"access_token"`
	}
	require.True(t, answer.AccessToken.IsZero())
	require.NoError(t, json.Unmarshal([]byte(`{"access_token":"canary-3f9c1d"}`), &answer))
	require.Equal(t, canary, answer.AccessToken)
	require.Equal(t, "canary-3f9c1d", answer.AccessToken.Reveal())
	require.False(t, answer.AccessToken.IsZero())
}
