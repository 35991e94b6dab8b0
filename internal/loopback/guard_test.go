package loopback_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/loopback"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		local, host string
		want        int
	}{
		"by address":               {"127.0.0.1:8080", "127.0.0.1:8080", 200},
		"another loopback address": {"127.0.0.1:8080", "127.0.0.53", 200},
		"by name":                  {"127.0.0.1:8080", "localhost:8080", 200},
		"by name without port":     {"127.0.0.1:80", "LOCALHOST", 200},
		"IPv6":                     {"[::1]:8080", "[::1]:8080", 200},
		"IPv6 without port":        {"[::1]:80", "[::1]", 200},
		"a stranger's name":        {"127.0.0.1:8080", "rebind.example.com:8080", 403},
		"a name that begins so":    {"127.0.0.1:8080", "localhost.example.com", 403},
		"an address in a name":     {"127.0.0.1:8080", "127.0.0.1.example.com", 403},
		"no name":                  {"127.0.0.1:8080", "", 403},
		"IPv6, a stranger's name":  {"[::1]:8080", "rebind.example.com", 403},
		"from another machine":     {"192.0.2.7:8080", "simulator.example.com", 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			local, err := net.ResolveTCPAddr("tcp", tt.local)
			require.NoError(t, err)
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Host = tt.host
			w := httptest.NewRecorder()
			r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, local))
			loopback.Guard(http.NotFoundHandler()).ServeHTTP(w, r)
			if tt.want == 200 {
				require.Equal(t, 404, w.Code, "it passed")
				return
			}
			require.Equal(t, tt.want, w.Code)
		})
	}
}

func TestGuardOfAServer(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(loopback.Guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	t.Cleanup(srv.Close)
	for host, want := range map[string]int{srv.Listener.Addr().String(): 200, "rebind.example.com": 403} {
		t.Run(host, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
			require.NoError(t, err)
			req.Host = host
			resp, err := srv.Client().Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, want, resp.StatusCode)
		})
	}
}
