package flowendpoint_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/flowendpoint"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/flowendpoint/flowendpointtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

const secret graph.Secret = "made-up-app-secret"

var keys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var list [2]*rsa.PrivateKey
	for i := range list {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		list[i] = key
	}
	return list
})

type booking struct {
	Day string `json:"day"`
}

func handle(_ context.Context, r *flowendpoint.Request) (flowendpoint.Response, error) {
	switch r.FlowToken {
	case "over":
		return nil, flowendpoint.InvalidToken("The order has been placed.")
	case "broken":
		return nil, errors.New("the database is down, token-canary")
	case "nothing":
		return nil, nil
	case "panic":
		panic("private-canary " + string(r.Data))
	}
	if r.Action == flowendpoint.ActionInit {
		return flowendpoint.NewScreen("BOOKING", booking{"2027-01-04"})
	}
	b, err := flowendpoint.Data[booking](r)
	if err != nil {
		return nil, err
	}
	return flowendpoint.NewCompletion(r, b)
}

func start(t *testing.T, change ...func(*flowendpoint.Config)) (url string, phone flowendpointtest.Phone) {
	t.Helper()
	cfg := flowendpoint.Config{AppSecret: secret, Keys: []*rsa.PrivateKey{keys()[0]}}
	for _, c := range change {
		c(&cfg)
	}
	endpoint, err := flowendpoint.New(cfg, flowendpoint.HandlerFunc(handle))
	require.NoError(t, err)
	srv := httptest.NewServer(endpoint)
	t.Cleanup(srv.Close)
	return srv.URL, flowendpointtest.Phone{Key: &keys()[0].PublicKey, AppSecret: secret, Client: srv.Client()}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	url, phone := start(t)
	tests := map[string]struct {
		request string
		status  int
		want    string
	}{
		"ping": {`{"version":"3.0","action":"ping"}`, 200, `{"data":{"status":"active"}}`},
		"first screen": {
			`{"version":"3.0","action":"INIT","flow_token":"t"}`, 200,
			`{"screen":"BOOKING","data":{"day":"2027-01-04"}}`,
		},
		"the end": {
			`{"version":"3.0","action":"data_exchange","screen":"BOOKING","data":{"day":"2027-01-05"},` +
				`"flow_token":"t"}`,
			200,
			`{"screen":"SUCCESS","data":{"extension_message_response":{"params":{"day":"2027-01-05",` +
				`"flow_token":"t"}}}}`,
		},
		"an error": {
			`{"version":"3.0","action":"data_exchange","data":{"error":"invalid-screen-transition",` +
				`"error_message":"m"},"flow_token":"t"}`,
			200, `{"data":{"acknowledged":true}}`,
		},
		"over": {
			`{"version":"3.0","action":"INIT","flow_token":"over"}`, 427,
			`{"error_msg":"The order has been placed."}`,
		},
		"broken":     {`{"version":"3.0","action":"INIT","flow_token":"broken"}`, 500, ""},
		"no answer":  {`{"version":"3.0","action":"INIT","flow_token":"nothing"}`, 500, ""},
		"other data": {`{"version":"3.0","action":"data_exchange","data":[1],"flow_token":"t"}`, 500, ""},
		"not JSON":   {`hello`, 421, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, answer, err := phone.Ask(t.Context(), url, tt.request)
			require.NoError(t, err)
			require.Equal(t, tt.status, status)
			if tt.want == "" {
				require.Empty(t, answer)
				return
			}
			require.JSONEq(t, tt.want, string(answer))
		})
	}
}

func TestWhatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	url, phone := start(t)
	stranger := phone
	stranger.Key = &keys()[1].PublicKey
	forger := phone
	forger.AppSecret = "another"
	const ping = `{"version":"3.0","action":"ping"}`
	for name, tt := range map[string]struct {
		phone  flowendpointtest.Phone
		status int
	}{"another key": {stranger, 421}, "another secret": {forger, 432}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, answer, err := tt.phone.Ask(t.Context(), url, ping)
			require.NoError(t, err)
			require.Equal(t, tt.status, status)
			require.Empty(t, answer)
		})
	}
	body, _, err := phone.Seal([]byte(ping))
	require.NoError(t, err)
	post := func(method, body, signature string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("X-Hub-Signature-256", signature)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	require.Equal(t, 200, post("POST", string(body), phone.Sign(body)))
	require.Equal(t, 405, post("GET", "", ""))
	require.Equal(t, 432, post("POST", string(body), ""))
	require.Equal(t, 432, post("POST", string(body)+" ", phone.Sign(body)))
	require.Equal(t, 421, post("POST", `{}`, phone.Sign([]byte(`{}`))))
	large := strings.Repeat("x", 1<<20+1)
	require.Equal(t, 413, post("POST", large, phone.Sign([]byte(large))))
	changed := bytes.Replace(body, []byte(`"initial_vector":"`), []byte(`"initial_vector":"AAAA`), 1)
	require.Equal(t, 421, post("POST", string(changed), phone.Sign(changed)))
}

