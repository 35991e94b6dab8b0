package webhook_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	body := []byte(`{"text":"caf\u00e9 \ud83d\ude80 https:\/\/example.com"}`)
	good := webhook.Sign("secret", body)
	digits := strings.TrimPrefix(good, "sha256=")
	tests := map[string]struct {
		signature string
		secrets   []graph.Secret
		ok        bool
	}{
		"as signed":              {good, []graph.Secret{"secret"}, true},
		"first of two secrets":   {good, []graph.Secret{"secret", "old"}, true},
		"second of two secrets":  {good, []graph.Secret{"new", "secret"}, true},
		"upper-case digits":      {"sha256=" + strings.ToUpper(digits), []graph.Secret{"secret"}, true},
		"another secret":         {good, []graph.Secret{"other"}, false},
		"no secret":              {good, nil, false},
		"an empty secret":        {webhook.Sign("", body), []graph.Secret{""}, false},
		"a blank secret":         {webhook.Sign(" \t", body), []graph.Secret{" \t"}, false},
		"a blank one among good": {webhook.Sign("", body), []graph.Secret{"secret", ""}, false},
		"missing":                {"", []graph.Secret{"secret"}, false},
		"no prefix":              {digits, []graph.Secret{"secret"}, false},
		"upper-case prefix":      {"SHA256=" + digits, []graph.Secret{"secret"}, false},
		"another algorithm":      {"sha1=" + digits[:40], []graph.Secret{"secret"}, false},
		"one digit short":        {good[:len(good)-1], []graph.Secret{"secret"}, false},
		"one digit more":         {good + "0", []graph.Secret{"secret"}, false},
		"only the prefix":        {"sha256=", []graph.Secret{"secret"}, false},
		"white space before":     {" " + good, []graph.Secret{"secret"}, false},
		"white space within":     {"sha256= " + digits[1:], []graph.Secret{"secret"}, false},
		"white space after":      {good + "\n", []graph.Secret{"secret"}, false},
		"not hex":                {"sha256=" + strings.Repeat("g", 64), []graph.Secret{"secret"}, false},
		"twice in one":           {good + "," + good, []graph.Secret{"secret"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := webhook.Verify(body, tt.signature, tt.secrets...)
			if tt.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, webhook.ErrSignature)
			require.NotContains(t, err.Error(), digits)
		})
	}
	for i := range body {
		changed := append([]byte(nil), body...)
		changed[i] ^= 1
		require.ErrorIs(t, webhook.Verify(changed, good, "secret"), webhook.ErrSignature)
	}
	for i := range digits {
		other := "0"
		if digits[i] == '0' {
			other = "1"
		}
		require.ErrorIs(t, webhook.Verify(body, "sha256="+digits[:i]+other+digits[i+1:], "secret"),
			webhook.ErrSignature)
	}
}

func TestVerifyAgreesWithTheCorpus(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(corpus(t), "webhooks", "_signature-vectors.json"))
	require.NoError(t, err)
	var vectors struct {
		Secrets map[string]string
		Cases   []struct {
			Name, Body, Header string
			Valid              any
		}
	}
	require.NoError(t, json.Unmarshal(data, &vectors))
	require.NotEmpty(t, vectors.Cases)
	var secrets []graph.Secret
	for _, s := range vectors.Secrets {
		secrets = append(secrets, graph.Secret(s))
	}
	for _, c := range vectors.Cases {
		want, decided := c.Valid.(bool)
		if !decided {
			want = c.Name == "upper-case hex" // the case of digits says nothing about who made them
		}
		err := webhook.Verify([]byte(c.Body), c.Header, secrets...)
		require.Equal(t, want, err == nil, c.Name)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{}`), "secret", "sha256=")
	f.Add([]byte(``), "s", webhook.Sign("s", nil))
	f.Add([]byte(`{}`), " ", "SHA256="+strings.Repeat("0", 64))
	f.Fuzz(func(t *testing.T, body []byte, key, signature string) {
		secret := graph.Secret(key)
		good := webhook.Sign(secret, body)
		blank := strings.TrimSpace(key) == ""
		if err := webhook.Verify(body, good, secret); (err == nil) == blank {
			t.Fatalf("blank %v: %v", blank, err)
		}
		if err := webhook.Verify(body, signature, secret); err == nil && !strings.EqualFold(signature, good) {
			t.Fatalf("accepted %q", signature)
		}
	})
}
