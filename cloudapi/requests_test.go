package cloudapi_test

import (
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/requests.txt anew, to be read in the diff")

var (
	boundaryRe = regexp.MustCompile(`[0-9a-f]{60}`)
	proofRe    = regexp.MustCompile(`&?appsecret_proof=[0-9a-f]{64}`)
	keyRe      = regexp.MustCompile(`business_public_key=.*`)
)

// What every management call puts on the wire, readable as a whole in testdata/requests.txt.
func TestRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(managementCalls())) {
		srv := serve(t, reply(200, documented[name]))
		require.NoError(t, managementCalls()[name](t.Context(), srv.client(t)), name)
		got := srv.seen()
		require.True(t, len(got) == 1 || composed[name], "%s makes %d calls", name, len(got))
		fmt.Fprintln(&out, name)
		for _, r := range got {
			target, err := url.QueryUnescape(proofRe.ReplaceAllString(r.target, ""))
			require.NoError(t, err)
			fmt.Fprintf(&out, "\t%s %s\n", r.method, strings.TrimRight(strings.Replace(target, "?&", "?", 1), "?"))
			if r.body == "" {
				continue
			}
			body := boundaryRe.ReplaceAllString(strings.ReplaceAll(r.body, "\r\n", "\n"), "BOUNDARY")
			kind := boundaryRe.ReplaceAllString(r.header.Get("Content-Type"), "BOUNDARY")
			if kind == "application/x-www-form-urlencoded" {
				body, err = url.QueryUnescape(keyRe.ReplaceAllString(body, "business_public_key=PEM"))
				require.NoError(t, err)
			}
			fmt.Fprintf(&out, "\t%s\n\t%s\n", kind, strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n\t"))
		}
	}
	file := filepath.Join("testdata", "requests.txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String(),
		"run go test ./cloudapi -run TestRequestsOnTheWire -update, and read the diff")
}