func TestKeysAndSecretsCanBeExchanged(t *testing.T) {
	t.Parallel()
	url, phone := start(t, func(cfg *flowendpoint.Config) {
		cfg.Keys, cfg.AppSecret, cfg.AdditionalSecrets = []*rsa.PrivateKey{
			keys()[1], keys()[0],
		}, "new", []graph.Secret{secret}
	})
	status, _, err := phone.Ask(t.Context(), url, `{"action":"ping"}`)
	require.NoError(t, err)
	require.Equal(t, 200, status)
}

func TestReportsOfPhonesReachTheHost(t *testing.T) {
	t.Parallel()
	told := make(chan flowendpoint.ClientError, 1)
	url, phone := start(t, func(cfg *flowendpoint.Config) {
		cfg.OnError = func(_ context.Context, _ *flowendpoint.Request, e flowendpoint.ClientError) { told <- e }
	})
	_, _, err := phone.Ask(t.Context(), url, `{"action":"INIT","data":{"error":"timeout","error_message":"m"}}`)
	require.NoError(t, err)
	require.Equal(t, flowendpoint.ClientError{Code: "timeout", Message: "m"}, <-told)
}

func TestMistakesAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := flowendpoint.New(flowendpoint.Config{Keys: []*rsa.PrivateKey{nil}}, nil)
	for _, want := range []string{"AppSecret is empty", "holds nil", "Handler is nil"} {
		require.ErrorContains(t, err, want)
	}
	_, err = flowendpoint.New(flowendpoint.Config{}, nil)
	require.ErrorContains(t, err, "Keys is empty")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	_, err = flowendpoint.New(flowendpoint.Config{
		AppSecret: " \n", AdditionalSecrets: []graph.Secret{"former\n"}, Keys: []*rsa.PrivateKey{small},
	}, nil)
	for _, want := range []string{
		"AppSecret is empty", "AdditionalSecrets[0] begins or ends with white space",
		"has 1024 bits; Meta requires RSA keys of 2048",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestNoDataIsLogged(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var out bytes.Buffer
	url, phone := start(t, func(cfg *flowendpoint.Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return out.Write(p)
		}), nil))
	})
	_, _, err := phone.Ask(t.Context(), url,
		`{"action":"data_exchange","data":["private-canary"],"flow_token":"secret-flow-token"}`)
	require.NoError(t, err)
	_, _, err = phone.Ask(t.Context(), url, "private-canary")
	require.NoError(t, err)
	mu.Lock()
	defer mu.Unlock()
	require.NotEmpty(t, out.String())
	require.NotContains(t, out.String(), "private-canary")
	require.NotContains(t, out.String(), "secret-flow-token")
}

func TestWhatAPhoneSendsDoesNotFillTheLog(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("private pigeon ", 40_000)
	tests := map[string]string{
		"a screen":         `{"action":"data_exchange","screen":%q,"flow_token":"broken"}`,
		"an action":        `{"action":%q,"screen":"BOOKING","flow_token":"broken"}`,
		"an error's name":  `{"action":"INIT","data":{"error":%q,"error_message":"m"}}`,
		"an error's place": `{"action":"INIT","screen":%q,"data":{"error":"timeout","error_message":"m"}}`,
	}
	for name, request := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log lockedBuffer
			url, phone := start(t, func(cfg *flowendpoint.Config) {
				cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			})
			_, _, err := phone.Ask(t.Context(), url, fmt.Sprintf(request, long))
			require.NoError(t, err)
			require.Contains(t, log.String(), "=other")
			require.NotContains(t, log.String(), "pigeon")
			require.Less(t, len(log.String()), 1000)
		})
	}
}

func TestAPanicOfTheHandlerTellsNoData(t *testing.T) {
	t.Parallel()
	var log, serverLog lockedBuffer
	endpoint, err := flowendpoint.New(flowendpoint.Config{
		AppSecret: secret, Keys: []*rsa.PrivateKey{keys()[0]}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}, flowendpoint.HandlerFunc(handle))
	require.NoError(t, err)
	srv := httptest.NewUnstartedServer(endpoint)
	srv.Config.ErrorLog = stdlog.New(&serverLog, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	phone := flowendpointtest.Phone{Key: &keys()[0].PublicKey, AppSecret: secret, Client: srv.Client()}
	status, _, err := phone.Ask(t.Context(), srv.URL,
		`{"action":"data_exchange","flow_token":"panic","data":"private-canary"}`)
	require.NoError(t, err)
	require.Equal(t, 500, status)
	require.Contains(t, log.String(), "type=string")
	require.Contains(t, log.String(), "endpoint_test.go", "where it panicked")
	require.NotContains(t, log.String(), "private-canary")
	require.Empty(t, serverLog.String())
}

func TestTwoSignaturesAreNone(t *testing.T) {
	t.Parallel()
	url, phone := start(t)
	body, _, err := phone.Seal([]byte(`{"version":"3.0","action":"ping"}`))
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header["X-Hub-Signature-256"] = []string{phone.Sign(body), phone.Sign([]byte("another body"))}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 432, resp.StatusCode)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestKeysInPEM(t *testing.T) {
	t.Parallel()
	key := keys()[0]
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for kind, der := range map[string][]byte{
		"PRIVATE KEY": pkcs8, "RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(key),
	} {
		got, err := flowendpoint.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		require.NoError(t, err, kind)
		require.True(t, key.Equal(got), kind)
		_, err = flowendpoint.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der[1:]}))
		require.ErrorContains(t, err, "not an RSA private key")
	}
	public, err := flowendpoint.MarshalPublicKey(key)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(public, "-----BEGIN PUBLIC KEY-----"))
	_, err = flowendpoint.ParsePrivateKey([]byte(public))
	require.Error(t, err)
	_, err = flowendpoint.ParsePrivateKey([]byte("no"))
	require.ErrorContains(t, err, "not PEM")
	_, err = flowendpoint.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: pkcs8}))
	require.ErrorContains(t, err, "passphrase")
}

// encryptMedia does what a phone does with a file.
func encryptMedia(t *testing.T, plain []byte) (flowendpoint.Media, []byte) {
	t.Helper()
	e := flowendpoint.MediaEncryption{Key: make([]byte, 32), HMACKey: make([]byte, 32), IV: make([]byte, 16)}
	for _, b := range [][]byte{e.Key, e.HMACKey, e.IV} {
		_, _ = rand.Read(b)
	}
	pad := 16 - len(plain)%16
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(e.Key)
	require.NoError(t, err)
	text := make([]byte, len(padded))
	cipher.NewCBCEncrypter(block, e.IV).CryptBlocks(text, padded)
	mac := hmac.New(sha256.New, e.HMACKey)
	mac.Write(e.IV)
	mac.Write(text)
	file := append(text, mac.Sum(nil)[:10]...)
	plainSum, fileSum := sha256.Sum256(plain), sha256.Sum256(file)
	e.PlainHash, e.EncryptedHash = plainSum[:], fileSum[:]
	return flowendpoint.Media{Encryption: e}, file
}

func TestMediaIsDecryptedOrRefused(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 15, 16, 17, 1000} {
		plain := bytes.Repeat([]byte("x"), size)
		media, file := encryptMedia(t, plain)
		got, err := media.Decrypt(file)
		require.NoError(t, err)
		require.Equal(t, string(plain), string(got))
		for name, spoil := range map[string]func(m *flowendpoint.Media, file []byte) []byte{
			"another byte": func(_ *flowendpoint.Media, f []byte) []byte { f[0]++; return f },
			"cut":          func(_ *flowendpoint.Media, f []byte) []byte { return f[:len(f)-1] },
			"nothing":      func(*flowendpoint.Media, []byte) []byte { return nil },
			"another sum": func(m *flowendpoint.Media, f []byte) []byte {
				m.Encryption.PlainHash = make([]byte, 32)
				return f
			},
			"another vector": func(m *flowendpoint.Media, f []byte) []byte {
				m.Encryption.IV = make([]byte, 16)
				return f
			},
			"a short vector": func(m *flowendpoint.Media, f []byte) []byte { m.Encryption.IV = nil; return f },
			"a short key": func(m *flowendpoint.Media, f []byte) []byte {
				m.Encryption.Key = m.Encryption.Key[:3]
				return f
			},
			"another key": func(m *flowendpoint.Media, f []byte) []byte { m.Encryption.HMACKey = nil; return f },
		} {
			m := media
			_, err := m.Decrypt(spoil(&m, bytes.Clone(file)))
			require.ErrorIs(t, err, flowendpoint.ErrMedia, name)
		}
	}
}

// cdn is a media server. A client of its own dials it, whatever the name.
func cdn(t *testing.T, serve http.HandlerFunc) *http.Client {
	t.Helper()
	srv := httptest.NewTLSServer(serve)
	t.Cleanup(srv.Close)
	client := srv.Client()
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig.InsecureSkipVerify = true // the name is WhatsApp's, and the certificate is not
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
	}
	return client
}

func TestMediaIsFetched(t *testing.T) {
	t.Parallel()
	media, file := encryptMedia(t, []byte("a photo"))
	media.CDNURL = "https://mmg.whatsapp.net/v/file?hash=private-canary"
	client := cdn(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v/file" || r.Header.Get("Authorization") != "" {
			http.Error(w, "", http.StatusNotFound)
			return
		}
		_, _ = w.Write(file)
	})
	got, err := media.Fetch(t.Context(), client)
	require.NoError(t, err)
	require.Equal(t, "a photo", string(got))

	media.CDNURL += "#"
	media.Encryption.PlainHash = make([]byte, 32)
	_, err = media.Fetch(t.Context(), client)
	require.ErrorIs(t, err, flowendpoint.ErrMedia)
}

func TestMediaIsFetchedFromWhatsAppAlone(t *testing.T) {
	t.Parallel()
	asked := cdn(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	for name, url := range map[string]string{
		"another host":   "https://169.254.169.254/latest/meta-data",
		"a similar host": "https://mmg.whatsapp.net.example.com/v",
		"a suffix":       "https://evilwhatsapp.net/v",
		"http":           "http://mmg.whatsapp.net/v",
		"another port":   "https://mmg.whatsapp.net:8443/v",
		"a user":         "https://mmg.whatsapp.net@example.com/v",
		"a file":         "file:///etc/passwd",
		"nothing":        "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := flowendpoint.Media{CDNURL: url}.Fetch(t.Context(), asked)
			require.ErrorIs(t, err, flowendpoint.ErrMediaHost)
		})
	}
}

func TestAFetchGoesNowhereElse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		serve http.HandlerFunc
		want  string
	}{
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://169.254.169.254/", http.StatusFound)
		}, "the server answered 302"},
		"not found": {http.NotFound, "the server answered 404"},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			for range flowendpoint.MaxMediaBytes>>20 + 1 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		}, flowendpoint.ErrMedia.Error()},
		"cut": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "GET /{cdn-url}: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := flowendpoint.Media{
				CDNURL: "https://mmg.whatsapp.net/v?private-canary",
			}.Fetch(t.Context(), cdn(t, tt.serve))
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

// Whatever a phone sends, in the clear or not, ends with a status that Meta knows.
func FuzzEndpoint(f *testing.F) {
	endpoint, err := flowendpoint.New(
		flowendpoint.Config{AppSecret: secret, Keys: []*rsa.PrivateKey{keys()[0]}},
		flowendpoint.HandlerFunc(handle),
	)
	require.NoError(f, err)
	phone := flowendpointtest.Phone{Key: &keys()[0].PublicKey, AppSecret: secret}
	f.Add([]byte(`{"action":"ping"}`), true)
	f.Add([]byte(`{"action":"data_exchange","data":{"error":1},"flow_token":7}`), true)
	f.Add(
		[]byte(`{"encrypted_flow_data":"AAAA","encrypted_aes_key":"AAAA","initial_vector":"AAAAAAAAAAAAAAAAAAAAAA=="}`),
		false,
	)
	f.Fuzz(func(t *testing.T, text []byte, encrypted bool) {
		body := text
		if encrypted {
			sealed, _, err := phone.Seal(text)
			require.NoError(t, err)
			body = sealed
		}
		req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		req.Header.Set("X-Hub-Signature-256", phone.Sign(body))
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, req)
		require.Contains(t, []int{200, 413, 421, 427, 500}, w.Code)
	})
}
